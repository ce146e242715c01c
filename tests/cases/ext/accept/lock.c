// SPDX-License-Identifier: MIT
// A reference is taken and given back, a loop within.
#include "case.h"
u64 shared[8];
SEC("number") u64 f(u64 n, u64 small)
{
	struct lock *l = lock();

	for (u32 i = 0; i < 8; i++)
		shared[i] += n;
	unlock(l);
	return 0;
}
