/* SPDX-License-Identifier: MIT
 * The ranges of a program's half: finding, splitting, joining, placing. */
#include "file.h"
#include "ipc.h"
#include "mm_internal.h"
#include "profile.h"
#include "sched.h"
#include "swap.h"

#define PROGRAM_LOW 0x10000ul /* below it nothing is placed unasked */

u64 area_flags(const struct area *area, int writable)
{
	u64 flags = 0;

	if (!(area->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)))
		return MAPPED_NOREAD;
	if (area->prot & PROT_EXEC)
		flags |= MAPPED_EXEC;
	if (writable && area->prot & PROT_WRITE)
		flags |= MAPPED_WRITE;
	return flags;
}

u64 area_kind(const struct area *area)
{
	return area->flags & MAP_SHARED ? MAPPED_OWN | MAPPED_SHARED : MAPPED_OWN;
}

struct area *area_next(struct mm *mm, struct area *area)
{
	if (area->link.next == &mm->areas)
		return NULL;
	return container_of(area->link.next, struct area, link);
}

/* Where to begin the search for an address below the area that was found last: there, going back, if that is nearer than the
 * lowest one. */
static struct list *area_before(struct mm *mm, struct area *seen, u64 addr)
{
	struct list *at = &seen->link, *lowest = mm->areas.next;
	const struct area *below = container_of(at->prev, struct area, link);

	if (at != lowest && below->start <= addr)
		return below->end > addr ? at->prev : at;
	if (addr < container_of(lowest, struct area, link)->start ||
	    addr - container_of(lowest, struct area, link)->start < seen->start - addr)
		return lowest;
	while (at != lowest && container_of(at->prev, struct area, link)->end > addr)
		at = at->prev;
	return at;
}

/* `seen` is read once: who has the family lock looks for areas of others, whose own thread may look for one without it (trap.c). */
static __attribute__((noinline)) struct area *area_search(struct mm *mm, u64 addr)
{
	struct area *seen = __atomic_load_n(&mm->seen, __ATOMIC_RELAXED);
	struct list *at = mm->areas.next;

	if (seen)
		at = seen->start <= addr ? &seen->link : area_before(mm, seen, addr);
	for (; at != &mm->areas; at = at->next) {
		struct area *area = container_of(at, struct area, link);

		if (area->end > addr) {
			mm->seen = area;
			return area;
		}
	}
	return NULL;
}

struct area *area_from(struct mm *mm, u64 addr)
{
	struct area *area = mm->seen;

	if (!area || area->start > addr)
		return area_search(mm, addr);
	if (area->end > addr)
		return area;
	if (area->link.next == &mm->areas)
		return NULL;
	area = container_of(area->link.next, struct area, link);
	if (area->end <= addr)
		return area_search(mm, addr);
	mm->seen = area;
	return area;
}

struct area *mm_find(struct mm *mm, u64 addr)
{
	struct area *area = area_from(mm, addr);

	return area && area->start <= addr ? area : NULL;
}

struct area *area_cut(struct area *area, u64 at)
{
	struct area *upper = kmalloc_raw(sizeof(*upper));

	if (!upper)
		return NULL;
	*upper = *area;
	upper->start = at;
	if (area->inode) {
		upper->offset += at - area->start;
		inode_get(area->inode);
	}
	area->end = at;
	upper->link.next = area->link.next;
	upper->link.prev = &area->link;
	area->link.next->prev = &upper->link;
	area->link.next = &upper->link;
	return upper;
}

/* Cuts the area over `at` in two there, if it does not begin there. */
static s64 split_at(struct mm *mm, u64 at)
{
	struct area *area = mm_find(mm, at);

	if (!area || area->start == at)
		return 0;
	return area_cut(area, at) ? 0 : -ENOMEM;
}

s64 area_split(struct mm *mm, u64 start, u64 end)
{
	s64 error = split_at(mm, start);

	return error ? error : split_at(mm, end);
}

void area_free(struct mm *mm, struct area *area)
{
	mm->seen = NULL;
	list_del(&area->link);
	if (area->inode)
		inode_put(area->inode);
	kfree(area);
}

static int continues(const struct area *a, const struct area *b)
{
	return a->end == b->start && a->prot == b->prot && a->flags == b->flags &&
	       a->inode == b->inode && (!a->inode || a->offset + (a->end - a->start) == b->offset);
}

void area_merge(struct mm *mm, u64 start, u64 end)
{
	struct area *area = area_from(mm, start ? start - 1 : 0), *next;

	while (area && (next = area_next(mm, area)) && area->end <= end) {
		if (continues(area, next)) {
			area->end = next->end;
			area_free(mm, next);
		} else {
			area = next;
		}
	}
}

static int range_is_free(struct mm *mm, u64 start, u64 bytes)
{
	struct area *area = area_from(mm, start);

	return start >= PROGRAM_LOW && start <= PROGRAM_TOP - bytes &&
	       (!area || area->start >= start + bytes);
}

u64 area_place(struct mm *mm, u64 hint, u64 bytes)
{
	u64 end = mm->mmap_top;

	hint = page_up(hint);
	if (bytes > PROGRAM_TOP)
		return 0;
	if (hint && range_is_free(mm, hint, bytes))
		return hint;
	for (struct list *at = mm->areas.prev; at != &mm->areas; at = at->prev) {
		struct area *area = container_of(at, struct area, link);

		if (area->end <= end && end - area->end >= bytes)
			return end - bytes;
		end = min(end, area->start);
	}
	return end >= PROGRAM_LOW + bytes ? end - bytes : 0;
}

s64 area_unmap(struct mm *mm, u64 start, u64 end)
{
	struct area *area = area_from(mm, start), *next;

	if (!area || area->start >= end)
		return 0;
	if (area->start != start || area->end != end) {
		s64 error = area_split(mm, start, end);

		if (error)
			return error;
		area = area_from(mm, start);
	}
	for (; area && area->start < end; area = next) {
		next = area_next(mm, area);
		pages_unmap(mm, area->start, area->end);
		if (area->flags & AREA_SHM)
			shm_detached(area->inode);
		area_free(mm, area);
	}
	return 0;
}

void area_join(struct mm *mm, struct area *area)
{
	struct list *before = area->link.prev;
	struct area *next = area_next(mm, area);

	if (next && continues(area, next)) {
		area->end = next->end;
		area_free(mm, next);
	}
	mm->seen = area;
	if (before == &mm->areas)
		return;
	struct area *previous = container_of(before, struct area, link);
	if (!continues(previous, area))
		return;
	previous->end = area->end;
	area_free(mm, area);
	mm->seen = previous;
}

s64 mm_map(struct mm *mm, u64 start, u64 bytes, u32 prot, u32 flags, struct inode *inode,
	   u64 offset)
{
	struct area *area = kmalloc_raw(sizeof(*area));

	if (!area)
		return -ENOMEM;
	struct area *after = area_from(mm, start);
	if (after && after->start < start + bytes) {
		s64 error = area_unmap(mm, start, start + bytes);
		if (error) {
			kfree(area);
			return error;
		}
		after = area_from(mm, start);
	}
	area->start = start;
	area->end = start + bytes;
	area->prot = prot;
	area->flags = flags;
	area->inode = inode;
	area->offset = inode ? offset : 0;
	if (inode)
		inode_get(inode);
	list_add_tail(after ? &after->link : &mm->areas, &area->link);
	if (!list_empty(&mm->old))
		pool_claim(mm, area);
	profile_map(mm, start, start + bytes, prot, inode, offset);
	area_join(mm, area);
	return 0;
}

s64 area_populate(struct mm *mm, u64 start, u64 end)
{
	for (u64 va = start; va < end; va += PAGE) {
		struct area *area = mm_find(mm, va);
		u64 *word = area ? pages_word(mm, va, 1) : NULL;

		if (!word)
			return -ENOMEM;
		if (*word & MAPPED)
			continue;
		swap_ahead();
		void *page = page_zalloc(0);
		if (!page)
			return -ENOMEM;
		pages_bind(mm, va, word, page, area_flags(area, 1) | area_kind(area));
		sched_breathe();
	}
	pages_flush();
	return 0;
}

int area_mapped(struct mm *mm, u64 start, u64 end)
{
	const struct area *area = start < end ? mm_find(mm, start) : NULL;

	while (area && area->end < end) {
		const struct list *next = area->link.next;

		start = area->end;
		area = next == &mm->areas ? NULL : container_of(next, struct area, link);
		if (area && area->start != start)
			area = NULL;
	}
	return area || start >= end;
}
