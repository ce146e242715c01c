// SPDX-License-Identifier: MIT
// An object that may be null.
// why: null
#include "case.h"
SEC("perhaps_object") u64 f(struct object *o)
{
	return look_at(o); // here
}
