/* SPDX-License-Identifier: MIT
 * The audit of spaces: every entry of every page table against the books and the guards. */
#include "arch.h"
#include "check.h"
#include "grant.h"
#include "space.h"
#include "util.h"

#define STEP_FRAMES 65536
#define STEP_TABLES 16

#define LEAF_BITS                                                                           \
	(PTE_P | PTE_W | PTE_U | PTE_PWT | PTE_PCD | PTE_A | PTE_D | PTE_GUARD1 | PTE_MAY | \
	 PTE_ADDR | PTE_SOFT | PTE_NX | (space_keys ? PTE_KEY : 0))
/* a CPU may set the dirty bit of a leaf only, but emulators differ in what they do to the others */
#define TABLE_BITS (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D | PTE_ADDR)

static u64 frame_of(u64 entry)
{
	return (entry & PTE_ADDR) >> ARIL_PAGE_SHIFT;
}

/* Its neighbours in its frame's list point back at it, and bind the same frame; the guards are in order. */
static const char *links_wrong(u32 id, u32 frame)
{
	if (!audit_binding(id, frame))
		return "an entry without a shadow word";
	u64 word = audit_shadow(id);
	u32 next = (u32)word, previous = (u32)(word >> 32);
	if (!audit_binding(next, frame) || audit_shadow(next) >> 32 != id)
		return "an entry's next does not link back";
	if (!audit_binding(previous, frame) || (u32)audit_shadow(previous) != id)
		return "an entry's previous does not link to it";
	if (next != frames[frame].head && audit_entry(id) & PTE_GUARD1 &&
	    !(audit_entry(next) & PTE_GUARD1))
		return "an entry under guard 1 comes before one under guard 0";
	return NULL;
}

/* What the entry allows, its guard grants. Under a guard that is not in use only the root can have bound it. */
static const char *rights_wrong(u64 entry, const struct aril_frame *f)
{
	u32 slot = !!(entry & PTE_GUARD1), rights = f->guard[slot].rights, needs = ARIL_READ;

	if (entry & (PTE_W | PTE_MAY))
		needs |= ARIL_WRITE;
	if (!(entry & PTE_NX))
		needs |= ARIL_EXEC;
	if (f->flags & ARIL_FRAME_BREAKING(slot))
		return NULL;
	if (!rights && slot)
		return "a binding under a guard that is not in use";
	if (rights && needs & ~rights)
		return "a binding allows more than its guard";
	if (entry & PTE_W && f->state != ARIL_FRAME_NORMAL && f->state != ARIL_FRAME_DATA)
		return "a writable binding of kernel state";
	return NULL;
}

static const char *leaf_wrong(u32 id, u64 entry, u32 level)
{
	u64 frame = frame_of(entry);

	if (entry & ~(LEAF_BITS | (level == 2 ? PTE_PS : 0)))
		return "bits in a leaf entry";
	if (entry & PTE_W && !(entry & PTE_U))
		return "a writable entry that is the supervisor's";
	if (frame >= nframes || frames[frame].state == ARIL_FRAME_ABSENT) {
		for (u32 i = 0; i < GRANTS; i++)
			if (grant_books[i].env && grant_books[i].kind == ARIL_GRANT_MEMORY &&
			    frame - grant_books[i].first < grant_books[i].count)
				return audit_shadow(id) ? NULL
							: "device memory bound without books";
		return "device memory that is granted to nobody is bound";
	}
	const struct aril_frame *f = &frames[frame];
	if (f->state != ARIL_FRAME_NORMAL && f->state != ARIL_FRAME_REGION &&
	    f->state != ARIL_FRAME_CACHE && f->state != ARIL_FRAME_STLB &&
	    f->state != ARIL_FRAME_CODE && f->state != ARIL_FRAME_CONSTANT &&
	    f->state != ARIL_FRAME_DATA)
		return "a frame in kernel state is bound";
	if (f->state == ARIL_FRAME_NORMAL && f->level != (level == 2 ? 2 : 0))
		return "an entry's size is not its frame's";
	const char *why = rights_wrong(entry, f);
	return why ? why : links_wrong(id, (u32)frame);
}

static const char *table_entry_wrong(u32 id, u64 entry, u32 level)
{
	u64 frame = frame_of(entry);

	if (level == 2 && entry & PTE_POOL) /* see cache_audit */
		return frame < nframes && frames[frame].state == ARIL_FRAME_POOL
			       ? NULL
			       : "a cache's table is none";
	if (entry & ~TABLE_BITS || (entry & (PTE_W | PTE_U)) != (PTE_W | PTE_U))
		return "bits in an entry that names a table";
	if (frame >= nframes)
		return "an entry names a table beyond memory";
	if (frames[frame].state != ARIL_FRAME_TABLE || frames[frame].level != level - 1)
		return "an entry names what is no table of the level below";
	return links_wrong(id, (u32)frame);
}

/* The upper half of a root: the kernel's, and itself, neither of them writable by a program. */
static const char *upper_wrong(u32 root)
{
	const u64 *kernel = arch_kernel_entries(), *entry = frame_memory(root);
	u64 self = (u64)root << ARIL_PAGE_SHIFT | PTE_P | PTE_U | PTE_NX;

	for (u32 i = 256; i < 512; i++) {
		u64 should = i == ARIL_PML4_SELF ? self : kernel[i - 256];

		if ((entry[i] ^ should) & ~(PTE_A | PTE_D))
			return "an entry of a root's upper half";
	}
	return NULL;
}

static void table_look(u32 table, struct aril_check *out)
{
	const struct aril_frame *t = &frames[table];
	const u64 *entries = frame_memory(table);
	u32 n = t->state == ARIL_FRAME_SPACE ? 256 : 512, level = t->level;
	const char *why = t->state == ARIL_FRAME_SPACE ? upper_wrong(table) : NULL;

	if (t->partner >= nframes)
		return audit_wrong(out, table, "partner of a table", 0, t->partner);
	const u64 *shadow = frame_memory(t->partner);
	for (u32 i = 0; i < n && !why; i++) {
		u64 entry = read_once(entries[i]);
		u32 id = table * 512 + i;

		if (!(entry | shadow[i]))
			continue;
		if (!(entry & PTE_P))
			why = entry ? "an entry that is not present is not 0"
				    : "a shadow word without an entry";
		else if (level == 1 || (level == 2 && entry & PTE_PS))
			why = leaf_wrong(id, entry, level);
		else
			why = table_entry_wrong(id, entry, level);
		if (why)
			return audit_wrong(out, table, why, i, entry);
	}
	if (why)
		audit_wrong(out, table, why, 0, 1);
}

u64 space_audit(u64 from, struct aril_check *out)
{
	u64 f = from, end = min(from + STEP_FRAMES, (u64)nframes);

	if (from >= nframes)
		return 0;
	for (; f < end && out->checked < STEP_TABLES; f++) {
		if (frames[f].state != ARIL_FRAME_TABLE && frames[f].state != ARIL_FRAME_SPACE)
			continue;
		table_look((u32)f, out);
		out->checked++;
	}
	return f < nframes ? f : 0;
}
