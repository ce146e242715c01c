// SPDX-License-Identifier: MIT
// An access to a map.
// why: type
#include "case.h"
ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u32, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	return *(volatile u64 *)&counts; // here
}
