/* SPDX-License-Identifier: MIT
 * Linux's calls on how threads are scheduled, and on what they see of each other's memory. */
#include "caps.h"
#include "linux.h"
#include "mm.h"
#include "nice.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "sched.h"
#include "time.h"
#include <aril/info.h>

#define MEMBARRIER_QUERY 0
#define MEMBARRIER_GLOBAL 1
#define MEMBARRIER_PRIVATE 8
#define MEMBARRIER_REGISTER_PRIVATE 16

s64 sys_sched_yield(void)
{
	sched_yield_now();
	return 0;
}

static struct thread *thread_named(u64 tid)
{
	return (u32)tid ? thread_find((u32)tid) : current();
}

s64 sys_sched_getaffinity(u64 tid, u64 bytes, u64 to)
{
	const struct thread *t = thread_named(tid);
	if (bytes < sizeof(u64) || (bytes & 7))
		return -EINVAL;
	if (!t)
		return -ESRCH;
	u64 mask = sched_cpus(t);
	return copy_out(to, &mask, sizeof(mask)) ? -EFAULT : (s64)sizeof(mask);
}

/* What runs where it no longer may leaves at its slice's end at the latest; what waits may have a processor now that is idle. */
s64 sys_sched_setaffinity(u64 tid, u64 bytes, u64 from)
{
	struct thread *t = thread_named(tid);
	u64 mask = 0;
	if (copy_in(&mask, from, min(bytes, sizeof(mask))))
		return -EFAULT;
	if (!t)
		return -ESRCH;
	if (!proc_may_change(t->proc))
		return -EPERM;
	if (!(mask & family.online))
		return -EINVAL;
	/* all that are there: those that may yet come, too */
	t->affinity = (mask & family.online) == family.online ? ~0ul : mask;
	nice_look();
	if (t == current() && !(mask >> this_context()->cpu & 1))
		sched_move();
	return 0;
}

/* The policies of who shares: which is not said to the real-time ones, that are refused as for who has no right to them. */
static s64 policy_set(struct thread *t, u32 policy, u32 priority, const s32 *nice)
{
	u32 own = policy & SCHED_RESET_ON_FORK;
	s32 to = nice ? nice_within(*nice) : t->nice;

	policy &= ~SCHED_RESET_ON_FORK;
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return priority < 1 || priority > 99 ? -EINVAL : -EPERM;
	if ((policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE) || priority)
		return -EINVAL;
	s64 error = nice_check(t, to);
	if (!error && t->policy == SCHED_IDLE && policy != SCHED_IDLE)
		error = nice_better(t, to);
	if (error || (!capable(CAP_SYS_NICE) && t->policy_own && !own))
		return -EPERM;
	nice_set(t, policy, to);
	t->policy_own = own != 0;
	return 0;
}

static s64 policy_set_by(u64 tid, const u32 *policy, u64 param)
{
	u32 priority;
	struct thread *t = thread_named(tid);
	if ((s32)tid < 0 || !param || (policy && (s32)*policy < 0))
		return -EINVAL;
	if (copy_in(&priority, param, sizeof(priority)))
		return -EFAULT;
	if (!t)
		return -ESRCH;
	u32 as_it_is = t->policy | (t->policy_own ? SCHED_RESET_ON_FORK : 0);
	return policy_set(t, policy ? *policy : as_it_is, priority, NULL);
}

s64 sys_sched_setscheduler(u64 tid, u64 policy, u64 param)
{
	u32 to = (u32)policy;
	return policy_set_by(tid, &to, param);
}

s64 sys_sched_setparam(u64 tid, u64 param)
{
	return policy_set_by(tid, NULL, param);
}

/* As much of struct sched_attr as there was first. */
#define ATTR_RESET_ON_FORK 1ul
struct sched_attr {
	u32 size, policy;
	u64 flags;
	s32 nice;
	u32 priority;
	u64 runtime, deadline, period;
};

s64 sys_sched_setattr(u64 tid, u64 from, u64 flags)
{
	struct sched_attr a;
	struct thread *t = thread_named(tid);
	if (!from || (s32)tid < 0 || flags)
		return -EINVAL;
	if (copy_in(&a, from, sizeof(a.size)))
		return -EFAULT;
	if (a.size && a.size < sizeof(a))
		return -E2BIG;
	if (copy_in(&a, from, sizeof(a)))
		return -EFAULT;
	if (!t)
		return -ESRCH;
	if (a.flags & ~ATTR_RESET_ON_FORK || a.policy & SCHED_RESET_ON_FORK)
		return -EINVAL;
	return policy_set(t, a.policy | (a.flags ? SCHED_RESET_ON_FORK : 0), a.priority, &a.nice);
}

s64 sys_sched_getattr(u64 tid, u64 to, u64 bytes, u64 flags)
{
	const struct thread *t = thread_named(tid);
	if (!to || (s32)tid < 0 || (u32)bytes < sizeof(struct sched_attr) || (u32)bytes > PAGE ||
	    flags)
		return -EINVAL;
	if (!t)
		return -ESRCH;
	struct sched_attr a = {.size = sizeof(a),
			       .policy = t->policy,
			       .flags = t->policy_own ? ATTR_RESET_ON_FORK : 0,
			       .nice = t->nice};
	return copy_out(to, &a, sizeof(a)) ? -EFAULT : 0;
}

/* Everybody's turn is a slice. */
s64 sys_sched_rr_get_interval(u64 tid, u64 to)
{
	if ((s32)tid < 0)
		return -EINVAL;
	if (!thread_named(tid))
		return -ESRCH;
	return timespec_out(to, ARIL_INFO->slice_ns);
}

s64 sys_sched_getscheduler(u64 tid)
{
	if ((s32)tid < 0)
		return -EINVAL;
	const struct thread *t = thread_named(tid);
	return t ? (s64)(t->policy | (t->policy_own ? SCHED_RESET_ON_FORK : 0)) : -ESRCH;
}

s64 sys_sched_getparam(u64 tid, u64 param)
{
	static const s32 priority;
	if ((s32)tid < 0 || !param)
		return -EINVAL;
	if (!thread_named(tid))
		return -ESRCH;
	return copy_out(param, &priority, sizeof(priority));
}

static s64 policy_priority(u64 policy, s64 of_real_time)
{
	switch ((u32)policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return of_real_time;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return 0;
	default:
		return -EINVAL;
	}
}

s64 sys_sched_get_priority_max(u64 policy)
{
	return policy_priority(policy, 99);
}

s64 sys_sched_get_priority_min(u64 policy)
{
	return policy_priority(policy, 1);
}

/* All processors on which programs run now have passed a barrier when this returns. */
static void barrier_everywhere(void)
{
	for (u32 i = 0; i < family.ncpus; i++)
		if (cpus[i].current && i != this_context()->cpu)
			mm_interrupt(cpus[i].current->proc->mm);
}

s64 sys_membarrier(u64 command, u64 flags, u64 cpu)
{
	struct proc *p = current()->proc;
	(void)cpu; /* of a flag that is not there */
	if (flags)
		return -EINVAL;
	switch ((u32)command) {
	case MEMBARRIER_QUERY:
		return MEMBARRIER_GLOBAL | MEMBARRIER_PRIVATE | MEMBARRIER_REGISTER_PRIVATE;
	case MEMBARRIER_GLOBAL:
		barrier_everywhere();
		return 0;
	case MEMBARRIER_REGISTER_PRIVATE:
		p->barriers = 1;
		return 0;
	case MEMBARRIER_PRIVATE:
		if (!p->barriers)
			return -EPERM;
		if (p->nthreads > 1 || p->mm->refs > 1)
			mm_interrupt(p->mm);
		return 0;
	default:
		return -EINVAL;
	}
}

/* Restartable sequences are not there: libraries do without. Said here so that the log does not count it. */
s64 sys_rseq(u64 area, u64 bytes, u64 flags, u64 signature)
{
	(void)area, (void)bytes, (void)flags, (void)signature;
	return -ENOSYS;
}
