/* SPDX-License-Identifier: MIT
 * Software regions: memory that is written only through a checked path (Xok). */
#ifndef KERNEL_REGION_H
#define KERNEL_REGION_H

#include "frame.h"

/* Makes a region and its book, of which frame is one, memory again; its bindings are broken within the budget. 1 when
 * done; 0: call again. *stale as in space_break. object_lock held. */
int region_destroy(u32 frame, u32 *budget, int *stale);

s64 call_region_create(u32 auth, u32 frame, u32 book, const struct aril_region_field *fields,
		       u64 n);
s64 call_region_write(u32 auth, u32 frame, u32 offset, const u8 *data, u64 bytes);
s64 call_region_swap(u32 auth, u32 frame, u32 offset, u64 expected, u64 value);
s64 call_region_guard(u32 auth, u32 frame, u32 offset, const struct aril_guard *guard);

#endif
