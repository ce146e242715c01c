// SPDX-License-Identifier: MIT
// Functions in the common section, called from another and from each other; a chain of four.
// memory: 0304
// result: 2a
#include <aril/extension.h>

static __attribute__((noinline)) u64 twice(u64 x)
{
	return x * 2 + 1;
}

__attribute__((noinline)) u64 sum(u64 x, u64 y)
{
	return twice(x) + twice(y);
}

static __attribute__((noinline)) u64 more(u64 x, u64 y)
{
	return sum(x, y) + sum(y, x) + 10;
}

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	return size == 2 ? more(memory[0], memory[1]) : 0;
}
