/* SPDX-License-Identifier: MIT
 * Calls that one process makes alone, and signals that it sends itself. */
#define _GNU_SOURCE
#include "unix.h"
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static s64 getpid_(u64 n)
{
	return BENCH_LOOP(n, CALL(SYS_getpid));
}

/* The number has been in a register for long, which programs do that have a function for all calls. */
static s64 getpid_bare(u64 n)
{
	long number = SYS_getpid;

	return BENCH_LOOP(n, {
		long result;
		__asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
	});
}

static s64 clock_vdso(u64 n)
{
	struct timespec now;

	return BENCH_LOOP(n, MUST(clock_gettime(CLOCK_MONOTONIC, &now)));
}

static s64 clock_syscall(u64 n)
{
	struct timespec now;

	return BENCH_LOOP(n, MUST(CALL(SYS_clock_gettime, CLOCK_MONOTONIC, &now)));
}

static s64 yield_alone(u64 n)
{
	return BENCH_LOOP(n, MUST(CALL(SYS_sched_yield)));
}

static s64 wake_none(u64 n)
{
	static int word;

	return BENCH_LOOP(n, MUST(CALL(SYS_futex, &word, FUTEX_WAKE, 1)));
}

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
	(void)signal;
	signals++;
}

static s64 signal_self(u64 n)
{
	struct sigaction act = {.sa_handler = on_signal};
	int self = getpid();

	signals = 0;
	if (sigaction(SIGUSR1, &act, 0))
		return -errno;
	s64 took = BENCH_LOOP(n, MUST(CALL(SYS_kill, self, SIGUSR1)));

	return took >= 0 && (u64)signals != n ? -EPROTO : took;
}

static s64 sigaction_install(u64 n)
{
	/* the kernel's own form, without the library's wrapper: handler, flags, restorer, mask */
	u64 act[4] = {(u64)SIG_IGN, 0, 0, 0};

	return BENCH_LOOP(n, MUST(CALL(SYS_rt_sigaction, SIGUSR2, act, 0, 8)));
}

/* ud2 is two bytes. */
static void on_illegal(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	signals++;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static s64 illegal_skip(u64 n)
{
	struct sigaction act = {.sa_sigaction = on_illegal, .sa_flags = SA_SIGINFO};

	signals = 0;
	if (sigaction(SIGILL, &act, 0))
		return -errno;
	s64 took = BENCH_LOOP(n, __asm__ volatile("ud2" ::: "memory"));

	return (u64)signals != n ? -EPROTO : took;
}

const struct metric metrics_calls[] = {
	{"getpid", getpid_, 1000, 21, "getpid, by its instruction"},
	{"getpid_bare", getpid_bare, 1000, 21,
	 "the same, its number not loaded by the instruction before"},
	{"clock_gettime_vdso", clock_vdso, 1000, 21, "clock_gettime by the library"},
	{"clock_gettime_syscall", clock_syscall, 1000, 21, "clock_gettime by its instruction"},
	{"sched_yield_alone", yield_alone, 500, 21, "sched_yield, nobody else there"},
	{"futex_wake_none", wake_none, 500, 21, "FUTEX_WAKE where nobody waits"},
	{"signal_self", signal_self, 200, 21, "kill itself with a signal, handler, back"},
	{"sigaction_install", sigaction_install, 500, 21, "rt_sigaction"},
	{"trap_ud2_sigill_skip", illegal_skip, 200, 21,
	 "illegal instruction to SIGILL, stepped over"},
	{0},
};
