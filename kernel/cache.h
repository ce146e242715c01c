/* SPDX-License-Identifier: MIT
 * Software caching of bindings: an STLB behind a handful of page tables (Aegis).
 *
 * An STLB entry is the binding: it is in its frame's list, by its shadow word, as a page-table entry is. The page
 * tables under a cached part are a mere cache of the STLB (inclusion): an entry of theirs is present only while
 * the STLB holds the same binding for that page, and it has no books. Whoever removes an STLB entry removes the
 * page-table entry too, under the cache's own lock, and shoots down.
 *
 * Entry: bit 0 present, 1 writable, 5 accessed and 6 dirty (collected when the page-table entry goes), 9 GUARD1,
 * 12..34 frame, 35.. page number in the part above the index, 63 NX. */
#ifndef KERNEL_CACHE_H
#define KERNEL_CACHE_H

#include "space.h"

struct aril_check;

#define CACHE_ENTRIES 512
#define CACHE_TAG_SHIFT 35
#define CACHE_TAG_BITS 9

struct cache {
	struct aril_cache seen;
	u32 taken;
	u32 frame;
	u32 level2;
	u32 table_first, stlb_first;
	u32 next;		      /* pool table to be used next */
	u32 dying;		      /* being taken apart: serves nobody */
	u32 index_bits;		      /* of a page's number: which STLB entry */
	u16 place[ARIL_CACHE_TABLES]; /* of each pool table: 1 + its index in level2; 0: none */
};
_Static_assert(sizeof(struct cache) <= ARIL_PAGE_SIZE, "a cache fits its frame");

s64 call_cache_create(u32 auth, u32 space, const struct aril_cache_desc *desc);
s64 call_cache_update(u32 auth, u32 space, const struct aril_space_op *ops, u64 n);

/* A page fault of the current env at va: served from its space's caches? 1: resume; 0: an upcall. Takes no global
 * lock where a page table for va is there. Call it only where the
 * root's flags say that there are any. */
int cache_fault(u64 va, u64 error);
/* The cache that the level 2 table for va (in user space) has, or NULL. It may be another space's. */
struct cache *cache_of(u32 root, u64 va);
/* The frame that an STLB entry names. */
u32 cache_entry_frame(u64 entry);
/* An STLB entry (binding id) is about to be removed from its frame's list: clears it and the page-table entry that
 * caches it. The caller does the books and shoots down. Returns the old entry. object_lock held. */
u64 cache_entry_clear(u32 id);
/* Takes a cache apart, wholly or within the budget: 1 when done; its frames are NORMAL then. frame: any of its CACHE,
 * STLB and POOL frames. The caller shoots down where *stale. object_lock held. */
int cache_destroy(u32 frame, u32 *budget, int *stale);
/* The same for every cache that a table or a space has. */
int cache_destroy_all(u32 table, u32 *budget, int *stale);

/* For the cache's own files. Clears an entry and what caches it, with its books; *stale where a CPU may have it. */
void cache_entry_remove(struct cache *c, u32 id, int *stale);
/* The page, by its number in the cached part, that a present entry is about. */
u32 cache_entry_page(const struct cache *c, u32 id, u64 entry);
/* What a page table must hold for a present entry, but for what the CPU notes. */
u64 cache_entry_pte(u64 entry);

#endif
