/* SPDX-License-Identifier: MIT
 * Linking: what an entry reaches, addresses, calls, imports by name and type; raw programs.
 * links: ext/link.c ext/import.c ext/core.c ext/image.c ext/interface.c ext/load.c ext/lines.c ext/dwarf.c ext/maps.c ext/elf.c ext/btf.c ext/btf_check.c ext/btf_look.c ext/btf_equal.c ext/btf_print.c ext/order.c ext/arena.c ext/refusal.c */
#include "link_make.h"

static void whole(void)
{
	u64 needed;

	program_begin();
	lddw_add(&own, 1, 0, 2, 0);	   /* .data + 2 */
	lddw_add(&own, 2, 0, 0, 0);	   /* table */
	lddw_add(&own, 3, 0, 0, 0);	   /* map */
	insn_add(&own, CALL, 0, 1, 0, -1); /* 6: read */
	insn_add(&own, CALL, 0, 1, 0, -1); /* 7: helper, by its symbol */
	insn_add(&own, CALL, 0, 1, 0, 1);  /* 8: last, by the section */
	insn_add(&own, CALL, 0, 1, 0, -1); /* 9: read again */
	lddw_add(&own, 4, 0, 5, 6);	   /* a number */
	lddw_add(&own, 1, 0, 3, 0);	   /* .data + 3 */
	lddw_add(&own, 1, 0, -8, 0);	   /* before the variable */
	program_end();
	reloc_add(s_own, 0, y_data, EXT_R_BPF_64_64);
	reloc_add(s_own, 16, y_rodata, EXT_R_BPF_64_64);
	reloc_add(s_own, 32, y_map, EXT_R_BPF_64_64);
	reloc_add(s_own, 48, y_read, EXT_R_BPF_64_32);
	reloc_add(s_own, 56, y_helper, EXT_R_BPF_64_32);
	reloc_add(s_own, 64, y_text, EXT_R_BPF_64_32);
	reloc_add(s_own, 72, y_read, EXT_R_BPF_64_32);
	reloc_add(s_own, 96, y_data, EXT_R_BPF_64_64);
	reloc_add(s_own, 112, y_rodata, EXT_R_BPF_64_64);
	reloc_add(s_own, 136, y_data, EXT_R_BPF_NONE);
	SAME(link(), EXT_OK);
	needed = made_arena.used;
	CHECK(!strcmp(program.name, "entry"));
	SAME(program.functions, 3);
	CHECK(!strcmp(program.function[1].name, "helper"));
	CHECK(!strcmp(program.function[2].name, "last"));
	SAME(program.function[0].count, 18);
	SAME(program.function[1].first, 18);
	SAME(program.function[2].first, 20);
	SAME(program.insns, 22);
	SAME(program.function[0].proto, t_entry_proto);
	SAME(program.regions, 3);
	SAME(program.region[0].kind, EXT_DATA);
	SAME(program.region[0].init_bytes, 8);
	CHECK(!memcmp(program.region[0].init, "datadata", 8));
	SAME(program.region[1].kind, EXT_RODATA);
	SAME(program.region[2].kind, EXT_ARRAY);
	SAME(program.region[2].entries, 2);
	SAME(ext_src(&program.insn[0]), EXT_LD_REGION);
	SAME(ext_dst(&program.insn[0]), 1);
	SAME(program.insn[0].imm, 0);
	SAME(program.insn[1].imm, 2);
	SAME(program.insn[2].imm, 1);
	SAME(program.insn[3].imm, 4);
	SAME(ext_src(&program.insn[4]), EXT_LD_MAP);
	SAME(program.insn[4].imm, 2);
	SAME(program.insn[5].imm, 0);
	SAME(ext_src(&program.insn[6]), EXT_CALL_IMPORT);
	SAME(program.insn[6].imm, 0);
	SAME(program.insn[7].imm, 10);
	SAME(ext_src(&program.insn[7]), EXT_CALL_LOCAL);
	SAME(program.insn[8].imm, 11);
	SAME(program.insn[9].imm, 0);
	SAME(ext_src(&program.insn[10]), 0);
	SAME(program.insn[10].imm, 5);
	SAME(program.insn[11].imm, 6);
	SAME(program.insn[13].imm, 3);
	SAME(program.insn[15].imm, -4);
	SAME(program.imports, 1);
	SAME(program.import[0].slot, 9);
	CHECK(program.import[0].contract == &face.function[0]);
	CHECK(program.interface == &face);
	CHECK(program.attach == &face.attach[0]);
	SAME(program.lines, 1);
	SAME(program.line[0].line, 7);
	SAME(program.data_bytes, 8192);
	for (u64 bytes = 0; bytes < needed; bytes += 8)
		SAME(link_in(0, bytes), EXT_WHY_MEMORY);
	SAME(link_in("point/x", needed), EXT_OK);
	SAME(link_in("entry", needed), EXT_OK);
	SAME(link_in("helper", needed), EXT_OK);
	SAME(program.functions, 1);
	SAME(program.regions, 0);
	REFUSED(link_in("nobody", MADE_ARENA), EXT_WHY_SECTION, "no section or function nobody");
	poke(&made_object, made_symtab + y_helper * 24 + 4, EXT_ELF_GLOBAL << 4 | EXT_ELF_FUNC, 1);
	SAME(link_in(0, MADE_ARENA), EXT_OK); /* common code is no entry */
	poke(&made_object, made_symtab + y_helper * 24 + 6, s_own, 2);
	poke(&made_object, made_symtab + y_helper * 24 + 8, 128, 1);
	poke(&made_object, made_symtab + y_entry * 24 + 16, 128, 1);
	REFUSED(link_in(0, MADE_ARENA), EXT_WHY_SECTION, "2 functions: say which");
	REFUSED(link_in("point/x", MADE_ARENA), EXT_WHY_SECTION, "2 functions in section point/x");
	poke(&made_object, made_symtab + y_helper * 24 + 4, EXT_ELF_FUNC, 1);
	poke(&made_object, made_symtab + y_entry * 24 + 4, EXT_ELF_FUNC, 1);
	REFUSED(link_in(0, MADE_ARENA), EXT_WHY_SECTION, "no function");
}

/* One address, of what symbol, with what in its two halves. */
static int address(u32 *symbol, u32 type, u32 src, s32 low, s32 high)
{
	program_begin();
	lddw_add(&own, 1, src, low, high);
	program_end();
	if (symbol)
		reloc_add(s_own, 0, *symbol, type);
	return link();
}

static void addresses(void)
{
	u32 absolute, bss;

	SAME(address(&y_data, EXT_R_BPF_64_64, 0, 0, 0), EXT_OK);
	absolute = y_missing + 1;
	bss = y_missing + 2;
	SAME(address(&bss, EXT_R_BPF_64_64, 0, 4, 0), EXT_OK);
	SAME(program.region[0].bytes, 100);
	SAME(program.region[0].init_bytes, 0);
	SAME(program.insn[1].imm, 20);
	REFUSED(address(0, 0, 1, 0, 0), EXT_WHY_LINK, "an address of kind 1 without a relocation");
	REFUSED(address(0, 0, 2, 0, 0), EXT_WHY_LINK, "an address of kind 2 without a relocation");
	SAME(made_why.line, 7);
	CHECK(!strcmp(made_why.file, "a.c"));
	CHECK(!strcmp(made_why.function, "entry"));
	SAME(made_why.offset, made_data[s_own]);
	SAME(address(0, 0, 0, 1, 2), EXT_OK);
	REFUSED(address(&y_data, EXT_R_BPF_64_32, 0, 0, 0), EXT_WHY_OBJECT,
		"type 10 on an address");
	REFUSED(address(&y_data, 2, 0, 0, 0), EXT_WHY_OBJECT, "type 2 on an address");
	REFUSED(address(&y_missing, EXT_R_BPF_64_64, 0, 0, 0), EXT_WHY_LINK,
		"variable missing is not defined");
	REFUSED(address(&absolute, EXT_R_BPF_64_64, 0, 0, 0), EXT_WHY_OBJECT,
		"absolute is in no section");
	REFUSED(address(&y_data, EXT_R_BPF_64_64, 0, 0, 1), EXT_WHY_OBJECT,
		"more than 2 GiB behind");
	REFUSED(address(&y_rodata, EXT_R_BPF_64_64, 0, 0x7fffffff, 0), EXT_WHY_OBJECT,
		"more than 2 GiB from its section's begin");
	REFUSED(address(&y_helper, EXT_R_BPF_64_64, 0, 0, 0), EXT_WHY_LINK,
		"the address of a function");
	REFUSED(address(&y_map, EXT_R_BPF_64_64, 0, 8, 0), EXT_WHY_MAP,
		"byte 8 of .maps, where no map");
	REFUSED(address(&y_map, EXT_R_BPF_64_64, 0, -8, 0), EXT_WHY_MAP, "where no map");
	/* data */
	program_begin();
	lddw_add(&own, 1, 0, 0, 0);
	program_end();
	reloc_add(s_own, 0, y_data, EXT_R_BPF_64_64);
	object_end();
	poke(&made_object, header_at(s_data) + 8, EXT_ELF_WRITE, 8);
	REFUSED(link_in(0, MADE_ARENA), EXT_WHY_OBJECT, ".data is no data");
	poke(&made_object, header_at(s_data) + 8, EXT_ELF_WRITE | EXT_ELF_ALLOC, 8);
	poke(&made_object, header_at(s_data) + 4, EXT_ELF_STRTAB, 4);
	REFUSED(link_in(0, MADE_ARENA), EXT_WHY_OBJECT, ".data is no data");
	poke(&made_object, header_at(s_data) + 4, EXT_ELF_PROGBITS, 4);
	poke(&made_object, header_at(s_data) + 48, 128, 8);
	REFUSED(link_in(0, MADE_ARENA), EXT_WHY_OBJECT, "aligned to 128; the most is 64");
	poke(&made_object, header_at(s_data) + 48, 64, 8);
	SAME(link_in(0, MADE_ARENA), EXT_OK);
	reloc_add(s_data, 0, y_rodata, 2);
	object_end();
	REFUSED(link_in(0, MADE_ARENA), EXT_WHY_LINK, ".data holds addresses");
	/* a map whose definition is refused, and one too large */
	program_begin();
	lddw_add(&own, 1, 0, 0, 0);
	program_end();
	reloc_add(s_own, 0, y_map, EXT_R_BPF_64_64);
	object_end();
	SAME(link_in(0, MADE_ARENA), EXT_OK);
	poke(&made_object, made_data[s_btf] + type_at(t_entry_proto + 2) + 20, 99, 4);
	REFUSED(link_in(0, MADE_ARENA), EXT_WHY_MAP, "kind 99");
	/* an address cut off by its function's end */
	program_begin();
	insn_add(&own, EXT_LDDW, 1, 0, 0, 0);
	program_end();
	object_end();
	poke(&made_object, made_symtab + y_entry * 24 + 16, 8, 8);
	REFUSED(link_in(0, MADE_ARENA), EXT_WHY_OBJECT, "cut off by the function's end");
}

static int call(u32 *symbol, u32 type, u32 src, s32 imm)
{
	program_begin();
	insn_add(&own, CALL, 0, src, 0, imm);
	program_end();
	if (symbol)
		reloc_add(s_own, 0, *symbol, type);
	return link();
}

static void calls(void)
{
	u32 absolute;

	SAME(call(&y_helper, EXT_R_BPF_64_32, 1, -1), EXT_OK);
	absolute = y_missing + 1;
	SAME(program.insn[0].imm, 2);
	SAME(call(0, 0, 1, -1), EXT_OK); /* itself: the verifier's affair */
	SAME(program.insn[0].imm, -1);
	REFUSED(call(0, 0, 1, 0), EXT_WHY_OBJECT, "a call of instruction 1 of section point/x");
	REFUSED(call(0, 0, 1, -2), EXT_WHY_OBJECT, "a call of instruction -1");
	REFUSED(call(0, 0, 0, 6), EXT_WHY_LINK, "a call by number (6)");
	REFUSED(call(0, 0, 2, 6), EXT_WHY_LINK, "a call by number (6)");
	REFUSED(call(&y_helper, EXT_R_BPF_64_64, 1, -1), EXT_WHY_OBJECT, "type 1 on a call");
	REFUSED(call(&absolute, EXT_R_BPF_64_32, 1, -1), EXT_WHY_OBJECT,
		"absolute, which is no function");
	REFUSED(call(&y_rodata, EXT_R_BPF_64_32, 1, -1), EXT_WHY_OBJECT,
		"table, which is no function");
	REFUSED(call(&y_data, EXT_R_BPF_64_32, 1, -1), EXT_WHY_OBJECT, "where no function begins");
	REFUSED(call(&y_text, EXT_R_BPF_64_32, 1, 0), EXT_WHY_OBJECT,
		"a call of instruction 1 of section .text");
	REFUSED(call(&y_missing, EXT_R_BPF_64_32, 1, -1), EXT_WHY_LINK,
		"function missing is not defined");
	/* relocations elsewhere */
	program_begin();
	exit_add(&own);
	program_end();
	reloc_add(s_own, 0, y_data, EXT_R_BPF_64_64);
	REFUSED(link(), EXT_WHY_OBJECT, "neither an address nor a call");
	program_begin();
	lddw_add(&own, 1, 0, 0, 0);
	program_end();
	reloc_add(s_own, 8, y_data, EXT_R_BPF_64_64);
	REFUSED(link(), EXT_WHY_OBJECT, "neither an address nor a call");
	program_begin();
	lddw_add(&own, 1, 0, 0, 0);
	program_end();
	reloc_add(s_own, 4, y_data, EXT_R_BPF_64_64);
	REFUSED(link(), EXT_WHY_OBJECT, "neither an address nor a call");
}

/* A call of read; before, one number of the types changed. */
static int import_with(u32 *id, u32 at, u32 value)
{
	program_begin();
	poke(&made_types, made_at[*id] + at, value, 4);
	insn_add(&own, CALL, 0, 1, 0, -1);
	program_end();
	reloc_add(s_own, 0, y_read, EXT_R_BPF_64_32);
	return link();
}

static void imports(void)
{
	char line[512];
	u32 name;

	program_begin();
	SAME(import_with(&t_read, 8, t_read_proto), EXT_OK);
	REFUSED(import_with(&t_read_proto, 8, t_int), EXT_WHY_LINK,
		"function read: int (struct thing *, const void *, long int) here, long (struct "
		"thing *, const void "
		"*, long) there");
	CHECK(!strcmp(made_why.known, "int"));
	CHECK(!strcmp(made_why.needed, "long"));
	ext_refusal_print(&made_why, line, sizeof(line));
	CHECK(!strncmp(line, "a.c:7: entry: link: function read: int", 38));
	REFUSED(import_with(&t_thing, 20, 64), EXT_WHY_LINK, "function read");
	CHECK(!strcmp(made_why.known, "struct thing with n at bit 64"));
	REFUSED(import_with(&t_thing, 8, 72), EXT_WHY_LINK, "function read");
	CHECK(!strcmp(made_why.known, "struct thing of 72 bytes, 4 members"));
	CHECK(!strcmp(made_why.needed, "struct thing of 64 bytes, 4 members"));
	REFUSED(import_with(&t_thing, 56, 480), EXT_WHY_LINK, "function read");
	CHECK(!strcmp(made_why.known, "struct thing with small at bit 480"));
	CHECK(!strcmp(made_why.needed, "struct thing with small at bit 448"));
	REFUSED(import_with(&t_cvoid, 8, 0), EXT_WHY_LINK, "function read");
	CHECK(!strcmp(made_why.known, "void *"));
	CHECK(!strcmp(made_why.needed, "const void *"));
	program_begin();
	name = info_name("entry");
	REFUSED(import_with(&t_read, 0, name), EXT_WHY_LINK, "function read has no type here");
	/* no types at all */
	program_begin();
	insn_add(&own, CALL, 0, 1, 0, -1);
	program_end();
	made_section[s_btf].name = "none";
	reloc_add(s_own, 0, y_read, EXT_R_BPF_64_32);
	REFUSED(link(), EXT_WHY_LINK, "function read has no type here");
	/* of two interfaces: its own point, and the other's function */
	program_begin();
	face_count = 2;
	make_func("other", t_read_proto, EXT_BTF_EXTERN);
	insn_add(&own, CALL, 0, 1, 0, -1);
	program_end();
	reloc_add(s_own, 0, symbol_add("other", 0, EXT_ELF_GLOBAL, 0, 0, 0), EXT_R_BPF_64_32);
	REFUSED(link(), EXT_WHY_LINK, "function other: long int (struct thing *,");
	program_begin();
	face_count = 2;
	second_face.attaches = 0;
	make_func("other", t_read_proto, EXT_BTF_EXTERN);
	poke(&made_types, made_at[t_thing] + 20, 64, 4);
	insn_add(&own, CALL, 0, 1, 0, -1);
	program_end();
	reloc_add(s_own, 0, symbol_add("other", 0, EXT_ELF_GLOBAL, 0, 0, 0), EXT_R_BPF_64_32);
	REFUSED(link(), EXT_WHY_LINK, "a program of two interfaces");
	/* in one section two of one interface and the other's: the second is refused */
	program_begin();
	face_count = 2;
	face.attaches = 0;
	make_func("other", t_read_proto, EXT_BTF_EXTERN);
	insn_add(&own, CALL, 0, 1, 0, -1);
	insn_add(&own, CALL, 0, 1, 0, -1);
	program_end();
	reloc_add(s_own, 0, y_read, EXT_R_BPF_64_32);
	reloc_add(s_own, 8, symbol_add("other", 0, EXT_ELF_GLOBAL, 0, 0, 0), EXT_R_BPF_64_32);
	REFUSED(link(), EXT_WHY_LINK, "a program of two interfaces");
}

/* Types whose comparison has no end worth waiting for: a circle of p pointers here, of q there. */
static void entangled(void)
{
	static struct ext_interface knot;
	const u32 here = 61, there = 64;
	u32 first, f;
	u8 *copy;

	program_begin();
	types_begin();
	t_long = make_int("long", 8, EXT_BTF_SIGNED);
	for (u32 i = 0; i < there; i++)
		first = make_ref("", EXT_BTF_PTR, 2 + (i + 1) % there);
	f = make_func("knot", PROTO(t_long, first), EXT_BTF_GLOBAL);
	make_tag("slot=1", f, -1);
	make_tag("bytes=8", f, 0);
	types_end(&btf);
	object_begin();
	section_add(".BTF", EXT_ELF_PROGBITS, 0, btf.b, btf.n);
	object_end();
	copy = ext_alloc(&face_arena, made_object.n);
	memcpy(copy, made_object.b, made_object.n);
	SAME(ext_interface_load(&face_arena, copy, made_object.n, &knot, &made_why), EXT_OK);
	faces[0] = &knot;
	for (u32 same = 0; same < 2; same++) {
		u32 circle = same ? there : here;

		info.n = own.n = text.n = cores = 0;
		types_begin();
		t_long = make_int("long", 8, EXT_BTF_SIGNED);
		for (u32 i = 0; i < circle; i++)
			first = make_ref("", EXT_BTF_PTR, 2 + (i + 1) % circle);
		make_func("knot", PROTO(t_long, first), EXT_BTF_EXTERN);
		own_name = "elsewhat";
		insn_add(&own, CALL, 0, 1, 0, -1);
		program_end();
		reloc_add(s_own, 0, symbol_add("knot", 0, EXT_ELF_GLOBAL, 0, 0, 0),
			  EXT_R_BPF_64_32);
		if (same)
			SAME(link(), EXT_OK);
		else
			REFUSED(link(), EXT_WHY_LINK, "function knot: its types are too entangled");
	}
	faces[0] = &face;
}

static void entries(void)
{
	u32 c;

	program_begin();
	poke(&made_types, made_at[t_entry_proto] + 8, t_int, 4);
	program_end();
	REFUSED(link(), EXT_WHY_LINK,
		"a program of point point: int (struct thing *) here, long (struct thing *) there");
	/* const where the interface has none: less than it may */
	program_begin();
	c = make_ref("", EXT_BTF_CONST, t_thing);
	c = make_ref("", EXT_BTF_PTR, c);
	poke(&made_types, made_at[t_entry_proto] + 16, c, 4);
	program_end();
	SAME(link(), EXT_OK);
	/* another section: no point of that name, nothing to compare with */
	program_begin();
	poke(&made_types, made_at[t_entry_proto] + 8, t_int, 4);
	program_end();
	made_section[s_own].name = "pointless";
	made_section[s_btf + 1].name = "none";
	SAME(link(), EXT_OK);
	CHECK(!program.attach);
	/* no types: the interface's count */
	program_begin();
	program_end();
	made_section[s_btf].name = "none";
	made_section[s_own].name = "point";
	SAME(link(), EXT_OK);
	CHECK(program.attach == &face.attach[0]);
	SAME(program.function[0].proto, 0);
	CHECK(!program.btf);
}

/* gcc's objects: what an instruction holds has the symbol's value in it once already. */
static void doubled(void)
{
	for (u32 round = 0; round < 3; round++) {
		u32 last;

		program_begin();
		lddw_add(&own, 1, 0, 6, 0); /* table + 2, or 4 + 6 of the section */
		lddw_add(&own, 1, 0, 3, 0);
		insn_add(&own, CALL, 0, 1, 0, round ? 15 : -1);
		program_end();
		last = symbol_add("last", EXT_ELF_FUNC, EXT_ELF_GLOBAL, s_text, 16, 16);
		reloc_add(s_own, 0, y_rodata, EXT_R_BPF_64_64);
		reloc_add(s_own, 16, y_data, EXT_R_BPF_64_64);
		reloc_add(s_own, 32, last, EXT_R_BPF_64_32);
		section_add(".comment", EXT_ELF_PROGBITS, 0, round ? "GCC: 12" : "clang..", 7);
		if (round == 1)
			reloc_add(section_add(".debug", EXT_ELF_PROGBITS, 0, "12345678", 8), 0,
				  y_data, EXT_R_BPF_GAS_32);
		if (round < 2) {
			SAME(link(), EXT_OK);
			SAME(program.insn[1].imm, round ? 6 : 10);
			SAME(program.insn[3].imm, 3);
			SAME(program.insn[4].imm, program.function[1].first - 5);
			CHECK(!strcmp(program.function[1].name, "last"));
			continue;
		}
		REFUSED(link(), EXT_WHY_LINK,
			"where table lies in gcc's object is known with -g only");
		poke(&made_section[s_own].relocs, 12, y_data, 4);
		REFUSED(link(), EXT_WHY_LINK, "where last lies in gcc's object");
		section_add(".rel.debug_info", EXT_ELF_PROGBITS, 0, "", 0);
		REFUSED(link(), EXT_WHY_OBJECT, "where no function begins");
	}
}

/* More instructions than a program may have. */
static void longest(void)
{
	struct ext_object *object;
	u64 bytes = (1 << 23) + 8;
	u8 *copy;

	program_begin();
	program_end();
	object_end();
	copy = calloc(1, made_object.n + bytes);
	for (u32 more = 0; more < 2; more++) {
		poke(&made_object, header_at(s_own) + 24, made_object.n, 8);
		poke(&made_object, header_at(s_own) + 32, bytes - 8 + more * 8, 8);
		poke(&made_object, made_symtab + y_entry * 24 + 16, bytes - 8 + more * 8, 8);
		memcpy(copy, made_object.b, made_object.n);
		SAME(ext_object_open(arena_anew(1 << 25), copy, made_object.n + bytes, &object,
				     &made_why),
		     EXT_OK);
		SAME(ext_object_link(&made_arena, object, 0, faces, 1, &program, &made_why),
		     more ? EXT_WHY_LENGTH : EXT_OK);
	}
	CHECK(strstr(made_why.text, "more than 1048576 instructions"));
	free(copy);
}

static void raw(void)
{
	struct ext_arena *a = arena_anew(MADE_ARENA);
	u64 needed;

	own.n = 0;
	insn_add(&own, CALL, 0, EXT_CALL_LOCAL, 0, 4);
	insn_add(&own, CALL, 0, EXT_CALL_LOCAL, 0, 3);
	insn_add(&own, CALL, 0, EXT_CALL_LOCAL, 0, 99);
	lddw_add(&own, 1, 0, 5, 6);
	exit_add(&own);
	SAME(ext_raw_program(a, own.b, own.n, &program, &made_why), EXT_OK);
	needed = a->used;
	SAME(program.insns, 7);
	SAME(program.functions, 2);
	SAME(program.function[0].count, 5);
	SAME(program.function[1].first, 5);
	SAME(program.function[1].count, 2);
	SAME(program.insn[3].imm, 5);
	for (u64 bytes = 0; bytes < needed; bytes += 8)
		REFUSED(ext_raw_program(arena_anew(bytes), own.b, own.n, &program, &made_why),
			EXT_WHY_MEMORY, "spent");
	REFUSED(ext_raw_program(a, own.b, 0, &program, &made_why), EXT_WHY_OBJECT,
		"0 bytes are no program");
	REFUSED(ext_raw_program(a, own.b, 9, &program, &made_why), EXT_WHY_OBJECT,
		"9 bytes are no program");
	REFUSED(ext_raw_program(a, own.b, (1 << 23) + 8, &program, &made_why), EXT_WHY_OBJECT,
		"are no program");
}

static void attacked(void)
{
	program_begin();
	lddw_add(&own, 1, 0, 2, 0);
	lddw_add(&own, 3, 0, 0, 0);
	insn_add(&own, CALL, 0, 1, 0, -1);
	insn_add(&own, CALL, 0, 1, 0, -1);
	core_add(6, t_thing, "0:2:0", 0);
	insn_add(&own, LOAD8, 1, 2, 32, 0);
	program_end();
	reloc_add(s_own, 0, y_data, EXT_R_BPF_64_64);
	reloc_add(s_own, 16, y_map, EXT_R_BPF_64_64);
	reloc_add(s_own, 32, y_read, EXT_R_BPF_64_32);
	reloc_add(s_own, 40, y_helper, EXT_R_BPF_64_32);
	SAME(link(), EXT_OK);
	for (u32 at = 0; at < made_object.n; at++)
		for (u32 k = 0; k < 4; k++) {
			static const u8 values[] = {0, 1, 0x80, 0xff};
			u8 old = made_object.b[at];

			made_object.b[at] = values[k];
			link_in(0, 1 << 17);
			made_object.b[at] = old;
		}
}

static const struct test tests[] = {TEST(whole),   TEST(addresses), TEST(calls), TEST(imports),
				    TEST(entries), TEST(entangled), TEST(raw),	 TEST(doubled),
				    TEST(longest), TEST(attacked)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
