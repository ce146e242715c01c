/* SPDX-License-Identifier: MIT
 * The timer queue, interval timers, and what a program's time is charged to. */
#include "mm.h"
#include "linux.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "time.h"

/* Sorted by deadline. Guarded by the family lock. */
static struct list timers = {&timers, &timers};

void timer_cancel(struct timer *t)
{
	if (t->deadline)
		list_del(&t->link);
	t->deadline = 0;
}

u64 timer_due(u32 clock, u64 value, int is_absolute)
{
	u64 base = clock == CLOCK_REALTIME ? (u64)family.realtime_offset : 0;

	if (!is_absolute)
		return now_ns() + value;
	return value > base ? value - base : 1;
}

void timer_set(struct timer *t, u64 deadline)
{
	struct list *at = &timers;
	timer_cancel(t);
	t->deadline = deadline ? deadline : 1;
	while (at->prev != &timers &&
	       container_of(at->prev, struct timer, link)->deadline > t->deadline)
		at = at->prev;
	list_add_tail(at, &t->link);
}

u64 timer_again(struct timer *t, u64 *due, u64 interval)
{
	u64 now = now_ns(), times = 1;

	if (!interval) {
		*due = 0;
		return times;
	}
	times += now > *due ? (now - *due) / interval : 0;
	*due += times * interval;
	timer_set(t, *due);
	return times;
}

/* The earliest deadline in ns of the exposed clock; 0: no timer is set. Family lock. */
u64 timers_next(void)
{
	return list_empty(&timers) ? 0 : container_of(timers.next, struct timer, link)->deadline;
}

/* Fires what is due at `now` (ns). Family lock. */
void timers_run(u64 now)
{
	while (!list_empty(&timers)) {
		struct timer *t = container_of(timers.next, struct timer, link);
		if (t->deadline > now)
			return;
		timer_cancel(t);
		t->fire(t);
	}
}

static void real_fire(struct timer *timer)
{
	struct proc *p = timer->data;
	u64 due = p->itimer_value[ITIMER_REAL], interval = p->itimer_interval[ITIMER_REAL];
	p->itimer_value[ITIMER_REAL] = 0;
	if (interval) {
		u64 now = now_ns(), missed = now > due ? (now - due) / interval : 0;
		p->itimer_value[ITIMER_REAL] = due + (missed + 1) * interval;
		timer_set(timer, p->itimer_value[ITIMER_REAL]);
	}
	signal_send(p, SIGALRM, NULL);
}

void time_exit(struct proc *p)
{
	if (!p->itimer_real)
		return;
	timer_cancel(p->itimer_real);
	kfree(p->itimer_real);
	p->itimer_real = NULL;
	p->itimer_value[ITIMER_REAL] = 0;
}

u64 proc_peak(const struct proc *p)
{
	return p->mm ? max(p->maxrss_pages, max(p->mm->rss, p->mm->rss_most)) : p->maxrss_pages;
}

void time_reap(struct proc *parent, struct proc *child)
{
	u64 user, system;
	proc_times(child, &user, &system);
	parent->cutime_ns += user + child->cutime_ns;
	parent->cstime_ns += system + child->cstime_ns;
	parent->cmaxrss_pages =
		max(parent->cmaxrss_pages, max(proc_peak(child), child->cmaxrss_pages));
}

/* ITIMER_VIRTUAL and ITIMER_PROF count down by what is charged. */
static void itimer_charge(struct proc *p, int which, int sig, u64 ticks)
{
	if (!p->itimer_value[which])
		return;
	u64 ns = ticks_ns(ticks);
	if (p->itimer_value[which] > ns) {
		p->itimer_value[which] -= ns;
		return;
	}
	p->itimer_value[which] = p->itimer_interval[which];
	signal_send(p, sig, NULL);
}

void time_account(struct thread *t)
{
	u64 now = ticks_now();
	u64 spent = t->last_stamp && now > t->last_stamp ? now - t->last_stamp : 0;
	int user = !t->time_system;
	t->last_stamp = now;
	if (user)
		t->user_ticks += spent;
	else
		t->system_ticks += spent;
	struct proc *p = t->proc;
	if (!(p->itimer_value[ITIMER_VIRTUAL] | p->itimer_value[ITIMER_PROF]))
		return;
	if (user)
		itimer_charge(p, ITIMER_VIRTUAL, SIGVTALRM, spent);
	itimer_charge(p, ITIMER_PROF, SIGPROF, spent);
}

void proc_times(const struct proc *p, u64 *user, u64 *system)
{
	u64 u = p->user_ticks, k = p->system_ticks;
	for (struct list *at = p->threads.next; at != &p->threads; at = at->next) {
		const struct thread *t = container_of(at, struct thread, sibling);
		u += t->user_ticks;
		k += t->system_ticks;
	}
	*user = ticks_ns(u);
	*system = ticks_ns(k);
}

/* What is left of a timer: at least a microsecond while it runs, as 0 says that it does not. */
static u64 itimer_left(const struct proc *p, u64 which)
{
	u64 value = p->itimer_value[which], now = now_ns();
	if (which == ITIMER_REAL && value)
		value = value > now ? value - now : 0;
	else if (!value)
		return 0;
	return p->itimer_value[which] ? max(value, 1000ul) : 0;
}

static s64 itimer_set(struct proc *p, u64 which, u64 value, u64 interval)
{
	p->itimer_interval[which] = interval;
	if (which != ITIMER_REAL) {
		p->itimer_value[which] = value;
		return 0;
	}
	if (!value) {
		time_exit(p);
		return 0;
	}
	if (!p->itimer_real) {
		p->itimer_real = kmalloc(sizeof(*p->itimer_real));
		if (!p->itimer_real)
			return -ENOMEM;
		p->itimer_real->fire = real_fire;
		p->itimer_real->data = p;
	}
	p->itimer_value[ITIMER_REAL] = now_ns() + value;
	timer_set(p->itimer_real, p->itimer_value[ITIMER_REAL]);
	return 0;
}

static struct linux_timeval timeval_of(u64 ns)
{
	return (struct linux_timeval){(s64)(ns / SECOND), (s64)(ns % SECOND / 1000)};
}

static s64 itimer_out(const struct proc *p, u64 which, u64 to)
{
	struct linux_itimerval out = {timeval_of(p->itimer_interval[which]),
				      timeval_of(itimer_left(p, which))};
	return copy_out(to, &out, sizeof(out));
}

s64 sys_getitimer(u64 which, u64 to)
{
	if (which > ITIMER_PROF)
		return -EINVAL;
	return itimer_out(current()->proc, which, to);
}

static int timeval_ns(const struct linux_timeval *tv, u64 *ns)
{
	if (tv->sec < 0 || tv->usec < 0 || tv->usec >= 1000000)
		return -EINVAL;
	u64 seconds = min((u64)tv->sec, 9000000000ul); /* stays below 2^63 ns */
	*ns = seconds * SECOND + (u64)tv->usec * 1000;
	return 0;
}

s64 sys_setitimer(u64 which, u64 from, u64 old)
{
	struct proc *p = current()->proc;
	struct linux_itimerval in = {{0, 0}, {0, 0}};
	u64 value, interval;
	if (from && copy_in(&in, from, sizeof(in)))
		return -EFAULT;
	if (which > ITIMER_PROF || timeval_ns(&in.value, &value) ||
	    timeval_ns(&in.interval, &interval))
		return -EINVAL;
	if (old && itimer_out(p, which, old))
		return -EFAULT;
	return itimer_set(p, which, value, interval);
}

s64 sys_alarm(u64 seconds)
{
	struct proc *p = current()->proc;
	u64 left = itimer_left(p, ITIMER_REAL);
	s64 error = itimer_set(p, ITIMER_REAL, (u32)seconds * SECOND, 0);
	return error ? error : (s64)((left + SECOND / 2) / SECOND + (left && left < SECOND / 2));
}
