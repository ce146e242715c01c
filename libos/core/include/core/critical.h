/* SPDX-License-Identifier: MIT
 * Robust critical sections: a lock in shared memory that holds across CPUs and outlives its holders.
 *
 * The word names the holder: its env's id, and in the spare bits of that the CPU on which its context holds it. Who
 * finds it held by a context of this CPU, which therefore does not run, gives it the CPU (a directed yield, where auth
 * opens it for RUN); else it waits on the word. Leaving wakes one. While inside, END and EVENT pend; a holder that
 * overstays its grace is stopped, and goes on where it was when somebody yields to it or at its next slice.
 *
 * A holder may die anywhere. Each context names, from before it tries until it has left, the word to the kernel
 * (context.critical_frame), which at an env's end sets CORE_CRITICAL_LOOK there and wakes one waiter. So (1) who was
 * about to wait finds another word than it expected, and looks again; (2) a waiter that was woken and died hands the
 * wake on; (3) the next to enter sees that the holder is gone, gets CORE_CRITICAL_DIED, and must make the shared state
 * whole before it leaves. A context is inside one section at a time. */
#ifndef CORE_CRITICAL_H
#define CORE_CRITICAL_H

#include <aril/types.h>

#define CORE_CRITICAL_WAITERS 0x8000u	     /* somebody may wait */
#define CORE_CRITICAL_LOOK 0x4000u	     /* an env that may have held it has ended */
#define CORE_CRITICAL_CPU(cpu) ((cpu) << 10) /* ids use the lowest ten bits for the slot */

#define CORE_CRITICAL_DIED 1 /* entered; the one before died inside */

/* In shared memory, writable for all members: zero at first. */
struct core_critical {
	u32 word;
	u32 deaths; /* of holders, that somebody noticed */
	u64 entries;
	u64 waits;  /* that a member slept and was woken */
	u64 yields; /* that it gave a stopped holder the CPU instead */
	u64 wakes;  /* that a leaver woke somebody */
};

/* How a member reaches it. */
struct core_critical_view {
	struct core_critical *lock;
	u32 frame;    /* its frame */
	u32 offset;   /* of the word in it */
	u32 auth;     /* opens the frame for READ and WRITE */
	u32 run_auth; /* opens the other members for RUN, or is no auth: then it always waits */
};

/* Enters: 0, CORE_CRITICAL_DIED, or a refusal: -ARIL_E_STATE this context is inside a section already, or what wait
 * refuses. Waits as long as it takes. */
s64 core_critical_enter(const struct core_critical_view *view);
/* The same, with repair(argument) called first where the one before died inside. 0 or a refusal. */
s64 core_critical_enter_repaired(const struct core_critical_view *view, void (*repair)(void *),
				 void *argument);
/* Leaves; wakes one waiter, if any. Only from inside. */
void core_critical_leave(const struct core_critical_view *view);

#endif
