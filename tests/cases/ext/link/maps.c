// SPDX-License-Identifier: MIT
// A map in each of the ways to write one; only those that are reached become part of the program.
// shows: r1 = map counts
// shows: r1 = map table
// shows: call entry_of
// hides: ring
#include "interface.h"

ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u32, u64, 100);
ARIL_EXT_RING(ring, u64, 8);

static struct {
	int (*type)[2];
	int (*key_size)[4];
	int (*value_size)[16];
	int (*max_entries)[3];
	int (*map_flags)[0];
} table SEC(".maps");

SEC("event") s64 entry(struct thing *thing)
{
	u32 key = thing->count;
	u64 *count = entry_of(&counts, &key), *value = entry_of(&table, &key);

	if (count)
		++*count;
	return value ? *value & 1 : 0;
}
