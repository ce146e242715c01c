/* SPDX-License-Identifier: MIT
 * The family lock, and what a processor does between threads. */
#include "idle.h"
#include "linux.h"
#include "mem.h"
#include "proc.h"
#include "pressure.h"
#include "proc_internal.h"
#include "rescue.h"
#include "sched.h"
#include "switch.h"
#include "time.h"
#include "usermem.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>
#include <core/time.h>

#define LOCK_SPINS 2000
#define LOCK_LOOK_NS \
	5000000ul /* look again: an env that ends between unlocking and waking wakes nobody */

struct lock_state lock_state __attribute__((aligned(64)));
static struct cpu boot_cpus[ARIL_MAX_CPUS + 1]; /* entry.S looks there from the first START on */
struct cpu *cpus = boot_cpus;

static u32 word_offset(const u32 *word)
{
	return (u64)word & (PAGE - 1);
}

/* Who has been blocked takes it as waited for: it cannot know whether it was the last, and only one is woken. */
static inline int lock_try(struct cpu *c)
{
	u32 bits = c->lock_blocked ? LOCK_WAITED : LOCK_TAKEN;

	/* who only looks writes nothing */
	if (__atomic_load_n(&lock_state.word, __ATOMIC_RELAXED) & LOCK_TAKEN ||
	    __atomic_fetch_or(&lock_state.word, bits, __ATOMIC_ACQUIRE) & LOCK_TAKEN)
		return 0;
	c->lock_blocked = 0;
	return 1;
}

/* Blocks this CPU until the lock is let go, if it is not free now. In the scheduler's env. */
static void lock_block(struct cpu *c)
{
	u32 taken = LOCK_TAKEN;

	c->lock_blocked = 1;
	if (__atomic_compare_exchange_n(&lock_state.word, &taken, LOCK_WAITED, 0, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST) ||
	    taken == LOCK_WAITED)
		aril_wait(family.auth, lock_state.frame, word_offset(&lock_state.word), LOCK_WAITED,
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

static __attribute__((noinline)) void lock_contend(struct thread *t)
{
	/* No `pause`: under an emulator it leaves the CPU's thread, which costs more than all that is waited for. */
	for (u32 spins = 0; !lock_try(this_cpu()); spins++) {
		sched_breathe();
		if (spins == LOCK_SPINS) {
			lock_wait(t);
			spins = 0;
		}
	}
	lock_state.owner = t;
}

void family_lock(void)
{
	struct thread *t = current();

	if (__atomic_load_n(&lock_state.owner, __ATOMIC_RELAXED) == t)
		lock_state.depth++;
	else if (!t->tid || !lock_take(t)) /* the scheduler may have been blocked for it */
		lock_contend(t);
}

int family_try(void)
{
	return lock_take(current());
}

void lock_told(void)
{
	u32 blocked = LOCK_WAITED - LOCK_TAKEN;

	if (!__atomic_compare_exchange_n(&lock_state.word, &blocked, LOCK_FREE, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED))
		return;
	aril_wake(family.auth, lock_state.frame, word_offset(&lock_state.word), 1);
}

s64 lock_told_then(s64 result)
{
	lock_told();
	return result;
}

void family_unlock(void)
{
	if (lock_state.depth)
		lock_state.depth--;
	else
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

void sched_boot(void)
{
	cpus = page_zalloc(0);
	if (!cpus)
		exos_panic("exos: no memory for the scheduler");
	lock_state.frame = ARIL_PTE_FRAME(
		*(const volatile u64 *)(ARIL_SELF_VA + ((u64)&lock_state >> 12) * 8));
	if (aril_wake(family.auth, lock_state.frame, word_offset(&lock_state.word), 1) < 0)
		exos_panic("exos: nobody could wait for the lock");
}

void sched_breathe(void)
{
	struct thread *t = current();
	struct cpu *c = this_cpu();

	if (!(this_context()->pending & ARIL_PEND_END))
		return;
	if (!t->tid) { /* the scheduler: begins anew, unless it is in the middle */
		if (lock_state.owner != t)
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
	__atomic_and_fetch(&this_context()->pending, ~(ARIL_PEND_EVENT | ARIL_PEND_REVOKE),
			   __ATOMIC_SEQ_CST);
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
		lock_state.depth = 0;
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

	if (!p->ctx[cpu] &&
	    !rescue_env(c, c->current)) { /* it was ended on another processor, and has a new env */
		family_lock();
		if (proc_context(p, cpu))
			exos_panic("exos: no memory to end process %u", p->pid);
		family_unlock();
	}
	c->expects = NULL;
	if (rescue_env(c, c->current))
		rescue_enter(c);
	s64 error = aril_yield(family.auth, env);
	const struct aril_env_info *info =
		(const struct aril_env_info *)ARIL_INFO->envs_va + (env & 0xffff);

	exos_log("exos: process %u (%s) was ended: error %ld, end %u vector %u error %x at %lx "
		 "address %lx",
		 p->pid, p->comm, (long)-error, info->end, info->end_vector, info->end_error,
		 (unsigned long)info->end_rip, (unsigned long)info->end_addr);
	if (error != -ARIL_E_ENV)
		exos_panic("exos: it cannot be entered");
	if (lock_state.owner == c->current)
		rescue_current(c);
	family_lock();
	if (p->env == env)
		proc_env_again(p);
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
	if (last && !user_copy(&forced, &ctx->forced, sizeof(forced)) && forced) {
		aril_yield(family.auth, last >> 32);
		rescue_begin(c); /* it cannot be entered: it was ended meanwhile */
	}
	c->last = 0; /* it left, or cannot be entered any more */
}

/* This processor has given its last position back. What waits finds others. */
static _Noreturn void leave_for_good(void)
{
	sched_spread();
	family_unlock();
	for (;;)
		aril_yield(0, 0);
}

_Noreturn void sched_main(void)
{
	struct aril_context *ctx = this_context();
	struct cpu *c = &cpus[ctx->cpu];

	idle_begun(ctx->cpu);
	rescue_continue(c);
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
		__atomic_and_fetch(&ctx->pending, ~(ARIL_PEND_EVENT | ARIL_PEND_REVOKE),
				   __ATOMIC_SEQ_CST);
		family_lock();
		cpu_idle(c, 0);
		rescue_sweep(c);
		pressure_answer(c);
		if (!(family.online >> ctx->cpu & 1))
			leave_for_good();
		console_pump_all();
		timers_run(now_ns());
		family_end_if_over();
		c->current = sched_pick(ctx->cpu);
		if (c->current) {
			idle_over(ctx->cpu);
			sched_spread();
			family_unlock();
			continue;
		}
		sched_spread(); /* what may not run here */
		cpu_idle(c, 1);
		u32 word = c->word;
		u64 deadline = pressure_until(timers_next());
		family_unlock();
		idle(c, word, deadline);
	}
}
