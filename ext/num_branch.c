/* SPDX-License-Identifier: MIT
 * What a conditional jump says of its operands. */
#include <num_in.h>

/* One side of the comparison, at the width of the comparison. */
struct side {
	struct num_bits bits;
	struct num_range r;
};

NUM_STEP int num_side_equal(struct side *a, struct side *b)
{
	if (!num_bits_meet(&a->bits, b->bits))
		return 0;
	if (!num_range_meet(&a->r, &b->r))
		return 0;
	*b = *a;
	return 1;
}

/* x != c: a bound that is c moves. */
static inline int trim(struct num_range *r, u64 c, s64 sc)
{
	if (r->umin == r->umax)
		return r->umin != c;
	if (r->smin == r->smax)
		return r->smin != sc;
	if (r->umin == c)
		r->umin++;
	if (r->umax == c)
		r->umax--;
	if (r->smin == sc)
		r->smin++;
	if (r->smax == sc)
		r->smax--;
	return 1;
}

NUM_STEP int num_side_differ(struct side *a, struct side *b)
{
	struct num_range ra = a->r;

	if (b->r.umin == b->r.umax && b->r.smin == b->r.smax && !trim(&a->r, b->r.umin, b->r.smin))
		return 0;
	if (ra.umin == ra.umax && ra.smin == ra.smax && !trim(&b->r, ra.umin, ra.smin))
		return 0;
	return 1;
}

/* x < y (strict) or x <= y */
NUM_STEP int num_side_below(struct side *a, struct side *b, u64 strict)
{
	if (b->r.umax < strict || a->r.umin > b->r.umax - strict)
		return 0;
	a->r.umax = num_min(a->r.umax, b->r.umax - strict);
	b->r.umin = num_max(b->r.umin, a->r.umin + strict);
	return 1;
}

NUM_STEP int num_side_less(struct side *a, struct side *b, s64 strict)
{
	if (a->r.smin > b->r.smax || (strict && a->r.smin == b->r.smax))
		return 0;
	a->r.smax = num_smin(a->r.smax, b->r.smax - strict);
	b->r.smin = num_smax(b->r.smin, a->r.smin + strict);
	return 1;
}

/* x & y != 0 */
NUM_STEP int num_side_set(struct side *a, struct side *b)
{
	u64 may = (a->bits.value | a->bits.unknown) & (b->bits.value | b->bits.unknown);
	u64 lowest = may & -may;

	if (!may)
		return 0;
	if (may == lowest) { /* it is that bit */
		a->bits.unknown &= ~may;
		a->bits.value |= may;
		b->bits.unknown &= ~may;
		b->bits.value |= may;
	}
	a->r.umin = num_max(a->r.umin, lowest);
	b->r.umin = num_max(b->r.umin, lowest);
	return 1;
}

/* x & y == 0 */
NUM_STEP int num_side_clear(struct side *a, struct side *b)
{
	if (a->bits.value & b->bits.value)
		return 0;
	a->bits.unknown &= ~b->bits.value;
	b->bits.unknown &= ~a->bits.value;
	return 1;
}

static int compare(u32 op, int taken, struct side *a, struct side *b)
{
	switch (op) {
	case EXT_JEQ:
		return taken ? num_side_equal(a, b) : num_side_differ(a, b);
	case EXT_JNE:
		return taken ? num_side_differ(a, b) : num_side_equal(a, b);
	case EXT_JGT:
		return taken ? num_side_below(b, a, 1) : num_side_below(a, b, 0);
	case EXT_JGE:
		return taken ? num_side_below(b, a, 0) : num_side_below(a, b, 1);
	case EXT_JLT:
		return taken ? num_side_below(a, b, 1) : num_side_below(b, a, 0);
	case EXT_JLE:
		return taken ? num_side_below(a, b, 0) : num_side_below(b, a, 1);
	case EXT_JSGT:
		return taken ? num_side_less(b, a, 1) : num_side_less(a, b, 0);
	case EXT_JSGE:
		return taken ? num_side_less(b, a, 0) : num_side_less(a, b, 1);
	case EXT_JSLT:
		return taken ? num_side_less(a, b, 1) : num_side_less(b, a, 0);
	case EXT_JSLE:
		return taken ? num_side_less(a, b, 0) : num_side_less(b, a, 1);
	case EXT_JSET:
		return taken ? num_side_set(a, b) : num_side_clear(a, b);
	default:
		return 1;
	}
}

static inline struct side side(const struct num *a, int full)
{
	if (full)
		return (struct side){num_bits_of(a), num_full(a)};
	return (struct side){num_bits_zext(num_bits_of(a), NUM_HALF), num_half(a)};
}

/* a, with what is now known of its compared part. */
NUM_STEP int num_side_put(struct num *a, const struct side *s, int full)
{
	u64 high = num_mask(NUM_BITS) & ~num_mask(NUM_HALF);
	struct num_bits bits = s->bits;

	if (full)
		num_set_full(a, &s->r);
	else {
		num_set_half(a, &s->r);
		bits.value = (bits.value & ~high) | (a->value & high);
		bits.unknown = (bits.unknown & ~high) | (a->unknown & high);
	}
	a->value = bits.value;
	a->unknown = bits.unknown;
	return num_normal(a);
}

int num_branch(u8 code, int taken, struct num *a, struct num *b)
{
	int full = EXT_CLASS(code) == EXT_JMP;
	struct side sa = side(a, full), sb = side(b, full);
	struct num na = *a, nb = *b;

	if (!compare(EXT_OP(code), taken, &sa, &sb))
		return 0;
	if (!num_side_put(&na, &sa, full) || !num_side_put(&nb, &sb, full))
		return 0;
	*a = na;
	*b = nb;
	return 1;
}
