// SPDX-License-Identifier: MIT
// One too far: <= for <.
// why: bounds
#include "case.h"
SEC("memory") u64 f(const u8 *data, u64 size)
{
	u64 sum = 0;

	if (size > 1500)
		return 0;
	for (u64 i = 0; i <= size; i++)
		sum += data[i]; // here
	return sum;
}
