/* SPDX-License-Identifier: MIT
 * talk_random.c's calls of UNIX sockets. */
#ifndef TESTS_LINUX_TALK_SOCKETS_H
#define TESTS_LINUX_TALK_SOCKETS_H

#include "talk_random.h"

static int socket_type(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	return ONE_OF(types);
}

static int type_of(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	return type;
}

static int is_named(int fd)
{
	struct sockaddr_un a;
	socklen_t size = sizeof a;
	return !getsockname(fd, (void *)&a, &size) && size > sizeof a.sun_family;
}

static void do_pair(void)
{
	int s[2] = {-1, -1}, type = socket_type();
	room();
	printf("type %d: ", type);
	say("socketpair",
	    socketpair(AF_UNIX, type | SOCK_NONBLOCK | (drawn(2) ? SOCK_CLOEXEC : 0), 0, s));
	printf("sockets %d %d\n", s[0], s[1]);
}

static void do_socket(void)
{
	int type = socket_type();
	room();
	printf("type %d: ", type);
	say("socket", socket(AF_UNIX, type | SOCK_NONBLOCK, drawn(20) ? 0 : PF_UNIX));
}

static socklen_t name_make(struct sockaddr_un *a, unsigned which)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (which < NAMES) {
		sprintf(a->sun_path, "s%u", which);
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(a->sun_path) +
				   1);
	}
	sprintf(a->sun_path + 1, "%s%u", private_name, which);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a->sun_path + 1));
}

static void name_say(const char *what, const struct sockaddr_un *a, socklen_t size)
{
	unsigned mine =
		(unsigned)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(private_name));
	if (size > mine && !a->sun_path[0] &&
	    !memcmp(a->sun_path + 1, private_name, strlen(private_name)))
		printf("%s: size %u @%c\n", what, size, a->sun_path[1 + strlen(private_name)]);
	else if (size > 2 && !a->sun_path[0])
		printf("%s: size %u, a name given\n", what, size);
	else
		printf("%s: size %u family %d '%s'\n", what, size, size ? a->sun_family : -1,
		       size > 2 ? a->sun_path : "");
}

static void do_names(void)
{
	struct sockaddr_un a;
	socklen_t size = sizeof a;
	int fd = any_socket();
	unsigned which = drawn(2 * NAMES);
	printf("fd %d name %u: ", fd, which);
	switch (drawn(9)) {
	case 0:
	case 1:
		if (drawn(10) == 0)
			say("bind none",
			    bind(fd, (void *)&a, (a.sun_family = AF_UNIX, sizeof a.sun_family)));
		else if (
			!is_named(
				fd)) /* of a second name, Linux looks first whether the file is there */
			say("bind", bind(fd, (void *)&a, name_make(&a, which)));
		break;
	case 2:
		say("listen", listen(fd, (int)drawn(4)));
		break;
	case 3:
	case 4:
		if (type_of(fd) == SOCK_DGRAM)
			break; /* Linux looks at whom the other talks to, and tells who is left: Aril does not */
		spent += 1024;
		say("connect", connect(fd, (void *)&a, name_make(&a, which)));
		break;
	case 5:
		if (drawn(4))
			break;
		if (type_of(fd) == SOCK_DGRAM)
			break;
		a.sun_family = AF_UNSPEC;
		say("disconnect", connect(fd, (void *)&a, sizeof a.sun_family));
		break;
	case 6:
		name_make(&a, which % NAMES);
		say("unlink", unlink(a.sun_path));
		break;
	case 7:
		memset(&a, 0, sizeof a);
		if (say("getsockname", getsockname(fd, (void *)&a, &size)) == 0)
			name_say("own", &a, size);
		break;
	default:
		memset(&a, 0, sizeof a);
		if (say("getpeername", getpeername(fd, (void *)&a, &size)) == 0)
			name_say("peer", &a, size);
	}
	printf("\n");
}

/* A server and who connects to it, all at once: by chance alone that would be rare. */
static void do_server(void)
{
	struct sockaddr_un a;
	int type = drawn(2) ? SOCK_STREAM : SOCK_SEQPACKET;
	unsigned which = drawn(2 * NAMES);
	room();
	int server = socket(AF_UNIX, type | SOCK_NONBLOCK, 0),
	    client = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
	printf("server %d client %d name %u\n", server, client, which);
	say("bind", bind(server, (void *)&a, name_make(&a, which)));
	say("listen", listen(server, (int)drawn(3)));
	say("connect", connect(client, (void *)&a, name_make(&a, which)));
}

static void do_accept(void)
{
	struct sockaddr_un a = {0};
	socklen_t size = sizeof a;
	int fd = any_socket(), accepting = 0;
	for (int i = 0; i < 8 && !accepting; i++, size = sizeof accepting) {
		fd = any_socket();
		size = sizeof accepting;
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &size);
	}
	size = sizeof a;
	room();
	printf("fd %d: ", fd);
	if (say("accept",
		accept4(fd, (void *)&a, &size, SOCK_NONBLOCK | (drawn(2) ? SOCK_CLOEXEC : 0))) >= 0)
		name_say("from", &a, size);
}

static void do_option(void)
{
	static const int options[] = {SO_TYPE,	 SO_ERROR,    SO_ACCEPTCONN, SO_PASSCRED,
				      SO_DOMAIN, SO_PROTOCOL, SO_REUSEADDR,  SO_KEEPALIVE};
	static const int settable[] = {SO_PASSCRED, SO_PASSCRED, SO_REUSEADDR, SO_KEEPALIVE,
				       SO_TYPE,	    SO_ERROR,	 SO_ACCEPTCONN};
	int fd = any_socket(), option = ONE_OF(options), value = 77;
	socklen_t size = drawn(6) ? sizeof value : drawn(6);
	struct ucred who = {0};
	switch (drawn(3)) {
	case 0:
		printf("fd %d option %d size %u: ", fd, option, size);
		say("getsockopt", getsockopt(fd, SOL_SOCKET, option, &value, &size));
		printf("value %d size %u\n", value, size);
		break;
	case 1:
		option = ONE_OF(settable);
		if (option == SO_PASSCRED && !is_named(fd))
			break; /* Linux gives it a name with the next message */
		value = (int)drawn(3);
		printf("fd %d option %d to %d size %u: ", fd, option, value, size);
		say("setsockopt", setsockopt(fd, SOL_SOCKET, option, &value, size));
		break;
	default:
		if (type_of(fd) == SOCK_DGRAM)
			break;
		size = sizeof who;
		printf("fd %d: ", fd);
		if (say("peercred", getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size)) == 0)
			printf("pid %d, uid %d, gid %d, size %u\n", who.pid > 0,
			       who.uid == getuid(), who.gid == getgid(), size);
	}
}

static void do_shutdown(void)
{
	int fd = any_socket(), how = (int)drawn(drawn(8) ? 3 : 5);
	printf("fd %d how %d: ", fd, how);
	say("shutdown", shutdown(fd, how));
}

/* What a received message had beside its bytes; its descriptors stay open as any others. */
static void message_say(struct msghdr *m, long n)
{
	printf("flags %x", (unsigned)m->msg_flags & (n ? ~0u : ~(unsigned)MSG_CTRUNC));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_type == SCM_CREDENTIALS && !n)
			continue; /* of an end, Linux gives some that are nobody's */
		printf(" [level %d type %d size %zu", c->cmsg_level, c->cmsg_type,
		       (size_t)c->cmsg_len);
		if (c->cmsg_type == SCM_RIGHTS) {
			int fds[8];
			unsigned n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(fds, CMSG_DATA(c), n * sizeof(int));
			for (unsigned i = 0; i < n; i++)
				printf(" %d/%d", fds[i], fcntl(fds[i], F_GETFD));
		} else if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;
			memcpy(&who, CMSG_DATA(c), sizeof who);
			printf(" pid %d uid %d", who.pid > 0, who.uid == getuid());
		}
		printf("]");
	}
	printf("\n");
}

static void do_send(void)
{
	static const int flags[] = {
		0, 0, 0, MSG_EOR, MSG_NOSIGNAL, MSG_NOSIGNAL | MSG_EOR, MSG_DONTWAIT, MSG_MORE};
	struct sockaddr_un a;
	struct iovec v[5];
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct msghdr m = {.msg_iov = v};
	int fd = any_socket(), flag = ONE_OF(flags);
	m.msg_iovlen = (size_t)vector_make(v, bytes_new(), size_for(fd));
	if (drawn(5) == 0) {
		m.msg_name = &a;
		m.msg_namelen = name_make(&a, drawn(2 * NAMES));
	}
	if (drawn(3) == 0) {
		int fds[4], n = 0, want = (int)drawn(4) + 1;
		for (int i = 0; i < want; i++) {
			int one = any();
			if (fcntl(one, F_GETFD) >= 0 && !is(one, S_IFSOCK))
				fds[n++] = one;
		}
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE((unsigned)n * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN((unsigned)n * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, (unsigned)n * sizeof(int));
		printf("with %d, ", n);
	}
	printf("fd %d flags %x name %d: ", fd, flag, !!m.msg_name);
	if (drawn(5)) {
		say("sendmsg", sendmsg(fd, &m, flag));
	} else {
		struct mmsghdr many[3] = {{m, 77}, {m, 77}, {m, 77}};
		m.msg_control = 0;
		spent += 6000;
		say("sendmmsg", sendmmsg(fd, many, 3, flag));
		printf("lengths %u %u %u\n", many[0].msg_len, many[1].msg_len, many[2].msg_len);
	}
}

static void do_receive(void)
{
	static const int flags[] = {0,		 0,
				    0,		 0,
				    MSG_PEEK,	 MSG_PEEK,
				    MSG_TRUNC,	 MSG_PEEK | MSG_TRUNC,
				    MSG_WAITALL, MSG_CMSG_CLOEXEC};
	struct sockaddr_un a[3] = {0};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} control[3];
	struct iovec v[5];
	int fd = any_socket(), flag = ONE_OF(flags), many = drawn(6) == 0;
	struct mmsghdr m[3];
	room();
	int parts = vector_make(v, into, drawn(2) ? size_small() : size_any());
	for (int i = 0; i < 3; i++) {
		m[i] = (struct mmsghdr){{.msg_iov = v,
					 .msg_iovlen = (size_t)parts,
					 .msg_name = &a[i],
					 .msg_namelen = sizeof a[i]},
					77};
		m[i].msg_hdr.msg_control = &control[i];
		m[i].msg_hdr.msg_controllen =
			drawn(3) ? sizeof control[i] : 0; /* nothing is cut in two */
	}
	printf("fd %d flags %x control %zu: ", fd, flag, (size_t)m[0].msg_hdr.msg_controllen);
	if (!many) {
		long n = say("recvmsg", recvmsg(fd, &m[0].msg_hdr, flag | MSG_DONTWAIT));
		if (n >= 0)
			message_say(&m[0].msg_hdr, n);
		if (n > 0 && !(flag & MSG_TRUNC))
			printf("bytes %x\n", hash_of(into, n));
		return;
	}
	if (type_of(fd) == SOCK_STREAM)
		return; /* Linux says a stream's error before what is still in its queue */
	long n = say("recvmmsg", recvmmsg(fd, m, 3, flag | MSG_DONTWAIT, 0));
	for (long i = 0; i < n; i++) {
		printf("length %u ", m[i].msg_len);
		message_say(&m[i].msg_hdr, m[i].msg_len);
	}
}

/* A pair's ends through the pair itself, and received at once. */
static void do_own(void)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	int s[2];
	room();
	if (say("own pair", socketpair(AF_UNIX, socket_type() | SOCK_NONBLOCK, 0, s)) < 0)
		return;
	struct iovec v = {bytes_new(), 9};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof control};
	control.head = (struct cmsghdr){CMSG_LEN(sizeof s), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.head), s, sizeof s);
	say("own sendmsg", sendmsg(s[0], &m, 0));
	if (drawn(2))
		say("own close", close(s[0]));
	v.iov_base = into;
	if (say("own recvmsg", recvmsg(s[1], &m, drawn(2) ? MSG_CMSG_CLOEXEC : 0)) > 0)
		message_say(&m, 1);
}

#endif
