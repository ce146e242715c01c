/* SPDX-License-Identifier: MIT
 * Opening of objects: functions, entries, lines from .BTF.ext and .debug_line, maps.
 * links: ext/load.c ext/lines.c ext/dwarf.c ext/maps.c ext/elf.c ext/btf.c ext/btf_check.c ext/btf_look.c ext/order.c ext/arena.c ext/refusal.c */
#include "object_make.h"

#include <object.h>
#include <refusal.h>

static struct ext_object *object;
static struct bytes btf, ext, lines, code;
static u32 common, own, dwarf, common_fn, own_fn, second_fn, t_func, t_second, t_int;
static u32 info_functions, info_lines, info_cores; /* where they begin in .BTF.ext */

static int read_in(u64 arena)
{
	static u8 *copy;

	free(copy);
	copy = malloc(made_object.n);
	memcpy(copy, made_object.b, made_object.n);
	return ext_object_open(arena_anew(arena), copy, made_object.n, &object, &made_why);
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

static void types_make(void)
{
	u32 proto;

	types_begin();
	t_int = make_int("int", 4, EXT_BTF_SIGNED);
	proto = PROTO(t_int, t_int);
	t_func = make_func("entry", proto, EXT_BTF_GLOBAL);
	t_second = make_func("second", proto, EXT_BTF_GLOBAL);
	put_name(&made_names, "own");
	put_name(&made_names, "file.c");
	put_name(&made_names, "0:1");
	types_end(&btf);
}

static u32 name_of(const char *name)
{
	for (u32 at = 0; at < made_names.n; at += (u32)strlen((char *)made_names.b + at) + 1)
		if (!strcmp((char *)made_names.b + at, name))
			return at;
	return 0xffff;
}

static void ext_make(void)
{
	ext.n = 0;
	put(&ext, 0xeb9f, 2);
	put(&ext, 1, 1);
	put(&ext, 0, 1);
	put(&ext, 32, 4);
	put(&ext, 0, 4);
	put(&ext, 4 + 8 + 8, 4);
	put(&ext, 20, 4);
	put(&ext, 4 + 8 + 3 * 16, 4);
	put(&ext, 80, 4);
	put(&ext, 4 + 8 + 2 * 16, 4);
	info_functions = ext.n;
	put(&ext, 8, 4);
	put(&ext, name_of("own"), 4);
	put(&ext, 1, 4);
	put(&ext, 0, 4);
	put(&ext, t_second, 4); /* another than its name says: this counts */
	info_lines = ext.n;
	put(&ext, 16, 4);
	put(&ext, name_of("own"), 4);
	put(&ext, 3, 4);
	for (u32 i = 0; i < 3; i++) {
		put(&ext, (2 - i) * 8, 4); /* descending: they are ordered */
		put(&ext, name_of("file.c"), 4);
		put(&ext, 0, 4);
		put(&ext, (i == 1 ? 0 : 10 - i) << 10 | 3, 4);
	}
	info_cores = ext.n;
	put(&ext, 16, 4);
	put(&ext, name_of("own"), 4);
	put(&ext, 2, 4);
	for (u32 i = 0; i < 2; i++) {
		put(&ext, (1 - i) * 8, 4);
		put(&ext, t_int, 4);
		put(&ext, name_of("0:1"), 4);
		put(&ext, i, 4);
	}
}

/* A text with two functions and one with an entry. with: 1 .BTF, 2 .BTF.ext, 4 .debug_line as given. */
static void sample_with(u32 with)
{
	code.n = 0;
	for (u32 i = 0; i < 4; i++)
		insn_add(&code, EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
	object_begin();
	common = section_add(".text", EXT_ELF_PROGBITS, EXT_ELF_ALLOC | EXT_ELF_EXEC, code.b, 32);
	own = section_add("own", EXT_ELF_PROGBITS, EXT_ELF_ALLOC | EXT_ELF_EXEC, code.b, 24);
	types_make();
	if (with & 1)
		section_add(".BTF", EXT_ELF_PROGBITS, 0, btf.b, btf.n);
	ext_make();
	if (with & 2)
		section_add(".BTF.ext", EXT_ELF_PROGBITS, 0, ext.b, ext.n);
	own_fn = symbol_add("entry", EXT_ELF_FUNC, EXT_ELF_GLOBAL, own, 0, 24);
	second_fn = symbol_add("second", EXT_ELF_FUNC, EXT_ELF_GLOBAL, common, 16, 16);
	common_fn = symbol_add("first", EXT_ELF_FUNC, EXT_ELF_LOCAL, common, 0, 16);
	symbol_add("alias", EXT_ELF_FUNC, EXT_ELF_LOCAL, common, 0, 16);
	symbol_add("import", EXT_ELF_FUNC, EXT_ELF_GLOBAL, 0, 0, 0);
	if (with & 4) {
		dwarf = section_add(".debug_line", EXT_ELF_PROGBITS, 0, lines.b, lines.n);
		section_add(".debug_line_str", EXT_ELF_PROGBITS, 0, "dir\0a.c\0", 8);
	}
	object_end();
}

static void opening(void)
{
	const char *section;
	struct ext_refusal where;

	sample_with(3);
	SAME(read(), EXT_OK);
	SAME(object->functions, 3);
	CHECK(!strcmp(object->function[0].name, "first"));
	CHECK(!strcmp(object->function[1].name, "second"));
	SAME(object->function[1].first, 2);
	SAME(object->function[1].count, 2);
	SAME(object->function[1].type, t_second);
	SAME(object->function[2].type, t_second);
	CHECK(!strcmp(ext_object_entry(object, 0, &section), "entry"));
	CHECK(!strcmp(section, "own"));
	CHECK(!ext_object_entry(object, 1, &section));
	SAME(ext_object_function_at(object, common, 2), 1);
	SAME(ext_object_function_at(object, common, 1), EXT_NONE);
	SAME(ext_object_function_at(object, own, 0), 2);
	SAME(ext_object_function_at(object, own, EXT_NONE), EXT_NONE);
	SAME(ext_object_function_at(object, own, (1ul << 32)), EXT_NONE);
	SAME(object->lines, 2);
	SAME(object->line[0].insn, 0);
	SAME(object->line[0].line, 8);
	SAME(object->line[1].insn, 2);
	SAME(object->line[1].line, 10);
	ext_refusal_clear(&where);
	ext_object_where(object, own, 1, &where);
	SAME(where.line, 8);
	CHECK(!strcmp(where.file, "file.c"));
	ext_refusal_clear(&where);
	ext_object_where(object, common, 1, &where);
	SAME(where.line, 0);
	SAME(object->cores, 2);
	SAME(object->core[0].insn, 0);
	SAME(object->core[0].kind, 1);
	CHECK(!strcmp(object->core[0].path, "0:1"));
	SAME(object->by_name[t_int], 1);
	SAME(object->by_name[t_func], 0);
	for (u64 bytes = 0, used = made_arena.used; bytes < used; bytes += 8)
		REFUSED(read_in(bytes), EXT_WHY_MEMORY, "spent");
	/* without types, and with an unknown longer header and empty parts as gcc has */
	sample_with(0);
	SAME(read(), EXT_OK);
	SAME(object->function[0].type, 0);
	SAME(object->lines, 0);
	/* only common code: its global functions are entries */
	sample_with(3);
	poke(&made_object, made_symtab + own_fn * 24 + 4, EXT_ELF_LOCAL << 4 | EXT_ELF_FUNC, 1);
	SAME(read(), EXT_OK);
	CHECK(!strcmp(ext_object_entry(object, 0, &section), "second"));
	CHECK(!ext_object_entry(object, 1, &section));
}

static void functions(void)
{
	u64 y;

	sample_with(3);
	y = made_symtab + own_fn * 24;
	REFUSED(read_with(header_at(own) + 8, EXT_ELF_ALLOC, 8), EXT_WHY_OBJECT,
		"which holds no code");
	REFUSED(read_with(header_at(own) + 4, EXT_ELF_NOBITS, 4), EXT_WHY_OBJECT,
		"which holds no code");
	REFUSED(read_with(y + 8, 4, 1), EXT_WHY_OBJECT, "ends behind its section");
	poke(&made_object, y + 16, 16, 8);
	REFUSED(read_with(y + 8, 4, 1), EXT_WHY_OBJECT, "16 bytes at 4 are no instructions");
	REFUSED(read_with(y + 16, 12, 1), EXT_WHY_OBJECT, "12 bytes at 0 are no instructions");
	REFUSED(read_with(y + 16, 0, 1), EXT_WHY_OBJECT, "0 bytes at 0 are no instructions");
	SAME(made_why.offset, y);
	REFUSED(read_with(y + 6, 0xfff1, 2), EXT_WHY_OBJECT, "is in no section");
	REFUSED(read_with(made_symtab + common_fn * 24 + 16, 24, 8), EXT_WHY_OBJECT, "overlap");
	REFUSED(read_with(header_at(own) + 32, 23, 8), EXT_WHY_OBJECT, "code of 23 bytes");
	/* what is wrong in what it is made of */
	REFUSED(read_with(0, 0, 1), EXT_WHY_OBJECT, "no ELF");
	REFUSED(read_with(made_data[3], 0, 1), EXT_WHY_BTF, "begins with");
	reloc_add(own, 0, 99, EXT_R_BPF_64_64);
	object_end();
	REFUSED(read(), EXT_WHY_OBJECT, "symbol 99");
}

/* A number of .BTF.ext changed. */
static int ext_with(u32 at, u64 value, u32 bytes)
{
	return read_with(made_data[4] + at, value, bytes);
}

static void line_info(void)
{
	char longest[300];

	sample_with(3);
	REFUSED(read_with(header_at(4) + 32, 23, 8), EXT_WHY_BTF, "fewer than its header");
	REFUSED(ext_with(0, 0, 1), EXT_WHY_BTF, "not with a header known");
	REFUSED(ext_with(2, 2, 1), EXT_WHY_BTF, "not with a header known");
	REFUSED(ext_with(3, 1, 1), EXT_WHY_BTF, "not with a header known");
	REFUSED(ext_with(4, 23, 4), EXT_WHY_BTF, "header has 23 bytes");
	REFUSED(ext_with(4, ext.n + 1, 4), EXT_WHY_BTF, "header has");
	REFUSED(ext_with(16, 0xffffffff, 4), EXT_WHY_BTF, "behind .BTF.ext");
	REFUSED(ext_with(12, ext.n, 4), EXT_WHY_BTF, "behind .BTF.ext");
	REFUSED(ext_with(12, 3, 4), EXT_WHY_BTF, "3 bytes are no records");
	REFUSED(ext_with(info_functions, 4, 4), EXT_WHY_BTF, "records of 4 bytes");
	REFUSED(ext_with(info_lines, 12, 4), EXT_WHY_BTF, "records of 12 bytes");
	REFUSED(ext_with(info_lines, 18, 4), EXT_WHY_BTF, "records of 18 bytes");
	REFUSED(ext_with(12, 4 + 8 + 8 + 4, 4), EXT_WHY_BTF, "cut off");
	REFUSED(ext_with(info_functions + 4, btf.n, 4), EXT_WHY_BTF, "outside of .BTF's");
	REFUSED(ext_with(info_functions + 4, name_of("int"), 4), EXT_WHY_BTF,
		"a section that is not there");
	REFUSED(ext_with(info_functions + 8, 0, 4), EXT_WHY_BTF, "0 records that are not there");
	REFUSED(ext_with(info_functions + 8, 2, 4), EXT_WHY_BTF, "2 records that are not there");
	REFUSED(ext_with(info_functions + 12, 4, 4), EXT_WHY_BTF, "byte 4, where no instruction");
	REFUSED(ext_with(info_functions + 12, 24, 4), EXT_WHY_BTF, "byte 24, where no instruction");
	REFUSED(ext_with(info_functions + 12, 8, 4), EXT_WHY_BTF,
		"at instruction 1, where none begins");
	REFUSED(ext_with(info_functions + 16, made_count + 1, 4), EXT_WHY_BTF, "is no function");
	REFUSED(ext_with(info_functions + 16, t_int, 4), EXT_WHY_BTF, "type 1 is no function");
	REFUSED(ext_with(info_lines + 16, btf.n, 4), EXT_WHY_BTF, "outside of .BTF's");
	REFUSED(ext_with(info_cores + 16, made_count + 1, 4), EXT_WHY_BTF, "is not there");
	REFUSED(ext_with(info_cores + 12, 0, 4), EXT_WHY_BTF,
		"a second relocation of instruction 0");
	SAME(ext_with(4, 24, 4),
	     EXT_WHY_BTF); /* parts from the header's end: now at other places */
	memset(longest, 'x', sizeof(longest));
	longest[256] = 0;
	types_make();
	put_name(&made_names, longest);
	types_end(&btf);
	made_section[3].data.n = 0;
	put_all(&made_section[3].data, btf.b, btf.n);
	object_end();
	REFUSED(ext_with(info_lines + 16, name_of(longest), 4), EXT_WHY_BTF, "more than 255 bytes");
}

/* .debug_line: a unit's header in version 5 with one directory and one file (0 and 1 the same), or of version 3. */
static u32 tables_at, program_at;

static void unit_begin(u32 version)
{
	lines.n = 0;
	put(&lines, 0, 4);
	put(&lines, version, 2);
	if (version == 5)
		put(&lines, 8, 2); /* address and segment selector */
	put(&lines, 0, 4);
	tables_at = lines.n;
	put(&lines, 8, 1); /* least */
	if (version >= 4)
		put(&lines, 1, 1);
	put(&lines, 1, 1);
	put(&lines, (u64)-5, 1);
	put(&lines, 14, 1);
	put(&lines, 13, 1);
	put_all(&lines, "\0\1\1\1\1\0\0\0\1\0\0\1", 12);
	if (version == 5) {
		put_all(&lines, "\1\1\x1f\1", 4);
		put(&lines, 0, 4);
		put_all(&lines, "\2\1\x1f\2\x0b\2", 6);
		for (u32 i = 0; i < 2; i++) {
			put(&lines, 4, 4); /* a.c */
			put(&lines, 0, 1);
		}
	} else {
		put_all(&lines, "d\0\0a.c\0\0\0\0b.c\0\0\0\0\0", 3 + 7 + 7 + 1);
	}
	poke(&lines, tables_at - 4, lines.n - tables_at, 4);
	program_at = lines.n;
}

static u32 address_at;

static void unit_address(u64 address)
{
	put_all(&lines, "\0\11\2", 3);
	address_at = lines.n;
	put(&lines, address, 8);
}

static void unit_end(void)
{
	poke(&lines, 0, lines.n - 4, 4);
}

/* With the address's relocation against section `to`. */
static void object_of_lines(u32 to)
{
	u32 symbol;

	unit_end();
	sample_with(5);
	symbol = symbol_add("", EXT_ELF_SECTION, EXT_ELF_LOCAL, to, 0, 0);
	reloc_add(dwarf, address_at, symbol, 2);
	object_end();
}

static void debug_lines(void)
{
	unit_begin(5);
	unit_address(0);
	put_all(&lines, "\3\x0a\1", 3);		   /* line 11 at 0 */
	put_all(&lines, "\2\1\3\x7e\1", 5);	   /* 8 further, 2 less */
	put(&lines, 13 + 14 + 5 + 2, 1);	   /* a special one: 1 and line + 2 */
	put_all(&lines, "\5\1\6\7\12\13\14\1", 8); /* nothing that counts here */
	put_all(&lines, "\0\2\4\1\0\1\1", 7);
	object_of_lines(own);
	SAME(read(), EXT_OK);
	SAME(object->lines, 3);
	SAME(object->line[0].line, 11);
	SAME(object->line[1].line, 9);
	SAME(object->line[1].insn, 1);
	SAME(object->line[2].line, 11);
	SAME(object->line[2].insn, 2);
	SAME(object->line[2].section, own);
	CHECK(!strcmp(object->line[0].file, "a.c"));
	for (u64 bytes = 0, used = made_arena.used; bytes < used; bytes += 8)
		REFUSED(read_in(bytes), EXT_WHY_MEMORY, "spent");
	/* no relocation, or one that leads to no code: nothing is known */
	object_of_lines(dwarf);
	SAME(read(), EXT_OK);
	SAME(object->lines, 0);
	/* older tables; the second file; const_add_pc, fixed_advance_pc */
	unit_begin(3);
	unit_address(0);
	put_all(&lines, "\4\2\1\11\10\0\1", 7);
	put_all(&lines, "\4\7\11\10\0\1", 6); /* a file that is not there */
	object_of_lines(own);
	SAME(read(), EXT_OK);
	SAME(object->lines, 2);
	CHECK(!strcmp(object->line[1].file, "b.c"));
	SAME(object->line[1].insn, 1);
	for (u64 bytes = 0, used = made_arena.used; bytes < used; bytes += 8)
		REFUSED(read_in(bytes), EXT_WHY_MEMORY, "spent");
	/* tables that end too early */
	unit_begin(3);
	poke(&lines, tables_at - 4, lines.n - tables_at - 3, 4);
	unit_address(0);
	object_of_lines(own);
	REFUSED(read(), EXT_WHY_OBJECT, "a unit of .debug_line is cut off");
	SAME(made_why.offset, made_data[dwarf] + program_at - 3); /* there, not in the program */
	/* past the section's end */
	unit_begin(4);
	unit_address(24);
	put_all(&lines, "\1\10\1\2\x7f\1", 6);
	object_of_lines(own);
	SAME(read(), EXT_OK);
	SAME(object->lines, 0);
	/* a version to come */
	unit_begin(5);
	poke(&lines, 4, 6, 2);
	object_of_lines(own);
	SAME(read(), EXT_OK);
}

static int lines_with(u32 at, u64 value, u32 bytes)
{
	return read_with(made_data[dwarf] + at, value, bytes);
}

static void debug_lines_wrong(void)
{
	unit_begin(5);
	unit_address(0);
	put_all(&lines, "\3\x0a\1\2\x81", 5);
	object_of_lines(own);
	REFUSED(read(), EXT_WHY_OBJECT, "is cut off");
	unit_begin(5);
	unit_address(0);
	put_all(&lines, "\3\x0a\1\0\x7f", 5);
	object_of_lines(own);
	REFUSED(read(), EXT_WHY_OBJECT, "is cut off");
	unit_begin(5);
	unit_address(0);
	object_of_lines(own);
	SAME(read(), EXT_OK);
	REFUSED(lines_with(0, 0xffffffff, 4), EXT_WHY_OBJECT,
		"a unit of .debug_line of 4294967295");
	REFUSED(lines_with(0, lines.n - 3, 4), EXT_WHY_OBJECT, "a unit of .debug_line of");
	REFUSED(lines_with(8, lines.n, 4), EXT_WHY_OBJECT, "with a header of");
	REFUSED(lines_with(8, 20, 4), EXT_WHY_OBJECT, "is cut off");
	REFUSED(lines_with(tables_at + 4, 0, 1), EXT_WHY_OBJECT, "a range of 0");
	REFUSED(lines_with(tables_at + 5, 9, 1), EXT_WHY_OBJECT, "a range of 14");
	/* directories: one format (content 1, form), then how many */
	REFUSED(lines_with(tables_at + 20, 0x19, 1), EXT_WHY_OBJECT, "a value of form");
	REFUSED(lines_with(tables_at + 21, 0x7f, 1), EXT_WHY_OBJECT, "a table of 127 entries");
	REFUSED(lines_with(tables_at + 18, 0, 1), EXT_WHY_OBJECT, "a table of 1 entries");
	/* names that are not there are empty */
	SAME(lines_with(tables_at + 32, 8, 4), EXT_OK);
	REFUSED(lines_with(made_rel[dwarf] - made_data[dwarf] + 12, 99, 4), EXT_WHY_OBJECT,
		"symbol 99");
}

/* --- maps: m is a variable of a struct of what is given. */
static struct ext_region region;
static u32 map_symbol, map_struct, map_var;

static u32 number(u32 n)
{
	return make_ref("", EXT_BTF_PTR, make_array(t_int, n));
}

static int map_of(const char *const *names, const u32 *types, u32 n)
{
	u32 types_n = made_types.n, count = made_count; /* what is added here is given up again */

	object_begin();
	map_struct = type_add("", EXT_BTF_STRUCT, 0, n, n * 8);
	for (u32 i = 0; i < n; i++)
		member_add(names[i], types[i], i * 64);
	map_var = make_var("m", map_struct, EXT_BTF_GLOBAL);
	types_end(&btf);
	made_types.n = types_n;
	made_count = count;
	section_add(".maps", EXT_ELF_PROGBITS, EXT_ELF_ALLOC | EXT_ELF_WRITE, code.b, 32);
	section_add(".BTF", EXT_ELF_PROGBITS, 0, btf.b, btf.n);
	map_symbol = symbol_add("m", EXT_ELF_OBJECT, EXT_ELF_GLOBAL, 1, 0, 32);
	object_end();
	SAME(read(), EXT_OK);
	memset(&region, 0, sizeof(region));
	return ext_object_map(object, map_symbol, &region, &made_why);
}
#define MAP(...) \
	map_of((const char *const[]){__VA_ARGS__}, types, sizeof((const char *[]){__VA_ARGS__}) / 8)

static void maps(void)
{
	const char *names[17];
	u32 many[17];
	u32 types[6],
		kinds[6][2] = {{1, EXT_HASH}, {2, EXT_ARRAY}, {6, EXT_PERCPU}, {27, EXT_RING}};
	u32 t_long, flags;

	for (u32 i = 0; i < 4; i++) {
		types_begin();
		t_int = make_int("int", 4, EXT_BTF_SIGNED);
		t_long = make_int("long", 8, EXT_BTF_SIGNED);
		types[0] = number(kinds[i][0]);
		types[1] = make_ref("", EXT_BTF_PTR, t_int);
		types[2] = make_ref("", EXT_BTF_PTR, make_ref("word", EXT_BTF_TYPEDEF, t_long));
		types[3] = number(100);
		types[4] = number(0);
		SAME(MAP("type", "key", "value", "max_entries", "map_flags"), EXT_OK);
		SAME(region.kind, kinds[i][1]);
		SAME(region.key, 4);
		SAME(region.value, 8);
		SAME(region.entries, 100);
		SAME(region.btf_key, t_int);
		CHECK(!strcmp(region.name, "m"));
	}
	types[1] = number(12);
	types[2] = number(16);
	SAME(MAP("type", "key_size", "value_size", "max_entries"), EXT_OK);
	SAME(region.key, 12);
	SAME(region.value, 16);
	SAME(region.btf_key, 0);
	SAME(object->maps, 1);
	types[0] = number(3);
	REFUSED(MAP("type"), EXT_WHY_MAP, "map m: kind 3 is not known");
	types[0] = t_int;
	REFUSED(MAP("type"), EXT_WHY_MAP, "not a number");
	types[0] = make_ref("", EXT_BTF_PTR, t_int);
	REFUSED(MAP("max_entries"), EXT_WHY_MAP, "not a number");
	types[0] = make_ref("", EXT_BTF_PTR, 0);
	REFUSED(MAP("key"), EXT_WHY_MAP, "not a pointer to what has a size: key");
	types[0] = t_int;
	REFUSED(MAP("value"), EXT_WHY_MAP, "not a pointer to what has a size: value");
	REFUSED(MAP("pinning"), EXT_WHY_MAP, "unknown member pinning");
	REFUSED(MAP("map_flags"), EXT_WHY_MAP, "not a number");
	flags = types[0] = number(1);
	REFUSED(MAP("map_flags"), EXT_WHY_MAP, "no flags");
	for (u32 i = 0; i < 17; i++) {
		names[i] = "type";
		many[i] = types[0];
	}
	SAME(map_of(names, many, 16), EXT_OK);
	REFUSED(map_of(names, many, 17), EXT_WHY_MAP, "more than 16 members");
	types[0] = number(7);
	types[1] = flags;
	REFUSED(MAP("max_entries"), EXT_WHY_MAP, "no member says its type");
	SAME(made_why.offset, made_symtab + map_symbol * 24);
	poke(&btf, type_at(map_var) + 8, t_int, 4);
	made_section[2].data.n = 0;
	put_all(&made_section[2].data, btf.b, btf.n);
	object_end();
	SAME(read(), EXT_OK);
	REFUSED(ext_object_map(object, map_symbol, &region, &made_why), EXT_WHY_MAP,
		"not a struct");
	poke(&made_object, made_data[2] + type_at(map_var), 0, 0);
	poke(&made_object, made_symtab + map_symbol * 24, 1, 4); /* another name */
	SAME(read(), EXT_OK);
	poke(&made_object, made_symtab + map_symbol * 24, peek(&made_object, header_at(1), 4), 4);
	SAME(read(), EXT_OK);
	REFUSED(ext_object_map(object, map_symbol, &region, &made_why), EXT_WHY_MAP,
		"its type is not there");
	poke(&made_object, header_at(2), peek(&made_object, header_at(1), 4), 4);
	SAME(read(), EXT_OK);
	SAME(object->has_btf, 0);
	REFUSED(ext_object_map(object, map_symbol, &region, &made_why), EXT_WHY_MAP,
		"has no types");
}

static void attacked(void)
{
	for (u32 round = 0; round < 2; round++) {
		unit_begin(5);
		unit_address(0);
		put_all(&lines, "\3\x0a\1\2\1\3\x7e\1", 8);
		object_of_lines(own);
		if (!round)
			sample_with(3);
		for (u32 at = 0; at < made_object.n; at++)
			for (u32 k = 0; k < 4; k++) {
				static const u8 values[] = {0, 1, 0x80, 0xff};

				read_with(at, values[k], 1);
			}
	}
}

static const struct test tests[] = {TEST(opening),     TEST(functions),		TEST(line_info),
				    TEST(debug_lines), TEST(debug_lines_wrong), TEST(maps),
				    TEST(attacked)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
