/* SPDX-License-Identifier: MIT
 * The audit: see check.h. */
#include "check.h"
#include "util.h"

s64 call_check(u32 auth, u32 noun, u64 from, struct aril_check *out)
{
	(void)auth, (void)noun, (void)from, (void)out;
	return -ARIL_E_CALL;
}
