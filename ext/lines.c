/* SPDX-License-Identifier: MIT
 * .BTF.ext: types of functions, lines, relocations of fields.
 * Source of the format: Linux, Documentation/bpf/btf.rst. */
#include <object.h>
#include <order.h>
#include <refusal.h>

#define MAGIC 0xeb9f
#define HEADER 24u
#define HEADER_CORE 32u

enum part { FUNCTIONS, LINES, CORES, PARTS };
static const u32 record_least[PARTS] = {8, 16, 16};

struct reader {
	struct ext_object *o;
	const struct ext_section *s;
	struct ext_refusal *why;
	struct ext_object_line *line;
	struct ext_object_core *core;
	u32 lines, cores;
};

static int refuse(struct reader *r, u64 at, const char *text, u64 number)
{
	return ext_refuse(r->why, EXT_WHY_BTF, r->s->offset + at, text, number);
}

/* A name among those of .BTF. */
static int string(struct reader *r, u64 at, const char **out)
{
	u32 offset = ext_get32(r->s->data + at);
	u32 length = 0;

	if (offset >= r->o->btf.string_bytes)
		return refuse(r, at, "a name at %u, outside of .BTF's", offset);
	while (length < 256 && r->o->btf.string[offset + length])
		length++;
	if (length == 256)
		return refuse(r, at, "a name of more than %u bytes", 255);
	*out = r->o->btf.string + offset;
	return EXT_OK;
}

static int function_read(struct reader *r, u32 section, u32 insn, u64 at)
{
	u32 type = ext_get32(r->s->data + at + 4);
	u32 f = ext_object_function_at(r->o, section, insn);

	if (type >= r->o->btf.types || r->o->btf.type[type].kind != EXT_BTF_FUNC)
		return refuse(r, at + 4, "type %u is no function", type);
	if (f == EXT_NONE)
		return refuse(r, at, "the type of a function at instruction %u, where none begins",
			      insn);
	r->o->function[f].type = type;
	return EXT_OK;
}

static int line_read(struct reader *r, u32 section, u32 insn, u64 at)
{
	struct ext_object_line *l = &r->line[r->lines];

	l->section = section;
	l->insn = insn;
	l->line = ext_get32(r->s->data + at + 12) >> 10;
	r->lines += l->line != 0; /* 0: the compiler's own; the line before goes on */
	return string(r, at + 4, &l->file);
}

static int core_read(struct reader *r, u32 section, u32 insn, u64 at)
{
	struct ext_object_core *c = &r->core[r->cores];

	c->section = section;
	c->insn = insn;
	c->type = ext_get32(r->s->data + at + 4);
	c->kind = ext_get32(r->s->data + at + 12);
	c->at = r->s->offset + at;
	if (c->type >= r->o->btf.types)
		return refuse(r, at + 4, "type %u is not there", c->type);
	r->cores++;
	return string(r, at + 8, &c->path);
}

/* Calls back for each record (read 0: only counts them) of [at, end). */
static int records(struct reader *r, enum part part, u64 at, u64 end, int read, u32 *count)
{
	int (*const reads[PARTS])(struct reader *, u32, u32, u64) = {function_read, line_read,
								     core_read};
	u64 record;
	int bad;

	if (at == end)
		return EXT_OK;
	if (end - at < 4)
		return refuse(r, at, "%u bytes are no records", end - at);
	record = ext_get32(r->s->data + at);
	if (record < record_least[part] || record % 4)
		return refuse(r, at, "records of %u bytes", record);
	for (at += 4; at < end;) {
		const char *name;
		u32 section;
		u64 n;

		if (end - at < 8)
			return refuse(r, at, "records that are cut off", 0);
		if ((bad = string(r, at, &name)))
			return bad;
		section = ext_elf_find(&r->o->elf, name);
		if (!section)
			return refuse(r, at, "records of a section that is not there", 0);
		n = ext_get32(r->s->data + at + 4);
		at += 8;
		if (!n || n * record > end - at)
			return refuse(r, at - 4, "%u records that are not there", n);
		*count += (u32)n;
		for (u64 i = 0; read && i < n; i++) {
			u64 place = at + i * record;
			u32 offset = ext_get32(r->s->data + place);

			if (offset % 8 || offset >= r->o->elf.section[section].bytes)
				return refuse(r, place,
					      "a record of byte %u, where no instruction begins",
					      offset);
			if ((bad = reads[part](r, section, offset / 8, place)))
				return bad;
		}
		at += n * record;
	}
	return EXT_OK;
}

static int core_before(const void *context, u32 x, u32 y)
{
	const struct ext_object_core *c = context;

	if (c[x].section != c[y].section)
		return c[x].section < c[y].section;
	return c[x].insn < c[y].insn;
}

static int line_before(const void *context, u32 x, u32 y)
{
	const struct ext_object_line *l = context;

	if (l[x].section != l[y].section)
		return l[x].section < l[y].section;
	return l[x].insn != l[y].insn ? l[x].insn < l[y].insn : x < y;
}

void ext_object_lines_order(struct ext_object *o, u32 *order, struct ext_object_line *room)
{
	u32 n = 0;

	for (u32 i = 0; i < o->lines; i++)
		order[i] = i;
	ext_order(order, o->lines, line_before, o->line);
	for (u32 i = 0; i < o->lines; i++) {
		if (n && room[n - 1].section == o->line[order[i]].section &&
		    room[n - 1].insn == o->line[order[i]].insn)
			n--;
		room[n++] = o->line[order[i]];
	}
	o->line = room;
	o->lines = n;
}

static int tables_order(struct ext_arena *a, struct reader *r)
{
	struct ext_object_line *lines = ext_alloc(a, r->lines * sizeof(*lines));
	struct ext_object_core *cores = ext_alloc(a, r->cores * sizeof(*cores));
	u32 most = r->lines > r->cores ? r->lines : r->cores,
	    *order = ext_alloc(a, most * sizeof(u32));

	r->o->by_name = r->cores ? ext_alloc(a, r->o->btf.types) : 0;
	if (!lines || !cores || !order || (r->cores && !r->o->by_name))
		return ext_refuse_memory(r->why);
	for (u32 i = 0; i < r->cores; i++)
		order[i] = i;
	ext_order(order, r->cores, core_before, r->core);
	for (u32 i = 0; i < r->cores; i++) {
		cores[i] = r->core[order[i]];
		r->o->by_name[cores[i].type] |= EXT_CORE_RELOCATED;
		if (cores[i].kind == EXT_CORE_EXISTS || cores[i].kind == EXT_CORE_TYPE_EXISTS ||
		    cores[i].kind == EXT_CORE_ENUM_EXISTS)
			r->o->by_name[cores[i].type] |= EXT_CORE_ASKED;
		if (i && cores[i].section == cores[i - 1].section &&
		    cores[i].insn == cores[i - 1].insn)
			return refuse(r, cores[i].at - r->s->offset,
				      "a second relocation of instruction %u", cores[i].insn);
	}
	r->o->core = cores;
	r->o->cores = r->cores;
	r->o->line = r->line;
	r->o->lines = r->lines;
	ext_object_lines_order(r->o, order, lines);
	return EXT_OK;
}

int ext_object_btf_ext(struct ext_arena *a, struct ext_object *o, struct ext_refusal *why)
{
	u32 n = ext_elf_find(&o->elf, ".BTF.ext"), count[PARTS] = {0};
	struct reader r = {.o = o, .s = &o->elf.section[n], .why = why};
	u64 header, begin[PARTS] = {0}, end[PARTS] = {0};
	int bad;

	if (!n || !o->has_btf || !r.s->data)
		return EXT_OK;
	if (r.s->bytes < HEADER)
		return refuse(&r, 0, ".BTF.ext has %u bytes, fewer than its header", r.s->bytes);
	if (ext_get16(r.s->data) != MAGIC || r.s->data[2] != 1 || r.s->data[3])
		return refuse(&r, 0, ".BTF.ext begins with %x, not with a header known",
			      ext_get32(r.s->data));
	header = ext_get32(r.s->data + 4);
	if (header < HEADER || header > r.s->bytes)
		return refuse(&r, 4, ".BTF.ext's header has %u bytes", header);
	for (u32 part = 0; part < PARTS; part++) {
		if (part == CORES && header < HEADER_CORE)
			break;
		begin[part] = header + ext_get32(r.s->data + 8 + part * 8);
		end[part] = begin[part] + ext_get32(r.s->data + 12 + part * 8);
		if (end[part] > r.s->bytes)
			return refuse(&r, 8 + part * 8, "records that end at %u, behind .BTF.ext",
				      end[part]);
		if ((bad = records(&r, part, begin[part], end[part], 0, &count[part])))
			return bad;
	}
	r.line = ext_alloc(a, count[LINES] * sizeof(*r.line));
	r.core = ext_alloc(a, count[CORES] * sizeof(*r.core));
	if (!r.line || !r.core)
		return ext_refuse_memory(why);
	for (u32 part = 0; part < PARTS; part++)
		if ((bad = records(&r, part, begin[part], end[part], 1, &count[part])))
			return bad;
	return tables_order(a, &r);
}
