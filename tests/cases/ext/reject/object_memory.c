// SPDX-License-Identifier: MIT
// An object where memory is taken.
// why: type
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	return digest((const void *)o, 8); // here
}
