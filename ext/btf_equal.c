/* SPDX-License-Identifier: MIT
 * Structural equality of types of two objects: a list of pairs that must be equal, each compared once; comparing one
 * adds those of its parts. So a cycle ends where it began. */
#include <btf.h>
#include <order.h>
#include <refusal.h>

#define LOOSE (1ul << 63) /* the pair's question was a loose one */

int ext_btf_pairs_make(struct ext_arena *arena, const struct ext_btf *a, const struct ext_btf *b,
		       struct ext_btf_pairs *out)
{
	u64 most = 4ul * ((u64)a->types + b->types), slots = 16;

	while (slots < 2 * most)
		slots *= 2;
	*out = (struct ext_btf_pairs){.a = a, .b = b, .most = (u32)most, .slots = (u32)slots};
	out->pair = ext_alloc(arena, most * sizeof(u64));
	out->hash = ext_alloc(arena, slots * sizeof(u32));
	return out->pair && out->hash ? EXT_OK : EXT_WHY_MEMORY;
}

/* Adds a pair of bare types unless it is there. */
static int pair_add(struct ext_btf_pairs *p, u32 x, u32 y, int loose)
{
	u64 pair = (u64)ext_btf_skip(p->a, x) << 32 | ext_btf_skip(p->b, y) | (loose ? LOOSE : 0);
	u64 at = (pair * 0x9e3779b97f4a7c15) >> 32 & (p->slots - 1);

	for (; p->hash[at]; at = (at + 1) & (p->slots - 1))
		if (p->pair[p->hash[at] - 1] == pair)
			return EXT_OK;
	if (p->count == p->most)
		return EXT_WHY_MEMORY;
	p->pair[p->count++] = pair;
	p->hash[at] = p->count;
	return EXT_OK;
}

/* 's' struct, 'u' union, 0 neither: a declaration counts as what it declares. */
static char composite(const struct ext_btf_type *t)
{
	if (t->kind == EXT_BTF_FWD)
		return t->flag ? 'u' : 's';
	return t->kind == EXT_BTF_STRUCT ? 's' : t->kind == EXT_BTF_UNION ? 'u' : 0;
}

static int enums_differ(const struct ext_btf_pairs *p, const struct ext_btf_type *s,
			const struct ext_btf_type *t)
{
	if (s->bytes != t->bytes || s->count != t->count || !ext_name_equal(s->name, t->name))
		return 1;
	for (u32 i = 0; i < s->count; i++) {
		const struct ext_btf_part *m = ext_btf_part(p->a, s, i),
					  *n = ext_btf_part(p->b, t, i);

		if (m->value != n->value || !ext_name_equal(m->name, n->name))
			return 1;
	}
	return 0;
}

/* Structs and unions but for their members' types. */
static int layouts_differ(const struct ext_btf_pairs *p, const struct ext_btf_type *s,
			  const struct ext_btf_type *t)
{
	if (s->bytes != t->bytes || s->count != t->count)
		return 1;
	for (u32 i = 0; i < s->count; i++) {
		const struct ext_btf_part *m = ext_btf_part(p->a, s, i),
					  *n = ext_btf_part(p->b, t, i);

		if (m->bit != n->bit || m->bits != n->bits || !ext_name_equal(m->name, n->name))
			return 1;
	}
	return 0;
}

static int parts_add(struct ext_btf_pairs *p, const struct ext_btf_type *s,
		     const struct ext_btf_type *t, int loose)
{
	for (u32 i = 0; i < s->count; i++)
		if (pair_add(p, ext_btf_part(p->a, s, i)->type, ext_btf_part(p->b, t, i)->type,
			     loose))
			return EXT_WHY_MEMORY;
	return EXT_OK;
}

/* Compares two bare types by themselves and adds the pairs of what they are made of. */
static int pair_compare(struct ext_btf_pairs *p, u32 x, u32 y, int loose)
{
	const struct ext_btf_type *s = ext_btf_type(p->a, x), *t = ext_btf_type(p->b, y);
	char form = composite(s);

	if (form != composite(t) || (!form && s->kind != t->kind))
		return EXT_WHY_LINK;
	if (form) {
		if (!ext_name_equal(s->name, t->name))
			return EXT_WHY_LINK;
		if (s->kind == EXT_BTF_FWD || t->kind == EXT_BTF_FWD ||
		    (p->by_name && p->by_name[x]))
			return EXT_OK;
		if (layouts_differ(p, s, t))
			return EXT_WHY_LINK;
		return parts_add(p, s, t, loose);
	}
	switch (s->kind) {
	case EXT_BTF_INT:
		if (s->bytes != t->bytes ||
		    ((s->encoding ^ t->encoding) & (EXT_BTF_SIGNED | EXT_BTF_BOOL)))
			return EXT_WHY_LINK;
		return EXT_OK;
	case EXT_BTF_FLOAT:
		if (s->bytes != t->bytes)
			return EXT_WHY_LINK;
		return EXT_OK;
	case EXT_BTF_ENUM:
	case EXT_BTF_ENUM64:
		if (enums_differ(p, s, t))
			return EXT_WHY_LINK;
		return EXT_OK;
	case EXT_BTF_PTR:
		if (ext_btf_is_const(p->a, s->type) != ext_btf_is_const(p->b, t->type) &&
		    (!loose || ext_btf_is_const(p->b, t->type)))
			return EXT_WHY_LINK;
		return pair_add(p, s->type, t->type, loose);
	case EXT_BTF_ARRAY:
		if (s->count != t->count)
			return EXT_WHY_LINK;
		return pair_add(p, s->type, t->type, loose);
	case EXT_BTF_FUNC:
		return pair_add(p, s->type, t->type, loose);
	case EXT_BTF_FUNC_PROTO:
		if (s->count != t->count)
			return EXT_WHY_LINK;
		if (pair_add(p, s->type, t->type, loose))
			return EXT_WHY_MEMORY;
		return parts_add(p, s, t, loose);
	case EXT_BTF_VOID:
		return EXT_OK;
	default:
		return EXT_WHY_LINK; /* variables, sections, tags */
	}
}

int ext_btf_equal(struct ext_btf_pairs *p, u32 x, u32 y, int loose)
{
	int bad = pair_add(p, x, y, loose);

	while (!bad && p->done < p->count) {
		u64 pair = p->pair[p->done++];

		p->left = (u32)(pair >> 32) & 0x7fffffff;
		p->right = (u32)pair;
		bad = pair_compare(p, p->left, p->right, (pair & LOOSE) != 0);
	}
	return bad;
}
