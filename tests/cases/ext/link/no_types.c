// SPDX-License-Identifier: MIT
// Compiled without -g: what needs types says so.
// flags: -g0
// refused: entry: link: function thing_read has no type here: compile with -g
#include "interface.h"

SEC("event") s64 entry(struct thing *thing)
{
	return thing_read(thing, 1) & 1;
}
