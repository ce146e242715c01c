// SPDX-License-Identifier: MIT
// A pointer member is written.
// why: readonly
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	o->number = 3; // here
	return 0;
}
