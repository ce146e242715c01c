/* SPDX-License-Identifier: MIT
 * Binding frames where page tables may be missing: a pool of frames feeds the kernel the tables it asks for. */
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include <aril/types.h>
#include <core/domain.h>

/* Free frames, taken from the front of each run. */
struct core_pool {
	struct core_run *run;
	u32 nruns;
	u32 zero;
};

/* `count` consecutive frames, or 0 where no run has them. */
u32 core_pool_take(struct core_pool *pool, u32 count);

/* Puts back what was taken last from a run: its front again. Frames that are no run's front are lost to the pool. */
void core_pool_return(struct core_pool *pool, u32 first, u32 count);

struct core_space {
	u32 root;
	u32 auth; /* WRITE on the space; OWN on the pool's frames, which become its tables */
	struct core_pool *pool;
};

/* Binds count frames from `frame` on at va, flags ARIL_BIND_*, under auth; adds page tables as needed. 0, or
 * the kernel's refusal; -ARIL_E_QUOTA when the pool is empty. What was bound before a refusal stays. */
s64 core_map(const struct core_space *space, u64 va, u32 frame, u64 count, u32 flags, u32 auth);
/* Unbinds count pages from va on. */
s64 core_unmap(const struct core_space *space, u64 va, u64 count);
/* Binds no page, but makes the tables on the way to va. */
s64 core_add_tables(const struct core_space *space, u64 va);
/* Sets guard[slot] of frames run.first... to guard; calls until the kernel has done all. auth: OWN. */
struct aril_guard;
s64 core_set_guard(u32 auth, struct core_run run, u32 slot, const struct aril_guard *guard);

#endif
