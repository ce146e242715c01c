/* SPDX-License-Identifier: MIT
 * Two who take turns, and processes and threads that begin and end. */
#define _GNU_SOURCE
#include "unix.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Round trips of `bytes` bytes with a process that sends back what it reads: it reads in[0], writes in[1]. */
static s64 round_trips(u64 n, const int here[2], const int there[2], u64 bytes)
{
	u64 buffer[1] = {1};
	pid_t child = fork();

	if (!child) {
		while (CALL(SYS_read, there[0], buffer, bytes) == (long)bytes)
			CALL(SYS_write, there[1], buffer, bytes);
		_exit(0);
	}
	if (child < 0)
		return -errno;
	/* the first one is not counted: until then the other has not run */
	CALL(SYS_write, here[1], buffer, bytes);
	CALL(SYS_read, here[0], buffer, bytes);
	s64 took = BENCH_LOOP(n, {
		MUST(CALL(SYS_write, here[1], buffer, bytes));
		MUST(CALL(SYS_read, here[0], buffer, bytes));
	});

	kill(child, SIGKILL);
	waitpid(child, 0, 0);
	return took;
}

static s64 pipe_rt(u64 n)
{
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		return -errno;
	s64 took = round_trips(n, (int[]){from[0], to[1]}, (int[]){to[0], from[1]}, 1);

	close(to[0]), close(to[1]), close(from[0]), close(from[1]);
	return took;
}

static s64 socket_rt(u64 n, int type)
{
	int ends[2];

	if (socketpair(AF_UNIX, type, 0, ends))
		return -errno;
	s64 took = round_trips(n, (int[]){ends[0], ends[0]}, (int[]){ends[1], ends[1]}, 1);

	close(ends[0]), close(ends[1]);
	return took;
}

static s64 unix_stream_rt(u64 n)
{
	return socket_rt(n, SOCK_STREAM);
}

static s64 unix_dgram_rt(u64 n)
{
	return socket_rt(n, SOCK_DGRAM);
}

static s64 eventfd_rt(u64 n)
{
	int to = eventfd(0, 0), from = eventfd(0, 0);

	if (to < 0 || from < 0)
		return -errno;
	s64 took = round_trips(n, (int[]){from, to}, (int[]){to, from}, 8);

	close(to), close(from);
	return took;
}

static s64 pipe_self(u64 n)
{
	int ends[2];
	char byte = 1;

	if (pipe(ends))
		return -errno;
	s64 took = BENCH_LOOP(n, {
		MUST(CALL(SYS_write, ends[1], &byte, 1));
		MUST(CALL(SYS_read, ends[0], &byte, 1));
	});

	close(ends[0]), close(ends[1]);
	return took;
}

/* --- futexes: the word says whose turn it is */

struct turns {
	int word;
	u64 rounds;
	int flag;
};

static void turn(struct turns *t, int mine)
{
	while (__atomic_load_n(&t->word, __ATOMIC_ACQUIRE) != mine)
		CALL(SYS_futex, &t->word, FUTEX_WAIT | t->flag, !mine, 0);
}

static void pass(struct turns *t, int mine)
{
	__atomic_store_n(&t->word, !mine, __ATOMIC_RELEASE);
	CALL(SYS_futex, &t->word, FUTEX_WAKE | t->flag, 1);
}

static void *other_side(void *at)
{
	struct turns *t = at;

	for (u64 i = 0; i < t->rounds; i++) {
		turn(t, 1);
		pass(t, 1);
	}
	return 0;
}

static s64 this_side(struct turns *t, u64 n)
{
	pass(t, 0);
	turn(t, 0);
	return BENCH_LOOP(n, {
		pass(t, 0);
		turn(t, 0);
	});
}

static s64 futex_2proc(u64 n)
{
	struct turns *t = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (t == MAP_FAILED)
		return -errno;
	t->rounds = n + 1;
	pid_t child = fork();

	if (!child) {
		other_side(t);
		_exit(0);
	}
	if (child < 0)
		return -errno;
	s64 took = this_side(t, n);

	waitpid(child, 0, 0);
	munmap(t, PAGE);
	return took;
}

static s64 futex_2thread(u64 n)
{
	struct turns t = {.rounds = n + 1, .flag = FUTEX_PRIVATE_FLAG};
	pthread_t thread;
	int error = pthread_create(&thread, 0, other_side, &t);

	if (error)
		return -error;
	s64 took = this_side(&t, n);

	pthread_join(thread, 0);
	return took;
}

/* Two who only yield: half of what a call takes, which is a switch where each of them goes to the other; CFS often stays. */
static s64 yields(u64 n)
{
	volatile u64 *over =
		mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (over == MAP_FAILED)
		return -errno;
	pid_t child = fork();

	if (!child) {
		while (!*over)
			CALL(SYS_sched_yield);
		_exit(0);
	}
	if (child < 0)
		return -errno;
	for (int i = 0; i < 8; i++)
		sched_yield();
	s64 took = BENCH_LOOP(n / 2, MUST(CALL(SYS_sched_yield)));

	*over = 1;
	waitpid(child, 0, 0);
	munmap((void *)over, PAGE);
	return took;
}

static s64 yield_switch(u64 n)
{
	return yields(n);
}

/* Both in the class of real time, where each call does switch. */
static s64 yield_switch_fifo(u64 n)
{
	struct sched_param one = {.sched_priority = 1};

	if (sched_setscheduler(0, SCHED_FIFO, &one))
		return -errno;
	return yields(n);
}

/* --- beginnings and ends */

static void *nothing(void *given)
{
	return given;
}

static s64 thread_create_join(u64 n)
{
	return BENCH_LOOP(n, {
		pthread_t thread;
		int error = pthread_create(&thread, 0, nothing, 0);
		if (error || (error = pthread_join(thread, 0)))
			return -error;
	});
}

static long fork_(void)
{
	return CALL(SYS_fork);
}

/* The child's status must be 0. */
static long ended(long child)
{
	int status = -1;

	return CALL(SYS_wait4, child, &status, 0, 0) == child && !status ? 0 : -EPROTO;
}

static s64 fork_exit_wait(u64 n)
{
	return BENCH_LOOP(n, {
		long child = fork_();
		if (!child)
			CALL(SYS_exit_group, 0);
		if (child < 0)
			return child;
		MUST(ended(child));
	});
}

/* By itself: what returns twice keeps no loop of the compiler's. */
static __attribute__((noinline)) long vfork_exit(void)
{
	pid_t child = vfork();

	if (!child)
		_exit(0);
	return child < 0 ? -errno : child;
}

static s64 vfork_exit_wait(u64 n)
{
	return BENCH_LOOP(n, {
		long child = vfork_exit();
		if (child < 0)
			return child;
		MUST(ended(child));
	});
}

extern char **environ;

static s64 fork_exec_wait(u64 n)
{
	char *words[] = {(char *)bench_self, "--exit", 0};

	return BENCH_LOOP(n, {
		long child = fork_();
		if (!child) {
			CALL(SYS_execve, bench_self, words, environ);
			CALL(SYS_exit_group, 127);
		}
		if (child < 0)
			return child;
		MUST(ended(child));
	});
}

static __attribute__((noinline)) long vfork_exec(char **words)
{
	pid_t child = vfork();

	if (!child) {
		CALL(SYS_execve, bench_self, words, environ);
		_exit(127);
	}
	return child < 0 ? -errno : child;
}

static s64 vfork_exec_wait(u64 n)
{
	char *words[] = {(char *)bench_self, "--exit", 0};

	return BENCH_LOOP(n, {
		long child = vfork_exec(words);
		if (child < 0)
			return child;
		MUST(ended(child));
	});
}

static s64 posix_spawn_wait(u64 n)
{
	char *words[] = {(char *)bench_self, "--exit", 0};

	return BENCH_LOOP(n, {
		pid_t child;
		int error = posix_spawn(&child, bench_self, 0, 0, words, environ);
		if (error)
			return -error;
		MUST(ended(child));
	});
}

/* A shell that starts 200 programs, one after the other. */
static s64 sh_200(u64 n)
{
	char *words[] = {"busybox", "sh", "-c",
			 "i=0; while [ $i -lt 200 ]; do /bin/busybox true; i=$((i + 1)); done", 0};
	char *none[] = {0};

	return BENCH_LOOP(n, {
		pid_t child;
		int error = posix_spawn(&child, "/bin/busybox", 0, 0, words, none);
		if (error)
			return -error;
		MUST(ended(child));
	});
}

/* Where gcc is, which is not so in each guest: bench/guests.py. */
static s64 c_compile(u64 n)
{
	char *words[] = {"gcc", "-O2", "-o", "/tmp/compiled", "/src/program.c", 0};
	char *variables[] = {"PATH=/usr/bin:/bin", 0};
	int status = 0;

	if (access("/usr/bin/gcc", X_OK))
		return -errno;
	s64 took = BENCH_LOOP(n, {
		pid_t child;
		int error = posix_spawn(&child, "/usr/bin/gcc", 0, 0, words, variables);
		if (error)
			return -error;
		if (waitpid(child, &status, 0) != child)
			return -errno;
	});
	return status || access("/tmp/compiled", X_OK) ? -EPROTO : took;
}

const struct metric metrics_processes[] = {
	{"pipe_write_read_self", pipe_self, 200, 21, "write a byte to a pipe, read it"},
	{"pipe_rt", pipe_rt, 100, 21, "a byte to another process and back, two pipes"},
	{"unix_stream_rt", unix_stream_rt, 100, 21, "the same, a stream socket"},
	{"unix_dgram_rt", unix_dgram_rt, 100, 21, "the same, a datagram socket"},
	{"eventfd_rt", eventfd_rt, 100, 21, "the same, two eventfds"},
	{"futex_rt_2proc", futex_2proc, 100, 21, "futex, there and back, two processes"},
	{"futex_rt_2thread", futex_2thread, 100, 21, "futex, there and back, two threads"},
	{"yield_switch_cfs", yield_switch, 200, 21,
	 "sched_yield beside another that yields, halved (CFS need not switch)"},
	{"yield_switch_fifo", yield_switch_fifo, 200, 21,
	 "the same under SCHED_FIFO, where each call switches"},
	{"thread_create_join", thread_create_join, 20, 21, "make a thread, wait for its end"},
	{"fork_exit_wait", fork_exit_wait, 10, 21, "fork, exit, wait"},
	{"vfork_exit_wait", vfork_exit_wait, 10, 21, "vfork, exit, wait"},
	{"fork_exec_wait", fork_exec_wait, 5, 11, "fork, exec of this program, wait"},
	{"vfork_exec_wait", vfork_exec_wait, 5, 11, "vfork, exec of this program, wait"},
	{"posix_spawn_wait", posix_spawn_wait, 5, 11, "posix_spawn of this program, wait"},
	{"c_compile", c_compile, 1, 1, "gcc -O2 of a file of 80 lines, with assembler and linker"},
	{"sh_200", sh_200, 1, 1, "a shell that starts 200 programs"},
	{0},
};
