/* SPDX-License-Identifier: MIT
 * Definitions of maps: variables in section .maps, whose members' types say what the map is. A number n is written as
 * the type "int (*)[n]", a type as a pointer to it; the numbers of the kinds are those of other eBPF headers. */
#include <object.h>
#include <order.h>
#include <refusal.h>

#define MEMBERS 16u /* of a definition */

static const struct {
	u32 number, kind;
} kinds[] = {{1, EXT_HASH}, {2, EXT_ARRAY}, {6, EXT_PERCPU}, {27, EXT_RING}};

struct reader {
	const struct ext_btf *b;
	const struct ext_symbol *symbol;
	struct ext_region *out;
	struct ext_refusal *why;
};

static int refuse(struct reader *r, const char *text, const char *member)
{
	return ext_refuse(r->why, EXT_WHY_MAP, r->symbol->at, "map %s: %s%s", r->symbol->name, text,
			  member);
}

/* What the pointer points to, qualifiers left out; 0: the member is no pointer. */
static u32 target(const struct ext_btf *b, const struct ext_btf_part *p)
{
	const struct ext_btf_type *t = ext_btf_bare(b, p->type);

	return t->kind == EXT_BTF_PTR ? t->type : 0;
}

static int number_read(struct reader *r, const struct ext_btf_part *p, u32 *out)
{
	const struct ext_btf_type *t = ext_btf_bare(r->b, target(r->b, p));

	if (t->kind != EXT_BTF_ARRAY)
		return refuse(r, "not a number (a pointer to an array of so many): ", p->name);
	*out = t->count;
	return EXT_OK;
}

static int type_read(struct reader *r, const struct ext_btf_part *p, u32 *type, u32 *bytes)
{
	u32 to = target(r->b, p);

	if (!ext_btf_has_value(ext_btf_bare(r->b, to)->kind))
		return refuse(r, "not a pointer to what has a size: ", p->name);
	*type = to;
	*bytes = ext_btf_bare(r->b, to)->bytes;
	return EXT_OK;
}

static int kind_read(struct reader *r, const struct ext_btf_part *p)
{
	u32 number;
	int bad = number_read(r, p, &number);

	if (bad)
		return bad;
	for (u32 i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].number == number)
			r->out->kind = kinds[i].kind;
	if (!r->out->kind)
		return ext_refuse(
			r->why, EXT_WHY_MAP, r->symbol->at,
			"map %s: kind %u is not known (1 hash, 2 array, 6 per-CPU array, 27 ring)",
			r->symbol->name, (u64)number);
	return EXT_OK;
}

static int member_read(struct reader *r, const struct ext_btf_part *p)
{
	u32 flags = 0;
	int bad;

	if (ext_name_equal(p->name, "type"))
		return kind_read(r, p);
	if (ext_name_equal(p->name, "key"))
		return type_read(r, p, &r->out->btf_key, &r->out->key);
	if (ext_name_equal(p->name, "value"))
		return type_read(r, p, &r->out->btf_value, &r->out->value);
	if (ext_name_equal(p->name, "key_size"))
		return number_read(r, p, &r->out->key);
	if (ext_name_equal(p->name, "value_size"))
		return number_read(r, p, &r->out->value);
	if (ext_name_equal(p->name, "max_entries"))
		return number_read(r, p, &r->out->entries);
	if (!ext_name_equal(p->name, "map_flags"))
		return refuse(r, "unknown member ", p->name);
	if ((bad = number_read(r, p, &flags)))
		return bad;
	if (flags)
		return refuse(r, "no flags are known", "");
	return EXT_OK;
}

int ext_object_map(const struct ext_object *o, u32 symbol, struct ext_region *out,
		   struct ext_refusal *why)
{
	struct ext_region region = {.name = o->elf.symbol[symbol].name};
	struct reader r = {
		.b = &o->btf, .symbol = &o->elf.symbol[symbol], .out = &region, .why = why};
	const struct ext_btf_type *t;
	u32 id;
	int bad;

	if (!o->has_btf)
		return refuse(&r, "the object has no types: compile with -g", "");
	id = ext_btf_find(&o->btf, EXT_BTF_VAR, r.symbol->name);
	if (!id)
		return refuse(&r, "its type is not there: compile with -g", "");
	t = ext_btf_bare(&o->btf, ext_btf_type(&o->btf, id)->type);
	if (t->kind != EXT_BTF_STRUCT)
		return refuse(&r, "not a struct", "");
	if (t->count > MEMBERS)
		return refuse(&r, "more than 16 members", "");
	for (u32 i = 0; i < t->count; i++)
		if ((bad = member_read(&r, ext_btf_part(&o->btf, t, i))))
			return bad;
	if (!region.kind)
		return refuse(&r, "no member says its type", "");
	*out = region;
	return EXT_OK;
}
