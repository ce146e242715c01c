// SPDX-License-Identifier: MIT
// Counting bits of words.
#include "case.h"
u64 set[16];
SEC("number") u64 f(u64 n, u64 small)
{
	if (n >= 1024)
		return 0;
	set[n / 64] |= 1ull << (n % 64);
	return set[n >> 6] >> (n & 63) & 1;
}
