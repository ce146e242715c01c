// SPDX-License-Identifier: MIT
// Search of a string in memory: a loop in a loop with ways out.
#include "case.h"
static const char needle[] = "needle";
SEC("memory") u64 f(const u8 *data, u64 size)
{
	if (size > 4096 || size < 6)
		return 0;
	for (u64 i = 0; i + 6 <= size; i++) {
		u32 j;

		for (j = 0; j < 6; j++)
			if (data[i + j] != (u8)needle[j])
				break;
		if (j == 6)
			return i + 1;
	}
	return 0;
}
