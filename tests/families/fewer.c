/* SPDX-License-Identifier: MIT
 * A family whose positions are asked back (tests/beside/taker.c): who wanted to run on the second processor alone goes on when
 * that is gone, and the calls say how many there are. Then it waits for things, again and again, so that its idle
 * processors have a predicate loaded, whose gate is asked back, too. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long *counts; /* of the thread, the process */
static volatile int stop;

static void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static int pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof set, &set);
}

static int processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) ? -1 : CPU_COUNT(&set);
}

static void *count(void *at)
{
	if (pin(1))
		_exit(2);
	while (!stop)
		++*(volatile unsigned long *)at;
	return NULL;
}

static void text(const char *path, char *line, int bytes)
{
	FILE *f = fopen(path, "r");

	line[0] = 0;
	if (f && fgets(line, bytes, f))
		line[strcspn(line, "\n")] = 0;
	if (f)
		fclose(f);
}

static unsigned long memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : info.totalram;
}

int main(void)
{
	unsigned long all = memory();
	char line[64];
	pthread_t thread;
	pid_t child[2];

	counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	text("/sys/devices/system/cpu/online", line, sizeof line);
	printf("fewer: %d processors, online %s\n", processors(), line);
	child[0] = fork();
	if (!child[0])
		count((void *)&counts[1]);
	pthread_create(&thread, NULL, count, (void *)&counts[0]);
	while (!counts[0] || !counts[1])
		sleep_ms(10);
	child[1] = fork(); /* the taker sees that it is time */
	if (!child[1])
		for (;;)
			pause();
	for (int i = 0; processors() != 1 && i < 1000; i++)
		sleep_ms(10);
	text("/sys/devices/system/cpu/online", line, sizeof line);
	printf("fewer: %d processor, online %s\n", processors(), line);
	unsigned long was[2] = {counts[0], counts[1]};
	for (int i = 0; (counts[0] == was[0] || counts[1] == was[1]) && i < 1000; i++)
		sleep_ms(10);
	printf("fewer: %s, %s\n", counts[0] != was[0] ? "the thread goes on" : "NO THREAD",
	       counts[1] != was[1] ? "the process goes on" : "NO PROCESS");
	int refused = pin(1);
	printf("fewer: a processor that is gone: %s\n", refused ? strerror(errno) : "allowed");
	kill(child[0], SIGKILL);
	waitpid(child[0], NULL, 0);
	fflush(stdout);
	if (!fork()) { /* without the thread that computes */
		for (int i = 0; strcmp(line, "predicate used") && i < 3000; i++) {
			if (write(2, ".", 1) != 1)
				_exit(3);
			sleep_ms(1);
			text("/proc/exos_idle", line, sizeof line);
		}
		printf("fewer: %s\n", line);
		fflush(stdout);
		for (int i = 0; memory() == all && i < 3000; i++) /* the taker's sign */
			sleep_ms(10);
		_exit(0);
	}
	stop = 1;
	waitpid(-1, NULL, 0);
	kill(child[1], SIGKILL);
	return 0;
}
