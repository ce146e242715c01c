// SPDX-License-Identifier: MIT
// Byte swaps (gcc 12 has none).
// compilers: clang
// memory: 0807060504030201
// result: 80706050c040c03
#include <aril/extension.h>

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	u64 x;

	__builtin_memcpy(&x, memory, 8);
	return __builtin_bswap64(x) ^ __builtin_bswap32((u32)x) ^ __builtin_bswap16((u16)x);
}
