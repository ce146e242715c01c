/* SPDX-License-Identifier: MIT
 * The kernel's audit of its own books: x_check for each noun, as the check call runs it. Each looks at objects from
 * number `from` on, a bounded step, under object_lock; changes nothing; returns the number to go on from, 0 at the
 * end; and reports the first wrong one in words. */
#ifndef KERNEL_CHECK_H
#define KERNEL_CHECK_H

#include <aril/ops.h>

u64 frame_audit(u64 from, struct aril_check *out);
u64 space_audit(u64 from, struct aril_check *out);
u64 env_audit(u64 from, struct aril_check *out);
u64 slice_audit(u64 from, struct aril_check *out);
u64 account_audit(u64 from, struct aril_check *out);
u64 grant_audit(u64 from, struct aril_check *out);
u64 ring_audit(u64 from, struct aril_check *out);
u64 wait_audit(u64 from, struct aril_check *out);
u64 cache_audit(u64 from, struct aril_check *out);
u64 region_audit(u64 from, struct aril_check *out);

s64 call_check(u32 auth, u32 noun, u64 from, struct aril_check *out);

#endif
