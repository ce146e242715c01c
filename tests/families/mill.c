/* SPDX-License-Identifier: MIT
 * A family under work while its members are ended at random instants (tests/beside/assassin.c). Workers do what takes ExOS's
 * locks; each checks what it sees. Their parent replaces those that are ended, and says at the end whether anything was left
 * half done: whoever ended did so by SIGKILL, pipes and locks were let go, nothing is held, memory is back.
 * usage: mill DEATHS: ends when there were so many, and then none for a second; mill chain N: what its workers become */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 8
#define KINDS 7
#define CHAIN "8" /* programs one after the other in one process */
#define WHOLE 7	  /* the status of a child that came to its end */

extern char **environ;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void wrong(const char *what)
{
	fprintf(stderr, "mill: WRONG: %s: %s\n", what, strerror(errno));
	_exit(99);
}

/* A child that was ended, or came to its end: whether it did that. */
static int wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		wrong("waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) != WHOLE)
		wrong("a whole child");
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		wrong("how a child ended");
	return WIFEXITED(status);
}

/* A child that talks over a pipe and a socket. Either may be ended: then the other sees the end, and no more. */
static void work_pipe(void)
{
	int fd[2], pair[2];
	char text[300], got[300];

	if (pipe(fd) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		wrong("pipe");
	memset(text, 'p', sizeof text);
	pid_t pid = fork();
	if (pid < 0)
		wrong("fork");
	if (!pid) {
		close(pair[0]);
		for (int i = 0; i < 20; i++)
			if (write(fd[1], text, sizeof text) != sizeof text ||
			    write(pair[1], text, 100) != 100)
				_exit(99);
		_exit(WHOLE);
	}
	close(fd[1]);
	close(pair[1]);
	long bytes = 0, more = 0;
	for (ssize_t n; (n = read(fd[0], got, sizeof got)) > 0; bytes += n)
		if (got[0] != 'p' || got[n - 1] != 'p')
			wrong("what came by the pipe");
	for (ssize_t n; (n = read(pair[0], got, sizeof got)) > 0; more += n)
		;
	if (wait_for(pid) && (bytes != 6000 || more != 2000))
		wrong("a whole child");
	close(fd[0]);
	close(pair[0]);
}

static void work_file(int who)
{
	char name[64], other[64], block[5000], seen[5000];
	static int n;

	snprintf(name, sizeof name, "/tmp/f%d.%d", who, n++ % 4);
	snprintf(other, sizeof other, "/tmp/g%d", who);
	memset(block, 'a' + n % 26, sizeof block);
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);
	if (fd < 0)
		wrong("open");
	for (int i = 0; i < 4; i++)
		if (write(fd, block, sizeof block) != sizeof block)
			wrong("write");
	if (pread(fd, seen, sizeof seen, 5000) != sizeof seen || memcmp(seen, block, sizeof seen))
		wrong("what was written");
	close(fd);
	if (rename(name, other) || unlink(other))
		wrong("rename and unlink");
}

/* All workers of this kind write one file, one at a time. */
static void work_lock(void)
{
	char text[16] = "";
	int fd = open("/tmp/count", O_CREAT | O_RDWR, 0600);

	if (fd < 0 || flock(fd, LOCK_EX))
		wrong("flock");
	pread(fd, text, sizeof text - 1, 0);
	int n = snprintf(text, sizeof text, "%08d\n", atoi(text) + 1);
	if (pwrite(fd, text, (size_t)n, 0) != n)
		wrong("the counted file");
	close(fd);
}

static void work_memory(void)
{
	size_t bytes = 64 * 4096;
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		wrong("mmap");
	for (size_t i = 0; i < bytes; i += 4096)
		p[i] = (char)i;
	if (mprotect(p, bytes / 2, PROT_READ))
		wrong("mprotect");
	pid_t pid = fork();
	if (!pid) {
		for (size_t i = bytes / 2; i < bytes; i += 4096)
			p[i] = 1;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	for (size_t i = 0; i < bytes; i += 4096)
		if (p[i] != (char)i)
			wrong("its memory");
	munmap(p, bytes);
}

static void *thread_main(void *mutex)
{
	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(mutex);
		sched_yield();
		pthread_mutex_unlock(mutex);
	}
	return NULL;
}

static void work_threads(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread[3];

	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread[i], NULL, thread_main, &mutex))
			wrong("pthread_create");
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
}

/* A child in its parent's memory becomes a program. One that is ended before is told of as if the program had ended. */
static void work_spawn(void)
{
	char *argv[] = {"mill", "chain", "0", NULL};
	pid_t pid;

	errno = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ);
	if (errno)
		wrong("posix_spawn");
	wait_for(pid);
}

/* One program after the other in one process, each in a memory of its own. */
static int chain(const char *text)
{
	size_t bytes = 20000;
	int left = atoi(text);
	char *p = malloc(bytes), next[16];

	if (!p)
		return 99;
	memset(p, left + 1, bytes);
	if (!left)
		return WHOLE;
	snprintf(next, sizeof next, "%d", left - 1);
	execl("/proc/self/exe", "mill", "chain", next, NULL);
	return 99;
}

static void work_chain(void)
{
	pid_t pid = fork();

	if (pid < 0)
		wrong("fork");
	if (!pid)
		_exit(chain(CHAIN));
	wait_for(pid);
}

static pid_t worker(int who)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	signal(SIGPIPE, SIG_IGN);
	for (int n = who;; n++) {
		switch (n % KINDS) {
		case 0:
			work_pipe();
			break;
		case 1:
			work_file(who);
			break;
		case 2:
			work_lock();
			break;
		case 3:
			work_memory();
			break;
		case 4:
			work_threads();
			break;
		case 5:
			work_spawn();
			break;
		case 6:
			work_chain();
		}
	}
}

static long memory_free(void)
{
	char line[100];
	long kb = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof line, f))
		sscanf(line, "MemFree: %ld", &kb);
	if (f)
		fclose(f);
	return kb;
}

/* The workers' files. */
static void tidy(void)
{
	DIR *tmp = opendir("/tmp");
	struct dirent *entry;
	char name[300];

	while (tmp && (entry = readdir(tmp))) {
		snprintf(name, sizeof name, "/tmp/%s", entry->d_name);
		unlink(name);
	}
	if (tmp)
		closedir(tmp);
}

/* What the library keeps of processes that are over is the same, however it came here: so many end at once. */
static void settle(void)
{
	int hold[2];
	char c;

	if (pipe(hold))
		wrong("pipe");
	for (int i = 0; i < 24; i++)
		if (!fork()) {
			close(hold[1]);
			_exit(read(hold[0], &c, 1));
		}
	close(hold[0]);
	close(hold[1]);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static int processes(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	while (proc && (entry = readdir(proc)))
		n += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
	if (proc)
		closedir(proc);
	return n;
}

/* Workers, each replaced when it was ended, until so many were and then none for a time; then none. Not forever. */
static void mill(int enough, double quiet, double end, int *deaths, int *bad)
{
	pid_t pid[WORKERS];
	double last = now();
	int status;

	for (int i = 0; i < WORKERS; i++)
		pid[i] = worker(i);
	while ((*deaths < enough || now() < last + quiet) && now() < end) {
		pid_t gone = waitpid(-1, &status, WNOHANG);

		if (gone < 0)
			break;
		if (!gone)
			usleep(1000);
		for (int i = 0; i < WORKERS; i++)
			if (pid[i] == gone) {
				++*deaths;
				last = now();
				*bad += !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL;
				pid[i] = worker(i);
			}
	}
	kill(-1, SIGKILL);
	while (waitpid(-1, &status, 0) > 0)
		;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "chain"))
		return chain(argv[2]);
	/* How many are ended in a second depends on the host: a slow one needs longer. */
	int enough = atoi(argc > 1 ? argv[1] : "20");
	double end = now() + 80;
	int deaths = 0, bad = 0;

	int before_processes = processes();
	/* What is lost is lost in the last two thirds. */
	mill(enough / 3, 0, end, &deaths, &bad);
	tidy();
	settle();
	long before = memory_free();
	mill(enough, 1, end, &deaths, &bad);
	/* what is left over is let go by whoever looks next */
	int fd = open("/tmp/count", O_RDWR);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB))
		printf("mill: WRONG: a lock is held\n");
	char text[16];
	if (pread(fd, text, 9, 0) != 9 || strspn(text, "0123456789") != 8)
		printf("mill: WRONG: the counted file\n");
	tidy();
	int after_processes = processes();
	settle();
	long after = memory_free();
	printf("mill: %s deaths, %d of them not by SIGKILL\n", deaths >= enough ? "many" : "few",
	       bad);
	printf("mill: processes: %s\n", after_processes <= before_processes ? "all gone" : "left");
	fprintf(stderr, "mill: %d deaths; %ld kB free before, %ld after; %d processes, %d\n",
		deaths, before, after, before_processes, after_processes);
	printf("mill: memory: %s\n", before - after < 1024 ? "back" : "lost");
	return 0;
}
