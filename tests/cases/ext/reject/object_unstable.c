// SPDX-License-Identifier: MIT
// A length that the program may change.
// why: type
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	return *(volatile u8 *)o->unstable; // here
}
