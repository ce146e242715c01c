// SPDX-License-Identifier: MIT
// A helper of another system, by its number.
// compilers: clang
// refused: helper.c:11: entry: link: a call by number \(5\): functions are called by name here
#include <aril/extension.h>

static u64 (*const ktime)(void) = (void *)5;

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	return ktime();
}
