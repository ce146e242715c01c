/* SPDX-License-Identifier: MIT
 * Family memory below pages: how the machine's frames become pages and tables. Family lock throughout. */
#ifndef EXOS_MEM_H
#define EXOS_MEM_H

#include "exos.h"

struct core_domain;

/* Makes the family's frames into memory: the direct map's tables, the allocator's books, the archive's
 * pages. Called once, by the first env, before anything allocates. Panics when the frames do not suffice. */
void memory_boot(const struct core_domain *domain);

/* A NORMAL frame of the family that nothing binds, for a table, a space or an env; 0: none left. */
u32 frame_take(void);
/* Takes such a frame back once it is NORMAL again. */
void frame_give(u32 frame);
/* Consecutive frames that were never bound, NORMAL and free to be given away; 0: there are not so many. And back. */
u32 run_take(u32 count);
void run_give(u32 first, u32 count);
/* Binds device memory of the first env's, for good and where all of the family see it. NULL: no memory for the tables. */
void *device_map(u32 first, u32 count);
/* Shows another frame, read-only, at the address of a page, which is never used for itself again. */
void page_show(void *page, u32 frame);
/* Gives up to `most` frames of first..last that are free back to the kernel, those that were never used first. How many. */
u32 pages_surrender(u32 first, u32 last, u32 most);
/* How many frames the account may have beyond those that it has. */
u32 frames_due(void);
/* Resets a retyped frame, calling again as long as the kernel asks for it. Panics on refusal. */
void frame_unbuild(u32 frame);

/* Level 3 tables of the slots that all members share, for space_link. */
struct shared_slot {
	u64 va;
	u32 table;
};
#define SHARED_SLOTS 3
extern struct shared_slot shared_slots[SHARED_SLOTS];

/* How many of the first n words' pages (mm_internal.h) have one reference, or have more, as the first has. */
u32 pages_alone(const u64 *word, u32 n, int *alone);

/* Whether the page is the allocator's (not the archive's): may be freed and written. */
int page_is_ours(const void *page);

#endif
