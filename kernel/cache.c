/* SPDX-License-Identifier: MIT
 * Software caching: see cache.h. */
#include "cache.h"
#include "util.h"

s64 call_cache_create(u32 auth, u32 space, const struct aril_cache_desc *desc)
{
	(void)auth, (void)space, (void)desc;
	return -ARIL_E_CALL;
}

s64 call_cache_update(u32 auth, u32 space, const struct aril_space_op *ops, u64 n)
{
	(void)auth, (void)space, (void)ops, (void)n;
	return -ARIL_E_CALL;
}

int cache_fault(u64 va, u64 error)
{
	(void)va, (void)error;
	return 0;
}

u32 cache_entry_frame(u64 entry)
{
	return (u32)(entry >> 12) & (ARIL_MAX_FRAMES - 1);
}

u64 cache_entry_clear(u32 id)
{
	(void)id;
	return 0;
}

int cache_destroy(u32 frame, u32 *budget, int *stale)
{
	(void)frame, (void)budget, (void)stale;
	return 1;
}
