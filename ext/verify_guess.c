/* SPDX-License-Identifier: MIT
 * What is guessed to hold at a loop's head, and the check that it does.
 *
 * Rounds: the first takes every register that the body writes as a symbol and sees how it comes back; the second has
 * those that went up steadily as forms of n and collects facts at the ways back; both take arithmetic not to wrap and
 * prove nothing. From the third on the guess is checked, and weakened where it fails: what is not steady becomes a symbol
 * within a num, nums are widened, facts that do not hold are dropped. A guess that holds but is too weak for the body is
 * made as narrow as the ways back were. */
#include "mem.h"
#include <refusal.h>
#include <verify.h>

#define TURNS_MOST ((1ul << 31) - 2)
#define STEP_MOST (1l << 32)
#define S64_MOST ((s64)(~0ul >> 1))
#define S64_LEAST (-S64_MOST - 1)

/* --- variables of a state */
const struct val *loop_value(const struct state *s, u32 key)
{
	const struct slot *slot;

	if (key < VAR_SLOT)
		return &s->reg[key];
	slot = state_slot(s, key - VAR_SLOT);
	return slot && (slot->kind == SLOT_VAL8 || slot->kind == SLOT_VAL4) ? &slot->val : 0;
}

static u32 bytes_of(const struct verify *ver, const struct state *s, u32 key)
{
	const struct slot *slot = state_slot(s, key - VAR_SLOT);
	u32 bytes = 0;

	for (u32 b = 0; b < 4; b++) {
		u32 is = slot_byte(ver, s, slot, b);

		bytes |= (is == BYTE_POINTER ? BYTE_UNSET : is) << 2 * b;
	}
	return bytes;
}

static u32 bytes_join(u32 a, u32 b)
{
	u32 out = 0;

	for (u32 k = 0; k < 8; k += 2) {
		u32 x = a >> k & 3, y = b >> k & 3;

		out |= (x == y				     ? x
			: x == BYTE_UNSET || y == BYTE_UNSET ? BYTE_UNSET
							     : BYTE_MISC)
		       << k;
	}
	return out;
}

static struct form form_of(const struct loop_run *r, const struct loop_var *v)
{
	struct form f = loop_value(r->entry, v->key)->form, n = form_sym(r->n);

	if (v->class == VAR_AFFINE && !form_add(&f, &n, v->step, &f))
		f = form_sym(v->sym);
	return v->class == VAR_OTHER ? form_sym(v->sym) : f;
}

static struct num entry_num(struct verify *ver, const struct loop_run *r, const struct loop_var *v)
{
	return state_num(ver, r->entry, &loop_value(r->entry, v->key)->form);
}

static u32 live_of(const struct verify *ver, const struct loop_run *r)
{
	return ver->flow.block[ver->flow.loop[r->loop].head].live;
}

/* --- the first guess */
static int room(struct verify *ver, struct loop_run *r, u32 vars)
{
	if (vars <= r->room)
		return 1;
	r->room = vars + 16;
	r->hinted = 0;
	r->var = ext_alloc(ver->arena, r->room * sizeof(r->var[0]));
	if (r->var)
		return 1;
	r->room = 0;
	ver->stop = ver->failed = 1;
	ext_refuse_memory(ver->why);
	return 0;
}

static u8 first_class(const struct verify *ver, const struct loop_run *r, u32 key)
{
	const struct val *v = loop_value(r->entry, key);
	const struct slot *slot = key >= VAR_SLOT ? state_slot(r->entry, key - VAR_SLOT) : 0;

	if (!v)
		return slot->kind == SLOT_BYTES ? VAR_PLAIN : VAR_NONE;
	if (!val_is_set(v))
		return VAR_NONE;
	return key < VAR_SLOT && ver->flow.loop[r->loop].written >> key & 1 ? VAR_OTHER : VAR_SAME;
}

/* Compilers keep what is tested and what is changed in registers of their own. */
static void find_twin(struct loop_run *r, u32 which)
{
	struct loop_var *v = &r->var[which];
	const struct val *mine = loop_value(r->entry, v->key);

	for (u32 k = 0; k < which && v->class == VAR_OTHER && mine->type == VAL_SCALAR; k++) {
		const struct val *other = loop_value(r->entry, r->var[k].key);

		if (r->var[k].class != VAR_OTHER || r->var[k].twin || other->type != VAL_SCALAR ||
		    !form_equal(&mine->form, &other->form))
			continue;
		v->twin = k + 1;
		v->sym = r->var[k].sym;
		return;
	}
}

int loop_prepare(struct verify *ver, struct loop_run *r)
{
	u32 live = live_of(ver, r), vars = 0, hinted, unknown = 0;

	if (!room(ver, r, EXT_REGS + r->entry->slots))
		return -1;
	hinted = r->hinted;
	r->n = ver->next_sym++;
	r->most = TURNS_MOST;
	r->candidates = r->proposed = r->rose = 0;
	r->guessing = 2; /* rounds of that sort to come */
	for (u32 k = 0; k < EXT_REGS + r->entry->slots; k++) {
		u32 key = k < EXT_REGS ? k : VAR_SLOT + r->entry->slot[k - EXT_REGS].key;
		struct loop_var *v = &r->var[vars], hint = *v;

		if (k < EXT_REGS && !(live >> k & 1))
			continue;
		memset(v, 0, sizeof(*v));
		v->key = (u16)key;
		v->class = first_class(ver, r, key);
		v->sym = ver->next_sym++;
		v->num = num_any();
		if (v->class == VAR_PLAIN)
			v->bytes = (u8)bytes_of(ver, r->entry, key);
		unknown += v->class == VAR_OTHER;
		if (r->shrinking)
			find_twin(r, vars);
		if (vars++ < hinted && hint.key == key && v->class == VAR_OTHER &&
		    (hint.class == VAR_SAME || hint.class == VAR_AFFINE ||
		     hint.class == VAR_OTHER)) {
			v->class = hint.class;
			v->step = hint.step;
			if (v->class == VAR_OTHER) {
				struct num e = entry_num(ver, r, v);

				v->num = num_join(&e, &hint.num);
			}
			unknown--;
		}
	}
	if (!unknown)
		r->guessing = 1;
	r->vars = vars;
	r->hinted = 0;
	return 0;
}

/* --- the state at the head */
static void put_slot(struct verify *ver, struct state *s, const struct loop_var *v)
{
	struct slot *slot;

	state_slot_plain(ver, s, v->key - VAR_SLOT);
	slot = state_slot(s, v->key - VAR_SLOT);
	if (slot)
		slot->bytes = (u8)bytes_join(slot->bytes, v->bytes);
}

struct state *loop_head(struct verify *ver, struct loop_run *r)
{
	struct state *s = ver->scratch;
	struct num n = num_unsigned(0, r->most);
	u32 live = live_of(ver, r);

	loop_drop(ver, r, r->entry);
	r->proposed = r->candidates;
	state_copy(s, r->entry);
	s->cost = 0;
	for (u32 k = 0; k < EXT_REGS; k++)
		if (!(live >> k & 1))
			s->reg[k] = val_unset();
	state_narrow(ver, s, r->n, &n);
	for (u32 k = 0; k < r->vars; k++) {
		struct loop_var *v = &r->var[k];
		struct val *at = (struct val *)loop_value(s, v->key);

		if (v->class == VAR_PLAIN) {
			put_slot(ver, s, v);
			continue;
		}
		if (v->class == VAR_NONE || !at)
			continue;
		at->form = form_of(r, v);
		if (v->untied & 1)
			at->id = ver->next_id++;
		if (v->class == VAR_OTHER)
			state_narrow(ver, s, v->sym, &v->num);
	}
	for (u32 k = 0; k < r->candidates; k++)
		state_learn(ver, s, &r->candidate[k]);
	return state_keep(ver, s);
}

/* --- the check */
int loop_is_phase(const struct verify *ver, const struct loop_run *r, const struct state *s)
{
	u32 live = live_of(ver, r);

	for (u32 k = 0; k < EXT_REGS; k++)
		if (live >> k & 1 && val_is_set(&r->head->reg[k]) &&
		    !val_shape_equal(&r->head->reg[k], &s->reg[k]))
			return 1;
	return 0;
}

/* It came back as the entry's value + step * (n + 1), by way of other variables. */
static int is_tied(const struct loop_run *r, const struct loop_var *v, const struct form *now,
		   u64 *step)
{
	struct form d;

	*step = 0;
	if (!form_add(now, &loop_value(r->entry, v->key)->form, -1, &d) || d.terms > 1)
		return 0;
	*step = d.c;
	return d.terms ? d.sym[0] == r->n && (u64)d.coef[0] == d.c : d.c == 0;
}

static void see_value(struct verify *ver, const struct loop_run *r, const struct state *s,
		      struct loop_var *v, const struct val *now)
{
	struct form head = form_of(r, v), change;
	struct num n = state_num(ver, s, &now->form), by;
	u64 step;
	int steady = form_parallel(&now->form, &head, &step);

	v->fits &= v->class == VAR_OTHER    ? num_within(&n, &v->num)
		   : v->class == VAR_AFFINE ? steady && (s64)step == v->step
					    : steady && !step;
	if (v->seen && (s64)step != v->step_seen)
		steady = 0;
	v->steady &= (u8)(steady && (s64)step < STEP_MOST && (s64)step > -STEP_MOST);
	v->step_seen = (s64)step;
	v->num_seen = v->seen ? num_join(&v->num_seen, &n) : n;
	if (v->ranged && form_add(&now->form, &head, -1, &change)) {
		by = state_num(ver, s, &change);
		v->ranged = by.smin >= 0 && by.smax < STEP_MOST;
		v->least = v->seen && v->least < by.smin ? v->least : by.smin;
		v->most = v->seen && v->most > by.smax ? v->most : by.smax;
	} else {
		v->ranged = 0;
	}
	v->tied &= (u8)is_tied(r, v, &now->form, &step);
	if (v->seen && (s64)step != v->tied_step)
		v->tied = 0;
	v->tied_step = (s64)step;
	v->seen = 1;
}

/* A slot is no value any more: bytes, as far as they are the same sort. */
static void make_plain(struct verify *ver, const struct loop_run *r, struct loop_var *v)
{
	v->class = VAR_PLAIN;
	v->bytes = (u8)bytes_of(ver, r->head, v->key);
}

static int is_twin(const struct loop_run *r, const struct state *s, const struct loop_var *v,
		   const struct val *now)
{
	const struct val *other = loop_value(s, r->var[v->twin - 1].key);

	return other && other->type == VAL_SCALAR && form_equal(&now->form, &other->form);
}

/* One variable on one way back. Returns 0 when the guess has changed its sort. */
static int see(struct verify *ver, struct loop_run *r, const struct state *s, u32 k)
{
	struct loop_var *v = &r->var[k];
	const struct val *head = loop_value(r->head, v->key), *now = loop_value(s, v->key);
	u32 bytes;

	if (v->class == VAR_NONE)
		return 1;
	if (v->class == VAR_PLAIN) {
		bytes = bytes_join(v->bytes, bytes_of(ver, s, v->key));
		if (bytes == v->bytes)
			return 1;
		v->bytes = (u8)bytes;
		return 0;
	}
	if (v->key >= VAR_SLOT) {
		const struct slot *a = state_slot(r->head, v->key - VAR_SLOT);
		const struct slot *b = state_slot(s, v->key - VAR_SLOT);

		if (!now || a->kind != b->kind || !val_shape_equal(head, now)) {
			make_plain(ver, r, v);
			if (a->kind == SLOT_VAL8 && k + 1 < r->vars)
				make_plain(ver, r, v + 1);
			return 0;
		}
	}
	if (v->twin && !is_twin(r, s, v, now)) {
		v->twin = 0;
		v->sym = ver->next_sym++;
		return 0;
	}
	if (head->may_null && head->id != now->id && !(v->untied & 1)) {
		v->untied |= 1;
		return 0;
	}
	see_value(ver, r, s, v, now);
	return 1;
}

/* A bound that moved goes far; one that stood stays. What is known of bits is not kept: they follow the bounds late. */
static struct num widen(const struct num *old, const struct num *next, int far)
{
	u64 least = next->umin < old->umin ? 0 : old->umin, most = old->umax;

	if (next->umax >> 63)
		return num_signed(next->smin < old->smin ? S64_LEAST : old->smin,
				  next->smax > old->smax ? S64_MOST : old->smax);
	if (next->umax > most)
		most = !far && next->umax <= 0xffff ? 0xffff
		       : next->umax <= 0xffffffff   ? 0xffffffff
						    : ~0ul >> 1;
	return num_unsigned(least, most);
}

/* What the round says of a variable, for the next guess. Returns 1 when the guess holds of it as it is. */
static int judge(struct verify *ver, struct loop_run *r, struct loop_var *v, int is_first)
{
	struct num entry, next;

	if (!v->seen && v->class == VAR_OTHER) {
		v->class = VAR_SAME; /* control does not come back with it */
		return 0;
	}
	if (!v->seen || v->class == VAR_NONE || v->class == VAR_PLAIN)
		return 1;
	entry = entry_num(ver, r, v);
	next = num_join(&entry, &v->num_seen);
	if (is_first && v->class == VAR_OTHER) {
		if (v->steady) {
			v->class = v->step_seen ? VAR_AFFINE : VAR_SAME;
			v->step = v->step_seen;
		} else if (v->ranged) {
			loop_propose_range(ver, r, v);
		}
		v->num = next;
		return 0;
	}
	if (v->class == VAR_OTHER && v->tied && !(v->untied & 2)) {
		v->class = v->tied_step ? VAR_AFFINE : VAR_SAME;
		v->step = v->tied_step;
		v->untied |= 2; /* once */
		return 0;
	}
	if (v->fits)
		return 1;
	if (v->class != VAR_AFFINE && v->steady && !(v->untied & 4)) {
		v->class = v->step_seen ? VAR_AFFINE : VAR_SAME;
		v->step = v->step_seen;
		v->untied |= 4; /* once */
		return 0;
	}
	if (v->class != VAR_OTHER) {
		v->class = VAR_OTHER;
		v->num = next;
		return 0;
	}
	next = num_join(&v->num, &next);
	v->tries++;
	if (v->tries > 3)
		next = num_any();
	else if (v->tries > 1)
		next = widen(&v->num, &next, v->tries == 3);
	v->num = next;
	return 0;
}

/* The guess holds, but the body does not get by with it: as narrow as what was seen. */
static int narrow(struct verify *ver, struct loop_run *r, u64 turns)
{
	int changed = 0;

	if (turns < r->most) {
		r->most = turns;
		changed = 1;
	}
	for (u32 k = 0; k < r->vars; k++) {
		struct loop_var *v = &r->var[k];
		struct num entry, next;

		if (v->class != VAR_OTHER || !v->seen)
			continue;
		entry = entry_num(ver, r, v);
		next = num_join(&entry, &v->num_seen);
		if (num_within(&v->num, &next) || !num_within(&next, &v->num))
			continue;
		v->num = next;
		changed = 1;
	}
	return changed;
}

/* Nothing narrower follows from this guess: once, from the entry's nums upwards. */
static int rise(struct verify *ver, struct loop_run *r)
{
	int changed = 0;

	if (r->rose++)
		return 0;
	for (u32 k = 0; k < r->vars; k++) {
		if (r->var[k].class != VAR_OTHER)
			continue;
		r->var[k].num = entry_num(ver, r, &r->var[k]);
		r->var[k].tries = 0;
		changed = 1;
	}
	r->guessing = changed; /* facts are collected anew */
	return changed;
}

/* 1: the guess holds and the body is right; 0: another round; -1: nothing more to try (ver->failed says if the body is to
 * blame). */
int loop_check(struct verify *ver, struct loop_run *r)
{
	int was = r->guessing, holds = 1;
	u64 turns = 0, most, shrinks = r->shrinking ? loop_shrinks(ver, r) : ~0ul;
	struct num n = state_sym(ver, r->head, r->n);

	most = n.umax < r->most ? n.umax : r->most;
	for (u32 k = 0; k < r->vars; k++) {
		r->var[k].seen = 0;
		r->var[k].steady = r->var[k].fits = r->var[k].ranged = r->var[k].tied = 1;
	}
	for (const struct state *s = r->back; s; s = s->next) {
		if (!state_refs_equal(r->head, s)) {
			verify_refuse(ver, EXT_WHY_REFERENCE,
				      ver->flow.block[ver->flow.loop[r->loop].head].first, -1,
				      "the references held differ from one time round to the next");
			return -1;
		}
		if (loop_is_phase(ver, r, s))
			continue;
		n = state_sym(ver, s, r->n);
		if (n.umax >= turns)
			turns = n.umax + 1;
		for (u32 k = 0; k < r->vars; k++)
			holds &= see(ver, r, s, k);
	}
	if (shrinks < turns)
		turns = shrinks;
	if (was)
		loop_collect(ver, r);
	else
		for (const struct state *s = r->back; s; s = s->next)
			if (!loop_is_phase(ver, r, s))
				holds &= !loop_drop(ver, r, s);
	for (u32 k = 0; k < r->vars; k++)
		holds &= judge(ver, r, &r->var[k], was == 2);
	if (was) {
		if (turns < r->most && was == 1)
			r->most = turns;
		r->guessing--;
		return 0;
	}
	if (turns > r->most) {
		if (!holds && r->most < TURNS_MOST) {
			r->most = TURNS_MOST;
			return 0;
		}
		if (holds && r->most == TURNS_MOST) {
			ver->failed = 0; /* no bound: the root of whatever else */
			return -1;
		}
		r->most = TURNS_MOST;
		return 0;
	}
	if (!holds)
		return 0;
	if (ver->failed)
		return narrow(ver, r, turns) || rise(ver, r) ? 0 : -1;
	if (turns < most && r->var && r->most != turns) {
		r->most = turns; /* tighter */
		return 0;
	}
	r->hinted = r->vars;
	return 1;
}
