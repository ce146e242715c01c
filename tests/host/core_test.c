/* SPDX-License-Identifier: MIT
 * Fields by name (CO-RE): offsets, sizes, what is there and what is not.
 * links: ext/link.c ext/import.c ext/core.c ext/image.c ext/interface.c ext/load.c ext/lines.c ext/dwarf.c ext/maps.c ext/elf.c ext/btf.c ext/btf_check.c ext/btf_look.c ext/btf_equal.c ext/btf_print.c ext/order.c ext/arena.c ext/refusal.c */
#include "link_make.h"

/* One instruction with a field's relocation; the program's thing has n at bit 64, no list, its inner at 0. */
static int field(u8 code, s32 off, s32 imm, u32 *type, const char *path, u32 kind)
{
	program_begin();
	poke(&made_types, made_at[t_thing] + 12, put_name(&made_names, "small"), 4);
	poke(&made_types, made_at[t_thing] + 16, t_int, 4);
	poke(&made_types, made_at[t_thing] + 48, put_name(&made_names, "n"), 4);
	poke(&made_types, made_at[t_thing] + 52, t_long, 4);
	core_add(0, *type, path, kind);
	core_add(code == EXT_LDDW ? 2 : 1, t_thing, "0",
		 6); /* so that thing's layout does not count */
	if (code == EXT_LDDW)
		lddw_add(&own, 1, 0, imm, 0);
	else
		insn_add(&own, code, 1, 2, off, imm);
	program_end();
	return link();
}

static void fields(void)
{
	program_begin();
	SAME(field(LOAD8, 56, 0, &t_thing, "0:3", 0), EXT_OK); /* n: at 56 here, at 0 there */
	SAME(program.insn[0].off, 0);
	CHECK(program.attach != 0); /* its layout no longer counts */
	SAME(field(EXT_LDX | EXT_MEM | EXT_W, 0, 0, &t_thing, "0:0", 0), EXT_OK);
	SAME(program.insn[0].off, 56);
	SAME(field(EXT_STX | EXT_MEM | EXT_W, 16, 0, &t_thing, "0:1:0", 0),
	     EXT_OK); /* inner of the unnamed */
	SAME(program.insn[0].off, 16);
	SAME(field(LOAD8, 40, 0, &t_thing, "0:2:1", 0), EXT_OK); /* list[1] */
	SAME(program.insn[0].off, 40);
	SAME(field(LOAD8, 64 + 56, 0, &t_thing, "1:3", 0), EXT_OK); /* the next thing's */
	SAME(program.insn[0].off, 64);
	SAME(field(MOVE, 0, 56, &t_thing, "0:3", 0), EXT_OK);
	SAME(program.insn[0].imm, 0);
	SAME(field(MOVE, 0, 1, &t_thing, "0:0", 1), EXT_OK);
	SAME(program.insn[0].imm, 4);
	SAME(field(MOVE, 0, 5, &t_thing, "0:0", 2), EXT_OK);
	SAME(program.insn[0].imm, 1);
	SAME(field(MOVE, 0, 5, &t_thing, "0:0", 3), EXT_OK);
	SAME(program.insn[0].imm, 1);
	SAME(field(MOVE, 0, 5, &t_thing, "0", 6), EXT_OK);
	SAME(program.insn[0].imm, t_thing);
	SAME(field(MOVE, 0, 5, &t_thing, "0", 7), EXT_OK);
	SAME(program.insn[0].imm, ext_btf_find(face.btf, EXT_BTF_STRUCT, "thing"));
	SAME(field(MOVE, 0, 5, &t_thing, "0", 8), EXT_OK);
	SAME(program.insn[0].imm, 1);
	SAME(field(MOVE, 0, 5, &t_entry_proto, "0", 8), EXT_OK); /* a type that is not there */
	SAME(program.insn[0].imm, 0);
	SAME(field(MOVE, 0, 5, &t_thing, "0", 9), EXT_OK);
	SAME(program.insn[0].imm, 64);
	SAME(field(MOVE, 0, 5, &t_colour, "0", 10), EXT_OK);
	SAME(program.insn[0].imm, 1);
	SAME(field(MOVE, 0, 5, &t_colour, "1", 10), EXT_OK);
	SAME(program.insn[0].imm, 0);
	SAME(field(MOVE, 0, 5, &t_colour, "0", 11), EXT_OK);
	SAME(program.insn[0].imm, 40);
	SAME(field(EXT_LDDW, 0, 5, &t_colour, "0", 11), EXT_OK);
	SAME(program.insn[0].imm, 40);
	SAME(program.insn[1].imm, 0);

	REFUSED(field(MOVE, 0, 5, &t_thing, "0", 4), EXT_WHY_OBJECT, "unknown kind 4");
	REFUSED(field(MOVE, 0, 5, &t_thing, "0", 5), EXT_WHY_OBJECT, "unknown kind 5");
	REFUSED(field(MOVE, 0, 5, &t_thing, "0", 12), EXT_WHY_OBJECT, "unknown kind 12");
	REFUSED(field(MOVE, 0, 5, &t_thing, "x", 0), EXT_WHY_BTF, "path that is no path");
	REFUSED(field(MOVE, 0, 5, &t_thing, "", 0), EXT_WHY_BTF, "path that is no path");
	REFUSED(field(MOVE, 0, 5, &t_thing, "0::0", 0), EXT_WHY_BTF, "path that is no path");
	REFUSED(field(MOVE, 0, 5, &t_thing, "0:x", 0), EXT_WHY_BTF, "path that is no path");
	REFUSED(field(MOVE, 0, 5, &t_thing, "0x", 0), EXT_WHY_BTF, "path that is no path");
	REFUSED(field(MOVE, 0, 5, &t_thing, "99999999999", 0), EXT_WHY_BTF, "path that is no path");
	REFUSED(field(MOVE, 0, 5, &t_thing, "0:4", 0), EXT_WHY_BTF, "leads nowhere");
	REFUSED(field(MOVE, 0, 5, &t_thing, "0:0:0", 0), EXT_WHY_BTF, "leads nowhere");
	REFUSED(field(MOVE, 0, 5, &t_thing, "0:2:3", 0), EXT_WHY_LINK,
		"no such field, type or value: thing, 0:2:3");
	REFUSED(field(MOVE, 0, 5, &t_colour, "2", 11), EXT_WHY_BTF, "an enumerator's path");
	REFUSED(field(MOVE, 0, 5, &t_colour, "0:1", 11), EXT_WHY_BTF, "an enumerator's path");
	REFUSED(field(MOVE, 0, 5, &t_thing, "0", 11), EXT_WHY_BTF, "an enumerator's path");
	REFUSED(field(MOVE, 0, 5, &t_colour, "1", 11), EXT_WHY_LINK,
		"no such field, type or value");
	REFUSED(field(LOAD8, 55, 0, &t_thing, "0:3", 0), EXT_WHY_BTF,
		"a field at byte 55, relocated as one at");
	REFUSED(field(LOAD8, 64 * 600 + 56, 0, &t_thing, "600:3", 0), EXT_WHY_LINK,
		"more than 32767");
	REFUSED(field(LOAD8, 0, 0, &t_thing, "0", 9), EXT_WHY_LINK, "a field at byte 64");
	REFUSED(field(EXT_JMP | EXT_JA, 0, 0, &t_thing, "0:3", 0), EXT_WHY_OBJECT,
		"in what uses none");
	REFUSED(field(MOVE | EXT_X, 0, 0, &t_thing, "0:3", 0), EXT_WHY_OBJECT, "no room for it");
	/* what is not there, and the program asks if it is: it may not be reached */
	for (u32 wide = 0; wide < 2; wide++) {
		program_begin();
		core_add(0, t_colour, "1", 10);
		core_add(1, t_colour, "1", 11);
		insn_add(&own, MOVE, 1, 0, 0, 7);
		if (wide)
			lddw_add(&own, 1, 0, 1, 2);
		else
			insn_add(&own, MOVE, 1, 0, 0, 7);
		program_end();
		SAME(link(), EXT_OK);
		SAME(program.insn[0].imm, 0);
		SAME(program.insn[1].code, EXT_ST | EXT_MEM | EXT_B);
		SAME(ext_dst(&program.insn[1]), 10);
		SAME(program.insn[1].off, 0);
		if (wide)
			SAME(program.insn[2].code, EXT_JMP | EXT_JA);
	}
	/* of another size there */
	program_begin();
	poke(&made_types, made_at[t_thing] + 16, t_int, 4);
	core_add(0, t_thing, "0:0", 0);
	insn_add(&own, EXT_LDX | EXT_MEM | EXT_W, 1, 2, 0, 0);
	program_end();
	REFUSED(link(), EXT_WHY_LINK, "a field of 4 bytes here, of 8 there");
	/* bits */
	program_begin();
	poke(&made_types, made_at[t_thing] + 4, 1u << 31 | EXT_BTF_STRUCT << 24 | 4, 4);
	poke(&made_types, made_at[t_thing] + 20, 3 << 24, 4);
	core_add(0, t_thing, "0:0", 0);
	insn_add(&own, LOAD8, 1, 2, 0, 0);
	program_end();
	REFUSED(link(), EXT_WHY_LINK, "bit-field");
	/* a flavour of the name */
	program_begin();
	poke(&made_types, made_at[t_thing], put_name(&made_names, "thing___mine"), 4);
	poke(&made_types, made_at[t_entry_proto] + 16, t_long, 4);
	core_add(0, t_thing, "0:0", 0);
	insn_add(&own, LOAD8, 1, 2, 0, 0);
	program_end();
	made_section[s_own].name = "point/x";
	REFUSED(link(), EXT_WHY_LINK, "a program of point point: long int (long int) here");
	/* of two interfaces: a function's, and the one that has the type */
	program_begin();
	own_name = "elsewhat";
	face_count = 2;
	faces[0] = &second_face;
	faces[1] = &face;
	core_add(1, t_thing, "0:2:0", 0);
	insn_add(&own, CALL, 0, 1, 0, -1);
	insn_add(&own, LOAD8, 1, 2, 32, 0);
	program_end();
	reloc_add(s_own, 0, y_read, EXT_R_BPF_64_32);
	REFUSED(link(), EXT_WHY_LINK, "a program of two interfaces");
	CHECK(made_why.offset == made_data[s_own] + 8);
	/* ... and the point's */
	program_begin();
	face_count = 2;
	core_add(0, t_thing, "0:2:0", 0);
	insn_add(&own, LOAD8, 1, 2, 32, 0);
	program_end();
	REFUSED(link(), EXT_WHY_LINK, "a program of two interfaces");
	faces[0] = &face;
	faces[1] = &second_face;
}

static const struct test tests[] = {TEST(fields)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
