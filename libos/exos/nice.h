/* SPDX-License-Identifier: MIT
 * Shares of processor time by nice values: nice.c. Family lock throughout. */
#ifndef EXOS_NICE_H
#define EXOS_NICE_H

#include "exos.h"

#define SCHED_OTHER 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#define SCHED_BATCH 3
#define SCHED_IDLE 5
#define SCHED_RESET_ON_FORK 0x40000000u
#define NICE_MIN (-20)
#define NICE_MAX 19
#define NICE_WEIGHT 1024u /* of who is not nice */

/* Threads whose share is not the ordinary one, and those that have had theirs: while there are none, nobody asks here. */
extern u32 nice_threads;
extern struct list nice_late;

/* The nearest nice value that there is. */
static inline s32 nice_within(s32 nice)
{
	return min(max(nice, NICE_MIN), NICE_MAX);
}
/* t's policy and nice value become these. */
void nice_set(struct thread *t, u32 policy, s32 nice);
/* A thread begins as nobody in particular, with what its maker has; and is no more. */
static inline void nice_begin(struct thread *t)
{
	t->policy = t->policy_own = 0;
	t->nice = 0;
	t->weight = NICE_WEIGHT;
	t->turn = 0;
}
void nice_made(struct thread *t, const struct thread *maker);
static inline void nice_inherit(struct thread *t, const struct thread *maker)
{
	if (maker->nice | maker->policy)
		nice_made(t, maker);
}
static inline void nice_end(const struct thread *t)
{
	nice_threads -= t->weight != NICE_WEIGHT;
}
/* The running thread's slice is over, and it is not queued: queues it, at once or when its turn has come. */
void nice_queue(struct thread *t);
/* Those whose turn has come, or for whom a processor is idle, are queued. */
void nice_look(void);
/* Of those whose turn has not come: who is next on this processor. NULL: none. */
struct thread *nice_next(u32 cpu);
/* Whether the current thread may make t's nice value this one: 0, -EPERM (not its to change), -EACCES. */
s64 nice_check(const struct thread *t, s32 nice);
/* Whether the current thread may give one of t's process a better value than it has: 0 or -EACCES. */
s64 nice_better(const struct thread *t, s32 nice);

s64 sys_getpriority(u64 which, u64 who);
s64 sys_setpriority(u64 which, u64 who, u64 nice);

#endif
