// SPDX-License-Identifier: MIT
// Memory of an object, past its length.
// why: bounds
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	const u8 *data = o->data;

	if (o->length < 4)
		return 0;
	return data[4]; // here
}
