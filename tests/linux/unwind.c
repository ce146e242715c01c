/* SPDX-License-Identifier: MIT
 * Unwinding from a signal's handler to main: through restorers that are described and ones that are known by their bytes, and
 * through calls at sites of each shape, often enough that all that is rewritten has been. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <unwind.h>

int main(void);
static volatile int reached, handled;
static int ends[2];

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *data)
{
	(void)data;
	reached |= _Unwind_FindEnclosingFunction((void *)_Unwind_GetIP(context)) == (void *)main;
	return _URC_NO_REASON;
}

static void on_signal(int sig)
{
	handled++;
	_Unwind_Backtrace(frame, NULL);
	if (sig == SIGALRM)
		write(ends[1], "x", 1);
}

/* As C libraries without descriptions have it. */
void plain_restorer(void);
__asm__(".text\nplain_restorer:\n\tmov $15, %rax\n\tsyscall\n\tret\n");

static void install(int sig, int plain)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask;
	} own = {on_signal, 0x14000000 /* SA_RESTORER, SA_RESTART */, plain_restorer, 0};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	if (plain)
		syscall(SYS_rt_sigaction, sig, &own, NULL, 8);
	else
		sigaction(sig, &action, NULL);
}

static __attribute__((noinline)) long by_number(long n, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall; cmp $-4095, %%rax"
			 : "=a"(r)
			 : "0"(n), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory", "cc");
	return r;
}

static __attribute__((noinline)) long by_constant(long a, long b, long c)
{
	long r;

	__asm__ volatile("mov %1, %%eax; syscall"
			 : "=&a"(r)
			 : "i"(SYS_read), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}

static void tries(const char *what, int plain)
{
	struct itimerval soon = {{0, 0}, {0, 3000}};
	int self = 0, number = 0, constant = 0;
	char c;

	install(SIGUSR1, plain);
	install(SIGALRM, plain);
	handled = 0;
	for (int i = 0; i < 8; i++) {
		reached = 0;
		raise(SIGUSR1);
		self += reached;
		reached = 0;
		setitimer(ITIMER_REAL, &soon, NULL);
		by_number(SYS_read, ends[0], (long)&c, 1);
		number += reached;
		reached = 0;
		setitimer(ITIMER_REAL, &soon, NULL);
		by_constant(ends[0], (long)&c, 1);
		constant += reached;
	}
	printf("%s: %d handled; main reached %d, %d, %d times\n", what, handled, self, number,
	       constant);
}

int main(void)
{
	static const unsigned char known[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05};

	pipe(ends);
	tries("described", 0);
	tries("known by its bytes", 1);
	printf("which are %s\n",
	       memcmp((void *)plain_restorer, known, sizeof known) ? "changed" : "there");
	return 0;
}
