/* SPDX-License-Identifier: MIT
 * Objects made by hand for the loader's tests: types (BTF) and relocatable ELF, byte by byte, so that each can be made
 * wrong in one place. */
#ifndef HOST_OBJECT_MAKE_H
#define HOST_OBJECT_MAKE_H

#include "test.h"

#include <btf.h>
#include <elf.h>
#include <insn.h>

struct bytes {
	u8 b[1 << 16];
	u32 n;
};

static inline void put(struct bytes *to, u64 value, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		to->b[to->n++] = (u8)(value >> (8 * i));
}
static inline void put_all(struct bytes *to, const void *from, u32 bytes)
{
	memcpy(to->b + to->n, from, bytes);
	to->n += bytes;
}
static inline void poke(struct bytes *to, u64 at, u64 value, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		to->b[at + i] = (u8)(value >> (8 * i));
}
static inline u64 peek(const struct bytes *from, u64 at, u32 bytes)
{
	u64 value = 0;

	for (u32 i = 0; i < bytes; i++)
		value |= (u64)from->b[at + i] << (8 * i);
	return value;
}
/* A name's offset among names; the first is "". */
static inline u32 put_name(struct bytes *names, const char *name)
{
	u32 at = names->n;

	if (!at)
		put(names, 0, 1);
	if (!*name)
		return 0;
	at = names->n;
	put_all(names, name, (u32)strlen(name) + 1);
	return at;
}

/* --- types: each function adds one and gives its id. at[id]: its record's place among the types. */
static struct bytes made_types, made_names;
static u32 made_count, made_at[256];

static inline void types_begin(void)
{
	made_types.n = made_names.n = 0;
	made_count = 0;
	put_name(&made_names, "");
}
static inline u32 type_add(const char *name, u32 kind, u32 flag, u32 vlen, u32 word)
{
	made_at[++made_count] = made_types.n;
	put(&made_types, put_name(&made_names, name), 4);
	put(&made_types, (u64)flag << 31 | kind << 24 | vlen, 4);
	put(&made_types, word, 4);
	return made_count;
}
static inline void type_more(u32 a)
{
	put(&made_types, a, 4);
}
static inline u32 make_int(const char *name, u32 bytes, u32 encoding)
{
	u32 id = type_add(name, EXT_BTF_INT, 0, 0, bytes);

	type_more(encoding << 24 | bytes * 8);
	return id;
}
static inline u32 make_ref(const char *name, u32 kind, u32 to)
{
	return type_add(name, kind, 0, 0, to);
}
static inline u32 make_array(u32 of, u32 count)
{
	u32 id = type_add("", EXT_BTF_ARRAY, 0, 0, 0);

	type_more(of);
	type_more(of);
	type_more(count);
	return id;
}
/* A part of a struct (type, bit) or an enum (value), of a FUNC_PROTO (type). */
static inline void part_add(const char *name, u32 a)
{
	type_more(put_name(&made_names, name));
	type_more(a);
}
static inline void member_add(const char *name, u32 type, u32 bit)
{
	part_add(name, type);
	type_more(bit);
}
static inline u32 make_func(const char *name, u32 proto, u32 linkage)
{
	return type_add(name, EXT_BTF_FUNC, 0, linkage, proto);
}
static inline u32 make_var(const char *name, u32 type, u32 linkage)
{
	u32 id = type_add(name, EXT_BTF_VAR, 0, 0, type);

	type_more(linkage);
	return id;
}
static inline u32 make_tag(const char *text, u32 type, s32 component)
{
	u32 id = type_add(text, EXT_BTF_DECL_TAG, 0, 0, type);

	type_more((u32)component);
	return id;
}
/* A FUNC_PROTO of up to five parameters, ids ended by ~0. */
static inline u32 make_proto(u32 returns, const u32 *parameters)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
	u32 n = 0, id;

	while (parameters[n] != ~0u)
		n++;
	id = type_add("", EXT_BTF_FUNC_PROTO, 0, n, returns);
	for (u32 i = 0; i < n; i++)
		part_add(names[i], parameters[i]);
	return id;
}
#define PROTO(returns, ...) make_proto(returns, (const u32[]){__VA_ARGS__, ~0u})
#define PROTO_VOID(returns) make_proto(returns, (const u32[]){~0u})

/* The section .BTF of what was added. */
static inline void types_end(struct bytes *out)
{
	out->n = 0;
	put(out, 0xeb9f, 2);
	put(out, 1, 1);
	put(out, 0, 1);
	put(out, 24, 4);
	put(out, 0, 4);
	put(out, made_types.n, 4);
	put(out, made_types.n, 4);
	put(out, made_names.n, 4);
	put_all(out, made_types.b, made_types.n);
	put_all(out, made_names.b, made_names.n);
}
/* Where a type's record lies in that section. */
static inline u32 type_at(u32 id)
{
	return 24 + made_at[id];
}

/* --- objects. Sections 1.. are numbered as they are added; symbols from 1. */
#define MADE_SECTIONS 24
struct made_section {
	const char *name;
	u32 type, flags, align, link, info;
	struct bytes data;
	struct bytes relocs;
	u64 nobits;
};
static struct made_section made_section[MADE_SECTIONS];
static struct bytes made_symbols, made_strings, made_object;
static u32 made_sections;
/* Of the object made: where things lie. */
static u64 made_headers, made_symtab, made_rel[MADE_SECTIONS], made_data[MADE_SECTIONS];

static inline void object_begin(void)
{
	made_sections = 1;
	made_symbols.n = made_strings.n = 0;
	put_name(&made_strings, "");
	for (u32 i = 0; i < 24; i++)
		put(&made_symbols, 0, 1);
}
static inline u32 section_add(const char *name, u32 type, u32 flags, const void *data, u32 bytes)
{
	struct made_section *s = &made_section[made_sections];

	s->name = name;
	s->type = type;
	s->flags = flags;
	s->align = 8;
	s->link = s->info = 0;
	s->data.n = s->relocs.n = 0;
	s->nobits = type == EXT_ELF_NOBITS ? bytes : 0;
	if (type != EXT_ELF_NOBITS)
		put_all(&s->data, data, bytes);
	return made_sections++;
}
static inline u32 symbol_add(const char *name, u32 type, u32 bind, u32 section, u64 value,
			     u64 bytes)
{
	put(&made_symbols, put_name(&made_strings, name), 4);
	put(&made_symbols, bind << 4 | type, 1);
	put(&made_symbols, 0, 1);
	put(&made_symbols, section, 2);
	put(&made_symbols, value, 8);
	put(&made_symbols, bytes, 8);
	return made_symbols.n / 24 - 1;
}
static inline void reloc_add(u32 section, u64 offset, u32 symbol, u32 type)
{
	put(&made_section[section].relocs, offset, 8);
	put(&made_section[section].relocs, type, 4);
	put(&made_section[section].relocs, symbol, 4);
}
static inline void header_put(const char *name, u32 type, u32 flags, u64 offset, u64 bytes,
			      u32 link, u32 info, u32 align)
{
	struct bytes *o = &made_object;

	put(o, put_name(&made_strings, name), 4);
	put(o, type, 4);
	put(o, flags, 8);
	put(o, 0, 8);
	put(o, offset, 8);
	put(o, bytes, 8);
	put(o, link, 4);
	put(o, info, 4);
	put(o, align, 8);
	put(o, 0, 8);
}
/* Section n's header in the object. */
static inline u64 header_at(u32 n)
{
	return made_headers + n * 64ul;
}
/* Lays it out: ELF header, sections' bytes, relocations, symbols, headers, names. */
static inline void object_end(void)
{
	struct bytes *o = &made_object;
	u32 rels = 0, symtab, k = 0;
	u64 names;

	for (u32 n = 1; n < made_sections; n++)
		rels += made_section[n].relocs.n != 0;
	symtab = made_sections + rels;
	o->n = 0;
	put(o, 0x464c457f, 4);
	put(o, 0x00010102, 4); /* 64 bits, little endian, version 1 */
	put(o, 0, 8);
	put(o, 1, 2);
	put(o, 247, 2);
	put(o, 1, 4);
	put(o, 0, 8);
	put(o, 0, 8);
	put(o, 0, 8); /* headers: below */
	put(o, 0, 4);
	put(o, 64, 2);
	put(o, 0, 4);
	put(o, 64, 2);
	put(o, symtab + 2, 2);
	put(o, symtab + 1, 2);
	for (u32 n = 1; n < made_sections; n++) {
		while (o->n % 8)
			put(o, 0, 1);
		made_data[n] = o->n;
		put_all(o, made_section[n].data.b, made_section[n].data.n);
	}
	for (u32 n = 1; n < made_sections; n++) {
		made_rel[n] = o->n;
		put_all(o, made_section[n].relocs.b, made_section[n].relocs.n);
	}
	made_symtab = o->n;
	put_all(o, made_symbols.b, made_symbols.n);
	made_headers = o->n;
	poke(o, 40, made_headers, 8);
	header_put("", 0, 0, 0, 0, 0, 0, 0);
	for (u32 n = 1; n < made_sections; n++) {
		const struct made_section *s = &made_section[n];

		header_put(s->name, s->type, s->flags, made_data[n],
			   s->type == EXT_ELF_NOBITS ? s->nobits : s->data.n, s->link, s->info,
			   s->align);
	}
	for (u32 n = 1; n < made_sections; n++)
		if (made_section[n].relocs.n) {
			header_put(".rel", EXT_ELF_REL, 0, made_rel[n], made_section[n].relocs.n,
				   symtab, n, 8);
			k++;
		}
	header_put(".symtab", EXT_ELF_SYMTAB, 0, made_symtab, made_symbols.n, symtab + 1, 0, 8);
	header_put(".strtab", EXT_ELF_STRTAB, 0, 0, 0, 0, 0, 1);
	names = o->n;
	put_all(o, made_strings.b, made_strings.n);
	poke(o, header_at(symtab + 1) + 24, names, 8);
	poke(o, header_at(symtab + 1) + 32, made_strings.n, 8);
}
static inline u32 made_symtab_section(void)
{
	return (u32)peek(&made_object, 60, 2) - 2;
}

/* --- instructions */
static inline void insn_add(struct bytes *to, u8 code, u32 dst, u32 src, s32 off, s32 imm)
{
	put(to, code, 1);
	put(to, src << 4 | dst, 1);
	put(to, (u64)off, 2);
	put(to, (u64)imm, 4);
}
static inline void lddw_add(struct bytes *to, u32 dst, u32 src, s32 low, s32 high)
{
	insn_add(to, EXT_LDDW, dst, src, 0, low);
	insn_add(to, 0, 0, 0, 0, high);
}
static inline void exit_add(struct bytes *to)
{
	insn_add(to, EXT_ALU64 | EXT_MOV, 0, 0, 0, 0);
	insn_add(to, EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
}

/* --- judging. An arena of so many bytes, each time anew; memory beyond is not touched, the sanitizer sees to it. */
#define MADE_ARENA (1u << 20)
static struct ext_arena made_arena;
static struct ext_refusal made_why;

static inline struct ext_arena *arena_anew(u64 bytes)
{
	free(made_arena.base);
	made_arena = (struct ext_arena){.base = malloc(bytes ? bytes : 1), .size = bytes};
	return &made_arena;
}
/* `got` is that refusal, with that text in it. */
#define REFUSED(got, expected, part)                         \
	do {                                                 \
		int got_ = (got);                            \
		SAME(got_, expected);                        \
		if (got_ && !strstr(made_why.text, part))    \
			printf("text: %s\n", made_why.text); \
		CHECK(got_ &&strstr(made_why.text, part));   \
	} while (0)

#endif
