/* SPDX-License-Identifier: MIT
 * Where ways meet: one state that covers two. What both say alike stays; where forms differ, the value gets a new symbol
 * whose num covers both, values that go together keep doing so, and a fact stays if both states have it of theirs. */
#include "mem.h"
#include <verify.h>

#define PAIRS_MOST 64u
#define LINKED_MOST 16u

struct pair {
	const struct form *a, *b;
	u32 sym;
};

struct join {
	struct verify *ver;
	struct state *out;
	const struct state *a, *b;
	struct pair pair[PAIRS_MOST];
	u32 pairs;
	struct {
		u32 a, b, id;
	} null[8];
	u32 nulls;
	struct {
		struct form form;
		struct num num;
	} linked[LINKED_MOST];
	u32 links;
};

/* --- shapes */
static int slots_differ(const struct slot *a, const struct slot *b)
{
	int pa = (a->kind == SLOT_VAL8) && val_is_pointer(&a->val);
	int pb = (b->kind == SLOT_VAL8) && val_is_pointer(&b->val);

	if (!pa && !pb)
		return 0;
	if (a->kind == SLOT_VAL8 && b->kind == SLOT_VAL8)
		return !val_shape_equal(&a->val, &b->val);
	return 0;
}

int state_refs_equal(const struct state *a, const struct state *b)
{
	if (a->refs != b->refs)
		return 0;
	for (u32 i = 0; i < a->refs; i++)
		if (!state_has_ref(b, a->ref[i]))
			return 0;
	return 1;
}

int state_shape_equal(const struct state *a, const struct state *b, u32 live)
{
	u32 i = 0, j = 0;

	if (!state_refs_equal(a, b))
		return 0;
	for (u32 r = 0; r < EXT_REGS; r++)
		if (live >> r & 1 && !val_shape_equal(&a->reg[r], &b->reg[r]))
			return 0;
	while (i < a->slots && j < b->slots) {
		if (a->slot[i].key < b->slot[j].key)
			i++;
		else if (a->slot[i].key > b->slot[j].key)
			j++;
		else if (slots_differ(&a->slot[i++], &b->slot[j++]))
			return 0;
	}
	return 1;
}

/* --- values */
static void keep_syms(struct join *j, const struct form *f);

/* k with d = k * p, for small k; 0: there is none. */
static s64 multiple(const struct form *d, const struct form *p)
{
	struct form zero = form_const(0), scaled;
	s64 k = 0;

	if (p->terms)
		k = d->terms && d->coef[0] % p->coef[0] == 0 ? d->coef[0] / p->coef[0] : 0;
	else if (p->c == ~0ul) /* the least number divided by -1 is none, and a trap */
		k = (s64)(0 - d->c);
	else if (p->c && (s64)d->c % (s64)p->c == 0)
		k = (s64)d->c / (s64)p->c;
	if (k > 1 << 16 || k < -(1 << 16) || !form_add(&zero, p, k, &scaled))
		return 0;
	return form_equal(&scaled, d) ? k : 0;
}

/* What differs here as much, or k times as much, as in a pair that was met before goes on being tied to it. */
static int link(struct join *j, const struct form *a, const struct form *b, const struct num *n,
		struct form *out)
{
	struct form d, p, rest, q;

	if (!form_add(a, b, -1, &d))
		return 0;
	for (u32 i = 0; i < j->pairs; i++) {
		s64 k;

		if (!form_add(j->pair[i].a, j->pair[i].b, -1, &p))
			continue;
		k = multiple(&d, &p);
		q = form_sym(j->pair[i].sym);
		if (!k || !form_add(a, j->pair[i].a, -k, &rest) || !form_add(&rest, &q, k, out))
			continue;
		keep_syms(j, &rest);
		if (out->terms == 1 && (out->coef[0] == 1 || out->coef[0] == -1))
			return 1;
		if (j->links == LINKED_MOST)
			return 0;
		j->linked[j->links].form = *out;
		j->linked[j->links++].num = *n;
		return 1;
	}
	return 0;
}

static void phi(struct join *j, const struct form *a, const struct form *b, struct form *out)
{
	struct num na = state_num(j->ver, j->a, a), nb = state_num(j->ver, j->b, b);
	struct num n = num_join(&na, &nb);
	u32 sym;

	if (link(j, a, b, &n, out))
		return;
	sym = state_fresh(j->ver, j->out, &n);
	if (j->pairs < PAIRS_MOST)
		j->pair[j->pairs++] = (struct pair){a, b, sym};
	*out = form_sym(sym);
}

static void keep_syms(struct join *j, const struct form *f)
{
	for (u32 i = 0; i < f->terms; i++) {
		struct num a = state_sym(j->ver, j->a, f->sym[i]);
		struct num b = state_sym(j->ver, j->b, f->sym[i]);
		struct num n = num_join(&a, &b);

		state_narrow(j->ver, j->out, f->sym[i], &n);
	}
}

static u32 null_id(struct join *j, u32 a, u32 b)
{
	for (u32 i = 0; i < j->nulls; i++)
		if (j->null[i].a == a && j->null[i].b == b)
			return j->null[i].id;
	if (a == b || j->nulls == 8)
		return a == b ? a : j->ver->next_id++;
	j->null[j->nulls].a = a;
	j->null[j->nulls].b = b;
	return j->null[j->nulls++].id = j->ver->next_id++;
}

static struct val join_val(struct join *j, const struct val *a, const struct val *b)
{
	struct val v = *a;

	if (!val_shape_equal(a, b))
		return (struct val){.type = VAL_MIXED};
	if (!val_is_set(a))
		return a->type == b->type ? *a : (struct val){.type = VAL_MIXED};
	/* an id that is a reference's must be the same one */
	if (a->id != b->id && (state_has_ref(j->a, a->id) || state_has_ref(j->b, b->id)))
		return (struct val){.type = VAL_MIXED};
	v.id = null_id(j, a->id, b->id);
	if (form_equal(&a->form, &b->form))
		keep_syms(j, &a->form);
	else
		phi(j, &a->form, &b->form, &v.form);
	if (v.len) {
		struct form f = form_sym(v.len);

		keep_syms(j, &f);
	}
	return v;
}

static u32 join_byte(u32 a, u32 b)
{
	if (a == b)
		return a == BYTE_POINTER ? BYTE_UNSET : a;
	if (a == BYTE_UNSET || b == BYTE_UNSET || a == BYTE_POINTER || b == BYTE_POINTER)
		return BYTE_UNSET;
	return BYTE_MISC;
}

static void join_slots(struct join *j)
{
	const struct state *a = j->a, *b = j->b;

	for (u32 i = 0; i < a->slots; i++) {
		const struct slot *x = &a->slot[i], *y = state_slot(b, x->key);
		struct slot *out;

		if (!y)
			continue;
		if (x->kind == SLOT_HALF && y->kind == SLOT_HALF) {
			out = state_slot(j->out, x->key - 1u);
			if (out && out->kind == SLOT_VAL8) {
				state_slot_make(j->out, x->key)->kind = SLOT_HALF;
				continue;
			}
		}
		if (x->kind == y->kind && (x->kind == SLOT_VAL4 || x->kind == SLOT_VAL8)) {
			struct val v = join_val(j, &x->val, &y->val);

			/* what r6..r9 hold while a callee runs has no bytes */
			if (val_is_set(&v) || x->key % FRAME_KEYS >= KEY_SAVED) {
				out = state_slot_make(j->out, x->key);
				out->kind = x->kind;
				out->val = v;
				continue;
			}
		}
		out = state_slot_make(j->out, x->key);
		for (u32 n = 0; n < 4; n++)
			out->bytes |= (u8)(join_byte(slot_byte(j->ver, a, x, n),
						     slot_byte(j->ver, b, y, n))
					   << 2 * n);
	}
}

/* --- facts */
static int holds(struct join *j, const struct state *s, const struct form *f)
{
	return state_proves(j->ver, s, f);
}

/* The fact f of state `from`, said of the pairs' new symbols where it speaks of what they stand for. */
static void join_facts(struct join *j, const struct state *from, const struct state *other,
		       int is_a)
{
	for (u32 k = 0; k < from->facts; k++) {
		const struct form *f = &from->fact[k];

		if (holds(j, other, f))
			state_learn(j->ver, j->out, f);
		for (u32 i = 0; i < j->pairs; i++) {
			const struct form *mine = is_a ? j->pair[i].a : j->pair[i].b;
			const struct form *theirs = is_a ? j->pair[i].b : j->pair[i].a;
			struct form by = form_sym(j->pair[i].sym), told, mapped;
			s64 m = mine->terms ? form_coef(f, mine->sym[0]) : 0;

			if (!m || m % mine->coef[0])
				continue;
			m /= mine->coef[0];
			if (!fact_add(f, mine, -m, &told) || !fact_add(&told, theirs, m, &mapped) ||
			    !fact_add(&told, &by, m, &told))
				continue;
			if (state_exact(j->ver, from, mine) && state_exact(j->ver, other, theirs) &&
			    holds(j, other, &mapped))
				state_learn(j->ver, j->out, &told);
		}
	}
}

/* Two sums that differ by a constant: the new symbol is between them. */
static void join_between(struct join *j, const struct pair *p)
{
	const struct form *low = p->b, *high = p->a;
	struct form q = form_sym(p->sym), f;
	u64 difference;

	if (!p->a->terms || !form_parallel(p->a, p->b, &difference))
		return;
	if ((s64)difference < 0) {
		low = p->a;
		high = p->b;
	}
	if (!(j->ver->runs && j->ver->runs->guessing) &&
	    (!state_exact(j->ver, j->a, low) || !state_exact(j->ver, j->b, low) ||
	     !state_exact(j->ver, j->a, high) || !state_exact(j->ver, j->b, high)))
		return;
	if (fact_add(&q, high, -1, &f))
		state_learn(j->ver, j->out, &f);
	if (fact_add(low, &q, -1, &f))
		state_learn(j->ver, j->out, &f);
}

/* The least or the greatest of two: a new symbol's value on one side may bound the other's. */
static void join_order(struct join *j)
{
	for (u32 i = 0; i < j->pairs; i++) {
		join_between(j, &j->pair[i]);
		for (u32 side = 0; side < 2; side++) {
			const struct form *mine = side ? j->pair[i].b : j->pair[i].a;
			const struct form *theirs = side ? j->pair[i].a : j->pair[i].b;
			const struct state *s = side ? j->a : j->b;
			struct form q = form_sym(j->pair[i].sym), up, down, f;

			if (!mine->terms || !fact_add(theirs, mine, -1, &up) ||
			    !fact_add(mine, theirs, -1, &down) ||
			    !state_exact(j->ver, j->a, j->pair[i].a) ||
			    !state_exact(j->ver, j->b, j->pair[i].b) ||
			    !state_exact(j->ver, s, mine))
				continue;
			if (state_proves(j->ver, s, &up) && fact_add(&q, mine, -1, &f))
				state_learn(j->ver, j->out, &f);
			if (state_proves(j->ver, s, &down) && fact_add(mine, &q, -1, &f))
				state_learn(j->ver, j->out, &f);
		}
	}
}

void state_join(struct verify *ver, struct state *out, const struct state *a, const struct state *b,
		u32 live)
{
	static const struct val unset = {.type = VAL_UNSET};
	struct join j = {.ver = ver, .out = out, .a = a, .b = b};

	out->slots = out->syms = out->facts = 0;
	out->refs = a->refs;
	memcpy(out->ref, a->ref, sizeof(out->ref));
	out->depth = a->depth;
	out->cost = a->cost > b->cost ? a->cost : b->cost;
	for (u32 r = 0; r < EXT_REGS; r++)
		out->reg[r] = live >> r & 1 ? join_val(&j, &a->reg[r], &b->reg[r]) : unset;
	join_slots(&j);
	for (u32 i = 1; i <= ver->bases; i++) {
		struct form f = form_sym(i);

		keep_syms(&j, &f);
	}
	for (u32 k = 0; k < ver->halves && k < HALVES_MOST; k++) {
		struct form f = form_sym(ver->half[k].sym);

		keep_syms(&j, &f);
	}
	for (struct loop_run *r = ver->runs; r; r = r->outer) {
		struct form f = form_sym(r->n);

		keep_syms(&j, &f);
		for (u32 k = 0; r->shrinking && k < r->vars; k++) {
			f = form_sym(r->var[k].sym);
			keep_syms(&j, &f);
		}
	}
	join_facts(&j, a, b, 1);
	join_facts(&j, b, a, 0);
	join_order(&j);
	for (u32 i = 0; i < j.links; i++)
		if (state_exact(ver, out, &j.linked[i].form))
			state_refine(ver, out, &j.linked[i].form, &j.linked[i].num);
}

int state_merge(struct verify *ver, struct state **list, const struct state *s, u32 live, u32 insn)
{
	struct state **at, **last = 0, *kept;
	u32 count = 0;

	for (at = list; *at; at = &(*at)->next) {
		if (state_refs_equal(*at, s))
			last = at;
		if (state_shape_equal(*at, s, live))
			break;
		count++;
	}
	if (!*at && count >= SHAPES_MOST) {
		if (!last)
			return verify_refuse(
				ver, EXT_WHY_REFERENCE, insn, -1,
				"too many ways meet here with different references held");
		at = last;
	}
	if (!*at) {
		state_copy(ver->join, s);
		for (u32 r = 0; r < EXT_REGS; r++)
			if (!(live >> r & 1))
				ver->join->reg[r] = val_unset();
	} else {
		state_join(ver, ver->join, *at, s, live);
	}
	state_sweep(ver, ver->join);
	kept = state_keep(ver, ver->join);
	if (!kept)
		return -1;
	if (*at) {
		struct state *old = *at;

		kept->next = old->next;
		state_free(ver, old);
	}
	*at = kept;
	return 0;
}
