// SPDX-License-Identifier: MIT
// refused: import_missing.c:11: entry: link: function nowhere is not defined, and no interface has it
#include "interface.h"

extern s64 nowhere(u64 x);

SEC("event") s64 entry(struct thing *thing)
{
	u64 x = thing->address;

	return nowhere(x) & 1;
}
