// SPDX-License-Identifier: MIT
// A pointer member of unknown size.
// why: type
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	return *(volatile u8 *)o->wild; // here
}
