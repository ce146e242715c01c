// SPDX-License-Identifier: MIT
// A step of four; the end is a pointer.
#include "case.h"
SEC("memory") u64 f(const u8 *data, u64 size)
{
	const u8 *end = data + size;
	u64 sum = 0;

	if (size > 4096)
		return 0;
	for (const u8 *p = data; p + 4 <= end; p += 4)
		sum += *(const u32 *)p;
	return sum;
}
