/* SPDX-License-Identifier: MIT
 * Processes of one program, one after the other: each finds its memory as a new program or its parent's child has it, whatever
 * the ones before did to theirs; and thousands of them leave nothing. Printed, and compared with the host's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define PAGES 24

static char zeros[PAGES * PAGE];
static char data[PAGES * PAGE] = {[0] = 'd', [5 * PAGE] = 'e', [PAGES * PAGE - 1] = 'f'};
static const char *self;
static int wrong;

static void expect(int so, const char *what)
{
	if (!so && ++wrong < 20)
		printf("wrong: %s\n", what);
}

static int all(const char *at, size_t bytes, char byte)
{
	for (size_t i = 0; i < bytes; i++)
		if (at[i] != byte)
			return 0;
	return 1;
}

/* Its number is an instruction's: a byte of text. */
static __attribute__((noinline, aligned(64))) int text_says(void)
{
	int n;

	__asm__ volatile("movl $0x11223344, %0" : "=a"(n));
	return n;
}

static void text_scribble(void)
{
	unsigned char *at = (unsigned char *)text_says;
	void *page = (void *)((unsigned long)at & ~(PAGE - 1));

	if (mprotect(page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		return;
	for (int i = 0; i < 32; i++)
		if (!memcmp(at + i, "\x44\x33\x22\x11", 4)) {
			at[i] = 0x55;
			break;
		}
	mprotect(page, 2 * PAGE, PROT_READ | PROT_EXEC);
	expect(text_says() == 0x11223355, "text that was changed");
}

/* Far below what main's callers used, and above the guard. */
static __attribute__((noinline)) void stack_use(int check)
{
	char deep[100 * 1024];

	__asm__ volatile("" : "=m"(deep)); /* as it lies there */

	if (check)
		expect(all(deep, 64 * 1024, 0), "a fresh stack");
	for (size_t i = 0; i < sizeof(deep); i += 64)
		((volatile char *)deep)[i] = 's';
}

/* A new program's memory; then nothing is left as it was. */
static int fresh(const char *how)
{
	expect(text_says() == 0x11223344, "text");
	expect(all(zeros, sizeof(zeros), 0), "zeros");
	expect(data[0] == 'd' && data[5 * PAGE] == 'e' && data[sizeof(data) - 1] == 'f' &&
		       all(data + 1, 5 * PAGE - 1, 0),
	       "data");
	stack_use(1);
	char *heap = sbrk(8 * PAGE);
	expect(all(heap, 8 * PAGE, 0), "a grown heap");
	char *map = mmap(0, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(all(map, 8 * PAGE, 0), "anonymous memory");
	if (*how == 'r') /* reads only */
		return wrong;
	memset(zeros, 'z', sizeof(zeros));
	memset(data, 'y', sizeof(data));
	memset(heap, 'h', 8 * PAGE);
	memset(map, 'm', 8 * PAGE);
	if (*how == 'p') {
		mprotect((void *)(((unsigned long)data + PAGE) & ~(PAGE - 1)), 4 * PAGE, PROT_READ);
		mprotect((void *)(((unsigned long)zeros + PAGE) & ~(PAGE - 1)), 4 * PAGE,
			 PROT_NONE);
	}
	if (*how == 't')
		text_scribble();
	if (*how == 'u')
		munmap((void *)(((unsigned long)data + PAGE) & ~(PAGE - 1)), 4 * PAGE);
	if (*how == 'k')
		raise(SIGKILL);
	return wrong;
}

static int status_of(pid_t child)
{
	int status = -1;

	return waitpid(child, &status, 0) == child ? status : -1;
}

static void programs(void)
{
	for (int i = 0; i < 36; i++) {
		const char *how[] = {"write", "text", "read", "protect", "unmap", "kill"};
		const char *which = how[(i * 5 + i / 6) % 6];
		pid_t child = i % 3 ? fork() : vfork();

		if (!child) {
			execl(self, self, which, (char *)0);
			_exit(99);
		}
		int status = status_of(child);
		expect(status == (*which == 'k' ? SIGKILL : 0), which);
	}
	printf("programs: %d wrong\n", wrong);
}

static sigjmp_buf back;
static void on_fault(int signal)
{
	siglongjmp(back, signal);
}

static int faults(volatile char *at, int write)
{
	int signal = sigsetjmp(back, 1);

	if (!signal) {
		if (write)
			*at = 1;
		else
			(void)*at;
	}
	return signal;
}

/* The parent's memory changes between forks; each child has what it was then, and its own from then on. */
static void children(void)
{
	char *own =
		mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	signal(SIGSEGV, on_fault);
	for (int round = 0; round < 60; round++) {
		char *hole = own + (round % PAGES) * PAGE, mark = (char)('a' + round % 26);
		int kind = round % 4;

		for (int p = 0; p < PAGES; p += 1 + round % 3)
			memset(own + p * PAGE, mark, PAGE), memset(zeros + p * PAGE, mark, PAGE);
		if (kind == 1)
			munmap(hole, PAGE);
		if (kind == 2)
			mprotect(hole, PAGE, PROT_READ);
		if (kind == 3)
			mprotect(hole, PAGE, PROT_NONE);
		*shared = mark;
		pid_t child = fork();
		if (!child) {
			for (int p = 0; p < PAGES; p += 1 + round % 3) {
				expect(own + p * PAGE == hole || all(own + p * PAGE, PAGE, mark),
				       "a child's copy");
				expect(all(zeros + p * PAGE, PAGE, mark), "a child's data");
			}
			expect(!faults(hole, 1) == !kind, "writing in a child");
			expect(!faults(hole, 0) == (kind == 0 || kind == 2), "reading in a child");
			for (int p = round % 5; p < PAGES; p += 1 + round % 5) {
				if (own + p * PAGE != hole)
					memset(own + p * PAGE, 'X', PAGE);
				memset(zeros + p * PAGE, 'X', PAGE);
			}
			stack_use(0);
			expect(text_says() == 0x11223344, "a child's text");
			if (round % 7 == 0)
				text_scribble();
			++*shared;
			_exit(wrong);
		}
		if (round % 2) /* both write at once */
			for (int p = 0; p < PAGES; p++)
				zeros[p * PAGE + 7] = mark;
		expect(status_of(child) == 0, "a child");
		expect(*shared == mark + 1, "shared memory");
		for (int p = 0; p < PAGES; p += 1 + round % 3)
			expect(own + p * PAGE == hole || all(own + p * PAGE, PAGE, mark),
			       "the parent's");
		if (kind == 1)
			mmap(hole, PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (kind > 1)
			mprotect(hole, PAGE, PROT_READ | PROT_WRITE);
	}
	expect(text_says() == 0x11223344, "the parent's text");
	printf("children: %d wrong\n", wrong);
}

/* A program that changes between two runs, by name and in place. */
static void files(void)
{
	static const char path[] = "/tmp/again.copy";
	static volatile unsigned hidden = ~0x11223344u;
	unsigned char wanted[5] = {0xb8}; /* the instruction's bytes, which lie nowhere else */
	unsigned number = ~hidden;
	char buffer[65536];
	ssize_t n;

	memcpy(wanted + 1, &number, 4);
	for (int round = 0; round < 6; round++) {
		int from = open(self, O_RDONLY),
		    to = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);
		long place = -1, at = 0;

		while ((n = read(from, buffer, sizeof(buffer))) > 0) {
			for (long i = 0; i + 5 < n && place < 0; i++)
				if (!memcmp(buffer + i, wanted, 5))
					place = at + i + 1;
			at += n;
			write(to, buffer, (size_t)n);
		}
		if (round & 1)
			pwrite(to, "\x66", 1, place);
		close(from), close(to);
		pid_t child = fork();
		if (!child) {
			execl(path, path, "says", (char *)0);
			_exit(99);
		}
		expect(WEXITSTATUS(status_of(child)) == (round & 1 ? 0x66 : 0x44),
		       "a changed program");
		if (round % 3 == 2)
			unlink(path);
	}
	unlink(path);
	printf("files: %d wrong\n", wrong);
}

static void *forks(void *of)
{
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		if (!child)
			_exit(((char *)of)[0] == 't' ? 3 : 4);
		expect(WEXITSTATUS(status_of(child)) == 3, "a thread's child");
	}
	return 0;
}

static void threads(void)
{
	static char word[PAGE] = "t";
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], 0, forks, word);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], 0);
	printf("threads: %d wrong\n", wrong);
}

static void thousands(void)
{
	struct sysinfo before, after;
	struct utsname name;

	uname(&name); /* elsewhere others use memory, too */
	int here = strstr(name.version, "ExOS") != 0, many = here ? 3000 : 100;

	for (int i = 0; i < many; i++) {
		if (i == 50)
			sysinfo(&before);
		pid_t child = i % 3 == 1 ? vfork() : fork();
		if (!child) {
			if (i % 8 == 7)
				execl(self, self, "read", (char *)0);
			if (i % 8 == 3)
				raise(SIGKILL);
			_exit(5);
		}
		int status = status_of(child);
		expect(status == (i % 8 == 7 ? 0 : i % 8 == 3 ? SIGKILL : 5 << 8), "one of many");
	}
	sysinfo(&after);
	long lost = ((long)before.freeram - (long)after.freeram) * after.mem_unit;
	printf("thousands: %d wrong, left %s\n", wrong,
	       lost < 200000 || !here ? "nothing" : "memory");
}

int main(int argc, char **argv)
{
	self = "/proc/self/exe";
	if (argc > 1 && !strcmp(argv[1], "says"))
		return text_says() & 0xff;
	if (argc > 1)
		return fresh(argv[1]);
	setvbuf(stdout, 0, _IONBF, 0);
	programs();
	children();
	files();
	threads();
	thousands();
	return 0;
}
