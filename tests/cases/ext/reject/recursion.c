// SPDX-License-Identifier: MIT
// Recursion.
// why: stack
#include "case.h"
static __attribute__((noinline)) u64 g(u64 n)
{
	return n ? g(n - 1) * n + 1 : 1;
}
SEC("pure") u64 f(u64 n, u64 m)
{
	return g(n & 3) + 1;
}
