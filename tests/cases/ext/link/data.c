// SPDX-License-Identifier: MIT
// Every kind of data, static and global, read and written; strings; zeros.
// memory: 02
// result: 1c6
#include <aril/extension.h>

static u32 counter;
static u8 zeros[100];
u64 global = 7;
static u32 table[4] = {10, 20, 30, 40};
static const u16 squares[] = {0, 1, 4, 9, 16};
const u64 limit = 300;
const volatile u64 hidden = 50;

static const char *name(u64 n)
{
	return n == 2 ? "two" : "other";
}

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	u64 n = memory[0] & 3;

	counter += 5;
	zeros[n + 60] = 3;
	table[n] += 1;
	return limit + hidden + global + counter + zeros[62] + zeros[61] + table[n] + squares[n] +
	       name(n)[1] / 2 - 5;
}
