/* SPDX-License-Identifier: MIT
 * Page faults: pages appear when they are touched, and are copied when they are written. */
#include "inode.h"
#include "limits.h"
#include "mm_internal.h"
#include "pressure.h"
#include "sched.h"
#include "swap.h"
#include <core/string.h>

#define STACK_GAP (256 * PAGE) /* kept free below a stack that grows */
#define STACK_LIMIT (8ul << 20)
#define AROUND 16ul	/* pages of a file that are bound together */
#define HELD_AROUND 8ul /* pages that fork left unbound */
#define DATA_MOST (1ul << 20)
#define RLIMIT_STACK_INDEX 3

/* The stack above addr, grown down to it. NULL: there is none, or it may not. */
static struct area *stack_grow(struct mm *mm, u64 addr)
{
	struct area *area = area_from(mm, addr);

	if (!area || !(area->flags & MAP_GROWSDOWN))
		return NULL;
	struct proc *p = current()->proc;
	u64 limit = p && p->limit_cur[RLIMIT_STACK_INDEX] ? p->limit_cur[RLIMIT_STACK_INDEX]
							  : STACK_LIMIT;
	u64 start = page_down(addr);
	if (area->end - start > limit || limit_memory(mm, 0, area->start - start))
		return NULL;
	if (area->link.prev != &mm->areas) {
		struct area *below = container_of(area->link.prev, struct area, link);

		if (start < below->end + STACK_GAP)
			return NULL;
	}
	area->start = start;
	return area;
}

static int fault_bus(int *code)
{
	*code = BUS_ADRERR;
	return SIGBUS;
}

/* No memory is left for a page that was promised: as on Linux, a process ends, this one or another. */
static int fault_memory(int *code)
{
	struct proc *p = current()->proc;

	*code = SI_KERNEL;
	return pressure_fault(p);
}

static u64 file_index(const struct area *area, u64 va)
{
	return (area->offset + (va - area->start)) / PAGE;
}

/* Binds what the page cache and the archive have around va, read-only. */
static void fault_around(struct mm *mm, struct area *area, u64 va)
{
	u64 from = max(area->start, va & ~(AROUND * PAGE - 1));
	u64 to = min(area->end, (va & ~(AROUND * PAGE - 1)) + AROUND * PAGE);

	for (u64 at = from; at < to; at += PAGE) {
		u64 *word = pages_word(mm, at, 0);

		if (!word || *word & MAPPED ||
		    file_index(area, at) * PAGE >= inode_size(area->inode))
			continue;
		void *page = inode_page_ready(area->inode, file_index(area, at));
		if (!page)
			continue;
		pages_bind(mm, at, word, page, area_flags(area, 0));
	}
}

/* A page of a file that is not bound yet. */
static int fault_file(struct mm *mm, struct area *area, u64 va, u64 *word, u64 error, int *code)
{
	u64 index = file_index(area, va);
	s64 failed;
	void *page;

	if (index * PAGE >= inode_size(area->inode))
		return fault_bus(code);
	if (area->flags & MAP_SHARED) {
		/* Never the archive's page: writes to the file must show here. */
		page = inode_page_write(area->inode, index, &failed);
		if (!page)
			return failed == -ENOMEM ? fault_memory(code) : fault_bus(code);
		pages_bind(mm, va, word, page, area_flags(area, 1) | MAPPED_SHARED);
		return 0;
	}
	page = inode_page(area->inode, index, &failed);
	if (!page)
		return failed == -ENOMEM ? fault_memory(code) : fault_bus(code);
	/* A program's data: read first or not, it will be written. */
	int data = area->prot & PROT_WRITE && area->end - area->start <= DATA_MOST;
	if (!(error & FAULT_WRITE) && !data) {
		pages_bind(mm, va, word, page, area_flags(area, 0));
		fault_around(mm, area, va);
		return 0;
	}
	void *copy = page_alloc(0);
	if (copy)
		memcpy(copy, page, PAGE);
	page_put(page);
	if (!copy)
		return fault_memory(code);
	pages_place(mm, va, word, copy, area_flags(area, 1) | MAPPED_OWN);
	return 0;
}

/* A write to a page that is there, but not for writing. */
static int fault_write(struct mm *mm, struct area *area, u64 va, u64 *word, int *code)
{
	void *old = mapped_page(*word);

	if (area->flags & MAP_SHARED || page_refs(old) == 1) {
		pages_protect(mm, va, word, area_flags(area, 1));
		if (!(*word & MAPPED_BOUND))
			pages_touch(mm, va, word);
		return 0;
	}
	void *page = page_alloc(0);
	if (!page)
		return fault_memory(code);
	memcpy(page, old, PAGE);
	pages_place(mm, va, word, page, area_flags(area, 1) | MAPPED_OWN);
	page_put(old);
	return 0;
}

/* Binds what is held at va and around it. */
static void fault_held(struct mm *mm, u64 va)
{
	u64 from = va & ~(HELD_AROUND * PAGE - 1);
	struct page_walk w;

	pages_walk(&w, mm, from, from + HELD_AROUND * PAGE, LEAF_USED);
	while (page_next(&w))
		if (!(*w.word & MAPPED_BOUND))
			pages_touch(mm, w.va, w.word);
}

/* A page that went out comes in. */
static int fault_swapped(struct mm *mm, const struct area *area, u64 va, u64 *word, int *code)
{
	u32 slot = swapped_slot(*word);
	void *page = page_alloc(0);

	if (!page)
		return fault_memory(code);
	if (swap_read(page, slot)) {
		page_put(page);
		return fault_bus(code);
	}
	pages_unswap(mm, va, word);
	swap_put(slot);
	swap_counts.in++;
	pages_place(mm, va, word, page, area_flags(area, 1) | MAPPED_OWN);
	return 0;
}

static int fault_once(struct mm *mm, u64 addr, u64 error, int *code)
{
	u64 va = page_down(addr);
	struct area *area = mm_find(mm, addr);
	int sig = 0;

	if (mm->doomed) {
		*code = SI_KERNEL;
		return SIGKILL;
	}
	if (!area)
		area = stack_grow(mm, addr);
	if (!area) {
		*code = SEGV_MAPERR;
		return SIGSEGV;
	}
	if (!area_allows(area, error)) {
		*code = SEGV_ACCERR;
		return SIGSEGV;
	}
	u64 *word = pages_word(mm, va, 1);
	if (!word)
		return fault_memory(code);
	if (*word & MAPPED) {
		if (error & FAULT_WRITE && !(*word & MAPPED_WRITE))
			sig = fault_write(mm, area, va, word, code);
		else if (!(*word & MAPPED_BOUND))
			fault_held(mm, va);
		else
			pages_protect(mm, va, word, area_flags(area, !!(*word & MAPPED_WRITE)));
	} else if (*word & SWAPPED) {
		sig = fault_swapped(mm, area, va, word, code);
	} else if (area->inode) {
		sig = fault_file(mm, area, va, word, error, code);
	} else {
		void *page = page_zalloc(0);

		if (!page)
			return fault_memory(code);
		pages_place(mm, va, word, page, area_flags(area, 1) | area_kind(area));
	}
	pages_flush();
	return sig;
}

int mm_fault_in(struct mm *mm, u64 addr, u64 error, int *code)
{
	int sig;

	swap_ahead();
	do
		sig = fault_once(mm, addr, error, code);
	while (sig == FAULT_AGAIN);
	return sig;
}

int mm_bring(struct mm *mm, u64 addr, u64 error)
{
	const u64 *word = pages_word(mm, addr, 0);
	u64 want = error & FAULT_WRITE ? MAPPED | MAPPED_WRITE : MAPPED;
	int code, sig;

	if (word && (*word & want) == want)
		return 0;
	sig = mm_fault_in(mm, addr, error, &code);
	if (!sig)
		sched_breathe();
	return sig;
}

int mm_fault(u64 addr, u64 error, int *code)
{
	struct proc *p = current()->proc;

	if (!p || !p->mm || addr >= PROGRAM_TOP) {
		*code = SEGV_MAPERR;
		return SIGSEGV;
	}
	p->minflt++;
	return mm_fault_in(p->mm, addr, error, code);
}
