/* SPDX-License-Identifier: MIT
 * When memory is asked back, or is not enough. Family lock.
 *
 * The account's handler is the scheduler's context on the family's first processor. A request is seen by whichever scheduler
 * comes by first, a slice later at most, and answered in this order: frames that were never used; free pages; what is
 * kept of processes that are over (pool.c), or that nobody has waited for yet; pages that go to swap space, some each time; then
 * the largest process ends, but never the first one, and with it its pages. Where
 * that is not enough by the deadline, the kernel takes what it finds, which the family may not survive: marked as not
 * to be taken is what ExOS consists of, not what it has for its processes.
 *
 * A program, or ExOS for it, needs a page where there is none left: the largest process ends, which may be another. What nobody but
 * it has is taken from it at once, before it has run; so who asked goes on, also in the middle of a call, where it
 * cannot wait for others. */
#include "pressure.h"
#include "linux.h"
#include "mem.h"
#include "mm.h"
#include "mm_internal.h"
#include "proc.h"
#include "proc_internal.h"
#include "revoked.h"
#include "swap.h"
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/domain.h>

#define KEEP_BATCH 256u
#define PATIENCE_NS 2000000000ul /* for a process that is to end */
#define SWAP_SOME 64u		 /* pages at a time, where one is wanted */
#define SWAP_TURN 256u		 /* where many are asked back */
#define SWAP_LOOKS 4096u	 /* for that */
#define LOOK_NS 5000000ul	 /* while a request is open */

static volatile struct aril_repossession *page;

static struct {
	u32 pid; /* who was told to end last; 0: nobody */
	u64 since;
} victim;

static void keep(struct core_run run)
{
	struct aril_frame_op op = {.kind = ARIL_FRAME_MARK_KEEP, .tag = 1};

	for (; run.count; run.first += op.count, run.count -= op.count) {
		op.first = run.first;
		op.count = min(run.count, KEEP_BATCH);
		if (aril_frame_update(family.auth, &op, 1) != 1)
			return; /* the reserve is used up */
	}
}

void pressure_boot(void)
{
	const struct core_domain *d = family.domain;
	u32 cpu = (u32)__builtin_ctz(d->cpus);

	page = page_zalloc(0);
	if (!page)
		exos_panic("exos: no memory for the repossession page");
	keep((struct core_run){page_frame((const void *)page), 1});
	keep(d->spent);
	s64 error = aril_account_handler(family.auth, d->account, d->env, cpu,
					 page_frame((const void *)page));
	if (error < 0)
		exos_log("exos: revocations are not told to us: error %ld", (long)-error);
}

/* The largest process that may end: not the first. NULL: there is none. */
static struct proc *largest(void)
{
	struct proc *found = NULL;

	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);

		if (p == family.init || p->state == PROC_ZOMBIE || !p->mm || p->group_exit)
			continue;
		if (p->mm == family.init->mm) /* by vfork: nothing would come free */
			continue;
		if (!found || p->mm->rss + p->mm->swapped > found->mm->rss + found->mm->swapped)
			found = p;
	}
	return found;
}

/* Whether a process is on its way out, of which more can be waited for. */
static int somebody_ends(void)
{
	struct proc *p = victim.pid ? proc_find(victim.pid) : NULL;

	if (p && p->state != PROC_ZOMBIE && now_ns() < victim.since + PATIENCE_NS)
		return 1;
	victim.pid = 0;
	return 0;
}

/* Processes that have ended, but whose parents have not asked yet, have their pages still: nobody looks at these any more.
 * Whether there were any. */
static int zombies_strip(void)
{
	int some = 0;

	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		struct mm *mm = p->state == PROC_ZOMBIE ? p->mm : NULL;

		if (!mm || mm->refs != 1)
			continue;
		while (!list_empty(&mm->areas)) {
			struct area *area = container_of(mm->areas.next, struct area, link);

			pages_unmap(mm, area->start, area->end);
			area_free(mm, area);
			some = 1;
		}
	}
	pages_flush();
	return some;
}

static void end(struct proc *p, const char *why)
{
	exos_log("exos: %s: process %u (%s), the largest, %lu kB, ends", why, p->pid, p->comm,
		 (unsigned long)p->mm->rss * (PAGE / 1024));
	victim.pid = p->pid;
	victim.since = now_ns();
	proc_kill(p, SIGKILL);
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *other = container_of(at, struct proc, all);

		if (other != family.init && other->mm == p->mm && other->state != PROC_ZOMBIE)
			proc_kill(other, SIGKILL); /* by vfork: without it nothing comes free */
	}
}

/* Whether all that run in a space are to end. */
static int all_end(const struct mm *mm)
{
	u32 ending = 0;

	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		const struct proc *p = container_of(at, struct proc, all);

		ending += p->mm == mm && (p->group_exit || p->state == PROC_ZOMBIE);
	}
	return ending == mm->refs;
}

/* Memory of a process that was told to end, which nobody else can reach, is free from here on: what of it touches that, ends.
 * Whether there was any. */
static int strip(struct mm *mm)
{
	u64 before = pages_free();

	if (!all_end(mm))
		return 0;
	mm->doomed = 1;
	for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
		const struct area *area = container_of(at, struct area, link);

		if (!area->inode && !(area->flags & (MAP_SHARED | AREA_STUBS | AREA_VDSO)))
			pages_unmap(mm, area->start, area->end);
	}
	return pages_free() > before;
}

static u32 wanted(void)
{
	return page->request[ARIL_REVOKE_FRAMES].wanted;
}

int pressure_asked(void)
{
	return page && wanted();
}

static void frames_answer(void)
{
	u32 first = page->request[ARIL_REVOKE_FRAMES].first;
	u32 last = page->request[ARIL_REVOKE_FRAMES].last;

	do
		pages_surrender(first, last, wanted());
	while (wanted() && (mm_reclaim() || zombies_strip() || threads_reclaim()));
	if (!wanted())
		return;
	int spent;
	do { /* as long as the slice is; then a scheduler comes by again */
		if (swap_out(first, last, min(wanted(), SWAP_TURN), SWAP_LOOKS))
			pages_surrender(first, last, wanted());
		spent = swap_spent();
	} while (wanted() && !spent && !(this_context()->pending & ARIL_PEND_END));
	if (!wanted() || !spent || somebody_ends())
		return;
	struct proc *p = largest();
	if (p)
		end(p, "memory is asked back");
}

void pressure_answer(struct cpu *c)
{
	if (!page)
		return;
	if (wanted())
		frames_answer();
	if (revoked_open(page))
		revoked_answer(page, c);
}

u64 pressure_until(u64 deadline)
{
	u64 soon = now_ns() + LOOK_NS;

	return page && (wanted() || revoked_open(page)) && (!deadline || deadline > soon)
		       ? soon
		       : deadline;
}

/* The largest ends: FAULT_AGAIN, FAULT_LATER, or SIGKILL where it is the one that asks. */
static int largest_end(struct proc *asks)
{
	struct proc *p = largest();

	if (!p || !p->mm->rss)
		p = asks;
	if (!p->mm)
		return SIGKILL; /* the first process, whose program does not fit: it has none to end */
	end(p, "out of memory");
	if (p->mm == asks->mm) {
		p->mm->doomed = (u32)all_end(p->mm); /* what it touches on its way out */
		return SIGKILL;
	}
	return strip(p->mm) ? FAULT_AGAIN : FAULT_LATER;
}

/* Who needs memory while some is asked back sees to that first: until then it would take what is to be given. */
int pressure_fault(struct proc *asks)
{
	if (pressure_asked()) {
		u32 before = wanted();

		frames_answer();
		if (wanted() < before || somebody_ends())
			return FAULT_LATER;
	}
	if (zombies_strip() || swap_out(0, ~0u, SWAP_SOME, ~0u))
		return FAULT_AGAIN;
	return somebody_ends() ? FAULT_LATER : largest_end(asks);
}

int pressure_now(struct proc *asks)
{
	int what;

	if (zombies_strip() || swap_out(0, ~0u, SWAP_SOME, ~0u))
		return FAULT_AGAIN;
	do
		what = largest_end(asks);
	while (what == FAULT_LATER);
	return what;
}
