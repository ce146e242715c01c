/* SPDX-License-Identifier: MIT
 * Descriptors that talk, at random: pipes, FIFOs, UNIX sockets, eventfds, timerfds, signalfds, epoll, message queues and
 * semaphores in calls drawn by a generator of its own, so that the host and Aril make the same ones. Each call's result and error is
 * printed, and every few calls what poll, FIONREAD and fcntl say of every descriptor. One thread, and everything is non-blocking:
 * nothing waits. Arguments: the first seed, how many seeds, calls for each; without any, those of main.
 *
 * Left out is what depends on a machine: a socket's queue is emptied before the bytes that Linux counts for a message's
 * own frame could decide, a pipe that is not empty gets little, so that Linux's sharing out of its pages does not, and a
 * socket is passed through itself only where it is received at once, as Linux frees a ring of sockets whenever it comes to
 * it. Left out as well is what Aril does not have: O_DIRECT pipes, MSG_OOB, SO_PEEK_OFF and SO_RCVLOWAT, the size of a
 * message queue's file. Where a single case is avoided, a comment says what differs. */
#define _GNU_SOURCE
#include "talk_sockets.h"

static void do_counter(void)
{
	static const unsigned long values[] = {
		0, 1, 5, 0xfffffffffffffffeul, 0xfffffffffffffffful, 0xfffffffffffffff0ul};
	room();
	if (drawn(3) == 0) {
		int flags = EFD_NONBLOCK | (drawn(2) ? EFD_SEMAPHORE : 0);
		printf("flags %x: ", flags);
		say("eventfd", eventfd(drawn(5), flags));
		return;
	}
	int fd = any_of(0);
	unsigned long value = ONE_OF(values);
	printf("fd %d value %lx: ", fd, value);
	if (is(fd, S_IFSOCK) || is(fd, S_IFIFO))
		say("none", 0);
	else
		say("write", write(fd, &value, drawn(8) ? 8 : 4));
}

static void do_timer(void)
{
	struct itimerspec hour = {.it_value = {drawn(2) ? 3600 : 0, 0},
				  .it_interval = {drawn(2) ? 7200 : 0, drawn(6) ? 0 : 1000000000}},
			  is_now;
	room();
	if (drawn(2)) {
		say("timerfd",
		    timerfd_create(drawn(2) ? CLOCK_MONOTONIC : CLOCK_REALTIME, TFD_NONBLOCK));
		return;
	}
	int fd = any_of(0);
	printf("fd %d: ", fd);
	if (say("settime", timerfd_settime(fd, 0, &hour, &is_now)) == 0)
		printf("was %d %ld\n", is_now.it_value.tv_sec > 3000,
		       (long)is_now.it_interval.tv_sec);
	if (say("gettime", timerfd_gettime(fd, &is_now)) == 0)
		printf("now %d %ld\n", is_now.it_value.tv_sec > 3000,
		       (long)is_now.it_interval.tv_sec);
}

static void do_signal(void)
{
	const int signals[] = {SIGUSR1, SIGUSR2, SIGRTMIN};
	sigset_t set;
	sigemptyset(&set);
	for (int i = 0; i < 3; i++)
		if (drawn(2))
			sigaddset(&set, signals[i]);
	room();
	int fd = drawn(4) ? -1 : any_of(0), signal = ONE_OF(signals);
	if (drawn(3) == 0) {
		printf("fd %d: ", fd);
		say("signalfd", signalfd(fd, &set, SFD_NONBLOCK));
	} else if (drawn(2)) {
		say("kill", kill(getpid(), signal));
	} else {
		say("sigqueue", sigqueue(getpid(), signal, (union sigval){(int)drawn(99)}));
	}
}

static int by_tag(const void *a, const void *b)
{
	const struct epoll_event *x = a, *y = b;
	return x->data.u64 < y->data.u64 ? -1 : x->data.u64 > y->data.u64;
}

static int anonymous(int fd, const char *kind)
{
	char link[40], what[40] = {0};
	sprintf(link, "/proc/self/fd/%d", fd);
	return readlink(link, what, sizeof what - 1) > 0 && strstr(what, kind);
}

static int in_child;
static void do_epoll(void)
{
	static const unsigned ways[] = {0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT,
					EPOLLEXCLUSIVE};
	struct epoll_event e = {.events = drawn(2) ? EPOLLIN | EPOLLOUT : drawn(8)}, got[64];
	room();
	e.events |= drawn(3) ? ONE_OF(ways) : EPOLLRDHUP;
	if (drawn(7) == 0) {
		say("epoll", epoll_create1(drawn(2) ? EPOLL_CLOEXEC : 0));
		return;
	}
	int fd = -1;
	for (int i = 0; i < 30; i++) {
		fd = any_of(0);
		if (anonymous(fd, "eventpoll"))
			break;
	}
	int operation = (int)drawn(drawn(9) ? 4 : 5) + (drawn(2) ? 0 : 1), other = any();
	if (in_child && anonymous(other, "signalfd"))
		return; /* on Linux it would hear of this child's signals for ever, and of no others */
	e.data.u64 = (unsigned long)other * 1000 + drawn(10);
	printf("fd %d: ", fd);
	if (operation >= 1 && operation <= 3 && drawn(3)) {
		printf("op %d of %d events %x ", operation, other, e.events);
		say("epoll_ctl", epoll_ctl(fd, operation, other, &e));
		return;
	}
	long n = say("epoll_wait", epoll_wait(fd, got, 64, 0));
	if (n > 0)
		qsort(got, (size_t)n, sizeof got[0], by_tag);
	for (long i = 0; i < n; i++)
		printf(" %lu:%x", (unsigned long)got[i].data.u64, got[i].events);
	printf("\n");
}

static void do_copies(void)
{
	int fd = any(), other = FIRST + (int)drawn(20);
	room();
	printf("fd %d other %d: ", fd, other);
	switch (drawn(6)) {
	case 0:
		say("dup", dup(fd));
		break;
	case 1:
		say("dup2", dup2(fd, other));
		break;
	case 2:
		say("dupfd", fcntl(fd, drawn(2) ? F_DUPFD : F_DUPFD_CLOEXEC, other));
		break;
	default:
		say("close", close(fd));
	}
}

static void do_flags(void)
{
	static const int flags[] = {0, O_APPEND, O_NOATIME};
	int fd = any(), one = 1, none = 0, pending = -7;
	printf("fd %d: ", fd);
	switch (drawn(6)) {
	case 0:
		say("setfl", fcntl(fd, F_SETFL, O_NONBLOCK | ONE_OF(flags)));
		break;
	case 1:
		say("getfl", fcntl(fd, F_GETFL));
		break;
	case 2:
		say("setfd", fcntl(fd, F_SETFD, (int)drawn(2)));
		break;
	case 3:
		say("blocking", ioctl(fd, FIONBIO, &none));
		say("getfl", fcntl(fd, F_GETFL));
		say("again not", ioctl(fd, FIONBIO, &one));
		break;
	case 4:
		if (is(fd, S_IFIFO) || is(fd, S_IFSOCK)) /* of the others, Linux says 0 */
			say("lseek", lseek(fd, 0, SEEK_CUR));
		break;
	default:
		if (is(fd, S_IFREG))
			break;
		say("fionread", ioctl(fd, FIONREAD, &pending));
		printf("pending %d\n", pending);
	}
}

static void do_select(void)
{
	fd_set r, w, x;
	struct timeval now = {0};
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&x);
	fds_look();
	for (int i = 0; i < open_count; i++) {
		if (drawn(2))
			FD_SET(open_fds[i], &r);
		if (drawn(2))
			FD_SET(open_fds[i], &w);
		if (drawn(2))
			FD_SET(open_fds[i], &x);
	}
	say("select", select(FIRST + MOST, &r, &w, &x, &now));
	for (int i = 0; i < open_count; i++)
		printf("%d", !!FD_ISSET(open_fds[i], &r) + 2 * !!FD_ISSET(open_fds[i], &w) +
				     4 * !!FD_ISSET(open_fds[i], &x));
	printf("\n");
}

static void do_mqueue(void)
{
	char text[80];
	unsigned priority = 99;
	struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 40}, now;
	room();
	if (drawn(3) == 0) {
		static const int ways[] = {O_RDWR, O_RDWR, O_RDONLY, O_WRONLY};
		char name[20];
		sprintf(name, "/%s", private_name);
		say("mq_open", mq_open(name, ONE_OF(ways) | O_CREAT | O_NONBLOCK, 0600, &attr));
		say("mq_unlink", mq_unlink(name));
		return;
	}
	mqd_t q = -1;
	for (int i = 0; i < 20; i++) {
		q = any();
		if (mq_getattr(q, &now) == 0)
			break;
	}
	printf("fd %d: ", q);
	if (drawn(2)) {
		priority = drawn(drawn(9) ? 4 : 40000);
		say("mq_send",
		    mq_send(q, (char *)bytes_new(), drawn(9) ? drawn(41) : 42, priority));
	} else if (drawn(4)) {
		long n = say("mq_receive",
			     mq_receive(q, text, drawn(9) ? sizeof text : 39, &priority));
		if (n >= 0)
			printf("priority %u bytes %x\n", priority, hash_of((void *)text, n));
	} else if (say("mq_getattr", mq_getattr(q, &now)) == 0) {
		printf("flags %lx %ld %ld %ld\n", now.mq_flags, now.mq_maxmsg, now.mq_msgsize,
		       now.mq_curmsgs);
	}
}

static void do_messages(void)
{
	struct {
		long type;
		char text[100];
	} m = {(long)drawn(5), {0}};
	struct msqid_ds is_now;
	memcpy(m.text, bytes_new(), sizeof m.text);
	switch (drawn(3)) {
	case 0:
		say("msgsnd", msgsnd(queue, &m, drawn(101), IPC_NOWAIT));
		break;
	case 1: {
		static const int flags[] = {0, MSG_NOERROR, MSG_EXCEPT, MSG_COPY,
					    MSG_COPY | MSG_EXCEPT};
		long n = say("msgrcv", msgrcv(queue, &m, drawn(101), (long)drawn(7) - 3,
					      IPC_NOWAIT | ONE_OF(flags)));
		if (n >= 0)
			printf("type %ld bytes %x\n", m.type, hash_of((void *)m.text, n));
		break;
	}
	default:
		if (say("msgctl", msgctl(queue, IPC_STAT, &is_now)) == 0)
			printf("messages %lu bytes %lu of %lu\n", (unsigned long)is_now.msg_qnum,
			       (unsigned long)is_now.__msg_cbytes,
			       (unsigned long)is_now.msg_qbytes);
	}
}

static void do_semaphores(void)
{
	struct sembuf o[3];
	unsigned short all[3] = {0};
	unsigned n = drawn(4);
	for (unsigned i = 0; i < n; i++)
		o[i] = (struct sembuf){(unsigned short)drawn(drawn(9) ? 3 : 4),
				       (short)((int)drawn(7) - 3),
				       (short)(IPC_NOWAIT | (drawn(4) ? 0 : SEM_UNDO))};
	if (drawn(4))
		say("semop", semop(semaphores, o, n));
	else
		say("setval",
		    semctl(semaphores, (int)drawn(4), SETVAL, (int)drawn(5) - (drawn(6) ? 0 : 3)));
	semctl(semaphores, 0, GETALL, all);
	printf("values %d %d %d, waiting %d\n", all[0], all[1], all[2],
	       semctl(semaphores, 0, GETNCNT));
}

static void digest(void)
{
	struct pollfd p[MOST];
	int pending;
	fds_look();
	for (int i = 0; i < open_count; i++)
		p[i] = (struct pollfd){open_fds[i], 0x7fff & ~POLLNVAL, 0};
	struct timespec now = {0};
	say("poll",
	    drawn(2) ? poll(p, (unsigned)open_count, 0) : ppoll(p, (unsigned)open_count, &now, 0));
	for (int i = 0; i < open_count; i++) {
		pending = -7;
		int result = is(open_fds[i], S_IFREG) ? 0 : ioctl(open_fds[i], FIONREAD, &pending);
		printf(" %d:%x,%d,%d,%x", open_fds[i], (unsigned short)p[i].revents, result,
		       pending, (unsigned)fcntl(open_fds[i], F_GETFL));
	}
	printf("\nbroken pipes %d\n", broken_pipes);
}

static void step(void);

static void do_fork(void)
{
	int status = 0;
	if (drawn(5))
		return;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		in_child = 1;
		for (int i = 0; i < 5; i++)
			step();
		digest();
		fflush(stdout);
		_exit((int)drawn(100));
	}
	waitpid(child, &status, 0);
	printf("child %x\n", (unsigned)status);
}

static void step(void)
{
	static void (*const calls[])(void) = {
		do_pipe,    do_fifo,   do_pipe_size, do_write,	 do_write,    do_write,
		do_read,    do_read,   do_vectors,   do_splice,	 do_splice,   do_pair,
		do_pair,    do_socket, do_names,     do_names,	 do_names,    do_server,
		do_accept,  do_accept, do_option,    do_option,	 do_shutdown, do_send,
		do_send,    do_send,   do_send,	     do_receive, do_receive,  do_receive,
		do_receive, do_own,    do_counter,   do_counter, do_timer,    do_signal,
		do_signal,  do_epoll,  do_epoll,     do_epoll,	 do_copies,   do_copies,
		do_flags,   do_select, do_mqueue,    do_mqueue,	 do_messages, do_semaphores,
		do_fork};
	ONE_OF(calls)();
}

static void on_pipe(int signal)
{
	(void)signal;
	broken_pipes++;
}

static void names_remove(void)
{
	struct sockaddr_un a;
	for (unsigned i = 0; i < NAMES; i++) {
		name_make(&a, i);
		unlink(a.sun_path);
	}
	unlink("f0");
	unlink("f1");
}

static void seed_run(unsigned long first, int steps, const sigset_t *blocked)
{
	struct timespec now = {0};
	printf("seed %lu\n", first);
	seed = first;
	spent = broken_pipes = 0;
	stamp = 0;
	for (unsigned i = 0; i < BUFFER; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	queue = msgget(IPC_PRIVATE, 0600);
	semaphores = semget(IPC_PRIVATE, 3, 0600);
	for (int i = 0; i < steps; i++) {
		step();
		if (i % 8 == 7)
			digest();
	}
	msgctl(queue, IPC_RMID, 0);
	semctl(semaphores, 0, IPC_RMID);
	for (int fd = FIRST; fd < FIRST + 2 * MOST; fd++)
		close(fd);
	while (sigtimedwait(blocked, 0, &now) > 0)
		;
	names_remove();
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned long first = argc > 1 ? strtoul(argv[1], 0, 0) : 1;
	int seeds = argc > 2 ? atoi(argv[2]) : 16, steps = argc > 3 ? atoi(argv[3]) : 200;
	char place[] = "/tmp/talk.XXXXXX";
	sigset_t blocked;
	if (!mkdtemp(place) || chdir(place))
		return 1;
	snprintf(private_name, sizeof private_name, "talk%s.", strchr(place, '.') + 1);
	signal(SIGPIPE, on_pipe);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGUSR2);
	sigaddset(&blocked, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &blocked, 0);
	setvbuf(stdout, 0, _IOFBF, 1 << 16);
	for (int fd = FIRST; fd < 100; fd++)
		close(fd);
	for (int i = 0; i < seeds; i++)
		seed_run(first + (unsigned long)i, steps, &blocked);
	return rmdir(place) != 0;
}
