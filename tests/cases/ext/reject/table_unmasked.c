// SPDX-License-Identifier: MIT
// An index of any size.
// why: bounds
#include "case.h"
u32 table[16];
SEC("number") u64 f(u64 n, u64 small)
{
	return table[n]; // here
}
