/* SPDX-License-Identifier: MIT
 * Types: what is read, what is refused and for which reason, questions, equality, text.
 * links: ext/btf.c ext/btf_check.c ext/btf_look.c ext/btf_equal.c ext/btf_print.c ext/order.c ext/arena.c ext/refusal.c */
#include "object_make.h"

static struct bytes section;
static struct ext_btf btf;

static int read_in(u64 arena)
{
	static u8 *
		copies[2]; /* of the exact size: what lies behind is not read. The last two stay. */
	static u32 next;
	u8 **copy = &copies[next++ & 1];

	free(*copy);
	*copy = malloc(section.n ? section.n : 1);
	memcpy(*copy, section.b, section.n);
	return ext_btf_read(arena_anew(arena), *copy, section.n, 0x1000, &btf, &made_why);
}

static int read(void)
{
	return read_in(MADE_ARENA);
}

/* Reads with one number changed, and changes it back. */
static int read_with(u64 at, u64 value, u32 bytes)
{
	u64 old = peek(&section, at, bytes);
	int got;

	poke(&section, at, value, bytes);
	got = read();
	poke(&section, at, old, bytes);
	return got;
}

static u32 t_int, t_long, t_char, t_ptr, t_array, t_struct, t_enum, t_fwd, t_typedef, t_const,
	t_proto, t_func, t_var, t_section, t_float, t_tag, t_union, t_enum64, t_typetag, t_volatile,
	t_restrict, t_cptr, t_bits, t_fewer, t_none;

static void sample(void)
{
	types_begin();
	t_int = make_int("int", 4, EXT_BTF_SIGNED);
	t_long = make_int("unsigned long", 8, 0);
	t_char = make_int("char", 1, EXT_BTF_SIGNED);
	t_array = make_array(t_int, 5);
	t_struct = type_add("thing", EXT_BTF_STRUCT, 0, 4, 48);
	member_add("n", 1, 0);
	member_add("next", 6, 64); /* a pointer to itself */
	member_add("list", 4, 128);
	member_add("name", 7, 320);
	t_ptr = make_ref("", EXT_BTF_PTR, t_struct);
	SAME(t_ptr, 6);
	t_typedef = make_ref("letter", EXT_BTF_TYPEDEF, t_char);
	t_const = make_ref("", EXT_BTF_CONST, t_typedef);
	t_enum = type_add("colour", EXT_BTF_ENUM, 0, 2, 4);
	part_add("RED", 1);
	part_add("NONE", (u32)-1);
	t_fwd = type_add("opaque", EXT_BTF_FWD, 0, 0, 0);
	t_cptr = make_ref("", EXT_BTF_PTR, t_const);
	t_proto = PROTO(t_long, t_ptr, t_cptr);
	t_func = make_func("f", t_proto, EXT_BTF_GLOBAL);
	t_var = make_var("v", t_struct, EXT_BTF_STATIC);
	t_section = type_add(".data", EXT_BTF_DATASEC, 0, 1, 0);
	type_more(t_var);
	type_more(0);
	type_more(48);
	t_float = type_add("double", EXT_BTF_FLOAT, 0, 0, 8);
	t_tag = make_tag("write", t_struct, 1);
	t_union = type_add("either", EXT_BTF_UNION, 0, 2, 8);
	member_add("l", t_long, 0);
	member_add("i", t_int, 0);
	t_enum64 = type_add("large", EXT_BTF_ENUM64, 1, 1, 8);
	part_add("HUGE", 7);
	type_more(1);
	t_typetag = make_ref("user", EXT_BTF_TYPE_TAG, t_int);
	t_volatile = make_ref("", EXT_BTF_VOLATILE, t_typetag);
	t_restrict = make_ref("", EXT_BTF_RESTRICT, t_ptr);
	t_bits = type_add("bits", EXT_BTF_STRUCT, 1, 2, 4);
	member_add("low", t_int, 3 << 24);
	member_add("high", t_int, 5 << 24 | 3);
	t_fewer = PROTO(t_long, t_ptr);
	t_none = PROTO_VOID(t_long);
	make_tag("size=n", t_struct, 1);
	make_tag("whole", t_struct, -1);
	make_tag("param", t_func, 1);
	types_end(&section);
}

static void reading(void)
{
	const struct ext_btf_type *t;

	sample();
	SAME(read(), EXT_OK);
	SAME(btf.types, made_count + 1);
	SAME(btf.type[0].kind, EXT_BTF_VOID);
	SAME(btf.type[t_array].bytes, 20);
	SAME(btf.type[t_typedef].bytes, 1);
	SAME(ext_btf_skip(&btf, t_const), t_char);
	SAME(ext_btf_is_const(&btf, t_const), 1);
	SAME(ext_btf_is_const(&btf, t_typedef), 0);
	SAME(ext_btf_skip(&btf, t_volatile), t_int);
	SAME(btf.type[t_restrict].bytes, 8);
	SAME(btf.type[t_struct].offset, 0x1000 + type_at(t_struct));
	t = ext_btf_type(&btf, t_struct);
	SAME(t->count, 4);
	CHECK(!strcmp(ext_btf_part(&btf, t, 2)->name, "list"));
	SAME(ext_btf_part(&btf, t, 3)->bit, 320);
	t = ext_btf_type(&btf, t_enum);
	SAME(ext_btf_part(&btf, t, 1)->value, -1);
	SAME(ext_btf_part(&btf, ext_btf_type(&btf, t_enum64), 0)->value, 1ul << 32 | 7);
	t = ext_btf_type(&btf, t_bits);
	SAME(ext_btf_part(&btf, t, 1)->bit, 3);
	SAME(ext_btf_part(&btf, t, 1)->bits, 5);
	SAME(ext_btf_type(&btf, t_func)->linkage, EXT_BTF_GLOBAL);
	SAME(ext_btf_type(&btf, t_var)->linkage, EXT_BTF_STATIC);
	SAME(ext_btf_type(&btf, t_int)->encoding, EXT_BTF_SIGNED);
	/* too little memory says so, wherever it ends, and nothing is written behind it */
	for (u64 bytes = 0, used = made_arena.used; bytes < used; bytes += 8)
		REFUSED(read_in(bytes), EXT_WHY_MEMORY, "spent");
}

static void headers(void)
{
	u32 whole;

	sample();
	whole = section.n;
	section.n = 23;
	REFUSED(read(), EXT_WHY_BTF, "fewer than its header");
	section.n = whole;
	REFUSED(read_with(0, 0xeb9e, 2), EXT_WHY_BTF, "begins with");
	REFUSED(read_with(2, 2, 1), EXT_WHY_BTF, "version 2");
	REFUSED(read_with(3, 1, 1), EXT_WHY_BTF, "unknown flags");
	REFUSED(read_with(4, 20, 4), EXT_WHY_BTF, "header has 20");
	REFUSED(read_with(4, whole + 1, 4), EXT_WHY_BTF, "header has");
	REFUSED(read_with(8, 0xffffffff, 4), EXT_WHY_BTF, "types end behind");
	SAME(made_why.offset, 0x1008);
	REFUSED(read_with(12, section.n, 4), EXT_WHY_BTF, "types end behind");
	REFUSED(read_with(20, peek(&section, 20, 4) + 1, 4), EXT_WHY_BTF, "names end behind");
	REFUSED(read_with(20, 0, 4), EXT_WHY_BTF, "begin and end with a zero");
	REFUSED(read_with(section.n - 1, 'x', 1), EXT_WHY_BTF, "begin and end with a zero");
	REFUSED(read_with(16, peek(&section, 16, 4) + 1, 4), EXT_WHY_BTF, "names end behind");
	REFUSED(read_with(24 + peek(&section, 16, 4), 'x', 1), EXT_WHY_BTF,
		"begin and end with a zero");
	/* longer headers are for later versions */
	types_begin();
	types_end(&section);
	SAME(read(), EXT_OK);
	SAME(btf.types, 1);
}

static void records(void)
{
	char longest[300];

	sample();
	REFUSED(read_with(12, peek(&section, 12, 4) - 1, 4), EXT_WHY_BTF, "is cut off");
	REFUSED(read_with(12, type_at(t_typedef) - 24 + 11, 4), EXT_WHY_BTF, "type 7 is cut off");
	REFUSED(read_with(type_at(t_int) + 4, 0, 4), EXT_WHY_BTF, "unknown kind 0");
	REFUSED(read_with(type_at(t_int) + 4, 20u << 24, 4), EXT_WHY_BTF, "unknown kind 20");
	REFUSED(read_with(type_at(t_struct), made_names.n, 4), EXT_WHY_BTF, "outside of the names");
	REFUSED(read_with(type_at(t_struct) + 12, made_names.n, 4), EXT_WHY_BTF,
		"outside of the names");
	REFUSED(read_with(type_at(t_typedef), 0, 4), EXT_WHY_BTF, "must have a name");
	/* the types last in the section: nothing behind them is read */
	types_begin();
	make_int("int", 4, 0);
	section.n = 24;
	put_all(&section, made_names.b, made_names.n);
	put_all(&section, made_types.b, made_types.n);
	poke(&section, 8, made_names.n, 4);
	poke(&section, 16, 0, 4);
	poke(&section, 20, made_names.n, 4);
	for (u32 cut = 1; cut < 16; cut++) {
		poke(&section, 12, made_types.n - cut, 4);
		section.n--;
		REFUSED(read(), EXT_WHY_BTF, "type 1 is cut off");
	}
	memset(longest, 'x', sizeof(longest));
	longest[256] = 0;
	types_begin();
	make_int(longest, 4, 0);
	types_end(&section);
	REFUSED(read(), EXT_WHY_BTF, "more than 255 bytes");
	longest[255] = 0;
	types_begin();
	make_int(longest, 4, 0);
	types_end(&section);
	SAME(read(), EXT_OK);
}

static void scalars(void)
{
	static const u32 wrong[] = {0, 3, 24, 32};

	sample();
	for (u32 i = 0; i < 4; i++) { /* with as many bits as that are */
		poke(&section, type_at(t_int) + 12, wrong[i] * 8, 4);
		REFUSED(read_with(type_at(t_int) + 8, wrong[i], 4), EXT_WHY_BTF, "an integer of");
		CHECK(!strstr(made_why.text, "bits"));
	}
	sample();
	REFUSED(read_with(type_at(t_int) + 12, 31, 4), EXT_WHY_BTF, "with bits 0x1f");
	REFUSED(read_with(type_at(t_int) + 12, 0x10020, 4), EXT_WHY_BTF, "with bits");
	REFUSED(read_with(type_at(t_int) + 12, 0x8000020, 4), EXT_WHY_BTF, "with bits");
	REFUSED(read_with(type_at(t_enum) + 8, 3, 4), EXT_WHY_BTF, "an enum of 3");
	REFUSED(read_with(type_at(t_enum64) + 8, 16, 4), EXT_WHY_BTF, "an enum of 16");
	REFUSED(read_with(type_at(t_float) + 8, 1, 4), EXT_WHY_BTF, "a float of 1");
	REFUSED(read_with(type_at(t_float) + 8, 10, 4), EXT_WHY_BTF, "a float of 10");
	SAME(read_with(type_at(t_float) + 8, 12, 4), EXT_OK);
	REFUSED(read_with(type_at(t_var) + 12, 3, 4), EXT_WHY_BTF, "unknown linkage 3");
	REFUSED(read_with(type_at(t_func) + 4, EXT_BTF_FUNC << 24 | 3, 4), EXT_WHY_BTF,
		"unknown linkage 3");
}

static void references(void)
{
	sample();
	REFUSED(read_with(type_at(t_ptr) + 8, made_count + 1, 4), EXT_WHY_BTF, "refers to type");
	REFUSED(read_with(type_at(t_ptr) + 8, t_func, 4), EXT_WHY_BTF, "which is no type");
	REFUSED(read_with(type_at(t_ptr) + 8, t_var, 4), EXT_WHY_BTF, "which is no type");
	REFUSED(read_with(type_at(t_array) + 12, t_section, 4), EXT_WHY_BTF, "which is no type");
	REFUSED(read_with(type_at(t_struct) + 16, made_count + 1, 4), EXT_WHY_BTF,
		"refers to type");
	REFUSED(read_with(type_at(t_struct) + 16, t_tag, 4), EXT_WHY_BTF, "which is no type");
	REFUSED(read_with(type_at(t_proto) + 16, 0xffffffff, 4), EXT_WHY_BTF, "refers to type");
	REFUSED(read_with(type_at(t_section) + 12, t_int, 4), EXT_WHY_BTF, "is no variable");
	REFUSED(read_with(type_at(t_section) + 12, made_count + 1, 4), EXT_WHY_BTF,
		"is no variable");
	REFUSED(read_with(type_at(t_func) + 8, made_count + 1, 4), EXT_WHY_BTF, "refers to type");
	REFUSED(read_with(type_at(t_func) + 8, t_int, 4), EXT_WHY_BTF, "is no function's");
	REFUSED(read_with(type_at(t_tag) + 8, t_int, 4), EXT_WHY_BTF, "which takes none");
	REFUSED(read_with(type_at(t_tag) + 12, 4, 4), EXT_WHY_BTF, "on component 4");
	REFUSED(read_with(type_at(t_tag) + 12, (u32)-2, 4), EXT_WHY_BTF, "on component -2");
	REFUSED(read_with(type_at(t_tag) + 8, t_typedef, 4), EXT_WHY_BTF, "on component 1");
	SAME(read_with(type_at(t_tag) + 8, t_func, 4), EXT_OK);
	/* a tag on a function that has itself a wrong type is no way around */
	poke(&section, type_at(t_tag) + 8, t_func, 4);
	REFUSED(read_with(type_at(t_func) + 8, t_int, 4), EXT_WHY_BTF, "is no function's");
}

static void sizes(void)
{
	u32 id;

	sample();
	REFUSED(read_with(type_at(t_struct) + 16, 0, 4), EXT_WHY_BTF,
		"member n of type 5 has no size");
	REFUSED(read_with(type_at(t_struct) + 28, t_fwd, 4), EXT_WHY_BTF,
		"member next of type 5 has no size");
	REFUSED(read_with(type_at(t_struct) + 32, 31, 4), EXT_WHY_BTF, "begins at bit 31");
	REFUSED(read_with(type_at(t_struct) + 32, 24, 4), EXT_WHY_BTF, "overlaps the one before");
	REFUSED(read_with(type_at(t_struct) + 8, 40, 4), EXT_WHY_BTF, "its struct has 40 bytes");
	REFUSED(read_with(type_at(t_struct) + 28, t_struct, 4), EXT_WHY_BTF, "contains itself");
	REFUSED(read_with(type_at(t_typedef) + 8, t_typedef, 4), EXT_WHY_BTF, "contains itself");
	REFUSED(read_with(type_at(t_array) + 12, t_array, 4), EXT_WHY_BTF, "contains itself");
	REFUSED(read_with(type_at(t_array) + 12, t_struct, 4), EXT_WHY_BTF, "contains itself");
	REFUSED(read_with(type_at(t_array) + 12, 0, 4), EXT_WHY_BTF,
		"an array of what has no size");
	REFUSED(read_with(type_at(t_array) + 20, 0x40000000, 4), EXT_WHY_BTF,
		"an array of 4294967296 bytes");
	REFUSED(read_with(type_at(t_bits) + 16, t_ptr, 4), EXT_WHY_BTF,
		"bits of what is no integer");
	REFUSED(read_with(type_at(t_bits) + 20, 33 << 24, 4), EXT_WHY_BTF, "33 bits of 4 bytes");
	REFUSED(read_with(type_at(t_bits) + 32, 5 << 24 | 2, 4), EXT_WHY_BTF, "overlaps");
	SAME(read_with(type_at(t_bits) + 32, 5 << 24 | 27, 4), EXT_OK);
	REFUSED(read_with(type_at(t_bits) + 32, 5 << 24 | 28, 4), EXT_WHY_BTF, "ends at bit 33");
	REFUSED(read_with(type_at(t_var) + 8, t_fwd, 4), EXT_WHY_BTF, "variable v has no size");
	poke(&section, type_at(t_var) + 8, t_fwd, 4);
	SAME(read_with(type_at(t_var) + 12, EXT_BTF_EXTERN, 4), EXT_OK);
	sample();
	REFUSED(read_with(type_at(t_proto) + 8, t_fwd, 4), EXT_WHY_BTF, "returns what has no size");
	SAME(read_with(type_at(t_proto) + 8, 0, 4), EXT_OK);
	REFUSED(read_with(type_at(t_proto) + 16, t_fwd, 4), EXT_WHY_BTF, "parameter 1 has no size");
	REFUSED(read_with(type_at(t_proto) + 24, 0, 4), EXT_WHY_BTF, "parameter 2 has no size");
	poke(&section, type_at(t_proto) + 20, 0, 4);
	SAME(read_with(type_at(t_proto) + 24, 0, 4), EXT_OK); /* "..." */
	/* a deep chain needs no stack */
	types_begin();
	id = make_int("int", 4, 0);
	made_types.n = 16;
	for (u32 i = 1; i < 4000; i++) {
		made_count = 1;
		type_add("", EXT_BTF_CONST, 0, 0, i + 2);
	}
	made_count = 1;
	type_add("", EXT_BTF_CONST, 0, 0, id);
	types_end(&section);
	SAME(read(), EXT_OK);
	SAME(btf.types, 4002);
	SAME(ext_btf_skip(&btf, 2), 1);
	SAME(btf.type[2].bytes, 4);
}

static void looking(void)
{
	sample();
	SAME(read(), EXT_OK);
	SAME(ext_btf_find(&btf, EXT_BTF_STRUCT, "thing"), t_struct);
	SAME(ext_btf_find(&btf, EXT_BTF_UNION, "thing"), 0);
	SAME(ext_btf_find(&btf, EXT_BTF_FUNC, "f"), t_func);
	SAME(ext_btf_find(&btf, EXT_BTF_FUNC, "g"), 0);
	SAME(ext_btf_find(&btf, EXT_BTF_VAR, "zzz"), 0);
	SAME(ext_btf_find(&btf, EXT_BTF_DECL_TAG, "write"), 0);
	for (u32 id = 1; id < btf.types; id++)
		if (btf.type[id].name[0] && btf.type[id].kind != EXT_BTF_DECL_TAG)
			SAME(ext_btf_find(&btf, btf.type[id].kind, btf.type[id].name), id);
	SAME(ext_btf_member(&btf, t_struct, "name"), 3);
	SAME(ext_btf_member(&btf, t_struct, "nam"), -1);
	SAME(ext_btf_member(&btf, t_int, "n"), -1);
	SAME(ext_btf_tagged(&btf, t_struct, 1, "write"), 1);
	SAME(ext_btf_tagged(&btf, t_struct, 0, "write"), 0);
	SAME(ext_btf_tagged(&btf, t_struct, -1, "whole"), 1);
	SAME(ext_btf_tagged(&btf, t_struct, -1, "write"), 0);
	SAME(ext_btf_tagged(&btf, t_func, 1, "param"), 1);
	SAME(ext_btf_tagged(&btf, t_func, 0, "param"), 0);
	CHECK(!strcmp(ext_btf_tag_value(&btf, t_struct, 1, "size"), "n"));
	CHECK(!ext_btf_tag_value(&btf, t_struct, 1, "siz"));
	CHECK(!ext_btf_tag_value(&btf, t_struct, 1, "write"));
	CHECK(!ext_btf_tag_value(&btf, t_struct, 0, "size"));
}

static void places(void)
{
	struct ext_btf_place p;
	u32 inner, outer, vector, ctype, cmember;

	types_begin();
	t_int = make_int("int", 4, EXT_BTF_SIGNED);
	t_long = make_int("long", 8, EXT_BTF_SIGNED);
	inner = type_add("inner", EXT_BTF_STRUCT, 0, 2, 8);
	member_add("x", t_int, 0);
	member_add("y", t_int, 32);
	vector = make_array(inner, 3);
	ctype = make_ref("", EXT_BTF_CONST, t_long);
	t_union = type_add("", EXT_BTF_UNION, 0, 2, 8);
	member_add("i", t_int, 0);
	member_add("l", t_long, 0);
	t_bits = type_add("", EXT_BTF_STRUCT, 1, 1, 8);
	member_add("b", t_int, 3 << 24 | 32);
	outer = type_add("outer", EXT_BTF_STRUCT, 0, 5, 64);
	member_add("first", t_int, 0);
	member_add("v", vector, 64);
	member_add("c", ctype, 256);
	member_add("u", t_union, 320);
	member_add("bits", t_bits, 384);
	types_end(&section);
	SAME(read(), EXT_OK);
	cmember = ext_btf_at(&btf, outer, 0, 4, &p);
	SAME(cmember, 1);
	SAME(p.owner, outer);
	SAME(p.member, 0);
	SAME(p.type, t_int);
	SAME(p.const_seen, 0);
	SAME(ext_btf_at(&btf, outer, 1, 2, &p), 1); /* part of a member */
	SAME(p.offset, 1);
	SAME(ext_btf_at(&btf, outer, 0, 8, &p), 0); /* more than the member */
	SAME(ext_btf_at(&btf, outer, 4, 4, &p), 0); /* padding */
	SAME(ext_btf_at(&btf, outer, 28, 4, &p), 1);
	SAME(p.owner, inner);
	SAME(p.member, 1);
	SAME(p.outer, 1);
	SAME(p.base, 24);
	SAME(p.element, 0);
	SAME(ext_btf_at(&btf, outer, 12, 8, &p), 0); /* two elements */
	SAME(ext_btf_at(&btf, outer, 32, 8, &p), 1);
	SAME(p.const_seen, 1);
	SAME(p.type, t_long);
	SAME(ext_btf_at(&btf, outer, 40, 8, &p), 1); /* the union's second */
	SAME(p.member, 1);
	SAME(ext_btf_at(&btf, outer, 40, 4, &p), 1);
	SAME(p.member, 0);
	SAME(ext_btf_at(&btf, outer, 52, 4, &p), 1);
	SAME(p.bits, 3);
	SAME(ext_btf_at(&btf, outer, 48, 4, &p), 0);
	SAME(ext_btf_at(&btf, outer, 63, 2, &p), 0);
	SAME(ext_btf_at(&btf, outer, 64, 1, &p), 0);
	SAME(ext_btf_at(&btf, outer, 0xffffffff, 1, &p), 0);
	SAME(ext_btf_at(&btf, outer, 0, 0, &p), 0);
	SAME(ext_btf_at(&btf, t_int, 0, 4, &p), 1);
	SAME(ext_btf_at(&btf, vector, 20, 4, &p), 1);
	SAME(p.member, 1);
	SAME(p.base, 16);
}

static void printing(void)
{
	char text[128];

	sample();
	SAME(read(), EXT_OK);
#define PRINTS(id, expected)                                                         \
	do {                                                                         \
		SAME(ext_btf_print(&btf, id, text, sizeof(text)), strlen(expected)); \
		CHECK(!strcmp(text, expected));                                      \
	} while (0)
	PRINTS(t_struct, "struct thing");
	PRINTS(t_ptr, "struct thing *");
	PRINTS(t_cptr, "const letter *");
	PRINTS(t_array, "int[5]");
	PRINTS(t_func, "unsigned long (struct thing *, const letter *)");
	PRINTS(t_enum, "enum colour");
	PRINTS(t_volatile, "volatile int");
	PRINTS(t_fwd, "struct opaque");
	PRINTS(t_union, "union either");
	PRINTS(0, "void");
	PRINTS(t_restrict, "struct thing *");
	SAME(ext_btf_print(&btf, t_func, text, 8),
	     strlen("unsigned long (struct thing *, const letter *)"));
	CHECK(!strcmp(text, "unsigne"));
	SAME(ext_btf_print(&btf, t_int, 0, 0), 3);
	/* without end */
	types_begin();
	make_ref("", EXT_BTF_PTR, 2);
	make_ref("", EXT_BTF_CONST, 1);
	make_ref("", EXT_BTF_PTR, 4);
	PROTO_VOID(3);
	types_end(&section);
	SAME(read(), EXT_OK);
	CHECK(ext_btf_print(&btf, 1, text, sizeof(text)) < 100);
	PRINTS(4, "... (*)(void) (*)(void) (*)(void) (*)(void) (*)(void) (void)");
}

/* The sample with one number changed is compared with the sample. */
static struct ext_btf other;
static struct ext_btf_pairs pairs;

static int equal_with(u64 at, u64 value, u32 bytes, u32 id, int loose)
{
	static struct ext_arena arena;
	static u8 *kept;
	u64 old;

	SAME(read(), EXT_OK);
	other = btf;
	free(kept);
	kept = made_arena.base;
	made_arena.base = 0;
	old = peek(&section, at, bytes);
	poke(&section, at, value, bytes);
	SAME(read(), EXT_OK);
	poke(&section, at, old, bytes);
	if (!arena.base)
		arena = (struct ext_arena){.base = malloc(1 << 20), .size = 1 << 20};
	arena.used = 0;
	SAME(ext_btf_pairs_make(&arena, &btf, &other, &pairs), EXT_OK);
	return ext_btf_equal(&pairs, id, id, loose);
}

static void equality(void)
{
	u32 other_char, needed;

	sample();
	SAME(equal_with(0, 0x9f, 1, t_func, 0), EXT_OK);
	CHECK(pairs.count > 5);
	SAME(ext_btf_equal(&pairs, t_func, t_func, 0), EXT_OK); /* asked again */
	for (u32 id = 0; id <= made_count; id++) {
		u32 kind = btf.type[id].kind;
		int is_type =
			kind != EXT_BTF_VAR && kind != EXT_BTF_DATASEC && kind != EXT_BTF_DECL_TAG;

		SAME(equal_with(0, 0x9f, 1, id, 0), is_type ? EXT_OK : EXT_WHY_LINK);
	}
	/* the integer's name is not compared; its sign and size are */
	SAME(equal_with(type_at(t_int), peek(&section, type_at(t_char), 4), 4, t_func, 0), EXT_OK);
	SAME(equal_with(type_at(t_int) + 12, 32, 4, t_func, 0), EXT_WHY_LINK);
	SAME(pairs.left, t_int);
	SAME(pairs.right, t_int);
	SAME(equal_with(type_at(t_proto) + 8, t_int, 4, t_func, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_struct), 0, 4, t_func, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_struct) + 8, 64, 4, t_func, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_struct) + 12, peek(&section, type_at(t_struct) + 24, 4), 4,
			t_func, 0),
	     EXT_WHY_LINK);
	SAME(equal_with(type_at(t_struct) + 20, 32, 4, t_func, 0),
	     EXT_WHY_LINK); /* a member's place */
	SAME(equal_with(type_at(t_array) + 20, 4, 4, t_struct, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_struct) + 28, t_long, 4, t_struct, 0),
	     EXT_WHY_LINK); /* a pointer, a number */
	SAME(equal_with(type_at(t_ptr) + 8, t_fwd, 4, t_func, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_ptr) + 8, 0, 4, t_func, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_enum) + 16, 2, 4, t_enum, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_enum) + 12, 0, 4, t_enum, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_enum), 0, 4, t_enum, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_enum) + 8, 8, 4, t_enum, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_float) + 8, 4, 4, t_float, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_proto) + 24, t_long, 4, t_func, 0), EXT_WHY_LINK);
	SAME(equal_with(0, 0x9f, 1, t_proto, 0), EXT_OK);
	SAME(ext_btf_equal(&pairs, t_fewer, t_proto, 0), EXT_WHY_LINK);
	SAME(equal_with(0, 0x9f, 1, t_proto, 0), EXT_OK);
	SAME(ext_btf_equal(&pairs, t_proto, t_fewer, 0), EXT_WHY_LINK);
	/* const behind a pointer: here and not there is loosely equal, there and not here is not */
	SAME(equal_with(type_at(t_cptr) + 8, t_char, 4, t_func, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_cptr) + 8, t_char, 4, t_func, 1), EXT_WHY_LINK);
	other_char = t_const;
	poke(&section, type_at(t_cptr) + 8, t_char, 4);
	SAME(equal_with(type_at(t_cptr) + 8, other_char, 4, t_func, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_cptr) + 8, other_char, 4, t_func, 1), EXT_OK);
	/* a struct declared only, and one of the same name */
	sample();
	SAME(equal_with(type_at(t_fwd), peek(&section, type_at(t_struct), 4), 4, t_struct, 0),
	     EXT_OK);
	SAME(ext_btf_equal(&pairs, t_fwd, t_struct, 0), EXT_OK);
	SAME(ext_btf_equal(&pairs, t_fwd, t_union, 0), EXT_WHY_LINK);
	SAME(equal_with(type_at(t_fwd) + 4, 1u << 31 | EXT_BTF_FWD << 24, 4, t_fwd, 0),
	     EXT_WHY_LINK);
	/* more pairs than there is room for */
	SAME(equal_with(0, 0x9f, 1, t_int, 0), EXT_OK);
	SAME(ext_btf_equal(&pairs, t_func, t_func, 0), EXT_OK);
	needed = pairs.count;
	for (u32 most = 1; most < needed; most++) {
		SAME(equal_with(0, 0x9f, 1, 0, 0), EXT_OK);
		pairs.most = most;
		SAME(ext_btf_equal(&pairs, t_func, t_func, 0), EXT_WHY_MEMORY);
	}
	SAME(equal_with(0, 0x9f, 1, t_int, 0), EXT_OK);
	pairs.most = pairs.count;
	SAME(ext_btf_equal(&pairs, t_func, t_func, 0), EXT_WHY_MEMORY);
	pairs.most = pairs.count + 1;
	SAME(ext_btf_equal(&pairs, t_proto, t_proto, 0), EXT_WHY_MEMORY);
	SAME(equal_with(0, 0x9f, 1, t_int, 0), EXT_OK);
	pairs.most = pairs.count + 1; /* what it returns has no room */
	SAME(ext_btf_equal(&pairs, t_none, t_none, 0), EXT_WHY_MEMORY);
}

/* Every byte, changed to several values: refused or read, and what was read can be walked. */
static void attacked(void)
{
	char text[64];
	struct ext_btf_place place;

	sample();
	for (u32 at = 0; at < section.n; at++)
		for (u32 k = 0; k < 6; k++) {
			static const u8 values[] = {0, 1, 0x7f, 0x80, 0xff, 0x0d};

			if (read_with(at, values[k], 1))
				continue;
			for (u32 id = 0; id < btf.types; id++) {
				ext_btf_print(&btf, id, text, sizeof(text));
				ext_btf_at(&btf, id, at % 64, 1 + at % 8, &place);
			}
		}
}

static const struct test tests[] = {TEST(reading),    TEST(headers),  TEST(records), TEST(scalars),
				    TEST(references), TEST(sizes),    TEST(looking), TEST(places),
				    TEST(printing),   TEST(equality), TEST(attacked)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
