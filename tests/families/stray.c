/* SPDX-License-Identifier: MIT
 * Writes to where a mistake might: all over its family's segment, and behind everything by which a program comes back from ExOS.
 * Each word is written what it holds, so that it does no harm where nothing stops it. For tests/system/guard.sh.
 *
 * stray die: one write, with no handler, and status 5. stray scribble: writes where the guard has to allow it. stray shut: calls with all closed, and status 6. stray ADDRESS...: of ExOS's data. Says for each situation how many of the writes were stopped by the protection key, as
 * NAME: STOPPED of ALL; and what the first one's signal says. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/futex.h>

#define MOST 32

static uint64_t data[MOST]; /* ExOS's */
static int ndata;
static __thread sigjmp_buf back;
static __thread volatile int code, key;
static __thread void *volatile at;
static __thread volatile int in_handler;

static void stopped(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	code = info->si_code;
	key = (int)info->si_pkey;
	at = info->si_addr;
	siglongjmp(back, 1);
}

/* Whether a write there is stopped by a key. */
static int poke(uint64_t address)
{
	volatile uint64_t *word = (volatile uint64_t *)address;
	uint64_t value = *word;

	if (sigsetjmp(back, 1))
		return code == SEGV_PKUERR && at == (void *)word && key > 0;
	*word = value;
	return 0;
}

static uint64_t gs_base(void)
{
	uint64_t base;

	__asm__ volatile("rdgsbase %0" : "=r"(base));
	return base;
}

/* What belongs to a thread: its struct, its stack in ExOS, its context's page, its process. */
#define OF_THREAD 4
static void of_thread(uint64_t thread, uint64_t to[OF_THREAD])
{
	const uint64_t *words = (const uint64_t *)thread;

	to[0] = thread + 800;
	to[1] = words[1] - 8192;
	to[2] = words[3] + 200;
	to[3] = words[5] + 4;
}

static uint64_t other[OF_THREAD], another[OF_THREAD]; /* another thread's, another process's */

/* Tries them all, and each twice: the way back from the handler must have closed as well. */
static int tried(void)
{
	uint64_t own[OF_THREAD];
	int n = 0;

	of_thread(gs_base(), own);
	for (int twice = 0; twice < 2; twice++) {
		for (int i = 0; i < OF_THREAD; i++)
			n += poke(own[i]) + (other[i] ? poke(other[i]) : 0) +
			     (another[i] ? poke(another[i]) : 0);
		for (int i = 0; i < ndata; i++)
			n += poke(data[i]);
	}
	return n;
}

static int all(void)
{
	return 2 * (OF_THREAD * (1 + !!other[0] + !!another[0]) + ndata);
}

static void say(const char *name, int n)
{
	char line[100];
	int bytes = snprintf(line, sizeof(line), "%s: %d of %d\n", name, n, all());

	if (write(1, line, (size_t)bytes) != bytes)
		_exit(9);
}

#define AFTER(name, ...)                      \
	do {                                  \
		for (int i = 0; i < 3; i++) { \
			__VA_ARGS__;          \
		}                             \
		say(name, tried());           \
	} while (0)

static volatile sig_atomic_t seen;
static volatile int in_signal;

static void handler(int sig)
{
	(void)sig;
	if (in_signal)
		seen = tried();
	else
		seen++;
}

static void compute(int ms)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < ms);
}

/* The program has no keys of its own. */
static void keys(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int results[8], n = 0;

#define RESULT(...) results[n++] = syscall(__VA_ARGS__) < 0 ? errno : 0
	RESULT(SYS_pkey_alloc, 0, 0);
	RESULT(SYS_pkey_alloc, 1, 0);
	RESULT(SYS_pkey_alloc, 0, 4);
	RESULT(SYS_pkey_free, 1);
	RESULT(SYS_pkey_mprotect, page, 4096, PROT_READ, 1);
	RESULT(SYS_pkey_mprotect, page, 4096, PROT_READ, 0);
	page[0] = 1;
	RESULT(SYS_pkey_mprotect, page, 4096, PROT_READ, -1);
	RESULT(SYS_read, 0, page, 0);
	printf("keys: %d %d %d %d %d %d %d %d, %s\n", results[0], results[1], results[2],
	       results[3], results[4], results[5], results[6], results[7],
	       sigsetjmp(back, 1) ? "read-only" : (page[0] = 2, "writable"));
}

static long bare(long number)
{
	long result;

	__asm__ volatile("syscall\n\tmovl %%ebx, %%ebx"
			 : "=a"(result)
			 : "a"(number)
			 : "rcx", "r11", "memory", "rbx");
	return result;
}

static uint32_t word;

static void calls(void)
{
	struct timespec t, short_time = {0, 3000000};
	int pipes[2];
	char bytes[64] = {0};

	say("at the start", tried());
	AFTER("what a stub answers", syscall(SYS_getpid));
	AFTER("a leaf", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t));
	if (pipe(pipes))
		_exit(8);
	AFTER("quick calls", if (write(pipes[1], bytes, 8) != read(pipes[0], bytes, 8)) _exit(8));
	AFTER("a quick call that fails", syscall(SYS_read, pipes[0], (void *)8, 0));
	AFTER("a call without a lock", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 8));
	AFTER("any call", syscall(SYS_uname, mmap(NULL, 4096, PROT_READ | PROT_WRITE,
						  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
	AFTER("calls by bare instructions", bare(SYS_getuid); bare(SYS_sched_yield); bare(1000));
	AFTER("sleeping", nanosleep(&short_time, NULL));
	AFTER("waiting for a word", syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &short_time));
	AFTER("page faults", char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	      page[5000] = 1; munmap(page, 8192));
	AFTER("ends of slices", compute(40));
}

static void signals(void)
{
	struct itimerval timer = {{0, 5000}, {0, 5000}}, none = {0};
	struct sigaction action = {.sa_handler = handler};

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR2, &action, NULL);
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
	sigaltstack(&stack, NULL);
	AFTER("signals to itself", raise(SIGUSR1); raise(SIGUSR2));
	in_signal = 1;
	raise(SIGUSR1);
	say("in a handler", seen);
	raise(SIGUSR2);
	say("in a handler on its own stack", seen);
	seen = -1;
	setitimer(ITIMER_REAL, &timer, NULL);
	while (seen < 0)
		;
	setitimer(ITIMER_REAL, &none, NULL);
	say("in a handler that interrupted", seen);
	in_signal = 0;
	seen = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
	while (seen < 5)
		;
	say("behind such handlers", tried());
	while (seen < 8)
		if (syscall(SYS_getppid) < 0 ||
		    syscall(SYS_clock_gettime, 1, &(struct timespec){0}))
			_exit(8);
	say("calls under signals", tried());
	setitimer(ITIMER_REAL, &none, NULL);
}

static pthread_barrier_t barrier;
static uint64_t bases[2];

static void *thread(void *name)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	bases[0] = gs_base();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	say(name, tried());
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void threads(void)
{
	pthread_t t;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&t, NULL, thread, "in a thread");
	pthread_barrier_wait(&barrier);
	of_thread(bases[0], other);
	say("beside a thread", tried());
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	pthread_join(t, NULL);
	memset(other, 0, sizeof(other));
	say("behind a thread", tried());
}

static _Noreturn void die(void)
{
	volatile uint64_t *words = (volatile uint64_t *)gs_base();

	signal(SIGSEGV, SIG_DFL);
	words[100] = words[100];
	_exit(5);
}

static void processes(char *self)
{
	int ready[2], go[2], status;
	uint64_t base;
	char byte = 0;

	if (pipe(ready) || pipe(go))
		_exit(8);
	pid_t pid = fork();
	if (!pid) {
		base = gs_base();
		if (write(ready[1], &base, sizeof(base)) != sizeof(base) ||
		    read(go[0], &byte, 1) != 1)
			_exit(8);
		say("in a child", tried());
		_exit(0);
	}
	if (read(ready[0], &base, sizeof(base)) != sizeof(base))
		_exit(8);
	of_thread(base, another);
	say("beside a child", tried());
	memset(another, 0, sizeof(another));
	if (write(go[1], &byte, 1) != 1)
		_exit(8);
	waitpid(pid, &status, 0);
	say("behind a child", tried());
	pid = vfork();
	if (!pid) {
		say("in a vfork's child", tried());
		_exit(0);
	}
	waitpid(pid, &status, 0);
	say("behind a vfork", tried());
	pid = fork();
	if (!pid) {
		execl(self, self, "again", NULL);
		_exit(8);
	}
	waitpid(pid, &status, 0);
	say("behind an exec", tried());
	/* without a handler: the process ends, nobody else */
	pid = fork();
	if (!pid)
		die();
	waitpid(pid, &status, 0);
	printf("without a handler: %s %d\n", WIFSIGNALED(status) ? "signal" : "status",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* Children call without end, while their stashes (libos/exos/guard.h) are scribbled into from another processor: who is hit
 * goes wrong by itself, and nobody else. */
#define STASH 1016
#define HITS 20
static void scribble(void)
{
	uint64_t *volatile *base =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = open("/dev/null", O_RDONLY), hits = 0, status;
	cpu_set_t first, last;
	time_t end = time(NULL) + 10;

	CPU_ZERO(&first);
	CPU_ZERO(&last);
	CPU_SET(0, &first);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &last);
	sched_setaffinity(0, sizeof(first), &first);
	while (hits < HITS && time(NULL) < end) {
		*base = NULL;
		pid_t pid = fork();
		if (!pid) {
			signal(SIGSEGV, SIG_DFL);
			sched_setaffinity(0, sizeof(last), &last);
			lseek(fd, 0, SEEK_CUR);
			*base = (uint64_t *)gs_base();
			for (;;)
				lseek(fd, 0, SEEK_CUR);
		}
		while (!*base)
			sched_yield();
		volatile uint64_t *stash = (volatile uint64_t *)(*base)[STASH / 8];
		for (int i = 0; i < 300000; i++)
			for (int word = 0; word < 3; word++)
				stash[word] = 0x100000;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		hits += !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL;
	}
	printf("scribbled: %s\n", hits ? "some hit" : "nobody hit");
}

/* A call by a stub with nothing writable, three times: the first makes the stub. */
static void shut(void)
{
	for (int i = 0; i < 3; i++) {
		int a = i ? 2 : 0, c = 0, d = 0;

		__asm__ volatile("wrpkru\n\tmovl $1, %%edi\n\tmovl $8, %%eax\n\tsyscall\n\txorl "
				 "%%eax, %%eax\n\t"
				 "xorl %%ecx, %%ecx\n\txorl %%edx, %%edx\n\twrpkru"
				 : "+a"(a), "+c"(c), "+d"(d)
				 :
				 : "rdi", "r11", "memory");
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = stopped, .sa_flags = SA_SIGINFO};

	if (argc > 1 && !strcmp(argv[1], "die"))
		die();
	if (argc > 1 && !strcmp(argv[1], "scribble")) {
		scribble();
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "shut")) {
		shut();
		return 6;
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	sigaction(SIGSEGV, &action, NULL);
	if (argc > 1 && !strcmp(argv[1], "again")) {
		say("behind exec", tried());
		return 0;
	}
	for (int i = 1; i < argc && i < MOST; i++)
		data[ndata++] = strtoul(argv[i], NULL, 16);
	poke(gs_base() + 800);
	printf("the signal's code %d, key %d\n", code, key);
	keys();
	calls();
	signals();
	threads();
	processes(argv[0]);
	return 0;
}
