/* SPDX-License-Identifier: MIT
 * System calls become jumps. */
#ifndef EXOS_REWRITE_H
#define EXOS_REWRITE_H

#include "exos.h"

struct rewrite_counts {
	u64 sites; /* rewritten */
	u64 kept;  /* reflected sites whose shape is not one we rewrite: each reflection counted */
	u64 rewritten; /* calls that came by a stub */
	u64 reflected; /* calls that came by the kernel */
};
extern struct rewrite_counts rewrite_counts;

/* After the first reflection of the call at regs (rip is behind the `syscall`): rewrites the site if its shape
 * allows. Family lock held. Never fails visibly: a site that cannot be rewritten stays reflected. */
void rewrite_site(const struct user_regs *regs);
/* Whether a breakpoint at regs->rip - 1 was one of ours that has been replaced meanwhile; then rip is where the
 * jump leads. Family lock held. */
int rewrite_breakpoint(struct user_regs *regs);

/* Pure: may the 5 bytes before the `syscall` at code[6..7] be replaced, given the call's number? code[0] is the
 * byte before them. Host-tested. */
int rewrite_shape(const u8 code[8], u64 number);
/* Pure: writes a stub's 18 bytes for address `at`: number into eax, the address behind the syscall into rcx,
 * and a jump through the pointer at `target`. Host-tested. */
#define REWRITE_STUB_BYTES 18
void rewrite_stub(u8 stub[REWRITE_STUB_BYTES], u64 at, u32 number, u64 back, u64 target);

#endif
