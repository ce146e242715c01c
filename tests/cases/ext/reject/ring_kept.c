// SPDX-License-Identifier: MIT
// A record is not submitted.
// why: reference
#include "case.h"
ARIL_EXT_RING(events, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	u64 *record = reserve(&events);

	if (record)
		*record = n;
	return 0;
}
