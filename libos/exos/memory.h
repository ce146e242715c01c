/* SPDX-License-Identifier: MIT
 * What memory.c (pages) and give.c (frames that go back to the kernel, and come again) share. Family lock. */
#ifndef EXOS_MEMORY_H
#define EXOS_MEMORY_H

#include "exos.h"
#include <core/domain.h>

#define ORDERS 9 /* blocks of 1 .. 256 pages; a whole chunk is never free: it holds its books */
#define POOL 1024u

enum { PAGE_ABSENT = 0, PAGE_FREE, PAGE_USED };

struct __attribute__((may_alias)) page {
	u32 refs;
	u8 state;
	u8 order; /* of the block that begins here */
	u16 zero;
};

extern struct list free_lists[ORDERS];
extern struct core_run runs[CORE_RUNS]; /* not bound yet */
extern u32 nruns;
extern u64 free_count, total_count;
extern u32 pool[POOL], pool_count; /* NORMAL frames that nothing binds */

/* NULL: the frame is none of ours, or has no books. */
struct page *page_of(u32 frame);
/* Binds count frames (within a chunk) at their place in the direct map, or unbinds them. */
void direct_map(u32 kind, u32 first, u32 count, u32 flags);
void block_insert(u32 frame, u32 order);
/* Makes blocks of the free pages that are none. Whether there were any. */
int loose_join(void);
/* Takes frames that are nobody's as one more run. 0: there are none, or the account may have no more. */
int frames_more(void);

#endif
