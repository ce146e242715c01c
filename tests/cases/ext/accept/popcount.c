// SPDX-License-Identifier: MIT
// Loops that end because a value has a bit less each time: 64 turns at most, 32 of half a register.
#include "case.h"

SEC("pure")
u64 f(u64 n, u64 m)
{
	u32 count = 0, half = (u32)m;

	while (n) {
		n &= n - 1;
		count++;
	}
	while (half) {
		half &= half - 1;
		count++;
	}
	return count;
}
