/* SPDX-License-Identifier: MIT
 * Memory that is to stay: mlock and its like. A locked page is there, and nothing takes it: what ExOS gives back under
 * pressure (mm_reclaim, the cache of files) is never a page of a living process's areas. */
#include "caps.h"
#include "linux.h"
#include "mm_internal.h"
#include "mlock.h"
#include "proc.h"
#include "sched.h"

#define LOCK_ONFAULT 1u
#define ALL_CURRENT 1u
#define ALL_FUTURE 2u
#define ALL_ONFAULT 4u

static u64 locked_pages(const struct mm *mm)
{
	u64 pages = 0;
	for (const struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
		const struct area *a = container_of(at, struct area, link);
		pages += a->flags & AREA_LOCKED ? (a->end - a->start) / PAGE : 0;
	}
	return pages;
}

/* Whether so many pages more may be locked. 0, -EPERM: none at all, -ENOMEM. */
static s64 limit_check(u64 locked, u64 more)
{
	const struct proc *p = current()->proc;
	u64 limit = p->limit_cur[RLIMIT_MEMLOCK];
	if (capable(CAP_IPC_LOCK) || limit == RLIM_INFINITY)
		return 0;
	if (!limit)
		return -EPERM;
	return locked + more > limit / PAGE ? -ENOMEM : 0;
}

/* Brings in what may be touched at all; private pages that may be written are the space's own from then on. 0; -ENOMEM: a page that
 * nobody may touch, or of a file that ends before it, -EAGAIN: no memory. */
static s64 populate(struct mm *mm, u64 start, u64 end)
{
	for (u64 va = start; va < end; va += PAGE) {
		const struct area *area = mm_find(mm, va);
		if (!area || !area->prot)
			return -ENOMEM;
		u64 how = area->prot & (PROT_READ | PROT_WRITE) ? 0 : FAULT_EXEC;
		if (area->prot & PROT_WRITE && !(area->flags & MAP_SHARED))
			how = FAULT_WRITE;
		int sig = mm_bring(mm, va, how);
		if (sig)
			return sig == SIGBUS ? -ENOMEM : -EAGAIN;
	}
	return 0;
}

/* Marks a range, or takes the mark off, up to where nothing is mapped. 0; -ENOMEM: not all of it is. */
static s64 range_mark(struct mm *mm, u64 start, u64 end, int lock)
{
	s64 error = area_split(mm, start, end);
	u64 at = start;
	if (error)
		return error;
	for (struct area *a = area_from(mm, start); a && a->start <= at && at < end;
	     a = area_next(mm, a)) {
		a->flags = lock ? a->flags | AREA_LOCKED : a->flags & ~AREA_LOCKED;
		at = a->end;
	}
	area_merge(mm, start, end);
	return at < end ? -ENOMEM : 0;
}

static s64 range_check(u64 addr, u64 bytes, u64 *start, u64 *end)
{
	*start = page_down(addr);
	*end = page_up(addr + bytes);
	if (addr + bytes < addr || *end < *start)
		return -EINVAL;
	return *end > PROGRAM_TOP ? -ENOMEM : 0;
}

s64 sys_mlock2(u64 addr, u64 bytes, u64 flags)
{
	struct mm *mm = current()->proc->mm;
	u64 start, end, had = 0;
	if ((u32)flags & ~LOCK_ONFAULT)
		return -EINVAL;
	s64 error = range_check(addr, bytes, &start, &end);
	if (error || start == end)
		return error;
	for (const struct area *a = area_from(mm, start); a && a->start < end;
	     a = area_next(mm, (struct area *)a))
		had += a->flags & AREA_LOCKED ? (min(end, a->end) - max(start, a->start)) / PAGE
					      : 0;
	error = limit_check(locked_pages(mm), (end - start) / PAGE - had);
	if (!error)
		error = range_mark(mm, start, end, 1);
	if (!error && !(flags & LOCK_ONFAULT))
		error = populate(mm, start, end);
	return error;
}

s64 sys_mlock(u64 addr, u64 bytes)
{
	return sys_mlock2(addr, bytes, 0);
}

s64 sys_munlock(u64 addr, u64 bytes)
{
	u64 start, end;
	s64 error = range_check(addr, bytes, &start, &end);
	return error || start == end ? error : range_mark(current()->proc->mm, start, end, 0);
}

s64 sys_mlockall(u64 flags)
{
	struct mm *mm = current()->proc->mm;
	u64 pages = 0;
	if (!flags || flags & ~(u64)(ALL_CURRENT | ALL_FUTURE | ALL_ONFAULT) ||
	    flags == ALL_ONFAULT)
		return -EINVAL;
	for (const struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
		const struct area *a = container_of(at, struct area, link);
		pages += (a->end - a->start) / PAGE;
	}
	s64 error = limit_check(0, flags & ALL_CURRENT ? pages : 0);
	if (error)
		return error;
	mm->lock_future = flags & ALL_FUTURE ? flags & ALL_ONFAULT ? 2 : 1 : 0;
	if (!(flags & ALL_CURRENT))
		return 0;
	for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next)
		container_of(at, struct area, link)->flags |= AREA_LOCKED;
	for (struct area *a = area_from(mm, 0); a && !(flags & ALL_ONFAULT);) {
		u64 end = a->end;
		populate(mm, a->start, end);
		a = area_from(mm, end);
	}
	return 0;
}

s64 sys_munlockall(void)
{
	struct mm *mm = current()->proc->mm;
	mm->lock_future = 0;
	for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next)
		container_of(at, struct area, link)->flags &= ~AREA_LOCKED;
	return 0;
}

s64 mlock_check(const struct mm *mm, u64 bytes, int asked)
{
	if (!asked && !mm->lock_future)
		return 0;
	return limit_check(locked_pages(mm), bytes / PAGE) ? -EAGAIN : 0;
}

void mlock_mapped(struct mm *mm, u64 start, u64 end, int asked)
{
	if (!asked && !mm->lock_future)
		return;
	range_mark(mm, start, end, 1);
	if (asked || mm->lock_future == 1)
		populate(mm, start, end);
}
