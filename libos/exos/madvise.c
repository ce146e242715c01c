/* SPDX-License-Identifier: MIT
 * madvise: what of its memory a program does not need, or will. */
#include "linux.h"
#include "mm_internal.h"
#include "proc.h"
#include "quick.h"
#include "switch.h"

/* Whether the areas in a row that end with the one that was found last hold all of a range, and none is locked. 0: it may be
 * otherwise. */
static inline int range_known(const struct mm *mm, u64 start, u64 end)
{
	const struct area *area = mm->seen;

	if (!area || area->start >= end || area->end < end || area->flags & AREA_LOCKED)
		return 0;
	while (area->start > start) {
		const struct area *below = container_of(area->link.prev, struct area, link);

		if (area->link.prev == &mm->areas || below->end != area->start ||
		    below->flags & AREA_LOCKED)
			return 0;
		area = below;
	}
	return 1;
}

static inline const struct mm_node *node_in(u64 slot)
{
	return (const struct mm_node *)slot;
}

/* Pages of a leaf from one on, and up to one: whether none is there. */
static inline int leaf_empty_from(const struct mm_node *leaf, u32 page)
{
	return !leaf || (!(leaf->any[LEAF_USED] >> page / 64 >> 1) &&
			 !(leaf->map[LEAF_USED][page / 64] >> page % 64));
}

static inline int leaf_empty_to(const struct mm_node *leaf, u32 page)
{
	return !leaf || (!(leaf->any[LEAF_USED] & ((1ul << page / 64) - 1)) &&
			 !(leaf->map[LEAF_USED][page / 64] << (63 - page % 64)));
}

/* Whether a range over more than one leaf, in one GiB, has no page, neither here nor in swap space; 0: it may have one. */
static inline int range_empty(const struct mm *mm, u64 start, u64 end)
{
	u64 first = start >> 21, last = (end - 1) >> 21;

	if (mm->swapped || first >= last || (first ^ last) >> 9)
		return 0;
	const struct mm_node *node = node_in(mm->root.slot[start >> 39 & 511]);
	if (node)
		node = node_in(node->slot[start >> 30 & 511]);
	if (!node)
		return 0;
	const u64 *slot = node->slot + (first & 511), *end_slot = node->slot + (last & 511);
	if (!leaf_empty_from(node_in(*slot), start / PAGE & 511) ||
	    !leaf_empty_to(node_in(*end_slot), (end - 1) / PAGE & 511))
		return 0;
	while (++slot < end_slot)
		if (*slot && node_in(*slot)->any[LEAF_USED])
			return 0;
	return 1;
}

/* What a thread that ends does with its stack, of which it has mostly used nothing but the last pages, is nothing. */
s64 quick_madvise(u64 addr, u64 bytes, u64 advice, u64 d, u64 e, u64 f)
{
	struct mm *mm = current()->proc->mm;
	u64 end = addr + bytes;

	(void)d, (void)e, (void)f;
	if (!lock_take(current()))
		return QUICK_NO;
	if (advice == MADV_DONTNEED && !((addr | bytes) & (PAGE - 1)) && addr < end &&
	    end <= PROGRAM_TOP && range_known(mm, addr, end) && range_empty(mm, addr, end))
		return quick_end(0);
	return quick_end(sys_madvise(addr, bytes, advice));
}

/* One area's part of a range, of which more is there. 0, or why not. */
static s64 advise(struct mm *mm, struct area *area, u64 start, u64 end, u64 advice)
{
	switch (advice) {
	case MADV_FREE:
		if (area->inode || area->flags & MAP_SHARED)
			return -EINVAL;
		__attribute__((fallthrough));
	case MADV_DONTNEED:
		if (area->flags & AREA_LOCKED)
			return -EINVAL;
		__attribute__((fallthrough));
	case MADV_DONTNEED_LOCKED:
		/* Private pages come back as zeroes or from the file. Shared ones stay where they are kept. */
		if (area->inode || !(area->flags & MAP_SHARED))
			pages_unmap(mm, start, end);
		return 0;
	case MADV_COLD:
	case MADV_PAGEOUT:
		return area->flags & AREA_LOCKED ? -EINVAL : 0;
	case MADV_DONTDUMP:
	case MADV_DODUMP:
		if (area_split(mm, start, end))
			return -ENOMEM;
		for (area = area_from(mm, start); area && area->start < end;
		     area = area_next(mm, area))
			area->flags = advice == MADV_DONTDUMP ? area->flags | AREA_NO_DUMP
							      : area->flags & ~AREA_NO_DUMP;
		area_merge(mm, start, end);
		return 0;
	default: /* a hint about what is going to be used, and when */
		return 0;
	}
}

/* Brings in each page as one who reads it or writes to it would. What was brought in before an error stays. */
static s64 populate(struct mm *mm, u64 start, u64 end, int write)
{
	for (u64 va = start; va < end; va += PAGE) {
		const struct area *area = mm_find(mm, va);
		int sig;

		if (!area)
			return -ENOMEM;
		if (!(area->prot & (write ? PROT_WRITE : PROT_READ)))
			return -EINVAL;
		sig = mm_bring(mm, va, write ? FAULT_WRITE : 0);
		if (sig)
			return sig == SIGBUS || sig == SIGSEGV ? -EFAULT : -ENOMEM;
	}
	return 0;
}

static int advice_known(u64 advice)
{
	static const u64 known = 1ul << MADV_NORMAL | 1ul << MADV_RANDOM | 1ul << MADV_SEQUENTIAL |
				 1ul << MADV_WILLNEED | 1ul << MADV_DONTNEED | 1ul << MADV_FREE |
				 1ul << MADV_HUGEPAGE | 1ul << MADV_NOHUGEPAGE |
				 1ul << MADV_DONTDUMP | 1ul << MADV_DODUMP | 1ul << MADV_COLD |
				 1ul << MADV_PAGEOUT | 1ul << MADV_POPULATE_READ |
				 1ul << MADV_POPULATE_WRITE | 1ul << MADV_DONTNEED_LOCKED;
	return advice < 64 && known >> advice & 1;
}

s64 sys_madvise(u64 addr, u64 bytes, u64 advice)
{
	struct mm *mm = current()->proc->mm;
	u64 end = addr + page_up(bytes), at = addr;
	s64 error;

	if (!advice_known(advice) || addr & (PAGE - 1) || end < addr || (bytes && !page_up(bytes)))
		return -EINVAL;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return populate(mm, addr, end, advice == MADV_POPULATE_WRITE);
	/* Area by area, up to one that refuses; what nobody mapped is passed over, and said. */
	for (struct area *area = area_from(mm, addr); area && area->start < end;
	     area = area_from(mm, at)) {
		u64 start = max(addr, area->start), stop = min(end, area->end);

		error = advise(mm, area, start, stop, advice);
		if (error)
			return error;
		at = stop;
		if (at == end)
			break;
	}
	return area_mapped(mm, addr, end) ? 0 : -ENOMEM;
}
