/* SPDX-License-Identifier: MIT
 * What the verifier claims of every instruction's registers, for the fuzzer: a run's values are compared with it. */
#ifndef EXT_WATCH_H
#define EXT_WATCH_H

#include <ext.h>
#include <num.h>

/* Bits of ext_watched.kinds: what a register was in some state that reached the instruction. */
#define EXT_WATCH_UNSET 1u
#define EXT_WATCH_SCALAR 2u  /* then num holds for it */
#define EXT_WATCH_POINTER 4u /* not null */
#define EXT_WATCH_NULL 8u    /* a pointer that may be null */

struct ext_watched {
	u8 kinds[EXT_REGS];
	struct num num
		[EXT_REGS]; /* of the states in which it is a scalar; valid with EXT_WATCH_SCALAR */
};

/* Before the instruction of that number, the join over all states that reached it. */
struct ext_states {
	u32 insns;
	struct ext_watched *at;
};

/* 0, or a text that says which claim the registers (those whose bits are in `written`) break before instruction insn. */
const char *ext_watch_compare(const struct ext_states *s, u32 insn, const u64 *reg, u32 written);

#endif
