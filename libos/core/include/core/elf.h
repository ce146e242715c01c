/* SPDX-License-Identifier: MIT
 * The loader's view of an ELF64 image in memory, checked whole before anything is done with it. */
#ifndef CORE_ELF_H
#define CORE_ELF_H

#include <aril/types.h>

#define CORE_ELF_SEGMENTS 16
#define CORE_ELF_EXEC 1u
#define CORE_ELF_WRITE 2u
#define CORE_ELF_READ 4u

struct core_elf_segment {
	u64 va;
	u64 offset; /* in the file */
	u64 file_bytes;
	u64 bytes; /* in memory: the rest is zero */
	u32 flags;
};

struct core_elf {
	u64 entry;
	u64 low, high; /* all segments lie in [low, high), whole pages */
	u32 type;      /* 2: at fixed addresses, 3: position independent */
	u32 nsegments;
	struct core_elf_segment
		segment[CORE_ELF_SEGMENTS]; /* PT_LOAD, ascending, without overlap */
	u64 headers_va;			    /* of the program headers, 0: not loaded */
	u32 nheaders;
	u64 interp_offset, interp_bytes; /* PT_INTERP; 0: none */
};

/* Checks that the first `bytes` of a file of file_bytes are a loadable x86-64 ELF image and describes it.
 * NULL, or why not, in a few words. */
const char *core_elf_read(struct core_elf *elf, const void *file, u64 bytes, u64 file_bytes);

#endif
