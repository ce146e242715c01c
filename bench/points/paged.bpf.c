// SPDX-License-Identifier: MIT
// A guard that says yes for page faults alone.
#include <aril/extension.h>

SEC("guard/paged")
u64 paged(const struct aril_fault *event, u64 address)
{
	return event->vector == 14;
}
