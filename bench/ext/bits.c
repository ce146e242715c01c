// SPDX-License-Identifier: MIT
// Members of a bit set that are in another one, too.
#include "kernel.h"

KERNEL(reader, bits)
{
	const u64 *a = (const u64 *)data, *b = (const u64 *)(data + 2048);
	u64 found = 0;

	for (u64 i = 0; i < n / 16 && i < 256; i++)
		for (u64 both = a[i] & b[i], k = 0; k < 64 && both; k++, both &= both - 1)
			found++;
	return found;
}
