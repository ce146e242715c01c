/* SPDX-License-Identifier: MIT
 * Calls at sites whose number comes from elsewhere, interrupted: what a handler is shown of the place, calls that begin anew, calls
 * that were on their way when another thread had the site rewritten, and fork, vfork and threads made there. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* syscall; cmp $-4095,%rax; ret. And: syscall; jmp to the ret behind */
static const unsigned char kinds[2][9] = {{0x0f, 0x05, 0x48, 0x3d, 1, 0xf0, 0xff, 0xff, 0xc3},
					  {0x0f, 0x05, 0xeb, 0x00, 0xc3}};
static const unsigned char *bytes = kinds[0];
#define BYTES sizeof(kinds[0])
static unsigned char *site;
static int ends[2];
static volatile long shown, handled;
static volatile int give;

static long call(long number, long a, long b, long c)
{
	long r;

	/* beyond what the compiler keeps below rsp */
	__asm__ volatile("lea -128(%%rsp), %%rsp; call *%1; lea 128(%%rsp), %%rsp"
			 : "=a"(r)
			 : "r"(site), "0"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}

static void on_alarm(int sig, siginfo_t *info, void *context)
{
	long at = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] - (long)site;

	if (at < 0 || at > (long)BYTES || handled++)
		return; /* before the call, or behind the first one in it: another one comes */
	shown = at;
	if (give)
		write(ends[1], "x", 1);
}

/* A site that nobody has used. */
static void fresh(void)
{
	static int used;

	if (!used++)
		site = mmap(0, 65536, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else
		site += 333;
	memcpy(site, bytes, BYTES);
}

static void interrupted(int flags, int warm)
{
	struct sigaction action = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO | flags};
	struct itimerval every = {{0, 20000}, {0, 20000}}, off = {{0, 0}, {0, 0}};
	char c = 0;
	long r;

	fresh();
	for (int i = 0; i < warm; i++)
		call(SYS_getppid, 0, 0, 0);
	sigaction(SIGALRM, &action, NULL);
	handled = 0;
	give = flags & SA_RESTART;
	setitimer(ITIMER_REAL, &every, NULL);
	r = call(SYS_read, ends[0], (long)&c, 1);
	setitimer(ITIMER_REAL, &off, NULL);
	printf("%s, %d calls before: read %ld, at %ld of the site, handled %ld, then %s\n",
	       flags & SA_RESTART ? "restarts" : "does not", warm, r, shown, (long)(handled > 0),
	       call(SYS_getpid, 0, 0, 0) == getpid() ? "as ever" : "wrong");
}

static void *reader(void *data)
{
	char c = 0;

	*(long *)data = call(SYS_read, ends[0], (long)&c, 1) + c;
	return NULL;
}

/* A thread sleeps in a call from a site that is rewritten meanwhile by others: it wakes behind it. */
static void on_its_way(void)
{
	enum { READERS = 4 };
	pthread_t t[READERS];
	long got[READERS], sum = 0;

	fresh();
	for (int i = 0; i < READERS; i++)
		pthread_create(&t[i], NULL, reader, &got[i]);
	usleep(20000);
	for (int i = 0; i < 5; i++)
		sum += call(SYS_getpid, 0, 0, 0) != getpid();
	write(ends[1], "abcd", READERS);
	for (int i = 0; i < READERS; i++) {
		pthread_join(t[i], NULL);
		sum += got[i];
	}
	printf("on their way: %ld\n", sum);
}

static int cloned(void *data)
{
	(void)data;
	return call(SYS_getpid, 0, 0, 0) == getpid() ? 7 : 1;
}

static void born(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int status = -1;

	fresh();
	for (int i = 0; i < 3; i++) {
		long pid = call(SYS_fork, 0, 0, 0);

		if (!pid)
			_exit(call(SYS_getpid, 0, 0, 0) == getpid() ? 5 : 1);
		waitpid((int)pid, &status, 0);
		printf("fork: %d\n", WEXITSTATUS(status));
	}
	int pid = clone(cloned, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
	waitpid(pid, &status, 0);
	printf("clone: %d\n", WEXITSTATUS(status));
	printf("no such call: %ld, of 64 bits: %ld\n", call(5000, 0, 0, 0),
	       call((1l << 40) + SYS_close, -1, 0, 0));
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	pipe(ends);
	for (int kind = 0; kind < 2; kind++) {
		bytes = kinds[kind];
		for (int warm = 0; warm < 3; warm++) {
			interrupted(0, warm);
			interrupted(SA_RESTART, warm);
		}
		on_its_way();
		born();
	}
	return 0;
}
