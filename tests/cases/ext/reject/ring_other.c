// SPDX-License-Identifier: MIT
// What is no record.
// why: reference
#include "case.h"
ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u32, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	u32 key = 0;
	u64 *value = look_up(&counts, &key);

	if (value)
		submit(value); // here
	return 0;
}
