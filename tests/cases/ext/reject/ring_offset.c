// SPDX-License-Identifier: MIT
// Not the record but a place within it.
// why: reference
#include "case.h"
ARIL_EXT_RING(events, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	u64 *record = reserve(&events);

	if (!record)
		return 1;
	submit((u8 *)record + 1); // here
	return 0;
}
