// SPDX-License-Identifier: MIT
// A part of a pointer member is read.
// why: type
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	return *(volatile u32 *)&o->data; // here
}
