/* SPDX-License-Identifier: MIT
 * Sleeping, waking, and how one thread makes room for the next. Family lock throughout.
 *
 * Invariants. (1) A thread is in the run queue exactly while it is THREAD_RUNNABLE, and nobody stands on its stack then,
 * but for who leaves it with the lock held. (2) The queue is in order: who is woken goes behind those that wait already,
 * so that two who wake each other in turns hold up nobody. (3) sched_wanted is set only while some processor is idle and
 * the queue is not empty: who leaves ExOS looks at it alone.
 *
 * Two ways lead from a thread to the next. Of the same process: its registers are loaded in place of the other's, and the
 * lock goes to it (thread_swap). Of another: the lock is let go behind the last step on the old stack, and the CPU is yielded
 * to the other's env, whose START finds in struct cpu which context it is expected on (thread_leave, entry_start). */
#include "linux.h"
#include "nice.h"
#include "proc.h"
#include "proc_internal.h"
#include "sched.h"
#include "switch.h"
#include "time.h"
#include <aril_stubs.h>
#include <core/domain.h>

#define SHARE_NS 100000 /* a thread that has waited so long goes to an idle processor */

struct list run_queue = {&run_queue, &run_queue};
u32 sched_idle, sched_wanted;
static u64 queued_since; /* in ticks: when sched_wanted was set, or work was shared last */

void waitq_init(struct waitq *q)
{
	list_init(&q->sleepers);
}

void cpu_idle(struct cpu *c, u32 idle)
{
	sched_idle += idle - c->idle;
	c->idle = idle;
}

void sched_want(void)
{
	if (sched_wanted)
		return;
	sched_wanted = 1;
	queued_since = ticks_now();
}

/* The first in the queue that may run on a processor; NULL: none. */
static struct thread *queued_for(u32 cpu)
{
	for (struct list *at = run_queue.next; at != &run_queue; at = at->next) {
		struct thread *t = container_of(at, struct thread, run);

		if (sched_may(t, cpu))
			return t;
	}
	return NULL;
}

void sched_spread(void)
{
	sched_wanted = 0;
	if (list_empty(&run_queue) || !sched_idle)
		return;
	for (u32 i = 0; i < family.ncpus; i++) {
		struct cpu *c = &cpus[i];

		if (!c->idle || !queued_for(i))
			continue;
		cpu_idle(c, 0);
		__atomic_add_fetch(&c->word, 1, __ATOMIC_SEQ_CST);
		aril_wake(family.auth, page_frame(cpus), (u64)&c->word & (PAGE - 1), 1);
		break;
	}
	/* this one may take the only one that waits, or more than one waits */
	sched_wanted = sched_idle != 0;
	queued_since = ticks_now();
}

void sched_share(void)
{
	if (ticks_ns(ticks_now() - queued_since) < SHARE_NS)
		return;
	if (!family_try())
		return; /* whoever has it comes by here, too */
	sched_spread();
	family_unlock();
}

static struct thread *taken(struct thread *t)
{
	list_del(&t->run);
	t->state = THREAD_RUNNING;
	t->last_stamp = ticks_now();
	if (list_empty(&run_queue))
		sched_wanted = 0;
	return t;
}

struct thread *sched_pick(u32 cpu)
{
	struct thread *t = queued_for(cpu);

	if (!t)
		t = nice_next(cpu);
	if (!t || proc_context(t->proc, cpu) < 0)
		return NULL; /* no memory for it now: it stays queued */
	return taken(t);
}

/* Whom the leaving thread yields to: `next`, the scheduler, or nobody, as the slice is over. */
static u32 leave_to(struct cpu *c, struct thread *next, int over)
{
	c->current = next;
	c->expects = NULL;
	if (over)
		return 0;
	if (sched_wanted)
		sched_spread();
	if (!next)
		return family.domain->env;
	if (next->proc->auth_open)
		c->expects = next->proc->ctx[c - cpus];
	return next->proc->env;
}

/* switch_away, where there is more to it. */
static __attribute__((noinline)) void switch_slowly(struct thread *t, struct aril_context *ctx)
{
	struct cpu *c = &cpus[ctx->cpu];
	int over = ctx->pending & ARIL_PEND_END;
	struct thread *next;

	time_account(t);
	next = over ? NULL : sched_pick(ctx->cpu);
	if (next == t)
		return;
	c->leave_to = leave_to(c, next, over);
	if (next && next->proc == t->proc) {
		lock_state.owner = next;
		thread_swap(t, next);
	} else {
		thread_leave(t, family.auth, c->leave_to);
	}
}

/* Gives the processor away with the thread's state saved; `queued`: t could run. The lock is held before and after, taken once
 * between. */
static inline __attribute__((always_inline)) void switch_away(struct thread *t,
							      struct aril_context *ctx, int queued)
{
	struct aril_context *to;
	const struct proc *p;
	u32 depth = lock_state.depth;
	u64 cpu = ctx->cpu;
	struct thread *next = switch_is_plain(t, ctx, cpu, &p, &to);

	lock_state.depth = 0;
	if (RARE(!next) || RARE(queued && next == t))
		switch_slowly(t, ctx);
	else
		switch_plain(t, next, p, cpu, to);
	switch_back();
	lock_state.depth = depth;
}

/* The same where the next thread is of another process, or not known yet. */
static _Noreturn __attribute__((noinline)) void exit_slowly(struct thread *t,
							    struct aril_context *ctx)
{
	struct cpu *c = &cpus[ctx->cpu];
	int over = ctx->pending & ARIL_PEND_END;
	struct thread *next = over ? NULL : sched_pick(ctx->cpu);

	c->leave_to = leave_to(c, next, over);
	c->direct = next && next->proc == t->proc ? next : NULL;
	stack_call((u64)ctx + ARIL_CTX_STACK_TOP, ctx, (void (*)(void))sched_leave);
}

_Noreturn void sched_exit(void)
{
	struct thread *t = current();
	struct aril_context *ctx = this_context();
	struct list *first = run_queue.next;
	struct thread *mate = container_of(first, struct thread, run);

	t->state = THREAD_DEAD;
	if (first == &run_queue || ctx->pending & ARIL_PEND_END || sched_wanted ||
	    mate->proc != t->proc || !(mate->affinity >> ctx->cpu & 1))
		exit_slowly(t, ctx);
	/* The lock goes to it: what is left on this stack is over with the loading of its own. */
	run_first(mate, ctx->cpu, __builtin_ia32_rdtsc());
	lock_state.owner = mate;
	lock_state.depth = 0;
	thread_resume(mate, ctx);
}

static void sleep_over(struct timer *timer)
{
	thread_wake(timer->data, -ETIMEDOUT);
}

/* In q, or, NULL, known to somebody else. */
static inline __attribute__((always_inline)) s64 sleep_in(struct thread *t, struct waitq *q,
							  u32 interruptible)
{
	t->state = THREAD_SLEEPING;
	t->interruptible = interruptible;
	t->wake_result = 0;
	if (q)
		list_add_tail(&q->sleepers, &t->run);
	else
		list_init(&t->run);
	switch_away(t, this_context(), 0);
	return current()->wake_result;
}

static __attribute__((noinline)) s64 sleep_until(struct thread *t, struct waitq *q, u64 deadline,
						 u32 interruptible)
{
	struct timer timer = {.fire = sleep_over, .data = t};

	if (deadline <= now_ns())
		return -ETIMEDOUT;
	list_init(&timer.link);
	timer_set(&timer, deadline);
	s64 result = sleep_in(t, q, interruptible);
	timer_cancel(&timer);
	return result;
}

__attribute__((noinline)) s64 sleep_interrupted(void)
{
	this_context()->mask = ARIL_MASK_ASYNC;
	return -EINTR;
}

static inline __attribute__((always_inline)) s64 sleep_checked(struct waitq *q, u64 deadline,
							       u32 interruptible)
{
	struct thread *t = current();
	s64 result;

	if (interruptible == 1 ? ((t->pending.set | t->proc->pending.set) & ~t->sig_mask) != 0
			       : interruptible && t->killed)
		return sleep_interrupted();
	result = deadline ? sleep_until(t, q, deadline, interruptible)
			  : sleep_in(t, q, interruptible);
	return result == -EINTR ? sleep_interrupted() : result;
}

s64 sleep_on(struct waitq *q, u64 deadline, int interruptible)
{
	exos_assert(current()->tid); /* the scheduler itself never sleeps */
	return sleep_checked(q, deadline, (u32)interruptible);
}

s64 sleep_here(struct waitq *q)
{
	return sleep_checked(q, 0, 1);
}

s64 sleep_alone(void)
{
	return sleep_checked(NULL, 0, 1);
}

void thread_wake(struct thread *t, s64 result)
{
	if (t->state != THREAD_SLEEPING || (result == -EINTR && t->interruptible != 1))
		return;
	list_del(&t->run);
	t->wake_result = result;
	thread_ready(t);
}

void wake_one(struct waitq *q)
{
	if (!list_empty(&q->sleepers))
		thread_wake(container_of(q->sleepers.next, struct thread, run), 0);
}

void wake_all(struct waitq *q)
{
	while (!list_empty(&q->sleepers))
		wake_one(q);
}

void waitq_wake_more(struct waitq *q)
{
	if (sched_idle && !list_empty(&run_queue))
		sched_want();
	wake_all(q);
}

void thread_start(struct thread *t)
{
	thread_ready(t);
}

void sched_yield_now(void)
{
	if (!list_empty(&run_queue))
		sched_move();
}

void sched_move(void)
{
	struct thread *t = current();

	thread_ready(t);
	switch_away(t, this_context(), 1);
}

int sched_rest(void)
{
	const struct thread *t = current();

	if (!list_empty(&run_queue) || this_context()->pending & ARIL_PEND_END) {
		sched_move();
	} else {
		family_unlock();
		family_lock();
	}
	return ((t->pending.set | t->proc->pending.set) & ~t->sig_mask) != 0;
}

void sched_preempt(void)
{
	struct thread *t = current();

	family_lock();
	if (nice_threads || !list_empty(&nice_late))
		nice_queue(t);
	else
		thread_ready(t);
	switch_away(t, this_context(), 1);
	family_unlock();
}
