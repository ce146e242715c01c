// SPDX-License-Identifier: MIT
// refused: entry: object: section .bss is aligned to 256; the most is 64
#include <aril/extension.h>

static u8 page[512] __attribute__((aligned(256)));

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	page[size & 511]++;
	return page[0];
}
