/* SPDX-License-Identifier: MIT
 * The kernel's audit of its own books: x_check for each noun, as the check call runs it. Each looks at objects from
 * number `from` on, a bounded step, under object_lock; changes nothing; returns the number to go on from, 0 at the
 * end; and reports the first wrong one in words. */
#ifndef KERNEL_CHECK_H
#define KERNEL_CHECK_H

#include <aril/ops.h>

/* An audit's finding: counted; the first is kept. */
static inline void check_found(struct aril_check *out, u32 which, const char *why)
{
	if (out->wrong++)
		return;
	out->which = which;
	for (u32 i = 0; i + 1 < sizeof(out->what) && why[i]; i++)
		out->what[i] = why[i];
}

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
