/* SPDX-License-Identifier: MIT
 * Software regions: see region.h. */
#include "region.h"
#include "util.h"

s64 call_region_create(u32 auth, u32 frame, u32 book, const struct aril_region_field *fields, u64 n)
{
	(void)auth, (void)frame, (void)book, (void)fields, (void)n;
	return -ARIL_E_CALL;
}

s64 call_region_write(u32 auth, u32 frame, u32 offset, const u8 *data, u64 bytes)
{
	(void)auth, (void)frame, (void)offset, (void)data, (void)bytes;
	return -ARIL_E_CALL;
}

s64 call_region_swap(u32 auth, u32 frame, u32 offset, u64 expected, u64 value)
{
	(void)auth, (void)frame, (void)offset, (void)expected, (void)value;
	return -ARIL_E_CALL;
}
