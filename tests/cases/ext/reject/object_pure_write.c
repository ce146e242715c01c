// SPDX-License-Identifier: MIT
// A pure program writes an object.
// why: class
#include "case.h"
SEC("pure_object") u64 f(struct object *o)
{
	o->writable = 1; // here
	return 0;
}
