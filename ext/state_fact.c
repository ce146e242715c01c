/* SPDX-License-Identifier: MIT
 * What a state knows of symbols: a num each, and a few linear inequalities between them. Everything here is about
 * integers: symbols as unsigned numbers, sums without wrapping (128 bits hold them: a coefficient is at most 2^40). */
#include "mem.h"
#include <verify.h>

typedef __int128 wide;
#define WIDE_EXACT ((wide)1 << 63)
#define PROOF_DEPTH 4u
#define PROOF_FUEL 160u

/* --- symbols */
static struct known *find(const struct state *s, u32 sym)
{
	u32 low = 0, high = s->syms;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (s->sym[mid].sym == sym)
			return &s->sym[mid];
		if (s->sym[mid].sym < sym)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

struct num state_sym(const struct verify *ver, const struct state *s, u32 sym)
{
	const struct known *k = find(s, sym);

	if (k)
		return k->num;
	return sym <= ver->bases ? ver->base[sym - 1].num : num_any();
}

static void put(struct verify *ver, struct state *s, u32 sym, const struct num *num)
{
	struct known *k = find(s, sym);
	u32 at = s->syms;

	if (k) {
		k->num = *num;
		return;
	}
	if (s->syms == SYMS_MOST)
		state_sweep(ver, s);
	if (s->syms == SYMS_MOST)
		return; /* not known: any value */
	at = s->syms;
	while (at && s->sym[at - 1].sym > sym) {
		s->sym[at] = s->sym[at - 1];
		at--;
	}
	s->sym[at].sym = sym;
	s->sym[at].num = *num;
	s->syms++;
}

u32 state_fresh(struct verify *ver, struct state *s, const struct num *num)
{
	u32 sym = ver->next_sym++;

	put(ver, s, sym, num);
	return sym;
}

/* --- ranges of forms */
static void term_range(const struct num *n, s64 coef, wide *low, wide *high)
{
	wide a = (wide)coef * (wide)n->umin, b = (wide)coef * (wide)n->umax;

	*low = a < b ? a : b;
	*high = a < b ? b : a;
}

static void range(const struct verify *ver, const struct state *s, const struct form *f, wide *low,
		  wide *high)
{
	*low = *high = (s64)f->c;
	for (u32 i = 0; i < f->terms; i++) {
		struct num n = state_sym(ver, s, f->sym[i]);
		wide a, b;

		term_range(&n, f->coef[i], &a, &b);
		*low += a;
		*high += b;
	}
}

/* The same, told by facts on exactly these terms. */
static void range_told(const struct verify *ver, const struct state *s, const struct form *f,
		       wide *low, wide *high)
{
	range(ver, s, f, low, high);
	if (f->terms < 2)
		return;
	for (u32 k = 0; k < s->facts; k++) {
		const struct form *g = &s->fact[k];
		u32 same = 0, opposite = 0;

		if (g->terms != f->terms)
			continue;
		for (u32 i = 0; i < f->terms; i++) {
			same += g->sym[i] == f->sym[i] && g->coef[i] == f->coef[i];
			opposite += g->sym[i] == f->sym[i] && g->coef[i] == -f->coef[i];
		}
		wide to = (wide)(s64)f->c - (s64)g->c, from = (wide)(s64)f->c + (s64)g->c;
		if (same == f->terms && to < *high)
			*high = to;
		if (opposite == f->terms && from > *low)
			*low = from;
	}
}

int state_exact(struct verify *ver, const struct state *s, const struct form *f)
{
	wide low, high;

	range_told(ver, s, f, &low, &high);
	return low >= 0 && high < WIDE_EXACT;
}

int state_whole(struct verify *ver, const struct state *s, const struct form *f)
{
	wide low, high;

	range_told(ver, s, f, &low, &high);
	return low >= 0 && high < 2 * WIDE_EXACT;
}

struct num state_num(struct verify *ver, const struct state *s, const struct form *f)
{
	struct num sum = num_const(f->c), told;
	wide low, high;

	for (u32 i = 0; i < f->terms; i++) {
		struct num n = state_sym(ver, s, f->sym[i]);
		s64 coef = f->coef[i];
		struct num k = num_const((u64)(coef < 0 ? -coef : coef));

		if (coef != 1 && coef != -1)
			n = num_alu(EXT_ALU64 | EXT_MUL | EXT_X, 0, &n, &k);
		sum = num_alu((u8)(EXT_ALU64 | EXT_X | (coef < 0 ? EXT_SUB : EXT_ADD)), 0, &sum,
			      &n);
	}
	if (!f->terms)
		return sum;
	range_told(ver, s, f, &low, &high);
	if (low < 0 || high >= WIDE_EXACT || low > high)
		return sum;
	told = num_unsigned((u64)low, (u64)high);
	num_meet(&sum, &told, &sum);
	return sum;
}

/* --- proofs */
static u64 gcd(u64 a, u64 b)
{
	while (b) {
		u64 c = a % b;

		a = b;
		b = c;
	}
	return a;
}

static int proves(struct verify *ver, const struct state *s, const struct form *f, u32 depth)
{
	wide low, high;

	range(ver, s, f, &low, &high);
	if (high <= 0)
		return 1;
	if (low > 0 || !depth || !ver->fuel)
		return 0;
	ver->fuel--;
	/* f <= 0 if m * f - t * g <= 0, as g <= 0; m and t such that a symbol vanishes */
	for (u32 k = s->facts; k-- > 0;) {
		const struct form *g = &s->fact[k];

		for (u32 i = 0; i < g->terms; i++) {
			s64 a = form_coef(f, g->sym[i]), b = g->coef[i];
			struct form next = {0}, scaled;
			u64 common;

			if (!a || (a < 0) != (b < 0))
				continue;
			common = gcd((u64)(a < 0 ? -a : a), (u64)(b < 0 ? -b : b));
			s64 m = (s64)((u64)(b < 0 ? -b : b) / common);
			s64 t = (s64)((u64)(a < 0 ? -a : a) / common);
			if (!fact_add(&next, f, m, &scaled) || !fact_add(&scaled, g, -t, &next))
				continue;
			if (proves(ver, s, &next, depth - 1))
				return 1;
		}
	}
	return 0;
}

int state_proves(struct verify *ver, const struct state *s, const struct form *f)
{
	if ((s64)f->c > FACT_MOST || (s64)f->c < -FACT_MOST)
		return 0;
	ver->fuel = PROOF_FUEL;
	return proves(ver, s, f, PROOF_DEPTH);
}

/* --- learning */
static u32 zeros(const struct num *n)
{
	u64 may = n->value | n->unknown;

	return may ? (u32)__builtin_ctzl(may) : 40;
}

/* All terms are multiples of some g, so the constant can be rounded to one. */
static void tighten(const struct verify *ver, const struct state *s, struct form *f)
{
	u64 g = 0;
	s64 c = (s64)f->c, rest;

	for (u32 i = 0; i < f->terms; i++) {
		struct num n = state_sym(ver, s, f->sym[i]);
		u64 coef = (u64)(f->coef[i] < 0 ? -f->coef[i] : f->coef[i]);
		u32 shift = zeros(&n);

		if (shift > 20)
			shift = 20;
		g = gcd(g, coef << shift);
	}
	if (g < 2 || g > 1ul << 60)
		return;
	/* sum <= -c: the greatest multiple of g that is at most -c */
	rest = -c % (s64)g;
	if (rest < 0)
		rest += (s64)g;
	f->c = (u64)(c + rest);
}

#define FAR (1l << 60)
/* b > 0. A quotient of FAR or more may be FAR: no bound comes from it. What is below -2^62 is taken as that: the bound is
 * weaker. (128 bits are not divided: that is a function of the compiler's.) */
static s64 floor_div(wide a, s64 b)
{
	s64 x, q;

	if (a >= 2 * WIDE_EXACT)
		return FAR;
	if (a > (wide)1 << 62) {
		u64 far = (u64)a / (u64)b;

		return far < FAR ? (s64)far : FAR;
	}
	if (a < -((wide)1 << 62))
		a = -((wide)1 << 62);
	x = (s64)a;
	q = x / b;
	return x % b < 0 ? q - 1 : q;
}

static void note(struct verify *ver, u32 sym)
{
	if (ver->changes > CHANGED_MOST)
		return;
	for (u32 i = 0; i < ver->changes; i++)
		if (ver->changed[i] == sym)
			return;
	if (ver->changes < CHANGED_MOST)
		ver->changed[ver->changes] = sym;
	ver->changes++; /* more than CHANGED_MOST: all */
}

static int narrow(struct verify *ver, struct state *s, u32 sym, const struct num *num, int *changed)
{
	struct num old = state_sym(ver, s, sym), new;

	if (!num_meet(&old, num, &new))
		return 0;
	if (num_equal(&old, &new))
		return 1;
	put(ver, s, sym, &new);
	note(ver, sym);
	*changed = 1;
	return 1;
}

/* What a fact says of each of its symbols alone. */
static int propagate(struct verify *ver, struct state *s, const struct form *f, int *changed)
{
	wide low, high;

	range(ver, s, f, &low, &high);
	if (low > 0)
		return 0;
	if (high <= 0)
		return 1;
	for (u32 i = 0; i < f->terms; i++) {
		struct num n = state_sym(ver, s, f->sym[i]), bound;
		wide a, b, others;

		term_range(&n, f->coef[i], &a, &b);
		others = low - a; /* coef * sym <= -others */
		if (f->coef[i] > 0) {
			s64 most = floor_div(-others, f->coef[i]);

			if (most < 0)
				return 0;
			if ((u64)most >= n.umax || most >= FAR)
				continue;
			bound = num_unsigned(0, (u64)most);
		} else {
			s64 least = -floor_div(-others, -f->coef[i]);

			if (least <= 0 || (u64)least <= n.umin)
				continue;
			bound = num_unsigned((u64)least, ~0ul);
		}
		if (!narrow(ver, s, f->sym[i], &bound, changed))
			return 0;
	}
	return 1;
}

static int settle(struct verify *ver, struct state *s)
{
	int changed = 1;

	for (u32 turn = 0; changed && turn < 3; turn++) {
		changed = 0;
		for (u32 k = 0; k < s->facts; k++)
			if (!propagate(ver, s, &s->fact[k], &changed))
				return 0;
	}
	return 1;
}

int state_narrow(struct verify *ver, struct state *s, u32 sym, const struct num *num)
{
	int changed = 0;

	if (!narrow(ver, s, sym, num, &changed))
		return 0;
	return !changed || settle(ver, s);
}

int state_learn(struct verify *ver, struct state *s, const struct form *f)
{
	struct form g = *f;
	wide low, high;
	u32 k;

	if ((s64)g.c > FACT_MOST || (s64)g.c < -FACT_MOST)
		return 1;
	tighten(ver, s, &g);
	range(ver, s, &g, &low, &high);
	if (low > 0)
		return 0;
	if (high <= 0)
		return 1;
	for (k = 0; k < s->facts; k++) {
		u64 difference;

		if (!form_parallel(&g, &s->fact[k], &difference))
			continue;
		if ((s64)g.c <= (s64)s->fact[k].c)
			return 1; /* known, or more */
		s->fact[k] = g;
		break;
	}
	if (k == s->facts && g.terms > 1) {
		if (s->facts == FACTS_MOST)
			memmove(&s->fact[0], &s->fact[1], --s->facts * sizeof(g));
		s->fact[s->facts++] = g;
	}
	for (u32 i = 0; i < g.terms; i++)
		note(ver, g.sym[i]);
	int changed = 0;
	return propagate(ver, s, &g, &changed) && settle(ver, s);
}

/* --- what a value's form was found to be within */
static int refine_one(struct verify *ver, struct state *s, const struct form *f,
		      const struct num *num, int *done)
{
	struct num c = num_const(f->c), target;
	wide low, high;

	*done = 1;
	if (f->coef[0] == 1) {
		target = num_alu(EXT_ALU64 | EXT_SUB | EXT_X, 0, num, &c);
		return state_narrow(ver, s, f->sym[0], f->c ? &target : num);
	}
	if (f->coef[0] == -1) {
		target = num_alu(EXT_ALU64 | EXT_SUB | EXT_X, 0, &c, num);
		return state_narrow(ver, s, f->sym[0], &target);
	}
	range(ver, s, f, &low, &high);
	*done = low >= 0 && high < WIDE_EXACT;
	return 1;
}

int state_refine(struct verify *ver, struct state *s, const struct form *f, const struct num *num)
{
	struct num old = state_num(ver, s, f), new;
	struct form g, bound;
	wide low, high;
	int done = 0;

	if (!num_meet(&old, num, &new))
		return 0;
	if (!f->terms || num_equal(&old, &new))
		return 1;
	if (f->terms == 1 && !refine_one(ver, s, f, &new, &done))
		return 0;
	if (f->terms == 1 && done && (f->coef[0] == 1 || f->coef[0] == -1))
		return 1;
	range_told(ver, s, f, &low, &high);
	if (low < 0 || high >= WIDE_EXACT) {
		if (ver->runs && ver->runs->guessing)
			return 1;
		g = *f;
		state_rename(ver, s, &g);
		return state_narrow(ver, s, ver->next_sym - 1, &new);
	}
	if ((wide) new.umax < high) {
		struct form most = form_const(new.umax);

		if (fact_add(f, &most, -1, &bound) && !state_learn(ver, s, &bound))
			return 0;
	}
	if ((wide) new.umin > low) {
		struct form least = form_const(new.umin);

		if (fact_add(&least, f, -1, &bound) && !state_learn(ver, s, &bound))
			return 0;
	}
	return 1;
}

struct rename {
	struct form old;
	u32 sym;
};

static void rename_val(void *context, struct val *v)
{
	struct rename *r = context;
	u64 difference;

	if (!val_is_set(v) || !form_parallel(&v->form, &r->old, &difference))
		return;
	v->form = form_sym(r->sym);
	v->form.c = difference;
}

void state_rename(struct verify *ver, struct state *s, const struct form *f)
{
	struct num n = state_num(ver, s, f);
	struct rename r = {*f, 0};

	r.sym = state_fresh(ver, s, &n);
	for (u32 i = 0; i < f->terms; i++)
		note(ver, f->sym[i]);
	note(ver, r.sym);
	if (f->terms)
		state_each(s, rename_val, &r);
}
