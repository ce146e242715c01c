/* SPDX-License-Identifier: MIT
 * What sched.c (the lock, the scheduler's loop) and switch.c (sleeping, waking, switching) share. */
#ifndef EXOS_SWITCH_H
#define EXOS_SWITCH_H

#include "proc.h"
#include "sched.h"

/* Bit 0: somebody has it. Bit 1: somebody is blocked for it, and is woken when it is let go. */
enum { LOCK_FREE = 0, LOCK_TAKEN = 1, LOCK_WAITED = 3 };

/* The family lock. A holder that is stopped by force holds on; the scheduler resumes it before anything else on its CPU. Who
 * waits long lets its CPU halt: a CPU that spins has to answer each shoot-down, a halted one need not. */
extern struct lock_state {
	u32 word;  /* an address that is known when ExOS is linked: each call takes it */
	u32 depth; /* how often the owner has taken it beside the first time; 0 where it is free */
	struct thread *owner;
	u32 frame; /* where this lies */
} lock_state;

/* Takes it if it is free, once. For who does not have it. */
static inline __attribute__((always_inline)) int lock_take(struct thread *t)
{
	if (RARE(__atomic_fetch_or(&lock_state.word, LOCK_TAKEN, __ATOMIC_ACQUIRE) & LOCK_TAKEN))
		return 0;
	lock_state.owner = t;
	return 1;
}

/* Who had it has taken its bit away, and another one is left: that somebody is blocked. One of them is woken, unless it has
 * a new owner already, who will come by here. */
void lock_told(void);
s64 lock_told_then(s64 result);
/* For who has taken it once. */
static inline __attribute__((always_inline)) void lock_release(void)
{
	lock_state.owner = NULL;
	if (RARE(__atomic_sub_fetch(&lock_state.word, LOCK_TAKEN, __ATOMIC_SEQ_CST)))
		lock_told();
}

/* The last of a call that has taken it once. */
static inline __attribute__((always_inline)) s64 quick_end(s64 result)
{
	lock_state.owner = NULL;
	if (RARE(__atomic_sub_fetch(&lock_state.word, LOCK_TAKEN, __ATOMIC_SEQ_CST)))
		return lock_told_then(result);
	return result;
}

/* So that a quick call takes the long way out, where calls begin anew: -EINTR. */
s64 sleep_interrupted(void);
/* A processor has nothing to run, or has. */
void cpu_idle(struct cpu *c, u32 idle);
/* The next thread to run on this processor, made ready to: NULL: none. */
struct thread *sched_pick(u32 cpu);

/* switch.S: the caller keeps no register but rbp. Saves t's and goes on with next, of the same process, which called one of
 * these or thread_switch. */
static inline __attribute__((always_inline)) void thread_swap(struct thread *t, struct thread *next)
{
	__asm__ volatile("call thread_swap_from"
			 : "+D"(t), "+S"(next)
			 :
			 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13",
			   "r14", "r15", "memory", "cc");
}
/* Saves t's registers, lets the lock go, and yields to env; returns when t is resumed, without the lock. */
static inline __attribute__((always_inline)) void thread_leave(struct thread *t, u32 auth, u32 env)
{
	__asm__ volatile("call thread_leave_to"
			 : "+b"(t), "+D"(auth), "+S"(env)
			 :
			 : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			   "r15", "memory", "cc");
}

/* The processor time until now, in ticks, is charged to t, which has run since it was picked; for who has seen that no timer of its
 * process runs by it (time_account). */
static inline __attribute__((always_inline)) void charge_plain(struct thread *t, u64 now)
{
	s64 spent = (s64)(now - t->last_stamp);

	if (!RARE(spent < 0))
		(&t->user_ticks)[t->time_system] += (u64)spent;
}
_Static_assert(__builtin_offsetof(struct thread, system_ticks) ==
		       __builtin_offsetof(struct thread, user_ticks) + 8,
	       "an array of two");
static inline u64 charge_timed(const struct proc *p)
{
	return p->itimer_value[ITIMER_VIRTUAL] | p->itimer_value[ITIMER_PROF];
}

/* The first in the queue runs on this processor from now on. */
static inline __attribute__((always_inline)) void run_first(struct thread *next, u64 cpu, u64 now)
{
	struct list *second = next->run.next;

	second->prev = &run_queue;
	run_queue.next = second;
	next->state = THREAD_RUNNING;
	next->last_stamp = now;
	cpus[cpu].current = next;
}

/* The first in the queue, next, of the process p, goes on in place of t, which is not in it: nothing stands against it. Its context;
 * NULL: of the same process. */
static inline __attribute__((always_inline)) void switch_plain(struct thread *t,
							       struct thread *next,
							       const struct proc *p, u64 cpu,
							       struct aril_context *to)
{
	u64 now = __builtin_ia32_rdtsc();

	charge_plain(t, now);
	run_first(next, cpu, now);
	if (!to) {
		lock_state.owner = next;
		thread_swap(t, next);
	} else {
		cpus[cpu].expects = to;
		thread_leave(t, family.auth, p->env);
	}
}

/* Whether the first in the queue can go on in place of t by switch_plain: it, or NULL. *of: its process; *to: its context, NULL: of
 * the same process. */
static inline __attribute__((always_inline)) struct thread *
switch_is_plain(const struct thread *t, const struct aril_context *ctx, u64 cpu,
		const struct proc **of, struct aril_context **to)
{
	const struct proc *p = t->proc;
	struct list *first = run_queue.next;
	struct thread *next = container_of(first, struct thread, run);

	*to = NULL;
	if (RARE(first == &run_queue) || RARE(ctx->pending & ARIL_PEND_END) ||
	    RARE(word_marked(&sched_wanted)) || RARE(charge_timed(p)) ||
	    RARE(!(next->affinity >> cpu & 1)))
		return NULL;
	*of = next->proc;
	if (*of == p)
		return next;
	return !RARE(!(*to = (*of)->ctx[cpu])) && word_marked(&(*of)->auth_open) ? next : NULL;
}

/* t has been resumed, which is where registers begin anew: with the lock, taken once. */
static inline __attribute__((always_inline)) struct thread *switch_back(void)
{
	struct thread *t = current();

	if (lock_state.owner != t && RARE(!lock_take(t)))
		family_lock();
	return t;
}

/* As sleep_here (q NULL: sleep_alone), in line where a switch is all that there is to do; for who has taken the lock once, and
 * who, where -EINTR is to end the call, says so by sleep_interrupted. Returns t, whose wake_result is the result: nothing that
 * its caller had in a register is there any more, not even t. */
static inline __attribute__((always_inline)) struct thread *sleep_quick(struct thread *t,
									struct waitq *q)
{
	const struct aril_context *ctx = this_context();
	u64 cpu = ctx->cpu;
	const struct proc *p;
	struct aril_context *to;
	struct thread *next;

	if (RARE(t->pending.set | t->proc->pending.set) ||
	    RARE(!(next = switch_is_plain(t, ctx, cpu, &p, &to)))) {
		s64 result = q ? sleep_here(q) : sleep_alone();

		t = current();
		t->wake_result = result;
		return t;
	}
	t->state = THREAD_SLEEPING;
	t->interruptible = 1;
	t->wake_result = 0;
	if (q)
		list_add_tail(&q->sleepers, &t->run);
	else
		list_init(&t->run);
	switch_plain(t, next, p, cpu, to);
	return switch_back();
}

/* What a call still needs behind its sleep, from one place to which registers are written once. */
struct sleep_kept {
	struct file *file;
	u64 at, bytes;
};
static inline __attribute__((always_inline)) void sleep_keep(struct sleep_kept *kept)
{
	__asm__ volatile("" : "+m"(*kept));
}

#endif
