/* SPDX-License-Identifier: MIT
 * The unix benchmark: measures in batches, says `bench NAME minimum median` in tenths per operation. One unmodified static
 * Linux program; nothing in it asks on which system it is.
 *
 * usage: unix [--init] [--forever] [METRIC[,METRIC]...]
 * --init: it is a machine's first process: makes /dev, /proc and /tmp, and ends the machine behind the last metric.
 * --forever: the one metric, until killed (./aril bench --explain). */
#define _GNU_SOURCE
#include "unix.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCHES_MAX 64

u64 bench_loop, bench_read;
const char *bench_self;

static const struct metric *const groups[] = {metrics_calls,	 metrics_memory,  metrics_processes,
					      metrics_files,	 metrics_control, metrics_uring,
					      metrics_userfault, metrics_ebpf};

static void instrument(void)
{
	u64 least_read = ~0ul, least = ~0ul;

	for (int i = 0; i < 41; i++) {
		u64 a = bench_now(), b = bench_now();

		least_read = b - a < least_read ? b - a : least_read;
		a = bench_now();
		for (u64 j = 0; j < 1000; j++)
			__asm__ volatile("" : "+r"(j)::"memory");
		b = bench_now();
		least = b - a < least ? b - a : least;
	}
	bench_read = least_read;
	bench_loop = (least - least_read) / 1000;
}

static int compare(const void *a, const void *b)
{
	s64 x = *(const s64 *)a, y = *(const s64 *)b;

	return (x > y) - (x < y);
}

static unsigned long tenths(s64 total, u64 n)
{
	return ((u64)total * 10 + n / 2) / n;
}

/* In a process of its own; its status is what it says beside its line. A first batch is not counted. */
static int measure(const struct metric *m, int forever)
{
	s64 total[BATCHES_MAX];

	for (unsigned i = 0; i <= m->batches || forever; i++) {
		BENCH_MARK();
		s64 took = m->run(m->n);

		if (took < 0) {
			printf("bench %s refused %ld\n", m->name, (long)-took);
			return 0;
		}
		total[i ? (i - 1) % m->batches : 0] = took;
	}
	qsort(total, m->batches, sizeof(*total), compare);
	printf("bench %s %lu %lu\n", m->name, tenths(total[0], m->n),
	       tenths(total[m->batches / 2], m->n));
	return 0;
}

static void measure_apart(const struct metric *m, int forever)
{
	int status = 0;

	printf("bench %s started %lu\n", m->name, m->n);
	fflush(stdout);
	pid_t child = fork();

	if (!child) {
		status = measure(m, forever);
		fflush(stdout);
		_exit(status);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		printf("bench %s refused %d\n", m->name, errno);
	else if (WIFSIGNALED(status))
		printf("bench %s died %d\n", m->name, WTERMSIG(status));
	fflush(stdout);
}

/* Words are names, or several with commas between: Linux gives its first process 32 words at most. */
static int wanted(const char *name, char **words)
{
	size_t length = strlen(name);

	if (!*words)
		return 1;
	for (; *words; words++)
		for (const char *at = *words; *at; at += *at == ',') {
			size_t span = strcspn(at, ",");

			if (span == length && !memcmp(at, name, length))
				return 1;
			at += span;
		}
	return 0;
}

static void first_process(void)
{
	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/tmp", 01777);
	mount("dev", "/dev", "devtmpfs", 0, 0);
	mount("proc", "/proc", "proc", 0, 0);
	mount("tmp", "/tmp", "tmpfs", 0, 0);
}

int main(int argc, char **argv)
{
	u64 began = __builtin_ia32_rdtsc(); /* of no metric's */
	int init = 0, forever = 0;

	bench_self = argv[0];
	if (argc == 2 &&
	    !strcmp(argv[1], "--exit")) /* what the metrics that start programs start */
		return 0;
	for (; argv[1] && !strncmp(argv[1], "--", 2); argv++) {
		init |= !strcmp(argv[1], "--init");
		forever |= !strcmp(argv[1], "--forever");
	}
	if (init)
		first_process();
	instrument();
	if (wanted("empty_loop", argv + 1))
		printf("bench empty_loop %lu %lu\n", bench_loop * 10, bench_loop * 10);
	if (wanted("rdtsc", argv + 1))
		printf("bench rdtsc %lu %lu\n", bench_read * 10, bench_read * 10);
	if (wanted("boot_to_main", argv + 1)) /* of use where this is the first program */
		printf("bench boot_to_main %lu %lu\n", began * 10, began * 10);
	for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++)
		for (const struct metric *m = groups[g]; m->name; m++)
			if (wanted(m->name, argv + 1))
				measure_apart(m, forever);
	printf("bench done\n");
	fflush(stdout);
	if (init) {
		sync();
		reboot(RB_AUTOBOOT);
	}
	return 0;
}
