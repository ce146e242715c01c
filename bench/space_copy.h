/* SPDX-License-Identifier: MIT
 * Another space with all that ours has: who goes there and back switches spaces, as between programs that share nothing. */
#ifndef BENCH_SPACE_COPY_H
#define BENCH_SPACE_COPY_H

#include <aril_stubs.h>
#include <core/map.h>
#include <core/native.h>

/* *root: a root whose lower tables are ours. 0 or -ARIL_E_*. */
static inline s64 space_copy(u32 *root)
{
	const volatile u64 *own = (const volatile u64 *)(0xffff000000000000 | 510ul << 39 |
							 510ul << 30 | 510ul << 21 | 510ul << 12);

	*root = core_pool_take(&core_pool, 2);
	s64 error = aril_space_create(core_auth, *root, *root + 1);
	for (u64 i = 0; i < 256 && !error; i++)
		if (own[i] & ARIL_PTE_PRESENT)
			error = aril_space_link(core_auth, *root, i << 39, 3,
						ARIL_PTE_FRAME(own[i]));
	return error;
}

#endif
