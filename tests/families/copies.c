/* SPDX-License-Identifier: MIT
 * Calls whose buffers find no memory: another process has nearly all of it, and ends; the call is done as if there had been
 * enough. Who wants more than there is in one call, ends itself, and never hears of a bad address. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES (8ul << 20)
#define LEFT (3ul << 20) /* what the other leaves */
#define STEP (64ul << 10)
#define THREADS 40

static unsigned char *fresh(size_t bytes)
{
	unsigned char *p =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(98);
	return p;
}

static unsigned long room(void)
{
	struct sysinfo info;

	sysinfo(&info);
	return info.freeram * info.mem_unit;
}

/* A process with nearly all memory. */
static pid_t other(void)
{
	int ready[2];
	char c;
	pid_t pid;

	if (pipe(ready))
		_exit(97);
	pid = fork();
	if (!pid) {
		while (room() > LEFT)
			memset(fresh(STEP), 1, STEP);
		if (write(ready[1], "", 1) != 1)
			_exit(96);
		for (;;)
			pause();
	}
	if (read(ready[0], &c, 1) != 1)
		_exit(95);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* Drains a pipe in a process of its own; it ends with 0 if all that came was zeros, so many. */
static pid_t drain(int from, int to)
{
	pid_t pid = fork();
	static unsigned char got[65536];
	unsigned long sum = 0;
	ssize_t n;

	if (pid)
		return pid;
	close(to);
	while ((n = read(from, got, sizeof got)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (got[i])
				_exit(1);
		sum += n;
	}
	_exit(sum != BYTES);
}

static int status_of(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int file;

static long all(const char *what, unsigned char *p)
{
	if (!strcmp(what, "read"))
		return lseek(file, 0, SEEK_SET) ? -1 : read(file, p, BYTES);
	if (!strcmp(what, "pread"))
		return pread(file, p, BYTES, 0);
	if (!strcmp(what, "readv")) {
		struct iovec v[2] = {{p, BYTES / 2}, {p + BYTES / 2, BYTES / 2}};

		return preadv(file, v, 2, 0);
	}
	int ends[2];
	if (pipe(ends))
		return -1;
	pid_t reader = drain(ends[0], ends[1]);
	close(ends[0]);
	long n = write(ends[1], p, BYTES);
	close(ends[1]);
	return status_of(reader) ? -2 : n;
}

/* A program that has some memory, and for which nobody should end. */
static pid_t bystander(void)
{
	pid_t pid = fork();

	if (!pid) {
		memset(fresh(BYTES), 1, BYTES);
		for (;;)
			pause();
	}
	usleep(300000);
	return pid;
}

static int ended(pid_t pid)
{
	kill(pid, SIGTERM);
	return status_of(pid);
}

/* All memory is a space's in which two processes run: both end, and nobody else. */
static void shared(void)
{
	pid_t beside = bystander(), hog;
	unsigned char *p = fresh(BYTES);
	int ready[2];
	char c;

	if (pipe(ready))
		_exit(94);
	hog = fork();
	if (!hog) {
		pid_t pid = vfork();

		if (!pid) {
			while (room() > LEFT)
				memset(fresh(STEP), 1, STEP);
			if (write(ready[1], "", 1) != 1)
				_exit(93);
			for (;;)
				pause();
		}
		_exit(92);
	}
	if (read(ready[0], &c, 1) != 1)
		_exit(91);
	printf("copies: read: %ld of %lu bytes; ", (long)pread(file, p, BYTES, 0), BYTES);
	printf("the other: %d, a third: %d\n", status_of(hog), ended(beside));
	munmap(p, BYTES);
}

static pthread_barrier_t barrier;

static void *wait_there(void *arg)
{
	pthread_barrier_wait(&barrier);
	return arg;
}

/* Somebody takes all, ends of it, and what is left afterwards is what there was. */
static unsigned long room_after(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			memset(fresh(STEP), 1, STEP);
	status_of(pid);
	return room();
}

/* What ExOS keeps of ended threads is memory that others may have. */
static void threads(void)
{
	unsigned long before = room_after();
	pid_t pid = fork();

	if (!pid) {
		pthread_t thread[THREADS];

		pthread_barrier_init(&barrier, NULL, THREADS);
		for (int i = 0; i < THREADS; i++)
			pthread_create(&thread[i], NULL, wait_there, NULL);
		for (int i = 0; i < THREADS; i++)
			pthread_join(thread[i], NULL);
		_exit(0);
	}
	status_of(pid);
	unsigned long after = room_after();
	printf("copies: threads' memory: %s\n",
	       after + (256ul << 10) > before ? "given back" : "kept");
}

int main(void)
{
	static const char *const calls[] = {"read", "pread", "readv", "write"};
	unsigned char *p;

	signal(SIGPIPE, SIG_IGN);
	file = open("/tmp/copies", O_RDWR | O_CREAT, 0600);
	p = fresh(BYTES);
	for (size_t i = 0; i < BYTES; i++)
		p[i] = (unsigned char)(i % 251);
	if (write(file, p, BYTES) != (long)BYTES)
		return 1;
	munmap(p, BYTES);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		pid_t hog = other();
		size_t wrong = 0;

		p = fresh(BYTES);
		long n = all(calls[i], p);
		int error = n < 0 ? errno : 0;
		for (size_t at = 0; at < BYTES; at++)
			wrong += p[at] != (strcmp(calls[i], "write") ? at % 251 : 0);
		printf("copies: %s: %ld of %lu bytes, %zu wrong%s%s; the other: %d\n", calls[i], n,
		       BYTES, wrong, error ? ": " : "", error ? strerror(error) : "",
		       status_of(hog));
		fflush(stdout);
		munmap(p, BYTES);
	}
	shared();
	threads();
	fflush(stdout);
	pid_t large = fork();
	if (!large) {
		int zero = open("/dev/zero", O_RDONLY);
		size_t bytes = room() + (1 << 20);

		read(zero, fresh(bytes), bytes);
		_exit(errno);
	}
	printf("copies: more than there is: %d\n", status_of(large));
	p = fresh(BYTES);
	memset(p, 1, BYTES);
	printf("copies: memory again\n");
	return 0;
}
