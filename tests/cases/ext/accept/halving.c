// SPDX-License-Identifier: MIT
// Loops that end because a value is halved, or more: tested before or after, by more than one way, by an amount that is
// not known but at least 1; the count is bounded by the value's width.
#include "case.h"

static u8 table[64];

SEC("writable")
u64 f(u8 *data, u64 size)
{
	u64 n = now(), log = 0, by = choose(0), k = choose(1);
	u32 half = (u32)now();

	for (u64 v = n; v; v >>= 1)
		table[log++] = (u8)v;
	for (u64 v = n; v >>= 3;)
		log++;
	do {
		half >>= 1;
		log++;
	} while (half > 4);
	for (u64 v = n; v > 9; v /= 10)
		log += v % 10;
	for (u64 v = n; v; v >>= by + 1)
		log++;
	for (u64 v = n; v;) {
		log++;
		if (v & k)
			v >>= 1;
		else
			v >>= 2;
	}
	return log;
}
