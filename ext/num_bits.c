/* SPDX-License-Identifier: MIT
 * Known bits. An abstract operation on them costs a few machine operations; multiplication costs one step for each bit
 * of the first operand up to its highest that may be set.
 * Sources: Vishwanathan, Shachnai, Narayana, Nagarakatte, "Sound, precise, and fast abstract interpretation with tristate
 * numbers" (CGO 2022) for what add, subtract and multiply should be. */
#include <num_in.h>

#define ALL num_mask(NUM_BITS)

NUM_STEP struct num_bits num_bits_join(struct num_bits a, struct num_bits b)
{
	u64 unknown = a.unknown | b.unknown | (a.value ^ b.value);

	return (struct num_bits){a.value & ~unknown, unknown};
}

NUM_STEP int num_bits_meet(struct num_bits *a, struct num_bits b)
{
	if ((a->value ^ b.value) & ~a->unknown & ~b.unknown)
		return 0;
	a->value |= b.value;
	a->unknown &= b.unknown;
	return 1;
}

NUM_STEP struct num_bits num_bits_add(struct num_bits a, struct num_bits b)
{
	/* A bit of the sum is known where both operands' are, and no carry that may or may not come gets there: the sums
	 * of the least and of the greatest operands have the same carries there. */
	u64 least = a.value + b.value;
	u64 most = least + a.unknown + b.unknown;
	u64 unknown = ((least ^ most) | a.unknown | b.unknown) & ALL;

	return (struct num_bits){least & ~unknown & ALL, unknown};
}

NUM_STEP struct num_bits num_bits_sub(struct num_bits a, struct num_bits b)
{
	u64 middle = a.value - b.value;
	u64 unknown = (((middle + a.unknown) ^ (middle - b.unknown)) | a.unknown | b.unknown) & ALL;

	return (struct num_bits){middle & ~unknown & ALL, unknown};
}

/* One bit of a long multiplication. */
NUM_STEP void num_bits_mul_step(struct num_bits *sum, struct num_bits *a, struct num_bits *b)
{
	if ((a->value | a->unknown) & 1) {
		struct num_bits added = num_bits_add(*sum, *b);

		*sum = a->value & 1 ? added : num_bits_join(*sum, added);
	}
	a->value >>= 1;
	a->unknown >>= 1;
	b->value = b->value << 1 & ALL;
	b->unknown = b->unknown << 1 & ALL;
}

NUM_STEP struct num_bits num_bits_mul(struct num_bits a, struct num_bits b)
{
	struct num_bits sum = {0, 0};

	for (u32 i = 0; i < NUM_BITS; i++) {
		if (!(a.value | a.unknown))
			break;
		num_bits_mul_step(&sum, &a, &b);
	}
	return sum;
}

NUM_STEP struct num_bits num_bits_and(struct num_bits a, struct num_bits b)
{
	u64 value = a.value & b.value;

	return (struct num_bits){value, (a.value | a.unknown) & (b.value | b.unknown) & ~value};
}

NUM_STEP struct num_bits num_bits_or(struct num_bits a, struct num_bits b)
{
	u64 value = a.value | b.value;

	return (struct num_bits){value, (a.unknown | b.unknown) & ~value};
}

NUM_STEP struct num_bits num_bits_xor(struct num_bits a, struct num_bits b)
{
	u64 unknown = a.unknown | b.unknown;

	return (struct num_bits){(a.value ^ b.value) & ~unknown, unknown};
}

/* Shifts go stage by stage: 1, 2, 4, ... positions, each where that bit of the count is set; where it is not known, the
 * result is either. */
static inline struct num_bits stage(struct num_bits a, struct num_bits shifted,
				    struct num_bits count, u32 bit)
{
	if (count.unknown >> bit & 1)
		return num_bits_join(a, shifted);
	return count.value >> bit & 1 ? shifted : a;
}

NUM_STEP struct num_bits num_bits_lsh(struct num_bits a, struct num_bits b)
{
	for (u32 i = 0; 1u << i < NUM_BITS; i++)
		a = stage(
			a,
			(struct num_bits){a.value << (1u << i) & ALL, a.unknown << (1u << i) & ALL},
			b, i);
	return a;
}

NUM_STEP struct num_bits num_bits_rsh(struct num_bits a, struct num_bits b)
{
	for (u32 i = 0; 1u << i < NUM_BITS; i++)
		a = stage(a, (struct num_bits){a.value >> (1u << i), a.unknown >> (1u << i)}, b, i);
	return a;
}

NUM_STEP struct num_bits num_bits_arsh(struct num_bits a, struct num_bits b)
{
	for (u32 i = 0; 1u << i < NUM_BITS; i++) {
		s64 value = num_sext(a.value, NUM_BITS), unknown = num_sext(a.unknown, NUM_BITS);

		a = stage(a,
			  (struct num_bits){value >> (1u << i) & ALL, unknown >> (1u << i) & ALL},
			  b, i);
	}
	return a;
}

NUM_STEP struct num_bits num_bits_sext(struct num_bits a, u32 w)
{
	return (struct num_bits){(u64)num_sext(a.value, w) & ALL,
				 (u64)num_sext(a.unknown, w) & ALL};
}

NUM_STEP struct num_bits num_bits_zext(struct num_bits a, u32 w)
{
	return (struct num_bits){a.value & num_mask(w), a.unknown & num_mask(w)};
}

#define BYTE (NUM_BITS / 8)

static inline u64 swap(u64 x, u32 w)
{
	u64 y = 0;

	for (u32 i = 0; i < 8; i++)
		if (i * BYTE < w)
			y |= (x >> i * BYTE & num_mask(BYTE)) << (w - BYTE - i * BYTE);
	return y;
}

NUM_STEP struct num_bits num_bits_swap(struct num_bits a, u32 w)
{
	return (struct num_bits){swap(a.value, w), swap(a.unknown, w)};
}

NUM_STEP int num_bits_up(const struct num_bits *a, u64 x, u64 *y)
{
	/* The highest known bit where x differs decides. */
	u64 differs = (x & ~a->unknown) ^ a->value;
	u64 low = num_smear(differs); /* that bit and all below */

	if (!differs)
		*y = x;
	else if ((differs & x) <= low >> 1) /* x has 0 there: all below may be the least */
		*y = (x & ~low) | (a->value & low);
	else {
		/* x has 1 there: the next that is greater above it, where bits may change; known ones pass the carry on */
		u64 next = (x | ~a->unknown | low) + 1;

		if (!(next & ALL))
			return 0;
		*y = (next & a->unknown) | a->value;
	}
	return 1;
}

NUM_STEP int num_bits_down(const struct num_bits *a, u64 x, u64 *y)
{
	struct num_bits mirror = {~a->value & ~a->unknown & ALL, a->unknown};

	if (!num_bits_up(&mirror, ~x & ALL, y))
		return 0;
	*y = ~*y & ALL;
	return 1;
}
