/* SPDX-License-Identifier: MIT
 * Swap space: pages of programs in a memory device. Family lock throughout. */
#ifndef EXOS_SWAP_H
#define EXOS_SWAP_H

#include "exos.h"

struct mm;
struct mm_node;

/* Slots in all, and those in use; pages that went out and came in since the start. */
extern struct swap_counts {
	u32 slots, used;
	u64 out, in;
} swap_counts;

static inline u32 swap_free(void)
{
	return swap_counts.slots > swap_counts.used ? swap_counts.slots - swap_counts.used : 0;
}

/* In the first env, once memory is there: binds the device that the domain has, if it has one. */
void swap_boot(void);
/* Writes out up to `most` pages: of first..last, where somebody asks for those frames, looking at so many more or less (~0: all). Only
 * where nobody holds a word's page that has no reference of his own to it. How many pages are free now by that. */
u32 swap_out(u32 first, u32 last, u32 most, u32 looks);
/* Whether there is no more to be had by it, as of the looks since the last time. */
int swap_spent(void);
/* What a slot holds, to a page. 0, or -1: the device is not there any more. */
int swap_read(void *page, u32 slot);
/* One more word names a slot, or one less. */
void swap_get(u32 slot);
void swap_put(u32 slot);
/* Words of a range that name slots are empty from here on. */
void swap_drop(struct mm *mm, u64 start, u64 end);
/* How many there are. */
u32 swap_count(struct mm *mm, u64 start, u64 end);
/* The space has its pages [from, from + bytes) at `to`, too: to be dropped at `from`. 0 or -ENOMEM. */
s64 swap_move(struct mm *mm, u64 from, u64 to, u64 bytes);
/* The child's words name the parent's slots. 0 or -ENOMEM. */
s64 swap_clone(struct mm *to, struct mm *from);
/* The space is about to go. */
void swap_forget(const struct mm *mm);
/* Gives the device's grant back if nothing lies in it; 0: something does. */
int swap_give(void);

/* Where there is swap space and little free memory, makes more, as swap_out. */
void swap_some(void);
static inline void swap_ahead(void)
{
	if (swap_counts.slots)
		swap_some();
}

#endif
