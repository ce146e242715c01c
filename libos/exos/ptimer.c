/* SPDX-License-Identifier: MIT
 * POSIX timers: of a process, told by a signal. They end with it and at exec; a child has none. */
#include "proc_calls.h"
#include "proc_internal.h"
#include "time.h"

#define TIMERS_MOST 1024u
#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD_ID 4

struct posix_timer {
	struct timer timer;
	struct posix_timer *next;
	struct proc *proc;
	u64 due, interval; /* ns of the exposed clock; due 0: not armed */
	u64 missed;	   /* expiries beside the one that was told last */
	u64 value;
	s32 id, clock, how, sig;
	u32 tid; /* SIGEV_THREAD_ID */
};

struct linux_sigevent {
	u64 value;
	s32 sig, how;
	s32 tid;
	u8 pad[44];
};
ARIL_ASSERT_SIZE(struct linux_sigevent, 64);

static struct thread *thread_of(const struct proc *p, u32 tid)
{
	struct thread *t = thread_find(tid);
	return t && t->proc == p ? t : NULL;
}

static void posix_fire(struct timer *timer)
{
	struct posix_timer *t = timer->data;
	t->missed = timer_again(timer, &t->due, t->interval) - 1;
	if (t->how == SIGEV_NONE)
		return;
	struct siginfo_k info = {.signo = t->sig, .code = SI_TIMER};
	info.pid = t->id;
	info.uid = (s32)min(t->missed, 0x7ffffffful);
	info.value = t->value;
	struct thread *only = t->how == SIGEV_THREAD_ID ? thread_of(t->proc, t->tid) : NULL;
	if (only)
		signal_send_thread(only, t->sig, &info);
	else if (t->how == SIGEV_SIGNAL)
		signal_send(t->proc, t->sig, &info);
}

static struct posix_timer **posix_find(s32 id)
{
	struct posix_timer **at = &current()->proc->posix_timers;
	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static void posix_remove(struct posix_timer **at)
{
	struct posix_timer *t = *at;
	*at = t->next;
	timer_cancel(&t->timer);
	kfree(t);
}

void posix_timers_end(struct proc *p)
{
	while (p->posix_timers)
		posix_remove(&p->posix_timers);
}

/* What a timer does when it fires, from the program's description. 0 or -E. */
static s64 event_in(struct posix_timer *t, u64 from)
{
	struct linux_sigevent event;
	t->how = SIGEV_SIGNAL;
	t->sig = SIGALRM;
	t->value = (u64)t->id;
	if (!from)
		return 0;
	if (copy_in(&event, from, sizeof(event)))
		return -EFAULT;
	if (event.how != SIGEV_SIGNAL && event.how != SIGEV_NONE && event.how != SIGEV_THREAD_ID)
		return -EINVAL;
	if (event.how != SIGEV_NONE && (event.sig <= 0 || event.sig > NSIG))
		return -EINVAL;
	if (event.how == SIGEV_THREAD_ID && !thread_of(t->proc, (u32)event.tid))
		return -EINVAL;
	t->how = event.how;
	t->sig = event.sig;
	t->tid = (u32)event.tid;
	t->value = event.value;
	return 0;
}

s64 sys_timer_create(u64 clock, u64 event, u64 id)
{
	s32 number = 0;
	if ((u32)clock != CLOCK_REALTIME && (u32)clock != CLOCK_MONOTONIC &&
	    (u32)clock != CLOCK_BOOTTIME)
		return -EINVAL;
	while (*posix_find(number))
		number++;
	if ((u32)number >= TIMERS_MOST)
		return -EAGAIN;
	struct posix_timer *t = kmalloc(sizeof(*t));
	if (!t)
		return -EAGAIN;
	t->proc = current()->proc;
	t->clock = (s32)clock;
	t->id = number;
	t->timer.fire = posix_fire;
	t->timer.data = t;
	s64 error = event_in(t, event);
	if (!error && copy_out(id, &number, sizeof(number)))
		error = -EFAULT;
	if (error) {
		kfree(t);
		return error;
	}
	t->next = t->proc->posix_timers;
	t->proc->posix_timers = t;
	return 0;
}

/* struct itimerspec: interval, then value. */
static s64 posix_out(const struct posix_timer *t, u64 to)
{
	u64 now = now_ns(), left = t->due > now ? t->due - now : t->due ? 1 : 0;
	return timespec_out(to, t->interval) || timespec_out(to + 16, left) ? -EFAULT : 0;
}

s64 sys_timer_gettime(u64 id, u64 to)
{
	const struct posix_timer *t = *posix_find((s32)id);
	return t ? posix_out(t, to) : -EINVAL;
}

s64 sys_timer_settime(u64 id, u64 flags, u64 from, u64 old)
{
	u64 interval, value;
	struct posix_timer *t = *posix_find((s32)id);
	if (!from || !t)
		return -EINVAL;
	s64 error = timespec_in(from, &interval);
	if (!error)
		error = timespec_in(from + 16, &value);
	if (!error && old)
		error = posix_out(t, old);
	if (error)
		return error;
	timer_cancel(&t->timer);
	t->due = t->missed = 0;
	t->interval = interval;
	if (!value)
		return 0;
	t->due = timer_due((u32)t->clock, value, (flags & TIMER_ABSTIME) != 0);
	timer_set(&t->timer, t->due);
	return 0;
}

s64 sys_timer_getoverrun(u64 id)
{
	const struct posix_timer *t = *posix_find((s32)id);
	return t ? (s64)min(t->missed, 0x7ffffffful) : -EINVAL;
}

s64 sys_timer_delete(u64 id)
{
	struct posix_timer **at = posix_find((s32)id);
	if (!*at)
		return -EINVAL;
	posix_remove(at);
	return 0;
}
