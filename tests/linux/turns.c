/* SPDX-License-Identifier: MIT
 * Who takes turns holds up nobody, and nobody sleeps through a wake-up. Compared with the host's. */
// smp: 1 4
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 4, ROUNDS = 1000, UNITS = 25, NAPS = 20, LEAST = 20 };

struct shared {
	atomic_int over, done[4];
	atomic_long rounds[4];
	atomic_int word[PAIRS];
} * shared;

static void check(const char *what, int holds)
{
	printf("%s: %s\n", what, holds ? "yes" : "no");
}

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static long futex(void *word, int op, int value)
{
	return syscall(SYS_futex, word, op, value, 0, 0, 0);
}

/* --- four ways to take turns: side 0 begins. 0: it is over. */

struct pair {
	int kind, to[2], from[2];
	atomic_int *word;
	int flag;
};

static int pair_open(struct pair *p, int kind)
{
	p->kind = kind;
	switch (kind) {
	case 0:
		return pipe(p->to) || pipe(p->from);
	case 1:
		return socketpair(AF_UNIX, SOCK_STREAM, 0, p->to);
	case 2:
		p->to[0] = eventfd(0, 0), p->from[0] = eventfd(0, 0);
		return p->to[0] < 0 || p->from[0] < 0;
	default:
		return 0;
	}
}

static int give(struct pair *p, int side)
{
	unsigned long one = 1;

	if (p->kind == 3) {
		atomic_store(p->word, !side);
		return futex(p->word, FUTEX_WAKE | p->flag, 1) >= 0;
	}
	if (p->kind == 2)
		return write(side ? p->from[0] : p->to[0], &one, 8) == 8;
	if (p->kind == 1)
		return write(p->to[side], &one, 1) == 1;
	return write(side ? p->from[1] : p->to[1], &one, 1) == 1;
}

static int take(struct pair *p, int side)
{
	unsigned long got;

	if (p->kind == 3) {
		while (atomic_load(p->word) != side)
			if (futex(p->word, FUTEX_WAIT | p->flag, !side) && errno != EAGAIN &&
			    errno != EINTR)
				return 0;
		return 1;
	}
	if (p->kind == 2)
		return read(side ? p->to[0] : p->from[0], &got, 8) == 8;
	if (p->kind == 1)
		return read(p->to[side], &got, 1) == 1;
	return read(side ? p->to[0] : p->from[0], &got, 1) == 1;
}

static int plays(struct pair *p, int side, long rounds)
{
	for (long i = 0; i < rounds; i++)
		if (side ? !(take(p, 1) && give(p, 1)) : !(give(p, 0) && take(p, 0)))
			return 1;
	return 0;
}

/* --- fairness: all on one processor */

static pid_t child(void (*run)(int), int arg)
{
	pid_t pid = fork();

	if (!pid) {
		run(arg);
		_exit(0);
	}
	return pid;
}

static volatile unsigned long sink;

static void unit(void)
{
	for (int i = 0; i < 400000; i++)
		sink += i;
}

static void computes(int at)
{
	for (int i = 0; i < UNITS; i++)
		unit();
	atomic_store(&shared->done[at], 1);
}

static void naps(int at)
{
	struct timespec ms = {0, 1000000};

	for (int i = 0; i < NAPS; i++)
		nanosleep(&ms, 0);
	atomic_store(&shared->done[at], 1);
}

static struct pair playing;

/* For ever: it is killed. */
static void side_one(int arg)
{
	(void)arg;
	plays(&playing, 1, 1L << 40);
}

static void side_zero(int at)
{
	while (!atomic_load(&shared->over) && !plays(&playing, 0, 1))
		atomic_fetch_add(&shared->rounds[at], 1);
}

static void yields(int at)
{
	while (!atomic_load(&shared->over)) {
		sched_yield();
		atomic_fetch_add(&shared->rounds[at], 1);
	}
}

/* A pair that plays without pause beside one that computes, one that sleeps and one that yields. */
static void fairness(int kind)
{
	pid_t pid[5];
	int status;

	*shared = (struct shared){.over = 0};
	playing = (struct pair){.word = &shared->word[0]};
	if (pair_open(&playing, kind))
		_exit(3);
	pid[0] = child(side_one, 0);
	pid[1] = child(side_zero, 0);
	pid[2] = child(yields, 1);
	pid[3] = child(computes, 0);
	pid[4] = child(naps, 1);
	waitpid(pid[3], &status, 0);
	waitpid(pid[4], &status, 0);
	/* both were there while the other computed */
	for (int i = 0; i < 10000 && (shared->rounds[0] < LEAST || shared->rounds[1] < LEAST); i++)
		usleep(1000);
	printf("way %d\n", kind);
	check("  who computes came to its end", shared->done[0]);
	check("  who sleeps came to its end", shared->done[1]);
	check("  the pair went on", shared->rounds[0] >= LEAST);
	check("  who yields went on", shared->rounds[1] >= LEAST);
	atomic_store(&shared->over, 1);
	kill(pid[0], SIGKILL);
	kill(pid[1], SIGKILL);
	for (int i = 0; i < 3; i++)
		waitpid(pid[i], &status, 0);
	for (int i = 0; i < 2 && kind < 3; i++) {
		close(playing.to[i]);
		if (kind == 0 || (kind == 2 && !i))
			close(playing.from[i]);
	}
}

/* --- wake-ups: many pairs on all processors, of processes and of threads */

static struct pair pairs[PAIRS * 4];
static atomic_int words[PAIRS * 4];

static void *thread_side(void *arg)
{
	long at = (long)arg;

	return (void *)(long)plays(&pairs[at / 2], at & 1, ROUNDS);
}

static void by_threads(void)
{
	pthread_t thread[PAIRS * 8];
	void *result;
	int failed = 0;

	for (int i = 0; i < PAIRS * 4; i++) {
		pairs[i] = (struct pair){.word = &words[i], .flag = FUTEX_PRIVATE_FLAG};
		failed += pair_open(&pairs[i], i & 3) != 0;
	}
	for (long i = 0; i < PAIRS * 8; i++)
		failed += pthread_create(&thread[i], 0, thread_side, (void *)i) != 0;
	for (int i = 0; i < PAIRS * 8; i++)
		failed += pthread_join(thread[i], &result) || result;
	check("pairs of threads all end", !failed);
}

static void by_processes(void)
{
	int status, failed = 0;

	for (int i = 0; i < PAIRS; i++) {
		pairs[i] = (struct pair){.word = &shared->word[i]};
		atomic_store(&shared->word[i], 0);
		failed += pair_open(&pairs[i], i & 3) != 0;
		for (int side = 0; side < 2; side++)
			if (!fork())
				_exit(plays(&pairs[i], side, ROUNDS));
	}
	for (int i = 0; i < PAIRS * 2; i++)
		failed += wait(&status) < 0 || status;
	check("pairs of processes all end", !failed);
}

/* Signals end sleeps of calls, and the calls begin anew: nothing is lost and nothing comes twice. */
static atomic_int alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

static void interrupted(void)
{
	struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct timespec pause = {0, 300000};
	int ends[2], sum = 0, failed = 0;
	unsigned char byte;
	pid_t reader = getpid();

	sigaction(SIGUSR1, &act, 0);
	failed += pipe(ends) != 0;
	pid_t writer = fork();

	if (!writer) {
		for (int i = 0; i < 100; i++) {
			byte = i;
			kill(reader, SIGUSR1);
			nanosleep(&pause, 0);
			kill(reader, SIGUSR1);
			failed += write(ends[1], &byte, 1) != 1;
		}
		_exit(failed);
	}
	close(ends[1]);
	for (long n; (n = read(ends[0], &byte, 1)); sum += byte)
		failed += n != 1;
	waitpid(writer, 0, 0);
	check("interrupted reads begin anew", !failed && sum == 4950 && alarms > 0);
}

int main(void)
{
	shared =
		mmap(0, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	setvbuf(stdout, 0, _IONBF, 0);
	by_threads();
	by_processes();
	interrupted();
	pin();
	for (int kind = 0; kind < 4; kind++)
		fairness(kind);
	return 0;
}
