/* SPDX-License-Identifier: MIT
 * mmap, mprotect, munmap, mremap, brk as a program sees them; printed, and compared with the host's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define P 4096ul
static sigjmp_buf back;
static volatile int code;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	code = sig * 100 + info->si_code;
	siglongjmp(back, 1);
}

static int touch(volatile char *p, int write)
{
	code = 0;
	if (!sigsetjmp(back, 1)) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	return code;
}

static void show(const char *what, long got)
{
	printf("%s: %ld errno %d\n", what, got, got == -1 ? errno : 0);
}

static void protections(void)
{
	char *p = mmap(0, 8 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 5, 8 * P);
	show("protect read", mprotect(p + 2 * P, 2 * P, PROT_READ));
	printf("write to read-only %d, read %d\n", touch(p + 2 * P, 1), touch(p + 2 * P, 0));
	show("protect none", mprotect(p + 3 * P, P, PROT_NONE));
	printf("read of none %d, beside it %d\n", touch(p + 3 * P, 0), touch(p + 4 * P, 1));
	show("protect back", mprotect(p, 8 * P, PROT_READ | PROT_WRITE));
	printf("kept %d %d\n", p[2 * P], p[3 * P + 7]);
	show("unmap the middle", munmap(p + 4 * P, P));
	printf("read of the hole %d\n", touch(p + 4 * P, 0));
	show("protect over a hole", mprotect(p, 8 * P, PROT_READ));
	show("unmap all", munmap(p, 8 * P));
	show("unaligned unmap", munmap(p + 1, P));
	show("empty mmap", (long)mmap(0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	show("no kind", (long)mmap(0, P, PROT_READ, MAP_ANONYMOUS, -1, 0));
	show("bad descriptor", (long)mmap(0, P, PROT_READ, MAP_PRIVATE, 99, 0));
}

static void moves(void)
{
	char *p = mmap(0, 4 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < 4; i++)
		memset(p + i * P, 'a' + i, P);
	char *q = mremap(p, 4 * P, 64 * P, MREMAP_MAYMOVE);
	printf("grown %c%c%c%c %d\n", q[0], q[P], q[2 * P], q[3 * P], q[4 * P]);
	show("shrunk", mremap(q, 64 * P, 2 * P, 0) == q);
	printf("beyond %d\n", touch(q + 2 * P, 0));
	char *to = mmap(0, 16 * P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	show("fixed", mremap(q, 2 * P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, to + P) == to + P);
	printf("moved %c%c old %d\n", to[P], to[2 * P], touch(q, 0));
	show("of nothing", (long)mremap(q, 2 * P, 4 * P, MREMAP_MAYMOVE));
	char *fixed = mmap(to + 4 * P, P, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	printf("fixed %d fresh %d\n", fixed == to + 4 * P, fixed[9]);
}

static void files(void)
{
	int fd = open("/tmp/aril-memory-test", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char buffer[16] = "";

	for (int i = 0; i < 3000; i++)
		if (write(fd, "0123456789", 10) != 10)
			show("write", -1);
	char *p = mmap(0, 8 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	char *s = mmap(0, 8 * P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, P);
	printf("private %.4s shared %.4s tail %d beyond %d\n", p + 20000, s, p[30000],
	       touch(p + 8 * P - 1, 0));
	printf("past the end %d\n", touch(s + 7 * P, 0));
	memcpy(s, "shared", 6);
	memcpy(p + 8, "private", 7);
	pread(fd, buffer, 6, P);
	printf("file has %s and %.6s; private page sees %.6s\n", buffer, s, p + P);
	pread(fd, buffer, 7, 8);
	printf("file has %.7s\n", buffer);
	pid_t child = fork();
	if (!child) {
		memcpy(s + 10, "child", 5);
		memcpy(p + 8, "CHILD", 5);
		_exit(0);
	}
	waitpid(child, 0, 0);
	printf("after the child: %.5s %.7s\n", s + 10, p + 8);
	show("msync", msync(s, P, MS_SYNC));
	close(fd);
	unlink("/tmp/aril-memory-test");
}

static void heap(void)
{
	char *start = sbrk(0);

	show("sbrk", sbrk(5 * P) == start);
	start[5 * P - 1] = 1;
	printf("fresh heap %d\n", start[P]);
	show("back", brk(start));
	show("again", sbrk(P) == start);
	printf("cleared %d\n", start[100]);
	volatile char deep[400000];
	deep[0] = 3;
	printf("stack %d\n", deep[0]);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &action, 0);
	sigaction(SIGBUS, &action, 0);
	protections();
	moves();
	files();
	heap();
	return 0;
}
