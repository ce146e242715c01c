// SPDX-License-Identifier: MIT
// Halving a range.
#include "case.h"
u32 sorted[1024];
SEC("number") u64 f(u64 n, u64 small)
{
	u32 low = 0, high = 1024;

	for (u32 i = 0; i < 11 && low < high; i++) {
		u32 middle = (low + high) / 2;

		if (sorted[middle] < n)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
