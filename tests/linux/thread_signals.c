/* SPDX-License-Identifier: MIT
 * Signals among threads: to one of them, to whichever does not block it, synchronous waits, alternate stacks, faults,
 * restarts; and that a thread that computes on another CPU hears of one. Compared with the host's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static __thread int mine;
static atomic_int got, who, stop;
static pid_t main_tid;

static void note(int sig)
{
	mine++;
	who = gettid();
	got++;
}

static void set(int sig, void (*f)(int), int flags)
{
	struct sigaction a = {.sa_handler = f, .sa_flags = flags};

	sigaction(sig, &a, 0);
}

static void block(int how, int sig)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, sig);
	pthread_sigmask(how, &s, 0);
}

/* Until the main thread says stop: counts what this thread got itself. */
static void *computes(void *arg)
{
	if (arg)
		block(SIG_UNBLOCK, SIGUSR2);
	got++;
	while (!stop)
		;
	return (void *)(long)mine;
}

static void wait_for(int n)
{
	for (int i = 0; got < n && i < 10000; i++)
		usleep(1000);
}

static void to_one(void)
{
	pthread_t t[2];
	void *result;

	got = stop = 0;
	set(SIGUSR1, note, 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], 0, computes, 0);
	wait_for(2);
	printf("kill %d\n", pthread_kill(t[1], SIGUSR1));
	wait_for(3);
	stop = 1;
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], &result);
		printf("thread %d got %ld\n", i, (long)result);
	}
	printf("main got %d\n", mine);
}

/* The main thread blocks it: the other one must get it. */
static void to_any(void)
{
	pthread_t t;
	void *result;

	got = stop = 0;
	set(SIGUSR2, note, 0);
	block(SIG_BLOCK, SIGUSR2);
	pthread_create(&t, 0, computes, (void *)1);
	wait_for(1);
	kill(getpid(), SIGUSR2);
	wait_for(2);
	stop = 1;
	pthread_join(t, &result);
	printf("other got %ld main got %d by other %d\n", (long)result, mine, who != main_tid);
	block(SIG_UNBLOCK, SIGUSR2);
}

static void *waits(void *arg)
{
	sigset_t s;
	siginfo_t info;

	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN + 1);
	int sig = sigwaitinfo(&s, &info);
	got++;
	printf("waited for %d code %d value %d\n", sig - SIGRTMIN, info.si_code == SI_QUEUE,
	       info.si_value.sival_int);
	sigwait(&s, &sig);
	printf("and %d\n", sig - SIGRTMIN);
	return 0;
}

static void synchronous(void)
{
	pthread_t t;

	got = 0;
	block(SIG_BLOCK, SIGRTMIN + 1);
	pthread_create(&t, 0, waits, 0);
	usleep(2000);
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){42});
	wait_for(1);
	union sigval v = {43};
	pthread_sigqueue(t, SIGRTMIN + 1, v);
	pthread_join(t, 0);
}

static __thread sigjmp_buf back;
static void jump(int sig)
{
	char here;
	stack_t s;

	sigaltstack(0, &s);
	mine = &here > (char *)s.ss_sp && &here < (char *)s.ss_sp + s.ss_size;
	siglongjmp(back, 1);
}

static void *faults(void *arg)
{
	stack_t s = {.ss_sp = malloc(65536), .ss_size = 65536};
	long count = 0;

	sigaltstack(&s, 0);
	for (int i = 0; i < 20; i++) {
		if (!sigsetjmp(back, 1))
			*(volatile int *)8 = 1;
		count += mine;
	}
	s.ss_flags = SS_DISABLE;
	sigaltstack(&s, 0);
	free(s.ss_sp);
	return (void *)count;
}

static void own_faults(void)
{
	pthread_t t[4];
	void *result;

	set(SIGSEGV, jump, SA_ONSTACK);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], 0, faults, 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		printf("faults on own stack %ld\n", (long)result);
	}
	set(SIGSEGV, SIG_DFL, 0);
}

static int ends[2];
static void *reads(void *arg)
{
	char c;
	long n = read(ends[0], &c, 1);

	return (void *)(n < 0 ? -errno : n);
}

static void restarts(void)
{
	pthread_t t;
	void *result;

	pipe(ends);
	for (int again = 0; again < 2; again++) {
		got = 0;
		set(SIGUSR1, note, again ? SA_RESTART : 0);
		pthread_create(&t, 0, reads, 0);
		/* it may not have come to its read: a signal before it ends nothing */
		do {
			usleep(5000);
			pthread_kill(t, SIGUSR1);
			wait_for(1);
			if (again)
				write(ends[1], "x", 1);
		} while (!again && pthread_tryjoin_np(t, &result));
		if (again)
			pthread_join(t, &result);
		printf("read %ld\n", (long)result);
	}
}

/* What a thread's own call brings on it is for that thread, also where another does not block it (and would die of it). */
static void *breaks(void *arg)
{
	struct rlimit least = {4096, 4096};
	siginfo_t info;
	sigset_t s;
	int p[2], f = open("/tmp", O_RDWR | O_TMPFILE, 0600);

	sigemptyset(&s);
	sigaddset(&s, SIGPIPE);
	sigaddset(&s, SIGXFSZ);
	pthread_sigmask(SIG_BLOCK, &s, 0);
	pipe(p);
	close(p[0]);
	printf("no reader: %zd\n", write(p[1], "x", 1));
	printf("it is %d ", sigwaitinfo(&s, &info) == SIGPIPE);
	printf("by %d %d\n", info.si_code == SI_USER, info.si_pid == getpid());
	setrlimit(RLIMIT_FSIZE, &least);
	printf("too far: %zd %d\n", pwrite(f, "x", 1, 4096), ftruncate(f, 4097));
	printf("it is %d ", sigwaitinfo(&s, &info) == SIGXFSZ);
	printf("by %d %d\n", info.si_code == SI_USER, info.si_pid == getpid());
	return 0;
}

static void own_errors(void)
{
	pthread_t t;
	int status;

	fflush(stdout);
	pid_t p = fork();
	if (!p) {
		pthread_create(&t, 0, breaks, 0);
		pthread_join(t, 0);
		exit(0);
	}
	waitpid(p, &status, 0);
	printf("and ended by signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* A fatal signal of one thread ends all, wherever they are; a stop stops all. */
static void *sleeps(void *arg)
{
	for (;;)
		pause();
}

static void *dies(void *arg)
{
	usleep(2000);
	abort();
}

static void fatal(void)
{
	int status;
	pthread_t t;

	fflush(stdout);
	pid_t p = fork();
	if (!p) {
		pthread_create(&t, 0, sleeps, 0);
		pthread_create(&t, 0, computes, 0);
		pthread_create(&t, 0, dies, 0);
		for (stop = 0;;)
			;
	}
	waitpid(p, &status, 0);
	printf("signalled %d\n", WTERMSIG(status));
}

static atomic_int *shared_count;
static void *counts(void *arg)
{
	for (;;)
		++*shared_count;
}

static void stopping(void)
{
	int status;
	pthread_t t;

	shared_count = aligned_alloc(4096, 4096);
	fflush(stdout);
	int p[2];
	pipe(p);
	pid_t child = fork();
	if (!child) {
		pthread_create(&t, 0, counts, 0);
		pthread_create(&t, 0, counts, 0);
		while (*shared_count < 1000)
			usleep(1000);
		kill(getpid(), SIGSTOP);
		int a = *shared_count;
		write(p[1], "c", 1);
		while (*shared_count == a)
			usleep(1000);
		_exit(7);
	}
	waitpid(child, &status, WUNTRACED);
	printf("stopped %d\n", WIFSTOPPED(status));
	kill(child, SIGCONT);
	waitpid(child, &status, 0);
	printf("then exited %d\n", WEXITSTATUS(status));
}

int main(void)
{
	main_tid = gettid();
	to_one();
	to_any();
	synchronous();
	own_faults();
	restarts();
	own_errors();
	fatal();
	stopping();
	return 0;
}
