/* SPDX-License-Identifier: MIT
 * What lies in an ELF64 file, as the format has it. core/elf.h reads programs. */
#ifndef CORE_ELF64_H
#define CORE_ELF64_H

#include <aril/types.h>

#define ELF64_MAGIC "\177ELF" /* the first bytes of ident; then class, data, version */
#define ELF64_CLASS 4	      /* of ident: 2 says 64 bits */
#define ELF64_DATA 5	      /* of ident: 1 says little-endian */

struct elf64_header {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, segments, sections; /* where the two tables lie in the file */
	u32 flags;
	u16 bytes, segment_bytes, nsegments, section_bytes, nsections, names;
};
ARIL_ASSERT_SIZE(struct elf64_header, 64);
/* type */
#define ELF64_FIXED 2
#define ELF64_SHARED 3
#define ELF64_CORE 4
/* machine */
#define ELF64_X86_64 62

struct elf64_segment {
	u32 type, flags;
	u64 offset, va, pa, file_bytes, bytes, align;
};
ARIL_ASSERT_SIZE(struct elf64_segment, 56);
/* type */
#define ELF64_LOAD 1u
#define ELF64_INTERP 3u
#define ELF64_NOTE 4u
#define ELF64_HEADERS 6u
#define ELF64_UNWIND 0x6474e550u /* .eh_frame_hdr */

struct elf64_section {
	u32 name, type;
	u64 flags, va, offset, bytes;
	u32 link, info;
	u64 align, entry_bytes;
};
ARIL_ASSERT_SIZE(struct elf64_section, 64);
#define ELF64_ALLOCATED 2u /* of flags */

#endif
