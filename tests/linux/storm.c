/* SPDX-License-Identifier: MIT
 * Forks, pipes, signals and timers, all at once in several processes: every byte, signal and
 * status is checked where it arrives, in whatever order all of it ran. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 4
#define ROUNDS 12
#define CHAIN 3
#define BYTES 150000u /* more than two pipes hold */
#define KICKS 40

static volatile sig_atomic_t alarms, kicks, children;

static void count(int sig)
{
	if (sig == SIGALRM)
		alarms++;
	else if (sig == SIGUSR1)
		kicks++;
	else
		children++;
}

static void must(int ok, const char *what)
{
	if (ok)
		return;
	printf("storm: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static void write_all(int fd, const unsigned char *from, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, from, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		must(n > 0, "write");
		from += n;
		bytes -= (size_t)n;
	}
}

static ssize_t read_some(int fd, unsigned char *to, size_t bytes)
{
	ssize_t n;

	do
		n = read(fd, to, bytes);
	while (n < 0 && errno == EINTR);
	must(n >= 0, "read");
	return n;
}

/* Adds one to each byte on its way from one pipe to the next. */
static void relay(int from, int to)
{
	unsigned char buffer[3000];
	ssize_t n;

	while ((n = read_some(from, buffer, sizeof(buffer)))) {
		for (ssize_t i = 0; i < n; i++)
			buffer[i]++;
		write_all(to, buffer, (size_t)n);
	}
	_exit(0);
}

static void source(int to, unsigned seed)
{
	unsigned char buffer[1777];

	for (unsigned at = 0; at < BYTES;) {
		unsigned n = BYTES - at < sizeof(buffer) ? BYTES - at : sizeof(buffer);

		for (unsigned i = 0; i < n; i++)
			buffer[i] = (unsigned char)((at + i) * 7 + seed);
		write_all(to, buffer, n);
		at += n;
	}
	_exit(0);
}

/* A child whose output is the pipe that comes back; from: what it reads, closed here. 0: a source. */
static int stage(int from, unsigned seed)
{
	int p[2];

	must(!pipe(p), "pipe");
	pid_t pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		close(p[0]);
		if (from)
			relay(from, p[1]);
		source(p[1], seed);
	}
	close(p[1]);
	if (from)
		close(from);
	return p[0];
}

static void reap(int n)
{
	while (n--) {
		int status;
		pid_t pid;

		do
			pid = wait(&status);
		while (pid < 0 && errno == EINTR);
		must(pid > 0 && !status, "wait");
	}
}

/* Bytes through a source and a chain of relays, under the timer's signals: wrong ones. */
static unsigned pipeline(unsigned seed)
{
	unsigned char buffer[4096];
	unsigned at = 0, wrong = 0;
	int fd = stage(0, seed);
	ssize_t n;

	for (int i = 0; i < CHAIN; i++)
		fd = stage(fd, 0);
	while ((n = read_some(fd, buffer, sizeof(buffer))))
		for (ssize_t i = 0; i < n; i++, at++)
			wrong += buffer[i] != (unsigned char)(at * 7 + seed + CHAIN);
	close(fd);
	reap(CHAIN + 1);
	return wrong + (at != BYTES);
}

/* A child and its parent kick each other in turn, each asleep until the other does. */
static void kick_each_other(void)
{
	sigset_t block, old;

	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigdelset(&old, SIGUSR1);
	kicks = 0;
	pid_t parent = getpid(), pid = fork();
	must(pid >= 0, "fork");
	for (int i = 1; i <= KICKS; i++) {
		if (!pid)
			kill(parent, SIGUSR1);
		while (kicks < i)
			sigsuspend(&old);
		if (pid)
			kill(pid, SIGUSR1);
	}
	if (!pid)
		_exit(0);
	reap(1);
}

/* Short lives, ended by themselves or by a signal while they compute or sleep. */
static void short_lives(void)
{
	for (int i = 0; i < 8; i++) {
		int status;
		pid_t pid = fork();

		must(pid >= 0, "fork");
		if (!pid && i % 4 == 0)
			for (volatile unsigned long n = 0;; n++)
				;
		if (!pid && i % 4 == 1)
			for (;;)
				pause();
		if (!pid && i % 4 == 2)
			poll(NULL, 0, 1);
		if (!pid)
			_exit(i);
		if (i % 4 < 2)
			must(!kill(pid, SIGKILL), "kill");
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		must(status == (i % 4 < 2 ? SIGKILL : i << 8), "status");
	}
}

static void worker(unsigned number)
{
	struct itimerval every = {{0, 1500}, {0, 1500}}, none = {{0, 0}, {0, 0}};
	unsigned wrong = 0;

	setitimer(ITIMER_REAL, &every, NULL);
	for (unsigned round = 0; round < ROUNDS; round++) {
		wrong += pipeline(number * ROUNDS + round);
		kick_each_other();
		short_lives();
	}
	while (!alarms)
		pause();
	setitimer(ITIMER_REAL, &none, NULL);
	must(!wrong, "bytes changed on their way");
	_exit(0);
}

int main(void)
{
	struct sigaction action = {.sa_handler = count};

	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGCHLD, &action, NULL);
	for (unsigned i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		must(pid >= 0, "fork");
		if (!pid)
			worker(i);
	}
	reap(WORKERS);
	printf("%d workers, %d rounds each: nothing lost; SIGCHLD came: %s\n", WORKERS, ROUNDS,
	       children ? "yes" : "no");
	return 0;
}
