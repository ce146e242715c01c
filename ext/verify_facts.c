/* SPDX-License-Identifier: MIT
 * Facts that may hold at a loop's head: where they come from, and the proof that they do. A candidate counts only while it
 * was proved of the entry, and of every way back, in the round that is accepted. */
#include <verify.h>

/* --- candidates */
void loop_propose(struct loop_run *r, const struct form *fact)
{
	u64 difference;

	for (u32 k = 0; k < r->candidates; k++)
		if (form_parallel(fact, &r->candidate[k], &difference) && !difference)
			return;
	if (r->candidates < CANDIDATES_MOST)
		r->candidate[r->candidates++] = *fact;
}

static int is_of_head(const struct verify *ver, const struct loop_run *r, u32 sym)
{
	if (sym == r->n || sym <= ver->bases)
		return 1;
	for (u32 k = 0; k < r->vars; k++)
		if (r->var[k].class == VAR_OTHER && r->var[k].sym == sym)
			return 1;
	for (u32 k = 0; k < r->entry->syms; k++)
		if (r->entry->sym[k].sym == sym)
			return 1;
	return 0;
}

/* The fact with n and the variables' symbols replaced by what they are in s (0: the entry, with n = 0; else a way back,
 * with n + 1). 0 when it cannot be said. */
static int told_of(struct verify *ver, const struct loop_run *r, const struct form *fact,
		   const struct state *s, struct form *out)
{
	struct form sum = form_const(fact->c), n = form_sym(r->n);

	n.c = 1;
	if (s == r->entry)
		n = form_const(0);
	for (u32 i = 0; i < fact->terms; i++) {
		struct form by = form_sym(fact->sym[i]);

		if (!is_of_head(ver, r, fact->sym[i]))
			return 0;
		if (fact->sym[i] == r->n)
			by = n;
		for (u32 k = 0; k < r->vars; k++) {
			const struct val *v;

			if (r->var[k].class != VAR_OTHER || r->var[k].sym != fact->sym[i])
				continue;
			v = loop_value(s, r->var[k].key);
			if (!v || !val_is_set(v) || !state_exact(ver, s, &v->form))
				return 0;
			by = v->form;
		}
		if (!fact_add(&sum, &by, fact->coef[i], &sum))
			return 0;
	}
	*out = sum;
	return 1;
}

static int holds_in(struct verify *ver, const struct loop_run *r, const struct form *fact,
		    const struct state *s)
{
	struct form told;

	return told_of(ver, r, fact, s, &told) && state_proves(ver, s, &told);
}

/* Drops what does not hold at the entry, or (state given) on a way back. Returns how many were dropped. */
u32 loop_drop(struct verify *ver, struct loop_run *r, const struct state *s)
{
	u32 kept = 0, all = r->candidates;

	for (u32 k = 0; k < r->candidates; k++)
		if (holds_in(ver, r, &r->candidate[k], s))
			r->candidate[kept++] = r->candidate[k];
	r->candidates = kept;
	return all - kept;
}

/* What a fact of a way back is for the next time round: said of the variables' symbols there, n one less. */
static int turned(struct verify *ver, const struct loop_run *r, const struct state *s,
		  const struct form *fact, struct form *out)
{
	struct form rest = *fact, new = form_const(0), before = form_sym(r->n);
	int matters = form_coef(fact, r->n) != 0;

	for (u32 k = 0; k < r->vars; k++) {
		const struct val *v = loop_value(s, r->var[k].key);
		struct form q = form_sym(r->var[k].sym);
		s64 m;

		if (r->var[k].class != VAR_OTHER || !v || !val_is_set(v) || !v->form.terms)
			continue;
		m = form_coef(&rest, v->form.sym[0]);
		if (!m || m % v->form.coef[0])
			continue;
		m /= v->form.coef[0];
		if (!fact_add(&rest, &v->form, -m, &rest) || !fact_add(&new, &q, m, &new))
			return 0;
		matters = 1;
	}
	before.c = (u64)-1;
	if (!matters || !fact_replace(&rest, r->n, &before, &rest))
		return 0;
	for (u32 i = 0; i < rest.terms; i++) {
		if (!is_of_head(ver, r, rest.sym[i]))
			return 0;
		for (u32 k = 0; k < r->vars; k++)
			if (r->var[k].class == VAR_OTHER && r->var[k].sym == rest.sym[i])
				return 0; /* of the time before */
	}
	return fact_add(&rest, &new, 1, out);
}

void loop_collect(struct verify *ver, struct loop_run *r)
{
	for (const struct state *s = r->back; s; s = s->next)
		for (u32 k = 0; k < s->facts; k++) {
			struct form f;

			if (turned(ver, r, s, &s->fact[k], &f))
				loop_propose(r, &f);
		}
}

/* A variable that goes up by least..most each time. */
void loop_propose_range(struct verify *ver, struct loop_run *r, const struct loop_var *v)
{
	const struct form *e = &loop_value(r->entry, v->key)->form;
	struct form q = form_sym(v->sym), n = form_sym(r->n), zero = form_const(0), f;

	if (!state_exact(ver, r->entry, e))
		return;
	if (fact_add(&q, e, -1, &f) && fact_add(&f, &n, -v->most, &f))
		loop_propose(r, &f);
	if (v->least && fact_add(&zero, &q, -1, &f) && fact_add(&f, e, 1, &f) &&
	    fact_add(&f, &n, v->least, &f))
		loop_propose(r, &f);
}
