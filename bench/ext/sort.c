// SPDX-License-Identifier: MIT
// Sorts 32-bit words, at most 128, by insertion.
#include "kernel.h"

KERNEL(writer, sort)
{
	u32 *word = (u32 *)data;
	u64 count = n / 4 < 128 ? n / 4 : 128;

	for (u64 i = 1; i < count; i++) {
		u32 value = word[i];
		u64 j = i;

		while (j > 0 && word[j - 1] > value) {
			word[j] = word[j - 1];
			j--;
		}
		word[j] = value;
	}
	return word[0];
}
