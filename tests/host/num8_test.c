/* SPDX-License-Identifier: MIT
 * Abstract numbers compiled for a width of 8 bits: every operation on all members of its operands.
 */
#define NUM_BITS 8
#include "num_try.h"

#include "num.c"
#include "num_bits.c"
#include "num_range.c"
#include "num_divide.c"
#include "num_alu.c"
#include "num_branch.c"
#include "num_print.c"

struct sample {
	struct num a;
	u64 x[256];
	u32 n;
};

static void sample_fill(struct sample *s)
{
	s->n = 0;
	for (u64 x = 0; x < 256; x++)
		if (num_contains(&s->a, x))
			s->x[s->n++] = x;
}

/* Some abstract number that is not empty: a few concrete ones joined, or a range, or met by others of the kind. */
static void sample_make(struct sample *s)
{
	struct num other, both;

	do {
		u64 x = test_below(256), y = test_below(256);

		switch (test_below(4)) {
		case 0:
			s->a = num_unsigned(num_min(x, y), num_max(x, y));
			break;
		case 1:
			s->a = num_signed(num_smin(num_sext(x, 8), num_sext(y, 8)),
					  num_smax(num_sext(x, 8), num_sext(y, 8)));
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
				other = num_const(test_below(256));
				s->a = num_join(&s->a, &other);
			}
		}
		if (test_below(2)) {
			struct sample more;

			sample_make(&more);
			if (num_meet(&s->a, &more.a, &both))
				s->a = both;
		}
		sample_fill(s);
	} while (!s->n);
}

static void all_constants(void)
{
	forms_list();
	for (u64 x = 0; x < 256; x++)
		for (u64 y = 0; y < 256; y++) {
			struct num a = num_const(x), b = num_const(y);

			for (u32 f = 0; f < nforms; f++) {
				struct num fixed = {0}, out;

				fixed.umin = fixed.umax = forms[f].fixed;
				if (forms[f].fixed && y)
					continue;
				out = num_alu(forms[f].code, forms[f].off, &a,
					      forms[f].fixed ? &fixed : &b);
				/* a constant remains one */
				if (!num_is_const(&out) ||
				    out.umin != concrete(forms[f].code, forms[f].off, x,
							 forms[f].fixed ? forms[f].fixed : y))
					tell("constants", forms[f].code, forms[f].off, &a, &b, x,
					     y);
			}
			try_jumps(&a, &x, 1, &b, &y, 1);
		}
}

static void members(void)
{
	static struct sample a, b;

	forms_list();
	for (u32 i = 0; i < 1500 && !test_bad; i++) {
		sample_make(&a);
		sample_make(&b);
		try_alu(&a.a, a.x, a.n, &b.a, b.x, b.n);
		try_jumps(&a.a, a.x, a.n, &b.a, b.x, b.n);
		try_two(&a.a, a.x, a.n, &b.a, b.x, b.n);
	}
}

/* All abstract numbers that are an unsigned range, or known bits alone. */
static void normal(void)
{
	static struct sample s;
	u32 unstable = 0, loose = 0, n = 0;

	for (u32 i = 0; i < 20000; i++) {
		struct num again;

		sample_make(&s);
		again = s.a;
		CHECK(num_normal(&again));
		unstable += !num_equal(&again, &s.a);
		loose += s.x[0] != s.a.umin || s.x[s.n - 1] != s.a.umax;
		n++;
	}
	printf("normal: %u unstable, %u loose of %u\n", unstable, loose, n);
}

static const struct test tests[] = {TEST(all_constants), TEST(members), TEST(normal)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
