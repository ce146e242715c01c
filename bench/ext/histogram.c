// SPDX-License-Identifier: MIT
// Counts the bytes of the upper part in the lower.
#include "kernel.h"

KERNEL(writer, histogram)
{
	u32 *count = (u32 *)data;

	for (u64 i = 1024; i < n; i++)
		count[data[i]]++;
	return count[0];
}
