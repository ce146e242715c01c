/* SPDX-License-Identifier: MIT
 * Hazard 3 of rewriting: a second thread of execution (a process that shares the memory, then a thread) runs the bytes while
 * they are being rewritten. Fresh sites all the time, both run each of them at once. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SITES = 500, BARE = 150 };

static unsigned char *code;
static volatile int turn[2], wrong, go;
static int count;

static int runner(void *which)
{
	int me = (long)which;

	for (int i = 0; i < count; i++) {
		long r;

		turn[me] = i;
		for (int spin = 0; turn[!me] < i && spin < 100000; spin++)
			if (spin % 1000 == 999)
				sched_yield();
		/* one comes later than the other, by another while each time: somewhere in the rewriting */
		for (volatile int late = 0; me && late < i % 64 * 800; late++)
			;
		for (int k = 0; k < 2; k++) {
			/* getppid at site i; the answer is the same for nobody but must be a pid */
			__asm__ volatile("call *%1"
					 : "=a"(r)
					 : "r"(code + 16 * i)
					 : "rcx", "r11", "memory");
			if (r <= 0 || r > 100000)
				wrong++;
		}
	}
	turn[me] = SITES;
	return 0;
}

static void *second(void *which)
{
	runner(which);
	return 0;
}

/* mov $39,%eax; syscall; ret, or a number that comes from elsewhere, and an instruction that moves with the syscall; between them
 * breakpoints, for who is led astray */
static void sites(int bare)
{
	static const unsigned char plain[16] = {0xb8, 39,   0,	  0,	0,    0x0f, 0x05, 0xc3,
						0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc},
				   other[16] = {0x6a, 39,   0x58, 0x0f, 0x05, 0x48, 0x3d, 1,
						0xf0, 0xff, 0xff, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc};

	code = mmap(0, 16 * SITES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	for (int i = 0; i < SITES; i++)
		memcpy(code + 16 * i, bare ? other : plain, sizeof plain);
	turn[0] = turn[1] = 0;
}

int main(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int status = -1;
	pthread_t t;

	for (int bare = 0; bare < 2; bare++) {
		count = bare ? BARE : SITES;
		sites(bare);
		pid_t p = clone(runner, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)1);
		runner((void *)0);
		waitpid(p, &status, 0);
		sites(bare);
		pthread_create(&t, 0, second, (void *)1);
		runner((void *)0);
		pthread_join(t, 0);
	}
	printf("wrong %d child %d\n", wrong, status);
	return wrong != 0;
}
