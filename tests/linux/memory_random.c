/* SPDX-License-Identifier: MIT
 * Random calls on 48 pages, by a generator that is the same everywhere: what each says, what may be done with each page
 * afterwards, what is read there, and what a child sees.
 *
 * Left out, as Linux leaves it open or its versions differ: what is left after MADV_FREE, whether a private page that was not
 * written to shows what the file has become (so private and shared mappings have a file each), mremap over several areas to
 * another place, and growing shared memory by it. With arguments, a first seed, how many seeds, calls for each: those. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define PAGES 48u
#define FILE_PAGES 20u
#define BASE ((char *)0x600000000000ul)

static unsigned long seed;
static sigjmp_buf back;
static volatile int caught;
static int shared, own; /* files */

/* Below n. */
static unsigned any(unsigned n)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)(seed >> 33) % n;
}

static void fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	caught = number * 16 + info->si_code;
	siglongjmp(back, 1);
}

/* What is read at p, or 0 where `value` was written there; else the signal, negative. */
static int touch(volatile char *p, int value)
{
	if (sigsetjmp(back, 1))
		return -caught;
	if (value < 0)
		return (unsigned char)*p;
	*p = (char)value;
	return 0;
}

static void say(const char *what, long result)
{
	printf("%s %ld %s\n", what, result, result == -1 ? strerrorname_np(errno) : "");
}

static unsigned long digest(unsigned long so_far, unsigned long more)
{
	return (so_far ^ more) * 1099511628211ul;
}

static unsigned long contents(void)
{
	unsigned long d = 0;

	for (unsigned i = 0; i < PAGES; i++) {
		d = digest(d, (unsigned)touch(BASE + i * PAGE, -1));
		d = digest(d, (unsigned)touch(BASE + i * PAGE + 2055, -1));
	}
	return d;
}

/* A letter a page: its rights, large where it is a file's; and a mark where it is locked, and where no core has it. */
static void areas(void)
{
	char rights[PAGES + 1] = {0}, marks[PAGES + 1] = {0}, line[512], flags[5];
	unsigned long start, end, from = 0, to = 0, offset, offsets = 0;
	FILE *smaps = fopen("/proc/self/smaps", "r");

	memset(rights, '.', PAGES);
	memset(marks, '.', PAGES);
	while (fgets(line, sizeof(line), smaps)) {
		int lies = 0, locked = 0;

		if (sscanf(line, "%lx-%lx %4s %lx", &start, &end, flags, &offset) == 4) {
			lies = 1;
			from = start, to = end;
		} else if (!strncmp(line, "VmFlags:", 8)) {
			locked = (strstr(line, " lo") ? 1 : 0) | (strstr(line, " dd") ? 2 : 0);
		}
		for (unsigned i = 0; i < PAGES; i++) {
			unsigned long at = (unsigned long)BASE + i * PAGE;
			int file = strstr(line, "random.") != NULL;

			if (at < from || at >= to)
				continue;
			if (locked)
				marks[i] = "LDB"[locked - 1];
			if (!lies)
				continue;
			rights[i] = (char)((file ? 'A' : 'a') + (flags[0] == 'r') +
					   (flags[1] == 'w') * 2 + (flags[2] == 'x') * 4 +
					   (flags[3] == 's') * 8);
			if (file)
				offsets = digest(offsets, i + offset + (at - from));
		}
	}
	fclose(smaps);
	printf("%s %lx\n%s\n", rights, offsets, marks);
}

static void child(void)
{
	int status;

	fflush(stdout);
	if (!fork()) {
		printf("child %lx", contents());
		for (int i = 0; i < 4; i++)
			printf(" %d", touch(BASE + any(PAGES) * PAGE, 77));
		printf(" %lx\n", contents());
		fflush(stdout);
		_exit(0);
	}
	wait(&status);
	printf("ended %d\n", status);
}

/* A hundred bytes from one place to another by calls, which may stop in between. */
static void copy(const char *from, char *to)
{
	int ends[2];

	if (pipe(ends))
		return;
	long n = write(ends[1], from, 100);
	say("out", n);
	if (n > 0)
		say("in", read(ends[0], to, 100));
	close(ends[0]);
	close(ends[1]);
}

static void map(char *p, unsigned long bytes, int prot)
{
	int kind = any(2) ? MAP_PRIVATE : MAP_SHARED;

	if (any(2))
		say("map", -(mmap(p, bytes, prot, kind | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != p));
	else
		say("map a file",
		    -(mmap(p, bytes, prot, kind | MAP_FIXED, kind == MAP_SHARED ? shared : own,
			   (long)(any(24) * PAGE)) != p));
}

static void move(char *p, unsigned n)
{
	unsigned to = any(PAGES - 8), flags = any(4), bytes;

	if (flags & MREMAP_FIXED)
		n = 1;
	bytes = any(n + 1) * PAGE;
	char *now = mremap(p, n * PAGE, bytes, (int)flags, BASE + to * PAGE);
	if (now == MAP_FAILED) {
		say("move", -1);
	} else if (now >= BASE && now < BASE + PAGES * PAGE) {
		say("move", now - BASE);
	} else {
		say("move away", 0);
		munmap(now, bytes);
	}
}

static void advise(char *p, unsigned long bytes)
{
	static const int advice[] = {MADV_NORMAL,
				     MADV_RANDOM,
				     MADV_SEQUENTIAL,
				     MADV_WILLNEED,
				     MADV_DONTNEED,
				     MADV_DONTNEED,
				     MADV_NOHUGEPAGE,
				     MADV_DONTDUMP,
				     MADV_DODUMP,
				     20 /* COLD */,
				     21 /* PAGEOUT */,
				     22 /* POPULATE_READ */,
				     23 /* POPULATE_WRITE */,
				     24 /* DONTNEED_LOCKED */};
	int one = advice[any(sizeof(advice) / sizeof(*advice))];

	printf("advice %d: ", one);
	say("", madvise(p, bytes, one));
}

static void step(void)
{
	unsigned at = any(PAGES), n = 1 + any(any(3) ? 6 : PAGES - at);
	if (n > PAGES - at)
		n = PAGES - at;
	char *p = BASE + at * PAGE;
	unsigned long bytes = n * PAGE;
	int prot = any(4) ? any(2) ? PROT_READ | PROT_WRITE : (int)any(8) : (int)any(4);
	unsigned char there[PAGES];

	switch (any(17)) {
	case 0:
	case 1:
	case 2:
		map(p, bytes, prot);
		break;
	case 3:
		say("unmap", munmap(p, bytes));
		break;
	case 4:
	case 5:
		say("protect", mprotect(p, bytes, prot));
		break;
	case 6:
	case 7:
		advise(p, bytes);
		break;
	case 8:
		move(p, n);
		break;
	case 9:
		say("lock", any(4) ? mlock(p, bytes) : mlock2(p, bytes, MLOCK_ONFAULT));
		break;
	case 10:
		say("unlock", munlock(p, bytes));
		break;
	case 11:
		say("sync", msync(p, bytes, (int)any(8)));
		break;
	case 12:
		say("in core", mincore(p, bytes, there));
		break;
	case 13:
	case 14:
		printf("write %d\n", touch(p + (any(2) ? 0 : 2055), (int)any(256)));
		break;
	case 15:
		if (any(4))
			copy(p, BASE + any(PAGES) * PAGE);
		else
			say("length", ftruncate(any(2) ? shared : own, (long)(any(24) * PAGE)));
		break;
	default:
		if (!any(3))
			child();
	}
}

/* Its name stays until the end: areas of files without one look otherwise. */
static int file_made(const char *name, char first)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, FILE_PAGES * PAGE))
		return -1;
	for (unsigned i = 0; i < FILE_PAGES; i++) {
		char c = (char)(first + i);

		if (pwrite(fd, &c, 1, i * PAGE) != 1 || pwrite(fd, &c, 1, i * PAGE + 2055) != 1)
			return -1;
	}
	return fd;
}

int main(int count, char **arguments)
{
	unsigned first = count > 3 ? (unsigned)atoi(arguments[1]) : 1,
		 seeds = count > 3 ? (unsigned)atoi(arguments[2]) : 30,
		 steps = count > 3 ? (unsigned)atoi(arguments[3]) : 250;
	char directory[] = "memory_random.XXXXXX";
	struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGSEGV, &action, 0);
	sigaction(SIGBUS, &action, 0);
	if (!mkdtemp(directory) || chdir(directory))
		return 1;
	for (unsigned i = first; i < first + seeds; i++) {
		seed = i;
		printf("seed %u\n", i);
		shared = file_made("random.shared", 1);
		own = file_made("random.own", 51);
		munmap(BASE, PAGES * PAGE);
		mmap(BASE, PAGES * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		for (unsigned k = 1; k <= steps; k++) {
			step();
			if (k % 8 == 0) {
				printf("%lx\n", contents());
				areas();
			}
		}
		munmap(BASE, PAGES * PAGE);
		close(shared);
		close(own);
		unlink("random.shared");
		unlink("random.own");
	}
	return chdir("..") || rmdir(directory);
}
