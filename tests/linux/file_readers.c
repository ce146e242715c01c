/* SPDX-License-Identifier: MIT
 * Files and names read on one CPU while another reads, fills, truncates, renames and unlinks them: calls go on beside each
 * other, and nobody sees what was never there. Compared with the host's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONG = 8 << 20, PIECE = 65536, ENOUGH = 2, MOST_MS = 20000, RACE_MS = 250 };

static struct shared {
	atomic_int inside; /* odd while the long call goes on */
	atomic_int stop, beside, wrong, seen;
} * shared;

static char big[LONG], small[PIECE];

static void pin(int to)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(to, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int file_of(const char *name, int byte, size_t bytes)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	memset(big, byte, bytes);
	if (fd < 0 || write(fd, big, bytes) != (ssize_t)bytes)
		printf("%s: %s\n", name, strerror(errno));
	return fd;
}

/* A process on CPU 1 that does this until it is told to stop. */
static pid_t beside(void (*work)(void))
{
	pid_t child = fork();

	if (!child) {
		pin(1);
		while (!shared->stop)
			work();
		_exit(0);
	}
	pin(0);
	return child;
}

static void joined(pid_t child)
{
	shared->stop = 1;
	waitpid(child, NULL, 0);
	shared->stop = 0;
}

/* What the long call fills from its beginning to its end: begun when the first byte is there, done with the last. */
static volatile char *filled;

static int going_on(void)
{
	return filled[0] == 'l' && filled[LONG - 1] != 'l';
}

/* Counts pairs of calls that began and ended within one long call of the other. One is proof; where the machine is busy with
 * others there are few. */
static void short_calls(void)
{
	static int fd = -1, turn;
	struct stat s;
	char byte = 0;
	int before = shared->inside, began = before % 2 && going_on();

	if (fd < 0)
		fd = open("short", O_RDONLY);
	if (pread(fd, &byte, 1, 5000) != 1 || byte != 's' || stat("dir/../short", &s) ||
	    s.st_size != 10000)
		shared->wrong++;
	if (began && going_on() && shared->inside == before)
		shared->beside++;
	if (turn++ % 4)
		return;
	ssize_t n = read(fd, &byte, 1);
	if (n < 0 || (n && byte != 's') || fstat(fd, &s) || s.st_size != 10000 ||
	    access("./short", R_OK) || !access("nothing", F_OK))
		shared->wrong++;
	if (!n)
		lseek(fd, 0, SEEK_SET);
}

static void at_once(const char *what, int change)
{
	long end = now_ms() + MOST_MS;
	int fd = file_of("long", 'l', LONG);

	filled = mmap(NULL, LONG, PROT_READ | PROT_WRITE, MAP_SHARED | (change ? 0 : MAP_ANONYMOUS),
		      change ? fd : -1, 0);
	memset(big, 'l', LONG);
	shared->beside = shared->wrong = 0;
	pid_t child = beside(short_calls);
	while (shared->beside < ENOUGH && now_ms() < end) {
		filled[0] = 0;
		filled[LONG - 1] = 0;
		shared->inside++;
		if (change ? pwrite(fd, big, LONG, 0) != LONG
			   : pread(fd, (char *)filled, LONG, 0) != LONG)
			printf("%s: %s\n", what, strerror(errno));
		shared->inside++;
	}
	joined(child);
	printf("short calls beside a long %s: %s, %d wrong\n", what,
	       shared->beside >= ENOUGH ? "yes" : "no", shared->wrong);
	munmap((char *)filled, LONG);
	close(fd);
	unlink("long");
}

/* The file holds 'c' or nothing; what is written elsewhere is 'x'. */
static void reads_churn(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("churn", O_RDONLY);
	ssize_t n = pread(fd, small, PIECE, 0);
	for (ssize_t i = 0; i < n; i++)
		if (small[i] && small[i] != 'c')
			shared->wrong++;
	if (n > 0)
		shared->seen = 1;
}

static void truncating(void)
{
	long end = now_ms() + RACE_MS;
	int fd = file_of("churn", 'c', PIECE);
	pid_t child = beside(reads_churn);
	static char mine[PIECE], other[PIECE];

	shared->wrong = shared->seen = 0;
	memset(mine, 'c', PIECE);
	memset(other, 'x', PIECE);
	for (int i = 0; now_ms() < end || !shared->seen; i++) {
		ftruncate(fd, i % 3 ? 0 : 5000);
		int x = open("other", O_RDWR | O_CREAT | O_TRUNC, 0600);
		pwrite(x, other, PIECE, 0);
		pwrite(fd, mine, PIECE, 0);
		close(x);
		if (i % 2)
			unlink("other");
	}
	joined(child);
	printf("truncated and filled beside reads: %d foreign bytes\n", shared->wrong);
	close(fd);
}

/* One of these names is replaced all the time, the directories change places. */
static void looks(void)
{
	struct stat s;
	char byte = 0;

	if (stat("fixed", &s) || (s.st_size != 1 && s.st_size != 2))
		shared->wrong++;
	if (stat("left/right/file", &s) || (s.st_size != 3 && s.st_size != 4))
		shared->wrong++;
	if (stat("comes", &s) ? errno != ENOENT : s.st_size > 1)
		shared->wrong++;
	int fd = open("fixed", O_RDONLY);
	if (fd < 0 || pread(fd, &byte, 1, 0) != 1 || (byte != 'a' && byte != 'b'))
		shared->wrong++;
	close(fd);
	shared->seen = 1;
}

static void renaming(void)
{
	long end = now_ms() + RACE_MS;

	mkdir("left", 0700);
	mkdir("left/right", 0700);
	mkdir("left/other", 0700);
	close(file_of("left/right/file", 'l', 3));
	close(file_of("left/other/file", 'l', 4));
	close(file_of("fixed", 'a', 1));
	shared->wrong = shared->seen = 0;
	pid_t child = beside(looks);
	for (int i = 0; now_ms() < end || !shared->seen; i++) {
		close(file_of("next", 'a' + i % 2, 1 + i % 2));
		if (rename("next", "fixed"))
			printf("rename: %s\n", strerror(errno));
		if (syscall(SYS_renameat2, AT_FDCWD, "left/right", AT_FDCWD, "left/other", 2))
			printf("exchange: %s\n", strerror(errno));
		close(open("comes", O_CREAT | O_RDWR, 0600));
		unlink("comes");
	}
	joined(child);
	printf("renamed and unlinked beside walks: %d wrong\n", shared->wrong);
}

/* A thread reads a descriptor that the other closes and opens again. */
static int turning;

static void *reads_turning(void *arg)
{
	char byte;

	pin(1);
	while (!shared->stop) {
		struct stat s;
		ssize_t n = pread(turning, &byte, 1, 0);
		if (n == 1 ? byte != 'p' && byte != 'q' : n != -1 || errno != EBADF)
			shared->wrong++;
		if (fstat(turning, &s) ? errno != EBADF : s.st_size != 1 && s.st_size != 2)
			shared->wrong++;
		shared->seen++;
	}
	return arg;
}

static void closing(void)
{
	long end = now_ms() + RACE_MS;
	pthread_t thread;

	turning = file_of("p", 'p', 1);
	close(file_of("q", 'q', 2));
	shared->wrong = shared->seen = 0;
	pthread_create(&thread, NULL, reads_turning, NULL);
	pin(0);
	for (int i = 0; now_ms() < end || shared->seen < 100; i++) {
		close(turning);
		if (open(i % 2 ? "p" : "q", O_RDONLY) != turning)
			shared->wrong++;
		dup2(turning, 100 + i % 400); /* the table grows, too */
		if (i % 400 == 399)
			syscall(SYS_close_range, 100, 600, 0);
	}
	shared->stop = 1;
	pthread_join(thread, NULL);
	printf("closed and opened beside reads: %d wrong\n", shared->wrong);
}

static int removes(const char *path, const struct stat *s, int kind, struct FTW *at)
{
	return remove(path);
}

int main(void)
{
	char place[] = "/tmp/readersXXXXXX";

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!mkdtemp(place) || chdir(place))
		return 1;
	setbuf(stdout, NULL);
	mkdir("dir", 0700);
	close(file_of("short", 's', 10000));
	at_once("read", 0);
	at_once("write", 1);
	truncating();
	renaming();
	closing();
	return nftw(place, removes, 10, FTW_DEPTH | FTW_PHYS) != 0;
}
