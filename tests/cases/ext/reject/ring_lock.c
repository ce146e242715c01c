// SPDX-License-Identifier: MIT
// A lock given back as a record of a ring.
// why: call
// line: 10
#include "case.h"
SEC("number") u64 f(u64 n, u64 small)
{
	struct lock *l = lock();

	submit(l);
	return n;
}
