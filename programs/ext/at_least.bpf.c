// SPDX-License-Identifier: MIT
// Wakes who waits when a counter in its first page is at least what it said: the word at value0 (of it only the bits of
// a word's place in a page count), the number value1. Who waits for the hundredth of a hundred events is woken once.
#include <aril/extension.h>

SEC("predicate/at_least")
u64 at_least(const void *page0, const void *page1, const void *page2, u64 offset, u64 least)
{
	return *(const u32 *)((const u8 *)page0 + (offset & 4092)) >= least;
}
