/* SPDX-License-Identifier: MIT
 * Opening of objects: which functions, relocations, maps and lines there are. */
#include <object.h>
#include <order.h>
#include <refusal.h>

static int function_before(const void *context, u32 x, u32 y)
{
	const struct ext_object_function *f = context;

	if (f[x].section != f[y].section)
		return f[x].section < f[y].section;
	if (f[x].first != f[y].first)
		return f[x].first < f[y].first;
	return x < y;
}

static int is_text(const struct ext_section *s)
{
	return s->type == EXT_ELF_PROGBITS && (s->flags & EXT_ELF_EXEC);
}

/* Of a FUNC symbol. */
static int function_read(const struct ext_object *o, const struct ext_symbol *y,
			 struct ext_object_function *f, struct ext_refusal *why)
{
	const struct ext_section *s = &o->elf.section[y->section];

	if (!is_text(s))
		return ext_refuse(why, EXT_WHY_OBJECT, y->at,
				  "function %s in section %s, which holds no code", y->name,
				  s->name);
	if (y->value % 8 || y->bytes % 8 || !y->bytes)
		return ext_refuse(why, EXT_WHY_OBJECT, y->at,
				  "function %s: %u bytes at %u are no instructions", y->name,
				  y->bytes, y->value);
	f->name = y->name;
	f->section = y->section;
	f->first = (u32)(y->value / 8);
	f->count = (u32)(y->bytes / 8);
	f->at = y->at;
	f->entry = y->bind == EXT_ELF_GLOBAL || y->bind == EXT_ELF_WEAK;
	if (o->has_btf)
		f->type = ext_btf_find(&o->btf, EXT_BTF_FUNC, y->name);
	return EXT_OK;
}

static int is_function(const struct ext_symbol *y)
{
	return y->type == EXT_ELF_FUNC && y->section != EXT_ELF_UNDEFINED;
}

/* .text and its kin: what several programs may share. */
static int is_common(const struct ext_object *o, const struct ext_object_function *f)
{
	const char *rest = ext_name_after(o->elf.section[f->section].name, ".text");

	return rest && (!*rest || *rest == '.');
}

static int functions_read(struct ext_arena *a, struct ext_object *o, struct ext_refusal *why)
{
	struct ext_object_function *read, *f;
	u32 n = 0, *order;
	int bad, only_text = 1;

	for (u32 i = 0; i < o->elf.symbols; i++)
		n += is_function(&o->elf.symbol[i]);
	read = ext_alloc(a, n * sizeof(*read));
	f = ext_alloc(a, n * sizeof(*f));
	order = ext_alloc(a, n * sizeof(u32));
	if (!read || !f || !order)
		return ext_refuse_memory(why);
	n = 0;
	for (u32 i = 0; i < o->elf.symbols; i++) {
		if (!is_function(&o->elf.symbol[i]))
			continue;
		if (o->elf.symbol[i].section >= o->elf.sections)
			return ext_refuse(why, EXT_WHY_OBJECT, o->elf.symbol[i].at,
					  "function %s is in no section", o->elf.symbol[i].name);
		if ((bad = function_read(o, &o->elf.symbol[i], &read[n], why)))
			return bad;
		order[n] = n;
		n++;
	}
	ext_order(order, n, function_before, read);
	for (u32 i = 0; i < n; i++) {
		const struct ext_object_function *g = &read[order[i]], *last = f + o->functions - 1;

		if (o->functions && last->section == g->section && last->first == g->first &&
		    last->count == g->count)
			continue; /* another name of the same */
		if (o->functions && last->section == g->section &&
		    last->first + last->count > g->first)
			return ext_refuse(why, EXT_WHY_OBJECT, g->at, "functions %s and %s overlap",
					  last->name, g->name);
		f[o->functions++] = *g;
	}
	o->function = f;
	/* A program begins in a section of its own; where there is none such, in any global function. */
	for (u32 i = 0; i < o->functions; i++)
		if (f[i].entry && !is_common(o, &f[i]))
			only_text = 0;
	for (u32 i = 0; i < o->functions; i++) {
		f[i].entry &= only_text || !is_common(o, &f[i]);
		if (f[i].entry)
			order[o->entries++] = i;
	}
	o->entry = order;
	return EXT_OK;
}

static int texts_read(struct ext_arena *a, struct ext_object *o, struct ext_refusal *why)
{
	int bad;

	o->text = ext_alloc(a, o->elf.sections * sizeof(*o->text));
	if (!o->text)
		return ext_refuse_memory(why);
	for (u32 n = 1; n < o->elf.sections; n++) {
		const struct ext_section *s = &o->elf.section[n];
		struct ext_object_text *t = &o->text[n];

		if (!is_text(s))
			continue;
		if (s->bytes % 8)
			return ext_refuse(why, EXT_WHY_OBJECT, s->at + 32,
					  "code of %u bytes in section %s, no multiple of 8",
					  s->bytes, s->name);
		if ((bad = ext_elf_relocs(a, &o->elf, n, &t->reloc, &t->relocs, why)))
			return bad;
	}
	return EXT_OK;
}

static int map_before(const void *context, u32 x, u32 y)
{
	const struct ext_symbol *s = context;

	return s[x].value < s[y].value;
}

static int is_map(const struct ext_object *o, const struct ext_symbol *y)
{
	return o->maps_section && y->section == o->maps_section && y->type == EXT_ELF_OBJECT;
}

static int maps_read(struct ext_arena *a, struct ext_object *o, struct ext_refusal *why)
{
	u32 n = 0;

	o->maps_section = ext_elf_find(&o->elf, ".maps");
	for (u32 i = 0; i < o->elf.symbols; i++)
		n += is_map(o, &o->elf.symbol[i]);
	o->map = ext_alloc(a, n * sizeof(u32));
	if (!o->map)
		return ext_refuse_memory(why);
	for (u32 i = 0; i < o->elf.symbols; i++)
		if (is_map(o, &o->elf.symbol[i]))
			o->map[o->maps++] = i;
	ext_order(o->map, n, map_before, o->elf.symbol);
	return EXT_OK;
}

static enum ext_object_addends addends_find(const struct ext_elf *e)
{
	u32 comment = ext_elf_find(e, ".comment");
	const u8 *text = e->section[comment].data;

	for (u32 n = 0; n < e->sections; n++) {
		const struct ext_section *s = &e->section[n];

		for (u64 at = 0; s->type == EXT_ELF_REL && at < s->bytes; at += 16) {
			u32 type = ext_get32(s->data + at + 8);

			if (type == EXT_R_BPF_GAS_32 || type == EXT_R_BPF_GAS_64)
				return EXT_ADDENDS_DOUBLED;
		}
	}
	if (comment && text && e->section[comment].bytes >= 4 && text[0] == 'G' && text[1] == 'C' &&
	    text[2] == 'C' && text[3] == ':' && !ext_elf_find(e, ".rel.debug_info"))
		return EXT_ADDENDS_UNKNOWN;
	return EXT_ADDENDS_PLAIN;
}

int ext_object_open(struct ext_arena *a, const u8 *object, u64 bytes, struct ext_object **out,
		    struct ext_refusal *why)
{
	struct ext_object *o = ext_alloc(a, sizeof(*o));
	u32 btf;
	int bad;

	if (!o)
		return ext_refuse_memory(why);
	if ((bad = ext_elf_read(a, object, bytes, &o->elf, why)))
		return bad;
	o->addends = addends_find(&o->elf);
	btf = ext_elf_find(&o->elf, ".BTF");
	if (btf && o->elf.section[btf].data) {
		const struct ext_section *s = &o->elf.section[btf];

		if ((bad = ext_btf_read(a, s->data, s->bytes, s->offset, &o->btf, why)))
			return bad;
		o->has_btf = 1;
	}
	if ((bad = functions_read(a, o, why)) || (bad = texts_read(a, o, why)) ||
	    (bad = maps_read(a, o, why)) || (bad = ext_object_btf_ext(a, o, why)))
		return bad;
	if (!o->lines && (bad = ext_object_dwarf(a, o, why)))
		return bad;
	*out = o;
	return EXT_OK;
}

const char *ext_object_entry(const struct ext_object *o, u32 n, const char **section)
{
	if (n >= o->entries)
		return 0;
	*section = o->elf.section[o->function[o->entry[n]].section].name;
	return o->function[o->entry[n]].name;
}

static u64 function_place(const void *table, u32 n)
{
	const struct ext_object_function *f = table;

	return (u64)f[n].section << 32 | f[n].first;
}

u32 ext_object_function_at(const struct ext_object *o, u32 section, u64 insn)
{
	u32 n;

	if (insn >= EXT_NONE)
		return EXT_NONE;
	n = ext_lower(o->function, o->functions, function_place, (u64)section << 32 | insn);
	return n < o->functions && function_place(o->function, n) == ((u64)section << 32 | insn)
		       ? n
		       : EXT_NONE;
}

u64 ext_object_line_place(const void *table, u32 n)
{
	const struct ext_object_line *l = table;

	return (u64)l[n].section << 32 | l[n].insn;
}

void ext_object_where(const struct ext_object *o, u32 section, u32 insn, struct ext_refusal *why)
{
	u32 n = ext_lower(o->line, o->lines, ext_object_line_place,
			  ((u64)section << 32 | insn) + 1);

	if (!n || o->line[n - 1].section != section)
		return;
	why->line = o->line[n - 1].line;
	ext_format(why->file, sizeof(why->file), "%s", o->line[n - 1].file);
}
