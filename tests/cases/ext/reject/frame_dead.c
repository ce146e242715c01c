// SPDX-License-Identifier: MIT
// A pointer to a frame that is gone.
// why: unset
#include "case.h"
static __attribute__((noinline)) u64 g(u64 **out, u64 n)
{
	volatile u64 x = n;

	*out = (u64 *)&x;
	return x;
}
SEC("number") u64 f(u64 n, u64 small)
{
	u64 *p = 0;
	u64 r = g(&p, n);

	return *p + r; // here
}
