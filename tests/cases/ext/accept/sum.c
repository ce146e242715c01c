// SPDX-License-Identifier: MIT
// A loop over memory of unknown length.
#include "case.h"
SEC("memory") u64 f(const u8 *data, u64 size)
{
	u64 sum = 0;

	for (u64 i = 0; i < size && i < 1500; i++)
		sum += data[i];
	return sum;
}
