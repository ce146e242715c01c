// SPDX-License-Identifier: MIT
// One turn too many for the table.
// why: bounds
#include "case.h"
u32 table[16];
SEC("number") u64 f(u64 n, u64 small)
{
	u64 sum = 0;

	for (u32 i = 0; i <= 16 && i < n; i++)
		sum += table[i]; // here
	return sum;
}
