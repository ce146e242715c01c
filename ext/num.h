/* SPDX-License-Identifier: MIT
 * Abstract numbers: what is known of a 64-bit value. A num stands for all concrete x that satisfy every one of
 *   1. known bits:       (x & ~unknown) == value, with value & unknown == 0
 *   2. unsigned range:   umin <= x <= umax
 *   3. signed range:     smin <= (s64)x <= smax
 *   4. of the low half:  u32min <= (u32)x <= u32max and s32min <= (s32)x <= s32max
 * Every operation is sound: its result contains what the machine's operation gives for every pair of concrete operands
 * contained in its arguments (proved by Z3 from this source: `./aril prove`; tried on all 8-bit inputs by tests/host).
 * All are total: any num in, a normal num out; no memory, no state. An empty num never leaves a function: where the
 * operands cannot be, the function says so.
 * The width of the whole theory is NUM_BITS (64; the exhaustive test compiles it with 8: then NUM_HALF is 4). */
#ifndef EXT_NUM_H
#define EXT_NUM_H

#include <aril/types.h>
#include <insn.h>

#ifndef NUM_BITS
#define NUM_BITS 64
#endif
#define NUM_HALF (NUM_BITS / 2)

struct num {
	u64 value, unknown;
	u64 umin, umax;
	s64 smin, smax;
	u32 u32min, u32max;
	s32 s32min, s32max;
};

struct num num_const(u64 x);
struct num num_any(void);
struct num num_unsigned(u64 least, u64 most);
struct num num_signed(s64 least, s64 most);
struct num num_bytes(u32 bytes); /* zero-extended load of 1, 2, 4 or 8 bytes */

static inline int num_is_const(const struct num *a)
{
	return a->umin == a->umax;
}
int num_contains(const struct num *a, u64 x);
int num_within(const struct num *a,
	       const struct num *b); /* every x of a is in b (may say 0 where it is so) */
int num_equal(const struct num *a, const struct num *b); /* as descriptions */
struct num num_join(const struct num *a, const struct num *b);
/* What is in both; 0 when nothing is (out is then not written). */
int num_meet(const struct num *a, const struct num *b, struct num *out);
/* Bounds that grew from old to next jump to the nearest of the n thresholds (ascending as u64) beyond, or to the end of
 * the range: so a chain of widenings is short. Contains both. */
struct num num_widen(const struct num *old, const struct num *next, const u64 *threshold, u32 n);

/* The instruction (ALU or ALU64 class, code and off as encoded; MOV with off 8, 16, 32 and END included: END's width in
 * bits is b's constant) on a and b; DIV and MOD by 0 as RFC 9669 has them; class ALU works on the low halves and
 * zero-extends. */
struct num num_alu(u8 code, s16 off, const struct num *a, const struct num *b);
/* Narrows a and b by what the conditional jump (JMP or JMP32 class) says of them when it is taken (or not); 0 when it
 * cannot go that way (a and b are then not changed). */
int num_branch(u8 code, int taken, struct num *a, struct num *b);

/* "7", "0..255", "-4..60 bits 0x3c" (bits: those that may be set, where ranges alone do not say it), "any"; returns bytes
 * as snprintf. */
u64 num_print(const struct num *a, char *out, u64 size);

#endif
