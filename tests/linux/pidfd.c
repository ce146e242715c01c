/* SPDX-License-Identifier: MIT
 * Processes as files, what a process says of itself (prctl, capabilities), locked memory: as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asleep.h"
#include "say.h"

#define pidfd_open(pid, flags) ((int)syscall(SYS_pidfd_open, pid, flags))
#define pidfd_send_signal(fd, sig, info, flags) \
	((int)syscall(SYS_pidfd_send_signal, fd, sig, info, flags))
#define pidfd_getfd(fd, other, flags) ((int)syscall(SYS_pidfd_getfd, fd, other, flags))

static pid_t start(void)
{
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		pause();
		_exit(3);
	}
	return pid;
}

static void pidfds(void)
{
	siginfo_t info;
	int pipes[2];
	char c = 0;
	pipe(pipes);
	pid_t pid = start();
	int fd = pidfd_open(pid, 0);
	printf("open: %d\n", fd >= 0);
	T(fcntl(fd, F_GETFD));
	T(pidfd_open(0, 0));
	T(pidfd_open(-1, 0));
	T(pidfd_open(999999, 0));
	T(pidfd_open(pid, 1));
	struct pollfd p = {fd, POLLIN, 0};
	T(poll(&p, 1, 0));
	T(read(fd, &c, 1));
	T(pidfd_send_signal(fd, 0, NULL, 0));
	T(pidfd_send_signal(fd, 99, NULL, 0));
	T(pidfd_send_signal(fd, SIGUSR1, NULL, 99));
	T(pidfd_send_signal(1, SIGUSR1, NULL, 0));
	int other = pidfd_getfd(fd, pipes[1], 0);
	T(write(other, "x", 1));
	T(read(pipes[0], &c, 1));
	T(pidfd_getfd(fd, 99, 0));
	T(pidfd_getfd(fd, 1, 1));
	T(syscall(SYS_kcmp, getpid(), pid, 0, other, pipes[1]));
	T(syscall(SYS_kcmp, getpid(), getpid(), 1, 0, 0));
	T(syscall(SYS_kcmp, getpid(), pid, 1, 0, 0) > 0);
	T(syscall(SYS_kcmp, getpid(), pid, 99, 0, 0));
	int nonblock = pidfd_open(pid, O_NONBLOCK);
	T(waitid(P_PIDFD, nonblock, &info, WEXITED));
	T(waitid(P_PIDFD, 1, &info, WEXITED));
	T(pidfd_send_signal(fd, SIGTERM, NULL, 0));
	T(poll(&p, 1, 5000));
	printf("%x\n", p.revents);
	T(pidfd_send_signal(fd, 0, NULL, 0));
	T(waitid(P_PIDFD, fd, &info, WEXITED));
	printf("%d %d %d\n", info.si_pid == pid, info.si_code, info.si_status);
	T(waitid(P_PIDFD, fd, &info, WEXITED));
	T(pidfd_send_signal(fd, 0, NULL, 0));
	T(poll(&p, 1, 0));
	close(fd);
	/* one that ends while it is waited for */
	fflush(stdout);
	pid = fork();
	if (!pid) {
		usleep(30000);
		_exit(7);
	}
	p.fd = pidfd_open(pid, 0);
	T(poll(&p, 1, 5000));
	T(waitid(P_PIDFD, p.fd, &info, WEXITED));
	printf("%d\n", info.si_status);
}

static void handler(int sig)
{
	(void)sig;
}

static void said(void)
{
	int value = -1;
	char name[16] = "";
	T(prctl(PR_SET_NAME, "a name that is too long"));
	T(prctl(PR_GET_NAME, name));
	puts(name);
	T(prctl(PR_SET_PDEATHSIG, 99));
	T(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	T(prctl(PR_GET_PDEATHSIG, &value));
	printf("%d\n", value);
	T(prctl(PR_GET_DUMPABLE));
	T(prctl(PR_SET_DUMPABLE, 0));
	T(prctl(PR_GET_DUMPABLE));
	T(prctl(PR_SET_DUMPABLE, 7));
	T(prctl(PR_SET_DUMPABLE, 1));
	T(prctl(PR_GET_TIMERSLACK));
	T(prctl(PR_SET_TIMERSLACK, 1000));
	T(prctl(PR_GET_TIMERSLACK));
	T(prctl(PR_CAPBSET_READ, 0));
	T(prctl(PR_CAPBSET_READ, 99));
	T(prctl(PR_GET_SECCOMP));
	T(prctl(PR_GET_KEEPCAPS));
	T(prctl(9999));
	/* a child that asked hears of its parent's end, and is the child of who asked for orphans */
	T(prctl(PR_SET_CHILD_SUBREAPER, 1));
	T(prctl(PR_GET_CHILD_SUBREAPER, &value));
	printf("%d\n", value);
	signal(SIGUSR1, handler);
	fflush(stdout);
	pid_t me = getpid();
	if (!fork()) {
		pid_t pid = fork();
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			pause();
			for (int i = 0; i < 10000 && getppid() != me; i++)
				usleep(1000);
			printf("heard of it; my parent is the one that asked: %d\n",
			       getppid() == me);
			fflush(stdout);
			_exit(9);
		}
		until_asleep(pid, pid);
		_exit(8);
	}
	for (int i = 0, status; i < 2; i++) {
		wait(&status);
		printf("status %d\n", WEXITSTATUS(status));
	}
	T(prctl(PR_SET_CHILD_SUBREAPER, 0));
	T(personality(0xffffffff));
	T(personality(ADDR_NO_RANDOMIZE));
	T(personality(0xffffffff) == ADDR_NO_RANDOMIZE);
	T(personality(0));
	struct {
		unsigned version;
		int pid;
	} header = {0x20080522, 0};
	struct {
		unsigned effective, permitted, inheritable;
	} data[2];
	T(syscall(SYS_capget, &header, data));
	printf("%d %x\n", data[0].effective & 1, data[0].inheritable);
	header.version = 1;
	T(syscall(SYS_capget, &header, data));
	printf("%x\n", header.version);
	T(syscall(SYS_capget, &header, NULL));
	T(syscall(SYS_ioprio_get, 1, 0));
	T(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 5));
	T(syscall(SYS_ioprio_get, 1, 0));
	T(syscall(SYS_ioprio_set, 1, 0, 7 << 13));
	T(syscall(SYS_ioprio_set, 9, 0, 2 << 13));
	T(syscall(SYS_ioprio_set, 1, 999999, 2 << 13));
}

static void locked(void)
{
	char *m = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char there[8];
	T(mlock(m + 100, 4096));
	T(mincore(m, 8 * 4096, there));
	for (int i = 0; i < 8; i++)
		printf("%d", there[i]);
	puts("");
	T(munlock(m, 8 * 4096));
	munmap(m + 3 * 4096, 4096);
	T(mlock(m, 8 * 4096));
	T(mlock(m, -4096));
	T(mlock2(m, 4096, MLOCK_ONFAULT));
	T(mlock2(m, 4096, 2));
	T(mlockall(0));
	T(mlockall(MCL_ONFAULT));
	T(mlockall(MCL_CURRENT | MCL_FUTURE));
	char *n = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	T(mincore(n, 4 * 4096, there));
	printf("%d%d%d%d\n", there[0], there[1], there[2], there[3]);
	T(munlockall());
	n = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1,
		 0);
	T(mincore(n, 4096, there));
	printf("%d\n", there[0]);
	fflush(stdout);
	if (!fork()) {
		struct rlimit two = {2 * 4096, 2 * 4096}, none = {0, 0};
		setrlimit(RLIMIT_MEMLOCK, &two);
		setresuid(1000, 1000, 1000);
		T(mlock(m, 4096));
		T(mlock(m, 2 * 4096));
		T(mlock(m, 3 * 4096));
		T(mlock(m + 4 * 4096, 4096));
		T(munlock(m, 4096));
		T(mlock(m + 4 * 4096, 4096));
		T(mlockall(MCL_CURRENT));
		setrlimit(RLIMIT_MEMLOCK, &none);
		T(mlock(m, 4096));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

int main(void)
{
	pidfds();
	said();
	locked();
	return 0;
}
