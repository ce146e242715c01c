// SPDX-License-Identifier: MIT
// A member that is neither number nor pointer.
// why: type
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	return *(volatile u64 *)&o->real; // here
}
