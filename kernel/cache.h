/* SPDX-License-Identifier: MIT
 * Software caching of bindings: an STLB behind a handful of page tables (Aegis).
 *
 * An STLB entry is the binding: it is in its frame's list, by its shadow word, as a page-table entry is. The page
 * tables under a cached part are a mere cache of the STLB (inclusion): an entry of theirs is present only while
 * the STLB holds the same binding for that page, and it has no books. Whoever removes an STLB entry removes the
 * page-table entry too, under the cache's own lock, and shoots down.
 *
 * Entry: bit 0 present, 1 writable, 9 GUARD1, 12..34 frame, 35..61 page number above the index, 63 NX. */
#ifndef KERNEL_CACHE_H
#define KERNEL_CACHE_H

#include "space.h"

struct trap_frame;

s64 call_cache_create(u32 auth, u32 space, const struct aril_cache_desc *desc);
s64 call_cache_update(u32 auth, u32 space, const struct aril_space_op *ops, u64 n);

/* A page fault of the current env at va: served from its space's caches? 1: resume; 0: an upcall. Takes no global
 * lock where a page table for va is there. */
int cache_fault(u64 va, u64 error);
/* The frame that an STLB entry names. */
u32 cache_entry_frame(u64 entry);
/* An STLB entry (binding id) is about to be removed from its frame's list: clears it and the page-table entry that
 * caches it. The caller does the books and shoots down. Returns the old entry. object_lock held. */
u64 cache_entry_clear(u32 id);
/* Takes a cache apart, wholly or within the budget: 1 when done; its frames are NORMAL then. frame: its CACHE
 * frame. object_lock held. */
int cache_destroy(u32 frame, u32 *budget, int *stale);

#endif
