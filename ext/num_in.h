/* SPDX-License-Identifier: MIT
 * The parts that an abstract number is computed from: known bits, and ranges at a width of w bits (NUM_BITS, NUM_HALF or
 * fewer). Functions here are small and not inlined, because each is proved alone (tools/prove): a caller's proof uses
 * what was proved of them. In what is said of them, x and y are concrete values of a and b, taken modulo 2^w. */
#ifndef EXT_NUM_IN_H
#define EXT_NUM_IN_H

#include <num.h>

#define NUM_STEP __attribute__((noinline))
/* Steps are seen from outside, by their proofs alone: no header says what they are. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

struct num_bits {
	u64 value, unknown;
};
/* 0 <= umin, umax < 2^w; smin and smax are sign-extended from w bits. */
struct num_range {
	u64 umin, umax;
	s64 smin, smax;
};

static inline u64 num_mask(u32 w)
{
	return ~0ul >> (64 - w);
}

static inline s64 num_sext(u64 x, u32 w)
{
	return (s64)(x << (64 - w)) >> (64 - w);
}

/* All bits below and at the highest that is set. */
static inline u64 num_smear(u64 x)
{
	x |= x >> 1;
	x |= x >> 2;
	x |= x >> 4;
	x |= x >> 8;
	x |= x >> 16;
	return x | x >> 32;
}

static inline u64 num_min(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 num_max(u64 a, u64 b)
{
	return a > b ? a : b;
}

static inline s64 num_smin(s64 a, s64 b)
{
	return a < b ? a : b;
}

static inline s64 num_smax(s64 a, s64 b)
{
	return a > b ? a : b;
}

static inline struct num_bits num_bits_of(const struct num *a)
{
	return (struct num_bits){a->value, a->unknown};
}

static inline struct num_range num_full(const struct num *a)
{
	return (struct num_range){a->umin, a->umax, a->smin, a->smax};
}

static inline struct num_range num_half(const struct num *a)
{
	return (struct num_range){a->u32min, a->u32max, a->s32min, a->s32max};
}

static inline void num_set_full(struct num *a, const struct num_range *r)
{
	a->umin = r->umin, a->umax = r->umax;
	a->smin = r->smin, a->smax = r->smax;
}

static inline void num_set_half(struct num *a, const struct num_range *r)
{
	a->u32min = (u32)r->umin, a->u32max = (u32)r->umax;
	a->s32min = (s32)r->smin, a->s32max = (s32)r->smax;
}

static inline struct num_range num_range_any(u32 w)
{
	u64 m = num_mask(w);

	return (struct num_range){0, m, num_sext(m ^ m >> 1, w), (s64)(m >> 1)};
}

/* Nothing outside least..most. */
static inline void num_bound(struct num_range *r, u64 least, u64 most)
{
	r->umin = num_max(r->umin, least);
	r->umax = num_min(r->umax, most);
}

static inline void num_bound_signed(struct num_range *r, s64 least, s64 most)
{
	r->smin = num_smax(r->smin, least);
	r->smax = num_smin(r->smax, most);
}

/* num.c: steps that narrow a without losing any x; 0: there is none */
int num_normal(struct num *a);
/* What lies in the low w bits of a. Total: where a is empty, any. */
void num_low(const struct num *a, u32 w, struct num_range *out);

/* num_range.c: narrowing */
int num_range_agree(struct num_range *r, u32 w);
int num_range_known(struct num_range *r, const struct num_bits *bits, u32 w);
/* x lies on the arc that goes len upward from start, modulo 2^w. */
void num_range_arc(struct num_range *r, u64 start, u64 len, u32 w);
int num_range_meet(struct num_range *r, const struct num_range *b);

/* num_range.c: r, which contains every x, is narrowed by what the operation's result can be */
void num_range_add(struct num_range *r, const struct num_range *a, const struct num_range *b,
		   u32 w);
void num_range_sub(struct num_range *r, const struct num_range *a, const struct num_range *b,
		   u32 w);
void num_range_mul(struct num_range *r, const struct num_range *a, const struct num_range *b,
		   u32 w);
void num_range_and(struct num_range *r, const struct num_range *a, const struct num_range *b,
		   u32 w);
void num_range_or(struct num_range *r, const struct num_range *a, const struct num_range *b, u32 w);
void num_range_xor(struct num_range *r, const struct num_range *a, const struct num_range *b,
		   u32 w);
/* By least..most positions, most < w. */
void num_range_lsh(struct num_range *r, const struct num_range *a, u32 least, u32 most, u32 w);
void num_range_rsh(struct num_range *r, const struct num_range *a, u32 least, u32 most, u32 w);
void num_range_arsh(struct num_range *r, const struct num_range *a, u32 least, u32 most, u32 w);
void num_range_div(struct num_range *r, const struct num_range *a, const struct num_range *b,
		   u32 w);
void num_range_mod(struct num_range *r, const struct num_range *a, const struct num_range *b,
		   u32 w);
void num_range_sdiv(struct num_range *r, const struct num_range *a, const struct num_range *b,
		    u32 w);
void num_range_smod(struct num_range *r, const struct num_range *a, const struct num_range *b,
		    u32 w);

/* num_bits.c: at NUM_BITS, whatever lies above may be cut off */
struct num_bits num_bits_join(struct num_bits a, struct num_bits b);
int num_bits_meet(struct num_bits *a, struct num_bits b);
struct num_bits num_bits_add(struct num_bits a, struct num_bits b);
struct num_bits num_bits_sub(struct num_bits a, struct num_bits b);
struct num_bits num_bits_mul(struct num_bits a, struct num_bits b);
struct num_bits num_bits_and(struct num_bits a, struct num_bits b);
struct num_bits num_bits_or(struct num_bits a, struct num_bits b);
struct num_bits num_bits_xor(struct num_bits a, struct num_bits b);
/* By as many positions as the low bits of b say (of NUM_BITS). */
struct num_bits num_bits_lsh(struct num_bits a, struct num_bits b);
struct num_bits num_bits_rsh(struct num_bits a, struct num_bits b);
struct num_bits num_bits_arsh(struct num_bits a, struct num_bits b);
struct num_bits num_bits_sext(struct num_bits a, u32 w);
struct num_bits num_bits_zext(struct num_bits a, u32 w);
/* Bytes of the low w bits in reverse order; the rest 0. */
struct num_bits num_bits_swap(struct num_bits a, u32 w);
/* The least (most) y >= x (y <= x) of these bits; 0: there is none. */
int num_bits_up(const struct num_bits *a, u64 x, u64 *y);
int num_bits_down(const struct num_bits *a, u64 x, u64 *y);

#endif
