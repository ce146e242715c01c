// SPDX-License-Identifier: MIT
// A member that may be null.
// why: null
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	return o->maybe->first; // here
}
