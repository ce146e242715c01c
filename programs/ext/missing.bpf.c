// SPDX-License-Identifier: MIT
// A guard: the handler behind it is asked about pages that are missing, and nothing else.
#include <aril/extension.h>

#define PAGE_FAULT 14
#define PRESENT 1 /* of the error code */

SEC("guard/missing")
u64 missing(const struct aril_fault *event, u64 address)
{
	return event->vector == PAGE_FAULT && !(event->error & PRESENT);
}
