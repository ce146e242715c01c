// SPDX-License-Identifier: MIT
// Ways out of the middle.
#include "case.h"
u8 table[256];
SEC("number") u64 f(u64 n, u64 small)
{
	for (u32 i = 0; i < 256; i++) {
		if (table[i] == (u8)n)
			return i;
		if (table[i] == 0)
			break;
	}
	return 256;
}
