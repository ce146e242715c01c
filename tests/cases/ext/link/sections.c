// SPDX-License-Identifier: MIT
// Two programs in one object; the one that is named is linked, and nothing of the other.
// entry: event/second
// shows: r0 = 2
// hides: first_only
#include <aril/extension.h>

u64 first_only = 1;

SEC("event/first") s64 first(void *thing)
{
	return first_only;
}

SEC("other") s64 again(void *thing)
{
	return 2;
}

struct thing {
	u64 address;
	u32 flags;
	u32 count;
	const u8 *bytes;
};

SEC("event/second") s64 second(struct thing *thing)
{
	return 2;
}
