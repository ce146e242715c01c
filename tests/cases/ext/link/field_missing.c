// SPDX-License-Identifier: MIT
// compilers: clang
// refused: field_missing.c:14: entry: link: the interface has no such field, type or value: thing, 0:1
#include <aril/types.h>

struct thing {
	u64 address;
	u64 newer;
} __attribute__((preserve_access_index));

__attribute__((section("event"), used)) s64 entry(struct thing *thing)
{
	/* not there: */
	return thing->newer & 1;
}
