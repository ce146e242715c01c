/* SPDX-License-Identifier: MIT
 * Abstract numbers: making, comparing, joining; and the normal form, where each description of a number has been told
 * what the others know (as far as a fixed number of rounds goes: what is not deduced is imprecise, never wrong). */
#include <num_in.h>

#define ALL num_mask(NUM_BITS)
#define ROUNDS 2

struct num num_const(u64 x)
{
	u64 low = x & num_mask(NUM_HALF);

	x &= ALL;
	return (struct num){.value = x,
			    .umin = x,
			    .umax = x,
			    .smin = num_sext(x, NUM_BITS),
			    .smax = num_sext(x, NUM_BITS),
			    .u32min = (u32)low,
			    .u32max = (u32)low,
			    .s32min = (s32)num_sext(low, NUM_HALF),
			    .s32max = (s32)num_sext(low, NUM_HALF)};
}

struct num num_any(void)
{
	struct num_range full = num_range_any(NUM_BITS), half = num_range_any(NUM_HALF);
	struct num a = {.unknown = ALL};

	num_set_full(&a, &full);
	num_set_half(&a, &half);
	return a;
}

struct num num_unsigned(u64 least, u64 most)
{
	struct num a = num_any();

	a.umin = least & ALL;
	a.umax = most & ALL;
	return num_normal(&a) ? a : num_any();
}

struct num num_signed(s64 least, s64 most)
{
	struct num a = num_any();

	a.smin = num_smax(a.smin, least);
	a.smax = num_smin(a.smax, most);
	return num_normal(&a) ? a : num_any();
}

struct num num_bytes(u32 bytes)
{
	return num_unsigned(0, num_mask(bytes * NUM_BITS / 8));
}

NUM_STEP int num_contains(const struct num *a, u64 x)
{
	u64 low = x & num_mask(NUM_HALF);
	s64 s = num_sext(x, NUM_BITS), slow = num_sext(low, NUM_HALF);

	if ((x & ~a->unknown) != a->value)
		return 0;
	return x >= a->umin && x <= a->umax && s >= a->smin && s <= a->smax && low >= a->u32min &&
	       low <= a->u32max && slow >= a->s32min && slow <= a->s32max;
}

int num_within(const struct num *a, const struct num *b)
{
	if ((a->unknown & ~b->unknown) || (a->value & ~b->unknown) != b->value)
		return 0;
	return a->umin >= b->umin && a->umax <= b->umax && a->smin >= b->smin &&
	       a->smax <= b->smax && a->u32min >= b->u32min && a->u32max <= b->u32max &&
	       a->s32min >= b->s32min && a->s32max <= b->s32max;
}

int num_equal(const struct num *a, const struct num *b)
{
	return num_within(a, b) && num_within(b, a);
}

/* --- the normal form: each step leaves every x of a, or returns 0 when it sees that there is none */

/* Halves of the whole: what the ranges say of the low w bits. */
static inline void cut(const struct num *a, u32 w, struct num_range *r)
{
	if (a->umax - a->umin <= num_mask(w))
		num_range_arc(r, a->umin, a->umax - a->umin, w);
	if ((u64)a->smax - (u64)a->smin <= num_mask(w))
		num_range_arc(r, (u64)a->smin, (u64)a->smax - (u64)a->smin, w);
}

NUM_STEP int num_normal_cut(struct num *a)
{
	struct num_range half = num_half(a);

	cut(a, NUM_HALF, &half);
	num_set_half(a, &half);
	return 1;
}

/* The least y >= x whose low half lies in the ranges of half; 0 when that passes 2^64. */
static inline int lift_up(u64 x, const struct num *a, u64 *y)
{
	u64 m = num_mask(NUM_HALF), low = x & m, high = x & ~m;
	u64 negative = (u64)a->s32min & m;

	if (low > a->u32max) {
		*y = high + m + 1 + a->u32min;
		return *y > x;
	}
	if (low < a->u32min)
		*y = high + a->u32min;
	else if (a->s32min < 0 && a->s32max >= 0 && low > (u64)a->s32max && low < negative)
		*y = high + negative;
	else
		*y = x;
	return 1;
}

/* The greatest y <= x whose low half lies there; 0 when that passes 0. */
static inline int lift_down(u64 x, const struct num *a, u64 *y)
{
	u64 m = num_mask(NUM_HALF), low = x & m, high = x & ~m;
	u64 negative = (u64)a->s32min & m;

	if (low < a->u32min) {
		*y = high - m - 1 + a->u32max;
		return *y < x;
	}
	if (low > a->u32max)
		*y = high + a->u32max;
	else if (a->s32min < 0 && a->s32max >= 0 && low > (u64)a->s32max && low < negative)
		*y = high + (u64)a->s32max;
	else
		*y = x;
	return 1;
}

/* The whole's ranges end where the low half may be. */
NUM_STEP int num_normal_lift(struct num *a)
{
	u64 sign = ALL ^ ALL >> 1, umin, umax, smin, smax;

	if (!lift_up(a->umin, a, &umin) || !lift_down(a->umax, a, &umax))
		return 0;
	/* Signed numbers in their order: the sign bit inverted. It is not of the low half. */
	if (!lift_up(((u64)a->smin & ALL) ^ sign, a, &smin) ||
	    !lift_down(((u64)a->smax & ALL) ^ sign, a, &smax))
		return 0;
	if (umin > ALL || umax > ALL || smin > ALL || smax > ALL)
		return 0;
	a->umin = umin;
	a->umax = umax;
	a->smin = num_sext(smin ^ sign, NUM_BITS);
	a->smax = num_sext(smax ^ sign, NUM_BITS);
	return 1;
}

/* Bits above the highest in which the ends of a range differ are known. */
NUM_STEP int num_normal_prefix(struct num *a)
{
	struct num_bits bits = num_bits_of(a);
	u64 differ = num_smear(a->umin ^ a->umax);
	u64 high = ALL & ~num_mask(NUM_HALF);

	if (!num_bits_meet(&bits, (struct num_bits){a->umin & ~differ, differ}))
		return 0;
	differ = num_smear(a->u32min ^ a->u32max);
	if (!num_bits_meet(&bits, (struct num_bits){a->u32min & ~differ, differ | high}))
		return 0;
	a->value = bits.value;
	a->unknown = bits.unknown;
	return 1;
}

/* Ranges end at numbers that have the known bits. */
NUM_STEP int num_normal_known(struct num *a)
{
	struct num_bits bits = num_bits_of(a);
	struct num_range full = num_full(a), half = num_half(a);

	if (!num_range_known(&full, &bits, NUM_BITS) || !num_range_known(&half, &bits, NUM_HALF))
		return 0;
	num_set_full(a, &full);
	num_set_half(a, &half);
	return 1;
}

/* Unsigned and signed agree. */
NUM_STEP int num_normal_agree(struct num *a)
{
	struct num_range full = num_full(a), half = num_half(a);

	if (!num_range_agree(&full, NUM_BITS) || !num_range_agree(&half, NUM_HALF))
		return 0;
	num_set_full(a, &full);
	num_set_half(a, &half);
	return 1;
}

NUM_STEP int num_normal(struct num *a)
{
	if (a->umin == a->umax) {
		u64 x = a->umin;

		if (!num_contains(a, x))
			return 0;
		*a = num_const(x);
		return 1;
	}
	for (u32 i = 0; i < ROUNDS; i++) {
		if (!num_normal_agree(a))
			return 0;
		if (!num_normal_cut(a) || !num_normal_agree(a) || !num_normal_lift(a))
			return 0;
		if (!num_normal_prefix(a) || !num_normal_known(a))
			return 0;
	}
	return num_normal_agree(a);
}

NUM_STEP void num_low(const struct num *a, u32 w, struct num_range *out)
{
	struct num_range r = num_range_any(w);
	struct num_bits bits = num_bits_of(a);

	cut(a, w, &r);
	if (w <= NUM_HALF) {
		struct num half = {
			.umin = a->u32min, .umax = a->u32max, .smin = a->s32min, .smax = a->s32max};

		cut(&half, w, &r);
	}
	*out = num_range_known(&r, &bits, w) && num_range_agree(&r, w) ? r : num_range_any(w);
}

/* --- several */

/* What is in either, each description by itself. */
NUM_STEP struct num num_hull(const struct num *a, const struct num *b)
{
	struct num_bits bits = num_bits_join(num_bits_of(a), num_bits_of(b));

	return (struct num){.value = bits.value,
			    .unknown = bits.unknown,
			    .umin = num_min(a->umin, b->umin),
			    .umax = num_max(a->umax, b->umax),
			    .smin = num_smin(a->smin, b->smin),
			    .smax = num_smax(a->smax, b->smax),
			    .u32min = a->u32min < b->u32min ? a->u32min : b->u32min,
			    .u32max = a->u32max > b->u32max ? a->u32max : b->u32max,
			    .s32min = a->s32min < b->s32min ? a->s32min : b->s32min,
			    .s32max = a->s32max > b->s32max ? a->s32max : b->s32max};
}

struct num num_join(const struct num *a, const struct num *b)
{
	struct num out = num_hull(a, b), hull = out;

	return num_normal(&out) ? out : hull;
}

int num_meet(const struct num *a, const struct num *b, struct num *out)
{
	struct num_bits bits = num_bits_of(a);
	struct num_range full = num_full(a), half = num_half(a), full_b = num_full(b),
			 half_b = num_half(b);
	struct num both;

	if (!num_bits_meet(&bits, num_bits_of(b)))
		return 0;
	if (!num_range_meet(&full, &full_b) || !num_range_meet(&half, &half_b))
		return 0;
	both.value = bits.value;
	both.unknown = bits.unknown;
	num_set_full(&both, &full);
	num_set_half(&both, &half);
	if (!num_normal(&both))
		return 0;
	*out = both;
	return 1;
}

/* One threshold for the widened w: bounds that grew (from old to w's hull) and lie inside t's go there. w's bounds that
 * grew begin at the range's ends, and come back to the nearest threshold that still contains hull's. */
NUM_STEP void num_widen_step(struct num *w, const struct num *hull, u64 t)
{
	s64 s = num_sext(t, NUM_BITS);

	if (t >= hull->umax && t < w->umax)
		w->umax = t;
	if (t <= hull->umin && t > w->umin)
		w->umin = t;
	if (s >= hull->smax && s < w->smax)
		w->smax = s;
	if (s <= hull->smin && s > w->smin)
		w->smin = s;
	if (t >= hull->u32max && t < w->u32max)
		w->u32max = (u32)t;
	if (t <= hull->u32min && t > w->u32min)
		w->u32min = (u32)t;
	if (s >= hull->s32max && s < w->s32max)
		w->s32max = (s32)s;
	if (s <= hull->s32min && s > w->s32min)
		w->s32min = (s32)s;
}

struct num num_widen(const struct num *old, const struct num *next, const u64 *threshold, u32 n)
{
	struct num hull = num_hull(old, next), any = num_any(), w = any, kept;
	u64 grown;

	for (u32 i = 0; i < n; i++)
		num_widen_step(&w, &hull, threshold[i] & ALL);
	/* What did not grow stays. */
	w.umin = hull.umin == old->umin ? hull.umin : w.umin;
	w.umax = hull.umax == old->umax ? hull.umax : w.umax;
	w.smin = hull.smin == old->smin ? hull.smin : w.smin;
	w.smax = hull.smax == old->smax ? hull.smax : w.smax;
	w.u32min = hull.u32min == old->u32min ? hull.u32min : w.u32min;
	w.u32max = hull.u32max == old->u32max ? hull.u32max : w.u32max;
	w.s32min = hull.s32min == old->s32min ? hull.s32min : w.s32min;
	w.s32max = hull.s32max == old->s32max ? hull.s32max : w.s32max;
	/* A bit that became unknown makes all above it unknown: a counter takes one step, not one for each bit. */
	grown = hull.unknown & ~old->unknown;
	w.unknown = (hull.unknown | (grown ? -(grown & -grown) : 0)) & ALL;
	w.value = hull.value & ~w.unknown;
	kept = w;
	return num_normal(&w) ? w : kept;
}
