/* SPDX-License-Identifier: MIT
 * Resource limits that stop a program: memory, processes, processor time. As on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE (1l << 29)
/* Only whether it succeeded. */
#define S(call)                                                                        \
	do {                                                                           \
		errno = 0;                                                             \
		long result = (long)(call);                                            \
		printf("%s: %s\n", #call, result == -1 ? strerror(errno) : "success"); \
	} while (0)

static void memory(void)
{
	struct rlimit l = {LARGE, LARGE};
	char *m = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	setrlimit(RLIMIT_AS, &l);
	S(mmap(NULL, LARGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	S(mmap(NULL, LARGE / 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	S(mmap(NULL, LARGE / 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	S(mremap(m, 1 << 20, LARGE / 2, MREMAP_MAYMOVE));
	S(mremap(m, 1 << 20, 2 << 20, MREMAP_MAYMOVE));
	S(sbrk(LARGE / 2));
	S(sbrk(1 << 20));
	printf("%d\n", malloc(LARGE) == NULL);
}

static void *thread(void *arg)
{
	pause();
	return arg;
}

static void processes(void)
{
	struct rlimit l = {4, 4};
	pid_t child[10];
	pthread_t t;
	int n = 0;
	setrlimit(RLIMIT_NPROC, &l);
	/* a user of its own: on the host, this test may run twice at a time, and a user's processes are counted together */
	uid_t user = 20000 + getpid() % 40000;
	setresgid(user, user, user);
	setresuid(user, user, user);
	while (n < 10 && (child[n] = fork()) > 0)
		n++;
	if (!child[n])
		pause();
	printf("%d children, then %s\n", n, strerror(errno));
	printf("a thread: %s\n", strerror(pthread_create(&t, NULL, thread, NULL)));
	kill(child[0], SIGKILL);
	waitpid(child[0], NULL, 0);
	printf("a thread: %s\n", strerror(pthread_create(&t, NULL, thread, NULL)));
	printf("a child: %d\n", fork());
	for (int i = 1; i < n; i++)
		kill(child[i], SIGKILL);
}

static void heard(int sig)
{
	static int times;
	char text[] = "signal 0\n";
	text[7] += ++times;
	if (sig == SIGXCPU)
		write(1, text, 9);
}

static void time_used(void)
{
	struct rlimit l = {1, 2}, now;
	signal(SIGXCPU, heard);
	setrlimit(RLIMIT_CPU, &l);
	for (volatile long i = 0;; i++)
		;
	getrlimit(RLIMIT_CPU, &now);
}

static void in_child(void (*what)(void))
{
	int status;
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		what();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("status %x\n", status & 0x7f);
}

int main(void)
{
	in_child(memory);
	in_child(processes);
	in_child(time_used);
	return 0;
}
