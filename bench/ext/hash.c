// SPDX-License-Identifier: MIT
// Looks 32-bit keys of the first half up in a table of 512 in the second, by linear probing.
#include "kernel.h"

KERNEL(reader, hash)
{
	const u32 *key = (const u32 *)data, *table = (const u32 *)(data + 2048);
	u64 found = 0;

	for (u64 i = 0; i < n / 8 && i < 512; i++) {
		u32 k = key[i], at = (k * 2654435761u) >> 23;

#pragma unroll
		for (u32 probe = 0; probe < 8; probe++) {
			u32 t = table[(at + probe) & 511];

			if (t == k) {
				found++;
				break;
			}
			if (!t)
				break;
		}
	}
	return found;
}
