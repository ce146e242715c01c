/* SPDX-License-Identifier: MIT
 * The instrumented interpreter: what a run is allowed to do, and what it did. For the differential fuzzer and the
 * host's tool, never for the kernel.
 *
 * 1. Every access lies in one frame of the stack that is in use, in one region, or in one of the memories given.
 *    What is only readable is not written.
 * 2. Bytes of the stack and registers are written before they are read; a call leaves r1..r5 unwritten.
 * 3. No run executes more than `most` instructions, functions' costs included.
 * 4. `step`, when given, sees every instruction with the registers before it, and may object (the fuzzer compares
 *    them with what the verifier proved).
 * The first violation ends the run. */
#ifndef EXT_CHECKED_H
#define EXT_CHECKED_H

#include <ext.h>

#define EXT_CHECK_MEMORIES 32u

struct ext_check_memory {
	u64 at, bytes;
	u64 writable; /* else: only readable */
};

struct ext_check {
	/* in */
	u64 most; /* instructions; 0: no limit (then a run may not end) */
	struct ext_check_memory memory[EXT_CHECK_MEMORIES];
	u32 memories;
	/* Called before each instruction: reg[0..10], the bits of those that were written, the nesting of calls from 0.
	 * Returns 0, or a text that says what is wrong. */
	const char *(*step)(void *context, u32 insn, const u64 *reg, u32 written, u32 depth);
	void *context;
	/* out */
	u64 executed;	  /* instructions, functions' costs included */
	enum ext_why why; /* EXT_OK: no violation */
	u32 insn;	  /* where */
	u64 at, bytes;	  /* of an access: address and size */
	const char *text; /* what: static, or step's */
	/* the interpreter's own */
	u32 regs; /* bits of registers that were written, of the current frame */
	u8 written[EXT_FRAMES][EXT_FRAME_BYTES / 8];
};

/* Allows a memory that a function gave (takes back: ext_check_forbid). Returns 0, or -1 when there are too many. */
int ext_check_allow(struct ext_check *c, u64 at, u64 bytes, int writable);
void ext_check_forbid(struct ext_check *c, u64 at);

#endif
