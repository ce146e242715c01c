/* SPDX-License-Identifier: MIT
 * Linux's calls on memory. Family lock throughout. */
#include "inode.h"
#include "limits.h"
#include "mlock.h"
#include "mm_internal.h"
#include "proc.h"
#include "swap.h"

#define MMAP_MIN 0x10000ul
#define RLIMIT_DATA_INDEX 2
#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

static struct mm *own(void)
{
	return current()->proc->mm;
}

/* What can be read can be run, where the process asked for that. */
static u64 prot_implied(u64 prot)
{
	return prot & PROT_READ && current()->proc->personality & READ_IMPLIES_EXEC
		       ? prot | PROT_EXEC
		       : prot;
}

s64 sys_brk(u64 addr)
{
	struct mm *mm = own();
	u64 old = page_up(mm->brk), end = page_up(addr);

	if (addr < mm->brk_start || addr >= PROGRAM_TOP)
		return mm->brk;
	if (end < old) {
		if (area_unmap(mm, end, old))
			return mm->brk;
	} else if (end > old) {
		struct area *next = area_from(mm, old);

		if (addr - mm->brk_start > current()->proc->limit_cur[RLIMIT_DATA_INDEX])
			return mm->brk;
		if (limit_memory(mm, 0, end - old) || (next && next->start < end) ||
		    (end - old) / PAGE > pages_total() + swap_counts.slots ||
		    mm_map(mm, old, end - old, (u32)prot_implied(PROT_READ | PROT_WRITE),
			   MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0))
			return mm->brk;
		mlock_mapped(mm, old, end, 0);
	}
	mm->brk = addr;
	return addr;
}

/* Whether f may be mapped so. 0 or -EACCES, -ENODEV. Adds to *flags what is to be remembered. */
static s64 file_check(const struct file *f, u64 prot, u64 *flags)
{
	u32 access = f->flags & O_ACCMODE;

	if (access == O_WRONLY)
		return -EACCES;
	if (*flags & MAP_SHARED && access != O_RDWR) {
		if (prot & PROT_WRITE)
			return -EACCES;
		*flags |= AREA_READ_ONLY;
	}
	if (!f->inode || !S_ISREG(f->inode->mode))
		return -ENODEV;
	if (*flags & MAP_SHARED && f->inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) {
		if (prot & PROT_WRITE)
			return -EPERM;
		*flags |= AREA_READ_ONLY;
	}
	return 0;
}

/* The address for a mapping: 0 is never one. -EINVAL, -EPERM, -ENOMEM, -EEXIST. */
static s64 mmap_place(struct mm *mm, u64 addr, u64 bytes, u64 flags)
{
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (addr & (PAGE - 1))
			return -EINVAL;
		if (bytes > PROGRAM_TOP || addr > PROGRAM_TOP - bytes)
			return -ENOMEM;
		if (addr < MMAP_MIN)
			return -EPERM;
		struct area *there = area_from(mm, addr);
		if (flags & MAP_FIXED_NOREPLACE && there && there->start < addr + bytes)
			return -EEXIST;
		return addr;
	}
	addr = area_place(mm, addr, bytes);
	return addr ? (s64)addr : -ENOMEM;
}

s64 sys_mmap(u64 addr, u64 bytes, u64 prot, u64 flags, u64 fd, u64 offset)
{
	struct mm *mm = own();
	struct file *f = NULL;
	u64 type = flags & MAP_TYPE;

	if (offset & (PAGE - 1))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		f = fd_file((u32)fd);
		if (!f)
			return -EBADF;
	} else if (flags & MAP_HUGETLB) {
		return -EINVAL;
	}
	if (!bytes)
		return -EINVAL;
	bytes = page_up(bytes);
	if (!bytes || bytes > PROGRAM_TOP)
		return -ENOMEM;
	if (offset + bytes < offset)
		return -EOVERFLOW;
	if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && flags & MAP_SYNC)
		return -EOPNOTSUPP;
	if (mlock_check(mm, bytes, (flags & MAP_LOCKED) != 0))
		return -EAGAIN;
	s64 at = mmap_place(mm, addr, bytes, flags);
	if (at < 0)
		return at;
	if (limit_memory(mm, (u64)at, bytes))
		return -ENOMEM;
	u64 kept = (flags & (MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_NORESERVE)) |
		   (type == MAP_PRIVATE ? MAP_PRIVATE : MAP_SHARED);
	prot = prot_implied(prot);
	s64 error = f ? file_check(f, prot, &kept) : 0;
	if (error)
		return error;
	int shared_memory = !f && kept & MAP_SHARED;
	if (shared_memory && bytes / PAGE > pages_free())
		return -ENOMEM;
	if (!f && prot & PROT_WRITE && !(flags & MAP_NORESERVE) &&
	    bytes / PAGE > pages_total() + swap_counts.slots)
		return -ENOMEM;
	error = mm_map(mm, at, bytes, prot & PROT_ALL, kept, f ? f->inode : NULL, offset);
	if (error)
		return error;
	if (shared_memory) {
		error = area_populate(mm, at, at + bytes);
		if (error) {
			pages_flush();
			area_unmap(mm, at, at + bytes);
			return error;
		}
	}
	mlock_mapped(mm, (u64)at, (u64)at + bytes, (flags & MAP_LOCKED) != 0);
	if (flags & MAP_POPULATE && !f && !shared_memory && prot & PROT_WRITE)
		area_populate(mm, at, at + bytes);
	pages_flush();
	return at;
}

s64 sys_munmap(u64 addr, u64 bytes)
{
	if (addr & (PAGE - 1) || !bytes || bytes > PROGRAM_TOP || addr > PROGRAM_TOP - bytes)
		return -EINVAL;
	return area_unmap(own(), addr, addr + page_up(bytes));
}

/* mprotect inside one area. */
static s64 area_protect(struct mm *mm, struct area *area, u64 start, u64 end, u32 prot)
{
	if (prot & PROT_WRITE && area->flags & AREA_READ_ONLY)
		return -EACCES;
	if (area->prot == prot)
		return 0;
	if (area->start < start) {
		area = area_cut(area, start);
		if (!area)
			return -ENOMEM;
	}
	if (area->end > end && !area_cut(area, end)) {
		area_join(mm, area);
		return -ENOMEM;
	}
	area->prot = prot;
	pages_reprotect(mm, start, end, area_flags(area, 0), !!(prot & PROT_WRITE));
	pages_flush();
	area_join(mm, area);
	return 0;
}

s64 sys_mprotect(u64 addr, u64 bytes, u64 prot)
{
	struct mm *mm = own();
	u64 end = addr + page_up(bytes), at = addr;

	if (addr & (PAGE - 1))
		return -EINVAL;
	if (!bytes)
		return 0;
	if (end <= addr)
		return -ENOMEM;
	if (prot & ~(u64)(PROT_ALL | PROT_GROWSDOWN | PROT_GROWSUP) || prot & PROT_GROWSUP)
		return -EINVAL;
	prot = prot_implied(prot);
	struct area *area = mm_find(mm, addr);
	if (prot & PROT_GROWSDOWN) {
		if (!area || !(area->flags & MAP_GROWSDOWN))
			return area ? -EINVAL : -ENOMEM;
		addr = at = area->start;
	}
	if (area && area->end >= end)
		return area_protect(mm, area, addr, end, prot & PROT_ALL);
	s64 error = area_split(mm, addr, min(end, PROGRAM_TOP));
	for (area = mm_find(mm, addr); !error && at < end; area = area_next(mm, area)) {
		if (!area || area->start != at) {
			error = -ENOMEM;
			break;
		}
		if (prot & PROT_WRITE && area->flags & AREA_READ_ONLY) {
			error = -EACCES;
			break;
		}
		area->prot = prot & PROT_ALL;
		pages_reprotect(mm, area->start, area->end, area_flags(area, 0),
				!!(prot & PROT_WRITE));
		at = area->end;
	}
	pages_flush();
	area_merge(mm, addr, end);
	return error;
}

/* Moves the pages of [from, from + bytes) to `to`, where nothing is. 0 or -ENOMEM with nothing moved. */
static s64 pages_move(struct mm *mm, u64 from, u64 to, u64 bytes)
{
	struct page_walk w;

	pages_walk(&w, mm, from, from + bytes, LEAF_USED);
	while (page_next(&w))
		if (!pages_word(mm, w.va - from + to, 1))
			return -ENOMEM;
	pages_walk(&w, mm, from, from + bytes, LEAF_USED);
	while (page_next(&w)) {
		u64 va = w.va - from + to;

		page_get(mapped_page(*w.word));
		pages_bind(mm, va, pages_word(mm, va, 0), mapped_page(*w.word),
			   *w.word & (MAPPED_FLAGS | MAPPED_KINDS) & ~MAPPED);
	}
	pages_flush();
	return swap_move(mm, from, to, bytes);
}

/* Makes room for `bytes` elsewhere and moves the first old_bytes there. */
static s64 remap_move(struct mm *mm, u64 old, u64 old_bytes, u64 bytes, u64 to)
{
	struct area area = *mm_find(mm, old);
	u64 moved = min(old_bytes, bytes);
	s64 error = mm_map(mm, to, bytes, area.prot, area.flags, area.inode,
			   area.offset + (old - area.start));

	if (error)
		return error;
	error = pages_move(mm, old, to, moved);
	if (error) {
		area_unmap(mm, to, to + bytes);
		return error;
	}
	area_unmap(mm, old, old + old_bytes);
	return to;
}

/* Grows a mapping where it is, if what follows is free. 0: it cannot. */
static int remap_grow(struct mm *mm, u64 old, u64 old_bytes, u64 bytes)
{
	struct area *area = mm_find(mm, old), *next = area_next(mm, area);

	if (area->end != old + old_bytes || old + bytes > PROGRAM_TOP ||
	    (next && next->start < old + bytes))
		return 0;
	area->end = old + bytes;
	return 1;
}

s64 sys_mremap(u64 old, u64 old_bytes, u64 bytes, u64 flags, u64 to)
{
	struct mm *mm = own();

	if (flags & ~(u64)(MREMAP_MAYMOVE | MREMAP_FIXED) || old & (PAGE - 1) || !bytes)
		return -EINVAL;
	old_bytes = page_up(old_bytes);
	bytes = page_up(bytes);
	if (!bytes || bytes > PROGRAM_TOP)
		return -EINVAL;
	if (flags & MREMAP_FIXED &&
	    (!(flags & MREMAP_MAYMOVE) || to & (PAGE - 1) || to > PROGRAM_TOP - bytes ||
	     (to < old + old_bytes && old < to + bytes)))
		return -EINVAL;
	struct area *area = mm_find(mm, old);
	if (!area)
		return -EFAULT;
	if (flags & MREMAP_FIXED && to < MMAP_MIN)
		return -EPERM;
	if (min(old_bytes, bytes) > area->end - old && (flags & MREMAP_FIXED || bytes > old_bytes))
		return -EFAULT;
	if (!old_bytes)
		return -EINVAL;
	/* What goes, and what stays where it is, may be of several areas, or nobody's. */
	if (bytes <= old_bytes) {
		s64 error = bytes < old_bytes ? area_unmap(mm, old + bytes, old + old_bytes) : 0;
		if (error || !(flags & MREMAP_FIXED))
			return error ? error : (s64)old;
		old_bytes = bytes;
		area = mm_find(mm, old);
	}
	int shared_memory = !area->inode && area->flags & MAP_SHARED;
	s64 at = old;
	if (bytes > old_bytes && limit_memory(mm, 0, bytes - old_bytes))
		return -ENOMEM;
	if (flags & MREMAP_FIXED) {
		at = remap_move(mm, old, old_bytes, bytes, to);
	} else if (bytes > old_bytes && !remap_grow(mm, old, old_bytes, bytes)) {
		if (!(flags & MREMAP_MAYMOVE))
			return -ENOMEM;
		to = area_place(mm, 0, bytes);
		at = to ? remap_move(mm, old, old_bytes, bytes, to) : -ENOMEM;
	}
	if (at > 0 && shared_memory && area_populate(mm, at, at + bytes))
		return -ENOMEM;
	return at;
}

/* Shared pages are the page cache's own: nothing is to be written back. */
s64 sys_msync(u64 addr, u64 bytes, u64 flags)
{
	if (addr & (PAGE - 1) || flags & ~(u64)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	u64 end = addr + page_up(bytes);
	if (end < addr)
		return -ENOMEM;
	struct mm *mm = own();
	struct area *area = flags & MS_INVALIDATE ? area_from(mm, addr) : NULL;
	for (; area && area->start < end; area = area_next(mm, area))
		if (area->flags & AREA_LOCKED)
			return -EBUSY;
	return area_mapped(mm, addr, end) ? 0 : -ENOMEM;
}

s64 sys_mincore(u64 addr, u64 bytes, u64 vec)
{
	struct mm *mm = own();
	u64 end = addr + page_up(bytes);

	if (addr & (PAGE - 1))
		return -EINVAL;
	if (end < addr || end > PROGRAM_TOP || !area_mapped(mm, addr, end))
		return -ENOMEM;
	for (; addr < end; addr += PAGE, vec++) {
		u64 *word = pages_word(mm, addr, 0);
		u8 there = word && *word & MAPPED;

		if (copy_out(vec, &there, 1))
			return -EFAULT;
	}
	return 0;
}
