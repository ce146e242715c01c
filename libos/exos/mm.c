/* SPDX-License-Identifier: MIT
 * A process's memory as a whole: making it, copying it for fork, letting it go, writing into it. */
#include "file.h"
#include "mm_internal.h"
#include "proc.h"
#include "proc_internal.h"
#include "sched.h"
#include <core/string.h>

#define MMAP_TOP (PROGRAM_TOP - (256ul << 20)) /* the stack grows down to here at most */

static struct list all_mms = {&all_mms, &all_mms};

/* Empty ones with their tables, for the next process: making and breaking tables costs most of a fork. */
#define CACHE 8u
#define CACHE_TABLES 24u
static struct mm *cache[CACHE];
static u32 cached;

static struct mm *mm_new(void)
{
	struct mm *mm = kmalloc(sizeof(*mm));

	if (mm && pages_create(mm)) {
		kfree(mm);
		return NULL;
	}
	return mm;
}

struct mm *mm_create(void)
{
	struct mm *mm = cached ? cache[--cached] : mm_new();

	if (!mm)
		return NULL;
	mm->refs = 1;
	mm->mmap_top = MMAP_TOP;
	list_init(&mm->areas);
	list_add_tail(&all_mms, &mm->all);
	return mm;
}

void mm_get(struct mm *mm)
{
	mm->refs++;
}

/* Empty, as if new but for its tables. */
static void mm_recycle(struct mm *mm)
{
	struct mm_node root = mm->root;
	u32 tables = mm->tables;

	memset(mm, 0, sizeof(*mm));
	mm->root = root;
	mm->space = root.table;
	mm->tables = tables;
	cache[cached++] = mm;
}

void mm_put(struct mm *mm)
{
	if (--mm->refs)
		return;
	list_del(&mm->all);
	while (!list_empty(&mm->areas)) {
		struct area *area = container_of(mm->areas.next, struct area, link);

		list_del(&area->link);
		if (area->inode)
			inode_put(area->inode);
		kfree(area);
	}
	if (cached < CACHE && mm->tables <= CACHE_TABLES) {
		pages_unmap(mm, 0, PROGRAM_TOP);
		mm_recycle(mm);
	} else {
		pages_destroy(mm);
		kfree(mm);
	}
}

/* Calls fn for each mapped page of an area. */
static void area_pages(struct mm *mm, struct area *area,
		       void (*fn)(struct mm *, u64, u64 *, void *), void *data)
{
	for (u64 va = pages_next(mm, area->start, area->end); va < area->end;) {
		u64 *word = pages_word(mm, va, 0);
		u64 stop = min(area->end, (va | 0x1fffff) + 1);

		for (; va < stop; va += PAGE, word++)
			if (*word & MAPPED)
				fn(mm, va, word, data);
		va = pages_next(mm, va, area->end);
		sched_breathe();
	}
}

/* Pages written since the last fork will be written again, by one side at least. As many as this are copied at
 * once, which is less work than two faults each. */
#define COPY_AT_FORK 24u

struct clone {
	struct mm *to;
	s64 error;
	u32 copies; /* left to make */
	int shared; /* the area is */
};

/* Makes the parent's page read-only, but for those that are to be copied. */
static void page_narrow(struct mm *mm, u64 va, u64 *word, void *data)
{
	struct clone *clone = data;

	if (!(*word & MAPPED_WRITE))
		return;
	if (clone->copies && page_refs(mapped_page(*word)) == 1)
		clone->copies--;
	else
		pages_protect(mm, va, word, *word & MAPPED_FLAGS & ~(MAPPED | MAPPED_WRITE));
}

/* What is still writable now, and private, is copied. */
static void page_share(struct mm *mm, u64 va, u64 *word, void *data)
{
	struct clone *clone = data;
	u64 *copy = clone->error ? NULL : pages_word(clone->to, va, 1);
	void *page = mapped_page(*word);

	(void)mm;
	if (!clone->shared && *word & MAPPED_WRITE) {
		void *own = page_alloc(0);

		if (own)
			memcpy(own, page, PAGE);
		page = own;
	} else {
		page_get(page);
	}
	if (!copy || !page) {
		clone->error = -ENOMEM;
		if (page)
			page_put(page);
		return;
	}
	pages_bind(clone->to, va, copy, page, *word & MAPPED_FLAGS & ~MAPPED);
}

/* Private pages become read-only on both sides: whoever writes first while both have it copies it. */
static s64 clone_pages(struct mm *to, struct mm *from)
{
	struct clone clone = {.to = to, .copies = COPY_AT_FORK};
	struct list *at;

	/* Others that write meanwhile: their pages are taken as they are at one instant. */
	if (from->refs > 1 || current()->proc->nthreads > 1)
		clone.copies = 0;

	for (at = from->areas.prev; at != &from->areas; at = at->prev) { /* the stack first */
		struct area *area = container_of(at, struct area, link);

		if (!(area->flags & MAP_SHARED))
			area_pages(from, area, page_narrow, &clone);
	}
	pages_flush();
	for (at = from->areas.next; at != &from->areas; at = at->next) {
		struct area *area = container_of(at, struct area, link);

		clone.shared = !!(area->flags & MAP_SHARED);
		area_pages(from, area, page_share, &clone);
	}
	pages_flush();
	return clone.error;
}

struct mm *mm_clone(struct mm *from)
{
	struct mm *mm = mm_create();

	if (!mm)
		return NULL;
	mm->brk_start = from->brk_start, mm->brk = from->brk;
	mm->mmap_top = from->mmap_top, mm->stack_top = from->stack_top;
	mm->arg_start = from->arg_start, mm->arg_end = from->arg_end;
	mm->env_start = from->env_start, mm->env_end = from->env_end;
	mm->vdso = from->vdso;
	mm->stub_page = from->stub_page, mm->stub_used = from->stub_used;
	for (struct list *at = from->areas.next; at != &from->areas; at = at->next) {
		const struct area *area = container_of(at, struct area, link);
		struct area *copy = kmalloc(sizeof(*copy));

		if (!copy) {
			mm_put(mm);
			return NULL;
		}
		*copy = *area;
		if (copy->inode)
			inode_get(copy->inode);
		list_add_tail(&mm->areas, &copy->link);
	}
	if (clone_pages(mm, from)) {
		mm_put(mm);
		return NULL;
	}
	return mm;
}

/* Losing the right to execute is a shoot-down on every processor that runs the space; none of them goes on before it has
 * taken that interrupt. The page is one that each program has as soon as a call of its was rewritten; a processor
 * that meets the moment without the right finds it back in mm_fault. */
void mm_interrupt(struct mm *mm)
{
	u64 *word = mm->stub_page ? pages_word(mm, mm->stub_page, 0) : NULL;

	if (!word || (*word & (MAPPED | MAPPED_EXEC)) != (MAPPED | MAPPED_EXEC))
		return;
	u64 flags = *word & MAPPED_FLAGS & ~MAPPED;
	pages_protect(mm, mm->stub_page, word, flags & ~MAPPED_EXEC);
	pages_flush();
	pages_protect(mm, mm->stub_page, word, flags);
	pages_flush();
}

/* A page of the image that is its own, whatever its protection. NULL: none there, or no memory. */
static u8 *page_own(struct mm *mm, u64 va)
{
	struct area *area = mm_find(mm, va);
	int code;

	if (!area)
		return NULL;
	u64 *word = pages_word(mm, va, 1);
	if (!word)
		return NULL;
	if (!(*word & MAPPED) &&
	    mm_fault_in(mm, va, area->prot & PROT_WRITE ? FAULT_WRITE : 0, &code))
		return NULL;
	void *old = mapped_page(*word);
	if (area->flags & MAP_SHARED || page_refs(old) == 1)
		return old;
	void *page = page_alloc(0);
	if (!page)
		return NULL;
	memcpy(page, old, PAGE);
	pages_bind(mm, va, word, page, area_flags(area, 1));
	pages_flush();
	page_put(old);
	return page;
}

int mm_poke(struct mm *mm, u64 to, const void *from, usize bytes)
{
	const u8 *source = from;

	while (bytes) {
		u64 at = to & (PAGE - 1);
		usize n = min(bytes, PAGE - at);
		u8 *page = page_own(mm, page_down(to));

		if (!page)
			return -EFAULT;
		memcpy(page + at, source, n);
		source += n;
		to += n;
		bytes -= n;
	}
	return 0;
}

void mm_inode_truncated(struct inode *inode, u64 size)
{
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
			pages_bind(mm, va, word, page, *word & MAPPED_FLAGS & ~MAPPED);
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
