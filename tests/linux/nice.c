/* SPDX-License-Identifier: MIT
 * Nice values and the policies that share: what the calls say, who inherits, and that who is nicer gets less. */
#define _GNU_SOURCE
#include "say.h"
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct attr {
	unsigned size, policy;
	unsigned long flags;
	int nice;
	unsigned priority;
	unsigned long runtime, deadline, period;
};

static void show(const char *who)
{
	struct attr a;
	long error = syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0);
	char line[512], *at;
	int fields = 0;
	FILE *f = fopen("/proc/self/stat", "r");

	if (!fgets(line, sizeof(line), f))
		perror("stat");
	fclose(f);
	printf("%s: %d %x; %ld %u %lu %d;", who, getpriority(PRIO_PROCESS, 0),
	       sched_getscheduler(0), error, a.policy, a.flags, a.nice);
	for (at = strtok(line, " "); at; at = strtok(NULL, " "))
		if (++fields == 18 || fields == 19 || fields == 41)
			printf(" %s", at);
	printf("\n");
	fflush(stdout);
}

static void in_child(void (*what)(void))
{
	fflush(stdout);
	if (!fork()) {
		what();
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

static void inheriting(void)
{
	struct sched_param none = {0};
	struct attr a = {.size = sizeof(a), .policy = SCHED_BATCH, .flags = 1, .nice = 12};

	T(setpriority(PRIO_PROCESS, 0, 3));
	T(sched_setscheduler(0, SCHED_BATCH, &none));
	show("batch");
	if (!fork()) {
		show("its child");
		_exit(0);
	}
	wait(NULL);
	T(syscall(SYS_sched_setattr, 0, &a, 0));
	show("reset on fork");
	if (!fork()) {
		show("its child");
		_exit(0);
	}
	wait(NULL);
	T(sched_setparam(0, &none));
	T(sched_setscheduler(0, SCHED_IDLE, &none));
	show("idle");
}

static void unprivileged(void)
{
	struct rlimit none = {0, 0};
	struct sched_param fifo = {.sched_priority = 5}, none_at_all = {0};

	T(setrlimit(RLIMIT_NICE, &none));
	T(setrlimit(RLIMIT_RTPRIO, &none));
	T(setpriority(PRIO_PROCESS, 0, 5));
	if (setuid(65534))
		perror("setuid");
	T(setpriority(PRIO_PROCESS, 0, 7));
	T(setpriority(PRIO_PROCESS, 0, 7));
	T(setpriority(PRIO_PROCESS, 0, 6));
	T(setpriority(PRIO_PROCESS, getppid(), 19));
	T(getpriority(PRIO_PROCESS, getppid()) >= -20);
	T(sched_setscheduler(0, SCHED_FIFO, &fifo));
	T(sched_setscheduler(0, SCHED_IDLE, &none_at_all));
	T(sched_setscheduler(0, SCHED_OTHER, &none_at_all));
	T(setpriority(PRIO_USER, 65534, 9));
	show("user 65534");
}

static void wrong(void)
{
	struct sched_param none = {0}, five = {.sched_priority = 5};
	struct attr a = {.size = 8}, flags = {.size = sizeof(flags), .flags = 1ul << 40};

	T(setpriority(7, 0, 3));
	T(setpriority(PRIO_PROCESS, 4000000, 3));
	T(getpriority(PRIO_PGRP, 4000000));
	T(getpriority(3, 0));
	T(setpriority(PRIO_PROCESS, 0, 1000));
	T(getpriority(PRIO_PROCESS, 0));
	T(setpriority(PRIO_PGRP, 4000000, 3));
	T(sched_setscheduler(0, SCHED_OTHER, &five));
	T(sched_setscheduler(0, 4, &none));
	T(sched_setscheduler(0, 77, &none));
	T(sched_setscheduler(0, -1, &none));
	T(sched_setscheduler(0, SCHED_FIFO, &none));
	T(sched_setscheduler(0, SCHED_OTHER, NULL));
	T(sched_setscheduler(-1, SCHED_OTHER, &none));
	T(sched_setscheduler(4000000, SCHED_OTHER, &none));
	T(syscall(SYS_sched_setattr, 0, &a, 0));
	T(syscall(SYS_sched_setattr, 0, &flags, 0));
}

/* Two on one processor, each counting until it is ended: the first one's count over the second's, after 600 ms, or when it has come
 * between these two: where the host has little time for us, a few of its turns are all of ours, and chance has its part in whom
 * they fall to. Who gives all the same amount is not found to do otherwise by waiting. */
static double shares(int first, int second, double least, double most)
{
	volatile unsigned long *count =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double ratio = 0;
	pid_t pid[2];

	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		setpriority(PRIO_PROCESS, 0, i ? second : first);
		for (;;)
			count[i * 512]++;
	}
	for (int tenths = 0; tenths < 6 || (tenths < 100 && (ratio <= least || ratio >= most));
	     tenths++) {
		usleep(100000);
		ratio = (double)count[0] / (double)(count[512] ? count[512] : 1);
	}
	for (int i = 0; i < 2; i++)
		kill(pid[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return ratio;
}

/* One that has had its share is sent to a processor with nothing to do, by the only one that computes here, who then waits. */
static void sent_away(void)
{
	volatile int *stop =
		mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t other;
	pid_t nicer = fork();

	if (!nicer) {
		setpriority(PRIO_PROCESS, 0, 19);
		while (!*stop)
			;
		_exit(0);
	}
	for (clock_t from = clock(); clock() - from < CLOCKS_PER_SEC / 10;)
		;
	*stop = 1;
	CPU_ZERO(&other);
	CPU_SET(1, &other);
	T(sched_setaffinity(nicer, sizeof(other), &other));
	printf("and ends: %d\n", waitpid(nicer, NULL, 0) == nicer);
}

int main(void)
{
	cpu_set_t one;
	double even, far;

	T(setpriority(PRIO_PROCESS, 0, 0));
	show("first");
	in_child(inheriting);
	in_child(unprivileged);
	in_child(wrong);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	sent_away();
	even = shares(8, 8, 0.4, 2.5);
	far = shares(8, 16, 3, 1e9); /* due: 6 to 1 */
	printf("alike: %s\n", even > 0.4 && even < 2.5 ? "alike" : "not alike");
	printf("eight steps: %s\n", far > 3 ? "much more" : "not much more");
	if (getenv("SHOW"))
		fprintf(stderr, "%f %f\n", even, far);
	return 0;
}
