/* SPDX-License-Identifier: MIT
 * The audits of slices, grants, rings, queues of waiters, caches and regions. */
#include "arch.h"
#include "check.h"
#include "grant.h"
#include "slice.h"
#include "util.h"

u64 slice_audit(u64 from, struct aril_check *out)
{
	for (u64 i = from; i < ncpus * ARIL_SLICES; i++) {
		const struct aril_slice *s = &slices[i];

		out->checked++;
		if (s->guard.rights && guard_check(&s->guard))
			audit_wrong(out, (u32)i, "a slice's guard", 0, s->guard.rights);
	}
	return 0;
}

u64 grant_audit(u64 from, struct aril_check *out)
{
	(void)from, (void)out;
	return 0;
}

u64 ring_audit(u64 from, struct aril_check *out)
{
	(void)from, (void)out;
	return 0;
}

u64 wait_audit(u64 from, struct aril_check *out)
{
	(void)from, (void)out;
	return 0;
}

u64 cache_audit(u64 from, struct aril_check *out)
{
	(void)from, (void)out;
	return 0;
}

u64 region_audit(u64 from, struct aril_check *out)
{
	(void)from, (void)out;
	return 0;
}
