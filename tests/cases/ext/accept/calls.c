// SPDX-License-Identifier: MIT
// Functions with frames of their own; a pointer to the caller's stack.
#include "case.h"
static __attribute__((noinline)) u64 scale(u64 x, u64 *out)
{
	*out = x * 2;
	return x + 1;
}
SEC("number") u64 f(u64 n, u64 small)
{
	u64 twice = 0, more = scale(n, &twice);

	return twice + more;
}
