/* SPDX-License-Identifier: MIT
 * What talk_random.c's calls are drawn with and said by, and those of pipes. */
#ifndef TESTS_LINUX_TALK_RANDOM_H
#define TESTS_LINUX_TALK_RANDOM_H

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST 3 /* descriptors from here are the generator's */
#define MOST 40
#define BUFFER 140000
#define BUDGET \
	60000 /* bytes to sockets, each message counted with 1024 more, before all are emptied */
#define NAMES 4

static unsigned long seed;
static unsigned char data[BUFFER], into[BUFFER];
static unsigned
	stamp; /* where in data the next bytes written begin, so that each write's are its own */
static int open_fds[MOST], open_count;
static int spent, broken_pipes;
static int queue, semaphores;
static char private_name[16]; /* makes abstract names this process's own */

static unsigned drawn(unsigned n)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)(seed >> 33) % n;
}

#define ONE_OF(table) ((table)[drawn(sizeof(table) / sizeof(*(table)))])

static long say(const char *what, long result)
{
	printf("%s = %ld", what, result);
	if (result == -1)
		printf(" errno %d", errno);
	printf("\n");
	return result;
}

static unsigned hash_of(const unsigned char *p, long n)
{
	unsigned h = 2166136261u;
	for (long i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static unsigned char *bytes_new(void)
{
	stamp = (stamp + 97) % 20011;
	return data + stamp;
}

static void fds_look(void)
{
	open_count = 0;
	for (int fd = FIRST; fd < FIRST + MOST; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			open_fds[open_count++] = fd;
}

/* An open descriptor, now and then a closed one. */
static int any(void)
{
	fds_look();
	return open_count && drawn(40) ? open_fds[drawn((unsigned)open_count)] : FIRST + MOST + 1;
}

static int is(int fd, unsigned type)
{
	struct stat s;
	return !fstat(fd, &s) && (s.st_mode & S_IFMT) == type;
}

static int any_of(unsigned type)
{
	for (int i = 0; i < 12; i++) {
		int fd = any();
		if (is(fd, type))
			return fd;
	}
	return any();
}

static int any_socket(void)
{
	return any_of(S_IFSOCK);
}

static int any_pipe(void)
{
	return any_of(S_IFIFO);
}

/* Room for two more; otherwise some are closed. */
static void room(void)
{
	fds_look();
	while (open_count > 24) {
		close(open_fds[drawn((unsigned)open_count)]);
		fds_look();
	}
}

static unsigned size_any(void)
{
	static const unsigned sizes[] = {0,    1,    2,	   17,	  100,	 511,	1000,  4095,
					 4096, 4097, 8192, 10000, 65535, 65536, 65537, 100000};
	return drawn(3) ? ONE_OF(sizes) : drawn(9000);
}

static unsigned size_small(void)
{
	static const unsigned sizes[] = {0, 1, 3, 8, 100, 1000, 2000};
	return ONE_OF(sizes);
}

static void sockets_empty(void)
{
	fds_look();
	for (int i = 0; i < open_count; i++) {
		if (!is(open_fds[i], S_IFSOCK))
			continue;
		long n, turns = 0;
		while ((n = recv(open_fds[i], into, sizeof into, MSG_DONTWAIT)) >= 0 &&
		       turns++ < 300)
			if (n == 0 && recv(open_fds[i], into, 1, MSG_DONTWAIT | MSG_PEEK) <= 0)
				break;
		printf("emptied %d after %ld, %ld\n", open_fds[i], turns, n < 0 ? -errno : n);
	}
	spent = 0;
}

/* At most so much that it does not matter how Linux shares a pipe's pages out: an eighth of what it holds, or anything where it is
 * empty. */
static unsigned pipe_room(int fd, unsigned size)
{
	int pending = 0, most = fcntl(fd, F_GETPIPE_SZ) / 8;
	if (!is(fd, S_IFIFO))
		return size;
	ioctl(fd, FIONREAD, &pending);
	if (!pending || pending + (int)size <= most)
		return size;
	return pending < most ? 1 : 0;
}

/* The size of a write to fd. */
static unsigned size_for(int fd)
{
	unsigned size = size_small();
	if (is(fd, S_IFIFO))
		return pipe_room(fd, size_any());
	if (!is(fd, S_IFSOCK))
		return size;
	spent += (int)size + 1024;
	if (spent > BUDGET)
		sockets_empty();
	return size;
}

static void do_pipe(void)
{
	static const int flags[] = {0, 0, O_CLOEXEC, O_APPEND};
	int p[2] = {-1, -1};
	room();
	say("pipe", pipe2(p, O_NONBLOCK | ONE_OF(flags)));
	printf("pipe %d %d\n", p[0], p[1]);
}

static void do_fifo(void)
{
	static const int ways[] = {O_RDONLY, O_WRONLY, O_RDWR};
	static const char *names[] = {"f0", "f1"};
	const char *name = ONE_OF(names);
	room();
	if (drawn(6) == 0)
		say("unlink fifo", unlink(name));
	int way = ONE_OF(ways);
	if (way == O_RDONLY)
		unlink(name); /* of one that had writers before, Linux says POLLHUP to former readers alone */
	say("mkfifo", mkfifo(name, 0600));
	printf("%s way %d: ", name, way);
	say("open fifo", open(name, way | O_NONBLOCK | (drawn(2) ? O_CLOEXEC : 0)));
}

static void do_pipe_size(void)
{
	static const int sizes[] = {0, 1, 4096, 4097, 8192, 16384, 65536, 131072, 1048576, -1};
	int fd = any_pipe(), size = ONE_OF(sizes);
	if (drawn(2) && pipe_room(fd, 100000) == 100000) {
		printf("fd %d %d: ", fd, size);
		say("setpipe", fcntl(fd, F_SETPIPE_SZ, size));
	}
	printf("fd %d: ", fd);
	say("getpipe", fcntl(fd, F_GETPIPE_SZ));
}

static void do_write(void)
{
	int fd = drawn(2) ? any() : any_pipe();
	unsigned size = size_for(fd);
	printf("fd %d size %u: ", fd, size);
	say("write", write(fd, bytes_new(), size));
}

static void do_read(void)
{
	int fd = drawn(2) ? any() : any_pipe();
	unsigned size = size_any();
	printf("fd %d size %u: ", fd, size);
	long n = say("read", read(fd, into, size));
	if (n == sizeof(struct signalfd_siginfo) && *(unsigned *)into < 65 && !is(fd, S_IFIFO) &&
	    !is(fd, S_IFSOCK)) {
		struct signalfd_siginfo *s = (void *)into;
		printf("signal %u code %d value %d\n", s->ssi_signo, s->ssi_code, s->ssi_int);
	} else if (n > 0 && n % (long)sizeof(struct signalfd_siginfo)) {
		printf("bytes %x\n", hash_of(into, n));
	}
}

static int vector_make(struct iovec *v, unsigned char *p, unsigned size)
{
	int n = (int)drawn(5);
	for (int i = 0; i < n; i++) {
		unsigned part = drawn(3) ? drawn(size + 1) : 0;
		v[i] = (struct iovec){p, part};
		p += part;
		size -= part;
	}
	return n;
}

static void do_vectors(void)
{
	struct iovec v[5];
	int fd = any();
	if (drawn(2)) {
		unsigned size = size_for(fd);
		int n = vector_make(v, bytes_new(), size > 4096 ? 4096 : size);
		printf("fd %d parts %d: ", fd, n);
		say("writev", writev(fd, v, n));
	} else {
		if (!is(fd, S_IFSOCK) && !is(fd, S_IFIFO))
			return; /* of what gives records, each part is a read of its own, or not */
		int n = vector_make(v, into, size_any());
		printf("fd %d parts %d: ", fd, n);
		long got = say("readv", readv(fd, v, n));
		printf("bytes %x\n", hash_of(into, got));
	}
}

static void do_splice(void)
{
	int from = any_pipe(), to = drawn(4) ? any_pipe() : any(),
	    flags = SPLICE_F_NONBLOCK | (drawn(2) ? SPLICE_F_MOVE : 0);
	unsigned size = is(to, S_IFSOCK) ? size_for(to) : size_any();
	if (!is(to, S_IFSOCK) &&
	    (pipe_room(to, 100000) != 100000 || fcntl(to, F_GETPIPE_SZ) < 65536))
		return; /* into empty ones only: each takes pages of its own */
	printf("from %d to %d size %u: ", from, to, size);
	switch (drawn(3)) {
	case 0:
		say("tee", tee(from, to, size, (unsigned)flags));
		break;
	case 1:
		say("splice", drawn(6) ? splice(from, 0, to, 0, size, (unsigned)flags)
				       : splice(to, 0, from, 0, size, (unsigned)flags));
		break;
	default: {
		struct iovec v[5];
		/* the pages stay the pipe's: from bytes that no one changes */
		int n = vector_make(v, bytes_new(), size > 8192 ? 8192 : size);
		say("vmsplice", vmsplice(to, v, (unsigned)n, (unsigned)flags));
	}
	}
}

#endif
