// SPDX-License-Identifier: MIT
// Structures on the stack, copied and compared by the compiler's own code.
// memory: 0102030405060708
// result: 24
#include <aril/extension.h>

struct pair {
	u64 key;
	u8 bytes[8];
};

static __attribute__((noinline)) u64 total(const struct pair *p)
{
	u64 n = 0;

#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
		n += p->bytes[i];
	return n;
}

SEC("own") u64 entry(const u8 *memory, u64 size)
{
	struct pair p = {.key = size}, q;

	__builtin_memcpy(p.bytes, memory, 8);
	__builtin_memcpy(&q, &p, sizeof(q));
	return q.key == 8 ? total(&q) : 0;
}
