// SPDX-License-Identifier: MIT
// Fields by name: the author's struct is in another order and has one more; each access gets the offset that the
// interface's has.
// compilers: clang
// shows: \(u64 \*\)\(r1 \+ 0\)
// shows: \(u32 \*\)\(r1 \+ 12\)
#include <aril/types.h>

struct thing {
	u32 count;
	u64 newer;
	u64 address;
} __attribute__((preserve_access_index));

__attribute__((section("event"), used)) s64 entry(struct thing *thing)
{
	if (__builtin_preserve_field_info(thing->newer, 2 /* exists */))
		return thing->newer & 1;
	return (thing->address + thing->count) & 1;
}
