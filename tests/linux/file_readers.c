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
#include <sys/uio.h>
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

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* Counts rounds of calls that began and ended within one long call of the other. One is proof; where the machine is busy with
 * others there are few. */
static void short_calls(void)
{
	static int fd = -1, names = -1, turn;
	static char list[1024];
	struct stat s;
	struct iovec vec[2] = {{list, 1}, {list + 1, 2}};
	char byte = 0;
	pthread_t thread;
	int before = shared->inside, began = before % 2 && going_on();

	if (fd < 0)
		fd = open("short", O_RDONLY);
	if (names < 0) { /* the descriptors are another thread's, too */
		names = open("dir", O_RDONLY);
		pthread_create(&thread, NULL, waits, NULL);
	}
	if (pread(fd, &byte, 1, 5000) != 1 || byte != 's' || stat("dir/../short", &s) ||
	    s.st_size != 10000)
		shared->wrong++;
	if (lseek(fd, 9000, SEEK_SET) != 9000 || read(fd, &byte, 1) != 1 || byte != 's' ||
	    readv(fd, vec, 2) != 3 || lseek(fd, 0, SEEK_CUR) != 9004)
		shared->wrong++;
	if (syscall(SYS_getdents64, names, list, sizeof(list)) != 48 || lseek(names, 0, SEEK_SET))
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
	shared->stop = 0;
	printf("closed and opened beside reads: %d wrong\n", shared->wrong);
}

/* ---- one offset ---- */

enum { NUMBERS = 24000, MOST_ONCE = 64, READERS = 3 };

static struct taken {
	atomic_int times[NUMBERS], torn, short_of;
} * taken;
static int numbers_fd;

/* Reads numbers from where the descriptor is, a few at a time, until there are no more. */
static void *takes(void *arg)
{
	unsigned seed = (unsigned)(long)arg;
	int got[MOST_ONCE];

	pin(seed % 2);
	for (;;) {
		int want = 1 + rand_r(&seed) % MOST_ONCE, half = want / 2;
		struct iovec vec[2] = {{got, half * 4}, {got + half, (want - half) * 4}};
		ssize_t n =
			seed / 64 % 4 ? read(numbers_fd, got, want * 4) : readv(numbers_fd, vec, 2);
		if (n <= 0)
			return arg;
		if (n % 4)
			taken->short_of++;
		for (int i = 0; i < n / 4; i++) {
			if (i && got[i] != got[i - 1] + 1)
				taken->torn++;
			if (got[i] >= 0 && got[i] < NUMBERS)
				taken->times[got[i]]++;
		}
	}
}

static void one_offset(const char *who, int processes)
{
	static int numbers[NUMBERS];
	pthread_t threads[READERS];
	int wrong = 0;

	for (int i = 0; i < NUMBERS; i++)
		numbers[i] = i;
	numbers_fd = open("numbers", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (write(numbers_fd, numbers, sizeof(numbers)) != sizeof(numbers) ||
	    lseek(numbers_fd, 0, SEEK_SET))
		printf("numbers: %s\n", strerror(errno));
	memset(taken, 0, sizeof(*taken));
	for (long i = 0; i < READERS; i++) {
		if (!processes)
			pthread_create(&threads[i], NULL, takes, (void *)(i + 1));
		else if (!fork()) {
			takes((void *)(i + 1));
			_exit(0);
		}
	}
	for (int i = 0; i < READERS; i++) {
		if (processes)
			wait(NULL);
		else
			pthread_join(threads[i], NULL);
	}
	for (int i = 0; i < NUMBERS; i++)
		wrong += taken->times[i] != 1;
	printf("one offset, %s: %d numbers not read once, %d reads torn, %d of odd length, at "
	       "%ld\n",
	       who, wrong, taken->torn, taken->short_of, (long)lseek(numbers_fd, 0, SEEK_CUR));
	close(numbers_fd);
}

/* Lists a directory in which one name changes all the time: what does not change is there once. */
static void lists(void)
{
	static int dir = -1;
	char list[300];
	int found = 0;
	long n = 0;

	if (dir < 0)
		dir = open("listed", O_RDONLY);
	/* what comes later may be listed later, and so on without an end */
	for (int calls = 0;
	     calls < 100 && (n = syscall(SYS_getdents64, dir, list, sizeof(list))) > 0; calls++)
		for (long at = 0; at < n; at += *(unsigned short *)(list + at + 16))
			found += !strncmp(list + at + 19, "stays", 5);
	lseek(dir, 0, SEEK_SET);
	if (n < 0 || found != 20)
		shared->wrong++;
	shared->seen = 1;
}

static void listing(void)
{
	long end = now_ms() + RACE_MS;
	char name[40];

	mkdir("listed", 0700);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "listed/stays-%d", i);
		close(open(name, O_CREAT | O_RDWR, 0600));
		snprintf(name, sizeof(name), "listed/%d-goes", i);
		close(open(name, O_CREAT | O_RDWR, 0600));
	}
	shared->wrong = shared->seen = 0;
	pid_t child = beside(lists);
	for (int i = 0; now_ms() < end || !shared->seen; i++) {
		snprintf(name, sizeof(name), "listed/%d-goes", i % 20);
		unlink(name);
		close(open(name, O_CREAT | O_RDWR, 0600));
	}
	joined(child);
	printf("listed beside new names: %d wrong\n", shared->wrong);
}

static int removes(const char *path, const struct stat *s, int kind, struct FTW *at)
{
	return remove(path);
}

int main(void)
{
	char place[] = "/tmp/readersXXXXXX";

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	taken = mmap(NULL, sizeof(*taken), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
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
	listing();
	one_offset("threads", 0);
	one_offset("processes", 1);
	return nftw(place, removes, 10, FTW_DEPTH | FTW_PHYS) != 0;
}
