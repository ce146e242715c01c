/* SPDX-License-Identifier: MIT
 * What sched.c (the lock, the scheduler's loop) and switch.c (sleeping, waking, switching) share. */
#ifndef EXOS_SWITCH_H
#define EXOS_SWITCH_H

#include "sched.h"

enum { LOCK_FREE = 0, LOCK_TAKEN, LOCK_WAITED };

/* The family lock. A holder that is stopped by force holds on; the scheduler resumes it before anything else on its CPU. Who
 * waits long lets its CPU halt: a CPU that spins has to answer each shoot-down, a halted one need not. */
extern struct lock_state {
	u32 *word; /* behind the processors' states */
	struct thread *owner;
	u32 depth;
} lock_state;

/* Takes it if it is free, at depth 1. For who does not have it. */
static inline int lock_take(struct thread *t)
{
	u32 free = LOCK_FREE;

	if (!__atomic_compare_exchange_n(lock_state.word, &free, LOCK_TAKEN, 0, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return 0;
	lock_state.owner = t;
	lock_state.depth = 1;
	return 1;
}

/* Wakes one who waits for it, when it has been let go. */
void lock_told(void);
static inline void lock_release(void)
{
	lock_state.owner = NULL;
	if (__atomic_exchange_n(lock_state.word, LOCK_FREE, __ATOMIC_SEQ_CST) == LOCK_WAITED)
		lock_told();
}

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
			 : "+D"(t), "+S"(auth), "+d"(env)
			 :
			 : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			   "r15", "memory", "cc");
}

#endif
