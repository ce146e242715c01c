/* SPDX-License-Identifier: MIT
 * Linux's calls on how threads are scheduled, and on what they see of each other's memory. */
#include "linux.h"
#include "mm.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "sched.h"
#include "time.h"
#include <aril/info.h>

#define SCHED_OTHER 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#define SCHED_BATCH 3
#define SCHED_IDLE 5
#define SCHED_RESET_ON_FORK 0x40000000u

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

/* Processors that the family has, a bit each. */
static u64 processors(void)
{
	return family.online;
}

s64 sys_sched_getaffinity(u64 tid, u64 bytes, u64 to)
{
	const struct thread *t = thread_named(tid);
	if (bytes < sizeof(u64) || (bytes & 7))
		return -EINVAL;
	if (!t)
		return -ESRCH;
	u64 mask = t->affinity & processors();
	mask = mask ? mask : processors();
	return copy_out(to, &mask, sizeof(mask)) ? -EFAULT : (s64)sizeof(mask);
}

/* What runs where it no longer may leaves at its slice's end at the latest. */
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
	if (!(mask & processors()))
		return -EINVAL;
	/* all that are there: those that may yet come, too */
	t->affinity = (mask & processors()) == processors() ? ~0ul : mask;
	if (t == current() && !(mask >> this_context()->cpu & 1))
		sched_move();
	return 0;
}

/* There is one policy, whose only priority is 0. The others are not there, and asking for a real-time one is refused as
 * for who has no right to it. */
static s64 policy_set(u64 tid, u32 policy, u64 param)
{
	s32 priority;
	if ((s32)tid < 0 || !param)
		return -EINVAL;
	if (copy_in(&priority, param, sizeof(priority)))
		return -EFAULT;
	const struct thread *t = thread_named(tid);
	if (!t)
		return -ESRCH;
	policy &= ~SCHED_RESET_ON_FORK;
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return priority < 1 || priority > 99 ? -EINVAL : -EPERM;
	if (policy != SCHED_OTHER || priority)
		return -EINVAL;
	return proc_may_change(t->proc) ? 0 : -EPERM;
}

s64 sys_sched_setscheduler(u64 tid, u64 policy, u64 param)
{
	return policy_set(tid, (u32)policy, param);
}

s64 sys_sched_setparam(u64 tid, u64 param)
{
	return policy_set(tid, SCHED_OTHER, param);
}

/* As much of struct sched_attr as there was first. */
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
	if (!from || (s32)tid < 0 || flags)
		return -EINVAL;
	if (copy_in(&a, from, sizeof(a.size)))
		return -EFAULT;
	if (a.size && a.size < sizeof(a))
		return -E2BIG;
	if (copy_in(&a, from, sizeof(a)))
		return -EFAULT;
	const struct thread *t = thread_named(tid);
	if (!t)
		return -ESRCH;
	if (a.policy == SCHED_FIFO || a.policy == SCHED_RR)
		return a.priority < 1 || a.priority > 99 ? -EINVAL : -EPERM;
	if (a.policy != SCHED_OTHER || a.priority || a.flags & ~1ul)
		return -EINVAL;
	return a.nice || !proc_may_change(t->proc) ? -EPERM : 0;
}

s64 sys_sched_getattr(u64 tid, u64 to, u64 bytes, u64 flags)
{
	static const struct sched_attr a = {.size = sizeof(a)};
	if (!to || (s32)tid < 0 || (u32)bytes < sizeof(a) || (u32)bytes > PAGE || flags)
		return -EINVAL;
	if (!thread_named(tid))
		return -ESRCH;
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
	return thread_named(tid) ? SCHED_OTHER : -ESRCH;
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
