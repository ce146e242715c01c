/* SPDX-License-Identifier: MIT
 * Timers of the library, and where a program's time goes. */
#ifndef EXOS_TIME_H
#define EXOS_TIME_H

#include "exos.h"

#define SECOND 1000000000ul

/* Fires once at its deadline (ns of the exposed clock), with the family lock held. Not queued: deadline 0. */
struct timer {
	struct list link;
	u64 deadline;
	void (*fire)(struct timer *t);
	void *data;
};

/* Queues t for deadline, moving it when it was queued. Family lock. Sleeping CPUs see it when they next ask
 * timers_next: whoever sets a timer runs on a CPU that asks before it idles. */
void timer_set(struct timer *t, u64 deadline);
/* Takes t out of the queue; no effect when it is not there. Family lock. */
void timer_cancel(struct timer *t);
/* When a program's timer is due, in ns of the exposed clock, never 0: a time of its clock (CLOCK_REALTIME, or one that is the
 * exposed clock), or so long from now. */
u64 timer_due(u32 clock, u64 value, int is_absolute);
/* A program's timer that was due at *due fires: queues it for its next time, if it has an interval, and says so in *due (0: it
 * has none). How often it was due until now, at least 1. Family lock. */
u64 timer_again(struct timer *t, u64 *due, u64 interval);

/* Charges the time since the thread's last stamp, and raises SIGVTALRM and SIGPROF that are due. All of it counts as where the
 * end of a slice found the thread last, in the program or in ExOS for it: the sum is exact, the parts are samples. Family lock. */
void time_account(struct thread *t);

struct linux_timespec;
struct linux_timeval;
/* Reads a timespec of the program as nanoseconds: 0, -EFAULT, or -EINVAL when it is negative or not normal. */
s64 timespec_in(u64 from, u64 *ns);
/* Writes nanoseconds as a timespec or timeval of the program: 0 or -EFAULT. */
s64 timespec_out(u64 to, u64 ns);
s64 timeval_out(u64 to, u64 ns);
/* Processor time that a process has used, what its running threads use now included. */
u64 proc_ran_ns(const struct proc *p);
/* Charges a reaped child's time to its parent, and forgets its timers. */
void time_reap(struct proc *parent, struct proc *child);
/* Ends the process's interval timer. */
void time_exit(struct proc *p);

#endif
