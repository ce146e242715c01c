// SPDX-License-Identifier: MIT
// A buffer on the stack, an index that is masked.
#include "case.h"
SEC("number") u64 f(u64 n, u64 small)
{
	u8 buffer[16] = {0};

	buffer[n & 15] = 1;
	buffer[small] = 2;
	return digest(buffer, sizeof(buffer)) + buffer[(n >> 4) & 15];
}
