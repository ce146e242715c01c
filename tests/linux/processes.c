/* SPDX-License-Identifier: MIT
 * fork, vfork, exec, wait, groups, pipes between many processes; printed, and compared with the host's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int value = 1;

static void copies(void)
{
	int fd[2], status, local = 5;
	char line[32] = "";

	pipe(fd);
	if (!fork()) {
		value = 2;
		local = 6;
		write(fd[1], "from the child", 14);
		_exit(9);
	}
	wait(&status);
	read(fd[0], line, sizeof line);
	printf("%s; exit %d; mine are %d %d\n", line, WEXITSTATUS(status), value, local);
	pid_t p = vfork();
	if (!p) {
		execl("/proc/self/exe", "processes", "child", (char *)0);
		_exit(1);
	}
	waitpid(p, &status, 0);
	printf("vforked and executed: %d\n", WEXITSTATUS(status));
	p = vfork();
	if (!p) {
		execl("/no/such/file", "x", (char *)0);
		_exit(errno);
	}
	waitpid(p, &status, 0);
	printf("exec of nothing: %d\n", WEXITSTATUS(status));
	close(fd[0]);
	close(fd[1]);
}

static void chain(void)
{
	int first[2], in, status;
	long sum = 0;
	int n;

	pipe(first);
	in = first[0];
	for (int i = 0; i < 10; i++) { /* ten processes in a row, each adds one to every number */
		int next[2];

		pipe(next);
		if (!fork()) {
			close(next[0]);
			close(first[1]);
			while (read(in, &n, sizeof n) == sizeof n) {
				n++;
				write(next[1], &n, sizeof n);
			}
			_exit(0);
		}
		close(in);
		close(next[1]);
		in = next[0];
	}
	if (!fork()) {
		for (n = 0; n < 1000; n++)
			write(first[1], &n, sizeof n);
		_exit(0);
	}
	close(first[1]);
	while (read(in, &n, sizeof n) == sizeof n)
		sum += n;
	printf("sum through the chain %ld\n", sum);
	for (n = 0; wait(&status) > 0; n++)
		if (status)
			printf("status %d\n", status);
	printf("children %d\n", n);
}

static void many(void)
{
	int ok = 0, status;

	for (int i = 0; i < 100; i++) {
		pid_t p = fork();

		if (!p)
			_exit(i % 7);
		waitpid(p, &status, 0);
		ok += WEXITSTATUS(status) == i % 7;
	}
	printf("short ones %d\n", ok);
	pid_t all[20];
	for (int i = 0; i < 20; i++)
		if (!(all[i] = fork())) {
			volatile long x = 0;
			for (long k = 0; k < 300000; k++)
				x += k;
			_exit(x == 44999850000);
		}
	ok = 0;
	for (int i = 19; i >= 0; i--) {
		waitpid(all[i], &status, 0);
		ok += WEXITSTATUS(status);
	}
	printf("at once %d\n", ok);
}

static void groups(void)
{
	pid_t p = fork();
	int status;

	if (!p) {
		setpgid(0, 0);
		_exit(getpgrp() == getpid() && getsid(0) != getpid());
	}
	waitpid(p, &status, 0);
	printf("own group %d\n", WEXITSTATUS(status));
	p = fork();
	if (!p)
		_exit(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid());
	waitpid(p, &status, 0);
	printf("own session %d\n", WEXITSTATUS(status));
	p = fork();
	if (!p)
		pause();
	setpgid(p, p);
	kill(-p, 15);
	printf("wait for the group %d ", waitpid(-p, &status, 0) == p);
	printf("ended by %d\n", WTERMSIG(status));
}

static void descriptors(void)
{
	int fd[2], d;
	char c = 0;
	struct pollfd set[2];

	pipe2(fd, O_NONBLOCK | O_CLOEXEC);
	printf("empty pipe %zd errno %d\n", read(fd[0], &c, 1), errno);
	printf("cloexec %d nonblock %d\n", fcntl(fd[0], F_GETFD),
	       fcntl(fd[0], F_GETFL) & O_NONBLOCK);
	long filled = 0, n;
	char block[4096] = {0};
	while ((n = write(fd[1], block, sizeof block)) > 0)
		filled += n;
	printf("a pipe holds %ld, then errno %d\n", filled, errno);
	set[0] = (struct pollfd){fd[0], POLLIN, 0};
	set[1] = (struct pollfd){fd[1], POLLOUT, 0};
	printf("poll %d %d %d\n", poll(set, 2, 0), set[0].revents, set[1].revents);
	close(fd[1]);
	while (read(fd[0], block, sizeof block) > 0)
		;
	printf("hang-up %d %d\n", poll(set, 1, 0), set[0].revents);
	d = dup2(fd[0], 77);
	printf("dup2 %d same %d bad %d errno %d\n", d, dup2(77, 77), dup2(500, 3), errno);
	printf("closed twice %d %d errno %d\n", close(77), close(77), errno);
	struct rlimit limit;
	getrlimit(RLIMIT_STACK, &limit);
	printf("stack limit %ld\n", (long)limit.rlim_cur);
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	usleep(20000);
	clock_gettime(CLOCK_MONOTONIC, &b);
	long ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	printf("slept at least %d\n", ms >= 20);
	printf("year %d\n", time(0) > 1700000000);
}

/* A child that leaves a child of its own behind, which has ended. */
static pid_t leaver(int how)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid)
		return pid;
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (!pid) {
		if (how)
			raise(how);
		_exit(7);
	}
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	_exit(8);
}

static int all_waited(void)
{
	int n = 0;

	while (wait(NULL) > 0 || errno == EINTR)
		n++;
	return n;
}

/* Who hears of ended processes, and who does not care for them. */
static void reapers(void)
{
	sigset_t child, pending;
	siginfo_t info;
	int status;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int how = 0; how <= SIGKILL; how += SIGKILL) {
		leaver(how);
		sigwaitinfo(&child, &info);
		printf("handed over: code %d status %d; ", info.si_code, info.si_status);
		printf("waited for %d\n", all_waited());
		while (sigtimedwait(&child, &info, &(struct timespec){0, 0}) > 0)
			;
	}
	signal(SIGCHLD, SIG_IGN);
	leaver(0);
	printf("ignored: waited for %d\n", all_waited());
	sigpending(&pending);
	printf("ignored and blocked: pending %d\n", sigismember(&pending, SIGCHLD));
	pid_t pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (!pid)
		_exit(5);
	usleep(1000);
	printf("of no signal: %d ", waitpid(pid, &status, __WALL) == pid);
	printf("exit %d\n", WEXITSTATUS(status));
	sigaction(SIGCHLD, &(struct sigaction){.sa_flags = SA_NOCLDWAIT}, NULL);
	leaver(0);
	printf("not to be waited for: %d\n", all_waited());
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &child, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return strcmp(argv[1], "child") ? 1 : 33;
	setvbuf(stdout, 0, _IONBF, 0);
	copies();
	chain();
	many();
	groups();
	reapers();
	descriptors();
	return 0;
}
