// SPDX-License-Identifier: MIT
// refused: map: map m: kind 5 is not known
#include "interface.h"

ARIL_EXT_MAP(m, 5, u32, u64, 100);

SEC("event") s64 entry(struct thing *thing)
{
	u32 key = 1;

	return entry_of(&m, &key) != 0;
}
