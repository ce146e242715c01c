/* SPDX-License-Identifier: MIT
 * Interfaces: contracts out of tags, and what is refused since the verifier would go by it.
 * links: ext/interface.c ext/elf.c ext/btf.c ext/btf_check.c ext/btf_look.c ext/order.c ext/arena.c ext/refusal.c */
#include "object_make.h"

static struct ext_interface face;
static struct bytes btf;
static u32 t_int, t_long, t_ulong, t_void, t_cvoid, t_thing, t_pthing, t_cpthing, t_enum, t_fwd,
	t_pfwd, t_plong;

static void common(void)
{
	u32 c;

	types_begin();
	t_int = make_int("int", 4, EXT_BTF_SIGNED);
	t_long = make_int("long", 8, EXT_BTF_SIGNED);
	t_ulong = make_int("unsigned long", 8, 0);
	t_void = make_ref("", EXT_BTF_PTR, 0);
	c = make_ref("", EXT_BTF_CONST, 0);
	t_cvoid = make_ref("", EXT_BTF_PTR, c);
	t_thing = type_add("thing", EXT_BTF_STRUCT, 0, 3, 24);
	member_add("n", t_ulong, 0);
	member_add("bytes", t_cvoid, 64);
	member_add("m", t_cvoid, 128);
	t_pthing = make_ref("", EXT_BTF_PTR, t_thing);
	c = make_ref("", EXT_BTF_CONST, t_thing);
	t_cpthing = make_ref("", EXT_BTF_PTR, c);
	t_enum = type_add("e", EXT_BTF_ENUM, 0, 1, 4);
	part_add("A", 0);
	t_fwd = type_add("opaque", EXT_BTF_FWD, 0, 0, 0);
	t_pfwd = make_ref("", EXT_BTF_PTR, t_fwd);
	t_plong = make_ref("", EXT_BTF_PTR, t_long);
}

static int load_in(u64 arena)
{
	static u8 *copy;

	types_end(&btf);
	object_begin();
	section_add(".BTF", EXT_ELF_PROGBITS, 0, btf.b, btf.n);
	object_end();
	free(copy);
	copy = malloc(made_object.n);
	memcpy(copy, made_object.b, made_object.n);
	return ext_interface_load(arena_anew(arena), copy, made_object.n, &face, &made_why);
}

static int load(void)
{
	return load_in(MADE_ARENA);
}

/* An interface of one function with that type and tags "component:text", ended by 0. */
static int function_of(u32 proto, const char *const *tags)
{
	u32 f = make_func("f", proto, EXT_BTF_GLOBAL);

	for (; *tags; tags++)
		make_tag(*tags + 2, f, (*tags)[0] == '-' ? -1 : (*tags)[0] - '0');
	return load();
}
#define FUNCTION(proto, ...) (common(), function_of(proto, (const char *const[]){__VA_ARGS__, 0}))

static void contracts(void)
{
	const struct ext_contract *c;
	u32 f;

	SAME(FUNCTION(PROTO(t_void, t_void, t_cvoid), "-:slot=3", "-:pure", "-:nullable", "0:map",
		      "1:key"),
	     EXT_OK);
	SAME(face.functions, 1);
	c = &face.function[0];
	CHECK(!strcmp(c->name, "f"));
	SAME(c->slot, 3);
	SAME(c->pure, 1);
	SAME(c->cost, 1);
	SAME(c->args, 2);
	SAME(c->arg[0].kind, EXT_ARG_MAP);
	SAME(c->arg[1].kind, EXT_ARG_KEY);
	SAME(c->arg[1].flags, EXT_ARG_CONST);
	SAME(c->ret, EXT_RET_VALUE);
	SAME(c->ret_flags, EXT_RET_NULLABLE);
	for (u64 bytes = 0, used = made_arena.used; bytes < used; bytes += 8)
		REFUSED(load_in(bytes), EXT_WHY_MEMORY, "spent");

	SAME(FUNCTION(PROTO(t_long, t_cvoid, t_ulong, t_ulong), "-:slot=0", "-:cost=65535",
		      "-:returns=-4..7", "0:size=2", "0:nullable", "1:range=1..64",
		      "2:range=0..18446744073709551615"),
	     EXT_OK);
	c = &face.function[0];
	SAME(c->cost, 65535);
	SAME(c->pure, 0);
	SAME(c->ret, EXT_RET_SCALAR);
	SAME(c->ret_least, -4);
	SAME(c->ret_most, 7);
	SAME(c->arg[0].kind, EXT_ARG_MEM);
	SAME(c->arg[0].size_arg, 1);
	SAME(c->arg[0].flags, EXT_ARG_CONST | EXT_ARG_NULLABLE);
	SAME(c->arg[1].kind, EXT_ARG_SIZE);
	SAME(c->arg[1].least, 1);
	SAME(c->arg[1].most, 64);
	SAME(c->arg[2].kind, EXT_ARG_SCALAR);
	SAME(c->arg[2].least, 0);
	SAME(c->arg[2].most, -1);

	SAME(FUNCTION(PROTO(t_pthing, t_pthing, t_cpthing, t_plong, t_void, t_enum), "-:slot=255",
		      "-:acquire", "0:release", "1:memory", "3:bytes=100", "3:const"),
	     EXT_OK);
	c = &face.function[0];
	SAME(c->slot, 255);
	SAME(c->ret, EXT_RET_OBJECT);
	SAME(c->ret_type, t_thing);
	SAME(c->ret_flags, EXT_RET_ACQUIRE);
	SAME(c->arg[0].kind, EXT_ARG_OBJECT);
	SAME(c->arg[0].type, t_thing);
	SAME(c->arg[0].flags, EXT_ARG_RELEASE);
	SAME(c->arg[1].kind, EXT_ARG_MEM);
	SAME(c->arg[1].bytes, 24);
	SAME(c->arg[1].flags, EXT_ARG_CONST);
	SAME(c->arg[2].kind, EXT_ARG_MEM);
	SAME(c->arg[2].bytes, 8);
	SAME(c->arg[2].flags, 0);
	SAME(c->arg[3].bytes, 100);
	SAME(c->arg[3].flags, EXT_ARG_CONST);
	SAME(c->arg[4].kind, EXT_ARG_SCALAR);

	SAME(FUNCTION(PROTO_VOID(0), "-:slot=1"), EXT_OK);
	SAME(face.function[0].ret, EXT_RET_VOID);
	SAME(face.function[0].ret_least, 0);
	SAME(face.function[0].ret_most, -1);
	SAME(FUNCTION(PROTO(0, t_void), "-:slot=1", "0:value", "0:release"), EXT_OK);
	SAME(face.function[0].arg[0].kind, EXT_ARG_VALUE);
	/* no tag, no function of the interface */
	SAME(FUNCTION(PROTO(0, t_void), "-:pure"), EXT_OK);
	SAME(face.functions, 0);
	/* two, and a member's size */
	common();
	f = make_func("f", PROTO_VOID(0), EXT_BTF_GLOBAL);
	make_tag("slot=1", f, -1);
	f = make_func("g", f - 1, EXT_BTF_GLOBAL);
	make_tag("slot=2", f, -1);
	make_tag("size=n", t_thing, 1);
	SAME(load(), EXT_OK);
	SAME(face.functions, 2);
	poke(&made_types, made_at[f + 1], put_name(&made_names, "slot=1"), 4);
	REFUSED(load(), EXT_WHY_BTF, "g: its slot is another's");
}

static void contracts_wrong(void)
{
	u32 t_struct_proto;

	REFUSED(FUNCTION(PROTO_VOID(0), "-:slot=256"), EXT_WHY_BTF,
		"not a number that can be: slot");
	REFUSED(FUNCTION(PROTO_VOID(0), "-:slot="), EXT_WHY_BTF, "not a number that can be: slot");
	REFUSED(FUNCTION(PROTO_VOID(0), "-:slot=1x"), EXT_WHY_BTF,
		"not a number that can be: slot");
	REFUSED(FUNCTION(PROTO_VOID(0), "-:slot=99999999999999999999"), EXT_WHY_BTF,
		"not a number that can be");
	REFUSED(FUNCTION(PROTO_VOID(0), "-:slot=18446744073709551616"), EXT_WHY_BTF,
		"not a number that can be");
	REFUSED(FUNCTION(PROTO_VOID(0), "-:slot=1", "-:cost=0"), EXT_WHY_BTF, "can be: cost");
	REFUSED(FUNCTION(PROTO_VOID(0), "-:slot=1", "-:cost=65536"), EXT_WHY_BTF, "can be: cost");
	REFUSED(FUNCTION(PROTO(0, t_int, t_int, t_int, t_int, t_int, t_int), "-:slot=1"),
		EXT_WHY_BTF, "more than five");
	REFUSED(FUNCTION(PROTO(0, t_thing), "-:slot=1"), EXT_WHY_BTF,
		"neither a number nor a pointer: a");
	REFUSED(FUNCTION(PROTO(0, t_void), "-:slot=1"), EXT_WHY_BTF, "memory of no known size: a");
	REFUSED(FUNCTION(PROTO(0, t_pfwd), "-:slot=1"), EXT_WHY_BTF, "memory of no known size: a");
	REFUSED(FUNCTION(PROTO(0, t_void, t_int), "-:slot=1", "0:size=3"), EXT_WHY_BTF,
		"can be: size");
	REFUSED(FUNCTION(PROTO(0, t_void, t_int), "-:slot=1", "0:size=0"), EXT_WHY_BTF,
		"can be: size");
	REFUSED(FUNCTION(PROTO(0, t_void, t_int), "-:slot=1", "0:size=1"), EXT_WHY_BTF,
		"a size that is no number: a");
	REFUSED(FUNCTION(PROTO(0, t_void, t_int), "-:slot=1", "0:bytes=0"), EXT_WHY_BTF,
		"can be: bytes");
	REFUSED(FUNCTION(PROTO(0, t_void, t_int), "-:slot=1", "0:key"), EXT_WHY_BTF,
		"of no map: a");
	REFUSED(FUNCTION(PROTO(0, t_void, t_void), "-:slot=1", "0:value", "1:map"), EXT_WHY_BTF,
		"of no map: a");
	REFUSED(FUNCTION(PROTO(0, t_int), "-:slot=1", "0:range=1"), EXT_WHY_BTF,
		"not a range: range");
	REFUSED(FUNCTION(PROTO(0, t_int), "-:slot=1", "0:range=1.2"), EXT_WHY_BTF,
		"not a range: range");
	REFUSED(FUNCTION(PROTO(0, t_int), "-:slot=1", "0:range=2..1"), EXT_WHY_BTF,
		"not a range: range");
	REFUSED(FUNCTION(PROTO(0, t_int), "-:slot=1", "0:range=-1..-2"), EXT_WHY_BTF,
		"not a range: range");
	REFUSED(FUNCTION(PROTO(0, t_int), "-:slot=1", "0:range=1..2x"), EXT_WHY_BTF,
		"not a range: range");
	REFUSED(FUNCTION(PROTO(0, t_int), "-:slot=1", "0:range=..2"), EXT_WHY_BTF,
		"not a range: range");
	REFUSED(FUNCTION(PROTO(0, t_int), "-:slot=1", "0:range=-9223372036854775809..2"),
		EXT_WHY_BTF, "not a range: range");
	SAME(FUNCTION(PROTO(0, t_int), "-:slot=1", "0:range=-9223372036854775808..2"), EXT_OK);
	REFUSED(FUNCTION(PROTO(0, t_int), "-:slot=1",
			 "0:range=-9223372036854775809..9223372036854775807"),
		EXT_WHY_BTF, "not a range: range");
	REFUSED(FUNCTION(PROTO(0, t_int), "-:slot=1", "0:range=1,,2"), EXT_WHY_BTF,
		"not a range: range");
	REFUSED(FUNCTION(PROTO_VOID(t_int), "-:slot=1", "-:returns=0..1"), EXT_WHY_BTF,
		"no number of 64 bits");
	REFUSED(FUNCTION(PROTO_VOID(t_pthing), "-:slot=1", "-:returns=0..1"), EXT_WHY_BTF,
		"no number of 64 bits");
	REFUSED(FUNCTION(PROTO_VOID(t_thing), "-:slot=1"), EXT_WHY_BTF, "returns neither");
	REFUSED(FUNCTION(PROTO_VOID(t_void), "-:slot=1"), EXT_WHY_BTF,
		"neither a struct's nor a map's");
	REFUSED(FUNCTION(PROTO(t_void, t_int), "-:slot=1"), EXT_WHY_BTF,
		"neither a struct's nor a map's");
	REFUSED(FUNCTION(PROTO(t_plong, t_void), "-:slot=1", "0:map"), EXT_WHY_BTF,
		"neither a struct's nor a map's");
	/* sizes of members */
	common();
	make_tag("size=m", t_thing, 1);
	REFUSED(load(), EXT_WHY_BTF, "the size of bytes is no number of it: m");
	common();
	make_tag("size=o", t_thing, 1);
	REFUSED(load(), EXT_WHY_BTF, "the size of bytes is no number of it: o");
	common();
	make_tag("size=n", t_thing, 0);
	REFUSED(load(), EXT_WHY_BTF, "n has a size and is no pointer");
	/* what it is made of */
	common();
	t_struct_proto = type_add("", 25, 0, 0, 0);
	(void)t_struct_proto;
	REFUSED(load(), EXT_WHY_BTF, "unknown kind 25");
	made_object.b[0] = 0;
	REFUSED(ext_interface_load(&made_arena, made_object.b, made_object.n, &face, &made_why),
		EXT_WHY_OBJECT, "no ELF");
	object_begin();
	object_end();
	REFUSED(ext_interface_load(&made_arena, made_object.b, made_object.n, &face, &made_why),
		EXT_WHY_BTF, "without types");
}

static void points(void)
{
	const struct ext_attach *a;

	SAME(FUNCTION(PROTO(t_long, t_pthing, t_cvoid, t_ulong), "-:attach", "-:class=handler",
		      "-:budget=1000", "-:returns=0..1", "1:size=3"),
	     EXT_OK);
	SAME(face.functions, 0);
	SAME(face.attaches, 1);
	a = &face.attach[0];
	CHECK(!strcmp(a->name, "f"));
	SAME(a->class, EXT_HANDLER);
	SAME(a->budget, 1000);
	SAME(a->worst_most, 0);
	SAME(a->ret_most, 1);
	SAME(a->args, 3);
	SAME(a->arg[0].kind, EXT_ARG_OBJECT);
	SAME(a->arg[1].kind, EXT_ARG_MEM);
	SAME(a->arg[1].flags, EXT_ARG_CONST);
	SAME(a->arg[2].kind, EXT_ARG_SIZE);
	SAME(FUNCTION(PROTO_VOID(t_ulong), "-:attach", "-:class=pure", "-:worst=300"), EXT_OK);
	SAME(face.attach[0].class, EXT_PURE);
	SAME(face.attach[0].worst_most, 300);
	REFUSED(FUNCTION(PROTO_VOID(t_ulong), "-:attach"), EXT_WHY_BTF, "no known class");
	REFUSED(FUNCTION(PROTO_VOID(t_ulong), "-:attach", "-:class=any"), EXT_WHY_BTF,
		"no known class");
	REFUSED(FUNCTION(PROTO_VOID(t_ulong), "-:attach", "-:class=pure"), EXT_WHY_BTF,
		"a point that is pure");
	REFUSED(FUNCTION(PROTO_VOID(t_ulong), "-:attach", "-:class=handler"), EXT_WHY_BTF,
		"a point that is pure");
	REFUSED(FUNCTION(PROTO_VOID(t_ulong), "-:attach", "-:class=pure", "-:worst=1",
			 "-:budget=1"),
		EXT_WHY_BTF, "a point that is pure");
	REFUSED(FUNCTION(PROTO_VOID(t_ulong), "-:attach", "-:class=handler", "-:worst=1",
			 "-:budget=1"),
		EXT_WHY_BTF, "a point that is pure");
	REFUSED(FUNCTION(PROTO_VOID(t_ulong), "-:attach", "-:class=pure", "-:worst=0"), EXT_WHY_BTF,
		"can be: worst");
	REFUSED(FUNCTION(PROTO_VOID(t_ulong), "-:attach", "-:class=handler", "-:budget=4294967296"),
		EXT_WHY_BTF, "can be: budget");
	REFUSED(FUNCTION(PROTO(t_ulong, t_void), "-:attach", "-:class=pure", "-:worst=1", "0:map"),
		EXT_WHY_BTF, "a map, key or value");
	REFUSED(FUNCTION(PROTO(t_ulong, t_void), "-:attach", "-:class=pure", "-:worst=1"),
		EXT_WHY_BTF, "no known size");
	REFUSED(FUNCTION(PROTO(t_int, t_ulong), "-:attach", "-:class=pure", "-:worst=1",
			 "-:returns=0..1"),
		EXT_WHY_BTF, "64 bits");
}

static const struct test tests[] = {TEST(contracts), TEST(contracts_wrong), TEST(points)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
