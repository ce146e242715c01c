/* SPDX-License-Identifier: MIT
 * Registers and stack of an abstract state; keeping and forgetting states. */
#include "mem.h"
#include <refusal.h>
#include <verify.h>

struct val val_scalar(const struct form *f)
{
	struct val v = {.type = VAL_SCALAR, .form = *f};

	return v;
}

struct val val_unset(void)
{
	return (struct val){.type = VAL_UNSET};
}

/* Nothing but offset or value differs. */
int val_shape_equal(const struct val *a, const struct val *b)
{
	if (!val_is_set(a) || !val_is_set(b))
		return val_is_set(a) == val_is_set(b);
	return a->type == b->type && a->may_null == b->may_null && a->which == b->which &&
	       a->readonly == b->readonly && a->sealed == b->sealed && a->len == b->len &&
	       a->bytes == b->bytes && (a->may_null || a->id == b->id);
}

/* --- slots */
static u32 slot_at(const struct state *s, u32 key)
{
	u32 low = 0, high = s->slots;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (s->slot[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct slot *state_slot(const struct state *s, u32 key)
{
	u32 at = slot_at(s, key);

	return at < s->slots && s->slot[at].key == key ? &s->slot[at] : 0;
}

struct slot *state_slot_make(struct state *s, u32 key)
{
	u32 at = slot_at(s, key);

	if (at < s->slots && s->slot[at].key == key)
		return &s->slot[at];
	/* there is room: keys are of EXT_FRAMES frames, 132 each */
	memmove(&s->slot[at + 1], &s->slot[at], (s->slots - at) * sizeof(s->slot[0]));
	s->slots++;
	memset(&s->slot[at], 0, sizeof(s->slot[at]));
	s->slot[at].key = (u16)key;
	return &s->slot[at];
}

static void drop_at(struct state *s, u32 at, u32 count)
{
	s->slots -= count;
	memmove(&s->slot[at], &s->slot[at + count], (s->slots - at) * sizeof(s->slot[0]));
}

void state_slot_drop(struct state *s, u32 key)
{
	u32 at = slot_at(s, key);

	if (at < s->slots && s->slot[at].key == key)
		drop_at(s, at, 1);
}

static void forget_frame(void *context, struct val *v)
{
	if (v->type == VAL_STACK && v->which == *(u32 *)context)
		*v = val_unset();
}

/* A function returns: its frame and all pointers to it are gone. */
void state_drop_frame(struct state *s, u32 frame)
{
	u32 from = slot_at(s, frame * FRAME_KEYS), to = slot_at(s, (frame + 1) * FRAME_KEYS);

	drop_at(s, from, to - from);
	state_each(s, forget_frame, &frame);
}

u32 slot_byte(const struct verify *ver, const struct state *s, const struct slot *slot, u32 byte)
{
	const struct slot *whole = slot;

	(void)ver;
	if (!slot)
		return BYTE_UNSET;
	if (slot->kind == SLOT_BYTES)
		return slot->bytes >> 2 * byte & 3;
	if (slot->kind == SLOT_HALF)
		whole = state_slot(s, slot->key - 1u);
	if (!whole || !val_is_set(&whole->val))
		return BYTE_UNSET;
	if (val_is_pointer(&whole->val))
		return BYTE_POINTER;
	if (!whole->val.form.terms &&
	    !(whole->val.form.c >> (8 * (byte + (slot->kind == SLOT_HALF ? 4 : 0))) & 0xff))
		return BYTE_ZERO;
	return BYTE_MISC;
}

void state_slot_plain(struct verify *ver, struct state *s, u32 key)
{
	struct slot *slot = state_slot(s, key), *low = slot, *high;
	u8 bytes[2] = {0, 0};

	if (!slot || slot->kind == SLOT_BYTES)
		return;
	if (slot->kind == SLOT_HALF)
		low = state_slot(s, key - 1);
	high = low->kind == SLOT_VAL8 ? low + 1 : 0;
	for (u32 half = 0; half < 2; half++)
		for (u32 b = 0; b < 4; b++) {
			u32 is = half && !high ? BYTE_UNSET
					       : slot_byte(ver, s, half ? high : low, b);

			if (is != BYTE_POINTER) /* part of a pointer is nobody's data */
				bytes[half] |= (u8)(is << 2 * b);
		}
	low->kind = SLOT_BYTES;
	low->bytes = bytes[0];
	if (high) {
		high->kind = SLOT_BYTES;
		high->bytes = bytes[1];
	}
}

/* --- all values */
void state_each(struct state *s, void (*f)(void *context, struct val *v), void *context)
{
	for (u32 i = 0; i < EXT_REGS; i++)
		f(context, &s->reg[i]);
	for (u32 i = 0; i < s->slots; i++)
		if (s->slot[i].kind == SLOT_VAL4 || s->slot[i].kind == SLOT_VAL8)
			f(context, &s->slot[i].val);
}

struct resolve {
	u32 id;
	int null;
};

static void resolve_val(void *context, struct val *v)
{
	const struct resolve *r = context;
	struct form zero = form_const(0);

	if (!val_is_pointer(v) || v->id != r->id)
		return;
	if (r->null == 2)
		*v = (struct val){.type = VAL_UNSET, .which = VAL_RELEASED};
	else if (r->null)
		*v = val_scalar(&zero);
	else
		v->may_null = 0;
}

void state_resolve(struct state *s, u32 id, int null)
{
	struct resolve r = {id, null};

	state_each(s, resolve_val, &r);
	if (null == 1)
		state_drop_ref(s, id);
	if (null == 0 && !state_has_ref(s, id)) {
		/* an id without a use keeps states apart */
		for (u32 i = 0; i < EXT_REGS; i++)
			if (val_is_pointer(&s->reg[i]) && s->reg[i].id == id)
				s->reg[i].id = 0;
		for (u32 i = 0; i < s->slots; i++)
			if (val_is_pointer(&s->slot[i].val) && s->slot[i].val.id == id)
				s->slot[i].val.id = 0;
	}
}

int state_has_ref(const struct state *s, u32 id)
{
	for (u32 i = 0; i < s->refs; i++)
		if (s->ref[i] == id)
			return 1;
	return 0;
}

void state_drop_ref(struct state *s, u32 id)
{
	for (u32 i = 0; i < s->refs; i++)
		if (s->ref[i] == id) {
			s->ref[i] = s->ref[--s->refs];
			return;
		}
}

/* --- forgetting */
/* Marks are kept in place: a symbol's own bit. */
struct mark {
	struct state *s;
	u8 *seen;
};

static void mark_sym(struct mark *m, u32 sym)
{
	u32 low = 0, high = m->s->syms;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (m->s->sym[mid].sym == sym) {
			m->seen[mid] = 1;
			return;
		}
		if (m->s->sym[mid].sym < sym)
			low = mid + 1;
		else
			high = mid;
	}
}

static void mark_val(void *context, struct val *v)
{
	struct mark *m = context;

	if (!val_is_set(v))
		return;
	for (u32 i = 0; i < v->form.terms; i++)
		mark_sym(m, v->form.sym[i]);
	if (v->len)
		mark_sym(m, v->len);
}

static int is_marked(const struct mark *m, u32 sym)
{
	for (u32 i = 0; i < m->s->syms; i++)
		if (m->s->sym[i].sym == sym)
			return m->seen[i];
	return 0;
}

/* A fact stays if all of its symbols are spoken of, or all but one that another fact has, too. */
static int fact_matters(const struct mark *m, u32 which)
{
	const struct form *f = &m->s->fact[which];
	u32 missing = 0;

	for (u32 i = 0; i < f->terms; i++) {
		u32 others = 0;

		if (is_marked(m, f->sym[i]))
			continue;
		missing++;
		for (u32 k = 0; k < m->s->facts; k++)
			others += k != which && form_coef(&m->s->fact[k], f->sym[i]) != 0;
		if (!others)
			return 0;
	}
	return missing < f->terms && missing < 2;
}

void state_sweep(struct verify *ver, struct state *s)
{
	u8 seen[SYMS_MOST];
	struct mark m = {s, seen};
	u32 kept = 0;
	u8 matters[FACTS_MOST];

	memset(seen, 0, s->syms);
	state_each(s, mark_val, &m);
	for (struct loop_run *r = ver->runs; r; r = r->outer) {
		mark_sym(&m, r->n);
		for (u32 k = 0; r->shrinking && k < r->vars; k++)
			mark_sym(&m, r->var[k].sym);
	}
	for (u32 k = 0; k < ver->halves && k < HALVES_MOST; k++)
		if (ver->half[k].of.terms &&
		    (ver->half[k].of.sym[0] <= ver->bases || is_marked(&m, ver->half[k].of.sym[0])))
			mark_sym(&m, ver->half[k].sym);
	for (u32 k = 0; k < s->facts; k++)
		matters[k] = (u8)fact_matters(&m, k);
	for (u32 k = 0; k < s->facts; k++)
		if (matters[k])
			s->fact[kept++] = s->fact[k];
	s->facts = kept;
	for (u32 k = 0; k < s->facts; k++)
		for (u32 i = 0; i < s->fact[k].terms; i++)
			mark_sym(&m, s->fact[k].sym[i]);
	kept = 0;
	for (u32 i = 0; i < s->syms; i++)
		if (seen[i] || s->sym[i].sym <= ver->bases)
			s->sym[kept++] = s->sym[i];
	s->syms = kept;
}

/* --- keeping: states are kept exactly as large as they are, in sizes of powers of two */
static u64 layout(struct state *s, u32 slots, u32 syms, u32 facts)
{
	u64 at = sizeof(*s);

	if (s)
		s->slot = (struct slot *)(void *)((u8 *)s + at);
	at += slots * sizeof(struct slot);
	if (s)
		s->sym = (struct known *)(void *)((u8 *)s + at);
	at += syms * sizeof(struct known);
	if (s)
		s->fact = (struct form *)(void *)((u8 *)s + at);
	return at + facts * sizeof(struct form);
}

void state_copy(struct state *to, const struct state *from)
{
	struct slot *slot = to->slot;
	struct known *sym = to->sym;
	struct form *fact = to->fact;
	u32 room = to->room;

	*to = *from;
	to->next = 0;
	to->room = room;
	to->slot = slot;
	to->sym = sym;
	to->fact = fact;
	memcpy(slot, from->slot, from->slots * sizeof(*slot));
	memcpy(sym, from->sym, from->syms * sizeof(*sym));
	memcpy(fact, from->fact, from->facts * sizeof(*fact));
}

struct state *state_keep(struct verify *ver, const struct state *s)
{
	u64 bytes = layout(0, s->slots, s->syms, s->facts), size = 1024;
	struct state *kept;
	u32 room = 0;

	while (size < bytes) {
		size *= 2;
		room++;
	}
	ver->out->states++;
	if (room < KEPT_CLASSES && ver->kept[room]) {
		kept = ver->kept[room];
		ver->kept[room] = kept->next;
	} else {
		kept = ext_alloc(ver->arena, size);
		if (!kept) {
			ver->stop = ver->failed = 1;
			ext_refuse_memory(ver->why);
			return 0;
		}
	}
	layout(kept, s->slots, s->syms, s->facts);
	kept->room = room;
	state_copy(kept, s);
	return kept;
}

void state_free(struct verify *ver, struct state *s)
{
	if (s->room >= KEPT_CLASSES)
		return;
	s->next = ver->kept[s->room];
	ver->kept[s->room] = s;
}

struct state *state_new(struct verify *ver)
{
	struct state *s = ext_alloc(ver->arena, layout(0, SLOTS_MOST, SYMS_MOST, FACTS_MOST));

	if (s) {
		layout(s, SLOTS_MOST, SYMS_MOST, FACTS_MOST);
		s->room = KEPT_CLASSES;
	}
	return s;
}
