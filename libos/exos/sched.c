/* SPDX-License-Identifier: MIT
 * The family lock, sleeping, and which thread runs where. */
#include "idle.h"
#include "linux.h"
#include "mem.h"
#include "proc.h"
#include "proc_internal.h"
#include "sched.h"
#include "time.h"
#include "usermem.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>
#include <core/time.h>

enum { LOCK_FREE = 0, LOCK_TAKEN, LOCK_WAITED };
#define LOCK_SPINS 2000
#define LOCK_LOOK_NS \
	5000000ul /* look again: an env that ends between unlocking and waking wakes nobody */

/* A holder that is stopped by force holds on; the scheduler resumes it before anything else on its CPU. Who waits
 * long lets its CPU halt: a CPU that spins has to answer each shoot-down, a halted one need not. */
static struct {
	u32 *word; /* behind the processors' states */
	u32 depth;
	struct thread *owner;
} lock;

struct cpu *cpus;
struct list run_queue;
static u64 queued_since; /* in ticks: when the queue was last empty, or last shared */
#define SHARE_NS 100000	 /* a thread that has waited so long goes to an idle processor */

static u32 word_offset(const u32 *word)
{
	return (u64)word & (PAGE - 1);
}

/* Who has been blocked takes it as waited for: it cannot know whether it was the last, and only one is woken. */
static inline int lock_try(struct cpu *c)
{
	u32 free = LOCK_FREE;

	if (!c->lock_blocked)
		return __atomic_compare_exchange_n(lock.word, &free, LOCK_TAKEN, 0,
						   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
	if (__atomic_load_n(lock.word, __ATOMIC_RELAXED) == LOCK_TAKEN ||
	    __atomic_exchange_n(lock.word, LOCK_WAITED, __ATOMIC_ACQUIRE) != LOCK_FREE)
		return 0;
	c->lock_blocked = 0;
	return 1;
}

/* Blocks this CPU until the lock is let go, if it is not free now. In the scheduler's env. */
static void lock_block(struct cpu *c)
{
	u32 taken = LOCK_TAKEN;

	c->lock_blocked = 1;
	if (__atomic_compare_exchange_n(lock.word, &taken, LOCK_WAITED, 0, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST) ||
	    taken == LOCK_WAITED)
		aril_wait(family.auth, page_frame(cpus), word_offset(lock.word), LOCK_WAITED,
			  now_ns() + LOCK_LOOK_NS);
}

/* The lock was not free for long. A thread goes on when the scheduler has seen it free; the scheduler itself
 * begins anew. */
static void lock_wait(struct thread *t)
{
	struct cpu *c = this_cpu();

	if (!t->tid) {
		lock_block(c);
		return;
	}
	c->leave_to = family.domain->env;
	c->breathing = c->lock_wait = 1;
	thread_switch(t);
}

static void lock_taken(struct thread *t)
{
	__atomic_store_n(&lock.owner, t, __ATOMIC_RELAXED);
	lock.depth = 1;
}

/* Not free at once. */
static __attribute__((noinline)) void lock_spin(struct thread *t)
{
	/* No `pause`: under an emulator it leaves the CPU's thread, which costs more than all that is waited for. */
	for (u32 spins = 0; !lock_try(this_cpu()); spins++) {
		sched_breathe();
		if (spins == LOCK_SPINS) {
			lock_wait(t);
			spins = 0;
		}
	}
	lock_taken(t);
}

void family_lock(void)
{
	struct thread *t = current();

	if (__atomic_load_n(&lock.owner, __ATOMIC_RELAXED) == t) {
		lock.depth++;
		return;
	}
	if (__builtin_expect(lock_try(this_cpu()), 1))
		lock_taken(t);
	else
		lock_spin(t);
}

int family_try(void)
{
	if (!lock_try(this_cpu()))
		return 0;
	lock_taken(current());
	return 1;
}

static __attribute__((noinline)) void lock_wake(void)
{
	aril_wake(family.auth, page_frame(cpus), word_offset(lock.word), 1);
}

static void lock_release(void)
{
	__atomic_store_n(&lock.owner, NULL, __ATOMIC_RELAXED);
	if (__atomic_exchange_n(lock.word, LOCK_FREE, __ATOMIC_SEQ_CST) == LOCK_WAITED)
		lock_wake();
}

void family_unlock(void)
{
	if (--lock.depth == 0)
		lock_release();
}

u64 now_ns(void)
{
	return core_now();
}

u64 ticks_now(void)
{
	return core_tsc();
}

u64 ticks_ns(u64 ticks)
{
	const volatile struct aril_clock *c = &ARIL_INFO->clock;

	return (u64)((unsigned __int128)ticks * c->mult >> c->shift);
}

void waitq_init(struct waitq *q)
{
	list_init(&q->sleepers);
}

void sched_boot(void)
{
	list_init(&run_queue);
	cpus = page_zalloc(0);
	if (!cpus)
		exos_panic("exos: no memory for the scheduler");
	lock.word = &cpus[ARIL_MAX_CPUS].word;
}

/* Queues t. Nobody is told yet: who wakes another mostly sleeps next, and then this processor takes it over
 * without a word to another, which costs more than many a program's whole run. */
static void make_runnable(struct thread *t)
{
	t->state = THREAD_RUNNABLE;
	if (list_empty(&run_queue))
		queued_since = ticks_now();
	list_add_tail(&run_queue, &t->run);
}

/* The first in the queue that may run on a processor; NULL: none. */
static struct thread *queued_for(u32 cpu)
{
	for (struct list *at = run_queue.next; at != &run_queue; at = at->next) {
		struct thread *t = container_of(at, struct thread, run);

		if (t->affinity >> cpu & 1)
			return t;
	}
	return NULL;
}

/* Gives an idle processor work, if there is any left in the queue. */
static void share_work(void)
{
	if (list_empty(&run_queue))
		return;
	queued_since = ticks_now();
	for (u32 i = 0; i < family.ncpus; i++) {
		struct cpu *c = &cpus[i];

		if (!c->idle || !queued_for(i))
			continue;
		c->idle = 0;
		__atomic_add_fetch(&c->word, 1, __ATOMIC_SEQ_CST);
		aril_wake(family.auth, page_frame(cpus), word_offset(&c->word), 1);
		return;
	}
}

void sched_spread(void)
{
	share_work();
}

void sched_share(void)
{
	if (list_empty(&run_queue) || ticks_ns(ticks_now() - queued_since) < SHARE_NS)
		return;
	family_lock();
	share_work();
	family_unlock();
}

/* The next thread to run on this processor, made ready to: NULL: none. */
static struct thread *pick(u32 cpu)
{
	struct thread *t = queued_for(cpu);

	if (!t || proc_context(t->proc, cpu) < 0)
		return NULL; /* no memory for it now: it stays queued */
	list_del(&t->run);
	t->state = THREAD_RUNNING;
	return t;
}

/* The current thread leaves this processor to next, or to the scheduler. A thread of the same process is gone on with
 * where this one stops: the env stays. */
static void leave_to(struct cpu *c, const struct thread *t, struct thread *next, int over)
{
	if (!over)
		share_work();
	c->current = next;
	c->direct = next && next->proc == t->proc ? next : NULL;
	c->leave_to = over ? 0 : next ? next->proc->env : family.domain->env;
}

/* Gives the processor away with the thread's state saved. The lock is held before and after. */
static void switch_away(struct thread *t)
{
	time_account(t);
	u32 depth = lock.depth;
	struct cpu *c = this_cpu();
	int over = this_context()->pending & ARIL_PEND_END;
	struct thread *next = over ? NULL : pick(this_context()->cpu);

	if (next == t)
		return;
	leave_to(c, t, next, over);
	thread_switch(t);
	family_lock();
	lock.depth = depth;
	t->last_stamp = ticks_now();
}

void sched_breathe(void)
{
	struct thread *t = current();
	struct cpu *c = this_cpu();

	if (!(this_context()->pending & ARIL_PEND_END))
		return;
	if (!t->tid) { /* the scheduler: begins anew, unless it is in the middle */
		if (lock.owner != t)
			aril_yield(0, 0);
		return;
	}
	c->leave_to = 0;
	c->breathing = 1;
	thread_switch(t);
}

void sched_follow(struct thread *t)
{
	struct cpu *c = this_cpu();

	c->current = t;
	c->leave_to = t->proc->env;
	c->breathing = 1;
	thread_switch(t);
}

void sched_nap(u64 ns)
{
	struct thread *t = current();
	struct cpu *c = this_cpu();

	c->nap_until = now_ns() + ns;
	c->breathing = 1;
	thread_switch(t);
	c->nap_until = 0;
	t->switch_rsp = 0;
	__atomic_and_fetch(&this_context()->pending, ~ARIL_PEND_EVENT, __ATOMIC_SEQ_CST);
}

_Noreturn void sched_leave(void)
{
	struct aril_context *ctx =
		this_context(); /* while the thread is ours: another processor may take it up */
	struct cpu *c = &cpus[ctx->cpu];
	u32 to = c->nap_until ? 0 : c->leave_to;

	if (c->breathing) {
		c->breathing = 0;
	} else {
		struct thread *direct = c->direct;

		c->direct = NULL;
		lock_release();
		if (direct)
			thread_resume(direct, ctx);
	}
	if (c->nap_until)
		aril_wait(family.auth, page_frame(cpus), word_offset(&c->word), c->word,
			  c->nap_until);
	aril_yield(family.auth, to);
	/* It could not be entered: the scheduler looks into it. */
	for (;;)
		aril_yield(0, 0);
}

static void sleep_over(struct timer *timer)
{
	thread_wake(timer->data, -ETIMEDOUT);
}

s64 sleep_on(struct waitq *q, u64 deadline, int interruptible)
{
	struct thread *t = current();
	struct timer timer = {.fire = sleep_over, .data = t};

	exos_assert(t->tid); /* the scheduler itself never sleeps */
	if (interruptible && (interruptible == 2 ? t->killed != 0 : signal_pending(t)))
		return -EINTR;
	if (deadline && deadline <= now_ns())
		return -ETIMEDOUT;
	t->state = THREAD_SLEEPING;
	t->sleeping_on = q;
	t->interruptible = interruptible;
	t->wake_result = 0;
	list_add_tail(&q->sleepers, &t->run);
	list_init(&timer.link);
	if (deadline)
		timer_set(&timer, deadline);
	switch_away(t);
	if (deadline)
		timer_cancel(&timer);
	t->sleeping_on = NULL;
	t->interruptible = 0;
	return t->wake_result;
}

void thread_wake(struct thread *t, s64 result)
{
	if (t->state != THREAD_SLEEPING || (result == -EINTR && t->interruptible != 1))
		return;
	list_del(&t->run);
	t->wake_result = result;
	make_runnable(t);
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

void thread_start(struct thread *t)
{
	make_runnable(t);
}

void sched_yield_now(void)
{
	struct thread *t = current();

	if (list_empty(&run_queue))
		return;
	make_runnable(t);
	switch_away(t);
}

void sched_move(void)
{
	struct thread *t = current();

	make_runnable(t);
	switch_away(t);
}

void sched_preempt(void)
{
	struct thread *t = current();

	family_lock();
	time_account(t);
	make_runnable(t);
	switch_away(t);
	family_unlock();
}

_Noreturn void sched_exit(void)
{
	struct thread *t = current();
	struct aril_context *ctx = this_context();
	int over = ctx->pending & ARIL_PEND_END;

	t->state = THREAD_DEAD;
	leave_to(&cpus[ctx->cpu], t, over ? NULL : pick(ctx->cpu), over);
	stack_call((u64)ctx + ARIL_CTX_STACK_TOP, ctx, (void (*)(void))sched_leave);
}

void sched_kick(const struct thread *t)
{
	u32 here = this_context()->cpu;

	for (u32 i = 0; i < family.ncpus; i++) {
		struct aril_context *ctx = t->proc->ctx[i];

		if (i == here || cpus[i].current != t || !ctx)
			continue;
		__atomic_or_fetch(&ctx->pending, ARIL_PEND_EVENT, __ATOMIC_SEQ_CST);
		mm_interrupt(t->proc->mm);
	}
}

/* Yields to the thread that is picked for this processor: it was not started yet, was stopped by force, or
 * breathes. Returns if the kernel ended its env: its process gets another in which its threads exit. */
static void run_current(struct cpu *c)
{
	struct proc *p = c->current->proc;
	u32 env = p->env, cpu = this_context()->cpu;

	if (!p->ctx[cpu]) { /* it was ended on another processor, and has a new env */
		family_lock();
		if (proc_context(p, cpu))
			exos_panic("exos: no memory to end process %u", p->pid);
		family_unlock();
	}
	s64 error = aril_yield(family.auth, env);
	const struct aril_env_info *info =
		(const struct aril_env_info *)ARIL_INFO->envs_va + (env & 0xffff);

	exos_log("exos: process %u (%s) was ended: error %ld, end %u vector %u error %x at %lx "
		 "address %lx",
		 p->pid, p->comm, (long)-error, info->end, info->end_vector, info->end_error,
		 (unsigned long)info->end_rip, (unsigned long)info->end_addr);
	if (error != -ARIL_E_ENV || lock.owner == c->current)
		exos_panic("exos: it was in the middle of ExOS");
	family_lock();
	if (p->env == env) {
		proc_env_destroy(p);
		if (proc_env_create(p))
			exos_panic("exos: no memory to end process %u", p->pid);
		proc_kill(p, SIGKILL);
	}
	family_unlock();
}

/* Lets a thread that was stopped by force while it left this processor finish that: it may hold the lock, and what
 * comes after it is `current` already. */
static void finish_leaving(struct cpu *c)
{
	u64 last = c->last;
	const struct aril_context *ctx = frame_page((u32)last);
	u32 forced = 0;

	/* The env may be gone, and its page with it. */
	if (last && !user_copy(&forced, &ctx->forced, sizeof(forced)) && forced)
		aril_yield(family.auth, last >> 32);
	c->last = 0; /* it left, or cannot be entered any more */
}

_Noreturn void sched_main(void)
{
	struct aril_context *ctx = this_context();
	struct cpu *c = &cpus[ctx->cpu];

	idle_begun(ctx->cpu);
	finish_leaving(c);
	for (;;) {
		if (c->lock_wait) {
			c->lock_wait = 0;
			lock_block(c);
		}
		if (c->current) {
			run_current(c);
			continue;
		}
		__atomic_and_fetch(&ctx->pending, ~ARIL_PEND_EVENT, __ATOMIC_SEQ_CST);
		family_lock();
		c->idle = 0;
		console_pump_all();
		timers_run(now_ns());
		family_end_if_over();
		c->current = pick(ctx->cpu);
		if (c->current) {
			idle_over(ctx->cpu);
			share_work();
			family_unlock();
			continue;
		}
		share_work(); /* what may not run here */
		c->idle = 1;
		u32 word = c->word;
		u64 deadline = timers_next();
		family_unlock();
		idle(c, word, deadline);
	}
}
