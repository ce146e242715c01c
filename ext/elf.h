/* SPDX-License-Identifier: MIT
 * A relocatable ELF object for BPF, its tables read and checked: every section's bytes lie inside the object, every name
 * is terminated and at most 255 bytes, every symbol's section and value exist, every relocation table is of a section
 * and a symbol table that exist.
 * Source of the format: System V ABI, chapters 4 and 5; relocation numbers as LLVM's and binutils' BPF back ends emit. */
#ifndef EXT_ELF_H
#define EXT_ELF_H

#include <ext.h>

#define EXT_ELF_PROGBITS 1u
#define EXT_ELF_SYMTAB 2u
#define EXT_ELF_STRTAB 3u
#define EXT_ELF_RELA 4u
#define EXT_ELF_NOBITS 8u
#define EXT_ELF_REL 9u

#define EXT_ELF_WRITE 1u /* section flags */
#define EXT_ELF_ALLOC 2u
#define EXT_ELF_EXEC 4u
#define EXT_ELF_COMPRESSED 0x800u

#define EXT_ELF_UNDEFINED 0u /* section of a symbol */
#define EXT_ELF_ABSOLUTE 0xfff1u
#define EXT_ELF_COMMON 0xfff2u

#define EXT_ELF_LOCAL 0u /* symbol's binding */
#define EXT_ELF_GLOBAL 1u
#define EXT_ELF_WEAK 2u
#define EXT_ELF_OBJECT 1u /* symbol's type */
#define EXT_ELF_FUNC 2u
#define EXT_ELF_SECTION 3u

#define EXT_R_BPF_NONE 0u
#define EXT_R_BPF_64_64 1u   /* LDDW: the symbol's address is added to what its immediate holds */
#define EXT_R_BPF_GAS_32 11u /* data: binutils up to 2.40 alone */
#define EXT_R_BPF_GAS_64 12u
#define EXT_R_BPF_64_32 10u /* CALL: likewise, in instructions, less 1 */

struct ext_section {
	const char *name;
	u32 type, flags;
	u32 link, info;
	u64 at;	    /* its header's place in the object: for refusals */
	u64 offset; /* its bytes' place in the object */
	u64 bytes;  /* when loaded */
	u64 align;
	const u8 *data; /* 0: zeros */
	u32 relocs;	/* the section that relocates it; 0: none */
};

struct ext_symbol {
	const char *name; /* a section's symbol: the section's */
	u64 value, bytes;
	u32 section;
	u8 type, bind;
	u64 at;
};

struct ext_reloc {
	u64 offset; /* in its section */
	u32 symbol, type;
	u64 at;
};

struct ext_elf {
	const u8 *object;
	u64 bytes;
	struct ext_section *section;
	u32 sections;
	struct ext_symbol *symbol;
	u32 symbols;
	u32 *named; /* sections, ordered by name and number */
};

/* EXT_WHY_OBJECT, EXT_WHY_MEMORY. Keeps pointers into the object. Time: linear. */
int ext_elf_read(struct ext_arena *a, const u8 *object, u64 bytes, struct ext_elf *out,
		 struct ext_refusal *why);
/* The first section of that name; 0: none. log n. */
u32 ext_elf_find(const struct ext_elf *e, const char *name);
/* Relocations of a section, ascending by offset, none twice at one place. */
int ext_elf_relocs(struct ext_arena *a, const struct ext_elf *e, u32 section,
		   struct ext_reloc **out, u32 *count, struct ext_refusal *why);
/* Where a relocation of such a table is, for ext_lower. */
u64 ext_elf_reloc_place(const void *table, u32 n);

#endif
