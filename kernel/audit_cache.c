/* SPDX-License-Identifier: MIT
 * The audit of caches: inclusion (cache.h), and that what belongs to one says so. The bindings' lists are audited with
 * the frames that they bind. */
#include "cache.h"
#include "check.h"
#include "util.h"

#define STEP_FRAMES 65536
#define STEP_CACHES 4

static inline u64 *entries(u32 table)
{
	return frame_memory(table);
}

static int frame_is(u32 f, u32 state)
{
	return f < nframes && frames[f].state == state;
}

/* The frames that it is made of name it, and its table. */
static const char *parts_wrong(const struct cache *c, u32 f)
{
	if (c->frame != f || c->seen.ntables > ARIL_CACHE_TABLES || c->seen.nstlb > ARIL_CACHE_STLB)
		return "a cache's own state";
	if (!frame_is(c->level2, ARIL_FRAME_TABLE) || frames[c->level2].tag != f ||
	    !(frames[c->level2].flags & ARIL_FRAME_CACHED))
		return "a cache's level 2 table does not name it";
	if (!frame_is(c->seen.space, ARIL_FRAME_SPACE) ||
	    !(frames[c->seen.space].flags & ARIL_FRAME_CACHED))
		return "a cache's space does not know of it";
	for (u32 i = 0; i < c->seen.ntables; i++)
		if (!frame_is(c->table_first + i, ARIL_FRAME_POOL) ||
		    frames[c->table_first + i].partner != f)
			return "a cache's page table is another's";
	for (u32 i = 0; i < c->seen.nstlb; i++)
		if (!frame_is(c->stlb_first + i, ARIL_FRAME_STLB) ||
		    frames[c->stlb_first + i].tag != f)
			return "a cache's STLB frame is another's";
	return NULL;
}

/* Every entry is in the list of the frame it names, and at the place its page has. */
static const char *stlb_wrong(const struct cache *c)
{
	u32 first = c->stlb_first * CACHE_ENTRIES;

	for (u32 id = first; id < first + c->seen.nstlb * CACHE_ENTRIES; id++) {
		u64 entry = entries(id / CACHE_ENTRIES)[id % CACHE_ENTRIES];

		if (!entry && !audit_shadow(id))
			continue;
		if (!(entry & PTE_P))
			return "an STLB entry that is not present has books";
		if (!audit_binding(id, cache_entry_frame(entry)))
			return "an STLB entry without a shadow word";
		if (cache_entry_page(c, id, entry) >= ARIL_CACHE_BYTES / ARIL_PAGE_SIZE)
			return "an STLB entry about a page outside";
	}
	return NULL;
}

/* What a pool table holds, the STLB holds. */
static const char *table_wrong(const struct cache *c, u32 n)
{
	u32 first = c->stlb_first * CACHE_ENTRIES, at = c->place[n];
	const u64 *table = entries(c->table_first + n), above = at ? entries(c->level2)[at - 1] : 0;

	if (at > CACHE_ENTRIES)
		return "a cache's page table is beyond the level 2 table";
	if (at &&
	    (!(above & PTE_POOL) || (above & PTE_ADDR) >> ARIL_PAGE_SHIFT != c->table_first + n))
		return "a cache's page table is not in its place";
	for (u32 i = 0; i < CACHE_ENTRIES; i++) {
		u32 page = (at - 1) * CACHE_ENTRIES + i;
		u32 id = first + (page & ((1u << c->index_bits) - 1));

		if (!table[i])
			continue;
		u64 entry = entries(id / CACHE_ENTRIES)[id % CACHE_ENTRIES];
		if (!at || !(entry & PTE_P) || cache_entry_page(c, id, entry) != page)
			return "a page-table entry that the STLB does not hold";
		if (cache_entry_pte(entry) != (table[i] & ~(PTE_A | PTE_D)))
			return "a page-table entry that differs from the STLB's";
	}
	return NULL;
}

static const char *cache_wrong(const struct cache *c, u32 f)
{
	const char *why = parts_wrong(c, f);
	u32 placed = 0, linked = 0;

	if (!why)
		why = stlb_wrong(c);
	for (u32 n = 0; !why && n < c->seen.ntables; n++) {
		why = table_wrong(c, n);
		placed += !!c->place[n];
	}
	for (u32 i = 0; !why && i < CACHE_ENTRIES; i++)
		linked += !!entries(c->level2)[i];
	if (!why && placed != linked)
		why = "the level 2 table holds more than the cache's tables";
	return why;
}

u64 cache_audit(u64 from, struct aril_check *out)
{
	u64 f = from, end = min(from + STEP_FRAMES, (u64)nframes);

	if (from >= nframes)
		return 0;
	for (; f < end && out->checked < STEP_CACHES; f++) {
		if (frames[f].state != ARIL_FRAME_CACHE)
			continue;
		const char *why = cache_wrong(frame_memory((u32)f), (u32)f);
		if (why)
			audit_wrong(out, (u32)f, why, 0, 1);
		out->checked++;
	}
	return f < nframes ? f : 0;
}
