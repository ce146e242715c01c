// SPDX-License-Identifier: MIT
// A key that is shorter than the map's.
// why: bounds
#include "case.h"
ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u64, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	u32 key = (u32)n;

	return look_up(&counts, &key) != 0; // here
}
