// SPDX-License-Identifier: MIT
// A handler that does nothing but to say that the program goes on.
#include <aril/extension.h>

SEC("fault/nothing")
u64 nothing(const struct aril_fault *event, u64 address)
{
	return ARIL_FAULT_RESUME;
}
