/* SPDX-License-Identifier: MIT
 * Clocks, sleeping, and times that programs ask for. */
#include "time.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "quick.h"

#define CLOCK_TICKS 100 /* a second, in times() */

s64 timespec_in(u64 from, u64 *ns)
{
	struct linux_timespec ts;
	if (copy_in(&ts, from, sizeof(ts)))
		return -EFAULT;
	if (ts.sec < 0 || (u64)ts.nsec >= SECOND)
		return -EINVAL;
	*ns = min((u64)ts.sec, 9000000000ul) * SECOND + (u64)ts.nsec;
	return 0;
}

s64 timespec_out(u64 to, u64 ns)
{
	struct linux_timespec ts = {(s64)(ns / SECOND), (s64)(ns % SECOND)};
	return copy_out(to, &ts, sizeof(ts));
}

s64 timeval_out(u64 to, u64 ns)
{
	struct linux_timeval tv = {(s64)(ns / SECOND), (s64)(ns % SECOND / 1000)};
	return copy_out(to, &tv, sizeof(tv));
}

static u64 realtime_ns(void)
{
	return now_ns() + (u64)family.realtime_offset;
}

static u64 thread_ran_ns(const struct thread *t)
{
	u64 stamp = t->last_stamp, now = ticks_now();
	int runs = t->state == THREAD_RUNNING && stamp && now > stamp;
	return ticks_ns(t->user_ticks + t->system_ticks + (runs ? now - stamp : 0));
}

/* Takes the family lock: other threads may come and go. */
u64 proc_ran_ns(const struct proc *p)
{
	family_lock();
	u64 sum = ticks_ns(p->user_ticks + p->system_ticks);
	for (struct list *at = p->threads.next; at != &p->threads; at = at->next)
		sum += thread_ran_ns(container_of(at, struct thread, sibling));
	family_unlock();
	return sum;
}

/* The clocks that pthread_getcpuclockid and clock_getcpuclockid name: the complement of a number, three bits of kind. */
static s64 clock_of_other(u64 clock, u64 *ns)
{
	u32 id = ~(u32)((s32)clock >> 3), kind = (u32)clock & 7;
	s64 error = -EINVAL;
	if ((s32)clock >= 0 || (kind & 3) == 3)
		return -EINVAL;
	family_lock();
	if (kind & 4) {
		const struct thread *t = id ? thread_find(id) : current();
		if (t && t->proc == current()->proc) {
			*ns = thread_ran_ns(t);
			error = 0;
		}
	} else {
		const struct proc *p = id ? proc_find(id) : current()->proc;
		if (p) {
			*ns = proc_ran_ns(p);
			error = 0;
		}
	}
	family_unlock();
	return error;
}

/* 0 and the clock's value, or -EINVAL. */
static s64 clock_read(u64 clock, u64 *ns)
{
	struct thread *t = current();
	switch ((u32)clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		*ns = realtime_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ns = now_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = proc_ran_ns(t->proc);
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = thread_ran_ns(t);
		return 0;
	default:
		return clock_of_other(clock, ns);
	}
}

/* The clocks that are the exposed one, which takes nothing but to read it. */
s64 quick_clock_gettime(u64 clock, u64 to, u64 c, u64 d, u64 e, u64 f)
{
	(void)c, (void)d, (void)e, (void)f;
	switch ((u32)clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		return timespec_out(to, realtime_ns());
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		return timespec_out(to, now_ns());
	default:
		return QUICK_NO;
	}
}

s64 quick_gettimeofday(u64 to, u64 zone, u64 c, u64 d, u64 e, u64 f)
{
	(void)c, (void)d, (void)e, (void)f;
	return sys_gettimeofday(to, zone);
}

s64 quick_time(u64 to, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	(void)b, (void)c, (void)d, (void)e, (void)f;
	return sys_time(to);
}

s64 sys_clock_gettime(u64 clock, u64 to)
{
	u64 ns;
	s64 error = clock_read(clock, &ns);
	return error ? error : timespec_out(to, ns);
}

s64 sys_clock_getres(u64 clock, u64 to)
{
	u64 ns;
	s64 error = clock_read(clock, &ns);
	return error || !to ? error : timespec_out(to, 1);
}

s64 sys_gettimeofday(u64 to, u64 zone)
{
	static const s32 utc[2] = {0, 0};
	s64 error = to ? timeval_out(to, realtime_ns()) : 0;
	return error || !zone ? error : copy_out(zone, utc, sizeof(utc));
}

s64 sys_time(u64 to)
{
	s64 seconds = (s64)(realtime_ns() / SECOND);
	if (to && copy_out(to, &seconds, sizeof(seconds)))
		return -EFAULT;
	return seconds;
}

/* Sleeps until `deadline` on the exposed clock. A signal: -ERESTART_RESTARTBLOCK, with what is left written to
 * `remaining` (0: nowhere) and the deadline kept for restart_syscall; absolute sleeps start anew by themselves. */
static s64 sleep_until(u64 deadline, u64 remaining, int absolute)
{
	struct thread *t = current();
	struct waitq q;
	waitq_init(&q);
	while (now_ns() < deadline) {
		s64 woken = sleep_on(&q, deadline, 1);
		if (woken != -EINTR)
			continue;
		u64 now = now_ns();
		if (absolute)
			return -ERESTARTNOHAND;
		if (remaining && now < deadline && timespec_out(remaining, deadline - now))
			return -EFAULT;
		t->restart[0] = deadline;
		t->restart[1] = remaining;
		t->restart[2] = 1;
		return -ERESTART_RESTARTBLOCK;
	}
	return 0;
}

s64 sys_restart_syscall(void)
{
	struct thread *t = current();
	if (!t->restart[2])
		return -EINTR;
	t->restart[2] = 0;
	return sleep_until(t->restart[0], t->restart[1], 0);
}

s64 sys_nanosleep(u64 wanted, u64 remaining)
{
	u64 ns;
	s64 error = timespec_in(wanted, &ns);
	return error ? error : sleep_until(now_ns() + ns, remaining, 0);
}

s64 sys_clock_nanosleep(u64 clock, u64 flags, u64 wanted, u64 remaining)
{
	u64 ns, now;
	if ((u32)clock == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if ((u32)clock == CLOCK_PROCESS_CPUTIME_ID)
		return -EOPNOTSUPP;
	s64 error = clock_read(clock, &now);
	if (!error)
		error = timespec_in(wanted, &ns);
	if (error)
		return error;
	if (!(flags & TIMER_ABSTIME))
		return sleep_until(now_ns() + ns, remaining, 0);
	return ns <= now ? 0 : sleep_until(now_ns() + (ns - now), 0, 1);
}

s64 sys_times(u64 to)
{
	struct proc *p = current()->proc;
	const u64 tick = SECOND / CLOCK_TICKS;
	u64 user, system;
	time_account(current());
	proc_times(p, &user, &system);
	struct linux_tms out = {(s64)(user / tick), (s64)(system / tick),
				(s64)(p->cutime_ns / tick), (s64)(p->cstime_ns / tick)};
	if (to && copy_out(to, &out, sizeof(out)))
		return -EFAULT;
	return (s64)(now_ns() / tick);
}

static struct linux_timeval timeval_from(u64 ns)
{
	return (struct linux_timeval){(s64)(ns / SECOND), (s64)(ns % SECOND / 1000)};
}

s64 sys_getrusage(u64 who, u64 to)
{
	struct proc *p = current()->proc;
	struct linux_rusage out = {.maxrss = (s64)(p->cmaxrss_pages * 4)};
	u64 user, system;
	time_account(current());
	if ((s32)who == RUSAGE_CHILDREN) {
		user = p->cutime_ns;
		system = p->cstime_ns;
	} else if ((s32)who == RUSAGE_SELF || (s32)who == RUSAGE_THREAD) {
		proc_times(p, &user, &system);
		if ((s32)who == RUSAGE_THREAD) {
			user = ticks_ns(current()->user_ticks);
			system = ticks_ns(current()->system_ticks);
		}
		out.maxrss = (s64)(proc_peak(p) * 4);
		out.minflt = (s64)p->minflt;
		out.majflt = (s64)p->majflt;
	} else {
		return -EINVAL;
	}
	out.utime = timeval_from(user);
	out.stime = timeval_from(system);
	return copy_out(to, &out, sizeof(out));
}
