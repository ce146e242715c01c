/* SPDX-License-Identifier: MIT
 * What calls.c draws at random: numbers, addresses, names and structures, as a call's argument wants them. */
#ifndef FUZZ_CALLS_RANDOM_H
#define FUZZ_CALLS_RANDOM_H

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

#endif
