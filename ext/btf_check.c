/* SPDX-License-Identifier: MIT
 * The later passes over BTF: sizes, what needs sizes, and the orders by name and tag. References lie within the table
 * by now. */
#include <btf.h>
#include <order.h>
#include <refusal.h>

/* The walk along what contains what by value: path[0..depth-1] is the way from where it began, next[] how many of each
 * one's parts were visited. state: 0 not met, 1 on the path, 2 done. */
struct walk {
	struct ext_btf *b;
	struct ext_refusal *why;
	u32 *path, *next;
	u8 *state;
};

static int is_modifier(u32 kind)
{
	return kind == EXT_BTF_TYPEDEF || kind == EXT_BTF_VOLATILE || kind == EXT_BTF_CONST ||
	       kind == EXT_BTF_RESTRICT || kind == EXT_BTF_TYPE_TAG;
}

static int is_composite(u32 kind)
{
	return kind == EXT_BTF_STRUCT || kind == EXT_BTF_UNION;
}

/* The n-th type that id contains by value (or names it anew); 0: no more. */
static u32 content(const struct ext_btf *b, u32 id, u32 n)
{
	const struct ext_btf_type *t = &b->type[id];

	if (is_composite(t->kind))
		return n < t->count ? b->part[t->first + n].type : 0;
	if (is_modifier(t->kind) || t->kind == EXT_BTF_ARRAY)
		return n ? 0 : t->type;
	return 0;
}

static int member_check(struct walk *w, u32 id, u32 n, u64 *end)
{
	const struct ext_btf_type *t = &w->b->type[id], *m;
	const struct ext_btf_part *p = &w->b->part[t->first + n];
	u64 bits;

	m = &w->b->type[w->b->type[p->type].bare];
	if (!ext_btf_has_value(m->kind))
		return ext_refuse(w->why, EXT_WHY_BTF, t->offset,
				  "member %s of type %u has no size", p->name, (u64)id);
	if (p->bits && m->kind != EXT_BTF_INT && m->kind != EXT_BTF_ENUM &&
	    m->kind != EXT_BTF_ENUM64)
		return ext_refuse(w->why, EXT_WHY_BTF, t->offset,
				  "member %s of type %u: bits of what is no integer", p->name,
				  (u64)id);
	if (p->bits > m->bytes * 8)
		return ext_refuse(w->why, EXT_WHY_BTF, t->offset,
				  "member %s of type %u: %u bits of %u bytes", p->name, (u64)id,
				  (u64)p->bits, (u64)m->bytes);
	if (!p->bits && p->bit % 8)
		return ext_refuse(w->why, EXT_WHY_BTF, t->offset,
				  "member %s of type %u begins at bit %u", p->name, (u64)id,
				  (u64)p->bit);
	bits = p->bits ? p->bits : m->bytes * 8ul;
	if (p->bit + bits > t->bytes * 8ul)
		return ext_refuse(w->why, EXT_WHY_BTF, t->offset,
				  "member %s of type %u ends at bit %u; its struct has %u bytes",
				  p->name, (u64)id, p->bit + bits, (u64)t->bytes);
	if (t->kind == EXT_BTF_STRUCT && p->bit < *end)
		return ext_refuse(w->why, EXT_WHY_BTF, t->offset,
				  "member %s of type %u overlaps the one before", p->name, (u64)id);
	*end = p->bit + bits;
	return EXT_OK;
}

/* All that id contains is done. */
static int complete(struct walk *w, u32 id)
{
	struct ext_btf_type *t = &w->b->type[id];
	const struct ext_btf_type *to = &w->b->type[t->type];
	u64 bytes, end = 0;
	int bad;

	t->bare = id;
	if (is_modifier(t->kind)) {
		t->bare = to->bare;
		t->is_const = to->is_const || t->kind == EXT_BTF_CONST;
		t->bytes = to->bytes;
	} else if (t->kind == EXT_BTF_ARRAY) {
		if (!ext_btf_has_value(w->b->type[to->bare].kind))
			return ext_refuse(w->why, EXT_WHY_BTF, t->offset,
					  "type %u: an array of what has no size", (u64)id);
		bytes = (u64)t->count * to->bytes;
		if (bytes > 0xffffffff)
			return ext_refuse(w->why, EXT_WHY_BTF, t->offset,
					  "type %u: an array of %u bytes", (u64)id, bytes);
		t->bytes = (u32)bytes;
	} else if (is_composite(t->kind)) {
		for (u32 i = 0; i < t->count; i++)
			if ((bad = member_check(w, id, i, &end)))
				return bad;
	}
	return EXT_OK;
}

static int walk_from(struct walk *w, u32 id)
{
	u32 depth = 0;
	int bad;

	w->path[depth++] = id;
	w->state[id] = 1;
	while (depth) {
		u32 at = w->path[depth - 1], to = content(w->b, at, w->next[at]);

		while (to && w->state[to] == 2)
			to = content(w->b, at, ++w->next[at]);
		if (to && w->state[to] == 1)
			return ext_refuse(w->why, EXT_WHY_BTF, w->b->type[to].offset,
					  "type %u contains itself", (u64)to);
		if (to) {
			w->next[at]++;
			w->state[to] = 1;
			w->path[depth++] = to;
			continue;
		}
		if ((bad = complete(w, at)))
			return bad;
		w->state[at] = 2;
		depth--;
	}
	return EXT_OK;
}

/* What needs the bare kind of others. */
static int use_check(const struct ext_btf *b, u32 id, struct ext_refusal *why)
{
	const struct ext_btf_type *t = &b->type[id];
	u32 kind = b->type[b->type[t->type].bare].kind;

	if (t->kind == EXT_BTF_VAR) {
		if (!ext_btf_has_value(kind) && t->linkage != EXT_BTF_EXTERN)
			return ext_refuse(why, EXT_WHY_BTF, t->offset, "variable %s has no size",
					  t->name);
		return EXT_OK;
	}
	if (t->kind != EXT_BTF_FUNC_PROTO)
		return EXT_OK;
	if (kind != EXT_BTF_VOID && !ext_btf_has_value(kind))
		return ext_refuse(why, EXT_WHY_BTF, t->offset,
				  "type %u: a function that returns what has no size", (u64)id);
	for (u32 i = 0; i < t->count; i++) {
		const struct ext_btf_part *p = &b->part[t->first + i];

		if (!p->type && i + 1 == t->count && !p->name[0])
			continue; /* any further ones */
		if (!ext_btf_has_value(b->type[b->type[p->type].bare].kind))
			return ext_refuse(why, EXT_WHY_BTF, t->offset,
					  "type %u: parameter %u has no size", (u64)id, (u64)i + 1);
	}
	return EXT_OK;
}

int ext_btf_resolve(struct ext_arena *a, struct ext_btf *b, struct ext_refusal *why)
{
	struct walk w = {.b = b, .why = why};
	u64 used = a->used;
	int bad;

	w.path = ext_alloc(a, b->types * sizeof(u32));
	w.next = ext_alloc(a, b->types * sizeof(u32));
	w.state = ext_alloc(a, b->types);
	if (!w.path || !w.next || !w.state)
		return ext_refuse_memory(why);
	w.state[0] = 2;
	for (u32 id = 1; id < b->types; id++)
		if (!w.state[id] && (bad = walk_from(&w, id)))
			return bad;
	a->used = used;
	for (u32 id = 1; id < b->types; id++)
		if ((bad = use_check(b, id, why)))
			return bad;
	return EXT_OK;
}

static int name_before(const void *context, u32 x, u32 y)
{
	const struct ext_btf *b = context;
	int c = ext_name_compare(b->type[x].name, b->type[y].name);

	if (!c)
		c = b->type[x].kind - b->type[y].kind;
	return c ? c < 0 : x < y;
}

static int tag_before(const void *context, u32 x, u32 y)
{
	const struct ext_btf *b = context;
	const struct ext_btf_type *s = &b->type[x], *t = &b->type[y];

	if (s->type != t->type)
		return s->type < t->type;
	return s->component != t->component ? s->component < t->component : x < y;
}

int ext_btf_index(struct ext_arena *a, struct ext_btf *b, struct ext_refusal *why)
{
	for (u32 id = 1; id < b->types; id++) {
		b->tags += b->type[id].kind == EXT_BTF_DECL_TAG;
		b->names += b->type[id].name[0] && b->type[id].kind != EXT_BTF_DECL_TAG;
	}
	b->tag = ext_alloc(a, b->tags * sizeof(u32));
	b->named = ext_alloc(a, b->names * sizeof(u32));
	if (!b->tag || !b->named)
		return ext_refuse_memory(why);
	b->tags = b->names = 0;
	for (u32 id = 1; id < b->types; id++) {
		if (b->type[id].kind == EXT_BTF_DECL_TAG)
			b->tag[b->tags++] = id;
		else if (b->type[id].name[0])
			b->named[b->names++] = id;
	}
	ext_order(b->tag, b->tags, tag_before, b);
	ext_order(b->named, b->names, name_before, b);
	return EXT_OK;
}
