// SPDX-License-Identifier: MIT
// A call in a loop; the callee has a loop.
#include "case.h"
static __attribute__((noinline)) u64 mix(const u8 *p, u32 n)
{
	u64 h = 5381;

	for (u32 i = 0; i < n; i++)
		h = h * 33 ^ p[i];
	return h;
}
u8 data[16][8];
SEC("number") u64 f(u64 n, u64 small)
{
	u64 h = n;

	for (u32 i = 0; i < 16; i++)
		h ^= mix(data[i], 8);
	return h;
}
