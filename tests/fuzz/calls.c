/* SPDX-License-Identifier: MIT
 * Linux's system calls at random, for ExOS: workers without rights make them, with arguments that are mostly nearly right, from
 * processes and threads, through the call's own site and through one for all. Their parent ends them after a while, whatever
 * they are at, and looks whether all is as before: every process ends, what they kept is given back, an ordinary program
 * finds the system in order. ExOS ends the family where it finds itself wrong, so that this program does not come to its end.
 * Not for the host: it would do as it says there, too.
 * usage: calls SEED SECONDS [CALL...]: only these calls; or all */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 3
#define CALLS_EACH 300
#define ROUND_MS 250
#define ARENA 16 /* pages that are there, then one that only reads, then none */
#define PAGE 4096ul
#define OTHER 1000 /* whose rights workers have */

struct call {
	uint32_t number;
	const char *name, *arguments;
};
static const struct call calls[] = {
#include "calls.h"
};
#define COUNT (sizeof(calls) / sizeof(calls[0]))

/* Shared with the workers: what was made of each call. Workers may spoil it. */
struct tally {
	uint32_t made[COUNT], succeeded[COUNT];
};
static struct tally *tally;
static uint32_t chosen[COUNT], nchosen;
static const char *self;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#include "calls_random.h"

/* ---- a worker ---- */
static long (*site[512])(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

/* A function of its own for each call, as C libraries have them: mov r10, rcx; mov eax, nr; syscall; ret. */
static void sites_make(void)
{
	uint8_t *first =
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *to = first;

	for (uint32_t i = 0; i < COUNT; i++, to += 16) {
		memcpy(to, "\x49\x89\xca\xb8\0\0\0\0\x0f\x05\xc3", 11);
		memcpy(to + 4, &calls[i].number, 4);
		site[calls[i].number] = (void *)to;
	}
	mprotect(first, 4 * PAGE, PROT_READ | PROT_EXEC);
}

static void call_once(void)
{
	uint32_t call = nchosen ? chosen[below(nchosen)] : (uint32_t)below(COUNT);
	const char *kinds = calls[call].arguments;
	uint32_t nr = calls[call].number;
	uint64_t a[6];

	switch (nr) { /* those that end it, or that nothing comes after: seldom */
	case SYS_exit:
	case SYS_exit_group:
	case SYS_pause:
	case SYS_rt_sigreturn:
	case SYS_rt_sigsuspend:
	case SYS_vfork:
	case SYS_munmap:
	case SYS_mprotect:
		if (below(16) && !nchosen)
			return;
	}
	for (uint32_t i = 0; i < 6; i++)
		a[i] = *kinds ? argument(*kinds++, call) : number();
	if (nr == SYS_setrlimit ||
	    nr == SYS_prlimit64) /* what a process may be is to stay as it is */
		a[nr == SYS_setrlimit ? 0 : 1] |= below(4) ? 4 : 0;
	if (nr == SYS_rseq || nr == SYS_vfork)
		a[0] = 0;
	__atomic_add_fetch(&tally->made[call], 1, __ATOMIC_RELAXED);
	errno = 0;
	long result = below(4) ? site[nr](a[0], a[1], a[2], a[3], a[4], a[5])
			       : syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if ((unsigned long)result < -4095ul)
		__atomic_add_fetch(&tally->succeeded[call], 1, __ATOMIC_RELAXED);
}

static void on_signal(int sig)
{
	static __thread uint32_t count;

	if (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || ++count > 10000)
		_exit(2);
	if (below(2))
		call_once();
}

static int work(void *seed)
{
	state = (uint64_t)seed;
	for (uint32_t i = 0; i < CALLS_EACH; i++)
		call_once();
	syscall(SYS_exit, 0);
	return 0;
}

static void open_some(void)
{
	int pair[2];

	for (int i = 3; i < 64; i++)
		close(i);
	int null = open("/dev/null", O_RDWR); /* what their parent says is to be read */
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	if (pipe(pair) || pipe2(pair, O_NONBLOCK) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair))
		_exit(3);
	open("f0", O_RDWR | O_CREAT, 0600);
	open("f1", O_RDWR | O_CREAT, 0600);
	open("d0", O_RDONLY | O_DIRECTORY);
	open("/proc/self/maps", O_RDONLY);
	syscall(SYS_eventfd2, 1, O_NONBLOCK);
	syscall(SYS_timerfd_create, 1, 0);
	syscall(SYS_epoll_create1, 0);
	syscall(SYS_memfd_create, "m", 0);
	syscall(SYS_inotify_init1, O_NONBLOCK);
	open("/dev/ptmx", O_RDWR | O_NONBLOCK);
	open("/dev/zero", O_RDWR);
	open("/proc/self/fd", O_RDONLY);
}

static _Noreturn void worker(uint64_t seed)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_NODEFER | SA_ONSTACK};
	stack_t alternate = {.ss_size = 65536};

	state = seed;
	sites_make();
	alternate.ss_sp = malloc(65536);
	sigaltstack(&alternate, NULL);
	arena = mmap(NULL, (ARENA + 3) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mmap(arena, ARENA * PAGE, PROT_READ | PROT_WRITE,
	     MAP_FIXED | MAP_ANONYMOUS | (below(2) ? MAP_SHARED : MAP_PRIVATE), -1, 0);
	mprotect(arena + ARENA * PAGE, PAGE, PROT_READ);
	for (int sig = 1; sig < 65; sig++)
		if (sig <= 15 || !below(3))
			sigaction(sig, &act, NULL);
	open_some();
	for (uint64_t i = below(3); i; i--)
		clone(work, malloc(65536) + 65520,
		      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			      CLONE_SYSVSEM,
		      (void *)draw());
	work((void *)draw());
	_exit(0);
}

/* ---- their parent ---- */
static void wrong(const char *what)
{
	printf("calls: WRONG: process %d: %s: %s\n", getpid(), what, strerror(errno));
	if (getenv("CALLS_SHOW"))
		system("ls -l /proc/$PPID/fd; cat /proc/$PPID/limits");
	fflush(stdout);
	_exit(99);
}

static void directory_clear(const char *path)
{
	char below_it[5000];
	DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(below_it, sizeof(below_it), "%s/%s", path, e->d_name);
		if (unlink(below_it) && (directory_clear(below_it), rmdir(below_it)))
			wrong("a name stays");
	}
	if (d)
		closedir(d);
}

static void objects_clear(void)
{
	struct shmid_ds shm;
	struct msqid_ds msg;
	struct semid_ds sem;

	for (int i = 0, last = shmctl(0, SHM_INFO, &shm); i <= last; i++) {
		int id = shmctl(i, SHM_STAT, &shm);
		if (id >= 0 && shmctl(id, IPC_RMID, NULL))
			wrong("shmctl");
	}
	for (int i = 0, last = msgctl(0, MSG_INFO, &msg); i <= last; i++) {
		int id = msgctl(i, MSG_STAT, &msg);
		if (id >= 0 && msgctl(id, IPC_RMID, NULL))
			wrong("msgctl");
	}
	for (int i = 0, last = semctl(0, 0, SEM_INFO, &sem); i <= last; i++) {
		int id = semctl(i, 0, SEM_STAT, &sem);
		if (id >= 0 && semctl(id, 0, IPC_RMID))
			wrong("semctl");
	}
}

/* Ends all that are there but this one. */
static void all_end(void)
{
	double until = now() + 20;
	pid_t pid;

	kill(-1, SIGKILL);
	while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) >= 0) {
		if (pid)
			continue;
		if (now() > until) {
			system("ps; for p in /proc/[0-9]*; do echo $p; cat $p/stat $p/wchan; done");
			wrong("a process that does not end");
		}
		kill(-1, SIGKILL);
		usleep(2000);
	}
}

/* An ordinary program's day. */
static void in_order(void)
{
	char text[64] = "";
	int fd[2], status;

	if (pipe(fd))
		wrong("pipe");
	pid_t pid = fork();
	if (pid < 0)
		wrong("fork");
	if (!pid) {
		char *some = malloc(300000);
		memset(some, 5, 300000);
		_exit(write(fd[1], "well", 5) == 5 ? some[200000] : 1);
	}
	if (read(fd[0], text, sizeof(text)) != 5 || strcmp(text, "well"))
		wrong("what came by the pipe");
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 5)
		wrong("how a child ended");
	close(fd[0]);
	close(fd[1]);
	int file = open("/tmp/calls/mine", O_CREAT | O_RDWR | O_EXCL, 0600);
	if (file < 0 || pwrite(file, "text", 4, 5000) != 4 || pread(file, text, 64, 4998) != 6 ||
	    memcmp(text, "\0\0text", 6) || close(file) || unlink("/tmp/calls/mine"))
		wrong("a file");
	if (open("/dev/null", O_RDONLY) != 3 || close(3))
		wrong("descriptors");
}

/* What is free when ExOS has given up all that it keeps for later: a child takes more than there is, and ends. */
static long memory_free(void)
{
	char text[4096] = "";
	pid_t pid = fork();

	if (!pid) {
		char *all = mmap(NULL, 1ul << 32, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (uint64_t i = 0; all != MAP_FAILED && i < 1ul << 32; i += PAGE)
			all[i] = 1;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	int fd = open("/proc/meminfo", O_RDONLY);
	long kib = -1;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		wrong("/proc/meminfo");
	close(fd);
	sscanf(strstr(text, "MemFree:"), "MemFree: %ld", &kib);
	return kib;
}

static void one_round(uint64_t seed)
{
	static const struct rlimit few = {40, 40}, files = {64, 64}, bytes = {1 << 20, 1 << 20},
				   core = {0, 0}, space = {256 << 20, 256 << 20};

	if (mkdir("/tmp/calls", 0777) && errno != EEXIST)
		wrong("mkdir");
	chmod("/tmp/calls", 0777);
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork();
		if (pid < 0)
			wrong("fork");
		if (pid)
			continue;
		if (chdir("/tmp/calls"))
			_exit(3);
		mkdir("d0", 0777);
		mkdir("d0/d1", 0777);
		symlink("f0", "l0");
		symlink("d0/d1", "l1");
		mkfifo("p0", 0666);
		setrlimit(RLIMIT_NPROC, &few);
		setrlimit(RLIMIT_NOFILE, &files);
		setrlimit(RLIMIT_FSIZE, &bytes);
		setrlimit(RLIMIT_CORE, &core);
		setrlimit(RLIMIT_AS, &space);
		setsid();
		chown("d0", OTHER, OTHER);
		chown("d0/d1", OTHER, OTHER);
		if (setgid(OTHER) || setuid(OTHER))
			_exit(3);
		worker(seed * 16 + (uint64_t)i);
	}
	for (double until = now() + ROUND_MS / 1e3;
	     now() < until && waitpid(-1, NULL, WNOHANG) >= 0;)
		usleep(5000);
	all_end();
	directory_clear("/tmp/calls");
	directory_clear("/dev/shm");
	directory_clear("/dev/mqueue");
	objects_clear();
	in_order();
}

static void report(void)
{
	uint32_t some = 0, never = 0;
	uint64_t all = 0;

	for (uint32_t i = 0; i < COUNT; i++) {
		all += tally->made[i];
		some += tally->succeeded[i] != 0;
		never += !tally->made[i];
	}
	printf("calls: %lu made; of %lu kinds %u have succeeded, %u were never made\n", all, COUNT,
	       some, never);
	if (!getenv("CALLS_SHOW"))
		return;
	for (uint32_t i = 0; i < COUNT; i++)
		printf("%-20s %6u %6u%s\n", calls[i].name, tally->made[i], tally->succeeded[i],
		       tally->succeeded[i] ? "" : " NEVER");
}

int main(int argc, char **argv)
{
	uint64_t seed, round = 0;
	long settled = 0, last = 0;

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	self = "/proc/self/exe";
	if (argc == 3 && !strcmp(argv[1], "again"))
		worker(strtoul(argv[2], NULL, 0));
	if (argc < 3 || getuid())
		return fprintf(stderr, "usage: calls SEED SECONDS [CALL...]\n"), 2;
	seed = strtoul(argv[1], NULL, 0);
	for (int i = 3; i < argc; i++)
		for (uint32_t k = 0; k < COUNT; k++)
			if (!strcmp(argv[i], calls[k].name))
				chosen[nchosen++] = k;
	setbuf(stdout, NULL);
	printf("calls: seed %lu\n", seed);
	for (double until = now() + atof(argv[2]); now() < until; round++) {
		one_round(seed + round);
		if (getenv("CALLS_SHOW"))
			printf("calls: round %lu: %ld KiB are free\n", round, memory_free());
		if (round == 3)
			settled = memory_free();
	}
	last = memory_free();
	report();
	if (round > 8 && settled - last > 4096 + 16 * (long)round)
		printf("calls: WRONG: %ld KiB are gone after %lu rounds\n", settled - last, round);
	printf("calls: well, %s\n", round ? "to its end" : "but nothing was done");
	return 0;
}
