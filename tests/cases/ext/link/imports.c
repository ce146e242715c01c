// SPDX-License-Identifier: MIT
// Functions of the interface, by name and type; a callee in .text that calls one.
// shows: call thing_read
// shows: call bytes_send
#include "interface.h"

static __attribute__((noinline)) s64 send(const void *bytes, u64 size)
{
	return bytes_send(bytes, size);
}

SEC("event") s64 entry(struct thing *thing)
{
	u64 word = thing_read(thing, 8);

	thing->flags = 1;
	return send(&word, sizeof(word)) == 0;
}
