/* SPDX-License-Identifier: MIT
 * Whether a place in a program is described to unwinders. What is not, they know by its bytes, which therefore stay. */
#include "inode.h"
#include "mm_internal.h"
#include "rewrite.h"
#include <core/elf64.h>
#include <core/string.h>

#define SEGMENTS_MOST 32u

/* .eh_frame_hdr with the encodings that linkers write: 4 bytes each, relative to it. */
struct index_head {
	u8 version, frame_encoding, count_encoding, table_encoding;
	s32 frame;
	u32 count;
};
struct index_entry {
	s32 from, description;
};
struct description {
	u32 bytes, common;
	s32 from; /* relative to itself */
	u32 span;
};

/* Where the file that lies at `at` begins in memory; 0: nowhere. */
static u64 image_start(struct mm *mm, u64 at)
{
	const struct area *area = mm_find(mm, at);
	const struct inode *inode = area ? area->inode : NULL;
	u64 start = 0;

	for (struct list *l = mm->areas.next; inode && l != &mm->areas; l = l->next) {
		const struct area *other = container_of(l, struct area, link);

		if (other->inode == inode && !other->offset && other->start <= at)
			start = other->start;
	}
	return start;
}

/* The address of the image's index; 0: it has none. */
static u64 image_index(u64 start)
{
	struct elf64_header head;
	struct elf64_segment segment;
	u64 bias = start, index = 0;

	if (copy_in(&head, start, sizeof(head)) || head.ident[0] != 0x7f || head.ident[1] != 'E' ||
	    head.segment_bytes != sizeof(segment) || head.nsegments > SEGMENTS_MOST)
		return 0;
	for (u32 i = 0; i < head.nsegments; i++) {
		if (copy_in(&segment, start + head.segments + i * sizeof(segment), sizeof(segment)))
			return 0;
		if (segment.type == ELF64_LOAD && !segment.offset)
			bias = start - page_down(segment.va);
		if (segment.type == ELF64_UNWIND)
			index = segment.va;
	}
	return index ? bias + index : 0;
}

#define SECTIONS_MOST 64u

/* What programs without an index are asked again and again is remembered: a place in a file, and the answer in bit 0. */
#define KNOWN 16u
static u64 known[KNOWN];

/* The address and length of .eh_frame by the file's table of sections; 0: it has none. */
static u64 image_frames(struct inode *inode, u64 start, u64 *bytes)
{
	struct elf64_header head;
	struct elf64_section names, one;
	char name[10];
	u64 bias;

	if (inode_read_kernel(inode, &head, sizeof(head), 0) != (s64)sizeof(head) ||
	    head.section_bytes != sizeof(one) || head.nsections > SECTIONS_MOST)
		return 0;
	bias = head.type == ELF64_SHARED ? start : 0;
	u64 at = head.sections;
	if (inode_read_kernel(inode, &names, sizeof(names), at + head.names * sizeof(one)) !=
	    (s64)sizeof(names))
		return 0;
	for (u32 i = 0; i < head.nsections; i++, at += sizeof(one)) {
		if (inode_read_kernel(inode, &one, sizeof(one), at) != (s64)sizeof(one))
			return 0;
		if (one.flags & ELF64_ALLOCATED &&
		    inode_read_kernel(inode, name, sizeof(name), names.offset + one.name) ==
			    (s64)sizeof(name) &&
		    !memcmp(name, ".eh_frame", sizeof(name))) {
			*bytes = one.bytes;
			return bias + one.va;
		}
	}
	return 0;
}

/* A program that was linked without an index, as static ones are: all descriptions, one after the other. */
static int frames_describe(u64 where, u64 bytes, u64 at)
{
	struct description d;

	for (u64 end = where + bytes; where + sizeof(d) <= end; where += d.bytes + 4ul) {
		if (copy_in(&d, where, sizeof(d)) || !d.bytes || d.bytes == ~0u)
			return 0;
		u64 from = where + 8 + (u64)(s64)d.from;
		if (d.common && at >= from && at - from < d.span)
			return 1;
	}
	return 0;
}

static int listed(struct mm *mm, u64 start, u64 at)
{
	const struct area *area = mm_find(mm, at);
	u64 bytes = 0;
	u64 name = (area->inode->ino << 40 | (area->offset + (at - area->start))) << 1,
	    *slot = &known[area->inode->ino % KNOWN];

	if ((*slot ^ name) < 2)
		return (int)(*slot & 1);
	u64 where = image_frames(area->inode, start, &bytes);
	int found = where && frames_describe(where, bytes, at);
	*slot = name | (u32)found;
	return found;
}

int unwind_described(struct mm *mm, u64 at)
{
	u64 start = image_start(mm, at), index = start ? image_index(start) : 0;
	struct index_head head;
	struct index_entry entry;
	struct description found;

	if (start && !index)
		return listed(mm, start, at);
	if (!index || copy_in(&head, index, sizeof(head)) || head.version != 1 ||
	    head.count_encoding != 3 || head.table_encoding != 0x3b)
		return 0;
	u64 table = index + sizeof(head), low = 0, high = head.count;
	while (low < high) { /* the last one that begins at or before it is below `low` */
		u64 middle = low + (high - low) / 2;

		if (copy_in(&entry, table + middle * sizeof(entry), sizeof(entry)))
			return 0;
		if (index + (u64)(s64)entry.from <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || copy_in(&entry, table + (low - 1) * sizeof(entry), sizeof(entry)))
		return 0;
	u64 where = index + (u64)(s64)entry.description, from = index + (u64)(s64)entry.from;
	if (copy_in(&found, where, sizeof(found)))
		return 0;
	return where + 8 + (u64)(s64)found.from == from && at - from < found.span;
}
