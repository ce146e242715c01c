/* SPDX-License-Identifier: MIT
 * For core.sh and gdb_program.sh: three threads, one that sleeps, one that computes, and one that reads where nothing is. With an
 * argument it does not crash. A page says `nobody's business`, and is not to be in its core. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
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

static void secret(int dumped)
{
	static const char next[] = "opcpez(t!cvtjoftt"; /* each letter of it is one too far */
	char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; next[i]; i++)
		page[i] = (char)(next[i] - 1);
	if (!dumped)
		madvise(page, 4096, MADV_DONTDUMP);
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
	secret(getenv("DUMPED") != 0);
	pthread_barrier_init(&met, 0, 3);
	pthread_create(&threads[0], 0, sleeper, (void *)41);
	pthread_create(&threads[1], 0, counter, (void *)42);
	pthread_barrier_wait(&met);
	usleep(30000);
	return deep(3, 0) + (int)half + text[here.x];
}
