/* SPDX-License-Identifier: MIT
 * Reading of relocatable ELF objects. */
#include <elf.h>
#include <order.h>
#include <refusal.h>

#define OBJECT_MOST (64ul << 20)
#define NAME_MOST 255
#define HEADER 64
#define SECTION 64
#define SYMBOL 24
#define MACHINE_BPF 247
#define TYPE_RELOCATABLE 1

static int refuse(struct ext_refusal *why, u64 at, const char *text, u64 number)
{
	return ext_refuse(why, EXT_WHY_OBJECT, at, text, number);
}

static int header_check(const u8 *o, u64 bytes, struct ext_refusal *why)
{
	if (bytes < HEADER)
		return refuse(why, 0, "%u bytes are no ELF object", bytes);
	if (bytes > OBJECT_MOST)
		return refuse(why, 0, "an object of %u bytes; the most is 64 MiB", bytes);
	if (ext_get32(o) != 0x464c457f)
		return refuse(why, 0, "no ELF object: it begins with %x", ext_get32(o));
	if (o[4] != 2)
		return refuse(why, 4, "an ELF object of class %u, not of 64 bits", o[4]);
	if (o[5] == 2)
		return refuse(why, 5, "a big-endian object: compile for bpfel", 0);
	if (o[5] != 1)
		return refuse(why, 5, "an ELF object of unknown byte order %u", o[5]);
	if (o[6] != 1 || ext_get32(o + 20) != 1)
		return refuse(why, 6, "an ELF object of version %u", o[6]);
	if (ext_get16(o + 18) != MACHINE_BPF)
		return refuse(why, 18, "an object for machine %u, not for BPF (247)",
			      ext_get16(o + 18));
	if (ext_get16(o + 16) != TYPE_RELOCATABLE)
		return refuse(why, 16, "an ELF file of type %u, not relocatable",
			      ext_get16(o + 16));
	if (ext_get16(o + 58) != SECTION)
		return refuse(why, 58, "section headers of %u bytes", ext_get16(o + 58));
	if (!ext_get16(o + 60) || ext_get16(o + 60) >= 0xff00)
		return refuse(why, 60, "%u sections", ext_get16(o + 60));
	if (ext_get16(o + 62) >= ext_get16(o + 60))
		return refuse(why, 62, "the sections' names in section %u, which is not there",
			      ext_get16(o + 62));
	if (ext_get64(o + 40) > bytes ||
	    (u64)ext_get16(o + 60) * SECTION > bytes - ext_get64(o + 40))
		return refuse(why, 40, "section headers at byte %u end behind the object",
			      ext_get64(o + 40));
	return EXT_OK;
}

/* A name in a string table; `at`: where the reference to it stands. */
static int name_read(const struct ext_elf *e, u32 table, u64 offset, u64 at, const char **out,
		     struct ext_refusal *why)
{
	const struct ext_section *s = &e->section[table];
	u64 length = 0;

	if (s->type != EXT_ELF_STRTAB)
		return refuse(why, at, "names in section %u, which is no table of names", table);
	if (offset >= s->bytes)
		return refuse(why, at, "a name at %u, behind the end of its table", offset);
	while (length <= NAME_MOST && offset + length < s->bytes && s->data[offset + length])
		length++;
	if (length > NAME_MOST)
		return refuse(why, at, "a name of more than %u bytes", NAME_MOST);
	if (offset + length == s->bytes)
		return refuse(why, at, "a name at %u that does not end", offset);
	*out = (const char *)s->data + offset;
	return EXT_OK;
}

static int section_read(struct ext_elf *e, u32 n, struct ext_refusal *why)
{
	struct ext_section *s = &e->section[n];
	const u8 *h;
	u64 flags;

	s->at = ext_get64(e->object + 40) + (u64)n * SECTION;
	h = e->object + s->at;
	s->type = ext_get32(h + 4);
	flags = ext_get64(h + 8);
	s->flags = (u32)flags;
	s->offset = ext_get64(h + 24);
	s->bytes = ext_get64(h + 32);
	s->link = ext_get32(h + 40);
	s->info = ext_get32(h + 44);
	s->align = ext_get64(h + 48);
	if (!s->type)
		s->bytes = 0;
	if (s->type == EXT_ELF_NOBITS || !s->type)
		return EXT_OK;
	if (s->offset > e->bytes || s->bytes > e->bytes - s->offset)
		return refuse(why, s->at + 24, "section %u ends behind the object", n);
	if (s->flags & EXT_ELF_COMPRESSED)
		return refuse(why, s->at + 8, "section %u is compressed", n);
	s->data = e->object + s->offset;
	return EXT_OK;
}

static int section_before(const void *context, u32 x, u32 y)
{
	const struct ext_section *s = context;
	int c = ext_name_compare(s[x].name, s[y].name);

	return c ? c < 0 : x < y;
}

static int sections_read(struct ext_arena *a, struct ext_elf *e, struct ext_refusal *why)
{
	u32 names = ext_get16(e->object + 62);
	int bad;

	e->sections = ext_get16(e->object + 60);
	e->section = ext_alloc(a, e->sections * sizeof(*e->section));
	e->named = ext_alloc(a, e->sections * sizeof(u32));
	if (!e->section || !e->named)
		return ext_refuse_memory(why);
	for (u32 n = 0; n < e->sections; n++)
		if ((bad = section_read(e, n, why)))
			return bad;
	for (u32 n = 0; n < e->sections; n++) {
		struct ext_section *s = &e->section[n];

		if ((bad = name_read(e, names, ext_get32(e->object + s->at), s->at, &s->name, why)))
			return bad;
		if (s->align > 4096 || (s->align & (s->align - 1)))
			return refuse(why, s->at + 48, "a section aligned to %u", s->align);
		if (s->type == EXT_ELF_RELA)
			return refuse(why, s->at + 4,
				      "section %u: relocations with addends, which BPF has not", n);
		if (s->type != EXT_ELF_REL)
			continue;
		if (!s->info || s->info >= e->sections)
			return refuse(why, s->at + 44,
				      "relocations of section %u, which is not there", s->info);
		if (s->bytes % 16)
			return refuse(why, s->at + 32, "relocations of %u bytes, no multiple of 16",
				      s->bytes);
		if (e->section[s->info].relocs)
			return refuse(why, s->at + 44, "section %u has two tables of relocations",
				      s->info);
		e->section[s->info].relocs = n;
	}
	for (u32 n = 0; n < e->sections; n++)
		e->named[n] = n;
	ext_order(e->named, e->sections, section_before, e->section);
	return EXT_OK;
}

static int symbol_read(struct ext_elf *e, u32 table, u32 n, struct ext_refusal *why)
{
	struct ext_symbol *y = &e->symbol[n];
	const u8 *p = e->section[table].data + (u64)n * SYMBOL;
	int bad;

	y->at = e->section[table].offset + (u64)n * SYMBOL;
	y->type = p[4] & 15;
	y->bind = p[4] >> 4;
	y->section = ext_get16(p + 6);
	y->value = ext_get64(p + 8);
	y->bytes = ext_get64(p + 16);
	if ((bad = name_read(e, e->section[table].link, ext_get32(p), y->at, &y->name, why)))
		return bad;
	if (y->section == EXT_ELF_UNDEFINED || y->section == EXT_ELF_ABSOLUTE ||
	    y->section == EXT_ELF_COMMON)
		return EXT_OK;
	if (y->section >= e->sections)
		return refuse(why, y->at + 6, "a symbol of section %u, which is not there",
			      y->section);
	if (y->value > e->section[y->section].bytes ||
	    y->bytes > e->section[y->section].bytes - y->value)
		return refuse(why, y->at + 8, "a symbol at %u that ends behind its section",
			      y->value);
	if (y->type == EXT_ELF_SECTION)
		y->name = e->section[y->section].name;
	return EXT_OK;
}

static int symbols_read(struct ext_arena *a, struct ext_elf *e, struct ext_refusal *why)
{
	u32 table = 0;
	int bad;

	for (u32 n = 0; n < e->sections; n++) {
		if (e->section[n].type != EXT_ELF_SYMTAB)
			continue;
		if (table)
			return refuse(why, e->section[n].at + 4,
				      "a second table of symbols, section %u", n);
		table = n;
	}
	if (!table)
		return refuse(why, 0, "no symbols", 0);
	if (e->section[table].bytes % SYMBOL)
		return refuse(why, e->section[table].at + 32,
			      "symbols of %u bytes, no multiple of 24", e->section[table].bytes);
	if (e->section[table].link >= e->sections)
		return refuse(why, e->section[table].at + 40,
			      "symbols' names in section %u, which is not there",
			      e->section[table].link);
	e->symbols = (u32)(e->section[table].bytes / SYMBOL);
	e->symbol = ext_alloc(a, e->symbols * sizeof(*e->symbol));
	if (!e->symbol)
		return ext_refuse_memory(why);
	for (u32 n = 0; n < e->symbols; n++)
		if ((bad = symbol_read(e, table, n, why)))
			return bad;
	for (u32 n = 0; n < e->sections; n++)
		if (e->section[n].type == EXT_ELF_REL && e->section[n].link != table)
			return refuse(why, e->section[n].at + 40,
				      "relocations by symbols of section %u", e->section[n].link);
	return EXT_OK;
}

int ext_elf_read(struct ext_arena *a, const u8 *object, u64 bytes, struct ext_elf *out,
		 struct ext_refusal *why)
{
	struct ext_elf e = {.object = object, .bytes = bytes};
	int bad;

	if ((bad = header_check(object, bytes, why)) || (bad = sections_read(a, &e, why)) ||
	    (bad = symbols_read(a, &e, why)))
		return bad;
	*out = e;
	return EXT_OK;
}

u32 ext_elf_find(const struct ext_elf *e, const char *name)
{
	u32 low = 0, high = e->sections;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (ext_name_compare(e->section[e->named[middle]].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == e->sections || !ext_name_equal(e->section[e->named[low]].name, name))
		return 0;
	return e->named[low];
}

static int reloc_before(const void *context, u32 x, u32 y)
{
	const struct ext_reloc *r = context;

	return r[x].offset < r[y].offset;
}

u64 ext_elf_reloc_place(const void *table, u32 n)
{
	return ((const struct ext_reloc *)table)[n].offset;
}

int ext_elf_relocs(struct ext_arena *a, const struct ext_elf *e, u32 section,
		   struct ext_reloc **out, u32 *count, struct ext_refusal *why)
{
	const struct ext_section *table = &e->section[e->section[section].relocs];
	u32 n = e->section[section].relocs ? (u32)(table->bytes / 16) : 0;
	struct ext_reloc *read = ext_alloc(a, n * sizeof(*read)), *r = ext_alloc(a, n * sizeof(*r));
	u32 *order = ext_alloc(a, n * sizeof(u32));

	if (!read || !r || !order)
		return ext_refuse_memory(why);
	for (u32 i = 0; i < n; i++) {
		const u8 *p = table->data + i * 16ul;

		read[i].offset = ext_get64(p);
		read[i].type = ext_get32(p + 8);
		read[i].symbol = ext_get32(p + 12);
		read[i].at = table->offset + i * 16ul;
		if (read[i].offset >= e->section[section].bytes)
			return refuse(why, read[i].at,
				      "a relocation at %u, behind its section's end",
				      read[i].offset);
		if (read[i].symbol >= e->symbols)
			return refuse(why, read[i].at + 12,
				      "a relocation by symbol %u, which is not there",
				      read[i].symbol);
		order[i] = i;
	}
	ext_order(order, n, reloc_before, read);
	for (u32 i = 0; i < n; i++) {
		r[i] = read[order[i]];
		if (i && r[i].offset == r[i - 1].offset)
			return refuse(why, r[i].at, "a second relocation at %u", r[i].offset);
	}
	*out = r;
	*count = n;
	return EXT_OK;
}
