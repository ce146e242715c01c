/* SPDX-License-Identifier: MIT
 * Linear forms over symbols: c + sum of coef * sym, modulo 2^64. */
#include "mem.h"
#include <state.h>

struct form form_const(u64 c)
{
	return (struct form){.c = c};
}

struct form form_sym(u32 sym)
{
	return (struct form){.terms = 1, .sym = {sym}, .coef = {1}};
}

static int product(s64 a, s64 b, s64 *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

int form_add(const struct form *a, const struct form *b, s64 k, struct form *out)
{
	struct form f = {.c = a->c + (u64)k * b->c};
	u32 i = 0, j = 0;

	while (i < a->terms || j < b->terms) {
		u32 sym;
		s64 coef = 0, scaled;

		if (j == b->terms || (i < a->terms && a->sym[i] <= b->sym[j]))
			sym = a->sym[i];
		else
			sym = b->sym[j];
		if (i < a->terms && a->sym[i] == sym)
			coef = a->coef[i++];
		if (j < b->terms && b->sym[j] == sym) {
			if (!product(b->coef[j++], k, &scaled) ||
			    __builtin_add_overflow(coef, scaled, &coef))
				return 0;
		}
		if (!coef)
			continue;
		if (f.terms == FORM_TERMS || coef > COEF_MOST || coef < -COEF_MOST)
			return 0;
		f.sym[f.terms] = sym;
		f.coef[f.terms++] = coef;
	}
	*out = f;
	return 1;
}

int form_parallel(const struct form *a, const struct form *b, u64 *difference)
{
	if (a->terms != b->terms)
		return 0;
	for (u32 i = 0; i < a->terms; i++)
		if (a->sym[i] != b->sym[i] || a->coef[i] != b->coef[i])
			return 0;
	*difference = a->c - b->c;
	return 1;
}

int form_equal(const struct form *a, const struct form *b)
{
	u64 difference;

	return form_parallel(a, b, &difference) && !difference;
}

s64 form_coef(const struct form *f, u32 sym)
{
	for (u32 i = 0; i < f->terms; i++)
		if (f->sym[i] == sym)
			return f->coef[i];
	return 0;
}

int fact_add(const struct form *a, const struct form *b, s64 k, struct form *out)
{
	s64 c;

	if (!product((s64)b->c, k, &c) || __builtin_add_overflow(c, (s64)a->c, &c))
		return 0;
	return c <= FACT_MOST && c >= -FACT_MOST && form_add(a, b, k, out);
}

int fact_replace(const struct form *f, u32 sym, const struct form *by, struct form *out)
{
	struct form rest = *f, s = form_sym(sym);
	s64 coef = form_coef(f, sym);

	if (coef && (!fact_add(f, &s, -coef, &rest) || !fact_add(&rest, by, coef, &rest)))
		return 0;
	*out = rest;
	return 1;
}

int form_shifted(const struct form *f, u32 bits, struct form *out)
{
	u64 low = bits < 64 ? (1ul << bits) - 1 : ~0ul;

	if (f->c & low)
		return 0;
	for (u32 i = 0; i < f->terms; i++)
		if ((u64)f->coef[i] & low)
			return 0;
	*out = *f;
	out->c = (u64)((s64)f->c >> bits);
	for (u32 i = 0; i < f->terms; i++)
		out->coef[i] = f->coef[i] >> bits;
	return 1;
}
