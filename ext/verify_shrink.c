/* SPDX-License-Identifier: MIT
 * Loops that end because a value gets smaller each time round: halved (v >>= 1, v /= 10), one bit less (v &= v - 1), or
 * less by an amount that is not known (a remainder). Nothing of this is linear in how often the loop went round, so the
 * guess of verify_guess.c has no form for it; the bound is a ranking instead. If each way back has, of a variable that is
 * v at the head and w on the way back,
 *   1. w <= v - 1:                     control goes back at most as often as the entry's value says;
 *   2. 2 * w <= v and v >= 1:          ... at most as often as the entry's value has binary digits;
 *   3. w <= v - 1, and w's bits are v's: ... at most as often as the entry's value may have bits set.
 * All are about 64-bit values as unsigned integers. v's symbol is the head's: facts about it hold throughout the body.
 *
 * Facts that speak of the head's values are mostly of no use, so they are kept only in a further attempt at a loop for
 * which no other bound was found (loop_run.shrinking). */
#include <verify.h>

#define SHIFT_MOST 40u /* COEF_MOST */

enum { LESS = 1, HALVED = 2, PART = 4 };

static int is_symbol(const struct form *f)
{
	return f->terms == 1 && f->coef[0] == 1 && !f->c;
}

static void is_part_of(struct verify *ver, const struct form *t, const struct form *x)
{
	u32 k;

	if (!is_symbol(t) || !is_symbol(x))
		return;
	k = ver->parts++ % PARTS_MOST;
	ver->part[k].sym = t->sym[0];
	ver->part[k].of = x->sym[0];
}

/* by * t + more <= x */
static void learn(struct verify *ver, struct state *s, const struct form *t, u64 by, u64 more,
		  const struct form *x)
{
	struct form zero = form_const(more), f;

	if (by && state_whole(ver, s, x) && fact_add(&zero, t, (s64)by, &f) &&
	    fact_add(&f, x, -1, &f))
		state_learn(ver, s, &f);
}

void verify_shrunk(struct verify *ver, struct state *s, const struct ext_insn *i,
		   const struct form *t, const struct form *x, const struct form *y)
{
	struct num nx = state_num(ver, s, x), ny = state_num(ver, s, y);
	int is_half = EXT_CLASS(i->code) == EXT_ALU;
	u64 most = 1ul << SHIFT_MOST;
	struct form g;

	if (!ver->runs || !ver->runs->shrinking || !t->terms || !x->terms || i->off)
		return;
	/* of operations on low halves the result is no larger than that of the whole */
	switch (EXT_OP(i->code)) {
	case EXT_MOV:
	case EXT_AND:
		is_part_of(ver, t, x);
		is_part_of(ver, t, y);
		learn(ver, s, t, 1, 0, x);
		if (y->terms)
			learn(ver, s, t, 1, 0, y);
		return;
	case EXT_ARSH:
		if (is_half ? nx.s32min < 0 : nx.smin < 0)
			return;
		/* fall through */
	case EXT_RSH:
		/* the low half of g, shifted: as CPUs without 32-bit instructions have it */
		if (!is_half && num_is_const(&ny) && ny.umin >= 32 && ny.umin < 64 &&
		    form_shifted(x, 32, &g))
			learn(ver, s, t, 1ul << (ny.umin - 32), 0, &g);
		if (ny.umax < (is_half ? 32u : 64u))
			learn(ver, s, t, ny.umin < SHIFT_MOST ? 1ul << ny.umin : most, 0, x);
		return;
	case EXT_DIV:
		if (!is_half || ny.umax <= 0xffffffffu)
			learn(ver, s, t, ny.umin < most ? ny.umin : most, 0, x);
		return;
	case EXT_MOD:
		if (ny.umin && (!is_half || ny.umax <= 0xffffffffu))
			learn(ver, s, t, 1, 1, y);
		return;
	}
}

void verify_shrunk_half(struct verify *ver, struct state *s, const struct form *t,
			const struct form *x)
{
	if (!ver->runs || !ver->runs->shrinking || !t->terms || !x->terms)
		return;
	is_part_of(ver, t, x);
	learn(ver, s, t, 1, 0, x);
}

static int has_bits_of(const struct verify *ver, u32 sym, u32 of)
{
	while (sym != of) {
		u32 next = 0;

		/* a part is newer than what it is of: this ends */
		for (u32 k = 0; k < PARTS_MOST; k++)
			if (ver->part[k].sym == sym && (ver->part[k].of == of || !next))
				next = ver->part[k].of;
		if (!next)
			return 0;
		sym = next;
	}
	return 1;
}

/* In which ways the variable is smaller on that way back than at the head. */
static u32 shrinks(struct verify *ver, const struct loop_run *r, const struct loop_var *v,
		   const struct state *s)
{
	const struct val *head = loop_value(r->head, v->key), *now = loop_value(s, v->key);
	struct form was = form_sym(v->sym), f;
	u32 how = 0;

	if (!head || head->type != VAL_SCALAR || !form_equal(&head->form, &was))
		return 0;
	if (!now || now->type != VAL_SCALAR || !state_whole(ver, s, &now->form))
		return 0;
	if (fact_add(&now->form, &was, -1, &f)) {
		f.c++;
		how |= state_proves(ver, s, &f) ? LESS : 0;
	}
	if (how && is_symbol(&now->form) && has_bits_of(ver, now->form.sym[0], v->sym))
		how |= PART;
	if (state_sym(ver, s, v->sym).umin && fact_add(&now->form, &now->form, 1, &f) &&
	    fact_add(&f, &was, -1, &f) && state_proves(ver, s, &f))
		how |= HALVED;
	return how;
}

static u64 digits(u64 n)
{
	u64 count = 0;

	for (; n; n >>= 1)
		count++;
	return count;
}

static u64 bits_set(u64 n)
{
	u64 count = 0;

	for (; n; n &= n - 1)
		count++;
	return count;
}

u64 loop_shrinks(struct verify *ver, const struct loop_run *r)
{
	u64 most = ~0ul;

	for (u32 k = 0; k < r->vars; k++) {
		const struct loop_var *v = &r->var[k];
		u32 how = v->class == VAR_OTHER ? LESS | HALVED | PART : 0;
		u64 turns = ~0ul;
		struct num n;

		for (const struct state *s = r->back; s && how; s = s->next)
			if (!loop_is_phase(ver, r, s))
				how &= shrinks(ver, r, v, s);
		if (!how)
			continue;
		n = state_num(ver, r->entry, &loop_value(r->entry, v->key)->form);
		if (how & LESS)
			turns = n.umax;
		if (how & HALVED && digits(n.umax) < turns)
			turns = digits(n.umax);
		if (how & PART && bits_set(n.value | n.unknown) < turns)
			turns = bits_set(n.value | n.unknown);
		if (turns < most)
			most = turns;
	}
	return most;
}
