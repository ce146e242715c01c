// SPDX-License-Identifier: MIT
// Behind a map's value.
// why: bounds
#include "case.h"
ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u32, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	u32 key = (u32)n;
	u64 *value = look_up(&counts, &key);

	if (!value)
		return 0;
	return value[1]; // here
}
