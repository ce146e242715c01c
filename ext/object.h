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

struct ext_object {
	struct ext_elf elf;
	struct ext_btf btf;
	int has_btf;
	struct ext_object_text *text;
	struct ext_object_function *function; /* ascending by section and place */
	u32 functions;
	struct ext_object_line *line; /* ascending by section and place, one at each */
	u32 lines;
	struct ext_object_core *core; /* ascending by section and place, one at each */
	u32 cores;
	u8 *by_name; /* of each type: its fields are relocated, so that its layout does not count; 0: none are */
	u32 *map; /* symbols in .maps, ascending by place */
	u32 maps, maps_section;
};

/* The function that begins at an instruction of a section; EXT_NONE. log n. */
u32 ext_object_function_at(const struct ext_object *o, u32 section, u64 insn);
/* The first of a table's n entries not before (section, insn); the entry at i is at (*place)(table, i). */
u32 ext_object_lower(const void *table, u32 n, u64 (*place)(const void *, u32), u32 section,
		     u32 insn);
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
