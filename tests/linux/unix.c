/* SPDX-License-Identifier: MIT
 * UNIX sockets: streams, datagrams, packets, names, credentials, files passed on: results as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"

static char b[300000];
static int p[2];

static socklen_t name(struct sockaddr_un *to, const char *text)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	memcpy(to->sun_path, text, strlen(text));
	if (*text == '@') {
		to->sun_path[0] = 0;
		return offsetof(struct sockaddr_un, sun_path) + strlen(text);
	}
	return sizeof(*to);
}

static int bound(int type, const char *text)
{
	struct sockaddr_un at;
	int s = socket(AF_UNIX, type, 0), error = bind(s, (void *)&at, name(&at, text));
	printf("bind %s: %d %s\n", text, error, error ? strerror(errno) : "");
	return s;
}

static int reach(int s, const char *text)
{
	struct sockaddr_un at;
	return connect(s, (void *)&at, name(&at, text));
}

static void shown(const char *what, int s, int (*which)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_un at;
	socklen_t n = sizeof(at);
	memset(&at, 0, sizeof(at));
	int error = which(s, (void *)&at, &n);
	printf("%s: %d length %d '%s%s'\n", what, error, error ? 0 : (int)n,
	       n > 2 && !at.sun_path[0] ? "@" : "", n > 2 ? at.sun_path + !at.sun_path[0] : "");
}

static void ready(const char *what, int s)
{
	struct pollfd f = {.fd = s, .events = POLLIN | POLLOUT | POLLRDHUP};
	poll(&f, 1, 0);
	printf("%s: %x\n", what, f.revents);
}

static void making(void)
{
	T(socket(AF_UNIX, 77, 0));
	T(socket(99, SOCK_STREAM, 0));
	T(socket(AF_UNIX, SOCK_STREAM, 5));
	T(socketpair(AF_UNIX, SOCK_STREAM, 0, (void *)8));
	T(bind(0, (void *)b, 10));
	T(listen(99, 1));
	T(send(1, "x", 1, 0));
}

static void streams(void)
{
	struct stat st;
	int left;
	T(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p));
	fstat(p[0], &st);
	printf("%o %d\n", st.st_mode, fcntl(p[0], F_GETFD));
	ready("new", p[0]);
	T(write(p[0], "hello", 5));
	T(send(p[0], " world", 6, 0));
	ready("with data", p[1]);
	T(ioctl(p[1], FIONREAD, &left));
	printf("%d\n", left);
	T(recv(p[1], b, 4, MSG_PEEK));
	T(read(p[1], b, 3));
	T(recv(p[1], b, 100, 0));
	printf("%.8s\n", b);
	T(recv(p[1], b, 1, MSG_DONTWAIT));
	T(lseek(p[0], 0, SEEK_SET));
	T(sendto(p[0], "x", 1, 0, (void *)b, 0));
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	long sum = 0, n;
	while ((n = write(p[0], b, 50000)) > 0)
		sum += n;
	printf("full: %s %d\n", strerror(errno), sum >= 100000);
	ready("full", p[0]);
	while ((n = recv(p[1], b, sizeof(b), MSG_DONTWAIT)) > 0)
		sum -= n;
	printf("read all: %ld\n", sum);
	ready("empty", p[0]);
	T(shutdown(p[0], SHUT_WR));
	T(send(p[0], "x", 1, MSG_NOSIGNAL));
	ready("the other does not write", p[1]);
	T(read(p[1], b, 1));
	T(write(p[1], "back", 4));
	T(read(p[0], b, 10));
	T(shutdown(p[0], 7));
	T(write(p[1], "unread", 6));
	close(p[0]);
	ready("closed with something unread", p[1]);
	T(read(p[1], b, 1));
	T(read(p[1], b, 1));
	T(send(p[1], "x", 1, MSG_NOSIGNAL));
	signal(SIGPIPE, SIG_IGN);
	T(write(p[1], "x", 1));
	close(p[1]);
}

static void waits(void)
{
	socketpair(AF_UNIX, SOCK_STREAM, 0, p);
	fflush(stdout);
	if (!fork()) {
		close(p[0]);
		for (int i = 0; i < 100; i++)
			write(p[1], b, 10000);
		usleep(20000);
		_exit(0);
	}
	close(p[1]);
	long sum = 0, n;
	T(recv(p[0], b, 250000, MSG_WAITALL));
	while ((n = read(p[0], b, 7777)) > 0)
		sum += n;
	printf("%ld more\n", sum);
	wait(NULL);
	close(p[0]);
}

static void listening(void)
{
	struct ucred who;
	socklen_t n = sizeof(who);
	int value = 1;
	unlink("s");
	int s = bound(SOCK_STREAM, "s"), c = socket(AF_UNIX, SOCK_STREAM, 0);
	bound(SOCK_STREAM, "s");
	T(bind(s, (void *)b, 2));
	T(reach(c, "s"));
	T(reach(c, "none"));
	T(accept(s, NULL, NULL));
	T(listen(c, 1));
	T(listen(s, 1));
	T(getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &value, &(socklen_t){4}));
	printf("%d\n", value);
	ready("listening", s);
	T(reach(c, "s"));
	T(reach(c, "s"));
	ready("somebody came", s);
	T(write(c, "early", 5));
	int e = accept4(s, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	printf("%x %d\n", fcntl(e, F_GETFL), fcntl(e, F_GETFD));
	T(read(e, b, 10));
	T(read(e, b, 10));
	shown("its name", e, getsockname);
	shown("its peer", e, getpeername);
	shown("the client's peer", c, getpeername);
	shown("the listener's peer", s, getpeername);
	T(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &who, &n));
	printf("%d %d %d\n", who.pid == getpid(), who.uid == getuid(), who.gid == getgid());
	T(getsockopt(c, SOL_SOCKET, SO_TYPE, &value, &(socklen_t){4}));
	printf("%d\n", value);
	T(getsockopt(c, SOL_SOCKET, SO_ERROR, &value, &(socklen_t){4}));
	T(setsockopt(c, SOL_SOCKET, 9999, &value, 4));
	T(setsockopt(c, 6, 1, &value, 4));
	struct timeval soon = {0, 20000};
	T(setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)));
	T(read(c, b, 1));
	int waiting = socket(AF_UNIX, SOCK_STREAM, 0),
	    abstract = bound(SOCK_STREAM, "@aril-test-name");
	T(reach(waiting, "s"));
	close(s);
	T(read(waiting, b, 1));
	T(reach(socket(AF_UNIX, SOCK_STREAM, 0), "s"));
	T(listen(abstract, 5));
	T(reach(socket(AF_UNIX, SOCK_STREAM, 0), "@aril-test-name"));
	T(reach(socket(AF_UNIX, SOCK_DGRAM, 0), "@aril-test-name"));
	shown("abstract", abstract, getsockname);
	T(open("s", O_RDWR));
	unlink("s");
}

static void datagrams(void)
{
	struct sockaddr_un at;
	socklen_t n = sizeof(at);
	unlink("a");
	unlink("b");
	int x = bound(SOCK_DGRAM, "a"), y = bound(SOCK_DGRAM, "b"),
	    z = socket(AF_UNIX, SOCK_DGRAM, 0);
	T(send(z, "x", 1, 0));
	T(listen(x, 1));
	T(reach(z, "a"));
	T(send(z, "first", 5, 0));
	T(send(z, "", 0, 0));
	T(sendto(y, "second", 6, 0, (void *)&at, name(&at, "a")));
	T(recvfrom(x, b, 3, MSG_TRUNC, (void *)&at, &n));
	printf("%d\n", n);
	T(recv(x, b, 10, 0));
	n = sizeof(at);
	T(recvfrom(x, b, 10, 0, (void *)&at, &n));
	printf("%d %s\n", n, at.sun_path);
	T(reach(x, "b"));
	T(send(z, "not for you", 5, 0));
	T(send(z, b, 250000, 0));
	close(x);
	T(send(z, "x", 1, 0));
	n = sizeof(at.sun_family);
	T(bind(z, (void *)&at, n));
	n = sizeof(at);
	T(getsockname(z, (void *)&at, &n));
	printf("%d\n", n);
	unlink("a");
	unlink("b");
	T(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
	T(write(p[0], "one", 3));
	T(write(p[0], "three", 5));
	T(read(p[1], b, 2));
	T(read(p[1], b, 10));
	close(p[0]);
	T(read(p[1], b, 10));
	T(recv(p[1], b, 10, 0));
}

static void passing(void)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int) * 3) + CMSG_SPACE(sizeof(struct ucred))];
	} control = {0};
	struct iovec v[2] = {{"ab", 2}, {"cde", 3}};
	struct msghdr m = {.msg_iov = v,
			   .msg_iovlen = 2,
			   .msg_control = &control,
			   .msg_controllen = CMSG_SPACE(8)};
	int q[2], on = 1;
	pipe(q);
	socketpair(AF_UNIX, SOCK_STREAM, 0, p);
	control.head = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(8), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.head), q, 8);
	T(sendmsg(p[0], &m, 0));
	close(q[1]);
	T(write(p[0], "later", 5));
	T(setsockopt(p[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	char one[3], two[20];
	struct iovec r[2] = {{one, 3}, {two, 20}};
	m = (struct msghdr){.msg_iov = r,
			    .msg_iovlen = 2,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control)};
	T(recvmsg(p[1], &m, MSG_CMSG_CLOEXEC));
	printf("%x %d\n", m.msg_flags & ~MSG_CMSG_CLOEXEC, (int)m.msg_controllen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		printf("level %d type %d bytes %d\n", c->cmsg_level, c->cmsg_type,
		       (int)c->cmsg_len);
		if (c->cmsg_type == SCM_CREDENTIALS)
			printf("mine: %d\n", ((struct ucred *)CMSG_DATA(c))->pid == getpid());
		if (c->cmsg_type == SCM_RIGHTS) {
			int got[2];
			memcpy(got, CMSG_DATA(c), 8);
			printf("write to what was passed: %d, cloexec %d\n",
			       (int)write(got[1], "through", 7), fcntl(got[1], F_GETFD));
			close(got[1]);
		}
	}
	T(read(q[0], b, 10));
	T(read(q[0], b, 10));
	T(read(p[1], b, 10));
	control.head = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.head), &(int){99}, 4);
	m = (struct msghdr){.msg_iov = v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = CMSG_SPACE(4)};
	T(sendmsg(p[0], &m, 0));
	memcpy(CMSG_DATA(&control.head), &p[0], 4);
	T(sendmsg(p[0], &m, 0));
	m = (struct msghdr){.msg_iov = r, .msg_iovlen = 2};
	setsockopt(p[1], SOL_SOCKET, SO_PASSCRED, &(int){0}, sizeof(on));
	T(recvmsg(p[1], &m, 0));
	printf("without room for files: %x\n", m.msg_flags);
	struct mmsghdr mm[3] = {{{.msg_iov = v, .msg_iovlen = 1}},
				{{.msg_iov = v + 1, .msg_iovlen = 1}}};
	T(sendmmsg(p[0], mm, 2, 0));
	printf("%d %d\n", mm[0].msg_len, mm[1].msg_len);
	T(read(p[1], b, 10));
}

int main(void)
{
	char dir[] = "/tmp/unix.XXXXXX";
	chdir(mkdtemp(dir));
	making();
	streams();
	waits();
	listening();
	datagrams();
	passing();
	rmdir(dir);
	return 0;
}
