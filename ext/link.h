/* SPDX-License-Identifier: MIT
 * Linking: from an object and an entry to a program. Parts of ext_object_link. */
#ifndef EXT_LINK_H
#define EXT_LINK_H

#include <object.h>

#define EXT_INSNS_MOST (1u << 20) /* of one program */

struct ext_link {
	struct ext_arena *arena;
	const struct ext_object *o;
	const struct ext_interface *const *interface;
	u32 interfaces;
	struct ext_program *p;
	struct ext_refusal *why;
	u32 *placed;	/* of each object function: its number in the program; EXT_NONE */
	u32 *source;	/* of each program function: its number in the object */
	u32 *region_of; /* of each section: its region, + 1 */
	u32 *map_of;	/* of each symbol: its region, + 1 */
	u32 *import_of; /* of each symbol: its import, + 1 */
	u32 core;	/* the next field relocation */
	struct ext_btf_pairs *pairs; /* of each interface; made when first needed (a 0) */
	u32 owner;		     /* function of the object that is being placed, and */
	u32 insn;		     /* instruction in its section: for refusals */
};

/* A refusal at the instruction that is being placed: function, line, place in the object. */
int ext_link_refuse(struct ext_link *l, enum ext_why why, const char *format, ...);
/* The import of an undefined symbol (import.c): its number, into out. */
int ext_link_import(struct ext_link *l, u32 symbol, u32 *out);
/* The attach point of that name (0: none of the interfaces has it) and whether the entry has its type. */
int ext_link_attach(struct ext_link *l, const char *point);
/* Field relocation of the instruction at l->insn, whose copy is *i (core.c). */
int ext_link_core(struct ext_link *l, const struct ext_object_core *c, struct ext_insn *i,
		  u32 width);

#endif
