/* SPDX-License-Identifier: MIT
 * POSIX timers: results, errors and what their signals say, as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

static volatile int fired;

static void on(int sig, siginfo_t *info, void *context)
{
	(void)context;
	fired++;
	if (fired <= 1)
		printf("signal %d code %d value %d\n", sig == SIGRTMIN + 1, info->si_code,
		       info->si_value.sival_int);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
				 .sigev_signo = SIGRTMIN + 1,
				 .sigev_value.sival_int = 42};
	struct itimerspec at = {.it_value = {0, 20000000}, .it_interval = {0, 10000000}}, now;
	timer_t t, u;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	sigaction(SIGRTMIN + 1, &action, NULL);
	T(timer_create(77, &event, &t));
	T(timer_create(CLOCK_MONOTONIC, &event, &t));
	event.sigev_signo = 99;
	T(timer_create(CLOCK_MONOTONIC, &event, &u));
	event.sigev_notify = 77;
	T(timer_create(CLOCK_MONOTONIC, &event, &u));
	T(timer_gettime(t, &now));
	printf("%ld %ld\n", now.it_value.tv_nsec, now.it_interval.tv_nsec);
	T(timer_settime(t, 0, &at, NULL));
	T(timer_gettime(t, &now));
	printf("%d %ld\n", now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20000000,
	       now.it_interval.tv_nsec);
	while (fired < 3)
		pause();
	at.it_value.tv_nsec = 2000000000;
	T(timer_settime(t, 0, &at, NULL));
	at = (struct itimerspec){0};
	T(timer_settime(t, 0, &at, &now));
	printf("%ld\n", now.it_interval.tv_nsec);
	fired = 5;
	usleep(30000);
	printf("disarmed: %d\n", fired);
	T(timer_create(CLOCK_REALTIME, NULL, &u));
	signal(SIGALRM, SIG_IGN);
	fflush(stdout);
	if (!fork()) {
		printf("a child has none: %d\n", timer_gettime(t, &now));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	clock_gettime(CLOCK_MONOTONIC, &at.it_value);
	T(timer_settime(t, TIMER_ABSTIME, &at, NULL));
	siginfo_t info;
	T(sigwaitinfo(&set, &info) == SIGRTMIN + 1);
	printf("%d %d\n", info.si_code, info.si_value.sival_int);
	T(timer_getoverrun(t));
	T(timer_delete(t));
	T(timer_delete(t));
	T(timer_gettime(t, &now));
	T(getpriority(PRIO_PROCESS, 0) ==
	  getpriority(PRIO_PROCESS, getpid())); /* what it is, is the host's affair */
	T(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0)));
	T(getpriority(9, 0));
	T(getpriority(PRIO_PROCESS, 99999));
	return 0;
}
