/* SPDX-License-Identifier: MIT
 * Pipes, poll and select as a program sees them: each call's result and error is printed, and compared with
 * the host's. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utime.h>

#include "say.h"

static char b[200000];
static struct stat s;
static struct pollfd pf[3];
static fd_set r, w;
static int f, n, r1, w1, p[2];

static void h(int sig)
{
	printf("signal %d\n", sig);
}

static void pipes(void)
{
	T(pipe(p));
	T(pipe((int *)8));
	T(syscall(SYS_pipe2, p, 0x1234));
	T(lseek(p[0], 0, SEEK_CUR));
	T(pread(p[0], b, 1, 0));
	T(write(p[0], b, 1));
	T(read(p[1], b, 1));
	T(fcntl(p[1], F_GETPIPE_SZ));
	T(fcntl(p[0], F_SETFL, O_NONBLOCK));
	T(fcntl(p[1], F_SETFL, O_NONBLOCK));
	T(read(p[0], b, 10));
	T(write(p[1], b, 200000));
	T(write(p[1], b, 1));
	T(ioctl(p[0], FIONREAD, &n));
	printf("%d\n", n);
	T(read(p[0], b, 4095));
	T(write(p[1], b, 4096));
	T(read(p[0], b, 1));
	T(write(p[1], b, 4096));
	T(fcntl(p[1], F_SETPIPE_SZ, 4096));
	T(fcntl(p[1], F_SETPIPE_SZ, 100000));
	T(fcntl(p[1], F_SETPIPE_SZ, 1 << 30));
	T(fstat(p[0], &s));
	printf("%o %ld\n", s.st_mode, s.st_size);
	pf[0] = (struct pollfd){p[0], POLLIN | POLLOUT, 0};
	pf[1] = (struct pollfd){p[1], POLLOUT | POLLIN, 0};
	pf[2] = (struct pollfd){-3, POLLIN, 7};
	T(poll(pf, 3, 0));
	printf("%x %x %x\n", pf[0].revents, pf[1].revents, pf[2].revents);
	while (read(p[0], b, sizeof b) > 0)
		;
	T(poll(pf, 2, 0));
	printf("%x %x\n", pf[0].revents, pf[1].revents);
	T(poll(pf, 1, 50));
	T(close(p[0]));
	T(write(p[1], b, 1));
	T(poll(pf + 1, 1, 0));
	printf("%x\n", pf[1].revents);
	pf[0].fd = 999;
	T(poll(pf, 1, 0));
	printf("%x\n", pf[0].revents);
	T(close(p[1]));
	T(pipe(p));
	T(close(p[1]));
	T(read(p[0], b, 1));
	pf[0].fd = p[0];
	T(poll(pf, 1, -1));
	printf("%x\n", pf[0].revents);
	T(write(p[1], b, 0));
	T(poll((void *)8, 1, 0));
	T(poll(pf, -1, 0));
}

static void selecting(void)
{
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(f, &w);
	struct timeval tv = {0, 1000};
	T(select(60, &r, &w, 0, &tv));
	printf("%d %d\n", FD_ISSET(p[0], &r) != 0, FD_ISSET(f, &w) != 0);
	FD_SET(400, &r);
	T(select(500, &r, 0, 0, &tv));
	T(select(-1, 0, 0, 0, &tv));
	tv.tv_sec = -1;
	T(select(0, 0, 0, 0, &tv));
	tv.tv_sec = 0;
	tv.tv_usec = 3000;
	T(select(0, 0, 0, 0, &tv));
	T(close(p[0]));
}

static void fifos(void)
{
	T(mkfifo("ff", 0644));
	T(mkfifo("ff", 0644));
	T(open("ff", O_WRONLY | O_NONBLOCK));
	T(r1 = open("ff", O_RDONLY | O_NONBLOCK));
	T(read(r1, b, 1));
	T(w1 = open("ff", O_WRONLY));
	T(write(w1, "abc", 3));
	T(read(r1, b, 10));
	T(read(r1, b, 10));
	pf[0].fd = r1;
	T(poll(pf, 1, 0));
	T(close(w1));
	T(read(r1, b, 1));
	T(poll(pf, 1, 0));
	printf("%x\n", pf[0].revents);
	T(lseek(r1, 0, 0));
	T(stat("ff", &s));
	printf("%o\n", s.st_mode);
}

static void limits(void)
{
	if (!fork()) {
		struct rlimit_ {
			long a, b;
		} rl = {10, 10};
		syscall(SYS_setrlimit, 7, &rl);
		T(open("a", O_RDONLY));
		T(dup2(0, 10));
		T(dup(0));
		T(pipe(p));
		exit(0);
	}
	wait(0);
}

static void waiting(void)
{
	T(pipe(p));
	if (!fork()) {
		close(p[0]);
		usleep(50000);
		write(p[1], "late", 4);
		usleep(50000);
		_exit(0);
	}
	close(p[1]);
	pf[0].fd = p[0];
	pf[0].events = POLLIN;
	T(poll(pf, 1, 5000));
	printf("%x\n", pf[0].revents);
	T(read(p[0], b, 10));
	T(read(p[0], b, 10));
	wait(0);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	alarms += sig == SIGALRM;
}

/* As T, interrupted by alarms: again and again, so that one that comes before the call blocks is not the last. */
#define INTERRUPTED(call)                                                                       \
	do {                                                                                    \
		struct itimerval every = {{0, 30000}, {0, 30000}}, off = {{0, 0}, {0, 0}};      \
		alarms = 0;                                                                     \
		setitimer(ITIMER_REAL, &every, 0);                                              \
		errno = 0;                                                                      \
		long result = (long)(call);                                                     \
		int error = errno;                                                              \
		setitimer(ITIMER_REAL, &off, 0);                                                \
		printf("%s = %ld %s, %s\n", #call, result, result == -1 ? strerror(error) : "", \
		       alarms ? "signals" : "none");                                            \
	} while (0)

static void interrupted(void)
{
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval it = {{0, 0}, {0, 30000}};
	sigaction(SIGALRM, &sa, 0);
	T(pipe(p));
	pf[0].fd = p[0];
	INTERRUPTED(poll(pf, 1, -1));
	sa.sa_flags = 0;
	sigaction(SIGALRM, &sa, 0);
	INTERRUPTED(read(p[0], b, 1));
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	INTERRUPTED(select(p[0] + 1, &r, 0, 0, 0));
	memset(b, 1, sizeof b);
	INTERRUPTED(write(p[1], b, 100000));
	sa.sa_handler = h;
	sigaction(SIGALRM, &sa, 0);
	sigset_t ms, old;
	sigemptyset(&ms);
	sigaddset(&ms, SIGALRM);
	sigprocmask(SIG_BLOCK, &ms, &old);
	setitimer(ITIMER_REAL, &it, 0);
	T(read(p[0], b, sizeof b));
	struct timespec pt = {2, 0};
	sigemptyset(&ms);
	pf[0].events = POLLIN;
	T(ppoll(pf, 1, &pt, &ms));
	sigprocmask(0, 0, &ms);
	printf("%d\n", sigismember(&ms, SIGALRM));
	pt.tv_sec = 0;
	pt.tv_nsec = 1000000;
	T(ppoll(pf, 1, &pt, NULL));
	pt.tv_nsec = -1;
	T(ppoll(pf, 1, &pt, NULL));
	T(pselect(0, 0, 0, 0, &(struct timespec){0, 1000}, &old));
}

int main(void)
{
	close_range(3, 1000, 0);
	setvbuf(stdout, NULL, _IONBF, 0);
	signal(SIGPIPE, h);
	umask(022);
	system("rm -rf /tmp/pipes_test; mkdir /tmp/pipes_test");
	T(chdir("/tmp/pipes_test"));
	T(f = open("a", O_RDWR | O_CREAT, 0666));
	pipes();
	selecting();
	fifos();
	limits();
	waiting();
	interrupted();
	return 0;
}
