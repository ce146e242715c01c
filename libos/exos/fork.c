/* SPDX-License-Identifier: MIT
 * What a new process has of its parent's memory. Family lock.
 *
 * A file's pages are not handed on: the child finds them as its parent did. Pages of the process's own are: shared until one
 * side writes, and bound in the child's tables when it touches them. Where the last process of the child's space has left a
 * page of its own at the same address (pool.c), which it wrote to, this one will write to it, too: the page is filled now,
 * and neither side has to fault. */
#include "file.h"
#include "mm_internal.h"
#include "profile.h"
#include "swap.h"
#include <core/string.h>

struct forking {
	struct mm *to, *from;
	int alone; /* nobody writes to the parent's memory meanwhile */
	int text; /* the last process in the space had the parent's text with jumps, or more of them: it stays */
};

/* The child's areas, those of the space's last process again where they are the same. 0 or -ENOMEM. */
static s64 fork_areas(struct forking *f)
{
	const struct mm *from = f->from;
	struct mm *mm = f->to;

	f->text = mm->text_from && mm->text_from == from->text;
	for (struct list *at = from->areas.next; at != &from->areas; at = at->next) {
		const struct area *area = container_of(at, struct area, link);
		struct area *copy = pool_area(mm, area);

		if (!copy) {
			copy = kmalloc(sizeof(*copy));
			if (!copy)
				return -ENOMEM;
			*copy = *area;
			if (copy->inode)
				inode_get(copy->inode);
		}
		copy->flags &= ~AREA_LOCKED; /* a child locks nothing */
		list_add_tail(&mm->areas, &copy->link);
	}
	f->text = pool_settle(mm, f->text) && f->text;
	if (f->text)
		return 0;
	mm->stub_page = from->stub_page, mm->stub_used = from->stub_used;
	memcpy(mm->bare, from->bare, sizeof(mm->bare));
	mm->stubs_low = from->stubs_low, mm->stubs_span = from->stubs_span;
	mm->stubs = from->stubs, mm->stubs_lost = from->stubs_lost;
	mm->text = mm->text_from = from->text;
	return 0;
}

/* What the last process had of its own where the parent has not, goes. */
static void fork_clean(const struct forking *f)
{
	struct page_walk w;

	pages_walk(&w, f->to, 0, PROGRAM_TOP, LEAF_COUNTED);
	while (page_next(&w)) {
		const u64 *word = pages_word(f->from, w.va, 0);

		if ((!word || !(*word & MAPPED_OWN)) && !(f->text && *w.word & MAPPED_TEXT))
			pages_drop(f->to, w.va, w.word);
	}
}

/* Nobody can write to the parent's private pages from here on. */
static void fork_narrow(const struct forking *f)
{
	struct page_walk w;

	pages_walk(&w, f->from, 0, PROGRAM_TOP, LEAF_COUNTED);
	while (page_next(&w))
		if ((*w.word & (MAPPED_WRITE | MAPPED_SHARED)) == MAPPED_WRITE)
			pages_protect(f->from, w.va, w.word,
				      *w.word & MAPPED_FLAGS & ~(MAPPED | MAPPED_WRITE));
	pages_flush();
}

/* Fills a page that the last process left in the space. 0: there is none that can be. */
static int page_refill(const struct forking *f, const struct page_walk *w, u64 *word)
{
	void *page = mapped_page(*word);

	if ((*word & (MAPPED_OWN | MAPPED_TEXT)) != MAPPED_OWN || page_refs(page) != 1 ||
	    *w->word & (MAPPED_TEXT | MAPPED_NOREAD))
		return 0;
	memcpy(page, mapped_page(*w->word), PAGE);
	u64 flags = *w->word & MAPPED_FLAGS & ~MAPPED;
	if (*word & MAPPED_WRITE && !(flags & MAPPED_WRITE)) {
		const struct area *area = mm_find(f->to, w->va);

		flags |= area->prot & PROT_WRITE ? MAPPED_WRITE : 0;
	}
	pages_protect(f->to, w->va, word, flags);
	return 1;
}

/* One page of the parent's own. 0 or -ENOMEM. */
static s64 page_share(const struct forking *f, const struct page_walk *w)
{
	u64 *word = pages_word(f->to, w->va, 1);
	void *page = mapped_page(*w->word);

	if (!word)
		return -ENOMEM;
	if (*word & MAPPED) {
		if (mapped_page(*word) == page || (f->text && *word & *w->word & MAPPED_TEXT) ||
		    (!(*w->word & MAPPED_SHARED) && page_refill(f, w, word)))
			return 0;
		pages_unmap(f->to, w->va, w->va + PAGE);
	}
	u64 flags = *w->word & (MAPPED_FLAGS | MAPPED_KINDS) & ~MAPPED;
	if (!(flags & MAPPED_SHARED) && flags & MAPPED_WRITE) {
		flags &= ~MAPPED_WRITE;
		pages_protect(f->from, w->va, w->word, flags & MAPPED_FLAGS);
	}
	page_get(page);
	pages_hold(f->to, w->va, word, page, flags);
	return 0;
}

/* Binds what the last process in this space had bound when it ended. */
static void fork_warm(struct mm *mm)
{
	struct page_walk w;

	pages_walk(&w, mm, 0, PROGRAM_TOP, LEAF_WARM);
	while (page_next(&w)) {
		leaf_clear(w.leaf, LEAF_WARM, w.va);
		if ((*w.word & (MAPPED | MAPPED_BOUND)) == MAPPED)
			pages_touch(mm, w.va, w.word);
	}
}

static s64 fork_pages(const struct forking *f)
{
	s64 error = 0;
	struct page_walk w;

	fork_clean(f);
	if (!f->alone)
		fork_narrow(f);
	pages_walk(&w, f->from, 0, PROGRAM_TOP, LEAF_COUNTED);
	while (!error && page_next(&w))
		if (*w.word & MAPPED_OWN)
			error = page_share(f, &w);
	pages_flush(); /* the parent's, before it can run again */
	if (!error)
		error = swap_clone(f->to, f->from);
	if (!error)
		fork_warm(f->to);
	pages_flush();
	return error;
}

struct mm *mm_clone(struct mm *from)
{
	struct mm *mm = mm_create(from->program, 1);
	struct forking f = {mm, from, from->refs == 1 && current()->proc->nthreads == 1, 0};

	if (!mm)
		return NULL;
	mm->brk_start = from->brk_start, mm->brk = from->brk;
	mm->shm = from->shm;
	mm->mmap_top = from->mmap_top, mm->stack_top = from->stack_top;
	mm->arg_start = from->arg_start, mm->arg_end = from->arg_end;
	mm->env_start = from->env_start, mm->env_end = from->env_end;
	mm->auxv = from->auxv;
	mm->vdso = from->vdso;
	if (fork_areas(&f) || fork_pages(&f)) {
		mm_put(mm);
		return NULL;
	}
	profile_clone(mm, from);
	return mm;
}
