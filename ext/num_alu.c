/* SPDX-License-Identifier: MIT
 * Abstract numbers under the arithmetic instructions. Known bits, the range of the whole and that of the low half are
 * computed apart, then told of each other (num_normal). */
#include <num_in.h>

#define HALF_MASK num_mask(NUM_HALF)

/* What an operation at width w works on. */
struct operand {
	struct num_bits bits;
	struct num_range range;
};

static inline struct operand operand_full(const struct num *a)
{
	return (struct operand){num_bits_of(a), num_full(a)};
}

static inline struct operand operand_half(const struct num *a)
{
	return (struct operand){num_bits_zext(num_bits_of(a), NUM_HALF), num_half(a)};
}

/* The number whose low w bits are in bits and range, sign-extended (above w bits: zero if not sign). */
NUM_STEP struct num num_from(const struct num_bits *bits, const struct num_range *range, u32 w,
			     int sign)
{
	struct num out = num_any(), any = out;

	if (sign) {
		struct num_bits b = num_bits_sext(*bits, w);

		out.value = b.value;
		out.unknown = b.unknown;
		out.smin = range->smin;
		out.smax = range->smax;
	} else {
		struct num_bits b = num_bits_zext(*bits, w);

		out.value = b.value;
		out.unknown = b.unknown;
		out.umin = range->umin;
		out.umax = range->umax;
	}
	if (w == NUM_BITS)
		num_set_full(&out, range);
	if (w == NUM_HALF)
		num_set_half(&out, range);
	return num_normal(&out) ? out : any;
}

/* How far a shift at width w goes: the low bits of the count. */
static inline void count(const struct operand *b, u32 w, struct num_bits *bits, u32 *least,
			 u32 *most)
{
	*bits = num_bits_and(b->bits, (struct num_bits){w - 1, 0});
	*least = (u32)bits->value;
	*most = (u32)(bits->value | bits->unknown);
	if (b->range.umax < w) {
		*least = (u32)num_max(*least, b->range.umin);
		*most = (u32)num_min(*most, b->range.umax);
	}
	if (*least > *most) /* there is no such count */
		*least = *most;
}

NUM_STEP void num_shift(u32 op, const struct operand *a, const struct operand *b, u32 w,
			struct num_bits *bits, struct num_range *range)
{
	struct num_bits by, from = a->bits;
	u32 least, most;

	count(b, w, &by, &least, &most);
	if (op == EXT_LSH) {
		*bits = num_bits_lsh(from, by);
		num_range_lsh(range, &a->range, least, most, w);
	} else if (op == EXT_RSH) {
		*bits = num_bits_rsh(from, by);
		num_range_rsh(range, &a->range, least, most, w);
	} else {
		*bits = num_bits_arsh(w == NUM_BITS ? from : num_bits_sext(from, w), by);
		num_range_arsh(range, &a->range, least, most, w);
	}
}

/* a op b at width w: what range (any) becomes; bits above w are not meant. */
NUM_STEP void num_arith(u32 op, int sign, const struct operand *a, const struct operand *b, u32 w,
			struct num_bits *bits, struct num_range *range)
{
	const struct num_range zero = {0, 0, 0, 0}, *ra = &a->range, *rb = &b->range;

	*bits = (struct num_bits){0, num_mask(NUM_BITS)};
	switch (op) {
	case EXT_ADD:
		*bits = num_bits_add(a->bits, b->bits);
		num_range_add(range, ra, rb, w);
		break;
	case EXT_SUB:
		*bits = num_bits_sub(a->bits, b->bits);
		num_range_sub(range, ra, rb, w);
		break;
	case EXT_NEG:
		*bits = num_bits_sub((struct num_bits){0, 0}, a->bits);
		num_range_sub(range, &zero, ra, w);
		break;
	case EXT_MUL:
		*bits = num_bits_mul(a->bits, b->bits);
		num_range_mul(range, ra, rb, w);
		break;
	case EXT_AND:
		*bits = num_bits_and(a->bits, b->bits);
		num_range_and(range, ra, rb, w);
		break;
	case EXT_OR:
		*bits = num_bits_or(a->bits, b->bits);
		num_range_or(range, ra, rb, w);
		break;
	case EXT_XOR:
		*bits = num_bits_xor(a->bits, b->bits);
		num_range_xor(range, ra, rb, w);
		break;
	case EXT_LSH:
	case EXT_RSH:
	case EXT_ARSH:
		num_shift(op, a, b, w, bits, range);
		break;
	case EXT_DIV:
		if (sign)
			num_range_sdiv(range, ra, rb, w);
		else
			num_range_div(range, ra, rb, w);
		break;
	case EXT_MOD:
		if (sign)
			num_range_smod(range, ra, rb, w);
		else
			num_range_mod(range, ra, rb, w);
		break;
	default:
		break;
	}
}

/* The low half of the result is a function of the low halves. */
static inline int low_is_own(u32 op)
{
	return op == EXT_ADD || op == EXT_SUB || op == EXT_NEG || op == EXT_MUL || op == EXT_AND ||
	       op == EXT_OR || op == EXT_XOR;
}

/* A shift by half the width or more sees only the low half: so zero-extended and sign-extended numbers, too, give what
 * the number gives. */
NUM_STEP void num_lsh_low(struct num_range *range, const struct num *a, u32 by)
{
	struct num_range zero = num_range_any(NUM_BITS), sign = zero;

	zero.umin = a->u32min;
	zero.umax = a->u32max;
	sign.smin = a->s32min;
	sign.smax = a->s32max;
	num_range_lsh(range, &zero, by, by, NUM_BITS);
	num_range_lsh(range, &sign, by, by, NUM_BITS);
}

static struct num alu(u32 op, int sign, const struct num *a, const struct num *b)
{
	struct operand fa = operand_full(a), fb = operand_full(b);
	struct num_range range = num_range_any(NUM_BITS), half = num_range_any(NUM_HALF);
	struct num_bits bits, low;
	struct num out, any = num_any();

	num_arith(op, sign, &fa, &fb, NUM_BITS, &bits, &range);
	if (low_is_own(op)) {
		struct operand ha = operand_half(a), hb = operand_half(b);

		num_arith(op, sign, &ha, &hb, NUM_HALF, &low, &half);
	}
	if (op == EXT_LSH && fb.bits.unknown == 0 && (fb.bits.value & (NUM_BITS - 1)) >= NUM_HALF)
		num_lsh_low(&range, a, (u32)fb.bits.value & (NUM_BITS - 1));
	out.value = bits.value;
	out.unknown = bits.unknown;
	num_set_full(&out, &range);
	num_set_half(&out, &half);
	return num_normal(&out) ? out : any;
}

static struct num alu_half(u32 op, int sign, const struct num *a, const struct num *b)
{
	struct operand ha = operand_half(a), hb = operand_half(b);
	struct num_range range = num_range_any(NUM_HALF);
	struct num_bits bits;

	num_arith(op, sign, &ha, &hb, NUM_HALF, &bits, &range);
	return num_from(&bits, &range, NUM_HALF, 0);
}

/* The low w bits of a, zero- or sign-extended. */
NUM_STEP struct num num_extend(const struct num *a, u32 w, int sign)
{
	struct num_bits bits = num_bits_of(a);
	struct num_range range;

	num_low(a, w, &range);
	return num_from(&bits, &range, w, sign);
}

NUM_STEP struct num num_swap(const struct num *a, u32 w)
{
	struct num_bits bits = num_bits_swap(num_bits_of(a), w);
	struct num_range range = num_range_any(w);

	return num_from(&bits, &range, w, 0);
}

static struct num mov(u8 code, s16 off, const struct num *b)
{
	u32 w = (u32)(u16)off * NUM_BITS / 64;

	if (EXT_CLASS(code) == EXT_ALU64)
		return off ? num_extend(b, w, 1) : *b;
	if (off) {
		struct num wide = num_extend(b, w, 1);

		return num_extend(&wide, NUM_HALF, 0);
	}
	return num_extend(b, NUM_HALF, 0);
}

struct num num_alu(u8 code, s16 off, const struct num *a, const struct num *b)
{
	u32 op = EXT_OP(code);
	int full = EXT_CLASS(code) == EXT_ALU64;

	if (op == EXT_MOV && (off == 0 || off == 8 || off == 16 || (off == 32 && full)))
		return mov(code, off, b);
	if (op == EXT_END) {
		u32 w = (u32)b->umin * NUM_BITS / 64;

		if (b->umin != b->umax || (b->umin != 16 && b->umin != 32 && b->umin != 64))
			return num_any();
		if (!full && !(code & EXT_X)) /* to little endian: what the machine has */
			return num_extend(a, w, 0);
		return num_swap(a, w);
	}
	return full ? alu(op, off == 1, a, b) : alu_half(op, off == 1, a, b);
}
