// SPDX-License-Identifier: MIT
// Arithmetic on a map.
// why: type
#include "case.h"
ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u32, u64, 64);
SEC("number") __attribute__((naked)) u64 f(u64 n, u64 small)
{
	asm volatile("r1 = %0 ll\nr1 += 8\nr0 = 0\nexit" ::"i"(&counts));
}
void *uses(u32 *key)
{
	return look_up(&counts, key);
}
