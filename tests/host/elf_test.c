/* SPDX-License-Identifier: MIT
 * ELF objects: each table read, each way to be malformed refused with its place.
 * links: ext/elf.c ext/order.c ext/arena.c ext/refusal.c */
#include "object_make.h"

static struct ext_elf elf;
static struct ext_reloc *relocs;
static u32 reloc_count, text, other;

static int read_in(u64 arena)
{
	static u8 *copy;

	free(copy);
	copy = malloc(made_object.n ? made_object.n : 1);
	memcpy(copy, made_object.b, made_object.n);
	return ext_elf_read(arena_anew(arena), copy, made_object.n, &elf, &made_why);
}

static int read(void)
{
	return read_in(MADE_ARENA);
}

static int read_with(u64 at, u64 value, u32 bytes)
{
	u64 old = peek(&made_object, at, bytes);
	int got;

	poke(&made_object, at, value, bytes);
	got = read();
	poke(&made_object, at, old, bytes);
	return got;
}

static int relocs_of(u32 section)
{
	return ext_elf_relocs(&made_arena, &elf, section, &relocs, &reloc_count, &made_why);
}

static int relocs_with(u64 at, u64 value, u32 bytes)
{
	u64 old = peek(&made_object, at, bytes);
	int got;

	poke(&made_object, at, value, bytes);
	SAME(read(), EXT_OK);
	got = relocs_of(text);
	poke(&made_object, at, old, bytes);
	return got;
}

static void sample(void)
{
	static const u8 code[64];

	object_begin();
	text = section_add("text", EXT_ELF_PROGBITS, EXT_ELF_ALLOC | EXT_ELF_EXEC, code, 64);
	other = section_add("zeros", EXT_ELF_NOBITS, EXT_ELF_ALLOC | EXT_ELF_WRITE, 0, 1000);
	section_add("text", EXT_ELF_PROGBITS, 0, code, 8);
	symbol_add("f", EXT_ELF_FUNC, EXT_ELF_GLOBAL, text, 8, 56);
	symbol_add("", EXT_ELF_SECTION, EXT_ELF_LOCAL, other, 0, 0);
	symbol_add("outside", 0, EXT_ELF_GLOBAL, 0, 0, 0);
	symbol_add("fixed", 0, EXT_ELF_GLOBAL, 0xfff1, 0x12345, 0);
	symbol_add("shared", 1, EXT_ELF_GLOBAL, 0xfff2, 8, 100);
	reloc_add(text, 48, 1, EXT_R_BPF_64_32);
	reloc_add(text, 16, 2, EXT_R_BPF_64_64);
	object_end();
}

static void reading(void)
{
	sample();
	SAME(read(), EXT_OK);
	SAME(elf.sections, 7);
	SAME(elf.symbols, 6);
	SAME(ext_elf_find(&elf, "text"), text);
	SAME(ext_elf_find(&elf, "zeros"), other);
	SAME(ext_elf_find(&elf, ".strtab"), 6);
	SAME(ext_elf_find(&elf, "nothing"), 0);
	SAME(ext_elf_find(&elf, "zzzz"), 0);
	SAME(elf.section[text].bytes, 64);
	CHECK(elf.section[text].data != 0);
	SAME(elf.section[other].bytes, 1000);
	CHECK(!elf.section[other].data);
	CHECK(!strcmp(elf.symbol[1].name, "f"));
	SAME(elf.symbol[1].type, EXT_ELF_FUNC);
	SAME(elf.symbol[1].bind, EXT_ELF_GLOBAL);
	SAME(elf.symbol[1].bytes, 56);
	CHECK(!strcmp(elf.symbol[2].name, "zeros"));
	SAME(elf.symbol[4].section, EXT_ELF_ABSOLUTE);
	SAME(relocs_of(text), EXT_OK);
	SAME(reloc_count, 2);
	SAME(relocs[0].offset, 16);
	SAME(relocs[0].symbol, 2);
	SAME(relocs[1].type, EXT_R_BPF_64_32);
	SAME(relocs[0].at, made_rel[text] + 16);
	SAME(relocs_of(other), EXT_OK);
	SAME(reloc_count, 0);
	SAME(read(), EXT_OK);
	for (u64 bytes = 0, used = made_arena.used; bytes < used; bytes += 8)
		REFUSED(read_in(bytes), EXT_WHY_MEMORY, "spent");
	SAME(read(), EXT_OK);
	made_arena.size = made_arena.used + 8;
	REFUSED(relocs_of(text), EXT_WHY_MEMORY, "spent");
}

static void header(void)
{
	u32 whole;

	sample();
	whole = made_object.n;
	made_object.n = 63;
	REFUSED(read(), EXT_WHY_OBJECT, "63 bytes are no ELF");
	made_object.n = 0;
	REFUSED(read(), EXT_WHY_OBJECT, "0 bytes are no ELF");
	made_object.n = whole;
	REFUSED(ext_elf_read(&made_arena, made_object.b, (64ul << 20) + 1, &elf, &made_why),
		EXT_WHY_OBJECT, "the most is 64 MiB");
	REFUSED(read_with(0, 0x7e, 1), EXT_WHY_OBJECT, "it begins with");
	REFUSED(read_with(4, 1, 1), EXT_WHY_OBJECT, "class 1");
	REFUSED(read_with(5, 2, 1), EXT_WHY_OBJECT, "big-endian");
	SAME(made_why.offset, 5);
	REFUSED(read_with(5, 3, 1), EXT_WHY_OBJECT, "unknown byte order 3");
	REFUSED(read_with(6, 0, 1), EXT_WHY_OBJECT, "of version 0");
	REFUSED(read_with(20, 2, 4), EXT_WHY_OBJECT, "of version");
	REFUSED(read_with(18, 62, 2), EXT_WHY_OBJECT, "for machine 62");
	REFUSED(read_with(16, 2, 2), EXT_WHY_OBJECT, "of type 2, not relocatable");
	REFUSED(read_with(58, 63, 2), EXT_WHY_OBJECT, "section headers of 63");
	REFUSED(read_with(60, 0, 2), EXT_WHY_OBJECT, "0 sections");
	REFUSED(read_with(60, 0xff00, 2), EXT_WHY_OBJECT, "65280 sections");
	REFUSED(read_with(62, 7, 2), EXT_WHY_OBJECT, "names in section 7, which is not there");
	REFUSED(read_with(40, ~0ul, 8), EXT_WHY_OBJECT, "end behind the object");
	REFUSED(read_with(40, made_object.n, 8), EXT_WHY_OBJECT, "end behind the object");
	REFUSED(read_with(60, 2000, 2), EXT_WHY_OBJECT, "end behind the object");
	SAME(made_why.offset, 40);
}

static void sections(void)
{
	char longest[300];

	sample();
	REFUSED(read_with(header_at(text) + 24, ~0ul, 8), EXT_WHY_OBJECT, "section 1 ends behind");
	SAME(made_why.offset, header_at(text) + 24);
	REFUSED(read_with(header_at(text) + 32, ~0ul - 4, 8), EXT_WHY_OBJECT,
		"section 1 ends behind");
	REFUSED(read_with(header_at(text) + 32, made_object.n, 8), EXT_WHY_OBJECT,
		"section 1 ends behind");
	REFUSED(read_with(header_at(text) + 8, EXT_ELF_COMPRESSED, 8), EXT_WHY_OBJECT,
		"compressed");
	REFUSED(read_with(header_at(text) + 48, 3, 8), EXT_WHY_OBJECT, "aligned to 3");
	REFUSED(read_with(header_at(text) + 48, 8192, 8), EXT_WHY_OBJECT, "aligned to 8192");
	REFUSED(read_with(header_at(text) + 4, EXT_ELF_RELA, 4), EXT_WHY_OBJECT,
		"relocations with addends");
	REFUSED(read_with(header_at(text), made_strings.n, 4), EXT_WHY_OBJECT,
		"behind the end of its table");
	REFUSED(read_with(62, text, 2), EXT_WHY_OBJECT, "no table of names");
	REFUSED(read_with(made_object.n - 1, 'x', 1), EXT_WHY_OBJECT, "that does not end");
	/* relocations: section 4 */
	REFUSED(read_with(header_at(4) + 44, 0, 4), EXT_WHY_OBJECT, "relocations of section 0");
	REFUSED(read_with(header_at(4) + 44, 7, 4), EXT_WHY_OBJECT, "relocations of section 7");
	REFUSED(read_with(header_at(4) + 32, 31, 8), EXT_WHY_OBJECT, "relocations of 31 bytes");
	REFUSED(read_with(header_at(4) + 40, 4, 4), EXT_WHY_OBJECT,
		"relocations by symbols of section 4");
	REFUSED(read_with(header_at(3) + 4, EXT_ELF_REL, 4), EXT_WHY_OBJECT,
		"relocations of section 0");
	poke(&made_object, header_at(3) + 4, EXT_ELF_REL, 4);
	poke(&made_object, header_at(3) + 32, 0, 8);
	REFUSED(read_with(header_at(3) + 44, text, 4), EXT_WHY_OBJECT, "two tables of relocations");
	object_begin();
	memset(longest, 'x', sizeof(longest));
	longest[256] = 0;
	section_add(longest, EXT_ELF_PROGBITS, 0, "", 0);
	object_end();
	REFUSED(read(), EXT_WHY_OBJECT, "more than 255 bytes");
	object_begin();
	longest[255] = 0;
	section_add(longest, EXT_ELF_PROGBITS, 0, "", 0);
	object_end();
	SAME(read(), EXT_OK);
}

static void symbols(void)
{
	u32 table;

	sample();
	table = made_symtab_section();
	REFUSED(read_with(header_at(table) + 4, EXT_ELF_PROGBITS, 4), EXT_WHY_OBJECT, "no symbols");
	REFUSED(read_with(header_at(table) + 32, made_symbols.n - 1, 8), EXT_WHY_OBJECT,
		"no multiple of 24");
	REFUSED(read_with(header_at(3) + 4, EXT_ELF_SYMTAB, 4), EXT_WHY_OBJECT,
		"a second table of symbols");
	REFUSED(read_with(header_at(table) + 40, 7, 4), EXT_WHY_OBJECT,
		"symbols' names in section 7");
	REFUSED(read_with(header_at(table) + 40, text, 4), EXT_WHY_OBJECT, "no table of names");
	REFUSED(read_with(made_symtab + 24, made_strings.n, 4), EXT_WHY_OBJECT,
		"behind the end of its table");
	REFUSED(read_with(made_symtab + 24 + 6, 7, 2), EXT_WHY_OBJECT, "a symbol of section 7");
	REFUSED(read_with(made_symtab + 24 + 6, 0xfff3, 2), EXT_WHY_OBJECT,
		"a symbol of section 65523");
	REFUSED(read_with(made_symtab + 24 + 8, 65, 8), EXT_WHY_OBJECT, "ends behind its section");
	REFUSED(read_with(made_symtab + 24 + 8, 9, 8), EXT_WHY_OBJECT, "ends behind its section");
	REFUSED(read_with(made_symtab + 24 + 16, ~0ul, 8), EXT_WHY_OBJECT,
		"ends behind its section");
	SAME(read_with(made_symtab + 24 + 16, 0, 8), EXT_OK);
}

static void relocations(void)
{
	sample();
	REFUSED(relocs_with(made_rel[text], 64, 8), EXT_WHY_OBJECT, "a relocation at 64, behind");
	REFUSED(relocs_with(made_rel[text] + 12, 6, 4), EXT_WHY_OBJECT,
		"symbol 6, which is not there");
	REFUSED(relocs_with(made_rel[text], 16, 8), EXT_WHY_OBJECT, "a second relocation at 16");
	SAME(relocs_with(made_rel[text], 8, 8), EXT_OK);
	SAME(relocs[0].offset, 8);
}

static void attacked(void)
{
	sample();
	for (u32 at = 0; at < made_object.n; at++)
		for (u32 k = 0; k < 5; k++) {
			static const u8 values[] = {0, 1, 0x7f, 0x80, 0xff};

			if (read_with(at, values[k], 1))
				continue;
			for (u32 n = 0; n < elf.sections; n++)
				relocs_of(n);
		}
}

static const struct test tests[] = {TEST(reading), TEST(header),      TEST(sections),
				    TEST(symbols), TEST(relocations), TEST(attacked)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
