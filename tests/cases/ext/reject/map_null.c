// SPDX-License-Identifier: MIT
// A map's value is used without a test.
// why: null
#include "case.h"
ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u32, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	u32 key = (u32)n;
	u64 *value = look_up(&counts, &key);

	return *value; // here
}
