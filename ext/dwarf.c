/* SPDX-License-Identifier: MIT
 * Lines from .debug_line, for compilers that leave .BTF.ext empty (gcc 12). Only what lines need: the tables of files
 * and the line programs; forms that no compiler uses there are refused.
 * Source of the format: DWARF 5, section 6.2. */
#include <object.h>
#include <order.h>
#include <refusal.h>

/* What is left of the section's bytes; reading past the end yields 0 and says so. */
struct cursor {
	const u8 *data;
	u64 at, end;
	int cut;
};

struct reader {
	struct ext_object *o;
	struct ext_arena *arena;
	struct ext_refusal *why;
	const struct ext_section *s;
	struct ext_reloc *reloc; /* of the section */
	u32 relocs;
	const char **file; /* of the unit */
	u64 files;
	struct ext_object_line *line; /* 0: count only */
	u32 lines;
};

struct unit {
	u32 version, least, range, opcodes;
	s32 base;
	const u8 *lengths;
};

static u64 take(struct cursor *c, u32 bytes)
{
	u64 value = 0;

	if (c->end - c->at < bytes) {
		c->at = c->end;
		c->cut = 1;
		return 0;
	}
	for (u32 i = 0; i < bytes; i++)
		value |= (u64)c->data[c->at++] << (8 * i);
	return value;
}

/* *bits: where the next would stand; *last: the last byte. */
static u64 take_leb(struct cursor *c, u32 *bits, u8 *last)
{
	u64 value = 0;

	*bits = 0;
	do {
		*last = (u8)take(c, 1);
		if (*bits < 64)
			value |= (u64)(*last & 127) << *bits;
		*bits += 7;
	} while (*last & 128);
	return value;
}

static u64 take_uleb(struct cursor *c)
{
	u32 bits;
	u8 last;

	return take_leb(c, &bits, &last);
}

static s64 take_sleb(struct cursor *c)
{
	u32 bits;
	u8 last;
	u64 value = take_leb(c, &bits, &last);

	if ((last & 64) && bits < 64)
		value |= ~0ul << bits;
	return (s64)value;
}

static const char *take_string(struct cursor *c)
{
	const char *s = (const char *)c->data + c->at;

	while (take(c, 1))
		;
	return c->cut ? "" : s;
}

/* A name at an offset of another section; "" if there is none that ends. */
static const char *foreign_string(struct reader *r, const char *section, u64 offset)
{
	u32 n = ext_elf_find(&r->o->elf, section);
	const struct ext_section *s = &r->o->elf.section[n];

	if (!n || !s->data || offset >= s->bytes || s->data[s->bytes - 1])
		return "";
	return (const char *)s->data + offset;
}

static int refuse(struct reader *r, u64 at, const char *text, u64 number)
{
	return ext_refuse(r->why, EXT_WHY_OBJECT, r->s->offset + at, text, number);
}

/* A value of that form; *text: if it is one. */
static int form_take(struct reader *r, struct cursor *c, u64 form, const char **text)
{
	switch (form) {
	case 0x08:
		*text = take_string(c);
		break;
	case 0x0e:
		*text = foreign_string(r, ".debug_str", take(c, 4));
		break;
	case 0x1f:
		*text = foreign_string(r, ".debug_line_str", take(c, 4));
		break;
	case 0x0b:
		take(c, 1);
		break;
	case 0x05:
		take(c, 2);
		break;
	case 0x06:
		take(c, 4);
		break;
	case 0x07:
		take(c, 8);
		break;
	case 0x0f:
		take_uleb(c);
		break;
	case 0x1e:
		take(c, 8);
		take(c, 8);
		break;
	default:
		return refuse(r, c->at, ".debug_line has a value of form %x", form);
	}
	return EXT_OK;
}

/* A table of version 5: of directories (which are passed over) or files. */
static int entries_take(struct reader *r, struct cursor *c, int keep)
{
	u32 formats = (u32)take(c, 1);
	struct cursor format = *c;
	u64 count;
	int bad;

	for (u32 i = 0; i < formats; i++) {
		take_uleb(c);
		take_uleb(c);
	}
	count = take_uleb(c);
	if (count > c->end - c->at || (count && !formats))
		return refuse(r, c->at, ".debug_line has a table of %u entries", count);
	if (keep) {
		r->file = ext_alloc(r->arena, count * sizeof(*r->file));
		if (!r->file)
			return ext_refuse_memory(r->why);
		r->files = count;
	}
	for (u64 n = 0; n < count && !c->cut; n++) {
		struct cursor f = format;

		if (keep)
			r->file[n] = "";
		for (u32 i = 0; i < formats; i++) {
			u64 content = take_uleb(&f), form = take_uleb(&f);
			const char *text = "";

			if ((bad = form_take(r, c, form, &text)))
				return bad;
			if (keep && content == 1)
				r->file[n] = text;
		}
	}
	return EXT_OK;
}

/* The tables of older versions; files count from 1. */
static int old_tables_take(struct reader *r, struct cursor *c)
{
	struct cursor counted;
	u64 n = 1;

	while (*take_string(c))
		;
	counted = *c;
	while (*take_string(&counted)) {
		for (u32 i = 0; i < 3; i++)
			take_uleb(&counted);
		n++;
	}
	r->file = ext_alloc(r->arena, n * sizeof(*r->file));
	if (!r->file)
		return ext_refuse_memory(r->why);
	r->files = n;
	r->file[0] = "";
	for (u64 i = 1; i < n; i++) {
		r->file[i] = take_string(c);
		for (u32 k = 0; k < 3; k++)
			take_uleb(c);
	}
	return EXT_OK;
}

struct row {
	u32 section;
	u64 address, file, line;
};

static void row_add(struct reader *r, const struct row *row)
{
	if (!row->section || row->address % 8 ||
	    row->address >= r->o->elf.section[row->section].bytes || row->file >= r->files ||
	    !row->line || row->line > 0xffffffff)
		return;
	if (r->line)
		r->line[r->lines] = (struct ext_object_line){.section = row->section,
							     .insn = (u32)(row->address / 8),
							     .line = (u32)row->line,
							     .file = r->file[row->file]};
	r->lines++;
}

/* The address that a DW_LNE_set_address at `at` sets. */
static void row_address(struct reader *r, struct row *row, u64 at, u64 value)
{
	u32 low = ext_lower(r->reloc, r->relocs, ext_elf_reloc_place, at);
	const struct ext_symbol *y;

	row->section = 0;
	if (low == r->relocs || r->reloc[low].offset != at)
		return;
	y = &r->o->elf.symbol[r->reloc[low].symbol];
	if (y->section == EXT_ELF_UNDEFINED || y->section >= r->o->elf.sections ||
	    !(r->o->elf.section[y->section].flags & EXT_ELF_EXEC))
		return;
	row->section = y->section;
	row->address = y->value + value;
}

static void extended(struct reader *r, struct cursor *c, struct row *row)
{
	u64 length = take_uleb(c), next, code;

	if (length > c->end - c->at) {
		c->cut = 1;
		return;
	}
	next = c->at + length;
	code = length ? take(c, 1) : 0;
	if (code == 1) {
		*row = (struct row){.file = 1, .line = 1};
	} else if (code == 2 && length == 9) {
		u64 at = c->at;

		row_address(r, row, at, take(c, 8));
	}
	c->at = next;
}

static void program_run(struct reader *r, struct cursor *c, const struct unit *u)
{
	struct row row = {.file = 1, .line = 1};

	while (c->at < c->end && !c->cut) {
		u32 code = (u32)take(c, 1);

		if (code >= u->opcodes) {
			code -= u->opcodes;
			row.address += (u64)u->least * (code / u->range);
			row.line += (u64)(s64)(u->base + (s32)(code % u->range));
			row_add(r, &row);
			continue;
		}
		switch (code) {
		case 0:
			extended(r, c, &row);
			break;
		case 1:
			row_add(r, &row);
			break;
		case 2:
			row.address += u->least * take_uleb(c);
			break;
		case 3:
			row.line += (u64)take_sleb(c);
			break;
		case 4:
			row.file = take_uleb(c);
			break;
		case 8:
			row.address += (u64)u->least * ((255 - u->opcodes) / u->range);
			break;
		case 9:
			row.address += take(c, 2);
			break;
		default:
			for (u32 i = 0; i < u->lengths[code - 1]; i++)
				take_uleb(c);
		}
	}
}

/* One unit; c stands behind its length and ends with it. */
static int unit_read(struct reader *r, struct cursor *c)
{
	struct unit u;
	u64 length;
	struct cursor tables;
	int bad = EXT_OK;

	u.version = (u32)take(c, 2);
	if (u.version < 2 || u.version > 5)
		return EXT_OK; /* unknown: no lines */
	if (u.version == 5)
		take(c, 2);
	length = take(c, 4);
	if (length > c->end - c->at)
		return refuse(r, c->at, "a unit of .debug_line with a header of %u bytes", length);
	tables = (struct cursor){.data = c->data, .at = c->at, .end = c->at + length};
	c->at += length;
	u.least = (u32)take(&tables, 1);
	if (u.version >= 4)
		take(&tables, 1);
	take(&tables, 1);
	u.base = (s8)take(&tables, 1);
	u.range = (u32)take(&tables, 1);
	u.opcodes = (u32)take(&tables, 1);
	if (!u.range || u.opcodes < 10)
		return refuse(r, tables.at, "a unit of .debug_line whose lines have a range of %u",
			      u.range);
	u.lengths = tables.data + tables.at;
	for (u32 i = 1; i < u.opcodes; i++)
		take(&tables, 1);
	if (u.version == 5)
		bad = entries_take(r, &tables, 0);
	if (!bad)
		bad = u.version == 5 ? entries_take(r, &tables, 1) : old_tables_take(r, &tables);
	if (bad)
		return bad;
	if (tables.cut)
		return refuse(r, tables.at, "a unit of .debug_line is cut off", 0);
	program_run(r, c, &u);
	if (c->cut)
		return refuse(r, c->at, "a unit of .debug_line is cut off", 0);
	return EXT_OK;
}

static int units_read(struct reader *r)
{
	struct cursor c = {.data = r->s->data, .end = r->s->bytes};
	int bad;

	while (c.at < c.end) {
		u64 length = take(&c, 4);
		struct cursor unit = c;

		if (length > c.end - c.at)
			return refuse(r, c.at, "a unit of .debug_line of %u bytes", length);
		unit.end = unit.at + length;
		if ((bad = unit_read(r, &unit)))
			return bad;
		c.at += length;
	}
	return EXT_OK;
}

int ext_object_dwarf(struct ext_arena *a, struct ext_object *o, struct ext_refusal *why)
{
	u32 n = ext_elf_find(&o->elf, ".debug_line"), lines, *order;
	struct reader r = {.o = o, .arena = a, .why = why, .s = &o->elf.section[n]};
	struct ext_object_line *room;
	u64 used;
	int bad;

	if (!n || !r.s->data)
		return EXT_OK;
	if ((bad = ext_elf_relocs(a, &o->elf, n, &r.reloc, &r.relocs, why)))
		return bad;
	used = a->used;
	if ((bad = units_read(&r)))
		return bad;
	a->used = used;
	lines = r.lines;
	r.lines = 0;
	r.line = ext_alloc(a, lines * sizeof(*r.line));
	room = ext_alloc(a, lines * sizeof(*room));
	order = ext_alloc(a, lines * sizeof(u32));
	if (!r.line || !room || !order)
		return ext_refuse_memory(why);
	if ((bad = units_read(&r)))
		return bad;
	o->line = r.line;
	o->lines = r.lines;
	ext_object_lines_order(o, order, room);
	return EXT_OK;
}
