// SPDX-License-Identifier: MIT
// Two loops whose ends are not constants.
#include "case.h"
u32 matrix[16][16];
SEC("number") u64 f(u64 n, u64 small)
{
	u64 sum = 0;

	for (u64 i = 0; i < small; i++)
		for (u64 j = 0; j <= i; j++)
			sum += matrix[i][j];
	return sum;
}
