// SPDX-License-Identifier: MIT
// A function within that returns nothing.
#include "case.h"
u64 last, turns;
static __attribute__((noinline)) void note(u64 n)
{
	last = n;
	turns++;
}
SEC("number") u64 f(u64 n, u64 small)
{
	for (u64 i = 0; i < small; i++)
		note(n + i);
	return 0;
}
