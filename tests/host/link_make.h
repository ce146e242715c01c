/* SPDX-License-Identifier: MIT
 * A program and interfaces made by hand for the linker's tests: an entry's code, and what is in its object besides. */
#ifndef HOST_LINK_MAKE_H
#define HOST_LINK_MAKE_H

#include "object_make.h"

#include <map.h>
#include <refusal.h>

static struct ext_interface face, second_face;
static struct bytes btf, text, own, info;
static struct ext_program program;
static const struct ext_interface *faces[2] = {&face, &second_face};
static u32 face_count;

#define CALL (EXT_JMP | EXT_CALL)
#define LOAD8 (EXT_LDX | EXT_MEM | EXT_DW)
#define MOVE (EXT_ALU64 | EXT_MOV)

/* --- the interface: read(thing *, const void *, long), point(thing *) */
static struct ext_arena face_arena;

static inline void face_make(struct ext_interface *out, const char *function, const char *point,
			     u32 n_at)
{
	u32 t_int, t_long, thing, pointer, c, f, e;
	u8 *copy;

	types_begin();
	t_int = make_int("int", 4, EXT_BTF_SIGNED);
	t_long = make_int("long", 8, EXT_BTF_SIGNED);
	c = make_ref("", EXT_BTF_CONST, 0);
	c = make_ref("", EXT_BTF_PTR, c);
	thing = type_add("thing", EXT_BTF_STRUCT, 0, 4, 64);
	member_add("n", t_long, n_at);
	member_add("", 6, 128);
	member_add("list", 7, 256);
	member_add("small", t_int, 448);
	SAME(type_add("", EXT_BTF_STRUCT, 0, 2, 16), 6);
	member_add("inner", t_int, 0);
	member_add("deep", t_long, 64);
	SAME(make_array(t_long, 3), 7);
	pointer = make_ref("", EXT_BTF_PTR, thing);
	e = type_add("colour", EXT_BTF_ENUM, 0, 2, 4);
	part_add("RED", 3);
	part_add("GREEN", 40);
	(void)e;
	f = make_func(function, PROTO(t_long, pointer, c, t_long), EXT_BTF_GLOBAL);
	make_tag("slot=9", f, -1);
	make_tag("bytes=8", f, 1);
	f = make_func(point, PROTO(t_long, pointer), EXT_BTF_GLOBAL);
	make_tag("attach", f, -1);
	make_tag("class=pure", f, -1);
	make_tag("worst=100", f, -1);
	types_end(&btf);
	object_begin();
	section_add(".BTF", EXT_ELF_PROGBITS, 0, btf.b, btf.n);
	object_end();
	copy = ext_alloc(&face_arena, made_object.n);
	memcpy(copy, made_object.b, made_object.n);
	SAME(ext_interface_load(&face_arena, copy, made_object.n, out, &made_why), EXT_OK);
}

static inline void faces_make(void)
{
	if (!face_arena.base)
		face_arena = (struct ext_arena){.base = malloc(1 << 19), .size = 1 << 19};
	face_arena.used = 0;
	face_make(&face, "read", "point", 0);
	face_make(&second_face, "other", "elsewhere", 64);
	face_count = 1;
}

/* --- the program */
static u32 s_text, s_own, s_data, s_rodata, s_bss, s_maps, s_btf, y_entry, y_helper, y_read, y_data,
	y_rodata, y_map, y_text, y_missing, t_read, t_thing, t_long, t_int, t_entry_proto,
	t_read_proto, t_colour, t_cvoid;
static u32 cores;
static const char *own_name;

/* The types, with the program's idea of thing. */
static inline void types_make(void)
{
	u32 pointer, array, number, key, maps;

	types_begin();
	t_int = make_int("int", 4, EXT_BTF_SIGNED);
	t_long = make_int("long int", 8, EXT_BTF_SIGNED);
	t_cvoid = make_ref("", EXT_BTF_CONST, 0);
	t_cvoid = make_ref("", EXT_BTF_PTR, t_cvoid);
	t_thing = type_add("thing", EXT_BTF_STRUCT, 0, 4, 64);
	member_add("n", t_long, 0);
	member_add("", 6, 128);
	member_add("list", 7, 256);
	member_add("small", t_int, 448);
	SAME(type_add("", EXT_BTF_STRUCT, 0, 2, 16), 6);
	member_add("inner", t_int, 0);
	member_add("deep", t_long, 64);
	SAME(make_array(t_long, 3), 7);
	pointer = make_ref("", EXT_BTF_PTR, t_thing);
	t_colour = type_add("colour", EXT_BTF_ENUM, 0, 2, 4);
	part_add("GREEN", 1);
	part_add("BLUE", 2);
	t_read_proto = PROTO(t_long, pointer, t_cvoid, t_long);
	t_read = make_func("read", t_read_proto, EXT_BTF_EXTERN);
	t_entry_proto = PROTO(t_long, pointer);
	make_func("entry", t_entry_proto, EXT_BTF_GLOBAL);
	array = make_array(t_int, 2);
	number = make_ref("", EXT_BTF_PTR, array);
	key = make_ref("", EXT_BTF_PTR, t_int);
	maps = type_add("", EXT_BTF_STRUCT, 0, 4, 32);
	member_add("type", number, 0);
	member_add("key", key, 64);
	member_add("value", key, 128);
	member_add("max_entries", number, 192);
	make_var("map", maps, EXT_BTF_GLOBAL);
}

static inline u32 info_name(const char *name)
{
	for (u32 at = 0; at < made_names.n; at += (u32)strlen((char *)made_names.b + at) + 1)
		if (!strcmp((char *)made_names.b + at, name))
			return at;
	return put_name(&made_names, name);
}

static inline void core_add(u32 insn, u32 type, const char *path, u32 kind)
{
	put(&info, insn * 8, 4);
	put(&info, type, 4);
	put(&info, info_name(path), 4);
	put(&info, kind, 4);
	cores++;
}

/* Begins a program: types, no code yet. */
static inline void program_begin(void)
{
	faces_make();
	types_make();
	info.n = own.n = text.n = cores = 0;
	own_name = "point/x";
}

/* Ends it: `own` is entry's code in section "point/x", `text` two functions of two instructions each. Relocations may
 * be added before object_end. */
static inline void program_end(void)
{
	static struct bytes head;

	head.n = 0;
	put(&head, 0x0001eb9f, 4);
	put(&head, 32, 4);
	put(&head, 0, 8);
	put(&head, 0, 4);
	put(&head, 4 + 8 + 16, 4);
	put(&head, 28, 4);
	put(&head, cores ? 12 + cores * 16 : 0, 4);
	put(&head, 16, 4);
	put(&head, info_name(own_name), 4);
	put(&head, 1, 4);
	put(&head, 0, 4);
	put(&head, info_name("a.c"), 4);
	put(&head, 0, 4);
	put(&head, 7 << 10, 4);
	put(&head, 16, 4);
	put(&head, info_name(own_name), 4);
	put(&head, cores, 4);
	put_all(&head, info.b, info.n);
	types_end(&btf);
	exit_add(&own);
	exit_add(&text);
	exit_add(&text);
	object_begin();
	s_text = section_add(".text", EXT_ELF_PROGBITS, EXT_ELF_ALLOC | EXT_ELF_EXEC, text.b,
			     text.n);
	s_own = section_add(own_name, EXT_ELF_PROGBITS, EXT_ELF_ALLOC | EXT_ELF_EXEC, own.b, own.n);
	s_data = section_add(".data", EXT_ELF_PROGBITS, EXT_ELF_ALLOC | EXT_ELF_WRITE, "datadata",
			     8);
	s_rodata = section_add(".rodata", EXT_ELF_PROGBITS, EXT_ELF_ALLOC, "constant", 8);
	s_bss = section_add(".bss", EXT_ELF_NOBITS, EXT_ELF_ALLOC | EXT_ELF_WRITE, 0, 100);
	s_maps = section_add(".maps", EXT_ELF_PROGBITS, EXT_ELF_ALLOC | EXT_ELF_WRITE, text.b, 32);
	s_btf = section_add(".BTF", EXT_ELF_PROGBITS, 0, btf.b, btf.n);
	section_add(".BTF.ext", EXT_ELF_PROGBITS, 0, head.b, head.n);
	y_entry = symbol_add("entry", EXT_ELF_FUNC, EXT_ELF_GLOBAL, s_own, 0, own.n);
	y_helper = symbol_add("helper", EXT_ELF_FUNC, EXT_ELF_LOCAL, s_text, 0, text.n - 16);
	symbol_add("last", EXT_ELF_FUNC, EXT_ELF_LOCAL, s_text, text.n - 16, 16);
	y_read = symbol_add("read", 0, EXT_ELF_GLOBAL, 0, 0, 0);
	y_data = symbol_add("", EXT_ELF_SECTION, EXT_ELF_LOCAL, s_data, 0, 0);
	y_rodata = symbol_add("table", EXT_ELF_OBJECT, EXT_ELF_LOCAL, s_rodata, 4, 4);
	y_map = symbol_add("map", EXT_ELF_OBJECT, EXT_ELF_GLOBAL, s_maps, 0, 32);
	y_text = symbol_add("", EXT_ELF_SECTION, EXT_ELF_LOCAL, s_text, 0, 0);
	y_missing = symbol_add("missing", 0, EXT_ELF_GLOBAL, 0, 0, 0);
	symbol_add("absolute", EXT_ELF_OBJECT, EXT_ELF_GLOBAL, 0xfff1, 8, 0);
	symbol_add("bss", EXT_ELF_OBJECT, EXT_ELF_GLOBAL, s_bss, 16, 8);
}

static inline int link_in(const char *entry, u64 arena)
{
	static u8 *copy;
	struct ext_object *object;
	int bad;

	free(copy);
	copy = malloc(made_object.n);
	memcpy(copy, made_object.b, made_object.n);
	memset(&program, 0, sizeof(program));
	bad = ext_object_open(arena_anew(arena), copy, made_object.n, &object, &made_why);
	if (!bad)
		bad = ext_object_link(&made_arena, object, entry, faces, face_count, &program,
				      &made_why);
	return bad;
}

static inline int link(void)
{
	object_end();
	return link_in(0, MADE_ARENA);
}

#endif
