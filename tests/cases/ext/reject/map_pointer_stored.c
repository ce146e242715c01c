// SPDX-License-Identifier: MIT
// A pointer is stored into a map as if that were memory: that it is a map is what is wrong first.
// why: type
#include "case.h"
ARIL_EXT_MAP(table, ARIL_MAP_ARRAY, u32, u64, 4);
SEC("memory") u64 f(const u8 *data, u64 size)
{
	*(const u8 *volatile *)&table = data; // here
	return 0;
}
