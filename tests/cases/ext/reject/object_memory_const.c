// SPDX-License-Identifier: MIT
// Memory of an object that is only to be read.
// why: readonly
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	u8 *data = (u8 *)o->data;

	if (o->length < 4)
		return 0;
	data[0] = 1; // here
	return 0;
}
