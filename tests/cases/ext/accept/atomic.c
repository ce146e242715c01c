// SPDX-License-Identifier: MIT
// Atomic operations on data.
#include "case.h"
u64 count;
u32 small_count;
SEC("number") u64 f(u64 n, u64 small)
{
	__sync_fetch_and_add(&count, n);
	return 0;
}
