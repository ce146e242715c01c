/* SPDX-License-Identifier: MIT
 * Resource limits that are looked at now and then: memory, processes, processor time. */
#include "caps.h"
#include "limits.h"
#include "linux.h"
#include "mm_internal.h"
#include "proc.h"
#include "proc_internal.h"
#include "time.h"

s64 limit_memory(const struct mm *mm, u64 start, u64 bytes)
{
	u64 limit = current()->proc->limit_cur[RLIMIT_AS], sum = bytes;
	if (limit == RLIM_INFINITY)
		return 0;
	for (const struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
		const struct area *a = container_of(at, struct area, link);
		u64 low = max(a->start, start), high = min(a->end, start + bytes);
		sum += a->end - a->start;
		if (start && low < high)
			sum -= high - low; /* it takes their place */
	}
	return sum > limit ? -ENOMEM : 0;
}

s64 limit_processes(void)
{
	const struct proc *me = current()->proc;
	u64 limit = me->limit_cur[RLIMIT_NPROC], count = 0;
	if (!me->uid || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN) ||
	    limit == RLIM_INFINITY)
		return 0;
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		const struct proc *p = container_of(at, struct proc, all);
		count += p->uid == me->uid ? max(p->nthreads, 1u) : 0;
	}
	return count >= limit ? -EAGAIN : 0;
}

/* ---- processor time: looked at ten times a second while some process has a limit ---- */
#define LOOK_NS (SECOND / 10)
static struct timer looks;

static void time_check(struct proc *p)
{
	u64 soft = max(p->limit_cur[RLIMIT_CPU], 1ul), hard = max(p->limit_max[RLIMIT_CPU], 1ul);
	u64 used = proc_ran_ns(p);
	if (used / SECOND >= hard) {
		signal_send(p, SIGKILL, NULL);
	} else if (used / SECOND >= soft) {
		signal_send(p, SIGXCPU, NULL);
		p->limit_cur[RLIMIT_CPU] = soft + 1; /* once a second from here on */
	}
}

static void look(struct timer *timer)
{
	int any = 0;
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		if (p->state == PROC_ZOMBIE || p->limit_cur[RLIMIT_CPU] == RLIM_INFINITY)
			continue;
		time_check(p);
		any = 1;
	}
	if (any)
		timer_set(timer, now_ns() + LOOK_NS);
	else
		timer->fire = NULL;
}

void limit_time_begin(void)
{
	if (looks.fire)
		return;
	looks.fire = look;
	timer_set(&looks, now_ns() + LOOK_NS);
}
