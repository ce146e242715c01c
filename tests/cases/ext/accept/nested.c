// SPDX-License-Identifier: MIT
// A matrix in data, two loops.
#include "case.h"
u32 matrix[16][32];
SEC("number") u64 f(u64 n, u64 small)
{
	u64 sum = 0;

	for (u32 i = 0; i < 16; i++)
		for (u32 j = 0; j < 32; j++) {
			sum += matrix[i][j] * n;
			matrix[i][j] = (u32)(sum ^ j);
		}
	return sum;
}
