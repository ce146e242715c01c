/* SPDX-License-Identifier: MIT
 * Abstract numbers at 64 bits: members of random ones, and how precise they are where programs need it.
 * links: ext/num.c ext/num_bits.c ext/num_range.c ext/num_divide.c ext/num_alu.c ext/num_branch.c ext/num_print.c */
#include "num_try.h"

static u64 edges[40];
static u32 nedges;

/* Numbers near what matters: powers of 2, ends of ranges, small ones. */
static u64 some(void)
{
	u64 x;

	switch (test_below(4)) {
	case 0:
		return test_below(20);
	case 1:
		x = 1ul << test_below(64);
		break;
	case 2:
		x = edges[test_below(nedges)];
		break;
	default:
		x = test_random() >> test_below(64);
		break;
	}
	x += test_below(5) - 2;
	return test_below(4) ? x : -x;
}

struct sample {
	struct num a;
	u64 x[24];
	u32 n;
};

static void sample_try(struct sample *s, u64 x)
{
	if (s->n < 24 && num_contains(&s->a, x))
		s->x[s->n++] = x;
}

static void sample_make(struct sample *s)
{
	u64 x = some(), y = some(), up;
	struct num other;

	switch (test_below(4)) {
	case 0:
		s->a = num_unsigned(num_min(x, y), num_max(x, y));
		break;
	case 1:
		s->a = num_signed(num_smin((s64)x, (s64)y), num_smax((s64)x, (s64)y));
		break;
	case 2:
		s->a = num_any();
		s->a.unknown = y;
		s->a.value = x & ~y;
		num_normal(&s->a);
		break;
	default:
		s->a = num_const(x);
		for (u32 i = test_below(4); i > 0; i--) {
			other = num_const(some());
			s->a = num_join(&s->a, &other);
		}
	}
	if (test_below(2)) {
		struct sample more;
		struct num both;

		sample_make(&more);
		if (num_meet(&s->a, &more.a, &both))
			s->a = both;
	}
	s->n = 0;
	sample_try(s, s->a.umin);
	sample_try(s, s->a.umax);
	sample_try(s, (u64)s->a.smin);
	sample_try(s, (u64)s->a.smax);
	for (u32 i = 0; i < 20; i++) {
		struct num_bits bits = {s->a.value, s->a.unknown};

		y = some();
		sample_try(s, (y & s->a.unknown) | s->a.value);
		if (num_bits_up(&bits,
				s->a.umin + y % (s->a.umax - s->a.umin + 1
							 ? s->a.umax - s->a.umin + 1
							 : ~0ul),
				&up))
			sample_try(s, up);
	}
}

static void members(void)
{
	static struct sample a, b;

	forms_list();
	for (u32 i = 0; i < 64; i += 8)
		edges[nedges++] = 1ul << i, edges[nedges++] = ~0ul << i;
	edges[nedges++] = 0x7ffffffffffffffful;
	edges[nedges++] = 0x8000000080000000ul;
	for (u32 i = 0; i < 6000 && !test_bad; i++) {
		sample_make(&a);
		sample_make(&b);
		try_alu(&a.a, a.x, a.n, &b.a, b.x, b.n);
		try_jumps(&a.a, a.x, a.n, &b.a, b.x, b.n);
		try_two(&a.a, a.x, a.n, &b.a, b.x, b.n);
	}
}

/* Ranges that contain nothing, as no operation makes them: still no division traps. */
static void empty(void)
{
	const s64 least = (s64)(1ul << 63);
	struct num a = num_const((u64)least), b = num_const((u64)least), out;

	b.smin = -1;
	out = num_alu(EXT_DIV | EXT_ALU64, 1, &a, &b);
	CHECK(num_contains(&out, 0));
	b = num_const((u64)-1);
	a.smin = 0;
	out = num_alu(EXT_DIV | EXT_ALU64, 1, &a, &b);
	CHECK(num_contains(&out, 0));
}

static const struct test tests[] = {TEST(members), TEST(empty)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
