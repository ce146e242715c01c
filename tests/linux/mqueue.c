/* SPDX-License-Identifier: MIT
 * POSIX message queues: results and errors as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "asleep.h"
#include "say.h"

static char name[32], b[9000];

static void attributes(mqd_t q)
{
	struct mq_attr a;
	T(mq_getattr(q, &a));
	printf("flags %lo most %ld bytes %ld now %ld\n", a.mq_flags, a.mq_maxmsg, a.mq_msgsize,
	       a.mq_curmsgs);
}

static volatile int heard;
static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	heard = 1;
	printf("signal %d code %d value %d by me %d\n", sig - SIGRTMIN, info->si_code,
	       info->si_value.sival_int, info->si_pid == getpid());
}

static void receive(mqd_t q)
{
	unsigned priority = 99;
	memset(b, 0, sizeof(b));
	T(mq_receive(q, b, sizeof(b), &priority));
	printf("%u %.20s\n", priority, b);
}

int main(void)
{
	struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 100};
	struct timespec soon;
	setvbuf(stdout, NULL, _IONBF, 0);
	sprintf(name, "/aril-%d", getpid());
	T(mq_open(name, O_RDWR));
	T(mq_open("/", O_RDWR));
	T(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL));
	T(mq_unlink(name));
	a.mq_maxmsg = 0;
	T(mq_open(name, O_RDWR | O_CREAT, 0600, &a));
	a.mq_maxmsg = 3;
	mqd_t q = mq_open(name, O_RDWR | O_CREAT, 0620, &a);
	printf("open: %d\n", q > 0);
	T(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a));
	attributes(q);
	struct stat st;
	fstat(q, &st);
	printf("%o %ld\n", st.st_mode, (long)st.st_size);
	T(fcntl(q, F_GETFD));
	T(mq_send(q, "low", 4, 1));
	T(mq_send(q, "high", 5, 9));
	T(mq_send(q, "low too", 8, 1));
	attributes(q);
	struct pollfd p = {q, POLLIN | POLLOUT, 0};
	T(poll(&p, 1, 0));
	printf("%x\n", p.revents);
	clock_gettime(CLOCK_REALTIME, &soon);
	T(mq_timedsend(q, "full", 5, 0, &soon));
	soon.tv_nsec = -1;
	T(mq_timedsend(q, "full", 5, 0, &soon));
	T(mq_send(q, b, 101, 0));
	T(mq_send(q, "x", 1, 32768));
	T(mq_receive(q, b, 99, NULL));
	receive(q);
	receive(q);
	receive(q);
	a.mq_flags = O_NONBLOCK;
	T(mq_setattr(q, &a, NULL));
	attributes(q);
	receive(q);
	a.mq_flags = 0;
	T(mq_setattr(q, &a, NULL));
	clock_gettime(CLOCK_REALTIME, &soon);
	T(mq_timedreceive(q, b, sizeof(b), NULL, &soon));
	T(poll(&p, 1, 0));
	printf("%x\n", p.revents);
	/* who reads gets a number */
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	sigaction(SIGRTMIN, &act, NULL);
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	e.sigev_value.sival_int = 17;
	T(mq_notify(q, &e));
	T(mq_notify(q, &e));
	T(mq_send(q, "tell", 5, 0));
	printf("heard %d\n", heard);
	heard = 0;
	T(mq_send(q, "once only", 10, 0));
	printf("heard %d\n", heard);
	receive(q);
	receive(q);
	T(mq_notify(q, &e));
	T(mq_notify(q, NULL));
	T(mq_send(q, "nobody", 7, 0));
	printf("heard %d\n", heard);
	receive(q);
	/* a child waits for a message, then for room */
	fflush(stdout);
	int said[2];
	char byte;
	pipe(said);
	pid_t pid = fork();
	if (!pid) {
		receive(q);
		write(said[1], "x", 1);
		for (int i = 0; i < 20; i++)
			mq_send(q, "many", 5, (unsigned)i % 3);
		_exit(0);
	}
	until_asleep(pid, pid);
	int n = mq_send(q, "for the child", 14, 3);
	read(said[0], &byte, 1);
	printf("sent: %d\n", n);
	until_asleep(pid, pid);
	n = 0;
	for (int i = 0; i < 20; i++)
		n += mq_receive(q, b, sizeof(b), NULL) == 5;
	printf("%d messages\n", n);
	waitpid(pid, NULL, 0);
	mqd_t r = mq_open(name, O_RDONLY), w = mq_open(name, O_WRONLY | O_NONBLOCK);
	T(mq_send(r, "x", 1, 0));
	T(mq_receive(w, b, sizeof(b), NULL));
	T(mq_send(1, "x", 1, 0));
	attributes(w);
	pid = fork();
	if (!pid) {
		setresuid(1000, 1000, 1000);
		T(mq_open(name, O_RDONLY));
		a.mq_maxmsg = 11;
		T(mq_open("/aril-other", O_RDWR | O_CREAT, 0600, &a));
		setrlimit(RLIMIT_MSGQUEUE, &(struct rlimit){1000, 1000});
		a.mq_maxmsg = 10;
		T(mq_open("/aril-other", O_RDWR | O_CREAT, 0600, &a));
		T(mq_unlink(name));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	T(mq_unlink(name));
	T(mq_unlink(name));
	T(mq_send(q, "still", 6, 0));
	receive(r);
	T(mq_close(q));
	T(mq_close(q));
	return 0;
}
