/* SPDX-License-Identifier: MIT
 * Linking: the functions that an entry reaches are placed one after another, in the order in which they are met; what
 * they refer to becomes regions and imports. The work is linear in what is reached.
 *
 * While functions are placed, a local call's immediate is the called function's number in the object; when all have
 * their place, it becomes the distance. */
#include <link.h>
#include <map.h>
#include <order.h>
#include <refusal.h>

#define REGION_ALIGN 64u

int ext_link_refuse(struct ext_link *l, enum ext_why why, const char *format, ...)
{
	const struct ext_object_function *f = &l->o->function[l->owner];
	va_list list;

	ext_refusal_clear(l->why);
	l->why->why = why;
	l->why->offset = l->o->elf.section[f->section].offset + l->insn * 8ul;
	ext_format(l->why->function, sizeof(l->why->function), "%s", f->name);
	ext_object_where(l->o, f->section, l->insn, l->why);
	va_start(list, format);
	ext_format_list(l->why->text, sizeof(l->why->text), format, list);
	va_end(list);
	return why;
}

static int entry_find(struct ext_link *l, const char *entry, u32 *out)
{
	const struct ext_object *o = l->o;
	u32 found = EXT_NONE, n = 0;

	for (u32 i = 0; i < o->functions; i++) {
		const struct ext_object_function *f = &o->function[i];

		if (entry && ext_name_equal(f->name, entry)) {
			*out = i;
			return EXT_OK;
		}
		if (f->entry &&
		    (!entry || ext_name_equal(o->elf.section[f->section].name, entry))) {
			found = i;
			n++;
		}
	}
	if (!n)
		return ext_refuse(l->why, EXT_WHY_SECTION, 0,
				  entry ? "no section or function %s" : "no function", entry);
	if (n > 1)
		return ext_refuse(l->why, EXT_WHY_SECTION, 0, "%u functions%s%s: say which", (u64)n,
				  entry ? " in section " : "", entry ? entry : "");
	*out = found;
	return EXT_OK;
}

/* Gives an object's function a number in the program; its instructions are copied when its turn comes. */
static void place(struct ext_link *l, u32 function)
{
	if (l->placed[function] != EXT_NONE)
		return;
	l->source[l->p->functions] = function;
	l->placed[function] = l->p->functions++;
}

static struct ext_region *region_add(struct ext_link *l)
{
	return &l->p->region[l->p->regions++];
}

/* The region of a data section. */
static int section_region(struct ext_link *l, u32 section, u32 *out)
{
	const struct ext_section *s = &l->o->elf.section[section];
	struct ext_region *r;

	if (l->region_of[section]) {
		*out = l->region_of[section] - 1;
		return EXT_OK;
	}
	if (s->flags & EXT_ELF_EXEC)
		return ext_link_refuse(l, EXT_WHY_LINK,
				       "the address of a function, in section %s, is taken",
				       s->name);
	if (!(s->flags & EXT_ELF_ALLOC) ||
	    (s->type != EXT_ELF_PROGBITS && s->type != EXT_ELF_NOBITS))
		return ext_link_refuse(l, EXT_WHY_OBJECT, "section %s is no data", s->name);
	if (s->relocs && l->o->elf.section[s->relocs].bytes)
		return ext_link_refuse(l, EXT_WHY_LINK, "section %s holds addresses: data cannot",
				       s->name);
	if (s->align > REGION_ALIGN)
		return ext_link_refuse(l, EXT_WHY_OBJECT,
				       "section %s is aligned to %u; the most is %u", s->name,
				       s->align, (u64)REGION_ALIGN);
	*out = l->p->regions;
	r = region_add(l);
	r->name = s->name;
	r->kind = s->flags & EXT_ELF_WRITE ? EXT_DATA : EXT_RODATA;
	r->bytes = s->bytes;
	r->init = s->data;
	r->init_bytes = s->data ? s->bytes : 0;
	l->region_of[section] = *out + 1;
	return EXT_OK;
}

static u64 map_place(const void *table, u32 n)
{
	const struct ext_object *o = table;

	return o->elf.symbol[o->map[n]].value;
}

/* The region of the map that begins at a byte of .maps. */
static int map_region(struct ext_link *l, u64 at, u32 *out)
{
	const struct ext_object *o = l->o;
	u32 low = ext_lower(o, o->maps, map_place, at), symbol;
	int bad;

	if (low == o->maps || o->elf.symbol[o->map[low]].value != at)
		return ext_link_refuse(l, EXT_WHY_MAP, "byte %u of .maps, where no map begins", at);
	symbol = o->map[low];
	*out = l->map_of[symbol] - 1;
	if (l->map_of[symbol])
		return EXT_OK;
	*out = l->p->regions;
	if ((bad = ext_object_map(o, symbol, region_add(l), l->why)))
		return bad;
	l->map_of[symbol] = *out + 1;
	return EXT_OK;
}

/* How much of what an instruction holds is the symbol's value, in it once already. */
static int value_doubled(struct ext_link *l, const struct ext_symbol *y, u64 *out)
{
	*out = 0;
	if (y->type == EXT_ELF_SECTION || !y->value || l->o->addends == EXT_ADDENDS_PLAIN)
		return EXT_OK;
	if (l->o->addends == EXT_ADDENDS_UNKNOWN)
		return ext_link_refuse(l, EXT_WHY_LINK,
				       "where %s lies in gcc's object is known with -g only",
				       y->name);
	*out = y->value;
	return EXT_OK;
}

/* An LDDW, i[0] and i[1]; r: its relocation, or 0. */
static int address_link(struct ext_link *l, struct ext_insn *i, const struct ext_reloc *r)
{
	const struct ext_symbol *y;
	u32 region = 0;
	u64 doubled;
	s64 at;
	int bad, is_map;

	if (!r && ext_src(i))
		return ext_link_refuse(l, EXT_WHY_LINK,
				       "an address of kind %u without a relocation",
				       (u64)ext_src(i));
	if (!r)
		return EXT_OK;
	y = &l->o->elf.symbol[r->symbol];
	if (r->type != EXT_R_BPF_64_64)
		return ext_link_refuse(l, EXT_WHY_OBJECT, "a relocation of type %u on an address",
				       (u64)r->type);
	if (y->section == EXT_ELF_UNDEFINED)
		return ext_link_refuse(l, EXT_WHY_LINK, "variable %s is not defined", y->name);
	if (y->section >= l->o->elf.sections)
		return ext_link_refuse(l, EXT_WHY_OBJECT, "%s is in no section", y->name);
	if (i[1].imm)
		return ext_link_refuse(l, EXT_WHY_OBJECT, "an address more than 2 GiB behind %s",
				       y->name);
	if ((bad = value_doubled(l, y, &doubled)))
		return bad;
	at = (s64)(y->value - doubled) + i[0].imm;
	if (at != (s32)at)
		return ext_link_refuse(l, EXT_WHY_OBJECT,
				       "an address more than 2 GiB from its section's begin");
	is_map = l->o->maps_section && y->section == l->o->maps_section;
	bad = is_map ? map_region(l, (u64)at, &region) : section_region(l, y->section, &region);
	if (bad)
		return bad;
	i[0].regs = (u8)(ext_dst(i) | (is_map ? EXT_LD_MAP : EXT_LD_REGION) << 4);
	i[0].imm = (s32)region;
	i[1].imm = is_map ? 0 : (s32)at;
	return EXT_OK;
}

/* A call of a function of the object at an instruction of a section. */
static int local_link(struct ext_link *l, struct ext_insn *i, u32 section, s64 at)
{
	u32 f = at < 0 ? EXT_NONE : ext_object_function_at(l->o, section, (u64)at);

	if (f == EXT_NONE)
		return ext_link_refuse(
			l, EXT_WHY_OBJECT,
			"a call of instruction %d of section %s, where no function begins", at,
			l->o->elf.section[section].name);
	place(l, f);
	i->regs = (u8)(ext_dst(i) | EXT_CALL_LOCAL << 4);
	i->imm = (s32)f;
	return EXT_OK;
}

static int call_link(struct ext_link *l, struct ext_insn *i, const struct ext_reloc *r)
{
	const struct ext_object_function *f = &l->o->function[l->owner];
	const struct ext_symbol *y;
	u32 import = 0;
	u64 doubled;
	int bad;

	if (!r && ext_src(i) == EXT_CALL_LOCAL)
		return local_link(l, i, f->section, l->insn + 1l + i->imm);
	if (!r)
		return ext_link_refuse(l, EXT_WHY_LINK,
				       "a call by number (%d): functions are called by name here",
				       (s64)i->imm);
	y = &l->o->elf.symbol[r->symbol];
	if (r->type != EXT_R_BPF_64_32)
		return ext_link_refuse(l, EXT_WHY_OBJECT, "a relocation of type %u on a call",
				       (u64)r->type);
	if (y->section != EXT_ELF_UNDEFINED) {
		if (y->section >= l->o->elf.sections || y->value % 8)
			return ext_link_refuse(l, EXT_WHY_OBJECT,
					       "a call of %s, which is no function", y->name);
		if ((bad = value_doubled(l, y, &doubled)))
			return bad;
		return local_link(l, i, y->section,
				  (s64)(y->value / 8) + i->imm - (s64)doubled + 1);
	}
	if ((bad = ext_link_import(l, r->symbol, &import)))
		return bad;
	i->regs = (u8)(ext_dst(i) | EXT_CALL_IMPORT << 4);
	i->imm = (s32)import;
	return EXT_OK;
}

static u64 core_place(const void *table, u32 n)
{
	const struct ext_object_core *c = table;

	return (u64)c[n].section << 32 | c[n].insn;
}

/* Copies a function's instructions and links each. */
static int function_place(struct ext_link *l, struct ext_function *out)
{
	const struct ext_object *o = l->o;
	const struct ext_object_function *f = &o->function[l->owner];
	const struct ext_object_text *t = &o->text[f->section];
	u32 next = ext_lower(t->reloc, t->relocs, ext_elf_reloc_place, f->first * 8ul), n, width;
	u32 core = ext_lower(o->core, o->cores, core_place, (u64)f->section << 32 | f->first);
	struct ext_insn *i = l->p->insn + l->p->insns;
	const u8 *from = o->elf.section[f->section].data + f->first * 8ul;
	int bad = EXT_OK;

	*out = (struct ext_function){.name = f->name, .first = l->p->insns, .count = f->count};
	if (f->type)
		out->proto = ext_btf_type(&o->btf, f->type)->type;
	for (n = 0; n < f->count; n++, from += 8)
		i[n] = (struct ext_insn){from[0], from[1], (s16)ext_get16(from + 2),
					 (s32)ext_get32(from + 4)};
	for (n = 0; n < f->count; n += width) {
		const struct ext_reloc *r = 0;

		l->insn = f->first + n;
		width = i[n].code == EXT_LDDW ? 2 : 1;
		if (width > f->count - n)
			return ext_link_refuse(l, EXT_WHY_OBJECT,
					       "an address cut off by the function's end");
		if (next < t->relocs && t->reloc[next].offset < (l->insn + width) * 8ul)
			r = &t->reloc[next++];
		if (r && r->type == EXT_R_BPF_NONE)
			r = 0;
		if (r && (r->offset != l->insn * 8ul ||
			  (width == 1 && i[n].code != (EXT_JMP | EXT_CALL))))
			return ext_link_refuse(
				l, EXT_WHY_OBJECT,
				"a relocation of what is neither an address nor a call");
		if (width == 2)
			bad = address_link(l, &i[n], r);
		else if (i[n].code == (EXT_JMP | EXT_CALL))
			bad = call_link(l, &i[n], r);
		if (bad)
			return bad;
		while (core < o->cores &&
		       core_place(o->core, core) < ((u64)f->section << 32 | l->insn))
			core++;
		if (core < o->cores &&
		    core_place(o->core, core) == ((u64)f->section << 32 | l->insn) &&
		    (bad = ext_link_core(l, &o->core[core], &i[n], width)))
			return bad;
	}
	l->p->insns += f->count;
	return EXT_OK;
}

/* Calls know their distances now. */
static void calls_finish(struct ext_link *l)
{
	for (u32 n = 0; n < l->p->insns; n++) {
		struct ext_insn *i = &l->p->insn[n];

		if (i->code == EXT_LDDW)
			n++;
		else if (i->code == (EXT_JMP | EXT_CALL) && ext_src(i) == EXT_CALL_LOCAL)
			i->imm = (s32)(l->p->function[l->placed[(u32)i->imm]].first - n - 1);
	}
}

/* Lines of the functions placed. count: only counts them. */
static u32 lines_place(struct ext_link *l, struct ext_line *out)
{
	const struct ext_object *o = l->o;
	u32 n = 0;

	for (u32 i = 0; i < l->p->functions; i++) {
		const struct ext_object_function *f = &o->function[l->source[i]];
		u32 k = ext_lower(o->line, o->lines, ext_object_line_place,
				  (u64)f->section << 32 | f->first);

		for (; k < o->lines && o->line[k].section == f->section &&
		       o->line[k].insn - f->first < f->count;
		     k++) {
			if (out)
				out[n] = (struct ext_line){.insn = l->p->function[i].first +
								   o->line[k].insn - f->first,
							   .line = o->line[k].line,
							   .file = o->line[k].file};
			n++;
		}
	}
	return n;
}

/* Room for the most there can be. */
static int rooms_make(struct ext_link *l)
{
	const struct ext_object *o = l->o;
	struct ext_arena *a = l->arena;
	u64 insns = 0;

	for (u32 i = 0; i < o->functions; i++)
		insns += o->function[i].count;
	l->p->insn = ext_alloc(a, insns * sizeof(*l->p->insn));
	l->p->function = ext_alloc(a, o->functions * sizeof(*l->p->function));
	l->p->region = ext_alloc(a, (o->elf.sections + (u64)o->maps) * sizeof(*l->p->region));
	l->p->import = ext_alloc(a, o->elf.symbols * sizeof(*l->p->import));
	l->placed = ext_alloc(a, o->functions * sizeof(u32));
	l->source = ext_alloc(a, o->functions * sizeof(u32));
	l->region_of = ext_alloc(a, o->elf.sections * sizeof(u32));
	l->map_of = ext_alloc(a, o->elf.symbols * sizeof(u32));
	l->import_of = ext_alloc(a, o->elf.symbols * sizeof(u32));
	l->pairs = ext_alloc(a, l->interfaces * sizeof(*l->pairs));
	if (!l->p->insn || !l->p->function || !l->p->region || !l->p->import || !l->placed ||
	    !l->source || !l->region_of || !l->map_of || !l->import_of || !l->pairs)
		return ext_refuse_memory(l->why);
	for (u32 i = 0; i < o->functions; i++)
		l->placed[i] = EXT_NONE;
	return EXT_OK;
}

int ext_object_link(struct ext_arena *a, struct ext_object *o, const char *entry,
		    const struct ext_interface *const *interface, u32 n, struct ext_program *out,
		    struct ext_refusal *why)
{
	struct ext_program p = {.btf = o->has_btf ? &o->btf : 0};
	struct ext_link l = {
		.arena = a, .o = o, .interface = interface, .interfaces = n, .p = &p, .why = why};
	u32 begin = 0;
	int bad;

	if ((bad = rooms_make(&l)) || (bad = entry_find(&l, entry, &begin)))
		return bad;
	place(&l, begin);
	p.name = o->function[begin].name;
	for (u32 i = 0; i < p.functions; i++) {
		l.owner = l.source[i];
		l.insn = o->function[l.owner].first;
		if (o->function[l.owner].count > EXT_INSNS_MOST - p.insns)
			return ext_link_refuse(&l, EXT_WHY_LENGTH, "more than %u instructions",
					       (u64)EXT_INSNS_MOST);
		if ((bad = function_place(&l, &p.function[i])))
			return bad;
	}
	calls_finish(&l);
	l.owner = begin;
	l.insn = o->function[begin].first;
	if ((bad = ext_link_attach(&l, o->elf.section[o->function[begin].section].name)))
		return bad;
	p.lines = lines_place(&l, 0);
	p.line = ext_alloc(a, p.lines * sizeof(*p.line));
	if (!p.line)
		return ext_refuse_memory(why);
	lines_place(&l, p.line);
	if ((bad = ext_layout(&p, why)))
		return bad;
	*out = p;
	return EXT_OK;
}

/* Where functions begin in raw code: at its start and where local calls lead. Marks are bytes, one an instruction. */
static u32 raw_begins(const struct ext_program *p, u8 *mark)
{
	u32 functions = 1;

	mark[0] = 1;
	for (u32 n = 0; n < p->insns; n++) {
		const struct ext_insn *i = &p->insn[n];
		s64 to = (s64)n + 1 + i->imm;

		if (i->code == EXT_LDDW) {
			n++;
		} else if (i->code == (EXT_JMP | EXT_CALL) && ext_src(i) == EXT_CALL_LOCAL &&
			   to >= 0 && to < p->insns && !mark[to]) {
			mark[to] = 1;
			functions++;
		}
	}
	return functions;
}

int ext_raw_program(struct ext_arena *a, const u8 *bytes, u64 count, struct ext_program *out,
		    struct ext_refusal *why)
{
	struct ext_program p = {.name = "raw"};
	u32 f = 0;
	u8 *mark;

	if (!count || count % 8 || count / 8 > EXT_INSNS_MOST)
		return ext_refuse(why, EXT_WHY_OBJECT, 0, "%u bytes are no program", count);
	p.insns = (u32)(count / 8);
	p.insn = ext_alloc(a, count);
	mark = ext_alloc(a, p.insns);
	if (!p.insn || !mark)
		return ext_refuse_memory(why);
	for (u32 n = 0; n < p.insns; n++, bytes += 8)
		p.insn[n] = (struct ext_insn){bytes[0], bytes[1], (s16)ext_get16(bytes + 2),
					      (s32)ext_get32(bytes + 4)};
	p.functions = raw_begins(&p, mark);
	p.function = ext_alloc(a, p.functions * sizeof(*p.function));
	if (!p.function)
		return ext_refuse_memory(why);
	for (u32 n = 0; n < p.insns; n++) {
		if (mark[n])
			p.function[f++] =
				(struct ext_function){.name = n ? "local" : "raw", .first = n};
		p.function[f - 1].count++;
	}
	*out = p;
	return EXT_OK;
}
