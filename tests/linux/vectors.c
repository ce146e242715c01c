/* SPDX-License-Identifier: MIT
 * Floating point and AVX in several processes at once, each with its own values in every register across
 * preemption, system calls and signals. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_alarm(int sig)
{
	double volatile x = sig; /* clobbers vector registers of the interrupted code */
	x = sqrt(x) * 3.0;
	__asm__ volatile("vpxor %%ymm0, %%ymm0, %%ymm0; vpxor %%ymm15, %%ymm15, %%ymm15" ::
				 : "xmm0", "xmm15");
}

/* Fills ymm0..ymm15 with a pattern, waits in a loop or system call, compares. Returns mismatches. */
static int hold(unsigned char seed, int call)
{
	static unsigned char in[16][32], out[16][32];

	for (int i = 0; i < 16; i++)
		memset(in[i], seed + i, 32);
#define LOAD(n) "vmovdqu " #n "*32(%0), %%ymm" #n "\n"
#define STORE(n) "vmovdqu %%ymm" #n ", " #n "*32(%1)\n"
	__asm__ volatile(
		LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7) LOAD(8) LOAD(9)
			LOAD(10) LOAD(11) LOAD(12) LOAD(13) LOAD(14)
				LOAD(15) "test %2, %2\n jz 2f\n mov $39, %%eax\n syscall\n jmp 3f\n"
					 "2: mov $200000, %%ecx\n 1: dec %%ecx\n jnz 1b\n"
					 "3:\n" STORE(0) STORE(1) STORE(2) STORE(3) STORE(4)
						 STORE(5) STORE(6) STORE(7) STORE(8) STORE(9)
							 STORE(10) STORE(11) STORE(12) STORE(13)
								 STORE(14) STORE(15)
		:
		: "r"(in), "r"(out), "r"((long)call)
		: "rax", "rcx", "r11", "memory");
	return memcmp(in, out, sizeof in) != 0;
}

static int work(int seed)
{
	double sum = 0;
	int wrong = 0;

	for (int i = 0; i < 150; i++) {
		wrong += hold(seed * 16 + i, i & 1);
		for (int k = 1; k < 200; k++)
			sum += sin(k * 0.01) / (k + seed);
	}
	double expected = 0;
	for (int i = 0; i < 150; i++)
		for (int k = 1; k < 200; k++)
			expected += sin(k * 0.01) / (k + seed);
	return wrong + (sum != expected);
}

int main(void)
{
	struct itimerval every = {{0, 3000}, {0, 3000}};
	int bad = 0, status;

	for (int i = 0; i < 4; i++) {
		if (fork())
			continue;
		signal(SIGALRM, on_alarm);
		setitimer(ITIMER_REAL, &every, 0);
		_exit(work(i) != 0);
	}
	while (wait(&status) > 0)
		bad += status != 0;
	printf("processes with a wrong value: %d\n", bad);
	long double x = 1.0L / 3.0L;
	printf("x87 %.18Lg sse %.17g\n", x, 1.0 / 3.0);
	return bad;
}
