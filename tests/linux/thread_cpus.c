/* SPDX-License-Identifier: MIT
 * Threads of one process on two CPUs at once: each pinned to one, they hand a word to and fro without a system call,
 * while one of them makes, breaks and forks memory that both use. Compared with the host's. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 100, PAGES = 64 };

static atomic_int turn;
static int cpu[2];

static void pin(int to)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(to, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		printf("cannot be pinned: %d\n", errno);
}

static void *plays(void *arg)
{
	int me = (long)arg, before, left = 0;
	cpu_set_t set;

	pin(me);
	before = sched_getcpu();
	for (int i = 0; i < ROUNDS; i++) {
		while (turn % 2 != me)
			;
		turn++;
	}
	cpu[me] = before == sched_getcpu() ? before : -1;
	sched_getaffinity(0, sizeof(set), &set);
	return (void *)(long)CPU_COUNT(&set);
}

static void at_once(void)
{
	pthread_t t[2];
	void *count[2];

	for (long i = 0; i < 2; i++)
		pthread_create(&t[i], 0, plays, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], &count[i]);
	printf("on %d and %d, %d turns, may use %ld and %ld\n", cpu[0], cpu[1], turn,
	       (long)count[0], (long)count[1]);
}

/* One writes to all pages all the time, the other changes them under it. */
static volatile long *area;
static atomic_int stop, lost;

static void *writes(void *arg)
{
	pin(1);
	for (long n = 1; !stop; n++)
		for (int i = 0; i < PAGES; i++) {
			area[i * 512] = n;
			if (area[i * 512] != n)
				lost++;
		}
	return 0;
}

static void forking(void)
{
	pthread_t t;
	int torn = 0;

	area = mmap(0, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_create(&t, 0, writes, 0);
	pin(0);
	while (!area[0])
		;
	for (int i = 0; i < 10; i++) {
		pid_t p = fork();
		if (!p) {
			/* as at one instant: no page is newer than one written before it, by more than a round */
			for (int k = 1; k < PAGES; k++)
				if (area[k * 512] > area[(k - 1) * 512])
					_exit(1);
			_exit(area[0] - area[(PAGES - 1) * 512] > 1);
		}
		int status;
		waitpid(p, &status, 0);
		torn += status != 0;
	}
	stop = 1;
	pthread_join(t, 0);
	printf("lost %d torn %d\n", lost, torn);
}

/* Memory comes and goes on one CPU while the other makes and drops some, too. */
static void *maps(void *arg)
{
	long bad = 0;

	pin((long)arg);
	for (int i = 0; i < 100; i++) {
		char *p =
			mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (int k = 0; k < 65536; k += 4096)
			bad += p[k] != 0;
		memset(p, 1 + (long)arg, 65536);
		mprotect(p, 8192, PROT_READ);
		for (int k = 0; k < 65536; k += 512)
			bad += p[k] != 1 + (long)arg;
		munmap(p, 65536);
	}
	return (void *)bad;
}

static void mapping(void)
{
	pthread_t t[2];
	void *bad[2];

	for (long i = 0; i < 2; i++)
		pthread_create(&t[i], 0, maps, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], &bad[i]);
	printf("bad %ld %ld\n", (long)bad[0], (long)bad[1]);
}

/* Each stores to its own word, then reads the other's; the reader's barrier makes the writer's. */
static volatile int x, y;
static int barrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static void barriers(void)
{
	int known = barrier(MEMBARRIER_CMD_QUERY);

	printf("membarrier %d, unknown flag %d\n", (known & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0,
	       (int)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 99, 0));
	printf("before registering %d\n", barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
	printf("registering %d\n", barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED));
	printf("after %d global %d\n", barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED),
	       barrier(MEMBARRIER_CMD_GLOBAL));
}

static atomic_int go[2], wrong;
static void *stores(void *arg)
{
	pin(1);
	for (int i = 1; i <= 150; i++) {
		while (go[0] != i)
			;
		x = i;
		__asm__ volatile("" : : : "memory"); /* the compiler only: the other side pays */
		go[1] = y == i ? 2 * i : 2 * i + 1;
	}
	return 0;
}

static void asymmetric(void)
{
	pthread_t t;

	pthread_create(&t, 0, stores, 0);
	for (int i = 1; i <= 150; i++) {
		go[0] = i;
		y = i;
		barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
		int saw_x = x == i;
		while (go[1] / 2 != i)
			;
		wrong += !saw_x && go[1] % 2; /* neither saw the other */
	}
	pthread_join(t, 0);
	printf("neither saw the other: %d\n", wrong);
}

int main(void)
{
	at_once();
	forking();
	mapping();
	barriers();
	asymmetric();
	return 0;
}
