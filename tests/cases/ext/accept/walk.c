// SPDX-License-Identifier: MIT
// p != end.
#include "case.h"
SEC("memory") u64 f(const u8 *data, u64 size)
{
	const u8 *end = data + size;
	u64 sum = 0;

	if (size > 65536)
		return 0;
	for (const u8 *p = data; p != end; p++)
		sum = sum * 31 + *p;
	return sum;
}
