// SPDX-License-Identifier: MIT
// A map where memory is taken.
// why: type
#include "case.h"
ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u32, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	return digest((const void *)&counts, 8); // here
}
