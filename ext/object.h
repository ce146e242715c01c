/* SPDX-License-Identifier: MIT
 * An object that was opened: tables of what is in it, read and checked; nothing of it is linked yet. */
#ifndef EXT_OBJECT_H
#define EXT_OBJECT_H

#include <btf.h>
#include <elf.h>

#define EXT_NONE 0xffffffffu

struct ext_object_function {
	const char *name;
	u32 section;
	u32 first, count; /* instructions in the section */
	u32 type;	  /* its FUNC in the BTF; 0: not known */
	u32 entry;	  /* 1: a program may begin here */
	u64 at;		  /* its symbol */
};

struct ext_object_line {
	u32 section, insn, line;
	const char *file;
};

enum ext_core_kind {
	EXT_CORE_BYTE_OFFSET,
	EXT_CORE_BYTE_SIZE,
	EXT_CORE_EXISTS,
	EXT_CORE_SIGNED,
	EXT_CORE_SHIFT_LEFT,
	EXT_CORE_SHIFT_RIGHT,
	EXT_CORE_TYPE_LOCAL,
	EXT_CORE_TYPE_TARGET,
	EXT_CORE_TYPE_EXISTS,
	EXT_CORE_TYPE_SIZE,
	EXT_CORE_ENUM_EXISTS,
	EXT_CORE_ENUM_VALUE,
	EXT_CORE_KINDS
};

/* A relocation of a field (CO-RE): as .BTF.ext has it. */
struct ext_object_core {
	u32 section, insn, type, kind;
	const char *path;
	u64 at;
};

struct ext_object_text { /* of each section; no relocations but of executable ones */
	struct ext_reloc *reloc;
	u32 relocs;
};

/* Binutils up to 2.40 writes into an instruction that is relocated by a symbol (not by a section) the symbol's value, to
 * which linking adds it once more. Whether an object is theirs shows in its debug information's relocations. */
enum ext_object_addends {
	EXT_ADDENDS_PLAIN,
	EXT_ADDENDS_DOUBLED,
	EXT_ADDENDS_UNKNOWN, /* gcc's, and without debug information */
};

#define EXT_CORE_RELOCATED 1u
#define EXT_CORE_ASKED 2u

struct ext_object {
	struct ext_elf elf;
	struct ext_btf btf;
	int has_btf;
	enum ext_object_addends addends;
	struct ext_object_text *text;
	struct ext_object_function *function; /* ascending by section and place */
	u32 functions;
	u32 *entry; /* functions where a program may begin */
	u32 entries;
	struct ext_object_line *line; /* ascending by section and place, one at each */
	u32 lines;
	struct ext_object_core *core; /* ascending by section and place, one at each */
	u32 cores;
	/* Of each type, 0: none. RELOCATED: its fields are, so that its layout does not count; ASKED: the program asks if some
	 * part of it is there, so that it may hold what needs parts that are not. */
	u8 *by_name;
	u32 *map; /* symbols in .maps, ascending by place */
	u32 maps, maps_section;
};

/* The function that begins at an instruction of a section; EXT_NONE. log n. */
u32 ext_object_function_at(const struct ext_object *o, u32 section, u64 insn);
/* Where a line is, for ext_lower: section << 32 | instruction. */
u64 ext_object_line_place(const void *table, u32 n);
/* The line of an instruction, into the refusal. */
void ext_object_where(const struct ext_object *o, u32 section, u32 insn, struct ext_refusal *why);

/* Lines, types of functions, relocations of fields from .BTF.ext (lines.c). Objects without it: from .debug_line, if
 * that is there (dwarf.c). */
int ext_object_btf_ext(struct ext_arena *a, struct ext_object *o, struct ext_refusal *why);
int ext_object_dwarf(struct ext_arena *a, struct ext_object *o, struct ext_refusal *why);
/* Orders lines that were read; of several at one place the last stays. */
void ext_object_lines_order(struct ext_object *o, u32 *order, struct ext_object_line *room);

/* A map's definition, of the symbol in .maps, as a region without place (maps.c). */
int ext_object_map(const struct ext_object *o, u32 symbol, struct ext_region *out,
		   struct ext_refusal *why);

#endif
