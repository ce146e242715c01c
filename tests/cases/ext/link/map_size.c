// SPDX-License-Identifier: MIT
// refused: map: map m: a key of 4 bytes, a value of 8, 0 entries
#include "interface.h"

ARIL_EXT_MAP(m, ARIL_MAP_HASH, u32, u64, 0);

SEC("event") s64 entry(struct thing *thing)
{
	u32 key = 1;

	return entry_of(&m, &key) != 0;
}
