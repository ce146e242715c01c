/* SPDX-License-Identifier: MIT
 * The texts of /proc about a process's memory. */
#include "ipc.h"
#include "mem.h"
#include "mm.h"
#include "mm_internal.h"
#include "proc.h"
#include "procfs.h"
#include "sched.h"
#include "swap.h"

/* What of an area is there: pages, by who else has them and what they are. */
struct area_pages {
	u64 present, shared, written, anonymous;
	u32 swapped;
	u64 share; /* of each page its part, in 1/4096 of a page */
};

static void area_count(const struct mm *mm, const struct area *a, struct area_pages *n)
{
	struct page_walk w;
	*n = (struct area_pages){.swapped = swap_count((struct mm *)mm, a->start, a->end)};
	pages_walk(&w, (struct mm *)mm, a->start, a->end, LEAF_USED); /* looks only */
	while (page_next(&w)) {
		void *page = mapped_page(*w.word);
		u32 refs = page_is_ours(page) ? max(page_refs(page), 1u) : 1;
		n->present++;
		n->shared += refs > 1;
		n->share += PAGE / refs;
		n->written += (*w.word & MAPPED_WRITE) != 0;
		n->anonymous += !a->inode && page_is_ours(page);
	}
	sched_breathe();
}

static int is_stack(const struct mm *mm, const struct area *a)
{
	return !a->inode && mm->arg_start >= a->start && mm->arg_start < a->end;
}

void memory_sum(const struct proc *p, struct memory_sums *s)
{
	*s = (struct memory_sums){0};
	for (struct list *l = p->mm ? p->mm->areas.next : NULL; l && l != &p->mm->areas;
	     l = l->next) {
		const struct area *a = container_of(l, struct area, link);
		u64 pages = (a->end - a->start) / PAGE;
		struct area_pages n;
		s->mapped += pages;
		if (is_stack(p->mm, a))
			s->stack += pages;
		else if (a->prot & PROT_EXEC && !(a->prot & PROT_WRITE))
			s->text += pages;
		else if (a->prot & PROT_WRITE && !(a->flags & MAP_SHARED))
			s->data += pages;
		if (a->flags & AREA_LOCKED)
			s->locked += pages;
		if (a->inode || a->flags & MAP_SHARED) {
			area_count(p->mm, a, &n);
			s->file += n.present;
		}
	}
	s->present = p->mm ? p->mm->rss : 0;
}

/* The name that maps shows for an area, made once for areas of one file in a row. */
struct area_name {
	const struct inode *of;
	char *path;
};

static const char *area_name(const struct mm *mm, const struct area *a, struct area_name *last,
			     char room[48])
{
	if (!a->inode) {
		if (a->start < mm->brk && a->end > mm->brk_start)
			return "[heap]";
		return is_stack(mm, a) ? "[stack]" : mm->vdso == a->start ? "[vdso]" : "";
	}
	if (a->flags & AREA_SHM)
		return shm_area_name(a->inode, room);
	if (a->inode != last->of) {
		kfree(last->path);
		last->of = a->inode;
		last->path = a->inode->nlink ? tree_name_of(a->inode) : NULL;
	}
	return last->path ? last->path : "(deleted)";
}

static void text_area(struct proc_text *t, const struct mm *mm, const struct area *a,
		      struct area_name *last)
{
	char room[48];
	const char *name = area_name(mm, a, last, room);
	sched_breathe(); /* a name is looked for in the whole tree */
	text_add(t, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %lu", a->start, a->end,
		 a->prot & PROT_READ ? 'r' : '-', a->prot & PROT_WRITE ? 'w' : '-',
		 a->prot & PROT_EXEC ? 'x' : '-', a->flags & MAP_SHARED ? 's' : 'p',
		 a->inode ? a->offset : 0ul, a->inode ? a->inode->device : 0,
		 a->inode ? a->inode->ino : 0ul);
	if (*name)
		text_add(t, " %26s%s", "", name);
	text_add(t, "\n");
}

static void text_pages(struct proc_text *t, u64 bytes, const struct area_pages *n, u64 locked)
{
	u64 own = n->present - n->shared;
	text_add(t, "Rss:            %8lu kB\nPss:            %8lu kB\n", n->present * 4,
		 n->share / 1024);
	text_add(t, "Shared_Clean:   %8lu kB\nShared_Dirty:   %8u kB\n", n->shared * 4, 0);
	text_add(t, "Private_Clean:  %8lu kB\nPrivate_Dirty:  %8lu kB\n",
		 (own - min(own, n->written)) * 4, min(own, n->written) * 4);
	text_add(t, "Referenced:     %8lu kB\nAnonymous:      %8lu kB\n", n->present * 4,
		 n->anonymous * 4);
	text_add(t, "Swap:           %8u kB\nSwapPss:        %8u kB\nLocked:         %8lu kB\n",
		 n->swapped * 4, n->swapped * 4, locked ? min(bytes / 1024, n->present * 4) : 0ul);
}

void proc_text_maps(struct proc_text *t, struct proc *p)
{
	struct area_name last = {NULL, NULL};
	for (struct list *l = p->mm ? p->mm->areas.next : NULL; l && l != &p->mm->areas;
	     l = l->next)
		text_area(t, p->mm, container_of(l, struct area, link), &last);
	kfree(last.path);
}

void proc_text_smaps(struct proc_text *t, struct proc *p)
{
	struct area_name last = {NULL, NULL};
	for (struct list *l = p->mm ? p->mm->areas.next : NULL; l && l != &p->mm->areas;
	     l = l->next) {
		const struct area *a = container_of(l, struct area, link);
		struct area_pages n;
		text_area(t, p->mm, a, &last);
		area_count(p->mm, a, &n);
		text_add(
			t,
			"Size:           %8lu kB\nKernelPageSize: %8u kB\nMMUPageSize:    %8u kB\n",
			(a->end - a->start) / 1024, 4, 4);
		text_pages(t, a->end - a->start, &n, a->flags & AREA_LOCKED);
		text_add(t, "VmFlags:%s%s%s%s%s%s%s \n", a->prot & PROT_READ ? " rd" : "",
			 a->prot & PROT_WRITE ? " wr" : "", a->prot & PROT_EXEC ? " ex" : "",
			 a->flags & MAP_SHARED ? " sh" : "", a->flags & MAP_GROWSDOWN ? " gd" : "",
			 a->flags & AREA_LOCKED ? " lo" : "", a->flags & AREA_NO_DUMP ? " dd" : "");
	}
	kfree(last.path);
}

void proc_text_smaps_rollup(struct proc_text *t, struct proc *p)
{
	struct area_pages sum = {0}, n;
	u64 low = 0, high = 0, locked = 0;
	for (struct list *l = p->mm ? p->mm->areas.next : NULL; l && l != &p->mm->areas;
	     l = l->next) {
		const struct area *a = container_of(l, struct area, link);
		low = low ? low : a->start;
		high = a->end;
		area_count(p->mm, a, &n);
		sum.present += n.present, sum.shared += n.shared, sum.written += n.written;
		sum.anonymous += n.anonymous, sum.share += n.share, sum.swapped += n.swapped;
		locked += a->flags & AREA_LOCKED ? a->end - a->start : 0;
	}
	if (!high)
		return;
	text_add(t, "%08lx-%08lx ---p 00000000 00:00 0 %26s[rollup]\n", low, high, "");
	text_pages(t, locked, &sum, locked);
}

void proc_text_statm(struct proc_text *t, struct proc *p)
{
	struct memory_sums s;
	memory_sum(p, &s);
	text_add(t, "%lu %lu %lu %lu 0 %lu 0\n", s.mapped, s.present, s.file, s.text,
		 s.data + s.stack);
}
