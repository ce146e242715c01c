// SPDX-License-Identifier: MIT
// refused: entry: link: the address of a function, in section .text, is taken
#include <aril/extension.h>

static __attribute__((noinline)) u64 f(u64 x)
{
	return x + 1;
}

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	return (u64)&f;
}
