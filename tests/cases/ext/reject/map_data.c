// SPDX-License-Identifier: MIT
// Data where a map is taken.
// why: call
#include "case.h"
u64 data[4];
SEC("number") u64 f(u64 n, u64 small)
{
	u32 key = 0;

	return look_up(data, &key) != 0; // here
}
