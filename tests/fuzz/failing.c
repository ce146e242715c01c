/* SPDX-License-Identifier: MIT
 * Allocations that fail, one after the other: for an ExOS that is built so (tests/system/failing.sh), where prctl(FAIL, n) makes
 * the calling thread's n-th allocation from now fail, or all from the n-th on where n is negative, and tells how many were
 * still to come. Each deed is done by a child with the first failing, the second, and so on, until none does. The child must end as it
 * says, by an error that tells of memory, or by the signal of a fault that found none; then the system must be in order.
 * usage: failing [DEED...] */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define FAIL 0x6661696c
#define MOST 400 /* allocations of one deed */

static char big[3 << 20]; /* of a child: it is the largest process */
static int fd[2], other[2];

static long made(long result)
{
	return result < 0 ? -errno : result;
}

#include "../linux/passing.h"
#include "failing_deeds.h"

/* clang-format off */
#define DEEDS(DEED)                                                                                                                     \
	DEED(pipe, pipe(fd))                                                                                                            \
	DEED(socketpair, socketpair(AF_UNIX, SOCK_STREAM, 0, fd)) DEED(                                                                 \
		datagrams,                                                                                                              \
		send(other[1], big, 5000,                                                                                               \
		     MSG_DONTWAIT)) DEED(stream,                                                                                        \
					 send(fd[1], big, 70000,                                                                        \
					      MSG_DONTWAIT)) DEED(bind,                                                                 \
								  bind_some(socket(AF_UNIX,                                             \
										   SOCK_STREAM,                                         \
										   0)))                                                 \
		DEED(connect, connect_some(socket(AF_UNIX, SOCK_STREAM, 0))) DEED(                                                      \
			passing,                                                                                                        \
			passing(fd[1], 0)) DEED(receiving,                                                                              \
						receiving(fd[0])) DEED(fork,                                                            \
								       forking()) DEED(spawn,                                           \
										       spawning())                                      \
			DEED(thread, threading()) DEED(exec, execl("/bin/true", "true", NULL)) DEED(settid, settid()) DEED(                                    \
				open, opening("made",                                                                                   \
					      O_CREAT |                                                                                 \
						      O_RDWR)) DEED(maps, reading("/proc/self/"                                         \
										  "maps")) DEED(status, reading("/proc/self/status"))   \
				DEED(stat, reading("/proc/stat")) DEED(meminfo, reading("/proc/"                                        \
											"meminf"                                        \
											"o")) DEED(fds, listing("/proc/self/fd")) DEED( \
					procs, listing("/proc")) DEED(names,                                                            \
								      listing(".")) DEED(pty,                                           \
											 ptys()) DEED(timer,                            \
												      timing())                         \
					DEED(mqueue, queueing()) DEED(messages, messages()) DEED(                                       \
						semaphores,                                                                             \
						semaphores()) DEED(segments,                                                            \
								   segments()) DEED(locks,                                              \
										    locks(opening("file", O_RDWR)))                     \
						DEED(watching, watching()) DEED(polling, polling()) DEED(mapped, mapped()) DEED(        \
							splitting,                                                                      \
							splitting()) DEED(growing,                                                      \
									  growing()) DEED(stack,                                        \
											  stack())                                      \
							DEED(fifo, fifo()) DEED(splice, spliced()) DEED(                                \
								copies,                                                                 \
								copied()) DEED(signals,                                                 \
									       queued()) DEED(core, crashing())                         \
								DEED(files, files()) DEED(written, written()) DEED(                     \
									dup,                                                            \
									dup2(0, 900)) DEED(eventfd,                                     \
											   eventfd(0, 0))                               \
									DEED(timerfd, timerfd_create(CLOCK_MONOTONIC, 0)) DEED(         \
										memfd,                                                  \
										memfd_create(                                           \
											"m",                                            \
											0)) DEED(pidfd,                                 \
												 syscall(SYS_pidfd_open,                \
													 getpid(),                      \
													 0))                            \
										DEED(itimer,                                            \
										     setitimer(                                         \
											     ITIMER_REAL,                               \
											     &(struct                                   \
											       itimerval){                              \
												     {0,                                \
												      0},                               \
												     {100,                              \
												      0}},                              \
											     NULL)) DEED(cwd,                           \
													 getcwd(big, 4096)              \
														 ? 0                    \
														 : -1)                  \
											DEED(readlink,                                  \
											     readlink(                                  \
												     "/proc/self/exe",                  \
												     big,                               \
												     100))                              \
												DEED(mlock,                             \
												     mlock(big,                         \
													   100000))                     \
													DEED(stat_far,                  \
													     access("/proc/self/fd/0",  \
														    F_OK))

/* clang-format on */
enum {
#define NUMBER(name, call) DO_##name,
	DEEDS(NUMBER) COUNT
};
static const char *const names[] = {
#define NAME(name, call) #name,
	DEEDS(NAME)};

static long deed(int which)
{
	switch (which) {
#define CASE(name, call) \
	case DO_##name:  \
		return call;
		DEEDS(CASE)
	}
	return 0;
}

static _Noreturn void wrong(const char *what)
{
	printf("failing: WRONG: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(99);
}

/* What a deed finds. */
/* Two larger processes, which share their memory since a fork: of the end of one of them nothing comes free. They end with this
 * one. */
static void sharers(void)
{
	int ready[2];
	char c;

	if (pipe(ready))
		wrong("pipe");
	if (!fork()) {
		char *p = mmap(NULL, 2 * sizeof(big), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		memset(p, 1, 2 * sizeof(big));
		if (!fork())
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1 || read(ready[0], &c, 1) != 1)
		wrong("sharers");
	close(ready[0]);
}

static void prepare(int which)
{
	memset(big, 1, sizeof(big));
	if (which == DO_stream || which == DO_passing || which == DO_receiving) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) ||
		    (which == DO_receiving && passing(fd[1], 0) < 0))
			wrong("socketpair");
	} else if (pipe(fd)) {
		wrong("pipe");
	}
	if (which == DO_datagrams ? socketpair(AF_UNIX, SOCK_DGRAM, 0, other) : pipe(other))
		wrong("pipe");
	if (which == DO_connect && bind_some(socket(AF_UNIX, SOCK_STREAM, 0)))
		wrong("bind");
	int f = creat("file", 0600);
	if (write(f, big, 40000) != 40000 || close(f))
		wrong("file");
	if (which == DO_settid)
		sharers();
	if (which == DO_segments || which == DO_signals)
		signal(SIGALRM, SIG_IGN);
}

/* 1: it failed at n, 0: there was nothing to fail any more. */
static int attempt(int which, long n, int *ended)
{
	char dir[] = "/tmp/failing.XXXXXX";
	int status;

	while (waitpid(-1, NULL, WNOHANG) > 0) /* sharers, which are the first process's now */
		;
	if (!mkdtemp(dir))
		wrong("mkdtemp");
	pid_t pid = fork();
	if (pid < 0)
		wrong("fork");
	if (!pid) {
		if (chdir(dir))
			_exit(98);
		prepare(which);
		prctl(FAIL, n);
		errno = 0;
		long result = made(deed(which));
		long left = prctl(FAIL, 0);
		if (n > 0 ? left > 0 : left < 0)
			_exit(0);
		if (result >= 0)
			_exit(1);
		switch (-result) {
		case ENOMEM:
		case EAGAIN:
		case ENFILE:
		case ENOLCK:
		case ENOBUFS:
		case ENOSPC:
			_exit(1);
		}
		printf("failing: WRONG: %s, allocation %ld: %s\n", names[which], n,
		       strerror((int)-result));
		_exit(2);
	}
	if (waitpid(pid, &status, 0) != pid)
		wrong("waitpid");
	char line[200];
	snprintf(line, sizeof(line), "rm -rf %s", dir);
	for (int i = 0; system(line);
	     i++) /* where a fault found no memory, another process may have ended for it */
		if (i == 5)
			wrong("rm");
	mq_unlink("/q");
	*ended = status;
	if (WIFSIGNALED(status)) /* a fault, or a program that was half there */
		return WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS ||
				       WTERMSIG(status) == SIGSEGV ||
				       (which == DO_timer && WTERMSIG(status) == SIGALRM)
			       ? 1
			       : 2;
	return which == DO_exec ? WEXITSTATUS(status) != 0 : WEXITSTATUS(status);
}

static long memory_free(void)
{
	char text[4096] = "";
	long kib = -1;
	int f = open("/proc/meminfo", O_RDONLY);

	if (f < 0 || read(f, text, sizeof(text) - 1) <= 0)
		wrong("/proc/meminfo");
	close(f);
	sscanf(strstr(text, "MemFree:"), "MemFree: %ld", &kib);
	return kib;
}

static void sweep(int which)
{
	int ended, result;
	long n = 1, total = 0, before = memory_free();

	for (; n < MOST; n++, total++) {
		result = attempt(which, n, &ended);
		if (result > 1)
			printf("failing: WRONG: %s, allocation %ld: ended %x\n", names[which], n,
			       ended);
		if (!result &&
		    (which != DO_exec || n > 40)) /* what exec lived through is not told */
			break;
	}
	for (long from = 1; from <= total; from += 1 + from / 4) {
		result = attempt(which, -from, &ended);
		if (result > 1)
			printf("failing: WRONG: %s, from allocation %ld on: ended %x\n",
			       names[which], from, ended);
	}
	printf("failing: %s: %ld allocations, %ld KiB\n", names[which], total,
	       before - memory_free());
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	for (int which = 0; which < COUNT; which++) {
		int asked = argc < 2;
		for (int i = 1; i < argc; i++)
			asked |= !strcmp(argv[i], names[which]);
		if (asked)
			sweep(which);
	}
	puts("failing: well, to its end");
	return 0;
}
