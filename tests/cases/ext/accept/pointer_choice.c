// SPDX-License-Identifier: MIT
// One of two tables.
#include "case.h"
u32 one[8], two[16];
SEC("number") u64 f(u64 n, u64 small)
{
	u32 *p = n & 1 ? one : two;

	return p[small & 7];
}
