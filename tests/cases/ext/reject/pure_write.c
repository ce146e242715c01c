// SPDX-License-Identifier: MIT
// A pure program writes its data.
// why: class
#include "case.h"
u64 count;
SEC("pure") u64 f(u64 n, u64 m)
{
	count = n; // here
	return 0;
}
