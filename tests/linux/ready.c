/* SPDX-License-Identifier: MIT
 * epoll, eventfd, timerfd, signalfd: results, errors, and what is told when, as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "asleep.h"
#include "say.h"

static int e, p[2], q[2];
static char b[65536];

static int add(int fd, unsigned events, unsigned long data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};
	return epoll_ctl(e, EPOLL_CTL_ADD, fd, &event);
}

static int change(int fd, unsigned events)
{
	struct epoll_event event = {.events = events, .data.u64 = 77};
	return epoll_ctl(e, EPOLL_CTL_MOD, fd, &event);
}

static int by_data(const void *a, const void *b)
{
	const struct epoll_event *x = a, *y = b;
	return (x->data.u64 > y->data.u64) - (x->data.u64 < y->data.u64);
}

static void told(const char *when)
{
	struct epoll_event got[8];
	int n = epoll_wait(e, got, 8, 0);
	qsort(got, n, sizeof(*got), by_data); /* their order is nobody's promise */
	printf("%s: %d", when, n);
	for (int i = 0; i < n; i++)
		printf(" (%x %lu)", got[i].events, (unsigned long)got[i].data.u64);
	printf("\n");
}

static void errors(void)
{
	struct epoll_event one = {.events = EPOLLIN};
	int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	T(epoll_create(0));
	T(epoll_create1(1));
	T(epoll_ctl(e, EPOLL_CTL_ADD, 99, &one));
	T(epoll_ctl(99, EPOLL_CTL_ADD, 0, &one));
	T(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &one));
	T(epoll_ctl(e, EPOLL_CTL_ADD, e, &one));
	T(epoll_ctl(e, EPOLL_CTL_ADD, p[0], NULL));
	T(epoll_ctl(e, EPOLL_CTL_DEL, p[0], NULL));
	T(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &one));
	T(epoll_ctl(e, 9, p[0], &one));
	T(add(file, EPOLLIN, 1));
	T(epoll_wait(e, &one, 0, 0));
	T(epoll_wait(p[0], &one, 1, 0));
	T(read(e, b, 8));
	close(file);
}

static void levels(void)
{
	T(add(p[0], EPOLLIN, 10));
	T(add(p[0], EPOLLIN, 10));
	T(add(p[1], EPOLLOUT, 11));
	told("empty pipe");
	write(p[1], "abc", 3);
	told("with three bytes");
	told("still");
	read(p[0], b, 1);
	told("two left");
	T(change(p[1], 0));
	read(p[0], b, 2);
	told("none, and no interest");
	write(p[1], "x", 1);
	T(change(p[0], EPOLLIN | EPOLLONESHOT));
	told("once");
	told("and not again");
	T(change(p[0], EPOLLIN | EPOLLONESHOT));
	told("armed again");
	read(p[0], b, 1);
}

static void edges(void)
{
	T(change(p[0], EPOLLIN | EPOLLET));
	told("edge: empty");
	write(p[1], "ab", 2);
	told("edge: came");
	told("edge: stays");
	write(p[1], "c", 1);
	told("edge: more came");
	read(p[0], b, 3);
	write(p[1], "d", 1);
	told("edge: taken, and more came between two looks");
	read(p[0], b, 1);
	told("edge: taken");
}

static void ends(void)
{
	T(change(p[0], EPOLLIN));
	close(p[1]);
	told("the writer is gone");
	int d = dup(p[0]);
	close(p[0]);
	told("a duplicate holds the file");
	close(d);
	told("closed");
}

static void nested(void)
{
	int outer = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 5};
	T(epoll_ctl(outer, EPOLL_CTL_ADD, e, &event));
	event.data.u64 = 6;
	T(epoll_ctl(e, EPOLL_CTL_ADD, outer, &event));
	pipe(q);
	T(add(q[0], EPOLLIN, 20));
	T(epoll_wait(outer, &event, 1, 0));
	write(q[1], "x", 1);
	T(epoll_wait(outer, &event, 1, 0));
	printf("from the outer: %lu\n", (unsigned long)event.data.u64);
	struct pollfd f = {.fd = outer, .events = POLLIN};
	T(poll(&f, 1, 0));
	close(outer);
	read(q[0], b, 1);
}

static void waiting(void)
{
	struct epoll_event event;
	T(epoll_wait(e, &event, 1, 20));
	fflush(stdout);
	if (!fork()) {
		usleep(30000);
		write(q[1], "y", 1);
		_exit(0);
	}
	T(epoll_wait(e, &event, 1, -1));
	printf("woken by %lu\n", (unsigned long)event.data.u64);
	wait(NULL);
}

static void counters(void)
{
	unsigned long v = 5;
	int c = eventfd(3, EFD_NONBLOCK), s = eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE);
	T(eventfd(0, 8));
	T(read(c, b, 7));
	T(write(c, &v, 8));
	T(read(c, &v, 8));
	printf("%lu\n", v);
	T(read(c, &v, 8));
	v = -1;
	T(write(c, &v, 8));
	v = -2;
	T(write(c, &v, 8));
	v = 1;
	T(write(c, &v, 8));
	T(pread(c, &v, 8, 0));
	for (int i = 0; i < 3; i++) {
		v = 0;
		T(read(s, &v, 8));
		printf("%lu\n", v);
	}
	struct pollfd f[2] = {{.fd = c, .events = POLLIN | POLLOUT},
			      {.fd = s, .events = POLLIN | POLLOUT}};
	T(poll(f, 2, 0));
	printf("%x %x\n", f[0].revents, f[1].revents);
	int w = eventfd(0, 0);
	fflush(stdout);
	if (!fork()) {
		v = 9;
		usleep(30000);
		write(w, &v, 8);
		_exit(0);
	}
	T(read(w, &v, 8));
	printf("%lu\n", v);
	wait(NULL);
}

static void timers(void)
{
	struct itimerspec at = {.it_value = {0, 20000000}, .it_interval = {0, 10000000}}, now;
	unsigned long v;
	int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	T(timerfd_create(99, 0));
	T(timerfd_create(CLOCK_MONOTONIC, 1));
	T(timerfd_settime(t, 8, &at, NULL));
	T(timerfd_settime(0, 0, &at, NULL));
	T(timerfd_settime(99, 0, &at, NULL));
	T(read(t, &v, 8));
	T(write(t, &v, 8));
	T(timerfd_settime(t, 0, &at, NULL));
	T(timerfd_gettime(t, &now));
	printf("%d %ld\n", now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20000000,
	       now.it_interval.tv_nsec);
	struct pollfd f = {.fd = t, .events = POLLIN};
	T(poll(&f, 1, -1));
	T(read(t, &v, 4));
	T(read(t, &v, 8));
	usleep(60000);
	T(read(t, &v, 8));
	printf("%d\n", v >= 4);
	at = (struct itimerspec){0};
	T(timerfd_settime(t, 0, &at, &now));
	printf("%ld\n", now.it_interval.tv_nsec);
	T(poll(&f, 1, 30));
	t = timerfd_create(CLOCK_REALTIME, 0);
	clock_gettime(CLOCK_REALTIME, &at.it_value);
	at.it_value.tv_nsec += 20000000;
	if (at.it_value.tv_nsec >= 1000000000)
		at.it_value.tv_sec++, at.it_value.tv_nsec -= 1000000000;
	T(timerfd_settime(t, TFD_TIMER_ABSTIME, &at, NULL));
	T(read(t, &v, 8));
	printf("%lu\n", v);
	at.it_value.tv_sec -= 100;
	T(timerfd_settime(t, TFD_TIMER_ABSTIME, &at, NULL));
	T(read(t, &v, 8));
	printf("%lu\n", v);
}

static void signals(void)
{
	struct signalfd_siginfo info[4];
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int s = signalfd(-1, &set, SFD_NONBLOCK);
	T(signalfd(-1, &set, 1));
	T(signalfd(99, &set, 0));
	T(signalfd(0, &set, 0));
	T(read(s, info, 100));
	T(read(s, info, sizeof(info)));
	struct pollfd f = {.fd = s, .events = POLLIN};
	T(poll(&f, 1, 0));
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 7});
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 8});
	T(poll(&f, 1, 0));
	T(read(s, info, sizeof(info)));
	for (int i = 0; i < 3; i++)
		printf("%d %d %d %d\n", info[i].ssi_signo, info[i].ssi_code,
		       info[i].ssi_pid == getpid(), info[i].ssi_int);
	sigdelset(&set, SIGUSR1);
	T(signalfd(s, &set, 0) == s);
	kill(getpid(), SIGUSR1);
	T(read(s, info, sizeof(info)));
	sigaddset(&set, SIGUSR1);
	signalfd(s, &set, 0);
	T(read(s, info, sizeof(info)));
	fcntl(s, F_SETFL, 0);
	fflush(stdout);
	if (!fork()) {
		usleep(30000);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	T(read(s, info, sizeof(info)));
	wait(NULL);
}

static void *closes(void *fd)
{
	until_asleep(getpid(), getpid());
	close((int)(long)fd);
	return NULL;
}

/* Select says that a descriptor is none when it begins; one that another thread closes meanwhile is ready. */
static void gone(void)
{
	struct timeval until = {.tv_usec = 700000};
	int end[2], path = open("/", O_PATH);
	pthread_t thread;
	fd_set in;

	pipe(end);
	FD_ZERO(&in);
	FD_SET(end[0], &in);
	pthread_create(&thread, NULL, closes, (void *)(long)end[0]);
	T(select(end[0] + 1, &in, NULL, NULL, &until));
	printf("closed meanwhile: %d\n", FD_ISSET(end[0], &in) != 0);
	pthread_join(thread, NULL);
	FD_SET(end[0], &in);
	T(select(end[0] + 1, &in, NULL, NULL, &until));
	FD_ZERO(&in);
	FD_SET(path, &in);
	T(select(path + 1, &in, NULL, NULL, &until));
	close(path);
	close(end[1]);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	e = epoll_create1(EPOLL_CLOEXEC);
	pipe(p);
	errors();
	levels();
	edges();
	ends();
	nested();
	waiting();
	counters();
	timers();
	signals();
	gone();
	return 0;
}
