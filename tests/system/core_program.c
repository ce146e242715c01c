/* SPDX-License-Identifier: MIT
 * For core.sh and gdb_program.sh: three threads, one that sleeps, one that computes, and one that reads where nothing is. With an
 * argument it does not crash. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct point {
	int x, y;
};

static pthread_barrier_t met;

static void *sleeper(void *number)
{
	pthread_barrier_wait(&met);
	pause();
	return number;
}

static void *counter(void *number)
{
	volatile long turns = (long)number;

	pthread_barrier_wait(&met);
	for (;;)
		turns++;
}

static int deep(int level, const struct point *at)
{
	if (!level)
		return at->y;
	return deep(level - 1, at) + level;
}

int main(int argc, char **argv)
{
	struct point here = {3, 4};
	double half = argc / 2.0;
	char text[] = "seen from outside";
	pthread_t threads[2];

	if (argc > 1)
		return printf("%s: %d %d %g\n", argv[1], deep(2, &here), text[0], half) < 0;
	pthread_barrier_init(&met, 0, 3);
	pthread_create(&threads[0], 0, sleeper, (void *)41);
	pthread_create(&threads[1], 0, counter, (void *)42);
	pthread_barrier_wait(&met);
	usleep(30000);
	return deep(3, 0) + (int)half + text[here.x];
}
