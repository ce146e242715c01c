/* SPDX-License-Identifier: MIT
 * Ranges of w-bit values, unsigned and signed side by side: narrowing, sums, bitwise operations, shifts. */
#include <num_in.h>

NUM_STEP int num_range_agree(struct num_range *r, u32 w)
{
	/* As unsigned numbers: the part from 0 to top, then the negative one. */
	u64 m = num_mask(w), top = m >> 1;
	u64 p0 = num_max(r->umin, r->smin > 0 ? (u64)r->smin : 0);
	u64 p1 = num_min(r->umax, r->smax < 0 ? 0 : (u64)r->smax);
	u64 n0 = num_max(r->umin, r->smin < 0 ? (u64)r->smin & m : top + 1);
	u64 n1 = num_min(r->umax, r->smax < 0 ? (u64)r->smax & m : m);
	int p = r->smax >= 0 && p0 <= p1;
	int n = r->smin < 0 && n0 <= n1;

	if (!p && !n)
		return 0;
	r->umin = p ? p0 : n0;
	r->umax = n ? n1 : p1;
	r->smin = num_sext(n ? n0 : p0, w);
	r->smax = num_sext(p ? p1 : n1, w);
	return 1;
}

NUM_STEP int num_range_known(struct num_range *r, const struct num_bits *bits, u32 w)
{
	struct num_bits b = num_bits_zext(*bits, w);
	u64 sign = num_mask(w) ^ num_mask(w) >> 1, least, most;

	if (!num_bits_up(&b, r->umin, &least))
		return 0;
	if (!num_bits_down(&b, r->umax, &most))
		return 0;
	r->umin = least;
	r->umax = most;
	/* Signed numbers in their order are unsigned ones with the sign bit inverted. */
	b.value ^= sign & ~b.unknown;
	if (!num_bits_up(&b, ((u64)r->smin & num_mask(w)) ^ sign, &least))
		return 0;
	if (!num_bits_down(&b, ((u64)r->smax & num_mask(w)) ^ sign, &most))
		return 0;
	r->smin = num_sext(least ^ sign, w);
	r->smax = num_sext(most ^ sign, w);
	return 1;
}

NUM_STEP void num_range_arc(struct num_range *r, u64 start, u64 len, u32 w)
{
	u64 lo = start & num_mask(w), hi = (start + len) & num_mask(w);
	s64 slo = num_sext(lo, w), shi = num_sext(hi, w);

	/* Where the arc passes the range's end it is the range without a gap, which matters if a bound lies in it. */
	if (lo <= hi || (r->umin > hi && r->umin < lo))
		r->umin = num_max(r->umin, lo);
	if (lo <= hi || (r->umax > hi && r->umax < lo))
		r->umax = num_min(r->umax, hi);
	if (slo <= shi || (r->smin > shi && r->smin < slo))
		r->smin = num_smax(r->smin, slo);
	if (slo <= shi || (r->smax > shi && r->smax < slo))
		r->smax = num_smin(r->smax, shi);
}

NUM_STEP int num_range_meet(struct num_range *r, const struct num_range *b)
{
	r->umin = num_max(r->umin, b->umin);
	r->umax = num_min(r->umax, b->umax);
	r->smin = num_smax(r->smin, b->smin);
	r->smax = num_smin(r->smax, b->smax);
	return r->umin <= r->umax && r->smin <= r->smax;
}

static inline u64 ulen(const struct num_range *a)
{
	return a->umax - a->umin;
}

static inline u64 slen(const struct num_range *a)
{
	return (u64)a->smax - (u64)a->smin;
}

/* A sum of two arcs is an arc, unless it goes all around. */
NUM_STEP void num_range_add(struct num_range *r, const struct num_range *a,
			    const struct num_range *b, u32 w)
{
	if (ulen(a) <= num_mask(w) - ulen(b))
		num_range_arc(r, a->umin + b->umin, ulen(a) + ulen(b), w);
	if (slen(a) <= num_mask(w) - slen(b))
		num_range_arc(r, (u64)a->smin + (u64)b->smin, slen(a) + slen(b), w);
}

NUM_STEP void num_range_sub(struct num_range *r, const struct num_range *a,
			    const struct num_range *b, u32 w)
{
	if (ulen(a) <= num_mask(w) - ulen(b))
		num_range_arc(r, a->umin - b->umax, ulen(a) + ulen(b), w);
	if (slen(a) <= num_mask(w) - slen(b))
		num_range_arc(r, (u64)a->smin - (u64)b->smax, slen(a) + slen(b), w);
}

/* k such that every x of a has -k-1 <= x <= k, k + 1 a power of 2 */
static inline u64 magnitude(const struct num_range *a)
{
	return num_smear((u64)(a->smin ^ a->smin >> 63) | (u64)(a->smax ^ a->smax >> 63));
}

NUM_STEP void num_range_and(struct num_range *r, const struct num_range *a,
			    const struct num_range *b, u32 w)
{
	s64 k = (s64)(magnitude(a) | magnitude(b));

	(void)w;
	num_bound(r, 0, num_min(a->umax, b->umax));
	/* Not negative if one is not, and then not above that one. */
	if (a->smin >= 0)
		num_bound_signed(r, 0, a->smax);
	if (b->smin >= 0)
		num_bound_signed(r, 0, b->smax);
	if (a->smin < 0 && b->smin < 0)
		num_bound_signed(r, ~k, num_smax(a->smax, b->smax));
}

NUM_STEP void num_range_or(struct num_range *r, const struct num_range *a,
			   const struct num_range *b, u32 w)
{
	u64 most = num_smear(a->umax | b->umax);
	s64 k = (s64)(magnitude(a) | magnitude(b));

	if (a->umax <= num_mask(w) - b->umax)
		most = num_min(most, a->umax + b->umax);
	num_bound(r, num_max(a->umin, b->umin), most);
	/* Negative if one is, and then not below that one. */
	if (a->smax < 0)
		num_bound_signed(r, a->smin, -1);
	if (b->smax < 0)
		num_bound_signed(r, b->smin, -1);
	if (a->smax >= 0 && b->smax >= 0)
		num_bound_signed(r, num_smin(a->smin, b->smin), k);
}

NUM_STEP void num_range_xor(struct num_range *r, const struct num_range *a,
			    const struct num_range *b, u32 w)
{
	u64 most = num_smear(a->umax | b->umax);
	s64 k = (s64)(magnitude(a) | magnitude(b));

	if (a->umax <= num_mask(w) - b->umax)
		most = num_min(most, a->umax + b->umax);
	num_bound(r, 0, most);
	num_bound_signed(r, ~k, k);
}

NUM_STEP void num_range_lsh(struct num_range *r, const struct num_range *a, u32 least, u32 most,
			    u32 w)
{
	if (a->umax <= num_mask(w) >> most)
		num_bound(r, a->umin << least, a->umax << most);
	if (num_sext((u64)a->smin << most, w) >> most == a->smin &&
	    num_sext((u64)a->smax << most, w) >> most == a->smax)
		num_bound_signed(r, (s64)((u64)a->smin << (a->smin < 0 ? most : least)),
				 (s64)((u64)a->smax << (a->smax < 0 ? least : most)));
}

NUM_STEP void num_range_rsh(struct num_range *r, const struct num_range *a, u32 least, u32 most,
			    u32 w)
{
	(void)w;
	num_bound(r, a->umin >> most, a->umax >> least);
}

NUM_STEP void num_range_arsh(struct num_range *r, const struct num_range *a, u32 least, u32 most,
			     u32 w)
{
	(void)w;
	num_bound_signed(r, a->smin >> (a->smin < 0 ? least : most),
			 a->smax >> (a->smax < 0 ? most : least));
}
