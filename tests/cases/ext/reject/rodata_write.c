// SPDX-License-Identifier: MIT
// Constant data is written.
// why: readonly
#include "case.h"
const volatile u32 table[4] = {1, 2, 3, 4};
SEC("number") u64 f(u64 n, u64 small)
{
	((volatile u32 *)table)[small & 3] = 1; // here
	return 0;
}
