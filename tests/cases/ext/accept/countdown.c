// SPDX-License-Identifier: MIT
// Downwards.
#include "case.h"
u8 bytes[64];
SEC("number") u64 f(u64 n, u64 small)
{
	u64 sum = 0;

	if (n > 64)
		return 0;
	while (n--)
		sum += bytes[n];
	return sum;
}
