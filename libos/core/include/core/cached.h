/* SPDX-License-Identifier: MIT
 * A cached part of a space: 1 GiB behind a translation structure of the program's choice. The kernel keeps no page
 * table for it but a handful that it fills from its software TLB; what that does not hold, the program's fault handler
 * looks up in its own structure. core/linear.h and core/inverted.h are two; any other with a `find` serves. */
#ifndef CORE_CACHED_H
#define CORE_CACHED_H

#include <aril/ops.h>
#include <core/map.h>

struct core_translation {
	u32 frame;
	u32 flags; /* ARIL_BIND_WRITE, ARIL_BIND_EXEC */
};

/* A translation structure: whether it has a page, a multiple of 4096, and what for. Called by the fault handler, on
 * every CPU at once: changes must leave it readable. */
struct core_table {
	int (*find)(const void *state, u64 va, struct core_translation *out);
	const void *state;
};

struct core_cached {
	struct aril_cache_desc desc;
	const struct core_space *space;
	u32 auth; /* opens the frames bound */
	struct core_table table;
	const volatile struct aril_cache *seen; /* its counters */
	const volatile u64 *stlb;		/* its entries, desc.nstlb * 512 */
};

/* Makes the GiB at va cached, with frames and tables from the space's pool; nstlb, ntables as in cache_create. The
 * counters and entries become readable at `look` (1 + nstlb pages). 0, or a refusal. */
s64 core_cached_make(struct core_cached *c, u64 va, u32 ntables, u32 nstlb, u64 look);
/* A page fault at addr that the kernel could not serve: from the table. 1: go on; 0: it is not there, or not for
 * this kind of access (error: the fault's error code). */
int core_cached_fault(struct core_cached *c, u64 addr, u64 error);
/* The kernel forgets a page; what the table says of it is the caller's. 0, or a refusal. */
s64 core_cached_forget(struct core_cached *c, u64 va);
/* Whether the page was written since it was bound (1), or that is not known any more (-1: displaced). */
int core_cached_dirty(const struct core_cached *c, u64 va);

#endif
