/* SPDX-License-Identifier: MIT
 * Shares of processor time. Each step of a nice value is a factor of 1.25 in the weight by which threads that want the
 * processor share it.
 *
 * The run queue is in order of arrival. While every thread has the ordinary weight, that is all there is. Else the clock of
 * shares tells what each thread was due: at the end of a slice, on whichever processor, it advances by the slice over the weights of all who
 * want one. Whom that end of a slice finds is charged the slice over its own weight (`turn`): until the clock is there, it waits
 * in nice_late, from which a processor takes the next that is due when the run queue has nobody for it.
 *
 * Invariants. (1) A thread in nice_late is THREAD_RUNNABLE. (2) No processor is idle that one in nice_late could run on: it is
 * put there while none is idle, who becomes idle looks there first, and when it may run on others than before, all are looked at. (3) Nobody waits for ever: the clock advances at each end of a
 * slice, and who is due goes to the run queue. */
#include "caps.h"
#include "nice.h"
#include "linux.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "sched.h"
#include "switch.h"
#include <aril/info.h>

#define WEIGHT_IDLE 3u
enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

u32 nice_threads;
struct list nice_late = {&nice_late, &nice_late};
static u64 share_clock; /* ns of an ordinary weight */

static u32 weight_of(u32 policy, s32 nice)
{
	u64 weight = (u64)NICE_WEIGHT << 16;

	for (; nice > 0; nice--)
		weight = weight * 4 / 5;
	for (; nice < 0; nice++)
		weight = weight * 5 / 4;
	return policy == SCHED_IDLE ? WEIGHT_IDLE : (u32)((weight + (1u << 15)) >> 16);
}

void nice_set(struct thread *t, u32 policy, s32 nice)
{
	nice_threads -= t->weight != NICE_WEIGHT;
	t->policy = (u8)policy;
	t->nice = (s8)nice;
	t->weight = weight_of(policy, nice);
	nice_threads += t->weight != NICE_WEIGHT;
}

void nice_made(struct thread *t, const struct thread *maker)
{
	t->turn = maker->turn;
	nice_set(t, maker->policy, maker->policy_own ? max((s32)maker->nice, 0) : maker->nice);
}

static u64 weights(const struct list *queue)
{
	u64 sum = 0;

	for (const struct list *at = queue->next; at != queue; at = at->next)
		sum += container_of(at, struct thread, run)->weight;
	return sum;
}

/* A processor that t may run on has nothing to do. */
static int idle_for(const struct thread *t)
{
	for (u32 i = 0; sched_idle && i < family.ncpus; i++)
		if (cpus[i].idle && sched_may(t, i))
			return 1;
	return 0;
}

void nice_look(void)
{
	for (struct list *at = nice_late.next, *next; at != &nice_late; at = next) {
		struct thread *late = container_of(at, struct thread, run);

		next = at->next;
		if (late->turn > share_clock && !idle_for(late))
			continue;
		list_del(&late->run);
		thread_ready(late);
	}
}

void nice_queue(struct thread *t)
{
	u64 slice = ARIL_INFO->slice_ns * NICE_WEIGHT,
	    sum = weights(&run_queue) + weights(&nice_late);

	for (u32 i = 0; i < family.ncpus; i++) /* t among them */
		sum += cpus[i].current ? cpus[i].current->weight : 0;
	t->turn = max(t->turn, share_clock) + slice / t->weight;
	share_clock += slice / max(sum, (u64)t->weight);
	nice_look();
	if (t->turn <= share_clock || idle_for(t)) {
		thread_ready(t);
		return;
	}
	t->state = THREAD_RUNNABLE;
	list_add_tail(&nice_late, &t->run);
}

struct thread *nice_next(u32 cpu)
{
	struct thread *first = NULL;

	for (struct list *at = nice_late.next; at != &nice_late; at = at->next) {
		struct thread *t = container_of(at, struct thread, run);

		if (sched_may(t, cpu) && (!first || t->turn < first->turn))
			first = t;
	}
	return first;
}

/* ---- Linux's calls ---- */

/* Whether they ask about t; id 0: the caller's own. */
static int priority_is(const struct thread *t, u32 which, u32 id)
{
	const struct proc *p = t->proc, *me = current()->proc;

	switch (which) {
	case PRIO_PROCESS:
		return id ? t->tid == id : t == current();
	case PRIO_PGRP:
		return p->pgid == (id ? id : me->pgid);
	default:
		return p->uid == (id ? id : me->uid);
	}
}

s64 nice_better(const struct thread *t, s32 nice)
{
	return !capable(CAP_SYS_NICE) && 20 - nice > (s64)min(t->proc->limit_cur[RLIMIT_NICE], 40ul)
		       ? -EACCES
		       : 0;
}

s64 nice_check(const struct thread *t, s32 nice)
{
	if (!proc_may_change(t->proc))
		return -EPERM;
	return nice < t->nice ? nice_better(t, nice) : 0;
}

s64 sys_getpriority(u64 which, u64 who)
{
	s64 best = -ESRCH;

	if ((u32)which > PRIO_USER)
		return -EINVAL;
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		const struct proc *p = container_of(at, struct proc, all);

		for (const struct list *in = p->threads.next; in != &p->threads; in = in->next) {
			const struct thread *t = container_of(in, struct thread, sibling);

			if (priority_is(t, (u32)which, (u32)who))
				best = max(best, 20 - (s64)t->nice);
		}
	}
	return best;
}

s64 sys_setpriority(u64 which, u64 who, u64 to)
{
	s32 nice = nice_within((s32)to);
	s64 result = -ESRCH;

	if ((u32)which > PRIO_USER)
		return -EINVAL;
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);

		for (struct list *in = p->threads.next; in != &p->threads; in = in->next) {
			struct thread *t = container_of(in, struct thread, sibling);

			if (!priority_is(t, (u32)which, (u32)who))
				continue;
			s64 error = nice_check(t, nice);
			if (!error)
				nice_set(t, t->policy, nice);
			if (error || result == -ESRCH)
				result = error;
		}
	}
	return result;
}
