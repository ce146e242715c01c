// SPDX-License-Identifier: MIT
// Makes letters small.
#include "kernel.h"

KERNEL(writer, fold)
{
	u64 changed = 0;

	for (u64 i = 0; i < n; i++) {
		u8 c = data[i];

		if (c >= 'A' && c <= 'Z') {
			data[i] = c + 32;
			changed++;
		}
	}
	return changed;
}
