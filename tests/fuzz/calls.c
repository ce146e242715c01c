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

/* ---- what is random ---- */
static __thread uint64_t state;

static uint64_t draw(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t below(uint64_t n)
{
	return draw() % n;
}

#define PICK(...)                                           \
	({                                                  \
		static const uint64_t of[] = {__VA_ARGS__}; \
		of[below(sizeof(of) / sizeof(of[0]))];      \
	})

static uint8_t *arena;

static uint64_t number(void)
{
	switch (below(8)) {
	case 0:
		return PICK(0x7fffffff, 0x80000000, 0xffffffff, 1ul << 32, 1ul << 47, 1ul << 63,
			    ~0ul, ~0ul << 12, 0x7d0000000000 - 4096, 1ul << 40);
	case 1:
		return 1ul << below(64);
	case 2:
		return 1ul << below(20) | 1ul << below(20);
	case 3:
		return PICK(4095, 4096, 4097, 8192, 65536, 65535, 16384);
	case 4:
		return PICK(8, 16, 24, 56, 64, 88, 100, 128, 144);
	default:
		return below(9);
	}
}

static uint64_t address(void)
{
	switch (below(20)) {
	case 0:
		return 0;
	case 1: /* ExOS's, the kernel's, what lies between, and nobody's */
		return PICK(0x7e0000000000, 0x7e0000001000, 0x7f0000000000, 0x7f0000001008,
			    0x7d0000000000 - 8, 0x7d0000000000, 0x7ffffffff000, 0x800000000000,
			    0xffff800000000000, 0xffffffff80000000, ~0ul, ~0ul - 7, 0x7c0000000000,
			    4096) +
		       (below(2) ? below(1 << 20) * 8 : 0);
	case 2: /* across the end of what may be written, or is there */
		return (uint64_t)arena + (ARENA + below(2)) * PAGE - below(64);
	case 3:
		return (uint64_t)arena + below(ARENA + 2) * PAGE;
	default:
		return (uint64_t)arena + below(ARENA * PAGE / 8 - 32) * 8;
	}
}

static uint64_t descriptor(void)
{
	return below(16) ? below(24) : PICK(~0ul, 63, 64, 1000, 0x7fffffff, 0x80000000, 1ul << 32);
}

/* Somebody's number: mostly one's own, or near. */
static uint64_t somebody(void)
{
	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return (uint64_t) - (int64_t)below(3);
	case 2:
		return (uint64_t)syscall(SYS_gettid);
	case 3:
		return (uint64_t)getppid();
	case 4:
		return (uint64_t)-getpid();
	default:
		return (uint64_t)getpid() + below(7) - 3;
	}
}

static const char *const names[] = {"f0",
				    "f1",
				    "f2",
				    "f3",
				    "f0",
				    "f1",
				    "d0",
				    "d0/f4",
				    "d0/d1",
				    "d0/d1/f5",
				    "l0",
				    "l1",
				    "s0",
				    "s1",
				    "p0",
				    "d0/..",
				    "./f0",
				    "",
				    "/",
				    "/tmp",
				    "..",
				    ".",
				    "/dev/null",
				    "/dev/zero",
				    "/dev/ptmx",
				    "/dev/tty",
				    "/dev/full",
				    "/dev/urandom",
				    "/proc/self/maps",
				    "/proc/self/status",
				    "/proc/self/fd/3",
				    "/proc/self/fd",
				    "/proc/self/mem",
				    "/proc/self/cwd",
				    "/proc/self/exe",
				    "/proc/self/task",
				    "/proc/1/stat",
				    "/proc/1/maps",
				    "/proc",
				    "/proc/meminfo",
				    "/proc/self/environ",
				    "/proc/self/cwd/f0",
				    "/proc/mounts",
				    "/dev/pts/0",
				    "/dev/shm/m0",
				    "/dev/mqueue",
				    "q0",
				    "/q0",
				    "/q1",
				    "/bin/busybox",
				    "/nothing/f",
				    "f0/",
				    "d0//d1/./../f4",
				    "user.a",
				    "user.b",
				    "trusted.c",
				    "/sys",
				    "/proc/self/smaps",
				    "/proc/sysvipc/shm",
				    "/proc/self/stat",
				    "/proc/self/comm",
				    "/proc/self/oom_score_adj",
				    "/proc/self/task/1/stat"};

static uint64_t name(void)
{
	static __thread char text[4][4200];
	char *to = text[below(4)];

	switch (below(24)) {
	case 0:
		return address();
	case 1: { /* long */
		uint64_t n = PICK(100, 240, 247, 248, 255, 256, 257, 4094, 4095, 4096);
		memset(to, 'n', n);
		for (uint64_t i = 0; below(2) && i < n; i += 1 + below(200))
			to[i] = '/';
		to[n] = 0;
		return (uint64_t)to;
	}
	case 2: { /* its end where nothing lies behind */
		const char *from = names[below(sizeof(names) / sizeof(names[0]))];
		uint64_t n = strlen(from) + below(2);
		return (uint64_t)memcpy(arena + ARENA * PAGE - n, from, n);
	}
	default:
		return (uint64_t)strcpy(to, names[below(sizeof(names) / sizeof(names[0]))]);
	}
}

/* Writes what a structure could be. */
static void fill(uint64_t at)
{
	uint64_t words[24], kind = below(8), n = 24;

	if (at < (uint64_t)arena || at + sizeof(words) > (uint64_t)arena + ARENA * PAGE)
		return;
	for (uint64_t i = 0; i < n; i++)
		switch (kind) {
		case 0:
			words[i] = 0;
			break;
		case 1: /* iovec, msghdr, sigaction, stack_t */
			words[i] = i & 1 ? number() : address();
			break;
		case 2: /* pollfd, epoll_event, sembuf, flock */
			words[i] = descriptor() | number() << 32;
			break;
		case 3: /* timespec, itimerspec, rlimit */
			words[i] = i & 1 ? below(2000000) : 0;
			break;
		case 4:
			words[i] = number();
			break;
		case 5: /* sockaddr_un */
			words[i] = !i ? 1 | (0x30ul | 0x100 * below(2)) << 24 | 's' << 16 : 0;
			break;
		case 6: /* clone_args, open_how: small ones */
			words[i] = below(3) ? 0 : below(1 << 12);
			break;
		default:
			words[i] = address();
		}
	memcpy((void *)at, words, sizeof(words));
}

static uint64_t structure(void)
{
	uint64_t at = address();

	if (below(4))
		fill(at);
	return at;
}

/* What execve gets: this program again, as a worker. */
static uint64_t vector(void)
{
	static __thread char seed[24];
	static __thread char *of[4];

	if (!below(8))
		return structure();
	snprintf(seed, sizeof(seed), "%lu", draw());
	of[0] = "calls", of[1] = "again", of[2] = seed, of[3] = NULL;
	return (uint64_t)of;
}

static uint64_t argument(char kind, uint32_t call)
{
	switch (kind) {
	case 'f':
	case 'D':
		return kind == 'D' && below(2) ? (uint64_t)AT_FDCWD : descriptor();
	case 's':
		if (calls[call].number == SYS_execve && below(3))
			return (uint64_t)self;
		return name();
	case 'a':
	case 'e':
		return vector();
	case 'S':
		return below(8) ? 1 + below(31) : number();
	case 'd':
		return below(3) ? somebody() : number();
	case 'F':
		return below(2) ? below(12) : 1024 + below(20);
	case 'i':
		return PICK(TCGETS, TCSETS, TCSETSW, TIOCGWINSZ, TIOCSWINSZ, FIONREAD, FIONBIO,
			    TIOCGPTN, TIOCSPTLCK, TIOCSCTTY, TIOCNOTTY, TIOCGPGRP, TIOCSPGRP,
			    TCFLSH, TIOCSTI, FIOCLEX, TIOCGSID, TIOCPKT, TCXONC, TCSBRK, TIOCOUTQ,
			    TIOCGPTPEER);
	case 'O':
	case 'G':
		return PICK(0, 1, 2, O_CREAT | 2, O_CREAT | O_TRUNC | 1, O_APPEND | 1, O_NONBLOCK,
			    O_CLOEXEC, O_DIRECTORY, O_PATH, O_TMPFILE | 2, O_NONBLOCK | 2,
			    O_CREAT | O_EXCL | 2) |
		       (below(8) ? 0 : number());
	case 'o':
		return below(01000) | (below(4) ? 0600 : 0);
	case 'm':
		return below(8);
	case 'M':
		return PICK(MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS, MAP_PRIVATE,
			    MAP_SHARED, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			    MAP_SHARED | MAP_FIXED, MAP_PRIVATE | MAP_FIXED) |
		       (below(8) ? 0 : number());
	case 'c': /* mostly a process, or a thread that ends at once */
		return below(2) ? 17 : 17 | (number() & 0xffffff00);
	case 'C':
		return below(12);
	case 'r':
		return below(17);
	case 'y':
		return below(6);
	case 'W':
		return below(2) ? WNOHANG : number();
	case 't': {
		struct timespec *t = (void *)(arena + below(ARENA * PAGE / 8 - 4) * 8);
		if (!below(4))
			return structure();
		t->tv_sec = 0, t->tv_nsec = (long)below(3000000);
		return (uint64_t)t;
	}
	case 'p':
	case 'b':
	case 'B':
	case 'P':
	case 'q':
	case 'w':
	case 'j':
	case 'J':
	case 'k':
	case 'K':
	case 'T':
	case 'R':
	case 'L':
		return structure();
	default:
		return number();
	}
}

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
	if (round > 8 && settled - last > 1024 + 4 * (long)round)
		printf("calls: WRONG: %ld KiB are gone after %lu rounds\n", settled - last, round);
	printf("calls: well, %s\n", round ? "to its end" : "but nothing was done");
	return 0;
}
