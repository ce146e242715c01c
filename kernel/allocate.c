/* SPDX-License-Identifier: MIT
 * Exposed allocation: frames by number. */
#include "account.h"
#include "frame.h"
#include "util.h"

s64 call_frame_alloc(u32 auth, u32 account, u32 first, u32 count, const struct aril_guard *guard)
{
	(void)auth, (void)account, (void)first, (void)count, (void)guard;
	return -ARIL_E_CALL;
}

s64 call_frame_free(u32 auth, u32 first, u32 count)
{
	(void)auth, (void)first, (void)count;
	return -ARIL_E_CALL;
}
