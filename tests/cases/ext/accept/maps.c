// SPDX-License-Identifier: MIT
// A value of a map may be null.
#include "case.h"
ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u32, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	u32 key = (u32)n;
	u64 *value = look_up(&counts, &key), one = 1;

	if (!value)
		return update(&counts, &key, &one);
	*value += 1;
	return *value;
}
