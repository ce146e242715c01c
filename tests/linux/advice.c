/* SPDX-License-Identifier: MIT
 * madvise: what goes, what stays, what is refused and how far it came before that. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"

#define PAGE 4096ul
#define MIB (1ul << 20)
#define EIGHT (8 * MIB)

static char *mapped(unsigned long bytes)
{
	char *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(p, bytes, MADV_NOHUGEPAGE); /* pages are counted here */
	return p;
}

static long faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_minflt;
}

/* How many of its pages are there. */
static int there(char *p, unsigned long bytes)
{
	static unsigned char vec[EIGHT / PAGE];
	int n = 0;

	if (mincore(p, bytes, vec))
		return -errno;
	for (unsigned long i = 0; i < bytes / PAGE; i++)
		n += vec[i] & 1;
	return n;
}

/* A locked area in between: those below have gone by then. */
static void locked(void)
{
	char *p = mapped(EIGHT);

	memset(p, 1, EIGHT);
	T(mlock(p + 4 * MIB, MIB));
	T(madvise(p, EIGHT, MADV_DONTNEED));
	printf("below %d locked %d above %d\n", p[4 * MIB - 1], p[4 * MIB], p[5 * MIB]);
	T(madvise(p + 4 * MIB, MIB, MADV_FREE));
	T(madvise(p + 4 * MIB, MIB, 20 /* MADV_COLD */));
	T(madvise(p + 5 * MIB, MIB, 20));
	T(munlock(p, EIGHT));
	T(madvise(p, EIGHT, MADV_DONTNEED));
	printf("locked %d above %d there %d\n", p[4 * MIB], p[5 * MIB], there(p + 6 * MIB, MIB));
	/* Locked, but nothing there: no less refused, in one area or as part of a row of them. */
	T(mlock2(p, 4 * MIB, 1 /* MLOCK_ONFAULT */));
	T(madvise(p + PAGE, 4 * MIB - PAGE, MADV_DONTNEED));
	T(madvise(p + PAGE, EIGHT - PAGE, MADV_DONTNEED));
	T(madvise(p + 4 * MIB, 4 * MIB, MADV_DONTNEED));
	munmap(p, EIGHT);
}

static void holes(void)
{
	char *p = mapped(EIGHT);

	memset(p, 1, EIGHT);
	munmap(p + 2 * MIB, MIB);
	mprotect(p + 6 * MIB, MIB, PROT_NONE);
	T(madvise(p + MIB, 7 * MIB, MADV_DONTNEED));
	mprotect(p + 6 * MIB, MIB, PROT_READ);
	printf("first %d behind the hole %d was closed %d last %d\n", p[MIB], p[3 * MIB],
	       p[6 * MIB], p[EIGHT - 1]);
	T(madvise(p + 1, PAGE, MADV_DONTNEED));
	T(madvise(p, 1, MADV_DONTNEED));
	T(madvise(p, -PAGE + 1, MADV_DONTNEED));
	T(madvise(p, -PAGE, MADV_DONTNEED));
	T(madvise(p, 0, MADV_DONTNEED));
	T(madvise(p, 0, 99));
	T(madvise(p, PAGE, 99));
	T(madvise(p, PAGE, -1));
	munmap(p, EIGHT);
}

static void files(void)
{
	char name[] = "advice.XXXXXX";
	int fd = mkstemp(name);
	char *own, *shared;

	unlink(name);
	T(ftruncate(fd, 2 * PAGE));
	T(pwrite(fd, "file", 4, 0));
	own = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	shared = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memcpy(own, "mine", 4);
	memcpy(shared + PAGE, "both", 4);
	T(madvise(own, 2 * PAGE, MADV_FREE));
	T(madvise(shared, 2 * PAGE, MADV_FREE));
	printf("%.4s\n", own);
	T(madvise(own, 2 * PAGE, MADV_DONTNEED));
	T(madvise(shared, 2 * PAGE, MADV_DONTNEED));
	printf("%.4s %.4s\n", own, shared + PAGE);
	T(ftruncate(fd, PAGE));
	T(madvise(shared, 2 * PAGE, 22 /* MADV_POPULATE_READ */));
	T(madvise(shared, 2 * PAGE, MADV_WILLNEED));
	close(fd);
}

static void brought(void)
{
	char *p = mapped(EIGHT);
	long before;

	T(madvise(p, MIB, 23 /* MADV_POPULATE_WRITE */));
	before = faults();
	memset(p, 1, MIB);
	printf("none of its pages faults: %d, there %d\n", faults() - before < 16, there(p, MIB));
	T(madvise(p + MIB, MIB, 22 /* MADV_POPULATE_READ */));
	printf("there %d, next %d\n", there(p + MIB, MIB), there(p + 2 * MIB, MIB));
	mprotect(p + 3 * MIB, MIB, PROT_READ);
	T(madvise(p + 2 * MIB, 2 * MIB, 23));
	T(madvise(p + 2 * MIB, 2 * MIB, 22));
	mprotect(p + 3 * MIB, MIB, PROT_NONE);
	T(madvise(p + 3 * MIB, MIB, 22));
	munmap(p + 4 * MIB, MIB);
	T(madvise(p + 4 * MIB, 2 * MIB, 22));
	T(madvise(p + 4 * MIB, 0, 22));
	munmap(p, EIGHT);
}

/* The line of its flags in smaps of the area at p. */
static int not_dumped(char *p)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	unsigned long start, end;
	int inside = 0, found = -1;

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= (unsigned long)p && (unsigned long)p < end;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, " dd") != 0;
	}
	fclose(f);
	return found;
}

static void dumped(void)
{
	char *p = mapped(EIGHT);

	p[MIB] = 1;
	T(madvise(p + MIB, MIB, MADV_DONTDUMP));
	printf("%d %d %d\n", not_dumped(p), not_dumped(p + MIB), not_dumped(p + 2 * MIB));
	if (!fork()) {
		printf("a child's %d\n", not_dumped(p + MIB));
		fflush(stdout);
		_exit(0);
	}
	wait(0);
	T(madvise(p, EIGHT, MADV_DODUMP));
	printf("%d %d\n", not_dumped(p + MIB), p[MIB]);
	munmap(p, EIGHT);
}

int main(void)
{
	setvbuf(stdout, 0, _IONBF, 0);
	locked();
	holes();
	files();
	brought();
	dumped();
	return 0;
}
