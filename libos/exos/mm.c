/* SPDX-License-Identifier: MIT
 * A process's memory as a whole: making it, copying it for fork, letting it go, writing into it. */
#include "file.h"
#include "ipc.h"
#include "mm_internal.h"
#include "pressure.h"
#include "proc.h"
#include "proc_internal.h"
#include "profile.h"
#include "sched.h"
#include "swap.h"
#include <core/string.h>

#define MMAP_TOP (PROGRAM_TOP - (256ul << 20)) /* the stack grows down to here at most */

struct list all_mms = {&all_mms, &all_mms};

static struct mm *mm_new(void)
{
	struct mm *mm = kmalloc(sizeof(*mm));

	if (mm && pages_create(mm)) {
		kfree(mm);
		return NULL;
	}
	if (mm)
		list_init(&mm->old);
	return mm;
}

struct mm *mm_create(const void *program, u32 forked)
{
	struct mm *mm = pool_take(program, forked);

	if (!mm)
		mm = mm_new();
	if (!mm)
		return NULL;
	mm->refs = 1;
	mm->rss_most = 0;
	mm->mmap_top = MMAP_TOP;
	mm->program = program;
	mm->forked = forked;
	list_init(&mm->areas);
	list_add_tail(&all_mms, &mm->all);
	profile_space(mm);
	return mm;
}

void mm_get(struct mm *mm)
{
	mm->refs++;
}

void mm_put(struct mm *mm)
{
	if (--mm->refs)
		return;
	swap_forget(mm);
	swap_drop(mm, 0, PROGRAM_TOP);
	list_del(&mm->all);
	if (mm->shm)
		shm_exit(mm);
	pool_put(mm);
}

/* Losing the right to execute is a shoot-down on every processor that runs the space; none of them goes on before it has
 * taken that interrupt. The page is one that each program has: of stubs, or the vDSO's; a processor that meets the moment without the right finds it back in mm_fault. */
void mm_interrupt(struct mm *mm)
{
	u64 at = mm->stub_page ? mm->stub_page : mm->vdso;
	u64 *word = at ? pages_word(mm, at, 0) : NULL;

	if (!word || (*word & (MAPPED | MAPPED_EXEC)) != (MAPPED | MAPPED_EXEC))
		return;
	if (!(*word & MAPPED_BOUND))
		pages_touch(mm, at, word);
	u64 flags = *word & MAPPED_FLAGS & ~MAPPED;
	pages_protect(mm, at, word, flags & ~MAPPED_EXEC);
	pages_flush();
	pages_protect(mm, at, word, flags);
	pages_flush();
}

/* A page of the image that is its own, whatever its protection: 0, or as a fault's. */
static int page_own_once(struct mm *mm, u64 va, u8 **own)
{
	struct area *area = mm_find(mm, va);
	int code, sig;

	if (!area)
		return SIGSEGV;
	u64 *word = pages_word(mm, va, 1);
	if (!word)
		return FAULT_LATER;
	sig = *word & MAPPED
		      ? 0
		      : mm_fault_in(mm, va, area->prot & PROT_WRITE ? FAULT_WRITE : 0, &code);
	if (sig)
		return sig;
	*own = mapped_page(*word);
	*word &= ~MAPPED_TEXT;
	if (area->flags & MAP_SHARED || page_refs(*own) == 1)
		return 0;
	void *old = *own, *page = page_alloc(0);
	if (!page)
		return FAULT_LATER;
	memcpy(page, old, PAGE);
	pages_bind(mm, va, word, page, area_flags(area, 1) | MAPPED_OWN);
	pages_flush();
	page_put(old);
	*own = page;
	return 0;
}

/* Where there is no memory, another process ends for it; -ENOMEM: it is the caller that ends. -EFAULT: nothing is there. */
static s64 page_own(struct mm *mm, u64 va, u8 **own)
{
	int sig;

	do {
		sig = page_own_once(mm, va, own);
		if (sig == FAULT_LATER) /* exec and fork have no way to begin anew */
			sig = pressure_now(current()->proc);
	} while (sig == FAULT_AGAIN);
	if (!sig)
		return 0;
	return sig == SIGKILL ? -ENOMEM : -EFAULT;
}

s64 mm_poke(struct mm *mm, u64 to, const void *from, usize bytes)
{
	const u8 *source = from;

	while (bytes) {
		u64 at = to & (PAGE - 1);
		usize n = min(bytes, PAGE - at);
		u8 *page = NULL;
		s64 error = page_own(mm, page_down(to), &page);

		if (error)
			return error;
		memcpy(page + at, source, n);
		source += n;
		to += n;
		bytes -= n;
	}
	return 0;
}

/* Takes the file's own pages out of an area's part; copies that the program made stay. */
static void area_unmapped(struct mm *mm, const struct area *area, u64 from, u64 to)
{
	u64 start = area->start + max(from, area->offset) - area->offset;
	u64 end = min(area->end, area->start + to - area->offset);

	for (u64 va = start; va < end; va += PAGE) {
		const u64 *word = pages_word(mm, va, 0);

		if (word && (*word & (MAPPED | MAPPED_OWN)) == MAPPED)
			pages_unmap(mm, va, va + PAGE);
	}
}

void mm_inode_unmapped(struct inode *inode, u64 from, u64 to)
{
	mm_inode_gone(inode);
	for (struct list *m = all_mms.next; m != &all_mms; m = m->next) {
		struct mm *mm = container_of(m, struct mm, all);

		for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
			struct area *area = container_of(at, struct area, link);
			u64 end = area->offset + (area->end - area->start);

			if (area->inode == inode && area->offset < to && end > from)
				area_unmapped(mm, area, from, to);
		}
	}
}

void mm_inode_truncated(struct inode *inode, u64 size)
{
	mm_inode_gone(inode);
	for (struct list *m = all_mms.next; m != &all_mms; m = m->next) {
		struct mm *mm = container_of(m, struct mm, all);

		for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
			struct area *area = container_of(at, struct area, link);
			u64 bytes = area->end - area->start, keep;

			if (area->inode != inode)
				continue;
			keep = size > area->offset ? min(bytes, page_up(size - area->offset)) : 0;
			if (keep < bytes)
				pages_unmap(mm, area->start + keep, area->end);
		}
	}
}

void mm_inode_replaced(struct inode *inode, u64 index, const void *old, void *page)
{
	mm_inode_gone(inode);
	for (struct list *m = all_mms.next; m != &all_mms; m = m->next) {
		struct mm *mm = container_of(m, struct mm, all);

		for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
			struct area *area = container_of(at, struct area, link);
			u64 va = area->start + index * PAGE - area->offset;

			if (area->inode != inode || index * PAGE < area->offset || va >= area->end)
				continue;
			u64 *word = pages_word(mm, va, 0);
			if (!word || !(*word & MAPPED) || mapped_page(*word) != old)
				continue;
			page_get(page);
			pages_bind(mm, va, word, page,
				   *word & (MAPPED_FLAGS | MAPPED_KINDS) & ~MAPPED);
		}
	}
	pages_flush();
}

int mm_inode_writable(const struct inode *inode)
{
	for (struct list *m = all_mms.next; m != &all_mms; m = m->next) {
		struct mm *mm = container_of(m, struct mm, all);

		for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
			const struct area *area = container_of(at, struct area, link);

			if (area->inode == inode && area->flags & MAP_SHARED &&
			    !(area->flags & AREA_READ_ONLY))
				return 1;
		}
	}
	return 0;
}
