// SPDX-License-Identifier: MIT
// refused: entry: link: variable elsewhere is not defined
#include <aril/extension.h>

extern u64 elsewhere;

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	return elsewhere;
}
