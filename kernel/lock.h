/* SPDX-License-Identifier: MIT
 * The kernel's lock, and the order of all locks. Whoever comes first when it is free has it: with tickets, on a host
 * with fewer processors than this machine, everyone would wait for the one whose turn it is and who does not run.
 *
 * Order (take only downwards): 1 object_lock   frames, spaces, envs, slices, grants, rings, capabilities
 *                              2 wait_lock     wait queues and the run state of contexts
 *                              3 log lock      (log.c) the log's output: never polls, as the log call is fast
 * Interrupts are off whenever a lock is held: the kernel runs with IF=0. Upcall, yield, gate and handlers of faults take
 * none; what they look up stays valid until their CPU next acknowledges a quiesce (smp_quiesce). */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

#include <aril/types.h>

struct lock {
	u32 taken;
	const char *name;
};
#define LOCK(n)                         \
	{                               \
		.taken = 0, .name = (n) \
	}

extern struct lock object_lock;
extern struct lock wait_lock;

/* Serves this CPU's pending cross-CPU requests (shoot-down, quiesce); see arch.h. */
void smp_poll(void);

/* Takes the lock. While it waits it serves other CPUs' requests, so the caller must hold no reference
 * to an object that a quiesce protects, unless a lock above protects it. */
static inline void lock_take(struct lock *l)
{
	u32 spins = 0;

	/* Seldom a pause: most waits are shorter, and under an emulator it leaves the CPU's thread. */
	while (__atomic_load_n(&l->taken, __ATOMIC_RELAXED) ||
	       __atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE)) {
		smp_poll();
		if (++spins % 64 == 0)
			__builtin_ia32_pause();
	}
}

/* The lock, if it is free: so nothing was polled since this CPU entered, and its env is what it was. */
static inline int lock_try(struct lock *l)
{
	return !__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE);
}

/* For code that runs without a lock, where this CPU must not acknowledge a quiesce: takes it, and meanwhile serves others'
 * shoot-downs; or 0, if somebody quiesces, who may hold it and waits for this CPU. */
int smp_lock_try(struct lock *l);

static inline void lock_drop(struct lock *l)
{
	__atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

#endif
