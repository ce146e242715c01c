/* SPDX-License-Identifier: MIT
 * Calls that only look, at their own sites, under a storm of signals and of ends of slices: no register, flag or signal is
 * lost, time does not go back, and a bad address is refused. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long u64;

struct registers {
	u64 rax, rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r12, r13, r14, r15, flags;
};

/* One call with every register that it must keep full of something: how many it changed. */
#define SITE(name, number)                                                                  \
	__attribute__((naked)) static void name(struct registers *r)                        \
	{                                                                                   \
		__asm__("push %%rbx; push %%rbp; push %%r12; push %%r13; push %%r14\n"      \
			"push %%r15; push %%rdi; mov 8(%%rdi),%%rbx; mov 16(%%rdi),%%rdx\n" \
			"mov 24(%%rdi),%%rsi; mov 40(%%rdi),%%rbp; mov 48(%%rdi),%%r8\n"    \
			"mov 56(%%rdi),%%r9; mov 64(%%rdi),%%r10; mov 72(%%rdi),%%r12\n"    \
			"mov 80(%%rdi),%%r13; mov 88(%%rdi),%%r14; mov 96(%%rdi),%%r15\n"   \
			"push 104(%%rdi); mov 32(%%rdi),%%rdi; popf\n"                      \
			"mov %0,%%eax; syscall\n"                                           \
			"pushf; mov 8(%%rsp),%%rcx; mov %%rax,(%%rcx)\n"                    \
			"mov %%rbx,8(%%rcx); mov %%rdx,16(%%rcx); mov %%rsi,24(%%rcx)\n"    \
			"mov %%rdi,32(%%rcx); mov %%rbp,40(%%rcx); mov %%r8,48(%%rcx)\n"    \
			"mov %%r9,56(%%rcx); mov %%r10,64(%%rcx); mov %%r12,72(%%rcx)\n"    \
			"mov %%r13,80(%%rcx); mov %%r14,88(%%rcx); mov %%r15,96(%%rcx)\n"   \
			"pop 104(%%rcx); pop %%rdi; pop %%r15; pop %%r14; pop %%r13\n"      \
			"pop %%r12; pop %%rbp; pop %%rbx; ret" ::"i"(number));              \
	}
SITE(site_getpid, SYS_getpid)
SITE(site_gettid, SYS_gettid)
SITE(site_getppid, SYS_getppid)
SITE(site_geteuid, SYS_geteuid)
SITE(site_clock, SYS_clock_gettime)
SITE(site_clock_other, SYS_clock_gettime)
SITE(site_time, SYS_time)
SITE(site_day, SYS_gettimeofday)

#define FLAGS_ASKED 0x8d5ul /* CF PF AF ZF SF OF */

static int lost(void (*site)(struct registers *), u64 rdi, u64 rsi, u64 flags, long *result)
{
	struct registers r = {0, 1, 2, rsi, rdi, 5, 6, 7, 8, 9, 10, 11, 12, flags | 0x202}, was = r;

	site(&r);
	*result = (long)r.rax;
	was.rax = r.rax;
	was.flags &= FLAGS_ASKED;
	r.flags &= FLAGS_ASKED;
	return memcmp(&r, &was, sizeof r) != 0;
}

static volatile sig_atomic_t alarms;
static volatile int queued, wrong_inside;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	long result;
	struct timespec now;

	(void)context;
	wrong_inside += lost(site_getpid, 0, 0, 0x8d5, &result) || result != getpid();
	wrong_inside += lost(site_clock, CLOCK_MONOTONIC, (u64)&now, 0x41, &result) || result;
	if (sig == SIGALRM)
		alarms++;
	else
		queued += info->si_value.sival_int == queued;
}

static u64 ns(const struct timespec *t)
{
	return (u64)t->tv_sec * 1000000000ul + (u64)t->tv_nsec;
}

struct round {
	unsigned wrong, calls;
	u64 last;
};

static void one_round(struct round *r, pid_t pid, pid_t tid, pid_t parent)
{
	struct timespec now = {-1, -1};
	struct timeval day;
	u64 flags = r->calls * 0x45ul & FLAGS_ASKED;
	long result;

	r->wrong += lost(site_getpid, 11, 12, flags, &result) || result != pid;
	r->wrong += lost(site_gettid, 11, 12, flags, &result) || result != tid;
	r->wrong += lost(site_getppid, 11, 12, flags, &result) || result != parent;
	r->wrong += lost(site_geteuid, 11, 12, flags, &result) || result != (long)geteuid();
	r->wrong += lost(site_clock, CLOCK_MONOTONIC, (u64)&now, flags, &result) || result;
	r->wrong += ns(&now) < r->last || (u64)now.tv_nsec >= 1000000000ul;
	r->last = ns(&now);
	r->wrong += lost(site_clock_other, CLOCK_REALTIME, (u64)&now, flags, &result) || result;
	r->wrong += lost(site_time, 0, 12, flags, &result) || result + 1 < now.tv_sec ||
		    result > now.tv_sec + 60;
	r->wrong += lost(site_day, (u64)&day, 0, flags, &result) || result ||
		    day.tv_sec < now.tv_sec || day.tv_sec > now.tv_sec + 60;
	r->calls++;
}

#define THREADS 3
#define ROUNDS 6000
#define SIGNALS 300

static void *thread(void *data)
{
	struct round *r = data;

	for (int i = 0; i < ROUNDS; i++)
		one_round(r, getpid(), gettid(), getppid());
	return NULL;
}

/* Queues numbered signals for its parent, as fast as it can. */
static void sender(pid_t to)
{
	for (int i = 0; i < SIGNALS; i++)
		while (sigqueue(to, SIGRTMIN, (union sigval){.sival_int = i}))
			sched_yield();
	_exit(0);
}

static void storm(void)
{
	struct itimerval every = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct round rounds[THREADS + 1] = {{0}};
	pthread_t threads[THREADS];
	pid_t self = getpid(), parent = getppid(), child;
	unsigned wrong = 0;
	int status = -1;
	sigset_t old;

	sigfillset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGRTMIN, &action, NULL);
	child = fork();
	if (!child)
		sender(self);
	sigprocmask(SIG_BLOCK, &action.sa_mask,
		    &old); /* the threads' handlers would meet the first one's */
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread, &rounds[i]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < ROUNDS || queued < SIGNALS || alarms < 5; i++)
		one_round(&rounds[THREADS], self, self, parent);
	setitimer(ITIMER_REAL, &none, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	waitpid(child, &status, 0);
	for (int i = 0; i <= THREADS; i++)
		wrong += rounds[i].wrong;
	printf("wrong %u, in handlers %d, signals %d in order, sender %d, alarms: %s\n", wrong,
	       wrong_inside, queued, status, alarms ? "yes" : "no");
}

static void refused(const char *what, u64 clock, u64 to)
{
	long result;
	int kept = !lost(site_clock, clock, to, 0x8d5, &result);

	printf("%s: %ld, registers %s\n", what, result, kept ? "kept" : "lost");
}

static void addresses(void)
{
	char *p = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	refused("nowhere", CLOCK_MONOTONIC, 0);
	refused("a page never touched", CLOCK_MONOTONIC, (u64)p);
	refused("not aligned, over two pages", CLOCK_REALTIME, (u64)p + 4096 - 5);
	mprotect(p + 4096, 4096, PROT_READ);
	refused("a page to be read", CLOCK_MONOTONIC, (u64)p + 4096);
	refused("half of it", CLOCK_MONOTONIC, (u64)p + 4096 - 8);
	munmap(p + 8192, 4096);
	refused("a page not there", CLOCK_BOOTTIME, (u64)p + 8192);
	refused("beyond all programs", CLOCK_MONOTONIC, 0x7e0000000000);
	refused("across their end", CLOCK_MONOTONIC, 0x7d0000000000 - 8);
	refused("no address at all", CLOCK_MONOTONIC, 0x8000000000000000);
	refused("the last one", CLOCK_MONOTONIC, ~0ul);
	refused("no clock", 77, (u64)p);
	refused("its own time", CLOCK_THREAD_CPUTIME_ID, (u64)p);
	if (!fork()) { /* a page that is shared until it is written */
		refused("a child's", CLOCK_MONOTONIC, (u64)p);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < 3; i++)
		addresses();
	storm();
	return 0;
}
