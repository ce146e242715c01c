/* SPDX-License-Identifier: MIT
 * More memory than there is, with swap space: a pattern in half as much again as all memory, read back in another order; by two
 * processes; by parent and child after a fork, of which each changes its part; by threads, with signals whose handler
 * touches it, too; moved, dropped, locked. Then more than both hold: the largest ends, and all is free again.
 * usage: swapped [pressed PAGES | locked] */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul
#define WORDS (PAGE / 8)
#define ROOM (12ul << 20) /* memory that is left for this: the rest is locked */

#define LOCKED 1024ul

static unsigned long *memory; /* pages */
static unsigned long pages;
static volatile unsigned long signals, wrong_in_handler;

static unsigned long word_of(unsigned long page, unsigned long i, unsigned long salt)
{
	unsigned long x = page * 0x9e3779b97f4a7c15 + i * 0xbf58476d1ce4e5b9 + salt;

	return x ^ x >> 29;
}

static unsigned long *fresh(unsigned long n)
{
	void *p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(98);
	return p;
}

static void put(unsigned long page, unsigned long salt)
{
	for (unsigned long i = 0; i < WORDS; i += 7)
		memory[page * WORDS + i] = word_of(page, i, salt);
}

static int differs(unsigned long page, unsigned long salt)
{
	for (unsigned long i = 0; i < WORDS; i += 7)
		if (memory[page * WORDS + i] != word_of(page, i, salt))
			return 1;
	return 0;
}

/* The nth in an order that has each page once. */
static unsigned long other(unsigned long n)
{
	return n * 7919 % pages; /* a prime, and pages is none of its multiples */
}

static unsigned long check(unsigned long salt)
{
	unsigned long wrong = 0;

	for (unsigned long n = 0; n < pages; n++)
		wrong += differs(other(n), salt);
	return wrong;
}

static void fill(unsigned long salt)
{
	for (unsigned long n = 0; n < pages; n++)
		put(n, salt);
}

static void begin(unsigned long n)
{
	pages = n - !(n % 7919);
	memory = fresh(pages);
}

static void end(void)
{
	munmap(memory, pages * PAGE);
}

static int status_of(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A number of kB in a file of lines "NAME: NUMBER kB"; -1: none. */
static long number(const char *path, const char *name)
{
	FILE *f = fopen(path, "r");
	char line[256];
	long n = -1;

	while (f && n < 0 && fgets(line, sizeof line, f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			n = atol(line + strlen(name) + 1);
	if (f)
		fclose(f);
	return n;
}

static void said(const char *what, int good)
{
	printf("swapped: %s: %s\n", what, good ? "yes" : "NO");
	fflush(stdout);
}

static void on_alarm(int sig)
{
	unsigned long page = signals++ * 131 % pages;

	(void)sig;
	wrong_in_handler += differs(page, 5);
}

static void *part(void *arg)
{
	unsigned long which = (unsigned long)arg, wrong = 0;

	for (unsigned long n = which; n < pages; n += 4)
		wrong += differs(other(n), 5);
	return (void *)wrong;
}

static unsigned long by_threads(void)
{
	struct itimerval every = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
	stack_t stack = {.ss_sp = fresh(16), .ss_size = 16 * PAGE};
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_ONSTACK | SA_RESTART};
	unsigned long sum = 0;
	pthread_t threads[4];

	sigaltstack(&stack, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	do {
		for (unsigned long i = 0; i < 4; i++)
			pthread_create(&threads[i], NULL, part, (void *)i);
		for (int i = 0; i < 4; i++) {
			void *wrong;

			pthread_join(threads[i], &wrong);
			sum += (unsigned long)wrong;
		}
	} while (!sum && signals < 4);
	setitimer(ITIMER_REAL, &never, NULL);
	return sum + wrong_in_handler;
}

/* Parent and child change pages of their own after a fork, each with a salt. */
static int by_fork(void)
{
	unsigned long wrong = 0;
	pid_t pid = fork();

	for (unsigned long n = 0; n < pages; n++)
		if (n % 8 == (pid ? 0 : 3))
			put(n, pid ? 7 : 8);
	for (unsigned long n = 0; n < pages; n++) {
		unsigned long page = other(n);

		wrong += differs(page, page % 8 == (pid ? 0 : 3) ? (pid ? 7 : 8) : 1);
	}
	if (!pid)
		_exit(wrong != 0);
	return wrong == 0 && status_of(pid) == 0;
}

static int moved(void)
{
	unsigned long *to = mremap(memory, pages * PAGE, pages * PAGE * 2, MREMAP_MAYMOVE);
	long before, dropped;

	if (to == MAP_FAILED)
		return 0;
	memory = to;
	if (check(5))
		return 0;
	before = number("/proc/meminfo", "SwapFree");
	/* at once, and page by page: of some of these there is nothing but what lies in swap space */
	madvise(memory, pages / 4 * PAGE, MADV_DONTNEED);
	for (unsigned long n = pages / 4; n < pages / 2; n++)
		madvise(memory + n * WORDS, PAGE, MADV_DONTNEED);
	dropped = number("/proc/meminfo", "SwapFree");
	for (unsigned long n = 0; n < pages / 2; n += 7)
		if (memory[n * WORDS])
			return 0;
	for (unsigned long n = pages / 2; n < pages; n++)
		if (differs(n, 5))
			return 0;
	return munmap(memory, pages * PAGE * 2) == 0 && dropped > before;
}

/* A process that locks all but so much. */
static pid_t others(unsigned long free)
{
	int ready[2];
	pid_t pid;
	char c;

	if (free <= ROOM || pipe(ready))
		return 0;
	pid = fork();
	if (!pid) {
		if (mlock(fresh((free - ROOM) / PAGE), free - ROOM) || write(ready[1], "", 1) != 1)
			_exit(97);
		for (;;)
			pause();
	}
	return read(ready[0], &c, 1) == 1 ? pid : 0;
}

static long written_out(void)
{
	FILE *f = fopen("/proc/vmstat", "r");
	char line[128];
	long n = -1;

	while (f && fgets(line, sizeof line, f))
		sscanf(line, "pswpout %ld", &n);
	if (f)
		fclose(f);
	return n;
}

/* Pages that are there are locked, and a child has them, too, that did not lock them: they stay while others go out and come in. */
static int locked_by_one(void)
{
	static unsigned char there[LOCKED];
	unsigned long first = pages - LOCKED;
	long before = written_out();
	pid_t pid;

	if (mlock(memory + first * WORDS, LOCKED * PAGE))
		return 0;
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	while (written_out() < before + 2 * (long)pages)
		for (unsigned long n = 0; n < first; n++)
			put(n, 6);
	memset(there, 0, sizeof there);
	mincore(memory + first * WORDS, LOCKED * PAGE, there);
	kill(pid, SIGKILL);
	return status_of(pid) == 1000 + SIGKILL && !memchr(there, 0, sizeof there);
}

/* Checks a pattern until much of the family's memory was asked back (tests/beside/lender.c), and once more. */
static void pressed(unsigned long n)
{
	unsigned long wrong = 0;

	begin(n);
	fill(9);
	for (int i = 0; i < 3; i++) /* the lender sees that it is time */
		if (!fork())
			for (;;)
				pause();
	do
		wrong += check(9);
	while (written_out() < (long)n / 2);
	wrong += check(9);
	said("whole with less memory", !wrong);
	sleep(1);
}

/* Nothing can go, as all is locked or shared: the next pages cost no look at all of it each. How long one takes, in ns of the clock of instructions. */
static void locked(void)
{
	enum { MORE = 40 };
	struct timespec from, to;
	struct sysinfo info;

	int file = memfd_create("more", 0);
	if (ftruncate(file, MORE * PAGE))
		_exit(96);
	memory = mmap(NULL, MORE * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	mlockall(MCL_FUTURE);
	do {
		fresh(16);
		sysinfo(&info);
	} while (info.freeram >
		 info.totalram / 36); /* below a 32nd, above what files leave, a 64th */
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (unsigned long n = 0; n < MORE; n++)
		memory[n * WORDS] = n;
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("swapped: nothing can go: %ld ns for each page\n",
	       ((to.tv_sec - from.tv_sec) * 1000000000l + to.tv_nsec - from.tv_nsec) / MORE);
}

int main(int argc, char **argv)
{
	struct sysinfo info;

	if (argc > 1 && !strcmp(argv[1], "locked")) {
		locked();
		return 0;
	}

	if (argc > 2 && !strcmp(argv[1], "pressed")) {
		pressed(strtoul(argv[2], NULL, 0));
		return 0;
	}
	sysinfo(&info);
	unsigned long all = ROOM / PAGE;
	pid_t rest = others(info.freeram * info.mem_unit);
	said("there is swap space",
	     info.totalswap && number("/proc/meminfo", "SwapTotal") * 1024l ==
				       (long)(info.totalswap * info.mem_unit));
	begin(all + all / 2);
	fill(1);
	said("some of it is used",
	     number("/proc/self/status", "VmSwap") > (long)all * 4 / 2 &&
		     number("/proc/meminfo", "SwapFree") < number("/proc/meminfo", "SwapTotal"));
	said("half as much again as there is", !check(1));
	end();

	pid_t child[2];
	for (int i = 0; i < 2; i++) {
		child[i] = fork();
		if (!child[i]) {
			begin(all * 3 / 4);
			fill(2 + (unsigned long)i);
			_exit(check(2 + (unsigned long)i) != 0);
		}
	}
	said("two processes", !status_of(child[0]) & !status_of(child[1]));

	begin(all);
	fill(1);
	said("parent and child", by_fork());
	end();

	begin(all + all / 4);
	fill(5);
	said("threads and signals", !by_threads());
	said("moved and dropped", moved());

	begin(all);
	fill(6);
	said("locked pages come in", !mlock(memory, 64 * PAGE) && !differs(63, 6));
	unsigned char there[64];
	for (unsigned long n = 64; n < pages; n++)
		put(n, 6);
	memset(there, 0, sizeof there);
	mincore(memory, 64 * PAGE, there);
	said("... and stay", !memchr(there, 0, sizeof there));
	said("... though a child has them", locked_by_one());
	end();

	pid_t hog = fork();
	if (!hog) {
		begin(all + (unsigned long)info.totalswap * info.mem_unit / PAGE);
		fill(1);
		_exit(0);
	}
	said("the largest ends", status_of(hog) == 1000 + SIGKILL);
	kill(rest, SIGKILL);
	said("locked memory stayed", status_of(rest) == 1000 + SIGKILL);
	long own = 0, used = 0;
	for (int i = 0; i < 3; i++) { /* what it touches for that comes in the first time */
		own = number("/proc/self/status", "VmSwap");
		used = number("/proc/meminfo", "SwapTotal") - number("/proc/meminfo", "SwapFree");
	}
	said("all is free again", own == used);
	return 0;
}
