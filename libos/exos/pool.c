/* SPDX-License-Identifier: MIT
 * Spaces of processes that are over, kept for the next ones: making and breaking spaces, tables, envs and bindings
 * costs most of what a short process costs. Family lock.
 *
 * What stays in a space, in the places that `old` says: bindings of the archive's pages, whatever their process read and executed;
 * text with jumps to stubs, and the stubs (rewrite.c); and some pages that the process wrote to, which nobody else has: their contents
 * are made anew before another process sees them. A process of the same program, with the same areas, finds its text bound.
 * What it does not have is unbound before it runs. Files other than the archive's are not held on to: who ended
 * no longer keeps them. */
#include "inode.h"
#include "mem.h"
#include "mm_internal.h"
#include "proc.h"
#include <core/string.h>

#define POOL_MOST 16u
#define TABLES_MOST 24u
#define PAGES_MOST 32u /* of its own that a space keeps */
#define LIVES \
	16u /* so many processes later it keeps none, once: who comes then shows again which are of use */

static struct list pool = {&pool, &pool}; /* by mm.all, oldest first */
static u32 pooled;

static struct area *area_first(struct list *list)
{
	return list_empty(list) ? NULL : container_of(list->next, struct area, link);
}

static void pool_destroy(struct mm *mm)
{
	list_del(&mm->all);
	pooled--;
	spare_destroy(&mm->spare);
	while (!list_empty(&mm->old))
		area_free(mm, area_first(&mm->old));
	pages_destroy(mm);
	kfree(mm);
}

/* Whether pages of an area may stay when its process is over. */
static int area_stays(const struct area *area)
{
	return !(area->flags & MAP_SHARED) &&
	       (!area->inode || (area->inode->file.archive && area->inode->nlink));
}

/* Whether a page may stay: nobody has to look after it, and the next process will probably write to it. */
static int page_stays(const struct area *area, u64 word, u32 *room)
{
	if (!*room || (word & (MAPPED_OWN | MAPPED_NOREAD)) != MAPPED_OWN)
		return 0;
	if (area->prot & PROT_WRITE && !(word & MAPPED_BOUND && page_refs(mapped_page(word)) == 1))
		return 0;
	--*room;
	return 1;
}

/* Lets go of the pages that cannot be of use. Returns stubs that stay. */
static u32 pages_leave(struct mm *mm, u32 room)
{
	struct area *area = area_first(&mm->areas);
	u32 stubs = 0, warms = room;
	struct page_walk w;

	pages_walk(&w, mm, 0, PROGRAM_TOP, LEAF_COUNTED);
	while (page_next(&w)) {
		u64 word = *w.word;

		while (area->end <= w.va)
			area = area_next(mm, area);
		if (word & MAPPED_TEXT) {
			stubs += !!(area->flags & AREA_STUBS);
		} else if (!page_stays(area, word, &room)) {
			if ((word & (MAPPED_BOUND | MAPPED_WRITE)) == MAPPED_BOUND && warms)
				leaf_set(w.leaf, LEAF_WARM, w.va);
			pages_drop(mm, w.va, w.word);
		}
	}
	return stubs;
}

/* Text whose stubs are not all there is no use to anybody. */
static void texts_drop(struct mm *mm, struct list *areas)
{
	struct page_walk w;

	for (struct list *at = areas->next; at != areas; at = at->next) {
		const struct area *area = container_of(at, struct area, link);

		pages_walk(&w, mm, area->start, area->end, LEAF_COUNTED);
		while (page_next(&w))
			if (*w.word & MAPPED_TEXT)
				pages_drop(mm, w.va, w.word);
	}
	mm->stub_page = 0;
	memset(mm->bare, 0, sizeof(mm->bare));
	mm->stubs_low = mm->stubs_span = 0;
	mm->stub_used = mm->stubs = mm->stubs_lost = 0;
	mm->text = mm->text_from = 0;
}

/* Makes `old` of the areas. */
static void pool_leave(struct mm *mm)
{
	u32 stubs;

	pool_settle(mm, 0);
	for (struct list *at = mm->areas.next, *next; at != &mm->areas; at = next) {
		struct area *area = container_of(at, struct area, link);

		next = at->next;
		if (!area_stays(area)) {
			pages_unmap(mm, area->start, area->end);
			area_free(mm, area);
		}
	}
	stubs = pages_leave(mm, ++mm->lives % LIVES ? PAGES_MOST : 0);
	mm->old = mm->areas; /* it is empty */
	if (list_empty(&mm->areas)) {
		list_init(&mm->old);
	} else {
		mm->old.next->prev = mm->old.prev->next = &mm->old;
		list_init(&mm->areas);
	}
	mm->seen = NULL;
	if (stubs != mm->stubs || mm->stubs_lost)
		texts_drop(mm, &mm->old);
	pages_flush();
}

void pool_put(struct mm *mm)
{
	list_add_tail(&pool, &mm->all);
	pooled++;
	if (mm->tables > TABLES_MOST || mm->doomed) {
		while (!list_empty(&mm->areas))
			area_free(mm, area_first(&mm->areas));
		pool_destroy(mm);
		return;
	}
	pool_leave(mm);
	if (pooled > POOL_MOST)
		mm_reclaim();
}

int mm_reclaim(void)
{
	if (list_empty(&pool))
		return 0;
	pool_destroy(container_of(pool.next, struct mm, all));
	return 1;
}

struct mm *pool_take(const void *program, u32 forked)
{
	struct mm *mm = NULL;

	for (struct list *at = pool.prev; at != &pool && !mm; at = at->prev) {
		struct mm *other = container_of(at, struct mm, all);

		if (program && other->program == program && other->forked == forked)
			mm = other;
	}
	if (!mm && pooled < POOL_MOST / 2)
		return NULL;
	if (!mm) {
		mm = container_of(pool.next, struct mm, all);
		pool_settle(mm, 0);
		texts_drop(mm, &mm->old);
	}
	list_del(&mm->all);
	pooled--;
	mm->mmap_top = mm->stack_top = mm->brk = mm->brk_start = mm->vdso = 0;
	mm->arg_start = mm->arg_end = mm->env_start = mm->env_end = 0;
	mm->shm = mm->lock_future = 0;
	return mm;
}

static int area_agrees(const struct area *old, const struct area *area)
{
	return old->inode == area->inode &&
	       !((old->flags ^ area->flags) & (MAP_SHARED | AREA_STUBS | AREA_VDSO)) &&
	       (!old->inode || old->offset - old->start == area->offset - area->start);
}

/* Takes [start, end) out of an old area; what is left stays in the list. */
static void old_trim(struct mm *mm, struct area *old, u64 start, u64 end)
{
	if (start > old->start && end < old->end) {
		struct area *upper = kmalloc(sizeof(*upper));

		if (upper) {
			*upper = *old;
			upper->start = end;
			upper->offset += upper->inode ? end - old->start : 0;
			if (upper->inode)
				inode_get(upper->inode);
			list_add_tail(old->link.next, &upper->link); /* behind old */
		} else {
			pages_unmap(mm, end, old->end);
		}
		old->end = start;
	} else if (start > old->start) {
		old->end = start;
	} else if (end < old->end) {
		old->offset += old->inode ? end - old->start : 0;
		old->start = end;
	} else {
		area_free(mm, old);
	}
}

/* Makes a page's contents what a new area has there. 0: it cannot be. */
static int page_renew(const struct area *area, u64 va, void *page)
{
	s64 error;

	if (page_refs(page) != 1)
		return 0;
	if (!area->inode) {
		memset(page, 0, PAGE);
		return 1;
	}
	void *from = inode_page(area->inode, (area->offset + (va - area->start)) / PAGE, &error);
	if (!from)
		return 0;
	memcpy(page, from, PAGE);
	page_put(from);
	return 1;
}

/* Whether text with jumps, stubs or the vDSO may be in an area as they are. */
static int text_fits(const struct area *area)
{
	return (area->prot & (PROT_WRITE | PROT_EXEC)) == PROT_EXEC &&
	       (area->inode || area->flags & (AREA_STUBS | AREA_VDSO));
}

/* Pages of the last process as a new area has them, or not at all. prot: what they had. */
static void pages_renew(struct mm *mm, const struct area *area, u32 prot, u64 start, u64 end)
{
	u64 flags = area_flags(area, 1);
	struct page_walk w;

	pages_walk(&w, mm, start, end, LEAF_COUNTED);
	while (page_next(&w)) {
		u64 word = *w.word;

		if (word & MAPPED_TEXT) {
			if (!text_fits(area))
				pages_drop(mm, w.va, w.word);
		} else if (!(word & MAPPED_OWN) || !page_renew(area, w.va, mapped_page(word))) {
			pages_drop(mm, w.va, w.word);
		} else {
			pages_protect(mm, w.va, w.word, flags);
		}
	}
	if (prot != area->prot)
		pages_reprotect(mm, start, end, area_flags(area, 0), !!(flags & MAPPED_WRITE));
	pages_flush();
}

/* What an old area and one of the new process have in common is no longer old: its pages stay where they agree. */
static void old_claim(struct mm *mm, struct area *old, const struct area *area, int agrees)
{
	u64 start = max(old->start, area->start), end = min(old->end, area->end);

	if (start >= end)
		return;
	if (!agrees) {
		mm->stubs_lost |= !!(old->flags & AREA_STUBS);
		pages_unmap(mm, start, end);
	}
	old_trim(mm, old, start, end);
}

void pool_claim(struct mm *mm, const struct area *area)
{
	for (struct list *at = mm->old.next, *next; at != &mm->old; at = next) {
		struct area *old = container_of(at, struct area, link);
		int agrees = area_agrees(old, area) && !(area->flags & MAP_SHARED);

		next = at->next;
		if (agrees && old->start < area->end && old->end > area->start)
			pages_renew(mm, area, old->prot, max(old->start, area->start),
				    min(old->end, area->end));
		old_claim(mm, old, area, agrees);
	}
}

struct area *pool_area(struct mm *mm, const struct area *area)
{
	for (struct list *at = mm->old.next, *next; at != &mm->old; at = next) {
		struct area *old = container_of(at, struct area, link);
		int agrees = area_agrees(old, area) && old->prot == area->prot &&
			     old->flags == area->flags;

		next = at->next;
		if (old->start >= area->end)
			break;
		if (agrees && old->start == area->start && old->end == area->end) {
			list_del(&old->link);
			return old;
		}
		old_claim(mm, old, area, agrees);
	}
	return NULL;
}

/* Where stubs stay, their area does. */
static void stubs_keep(struct mm *mm, struct area *stubs)
{
	struct area *after = area_from(mm, stubs->start);

	list_del(&stubs->link);
	list_add_tail(after ? &after->link : &mm->areas, &stubs->link);
}

int pool_settle(struct mm *mm, int stubs)
{
	struct area *old;

	while ((old = area_first(&mm->old))) {
		if (stubs && old->flags & AREA_STUBS) {
			stubs_keep(mm, old);
			continue;
		}
		pages_unmap(mm, old->start, old->end);
		area_free(mm, old);
	}
	int lost = stubs && mm->stubs_lost;
	if (lost)
		texts_drop(mm, &mm->areas);
	pages_flush();
	return !lost;
}

/* An inode's contents, or its name, are about to change: no space that nobody runs in has anything of it. */
void mm_inode_gone(const struct inode *inode)
{
	for (struct list *at = pool.next, *next; at != &pool; at = next) {
		struct mm *mm = container_of(at, struct mm, all);
		int has = 0;

		next = at->next;
		for (struct list *a = mm->old.next; a != &mm->old; a = a->next)
			has |= container_of(a, struct area, link)->inode == inode;
		if (has)
			pool_destroy(mm);
	}
}
