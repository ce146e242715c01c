/* SPDX-License-Identifier: MIT
 * The kernel's audit of its own books: NOUN_audit for each noun, as the check call runs it. Each looks at objects from
 * number `from` on, a bounded step, under object_lock; changes nothing that it audits; returns the number to go on
 * from, 0 at the end; and reports the first wrong one in words. It believes nothing that it reads: a link that leads
 * nowhere is reported, not followed. */
#ifndef KERNEL_CHECK_H
#define KERNEL_CHECK_H

#include "frame.h"
#include <aril/ops.h>

/* An audit's finding: counted; the first is kept. */
static inline void check_found(struct aril_check *out, u32 which, const char *why)
{
	char *to = out->what, *end = to + sizeof(out->what) - 1;

	if (out->wrong++)
		return;
	out->which = which;
	while (*why && to < end)
		*to++ = *why++;
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
u64 code_audit(u64 from, struct aril_check *out);

/* For the audits: one more wrong object, number `which`. The first is described: `what`, "should be, is". */
void audit_wrong(struct aril_check *out, u32 which, const char *what, u64 should, u64 is);

/* Whether id names an entry of a page table or an STLB that has a shadow. */
int audit_readable(u32 id);
/* Whether id names a present entry (of a page table or an STLB), with a shadow word, for this frame. */
int audit_binding(u32 id, u32 frame);
/* Its entry and its shadow word; only after audit_binding. */
u64 audit_entry(u32 id);
u64 audit_shadow(u32 id);

/* The recount of frames behind account_audit, which takes many calls: what was counted already is corrected when it
 * changes. Before and after any change of a frame's account or KEEP mark. */
extern u32 audit_counted; /* frames below it are in the recount */
void audit_recount(u32 frame, int sign);
static inline void audit_before(u32 frame)
{
	if (frame < audit_counted)
		audit_recount(frame, -1);
}
static inline void audit_after(u32 frame)
{
	if (frame < audit_counted)
		audit_recount(frame, 1);
}

/* Calls count(account's slot, ARIL_QUOTA_RINGS) for each open ring (ring.c). */
void ring_count(void (*count)(u32 slot, u32 quota));
/* Pins of this frame by rings, queues and slots in a device's hands (ring.c). */
u32 ring_pins(u32 frame);

s64 call_check(u32 auth, u32 noun, u64 from, struct aril_check *out);

#endif
