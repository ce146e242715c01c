/* SPDX-License-Identifier: MIT
 * Ranges of products, quotients and remainders. A product or quotient lies between those of the operands' ends (for
 * quotients: where the divisor keeps its sign), because each is monotone in each operand.
 * Division by 0 gives 0, the remainder of it the dividend; the least number divided by -1 gives itself. */
#include <num_in.h>

static inline s64 least4(const s64 p[4])
{
	return num_smin(num_smin(p[0], p[1]), num_smin(p[2], p[3]));
}

static inline s64 most4(const s64 p[4])
{
	return num_smax(num_smax(p[0], p[1]), num_smax(p[2], p[3]));
}

NUM_STEP void num_range_mul(struct num_range *r, const struct num_range *a,
			    const struct num_range *b, u32 w)
{
	u64 most;
	s64 p[4];
	int over;

	if (!__builtin_mul_overflow(a->umax, b->umax, &most) && most <= num_mask(w))
		num_bound(r, a->umin * b->umin, most);
	over = __builtin_mul_overflow(a->smin, b->smin, &p[0]);
	over |= __builtin_mul_overflow(a->smin, b->smax, &p[1]);
	over |= __builtin_mul_overflow(a->smax, b->smin, &p[2]);
	over |= __builtin_mul_overflow(a->smax, b->smax, &p[3]);
	if (over)
		return;
	if (least4(p) == num_sext((u64)least4(p), w) && most4(p) == num_sext((u64)most4(p), w))
		num_bound_signed(r, least4(p), most4(p));
}

NUM_STEP void num_range_div(struct num_range *r, const struct num_range *a,
			    const struct num_range *b, u32 w)
{
	(void)w;
	if (!b->umax)
		num_bound(r, 0, 0);
	else if (!b->umin)
		num_bound(r, 0, a->umax);
	else
		num_bound(r, a->umin / b->umax, a->umax / b->umin);
}

NUM_STEP void num_range_mod(struct num_range *r, const struct num_range *a,
			    const struct num_range *b, u32 w)
{
	(void)w;
	if (a->umax < b->umin || !b->umax) {
		num_bound(r, a->umin, a->umax); /* the dividend itself */
		return;
	}
	num_bound(r, 0, a->umax);
	if (!b->umin)
		return;
	num_bound(r, 0, b->umax - 1);
	if (b->umin == b->umax && a->umin / b->umin == a->umax / b->umin)
		num_bound(r, a->umin % b->umin, a->umax % b->umin);
}

NUM_STEP void num_range_sdiv(struct num_range *r, const struct num_range *a,
			     const struct num_range *b, u32 w)
{
	s64 least = 0, most = 0, q[4], end = num_range_any(w).smin;
	int any = b->umin == 0; /* 0 is among the results */

	if (a->smin > a->smax || b->smin > b->smax) /* empty: so nothing below can trap */
		return;
	if (a->smin <= end && b->smin <= -1 && b->smax >= -1) {
		if (a->smax == end && b->smin == b->smax)
			num_bound_signed(r, end, end);
		return;
	}
	if (b->smin < 0) {
		s64 near = num_smin(b->smax, -1);

		q[0] = a->smin / b->smin;
		q[1] = a->smin / near;
		q[2] = a->smax / b->smin;
		q[3] = a->smax / near;
		least = any ? num_smin(least, least4(q)) : least4(q);
		most = any ? num_smax(most, most4(q)) : most4(q);
		any = 1;
	}
	if (b->smax > 0) {
		s64 near = num_smax(b->smin, 1);

		q[0] = a->smin / b->smax;
		q[1] = a->smin / near;
		q[2] = a->smax / b->smax;
		q[3] = a->smax / near;
		least = any ? num_smin(least, least4(q)) : least4(q);
		most = any ? num_smax(most, most4(q)) : most4(q);
		any = 1;
	}
	if (any)
		num_bound_signed(r, least, most);
}

/* Of a number from -2^(w-1) to 2^(w-1)-1. */
static inline u64 absolute(s64 x)
{
	return x < 0 ? -(u64)x : (u64)x;
}

NUM_STEP void num_range_smod(struct num_range *r, const struct num_range *a,
			     const struct num_range *b, u32 w)
{
	u64 most = num_max(absolute(b->smin), absolute(b->smax)); /* of the divisor's magnitude */

	(void)w;
	/* The sign of the dividend, and not farther from 0. */
	num_bound_signed(r, num_smin(a->smin, 0), num_smax(a->smax, 0));
	if (!b->umax)
		num_bound_signed(r, a->smin, a->smax); /* the dividend itself */
	if (!b->umin)
		return;
	/* Less than the divisor. */
	num_bound_signed(r, -(s64)(most - 1), (s64)(most - 1));
	/* Where all have one quotient, remainders grow with dividends. */
	if (b->smin == b->smax && most > 1 && a->smin / b->smin == a->smax / b->smin)
		num_bound_signed(r, a->smin % b->smin, a->smax % b->smin);
}
