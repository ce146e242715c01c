// SPDX-License-Identifier: MIT
// An int as index, tested from both sides.
#include "case.h"
u32 table[100];
SEC("number") u64 f(u64 n, u64 small)
{
	int i = (int)n;

	if (i < 0 || i >= 100)
		return 0;
	return table[i];
}
