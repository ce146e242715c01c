/* SPDX-License-Identifier: MIT
 * Reading ELF64 images. Every offset and sum is checked against wrap and the file's end. */
#include <aril/layout.h>
#include <core/elf.h>
#include <core/elf64.h>
#include <core/string.h>

static const char *read_load(struct core_elf *elf, const struct elf64_segment *p, u64 file_bytes)
{
	u64 top = elf->nsegments ? elf->high : 0;

	if (!p->bytes)
		return 0;
	if (elf->nsegments == CORE_ELF_SEGMENTS)
		return "too many segments";
	if (p->file_bytes > p->bytes || p->offset > file_bytes ||
	    p->file_bytes > file_bytes - p->offset)
		return "a segment reaches past the file's end";
	if (p->va >= ARIL_USER_TOP || p->bytes > ARIL_USER_TOP - p->va)
		return "a segment lies outside user space";
	if ((p->va ^ p->offset) & (ARIL_PAGE_SIZE - 1))
		return "a segment's address and file offset differ within a page";
	/* Two segments may share a page at their border. */
	if (p->va < (top ? top - ARIL_PAGE_SIZE : 0) ||
	    (elf->nsegments &&
	     p->va < elf->segment[elf->nsegments - 1].va + elf->segment[elf->nsegments - 1].bytes))
		return "segments overlap or are out of order";
	elf->segment[elf->nsegments++] = (struct core_elf_segment){.va = p->va,
								   .offset = p->offset,
								   .file_bytes = p->file_bytes,
								   .bytes = p->bytes,
								   .flags = p->flags & 7};
	if (elf->nsegments == 1)
		elf->low = p->va & ~(u64)(ARIL_PAGE_SIZE - 1);
	elf->high = (p->va + p->bytes + ARIL_PAGE_SIZE - 1) & ~(u64)(ARIL_PAGE_SIZE - 1);
	return 0;
}

const char *core_elf_read(struct core_elf *elf, const void *file, u64 bytes, u64 file_bytes)
{
	struct elf64_header h;
	struct elf64_segment p;
	const char *why;

	memset(elf, 0, sizeof(*elf));
	if (bytes > file_bytes)
		bytes = file_bytes;
	if (bytes < sizeof(h))
		return "too short for an ELF header";
	memcpy(&h, file, sizeof(h));
	if (memcmp(h.ident, ELF64_MAGIC, 4))
		return "not an ELF file";
	if (h.ident[ELF64_CLASS] != 2 || h.ident[ELF64_DATA] != 1 || h.machine != ELF64_X86_64)
		return "not an ELF file for x86-64";
	if (h.type != ELF64_FIXED && h.type != ELF64_SHARED)
		return "not an executable";
	if (h.segment_bytes != sizeof(p) || h.segments > bytes ||
	    h.nsegments * sizeof(p) > bytes - h.segments)
		return "its program headers lie outside the part read";
	elf->type = h.type;
	elf->entry = h.entry;
	elf->nheaders = h.nsegments;
	for (u32 i = 0; i < h.nsegments; i++) {
		memcpy(&p, (const u8 *)file + h.segments + i * sizeof(p), sizeof(p));
		if (p.type == ELF64_LOAD && (why = read_load(elf, &p, file_bytes)))
			return why;
		if (p.type == ELF64_HEADERS)
			elf->headers_va = p.va;
		if (p.type != ELF64_INTERP)
			continue;
		if (p.offset > file_bytes || p.file_bytes > file_bytes - p.offset)
			return "its interpreter's name lies outside the file";
		elf->interp_offset = p.offset;
		elf->interp_bytes = p.file_bytes;
	}
	if (!elf->nsegments)
		return "nothing to load";
	for (u32 i = 0; i < elf->nsegments; i++) {
		const struct core_elf_segment *s = &elf->segment[i];

		if (!elf->headers_va && h.segments >= s->offset &&
		    h.segments + h.nsegments * sizeof(p) <= s->offset + s->file_bytes)
			elf->headers_va = s->va + h.segments - s->offset;
	}
	if (elf->entry < elf->low || elf->entry >= elf->high)
		return "its entry lies outside its segments";
	return 0;
}
