// SPDX-License-Identifier: MIT
// The product of two matrices of 16 by 16 words, into a third one.
#include "kernel.h"

KERNEL(writer, product)
{
	const u32 *a = (const u32 *)data, *b = a + 256;
	u32 *c = (u32 *)data + 512;

	for (u32 i = 0; i < 16; i++)
		for (u32 j = 0; j < 16; j++) {
			u32 sum = 0;

#pragma unroll
			for (u32 k = 0; k < 16; k++)
				sum += a[i * 16 + k] * b[k * 16 + j];
			c[i * 16 + j] = sum;
		}
	return c[0] + n;
}
