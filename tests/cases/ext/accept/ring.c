// SPDX-License-Identifier: MIT
// A record is reserved, filled and submitted.
#include "case.h"
ARIL_EXT_RING(events, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	u64 *record = reserve(&events);

	if (!record)
		return 1;
	*record = n;
	submit(record);
	return 0;
}
