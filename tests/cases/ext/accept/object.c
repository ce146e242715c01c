// SPDX-License-Identifier: MIT
// Members of an object, memory that one of them has the length of.
#include "case.h"
SEC("object") u64 f(struct object *o)
{
	const u8 *data = o->data;
	u64 sum = o->number + o->inner.second + o->array[2];

	o->writable = 7;
	if (o->length > 256)
		return 0;
	for (u32 i = 0; i < o->length; i++)
		sum += data[i];
	return sum;
}
