/* SPDX-License-Identifier: MIT
 * How threads and processes with threads end: exit of the main thread, exit_group while others sleep, compute and make
 * more, exec and fork by a thread, robust mutexes; and that nothing of a thousand is left. Compared with the host's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void *nothing(void *arg)
{
	return arg;
}

static void *sleeps(void *arg)
{
	for (;;)
		pause();
}

static void *computes(void *arg)
{
	for (;;)
		;
}

/* Makes threads for ever. */
static void *makes(void *arg)
{
	pthread_t t;

	for (;;)
		if (!pthread_create(&t, 0, nothing, 0))
			pthread_join(t, 0);
}

static int status_of(pid_t p)
{
	int status = -1;

	if (waitpid(p, &status, 0) != p)
		return -errno;
	return status;
}

static void storm(void)
{
	static void *(*const what[])(void *) = {sleeps, computes, makes, makes, sleeps, computes};

	for (int round = 0; round < 12; round++) {
		fflush(stdout);
		pid_t p = fork();
		if (!p) {
			pthread_t t;
			for (unsigned i = 0; i < 6; i++)
				pthread_create(&t, 0, what[i], 0);
			usleep(round * 300);
			if (round % 3 == 2)
				kill(getpid(), SIGTERM);
			while (round % 3 == 2)
				pause();
			if (round % 3)
				syscall(SYS_exit_group, round);
			exit(round);
		}
		int status = status_of(p);
		printf("storm %d: %s %d\n", round, WIFEXITED(status) ? "exited" : "signalled",
		       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	}
}

static pthread_t first;
static void *outlives(void *arg)
{
	void *result;

	printf("main ended %d\n", pthread_join(first, &result));
	printf("its value %ld pid %d\n", (long)result, getpid() != gettid());
	fflush(stdout);
	syscall(SYS_exit_group, 9);
	return 0;
}

static void main_ends(void)
{
	fflush(stdout);
	pid_t p = fork();
	if (!p) {
		pthread_t t;
		first = pthread_self();
		pthread_create(&t, 0, outlives, 0);
		pthread_exit((void *)77);
	}
	printf("status %d\n", WEXITSTATUS(status_of(p)));
}

static char *self;
static void *execs(void *arg)
{
	char *argv[] = {self, "again", 0};

	if (arg)
		usleep(2000);
	execv(self, argv);
	printf("exec failed %d\n", errno);
	_exit(1);
}

static void exec_by_thread(void)
{
	for (int others = 0; others < 2; others++) {
		fflush(stdout);
		pid_t p = fork();
		if (!p) {
			pthread_t t;
			char pid[16];
			sprintf(pid, "%d", getpid());
			setenv("EXPECTED_PID", pid, 1);
			pthread_create(&t, 0, sleeps, 0);
			pthread_create(&t, 0, computes, 0);
			pthread_create(&t, 0, execs, (void *)1);
			if (others)
				pthread_create(&t, 0, execs, (void *)1);
			for (;;)
				pause();
		}
		printf("exec status %d\n", WEXITSTATUS(status_of(p)));
	}
}

static void *forks(void *arg)
{
	pid_t p = fork();
	if (!p)
		_exit(getpid() == gettid() ? 33 : 34);
	return (void *)(long)WEXITSTATUS(status_of(p));
}

static void *spawns(void *arg)
{
	pid_t p;
	char *argv[] = {self, "seven", 0};

	if (posix_spawn(&p, self, 0, 0, argv, environ))
		return (void *)-1;
	return (void *)(long)WEXITSTATUS(status_of(p));
}

static void children(void)
{
	pthread_t t[6];
	void *result;

	for (int i = 0; i < 6; i++)
		pthread_create(&t[i], 0, i % 2 ? spawns : forks, 0);
	for (int i = 0; i < 6; i++) {
		pthread_join(t[i], &result);
		printf("child of thread %ld\n", (long)result);
	}
}

static pthread_mutex_t *robust;
static void *holds(void *arg)
{
	pthread_mutex_lock(robust);
	return 0;
}

static void robustness(int protocol)
{
	pthread_mutexattr_t a;
	pthread_t t;
	int r;

	robust = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setprotocol(&a, protocol);
	pthread_mutex_init(robust, &a);
	pthread_create(&t, 0, holds, 0);
	pthread_join(t, 0);
	r = pthread_mutex_lock(robust);
	printf("owner died %d", r == EOWNERDEAD);
	printf(" consistent %d", pthread_mutex_consistent(robust));
	printf(" unlock %d\n", pthread_mutex_unlock(robust));
	fflush(stdout);
	int has[2];
	char c;
	pipe(has);
	pid_t p = fork();
	if (!p) {
		pthread_mutex_lock(robust);
		write(has[1], "l", 1);
		usleep(5000); /* the parent mostly waits by now */
		_exit(0);
	}
	read(has[0], &c, 1);
	r = pthread_mutex_lock(robust);
	printf("process died %d\n", r == EOWNERDEAD);
	pthread_mutex_consistent(robust);
	pthread_mutex_unlock(robust);
	status_of(p);
	printf("lock again %d\n", pthread_mutex_lock(robust));
	pthread_mutex_unlock(robust);
}

static pthread_mutex_t pi;
static long guarded;
static void *adds(void *arg)
{
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&pi);
		long now = guarded;
		if (i % 32 == 0)
			sched_yield();
		guarded = now + 1;
		pthread_mutex_unlock(&pi);
	}
	return 0;
}

static void inheriting(void)
{
	pthread_mutexattr_t a;
	pthread_t t[4];
	int r, again;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&pi, &a);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], 0, adds, 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], 0);
	r = pthread_mutex_trylock(&pi);
	again = pthread_mutex_trylock(&pi);
	printf("guarded %ld trylock %d again %d\n", guarded, r, again == EBUSY);
	unsigned word = 0x3ffffff0; /* nobody's number */
	r = syscall(SYS_futex, &word, 7, 0, 0, 0, 0);
	printf("unlock other's %d errno %d\n", r, errno);
	word = getpid();
	r = syscall(SYS_futex, &word, 6, 0, 0, 0, 0);
	printf("deadlock %d errno %d\n", r, errno);
}

static void wake_op(void)
{
	unsigned a = 0, b = 5;

	/* b += 7, wake on b if it was greater than 4: nobody is there */
	long r = syscall(SYS_futex, &a, 5, 1, 1, &b, 1u << 28 | 4u << 24 | 7u << 12 | 4);
	printf("wake_op %ld b %u\n", r, b);
	r = syscall(SYS_futex, &a, 5, 1, 1, &b, 8u << 28 | 3u << 12);
	printf("shifted %ld b %u\n", r, b);
}

static int own; /* FUTEX_PRIVATE_FLAG, or 0 */

static long futex(unsigned *a, int op, unsigned n, unsigned long more, unsigned *b)
{
	return syscall(SYS_futex, a, op | own, n, more, b, 0);
}

static void *waits(void *word)
{
	while (futex(word, FUTEX_WAIT, 0, 0, 0))
		;
	return 0;
}

static void says(const char *what, long result)
{
	printf(" %s %ld %d", what, result, errno);
}

/* How many are woken and moved, where the counts are none; and operations that are none. */
static void counts(void)
{
	static unsigned words[2];
	unsigned *a = &words[0], *b = &words[1];
	int moved = 0;
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], 0, waits, a);
	while (moved < 4) { /* then each of them sleeps */
		moved += futex(a, FUTEX_CMP_REQUEUE, 0, 4, b);
		sched_yield();
	}
	printf("none %ld", futex(b, FUTEX_WAKE, 0, 0, 0));
	printf(" below %ld", futex(b, FUTEX_WAKE, -5, 0, 0));
	printf(" move none %ld", futex(b, FUTEX_REQUEUE, 0, 0, a));
	printf(" below %ld", futex(b, FUTEX_REQUEUE, 0, -1, a));
	printf(" %ld", futex(b, FUTEX_REQUEUE, -1, 0, a));
	printf(" one %ld", futex(b, FUTEX_REQUEUE, 0, 1, a));
	printf(" both %ld", futex(b, FUTEX_REQUEUE, 1, 1, a));
	printf(" rest %ld\n", futex(a, FUTEX_WAKE, 9, 0, 0));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], 0);
	printf("by the clock:");
	says("wait", futex(a, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 1, 0, 0));
	says("wake", futex(a, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, 0, 0));
	says("other", futex(a, 99, 1, 0, 0));
	printf("\n");
}

/* A lock that a process holds that executes another program. */
static void robust_exec(void)
{
	pthread_mutexattr_t a;
	struct timespec until;
	int status;

	robust = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(robust, &a);
	fflush(stdout);
	if (!fork()) {
		pthread_mutex_lock(robust);
		execl(self, self, "other", NULL);
	}
	wait(&status);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1;
	printf("other program %d:", WEXITSTATUS(status));
	printf(" its lock %d\n", pthread_mutex_timedlock(robust, &until) == EOWNERDEAD);
}

static void leaks(void)
{
	struct sysinfo before, after;
	struct utsname name;
	pthread_t t;

	uname(&name); /* elsewhere others use memory, too */
	int here = strstr(name.version, "ExOS") != 0;

	for (int i = 0; i < 1050; i++) {
		if (i == 50)
			sysinfo(&before);
		if (pthread_create(&t, 0, nothing, 0)) {
			printf("create %d failed\n", i);
			return;
		}
		pthread_join(t, 0);
	}
	sysinfo(&after);
	long lost = ((long)before.freeram - (long)after.freeram) * after.mem_unit;
	printf("a thousand threads left %s\n", lost < 200000 || !here ? "nothing" : "memory");
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1 && !strcmp(argv[1], "again")) {
		printf("again: pid same %d leads %d\n", atoi(getenv("EXPECTED_PID")) == getpid(),
		       getpid() == gettid());
		return 44;
	}
	if (argc > 1)
		return 7;
	storm();
	main_ends();
	exec_by_thread();
	children();
	robustness(PTHREAD_PRIO_NONE);
	robustness(PTHREAD_PRIO_INHERIT);
	inheriting();
	wake_op();
	counts();
	own = FUTEX_PRIVATE_FLAG;
	counts();
	robust_exec();
	leaks();
	return 0;
}
