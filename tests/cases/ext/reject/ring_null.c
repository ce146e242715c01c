// SPDX-License-Identifier: MIT
// A record that may be null is submitted.
// why: null
#include "case.h"
ARIL_EXT_RING(events, u64, 64);
SEC("number") u64 f(u64 n, u64 small)
{
	submit(reserve(&events)); // here
	return 0;
}
