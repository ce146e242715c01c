// SPDX-License-Identifier: MIT
// A part of a member is written.
// why: type
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	*(volatile u16 *)&o->writable = 3; // here
	return 0;
}
