/* SPDX-License-Identifier: MIT
 * Demand paging by an env of itself, to a memory device: a region of virtual pages of which some are in frames, the
 * others in the device's memory. Frames are taken one by one as pages are touched, from those that are free in the
 * exposed table; where there is none, or the account's limit is reached, the policy's choice goes out. Asked to give
 * frames back, it gives the policy's choice, too.
 *
 * For an env with one context, whose faults and revocations are handled in upcalls with all masked: so no locks. A
 * page that was taken by force after its last copy to the device is lost; `lost` says which. */
#ifndef CORE_PAGER_H
#define CORE_PAGER_H

#include <core/revoke.h>
#include <core/upcall.h>

#define CORE_PAGER_PAGES 2048

struct core_pager {
	/* set by the program before core_pager_start */
	u64 va;	      /* of the region, a multiple of 4096; nothing is bound there */
	u32 npages;   /* at most CORE_PAGER_PAGES */
	u32 account;  /* that its frames are charged to */
	u32 from, to; /* where free frames are looked for: from <= frame < to */
	u32 keep;  /* so many frames are marked KEEP: with these it can always go on; at least 1 */
	u8 *store; /* npages of device memory, bound writable */
	struct core_policy policy;
	/* Fills a page that the program can make again, instead of reading it from the device: 1. 0: it cannot. NULL:
	 * it never can. Such pages are not written to the device. */
	int (*recompute)(u32 page, void *memory);
	/* The page's content since the last copy is gone. NULL: of no matter. */
	void (*lost)(u32 page);
	/* the pager's */
	struct core_revoke revoke;
	struct core_set set;
	u64 window; /* where a frame is filled before its page is bound, so that it is clean then */
	void *scratch; /* a page of its own, kept */
	u32 scratch_frame;
	u32 torn;    /* what was being copied was taken meanwhile */
	u64 copying; /* its address; 0: nothing is */
	u32 cursor;
	u32 resident, kept;
	u64 clock;
	/* counters */
	u64 ins, outs, dropped, evicted, given, taken;
};

/* 0, or a kernel's refusal. p is kept. */
s64 core_pager_start(struct core_pager *p);
/* For the program's core_handlers.exception: whether the fault was this region's and is served. */
int core_pager_fault(const struct core_frame *frame);

#endif
