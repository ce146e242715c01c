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

/* After a reflection of the call at regs (rip is behind the `syscall`): rewrites the site if its shape allows; then rip may be
 * where what stood behind it is now. Takes the family lock. Never fails visibly: a site that cannot be rewritten stays
 * reflected, and is not looked at again soon. */
void rewrite_site(struct user_regs *regs);
/* Whether a breakpoint at regs->rip - 1 was one of ours that has been replaced meanwhile; then rip is where the
 * jump leads. Family lock held. */
int rewrite_breakpoint(struct user_regs *regs);
/* rewrite_bare.c. Whether an exception came of somebody's jump to the instruction behind a `syscall` that was replaced together
 * with it; then rip is where that instruction is now. vector: 3 or 6. Family lock held. */
int rewrite_moved(struct user_regs *regs, u64 vector);
/* A place in the program as it may be shown to it: rip, or where that is in its own text, if it is in a bare site's stub. */
u64 rewrite_shown(u64 rip);

/* Pure: may the 5 bytes before the `syscall` at code[6..7] be replaced, given the call's number? code[0] is the
 * byte before them. Host-tested. */
int rewrite_shape(const u8 code[8], u64 number);
/* The same of the first 5 of the 7 bytes code[0..6]. */
int rewrite_shape_wide(const u8 code[9], u64 number);
/* Pure: how many bytes stand between a `mov $number, %eax` and the `syscall` that ends the code, where these are instructions that
 * may be moved: they touch no memory and leave rax alone. 0: none, or something else. Host-tested. */
#define REWRITE_BETWEEN_MOST 13
#define REWRITE_BEFORE (3 + 5 + REWRITE_BETWEEN_MOST + 2)
u32 rewrite_between(const u8 code[REWRITE_BEFORE], u64 number);
/* Pure: the length of the first instruction of those; 0: it is another, or does not end within `room` bytes. */
u32 rewrite_between_next(const u8 *code, u32 room);
/* Pure, and host-tested: each writes a stub for address `at`, and returns its bytes, less than REWRITE_STUB_STEP. `back`: behind
 * the `syscall`.
 * A call: number into eax, back into rcx, and a jump through the pointer at `target`. */
u32 rewrite_stub(u8 *stub, u64 at, u32 number, u64 back, u64 target);
/* Pure: the length of an instruction, if it may be moved to another place, has 3 bytes at least, and begins at code, of which
 * 7 bytes are there; else 0. It has no operand in memory, so that it faults nowhere. Host-tested. */
u32 rewrite_next(const u8 *code);
/* Pure: whether an instruction that begins with this byte is an invalid one (vector 6), or the breakpoint. Host-tested. */
int rewrite_traps(u8 byte);
/* A call whose number is in eax already: next(%rip) into rcx, a jump through the pointer at `target`, a `syscall`, the
 * instruction that stood behind the one at `site`, and a jump back. The step's last byte says its length. */
#define REWRITE_BARE_STEP 32
#define REWRITE_BARE_NEXT 15
#define REWRITE_SHORT 2 /* bytes of the one instruction that has less than 3: a jump (eb) */
u32 rewrite_stub_bare(u8 *stub, u64 at, u64 site, const u8 *next, u32 bytes, u64 target);
/* Pure: which place in the text `offset` bytes into such a stub stands for. */
u64 rewrite_bare_shown(const u8 *stub, u64 at, u32 offset);
/* Pure: where the program goes on behind one of the other stubs. */
u64 rewrite_stub_back(const u8 *stub, u64 at);
#define REWRITE_STUB_STEP 32 /* from one of them to the next */
/* A call with the instructions that stood between the mov and the `syscall`, which was at back - 2: they come behind the mov here,
 * too. The step's last byte says how many bytes they have. 0: what one of them says relative to its own place is too far away. */
u32 rewrite_stub_between(u8 *stub, u64 at, u32 number, const u8 *between, u32 bytes, u64 back,
			 u64 target);
/* Pure: the place in the text that `offset` bytes into it stand for. */
u64 rewrite_between_shown(const u8 *stub, u64 at, u32 offset);
/* A call whose result is 32 bits of the thread, `word` bytes from gs: it is read where it is called. */
u32 rewrite_stub_word(u8 *stub, u64 at, u32 word, u64 back);
/* The same of what the thread's pointer at `pointer` leads to, `field` bytes in. */
u32 rewrite_stub_field(u8 *stub, u64 at, u32 pointer, u32 field, u64 back);

/* rewrite_unwind.c: whether a place is described to unwinders, by its file's .eh_frame_hdr. Family lock held. */
struct mm;
int unwind_described(struct mm *mm, u64 at);

/* rewrite.c, for rewrite_bare.c. Family lock held. */
struct mm;
/* The page at va as memory to write text to, private to mm; NULL where it is not mapped, shared with others by the
 * program's wish, or there is no memory for a copy. */
u8 *rewrite_text(struct mm *mm, u64 va);
/* The same for each byte of a site. 0: one of them cannot be written. */
int rewrite_bytes(struct mm *mm, u64 site, u8 *byte[]);
/* Makes every CPU that runs this memory forget what it fetched of a page. */
void rewrite_sync(struct mm *mm, u64 va);
#define REWRITE_SITE 5 /* bytes of the jump, and of the mov that it replaces, unless that is wide */
/* The last of a site's change: its first byte is a breakpoint, by which nobody comes through; then it is a jump to the stub. */
void rewrite_jump(struct mm *mm, u64 site, u8 *const byte[REWRITE_SITE], u64 stub);
/* The nearest free page below `from`, or above `to`, from which and to which a jump reaches; 0: none. */
u64 rewrite_place(struct mm *mm, u64 from, u64 to);
/* Makes a page for stubs. 0 or -ENOMEM. */
s64 rewrite_page(struct mm *mm, u64 va);
/* Where in its last words stubs find their ways into ExOS, and how many of its bytes are theirs. */
enum {
	ENTER_CALL,
	ENTER_QUICK,
	ENTER_CLOCK,
	ENTER_BARE,
	ENTER_SIGRETURN,
	ENTER_OWN,
	ENTER_MASK,
	ENTER_ROBUST,
	ENTRIES
};
#define POINTERS_AT (4096 - ENTRIES * 8)
#define POINTER_AT(entry) (POINTERS_AT + (entry)*8)
/* Rewrites the `syscall` before regs->rip together with what is behind it. 0: it stays. */
int rewrite_bare(struct mm *mm, struct user_regs *regs);
#define LOWEST 0x10000ul /* where stubs may lie */
/* Whether a jump spans from a to b. */
int rewrite_reaches(u64 a, u64 b);

#endif
