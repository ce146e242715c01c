// SPDX-License-Identifier: MIT
// A pointer member of an object that may change.
// why: type
#include "case.h"
SEC("number") u64 f(u64 n, u64 small)
{
	struct lock *l = lock();
	u64 x = l->owner->first; // here

	unlock(l);
	return x;
}
