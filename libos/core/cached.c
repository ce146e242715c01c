/* SPDX-License-Identifier: MIT
 * The library's half of a cached part: see core/cached.h. */
#include <aril/error.h>
#include <aril_stubs.h>
#include <core/cached.h>

#define FAULT_WRITE 2u
#define FAULT_FETCH 16u

/* The tables down to level 2: the kernel fills those below. */
static s64 tables_make(const struct core_space *space, u64 va)
{
	for (u32 level = 3; level >= 2; level--) {
		u32 frames = core_pool_take(space->pool, 2);
		s64 error;

		if (!frames)
			return -ARIL_E_QUOTA;
		error = aril_space_table(space->auth, space->root, va, level, frames, frames + 1);
		if (error &&
		    error != -ARIL_E_TABLE) /* that one is there already: two frames lost */
			return error;
	}
	return 0;
}

s64 core_cached_make(struct core_cached *c, u64 va, u32 ntables, u32 nstlb, u64 look)
{
	struct core_pool *pool = c->space->pool;
	s64 error = tables_make(c->space, va);

	if (error)
		return error;
	c->desc = (struct aril_cache_desc){.va = va, .ntables = ntables, .nstlb = nstlb};
	c->desc.frame = core_pool_take(pool, 1);
	c->desc.table_first = core_pool_take(pool, ntables);
	c->desc.stlb_first = core_pool_take(pool, 2 * nstlb);
	if (!c->desc.frame || !c->desc.table_first || !c->desc.stlb_first)
		return -ARIL_E_QUOTA;
	error = aril_cache_create(c->space->auth, c->space->root, &c->desc);
	if (!error)
		error = core_map(c->space, look, c->desc.frame, 1, 0, c->space->auth);
	if (!error)
		error = core_map(c->space, look + ARIL_PAGE_SIZE, c->desc.stlb_first, nstlb, 0,
				 c->space->auth);
	c->seen = (const volatile struct aril_cache *)look;
	c->stlb = (const volatile u64 *)(look + ARIL_PAGE_SIZE);
	return error;
}

int core_cached_fault(struct core_cached *c, u64 addr, u64 error)
{
	struct core_translation found;
	u64 va = addr & ~(ARIL_PAGE_SIZE - 1ul);

	if (va - c->desc.va >= ARIL_CACHE_BYTES || !c->table.find(c->table.state, va, &found))
		return 0;
	if ((error & FAULT_WRITE && !(found.flags & ARIL_BIND_WRITE)) ||
	    (error & FAULT_FETCH && !(found.flags & ARIL_BIND_EXEC)))
		return 0;
	struct aril_space_op op = {.va = va,
				   .frame = found.frame,
				   .count = 1,
				   .kind = ARIL_BIND,
				   .flags = (u16)found.flags,
				   .auth = c->auth};
	s64 done = aril_cache_update(c->space->auth, c->space->root, &op, 1);

	return done == 1 || done == -ARIL_E_QUOTA; /* spent in this slice: again, until the next */
}

s64 core_cached_forget(struct core_cached *c, u64 va)
{
	struct aril_space_op op = {.va = va, .count = 1, .kind = ARIL_UNBIND};
	s64 done = aril_cache_update(c->space->auth, c->space->root, &op, 1);

	return done == 1 ? 0 : done;
}

/* The word of the page table at the self map, where its page is there to be read; 0: it is not. */
static u64 entry_at(u64 va)
{
	u64 word = ARIL_SELF_VA + (va >> 12) * 8,
	    above = ARIL_SELF_VA + ((word << 16 >> 16) >> 12) * 8;

	return *(const volatile u64 *)above & ARIL_PTE_PRESENT ? *(const volatile u64 *)word : 0;
}

int core_cached_dirty(const struct core_cached *c, u64 va)
{
	u32 page = (u32)((va - c->desc.va) >> ARIL_PAGE_SHIFT), n = c->desc.nstlb * 512;
	u64 entry = c->stlb[page % n];

	if (!(entry & ARIL_PTE_PRESENT) || ARIL_STLB_TAG(entry) != page / n)
		return -1;
	return !!((entry | entry_at(va)) & ARIL_PTE_DIRTY);
}
