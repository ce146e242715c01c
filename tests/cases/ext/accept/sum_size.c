// SPDX-License-Identifier: MIT
// A loop as long as memory is; a function is called in it.
#include "case.h"
u64 runs;
static __attribute__((noinline)) u64 weight(u8 byte)
{
	return byte & 1 ? 3 * byte : byte;
}
SEC("writable") u64 f(u8 *data, u64 size)
{
	u64 sum = 0;

	runs++;
	for (u64 i = 0; i < size; i++)
		sum += weight(data[i]);
	return sum;
}
