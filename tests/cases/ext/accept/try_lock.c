// SPDX-License-Identifier: MIT
// A reference that may be null is held only where it is not.
#include "case.h"
u64 shared;
SEC("number") u64 f(u64 n, u64 small)
{
	struct lock *l = try_lock();

	if (!l)
		return 1;
	shared += n;
	unlock(l);
	return 0;
}
