/* SPDX-License-Identifier: MIT
 * Members that the kernel ends while they are in ExOS: what they were at is brought to its end. */
#ifndef EXOS_RESCUE_H
#define EXOS_RESCUE_H

#include "sched.h"

/* Frames and pages for it, on each processor: there is no asking for memory when it is needed. */
void rescue_boot(void);
/* The scheduler of this processor, at each START, before all else: c->last names who ran here last, and cannot be entered
 * any more. Returns when there is nothing to bring to an end. */
void rescue_begin(struct cpu *c);
/* The same: goes on with what has begun. Returns when it is over, or when a thread that it runs is `current`. */
void rescue_continue(struct cpu *c);
/* The current thread's env was ended while the thread had the family lock and waited for its next slice: it goes on. Does
 * not return. */
_Noreturn void rescue_current(struct cpu *c);
/* The current thread goes on in rescue_env. */
_Noreturn void rescue_enter(struct cpu *c);
/* The env in which the current thread is to be entered instead of its process's: while it holds the family lock. 0: in that. */
u32 rescue_env(const struct cpu *c, const struct thread *t);
/* START in an env of ours: does what is to be done there and does not return; or returns whether it is one. */
int rescue_start(const struct aril_context *ctx);
/* The current thread is about to move its env to another space. Whether that is one of ours; its process's is another, then, or
 * none any more. */
int rescue_moves(const struct aril_context *ctx, u32 space);
/* Whether a context page that is to be given back is still needed here: it is given back when it is not. Family lock. */
int rescue_keeps(u32 cpu, struct aril_context *page);
/* Gives back what is not needed any more. In the scheduler, family lock. */
void rescue_sweep(const struct cpu *c);

#endif
