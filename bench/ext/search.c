// SPDX-License-Identifier: MIT
// How often a string of eight bytes is in a text.
#include "kernel.h"

KERNEL(reader, search)
{
	u64 found = 0;

	for (u64 i = 8; i + 8 <= n; i++) {
		u64 j = 0;

		while (j < 8 && data[i + j] == data[j])
			j++;
		found += j == 8;
	}
	return found;
}
