/* SPDX-License-Identifier: MIT
 * Reading of BTF: counted first, then filled in, then checked as a whole. Order of the passes:
 *  1. count: every record lies inside, is of a known kind: how many types and parts there are.
 *  2. fill: names are terminated and short, references lie within the table and name a type where one must be.
 *  3. resolve: sizes, depth first along what contains what by value; a circle there is refused.
 *  4. check what needs sizes of others, order names and tags. */
#include <btf.h>
#include <order.h>
#include <refusal.h>

#define MAGIC 0xeb9f
#define HEADER 24
#define NAME_MOST 255

struct reader {
	struct ext_arena *arena;
	const u8 *section;
	u64 base;
	u32 type_at, type_end; /* in the section */
	u32 string_at, string_bytes;
	struct ext_btf *out;
	struct ext_refusal *why;
};

static int header_read(struct reader *r, u64 bytes)
{
	const u8 *s = r->section;
	u64 header, types, strings;

	if (bytes < HEADER)
		return ext_refuse(r->why, EXT_WHY_BTF, r->base,
				  ".BTF has %u bytes, fewer than its header", bytes);
	if (ext_get16(s) != MAGIC)
		return ext_refuse(r->why, EXT_WHY_BTF, r->base, ".BTF begins with %x, not 0xeb9f",
				  (u64)ext_get16(s));
	if (s[2] != 1)
		return ext_refuse(r->why, EXT_WHY_BTF, r->base + 2, ".BTF is of version %u, not 1",
				  (u64)s[2]);
	if (s[3])
		return ext_refuse(r->why, EXT_WHY_BTF, r->base + 3, ".BTF has unknown flags %x",
				  (u64)s[3]);
	header = ext_get32(s + 4);
	if (header < HEADER || header > bytes)
		return ext_refuse(r->why, EXT_WHY_BTF, r->base + 4, ".BTF's header has %u bytes",
				  header);
	types = ext_get32(s + 12);
	if (header + ext_get32(s + 8) + types > bytes)
		return ext_refuse(r->why, EXT_WHY_BTF, r->base + 8,
				  ".BTF's types end behind the section");
	strings = ext_get32(s + 20);
	if (header + ext_get32(s + 16) + strings > bytes)
		return ext_refuse(r->why, EXT_WHY_BTF, r->base + 16,
				  ".BTF's names end behind the section");
	r->type_at = (u32)(header + ext_get32(s + 8));
	r->type_end = (u32)(r->type_at + types);
	r->string_at = (u32)(header + ext_get32(s + 16));
	r->string_bytes = (u32)strings;
	if (!strings || s[r->string_at] || s[r->string_at + strings - 1])
		return ext_refuse(r->why, EXT_WHY_BTF, r->base + r->string_at,
				  ".BTF's names do not begin and end with a zero byte");
	return EXT_OK;
}

/* Bytes of a record behind its first twelve: of each of its `count` parts, and besides. */
static u32 part_bytes(u32 kind)
{
	switch (kind) {
	case EXT_BTF_STRUCT:
	case EXT_BTF_UNION:
	case EXT_BTF_DATASEC:
	case EXT_BTF_ENUM64:
		return 12;
	case EXT_BTF_ENUM:
	case EXT_BTF_FUNC_PROTO:
		return 8;
	default:
		return 0;
	}
}

static u32 more_bytes(u32 kind)
{
	switch (kind) {
	case EXT_BTF_ARRAY:
		return 12;
	case EXT_BTF_INT:
	case EXT_BTF_VAR:
	case EXT_BTF_DECL_TAG:
		return 4;
	default:
		return 0;
	}
}

static u32 info_kind(u32 info)
{
	return info >> 24 & 31;
}

static int count(struct reader *r)
{
	u32 types = 1, parts = 0;

	for (u64 at = r->type_at; at < r->type_end; types++) {
		u32 info, kind;

		if (r->type_end - at < 12)
			return ext_refuse(r->why, EXT_WHY_BTF, r->base + at, "type %u is cut off",
					  (u64)types);
		info = ext_get32(r->section + at + 4);
		kind = info_kind(info);
		if (!kind || kind >= EXT_BTF_KINDS)
			return ext_refuse(r->why, EXT_WHY_BTF, r->base + at + 4,
					  "type %u is of unknown kind %u", (u64)types, (u64)kind);
		at += 12 + more_bytes(kind);
		if (part_bytes(kind)) {
			at += (u64)part_bytes(kind) * (info & 0xffff);
			parts += info & 0xffff;
		}
		if (at > r->type_end)
			return ext_refuse(r->why, EXT_WHY_BTF, r->base + r->type_end,
					  "type %u is cut off", (u64)types);
	}
	r->out->types = types;
	r->out->parts = parts;
	r->out->type = ext_alloc(r->arena, types * sizeof(struct ext_btf_type));
	r->out->part = ext_alloc(r->arena, parts * sizeof(struct ext_btf_part));
	if (!r->out->type || !r->out->part)
		return ext_refuse_memory(r->why);
	return EXT_OK;
}

static int name_read(struct reader *r, u64 at, const char **out)
{
	u32 offset = ext_get32(r->section + at);
	const char *name = (const char *)r->section + r->string_at + offset;
	u32 length = 0;

	if (offset >= r->string_bytes)
		return ext_refuse(r->why, EXT_WHY_BTF, r->base + at,
				  "a name at %u, outside of the names", (u64)offset);
	while (length <= NAME_MOST && name[length]) /* ends: the last of all names' bytes is zero */
		length++;
	if (length > NAME_MOST)
		return ext_refuse(r->why, EXT_WHY_BTF, r->base + at, "a name of more than %u bytes",
				  (u64)NAME_MOST);
	*out = name;
	return EXT_OK;
}

static int must_have_name(u32 kind)
{
	return kind == EXT_BTF_INT || kind == EXT_BTF_FWD || kind == EXT_BTF_TYPEDEF ||
	       kind == EXT_BTF_FUNC || kind == EXT_BTF_VAR || kind == EXT_BTF_DATASEC ||
	       kind == EXT_BTF_DECL_TAG || kind == EXT_BTF_TYPE_TAG;
}

/* The part at `at` of a type of that kind. */
static int part_read(struct reader *r, const struct ext_btf_type *t, u64 at, struct ext_btf_part *p)
{
	const u8 *s = r->section + at;
	u32 bit;

	if (t->kind == EXT_BTF_DATASEC) {
		p->name = "";
		p->type = ext_get32(s);
		p->bit = ext_get32(s + 4);
		p->bits = ext_get32(s + 8);
		return EXT_OK;
	}
	switch (t->kind) {
	case EXT_BTF_ENUM:
		p->value = (u64)(s64)(s32)ext_get32(s + 4);
		break;
	case EXT_BTF_ENUM64:
		p->value = ext_get64(s + 4);
		break;
	case EXT_BTF_FUNC_PROTO:
		p->type = ext_get32(s + 4);
		break;
	default:
		p->type = ext_get32(s + 4);
		bit = ext_get32(s + 8);
		p->bit = t->flag ? bit & 0xffffff : bit;
		p->bits = t->flag ? bit >> 24 : 0;
	}
	return name_read(r, at, &p->name);
}

/* What a record says of itself alone. */
static int scalar_check(struct reader *r, u32 id, struct ext_btf_type *t, u32 word, u64 at)
{
	u32 bytes = t->bytes;

	switch (t->kind) {
	case EXT_BTF_INT:
		if (!bytes || bytes > 16 || (bytes & (bytes - 1)))
			return ext_refuse(r->why, EXT_WHY_BTF, at,
					  "type %u: an integer of %u bytes", (u64)id, (u64)bytes);
		if ((word & 0xff) != bytes * 8 || word & 0xff0000 || word >> 27)
			return ext_refuse(r->why, EXT_WHY_BTF, at + 12,
					  "type %u: an integer of %u bytes with bits %x", (u64)id,
					  (u64)bytes, (u64)word);
		t->encoding = word >> 24 & 7;
		break;
	case EXT_BTF_ENUM:
	case EXT_BTF_ENUM64:
		if (!bytes || bytes > 8 || (bytes & (bytes - 1)))
			return ext_refuse(r->why, EXT_WHY_BTF, at, "type %u: an enum of %u bytes",
					  (u64)id, (u64)bytes);
		break;
	case EXT_BTF_FLOAT:
		if (bytes < 2 || bytes > 16 || (bytes & (bytes - 1) && bytes != 12))
			return ext_refuse(r->why, EXT_WHY_BTF, at, "type %u: a float of %u bytes",
					  (u64)id, (u64)bytes);
		break;
	case EXT_BTF_VAR:
		if (word > EXT_BTF_EXTERN)
			return ext_refuse(r->why, EXT_WHY_BTF, at + 12,
					  "type %u: unknown linkage %u", (u64)id, (u64)word);
		t->linkage = (u8)word;
		break;
	case EXT_BTF_FUNC:
		if (word > EXT_BTF_EXTERN)
			return ext_refuse(r->why, EXT_WHY_BTF, at + 4,
					  "type %u: unknown linkage %u", (u64)id, (u64)word);
		t->linkage = (u8)word;
		break;
	default:
		break;
	}
	return EXT_OK;
}

static int fill(struct reader *r)
{
	u64 at = r->type_at;
	u32 part = 0;
	int bad;

	r->out->type[0].name = "";
	for (u32 id = 1; id < r->out->types; id++) {
		struct ext_btf_type *t = &r->out->type[id];
		const u8 *s = r->section + at;
		u32 info = ext_get32(s + 4), word = 0;

		t->kind = (u8)info_kind(info);
		t->flag = info >> 31;
		t->offset = r->base + at;
		if ((bad = name_read(r, at, &t->name)))
			return bad;
		if (!t->name[0] && must_have_name(t->kind))
			return ext_refuse(r->why, EXT_WHY_BTF, t->offset,
					  "type %u must have a name", (u64)id);
		switch (t->kind) {
		case EXT_BTF_INT:
			word = ext_get32(s + 12);
			t->bytes = ext_get32(s + 8);
			break;
		case EXT_BTF_ENUM:
		case EXT_BTF_ENUM64:
		case EXT_BTF_FLOAT:
		case EXT_BTF_STRUCT:
		case EXT_BTF_UNION:
			t->bytes = ext_get32(s + 8);
			break;
		case EXT_BTF_ARRAY:
			t->type = ext_get32(s + 12);
			t->count = ext_get32(s + 20);
			break;
		case EXT_BTF_VAR:
			word = ext_get32(s + 12);
			t->type = ext_get32(s + 8);
			break;
		case EXT_BTF_DECL_TAG:
			t->component = (s32)ext_get32(s + 12);
			t->type = ext_get32(s + 8);
			break;
		case EXT_BTF_FUNC:
			word = info & 0xffff;
			t->type = ext_get32(s + 8);
			break;
		case EXT_BTF_FWD:
		case EXT_BTF_DATASEC:
			break; /* the one has no size, the other's is not filled in by compilers */
		default:
			t->type = ext_get32(s + 8);
			break;
		}
		if (t->kind == EXT_BTF_PTR)
			t->bytes = 8;
		if ((bad = scalar_check(r, id, t, word, t->offset)))
			return bad;
		at += 12 + more_bytes(t->kind);
		if (!part_bytes(t->kind))
			continue;
		t->first = part;
		t->count = info & 0xffff;
		for (u32 i = 0; i < t->count; i++, at += part_bytes(t->kind))
			if ((bad = part_read(r, t, at, &r->out->part[part++])))
				return bad;
	}
	return EXT_OK;
}

static int is_declaration(u32 kind)
{
	return kind == EXT_BTF_FUNC || kind == EXT_BTF_VAR || kind == EXT_BTF_DATASEC ||
	       kind == EXT_BTF_DECL_TAG;
}

/* id's reference to `to`: within the table, and to a type, not to a function, variable, section or tag. */
static int reference_check(struct reader *r, u32 id, u32 to)
{
	if (to >= r->out->types)
		return ext_refuse(r->why, EXT_WHY_BTF, r->out->type[id].offset,
				  "type %u refers to type %u; there are %u", (u64)id, (u64)to,
				  (u64)r->out->types - 1);
	if (is_declaration(r->out->type[to].kind))
		return ext_refuse(r->why, EXT_WHY_BTF, r->out->type[id].offset,
				  "type %u refers to %u, which is no type", (u64)id, (u64)to);
	return EXT_OK;
}

/* FUNC, DATASEC and DECL_TAG refer to what is no type. */
static int declaration_check(struct reader *r, u32 id)
{
	const struct ext_btf *b = r->out;
	const struct ext_btf_type *t = &b->type[id], *to;
	u32 most;

	if (t->kind == EXT_BTF_DATASEC) {
		for (u32 i = 0; i < t->count; i++)
			if (b->part[t->first + i].type >= b->types ||
			    b->type[b->part[t->first + i].type].kind != EXT_BTF_VAR)
				return ext_refuse(r->why, EXT_WHY_BTF, t->offset,
						  "section %s (type %u): entry %u is no variable",
						  t->name, (u64)id, (u64)i);
		return EXT_OK;
	}
	if (t->type >= b->types)
		return ext_refuse(r->why, EXT_WHY_BTF, t->offset,
				  "type %u refers to type %u; there are %u", (u64)id, (u64)t->type,
				  (u64)b->types - 1);
	to = &b->type[t->type];
	if (t->kind == EXT_BTF_FUNC) {
		if (to->kind != EXT_BTF_FUNC_PROTO)
			return ext_refuse(r->why, EXT_WHY_BTF, t->offset,
					  "function %s (type %u): type %u is no function's",
					  t->name, (u64)id, (u64)t->type);
		return EXT_OK;
	}
	switch (to->kind) {
	case EXT_BTF_STRUCT:
	case EXT_BTF_UNION:
		most = to->count;
		break;
	case EXT_BTF_FUNC: /* its FUNC_PROTO is checked when its own turn comes */
		most = to->type < b->types && b->type[to->type].kind == EXT_BTF_FUNC_PROTO
			       ? b->type[to->type].count
			       : 0;
		break;
	case EXT_BTF_VAR:
	case EXT_BTF_TYPEDEF:
		most = 0;
		break;
	default:
		return ext_refuse(r->why, EXT_WHY_BTF, t->offset,
				  "tag \"%s\" (type %u) on type %u, which takes none", t->name,
				  (u64)id, (u64)t->type);
	}
	if (t->component < -1 || (t->component >= 0 && (u32)t->component >= most))
		return ext_refuse(r->why, EXT_WHY_BTF, t->offset,
				  "tag \"%s\" (type %u) on component %d of type %u", t->name,
				  (u64)id, (s64)t->component, (u64)t->type);
	return EXT_OK;
}

static int has_member_types(u32 kind)
{
	return kind == EXT_BTF_STRUCT || kind == EXT_BTF_UNION || kind == EXT_BTF_FUNC_PROTO;
}

static int references_check(struct reader *r)
{
	const struct ext_btf *b = r->out;
	int bad;

	for (u32 id = 1; id < b->types; id++) {
		const struct ext_btf_type *t = &b->type[id];

		if (t->kind == EXT_BTF_FUNC || t->kind == EXT_BTF_DATASEC ||
		    t->kind == EXT_BTF_DECL_TAG)
			bad = declaration_check(r, id);
		else
			bad = reference_check(r, id, t->type);
		if (bad)
			return bad;
		for (u32 i = 0; has_member_types(t->kind) && i < t->count; i++)
			if ((bad = reference_check(r, id, b->part[t->first + i].type)))
				return bad;
	}
	return EXT_OK;
}

int ext_btf_read(struct ext_arena *a, const u8 *section, u64 bytes, u64 base, struct ext_btf *out,
		 struct ext_refusal *why)
{
	struct ext_btf b = {0};
	struct reader r = {.arena = a, .section = section, .base = base, .out = &b, .why = why};
	int bad;

	if ((bad = header_read(&r, bytes)) || (bad = count(&r)) || (bad = fill(&r)) ||
	    (bad = references_check(&r)) || (bad = ext_btf_resolve(a, &b, why)) ||
	    (bad = ext_btf_index(a, &b, why)))
		return bad;
	b.string = (const char *)section + r.string_at;
	b.string_bytes = r.string_bytes;
	*out = b;
	return EXT_OK;
}
