/* SPDX-License-Identifier: MIT
 * What goes while somebody uses it: files that are closed under a thread that sleeps for them, locks that two threads of one
 * file wait for, sockets that nobody has accepted, sets and queues that are removed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "passing.h"
#include "asleep.h"
#include "say.h"

static void pause_a_little(void)
{
	usleep(60000);
}

/* Until that thread has said its number, and sleeps. */
static void until_waits(volatile pid_t *tid)
{
	while (!*tid)
		usleep(1000);
	until_asleep(getpid(), *tid);
}

/* ---- locks ---- */
static int locked;
static volatile pid_t tids[3];

static void *lock_it(void *tid)
{
	*(volatile pid_t *)tid = gettid();
	return (void *)(long)flock(locked, LOCK_EX);
}

static void locks(void)
{
	int holder = open("lock", O_CREAT | O_RDWR, 0600);
	pthread_t thread[3];

	T(flock(holder, LOCK_EX));
	locked = open("lock", O_RDWR);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, lock_it, (void *)&tids[i]);
	for (int i = 0; i < 3; i++)
		until_waits(&tids[i]);
	T(close(holder));
	for (int i = 0; i < 3; i++) {
		void *result;
		pthread_join(thread[i], &result);
		printf("thread %d: %ld\n", i, (long)result);
	}
	holder = open("lock", O_RDWR);
	int other = open("lock", O_RDWR);
	T(flock(other, LOCK_EX | LOCK_NB));
	T(close(locked));
	int third = open("lock", O_RDWR);
	T(flock(third, LOCK_EX | LOCK_NB));
	T(flock(other, LOCK_EX | LOCK_NB));
	close(holder);
	close(other);
	close(third);
	unlink("lock");
}

/* ---- a connection that nobody accepted, and a file in it ---- */
static void embryos(void)
{
	struct sockaddr_un name = {AF_UNIX, "socket"};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0),
	    pair[2];
	char byte;

	T(bind(listener, (void *)&name, sizeof(name)));
	T(listen(listener, 4));
	T(connect(client, (void *)&name, sizeof(name)));
	T(pipe(pair));
	T(passing(client, pair[1]));
	close(pair[1]);
	T(poll(&(struct pollfd){pair[0], POLLIN, 0}, 1, 0));
	close(listener);
	T(poll(&(struct pollfd){pair[0], POLLIN, 0}, 1, 1000));
	T(read(pair[0], &byte, 1));
	T(read(client, &byte, 1));
	T(read(client, &byte, 1));
	close(client);
	close(pair[0]);
	unlink("socket");
}

/* ---- files that are closed under a sleeper ---- */
struct sleeper {
	int fd;
	char how;
	long result;
	int error;
	volatile pid_t tid;
};

static void *sleep_for(void *of)
{
	struct sleeper *s = of;
	char room[300000];
	struct epoll_event event;
	int null = s->how == 's' ? open("/dev/null", O_WRONLY) : -1;

	s->tid = gettid();
	errno = 0;
	switch (s->how) {
	case 'r':
		s->result = read(s->fd, room, 8);
		break;
	case 'w':
		memset(room, 'w', sizeof(room));
		s->result = write(s->fd, room, sizeof(room));
		break;
	case 'e':
		s->result = epoll_wait(s->fd, &event, 1, 10000);
		break;
	case 's':
		s->result = splice(s->fd, NULL, null, NULL, 100, 0);
		break;
	default:
		s->result = (long)recv(s->fd, room, 8, 0);
	}
	s->error = s->result < 0 ? errno : 0;
	return NULL;
}

/* `wake`: what makes the sleeper go on. */
static void under(const char *what, int fd, char how, int wake, int replace)
{
	struct sleeper s = {fd, how, 0, 0, 0};
	uint64_t one = 1;
	char drop[65536];
	pthread_t thread;

	pthread_create(&thread, NULL, sleep_for, &s);
	until_waits(&s.tid);
	if (replace)
		dup2(replace, fd);
	else
		close(fd);
	pause_a_little();
	if (how == 'w')
		for (int i = 0; i < 10; i++)
			read(wake, drop, sizeof(drop));
	else if (wake >= 0)
		write(wake, &one, 8);
	pthread_join(thread, NULL);
	printf("%s: %ld %s\n", what, s.result, s.error ? strerror(s.error) : "");
	if (replace)
		close(fd);
	close(wake);
}

static void closed(void)
{
	int pair[2], null = open("/dev/null", O_RDWR), fd, other;

	for (int replace = 0; replace < 2; replace++) {
		int with = replace ? null : 0;
		pipe(pair);
		under("pipe", pair[0], 'r', pair[1], with);
		pipe(pair);
		under("pipe, full", pair[1], 'w', pair[0], with);
		pipe(pair);
		under("splice", pair[0], 's', pair[1], with);
		socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
		under("stream", pair[0], 'r', pair[1], with);
		socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
		under("stream, recv", pair[0], 'v', pair[1], with);
		socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
		under("datagrams", pair[0], 'r', pair[1], with);
		fd = eventfd(0, 0), other = dup(fd);
		under("eventfd", fd, 'r', other, with);
		fd = epoll_create1(0);
		pipe(pair);
		epoll_ctl(fd, EPOLL_CTL_ADD, pair[0], &(struct epoll_event){EPOLLIN, {.u64 = 1}});
		under("epoll", fd, 'e', pair[1], with);
		close(pair[0]);
		fd = timerfd_create(CLOCK_MONOTONIC, 0);
		timerfd_settime(fd, 0, &(struct itimerspec){{0, 0}, {0, 200000000}}, NULL);
		under("timerfd", fd, 'r', -1, with);
	}
	close(null);
}

/* ---- what is removed by name ---- */
static int set, queue;

/* What the one that sleeps got: said when it has ended, as who removes may go on before it or behind it. */
static int result, error;

static void *use_set(void *tid)
{
	struct sembuf take = {0, -1, SEM_UNDO};

	*(volatile pid_t *)tid = gettid();
	result = semop(set, &take, 1);
	error = errno;
	return NULL;
}

static void *use_queue(void *tid)
{
	struct {
		long type;
		char text[8];
	} m;

	*(volatile pid_t *)tid = gettid();
	result = (int)msgrcv(queue, &m, 8, 0, 0);
	error = errno;
	return NULL;
}

static void removed(void)
{
	pthread_t thread;
	volatile pid_t tid = 0;
	struct sembuf give = {0, 1, SEM_UNDO};

	set = semget(IPC_PRIVATE, 2, 0600);
	queue = msgget(IPC_PRIVATE, 0600);
	T(semop(set, &give, 1));
	T(semctl(set, 0, SETVAL, 0));
	pthread_create(&thread, NULL, use_set, (void *)&tid);
	until_waits(&tid);
	T(semctl(set, 0, IPC_RMID));
	pthread_join(thread, NULL);
	printf("semop: %d %s\n", result, strerror(error));
	tid = 0;
	pthread_create(&thread, NULL, use_queue, (void *)&tid);
	until_waits(&tid);
	T(msgctl(queue, IPC_RMID, NULL));
	pthread_join(thread, NULL);
	printf("msgrcv: %d %s\n", result, strerror(error));
}

/* ---- a call that would go on for ever ends with its process, and others go on beside it ---- */
static void endless(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int zero = open("/dev/zero", O_RDONLY),
		    terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK),
		    null = open("/dev/null", O_WRONLY);
		for (;;) {
			sendfile(terminal, zero, NULL, 1ul << 30);
			sendfile(null, zero, NULL, 1ul << 30);
		}
	}
	usleep(300000);
	T(kill(pid, SIGKILL));
	T(waitpid(pid, &status, 0) == pid);
	printf("status %x\n", status);
}

int main(void)
{
	char dir[] = "/tmp/gone.XXXXXX";

	setbuf(stdout, NULL);
	alarm(50);
	signal(SIGPIPE, SIG_IGN);
	T(chdir(mkdtemp(dir)));
	locks();
	embryos();
	closed();
	removed();
	endless();
	T(dup(0) - 3);
	rmdir(dir);
	return 0;
}
