// SPDX-License-Identifier: MIT
// What compilers make of arithmetic at every width, jumps of 32 bits, atomics.
// memory: 0807060504030201
// result: 4552b59
#include <aril/extension.h>

static u64 cell;
static u32 half;

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	u64 x, r = 0;
	s32 small;

	__builtin_memcpy(&x, memory, 8);
	small = (s32)x;
	r ^= x / 7 + x % 13 + (u32)x / 3;
	r += (u64)(small >> 3) + (u64)(s64)(s8)x + (u64)(s64)(s16)x;
	if ((s32)x > 5 && (u32)x < 0xff000000u && (s64)x != -1)
		r = r * 31 + 7;
	__sync_fetch_and_add(&cell, r);
	r ^= cell >> 5;
	half += (u32)r;
	return (u32)(r ^ half ^ (r >> 32));
}
