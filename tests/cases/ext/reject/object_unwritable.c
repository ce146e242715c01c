// SPDX-License-Identifier: MIT
// An object that is only to be read, for a function that may write it.
// why: readonly
#include "case.h"
SEC("constant") u64 f(const struct object *o)
{
	return look_at((struct object *)o); // here
}
