/* SPDX-License-Identifier: MIT
 * Threads that read, write, wait for and move between files of every kind, while others close and make them anew: each
 * call ends by itself or by a signal, what it slept in stays until then, and everything goes on. As on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define SLOTS 16
#define USERS 6
#define CLOSERS 2

static _Atomic int slot[SLOTS][2];
static pthread_mutex_t making[SLOTS];
static atomic_int stop;
static atomic_long calls, made, slept;

static unsigned drawn(unsigned *seed, unsigned most)
{
	return (unsigned)rand_r(seed) % most;
}

static void ignore(int sig)
{
	(void)sig;
}

static void pty_make(int fd[2])
{
	char name[32];
	int n = -1, unlock = 0;
	fd[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (ioctl(fd[0], 0x40045431, &unlock) || ioctl(fd[0], 0x80045430, &n))
		return;
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	fd[1] = open(name, O_RDWR | O_NOCTTY);
}

static void fifo_make(int fd[2], int n)
{
	char name[64];
	snprintf(name, sizeof(name), "/tmp/closing-%d-%d", getpid(), n);
	mkfifo(name, 0600);
	fd[0] = open(name, O_RDWR | O_NONBLOCK);
	fd[1] = open(name, O_WRONLY);
	unlink(name);
}

static void make(unsigned *seed, int n, int fd[2])
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	struct itimerspec often = {{0, 3000000}, {0, 1000000}};
	struct epoll_event e = {EPOLLIN | EPOLLOUT, {.fd = n}};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	fd[0] = fd[1] = -1;
	switch (drawn(seed, 9)) {
	case 0:
	case 1:
		pipe(fd);
		break;
	case 2:
		socketpair(AF_UNIX, types[drawn(seed, 3)], 0, fd);
		break;
	case 3:
		fd[0] = eventfd(0, 0);
		fd[1] = dup(fd[0]);
		break;
	case 4:
		fd[0] = timerfd_create(CLOCK_MONOTONIC, 0);
		timerfd_settime(fd[0], 0, &often, NULL);
		fd[1] = signalfd(-1, &set, 0);
		break;
	case 5:
		fd[0] = memfd_create("closing", 0);
		ftruncate(fd[0], 300000);
		fd[1] = dup(fd[0]);
		break;
	case 6:
		pty_make(fd);
		break;
	case 7:
		fifo_make(fd, n);
		break;
	default:
		fd[0] = epoll_create1(0);
		for (int i = 0; i < 3; i++)
			epoll_ctl(fd[0], EPOLL_CTL_ADD, slot[drawn(seed, SLOTS)][i & 1], &e);
		fd[1] = inotify_init1(0);
	}
	made++;
}

static void *closes(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	while (!stop) {
		int n = (int)drawn(&seed, SLOTS), fd[2];
		pthread_mutex_lock(&making[n]);
		for (int i = 0; i < 2; i++) {
			int old = atomic_exchange(&slot[n][i], -1);
			if (old >= 0)
				close(old);
			if (drawn(&seed, 4) == 0)
				usleep(drawn(&seed, 300));
		}
		make(&seed, n, fd);
		slot[n][0] = fd[0];
		slot[n][1] = fd[1];
		pthread_mutex_unlock(&making[n]);
		usleep(drawn(&seed, 500));
	}
	return NULL;
}

static long use(unsigned *seed, char *room, size_t size)
{
	int one = slot[drawn(seed, SLOTS)][drawn(seed, 2)];
	int two = slot[drawn(seed, SLOTS)][drawn(seed, 2)];
	size_t n = drawn(seed, 4) ? drawn(seed, 64) + 1 : drawn(seed, (unsigned)size);
	struct iovec v[] = {{room, n / 2}, {room + n / 2, n - n / 2}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
	struct pollfd p[] = {{one, (short)(drawn(seed, 2) ? POLLIN : POLLERR), 0},
			     {two, POLLIN, 0}};
	struct epoll_event e[8];
	off_t from = 0;
	switch (drawn(seed, 16)) {
	case 0:
	case 1:
		return read(one, room, n);
	case 2:
		return readv(one, v, 2);
	case 3:
	case 4:
		return write(one, room, n);
	case 5:
		return writev(one, v, 2);
	case 6:
		return sendfile(one, two, drawn(seed, 2) ? &from : NULL, n);
	case 7:
		return splice(one, NULL, two, NULL, n, 0);
	case 8:
		return tee(one, two, n, 0);
	case 9:
		return recvmsg(one, &m, drawn(seed, 2) ? MSG_WAITALL : 0);
	case 10:
		return sendmsg(one, &m, 0);
	case 11:
		return poll(p, 2, 5);
	case 12:
		return epoll_wait(one, e, 8, 5);
	case 13:
		return flock(one, drawn(seed, 2) ? LOCK_EX : LOCK_UN);
	case 14:
		return vmsplice(one, v, 2, 0);
	default:
		return copy_file_range(one, NULL, two, NULL, n, 0);
	}
}

static void *uses(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	char *room = malloc(70000);
	memset(room, 'x', 70000);
	while (!stop) {
		long result = use(&seed, room, 70000);
		calls++;
		slept += result == -1 && errno == EINTR;
	}
	free(room);
	return NULL;
}

int main(void)
{
	struct sigaction a = {.sa_handler = ignore};
	pthread_t user[USERS], closer[CLOSERS];
	sigaction(SIGUSR1, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
	alarm(100);
	for (int i = 0; i < SLOTS; i++) {
		slot[i][0] = slot[i][1] = -1;
		pthread_mutex_init(&making[i], NULL);
	}
	for (uintptr_t i = 0; i < CLOSERS; i++)
		pthread_create(&closer[i], NULL, closes, (void *)(i + 1));
	for (uintptr_t i = 0; i < USERS; i++)
		pthread_create(&user[i], NULL, uses, (void *)(i + 100));
	/* until enough has happened; whoever sleeps for what does not come, is called */
	while (made < 2000 || calls < 4000 || slept < 100) {
		usleep(2000);
		pthread_kill(user[rand() % USERS], SIGUSR1);
	}
	stop = 1;
	for (int i = 0; i < CLOSERS; i++)
		pthread_join(closer[i], NULL);
	for (int i = 0; i < USERS; i++)
		while (pthread_tryjoin_np(user[i], NULL)) {
			pthread_kill(user[i], SIGUSR1);
			usleep(1000);
		}
	printf("and all ended\n");
	return 0;
}
