// SPDX-License-Identifier: MIT
// Insertion sort: the inner loop goes down from where the outer is.
#include "case.h"
u32 list[32];
SEC("number") u64 f(u64 n, u64 small)
{
	for (u32 i = 1; i < 32; i++) {
		u32 x = list[i], j = i;

		while (j > 0 && list[j - 1] > x) {
			list[j] = list[j - 1];
			j--;
		}
		list[j] = x;
	}
	return list[0];
}
