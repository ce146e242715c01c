/* SPDX-License-Identifier: MIT
 * What a process without rights may do to another user's, and to one of its own user's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"

/* The file of a process in /proc, opened and read. */
static long look(pid_t pid, const char *name)
{
	char path[64], some[16];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	long n = read(fd, some, sizeof(some));
	int error = errno;
	close(fd);
	errno = error;
	return n < 0 ? -1 : n > 0;
}

static long link_of(pid_t pid, const char *name)
{
	char path[64], to[200];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return readlink(path, to, sizeof(to)) < 0 ? -1 : 0;
}

static void try(pid_t pid)
{
	struct rlimit limit = {64, 64}, old;
	char byte = 0;
	struct iovec here = {&byte, 1}, there = {&byte, 1};
	cpu_set_t set;
	void *head;
	size_t bytes;
	struct sched_param param = {0};

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	T(prlimit(pid, RLIMIT_NOFILE, NULL, &old));
	T(prlimit(pid, RLIMIT_NOFILE, &limit, NULL));
	T(prlimit(pid, RLIMIT_NOFILE, &limit, &old));
	T(sched_getaffinity(pid, sizeof(set), &set) < 0);
	T(sched_setaffinity(pid, sizeof(set), &set));
	T(sched_setscheduler(pid, SCHED_OTHER, &param));
	T(getpriority(PRIO_PROCESS, (id_t)pid) == -1 && errno);
	T(setpriority(PRIO_PROCESS, (id_t)pid, getpriority(PRIO_PROCESS, (id_t)pid)));
	T(syscall(SYS_get_robust_list, pid, &head, &bytes));
	T(syscall(SYS_kcmp, pid, getpid(), KCMP_VM, 0, 0) < 0);
	T(process_vm_readv(pid, &here, 1, &there, 1, 0));
	T(process_vm_writev(pid, &here, 1, &there, 1, 0));
	T(kill(pid, 0));
	T(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, NULL) < 0);
	T(setpgid(pid, 0));
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	T(fd < 0);
	T(syscall(SYS_pidfd_getfd, fd, 0, 0) < 0);
	T(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	close(fd);
	T(look(pid, "environ"));
	T(look(pid, "maps"));
	T(look(pid, "smaps"));
	T(look(pid, "stat"));
	T(look(pid, "status"));
	T(link_of(pid, "exe"));
	T(link_of(pid, "cwd"));
	T(link_of(pid, "root"));
	T(link_of(pid, "fd/0"));
}

static pid_t other(uid_t uid)
{
	int ready[2];
	char byte;

	pipe(ready);
	pid_t pid = fork();
	if (!pid) {
		if (setgid(uid) || setuid(uid))
			_exit(1);
		write(ready[1], "r", 1);
		close(ready[0]);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	read(ready[0], &byte, 1);
	close(ready[0]);
	return pid;
}

int main(void)
{
	setbuf(stdout, NULL);
	pid_t first = other(0), same = other(1000), stranger = other(1001);
	pid_t pid = fork();
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(1);
		puts("-- the first user's");
		try(first);
		puts("-- its own user's");
		try(same);
		puts("-- a stranger's");
		try(stranger);
		puts("-- its own");
		T(prlimit(0, RLIMIT_NOFILE, &(struct rlimit){64, 64}, NULL));
		T(prlimit(getpid(), RLIMIT_NOFILE, &(struct rlimit){64, 65}, NULL));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	kill(first, SIGKILL);
	kill(same, SIGKILL);
	kill(stranger, SIGKILL);
	return 0;
}
