// SPDX-License-Identifier: MIT
// A bit-field.
// why: type
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	return o->low; // here
}
