// SPDX-License-Identifier: MIT
// Data that holds addresses.
// refused: entry: link: section .data.* holds addresses: data cannot
#include <aril/extension.h>

static u64 a = 1, b = 2;
u64 *volatile which[2] = {&a, &b};

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	return *which[size & 1];
}
