/* SPDX-License-Identifier: MIT
 * rt_sigprocmask at sites of its own, each called often enough to be a jump: what it does to the mask, to registers and flags,
 * with what pends, with addresses that are not there, and under a storm of signals. */
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
#include <unistd.h>

typedef unsigned long u64;

#define FLAGS_ASKED 0x8d5ul /* CF PF AF ZF SF OF */

/* The call's result; *lost counts registers and flags that it changed and must not. */
static long mask(u64 how, const u64 *set, u64 *old, u64 bytes, u64 flags, unsigned *lost)
{
	u64 rdi = how, rsi = (u64)set, rdx = (u64)old, after, sp_before, sp_after;
	register u64 r10 __asm__("r10") = bytes;
	register u64 r8 __asm__("r8") = 0x8888, r9 __asm__("r9") = 0x9999;
	u64 rax;

	__asm__ volatile(
		"lea -128(%%rsp),%%rsp; mov %%rsp,%[before]; push %[flags]; popf\n"
		"mov $14,%%eax; syscall; pushf; pop %[after]; mov %%rsp,%[sp]\n"
		"lea 128(%%rsp),%%rsp"
		: "=&a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8),
		  "+r"(r9), [after] "=&b"(after), [before] "=&r"(sp_before), [sp] "=&r"(sp_after)
		: [flags] "r"(flags | 0x202)
		: "rcx", "r11", "memory", "cc");
	*lost += rdi != how || rsi != (u64)set || rdx != (u64)old || r10 != bytes || r8 != 0x8888 ||
		 r9 != 0x9999 || sp_before != sp_after || (after ^ flags) & FLAGS_ASKED;
	return (long)rax;
}

static unsigned lost;

#define BIT(sig) (1ul << ((sig)-1))

static u64 now_blocked(void)
{
	u64 is;

	return mask(SIG_BLOCK, NULL, &is, 8, 0x55, &lost) ? ~0ul : is;
}

static void step(const char *what, u64 how, const u64 *set, u64 *old, u64 bytes)
{
	long result = mask(how, set, old, bytes, 0x8d5, &lost);

	printf("%s: %ld, blocked %lx\n", what, result, now_blocked());
}

static void plain(void)
{
	u64 usr = BIT(SIGUSR1), two = BIT(SIGUSR2) | BIT(SIGHUP), all = ~0ul, none = 0, old = 77;

	step("set none", SIG_SETMASK, &none, NULL, 8);
	step("block one", SIG_BLOCK, &usr, &old, 8);
	printf("before: %lx\n", old);
	step("block two", SIG_BLOCK, &two, &old, 8);
	printf("before: %lx\n", old);
	step("unblock one", SIG_UNBLOCK, &usr, &old, 8);
	printf("before: %lx\n", old);
	old = all;
	step("the same memory", SIG_SETMASK, &old, &old, 8);
	printf("before: %lx\n", old);
	old = usr;
	step("the same, to be unblocked", SIG_UNBLOCK, &old, &old, 8);
	printf("before: %lx\n", old);
	step("a number that is none", 3, &usr, &old, 8);
	step("a large one", 1ul << 40, &none, NULL, 4);
	step("another size", SIG_SETMASK, &none, &old, 16);
	step("nothing at all", SIG_SETMASK, NULL, NULL, 8);
	step("none again", SIG_SETMASK, &none, NULL, 8);
}

static void addresses(void)
{
	char *p = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 usr = BIT(SIGUSR1), none = 0, old = 5;

	munmap(p + 8192, 4096);
	mprotect(p + 4096, 4096, PROT_READ);
	step("from a page never touched", SIG_BLOCK, (u64 *)p, &old, 8);
	memset(p, 0, 4096);
	step("from nowhere", SIG_BLOCK, (u64 *)8, &old, 8);
	step("from a page not there", SIG_BLOCK, (u64 *)(p + 8192), &old, 8);
	step("from half of one", SIG_BLOCK, (u64 *)(p + 8192 - 4), &old, 8);
	step("from beyond", SIG_BLOCK, (u64 *)0x7ffffffffff8, &old, 8);
	step("from no address", SIG_BLOCK, (u64 *)0x8000000000000000, &old, 8);
	step("to nowhere", SIG_BLOCK, &usr, (u64 *)16, 8);
	step("none", SIG_SETMASK, &none, (u64 *)(p + 4096 - 4), 8);
	step("to a page to be read", SIG_BLOCK, &usr, (u64 *)(p + 4096), 8);
	step("to the last address", SIG_SETMASK, &none, (u64 *)~7ul, 8);
	munmap(p, 8192);
}

static long robust_set(const void *head, u64 bytes)
{
	long r;

	__asm__ volatile("mov $273,%%eax; syscall"
			 : "=a"(r)
			 : "D"(head), "S"(bytes)
			 : "rcx", "r11", "memory");
	return r;
}

/* set_robust_list, the other call of that kind: what is set, and that another size sets nothing. */
static void robust(void)
{
	static struct {
		void *next;
		long distance;
		void *last;
	} head[2] = {{&head[0], 0, 0}, {&head[1], 0, 0}};
	void *was, *is;
	size_t bytes;

	syscall(SYS_get_robust_list, 0, &was, &bytes);
	for (int i = 0; i < 4; i++) {
		long first = robust_set(&head[i & 1], 24), other = robust_set(&head[!(i & 1)], 23);

		syscall(SYS_get_robust_list, 0, &is, &bytes);
		printf("robust: %ld %ld, %s\n", first, other, is == &head[i & 1] ? "set" : "lost");
	}
	robust_set(was, 24);
}

static volatile sig_atomic_t seen, seen_other, alarms;
static pthread_t main_thread;

static void on_signal(int sig)
{
	if (sig == SIGALRM)
		alarms++;
	else if (pthread_equal(pthread_self(), main_thread))
		seen++;
	else
		seen_other++;
}

/* What pends is delivered before the call that unblocks it is over. */
static void pending(void)
{
	u64 usr = BIT(SIGUSR1), none = 0;
	unsigned late = 0;

	for (int i = 0; i < 200; i++) {
		mask(SIG_BLOCK, &usr, NULL, 8, 0x41, &lost);
		if (i & 1)
			kill(getpid(), SIGUSR1);
		else
			pthread_kill(pthread_self(), SIGUSR1);
		late += seen != i;
		if (i % 3)
			mask(SIG_UNBLOCK, &usr, NULL, 8, 0x41, &lost);
		else
			mask(SIG_SETMASK, &none, NULL, 8, 0x41, &lost);
		late += seen != i + 1;
	}
	printf("pending: %d seen, %u late\n", (int)seen, late);
}

static int pipe_to[2], pipe_back[2];

static void *other(void *data)
{
	u64 usr = BIT(SIGUSR1), none = 0;
	char c;

	(void)data;
	while (read(pipe_to[0], &c, 1) == 1) { /* asleep, where it does not block the signal */
		mask(SIG_BLOCK, &usr, NULL, 8, 0, &lost);
		c = 'x';
		if (write(pipe_back[1], &c, 1) != 1)
			break;
		mask(SIG_SETMASK, &none, NULL, 8, 0, &lost);
	}
	return NULL;
}

/* Sent to the process while this thread blocks it: the one that sleeps gets it. */
static void another(void)
{
	u64 usr = BIT(SIGUSR1), none = 0;
	pthread_t t;
	char c = 'a';

	if (pipe(pipe_to) || pipe(pipe_back) || pthread_create(&t, NULL, other, NULL))
		return;
	mask(SIG_BLOCK, &usr, NULL, 8, 0, &lost);
	for (int i = 0; i < 50; i++) {
		if (write(pipe_to[1], &c, 1) != 1 || read(pipe_back[0], &c, 1) != 1)
			break;
		kill(getpid(), SIGUSR1);
		while (seen_other != i + 1)
			sched_yield();
	}
	close(pipe_to[1]);
	pthread_join(t, NULL);
	mask(SIG_SETMASK, &none, NULL, 8, 0, &lost);
	printf("another: %d\n", (int)seen_other);
}

#define SIGNALS 300

static void *storm_thread(void *data)
{
	u64 two = BIT(SIGUSR1) | BIT(SIGALRM), none = 0, old;
	unsigned *wrong = data;

	for (int i = 0; i < 20000; i++) {
		*wrong += mask(SIG_BLOCK, &two, &old, 8, i * 0x45ul & FLAGS_ASKED, wrong) || old;
		*wrong += mask(SIG_SETMASK, &none, &old, 8, i * 0x11ul & FLAGS_ASKED, wrong) ||
			  old != two;
	}
	return NULL;
}

static void storm(void)
{
	struct itimerval every = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
	unsigned wrong[3] = {0, 0, 0};
	pthread_t t[2];
	pid_t self = getpid(), child;
	int status = -1;

	child = fork();
	if (!child) {
		for (int i = 0; i < SIGNALS; i++) {
			kill(self, SIGUSR1);
			sched_yield();
		}
		_exit(0);
	}
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, storm_thread, &wrong[i]);
	do
		storm_thread(&wrong[2]);
	while (!alarms);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	setitimer(ITIMER_REAL, &none, NULL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	printf("storm: wrong %u, sender %d, blocked %lx\n", wrong[0] + wrong[1] + wrong[2], status,
	       now_blocked());
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	setvbuf(stdout, NULL, _IOLBF, 0);
	main_thread = pthread_self();
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	for (int i = 0; i < 2; i++)
		plain();
	for (int i = 0; i < 2; i++)
		addresses();
	robust();
	pending();
	another();
	storm();
	printf("lost %u\n", lost);
	return 0;
}
