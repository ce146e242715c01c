// SPDX-License-Identifier: MIT
// A pointer that goes on while what is left gets less.
#include "case.h"
SEC("memory") u64 f(const u8 *data, u64 size)
{
	u64 sum = 0;

	if (size > 9000)
		return 0;
	while (size >= 2) {
		sum += *(const u16 *)data;
		data += 2;
		size -= 2;
	}
	if (size)
		sum += *data;
	return sum;
}
