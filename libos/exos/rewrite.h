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
/* Pure, and host-tested: each writes a stub for address `at`, and returns its bytes, REWRITE_STUB_MOST at most. `back`: behind
 * the `syscall`.
 * A call: number into eax, back into rcx, and a jump through the pointer at `target`. */
#define REWRITE_STUB_MOST 20
u32 rewrite_stub(u8 *stub, u64 at, u32 number, u64 back, u64 target);
/* A call whose result is 32 bits of the thread, `word` bytes from gs: it is read where it is called. */
u32 rewrite_stub_word(u8 *stub, u64 at, u32 word, u64 back);
/* The same of what the thread's pointer at `pointer` leads to, `field` bytes in. */
u32 rewrite_stub_field(u8 *stub, u64 at, u32 pointer, u32 field, u64 back);

#endif
