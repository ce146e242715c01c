/* SPDX-License-Identifier: MIT
 * Sockets of the UNIX family: between processes of one family of ExOS. Family lock throughout.
 *
 * A socket belongs to one open file; who is connected to it, and a listener for those that nobody accepted, hold
 * references too. Invariants: two connected sockets are each other's peer until one is closed; what a socket has
 * been sent lies in its own queue; a closed socket has an empty queue, no name and no file. */
#ifndef EXOS_SOCKET_H
#define EXOS_SOCKET_H

#include "file.h"
#include "linux.h"

struct unix_name {
	u32 refs;
	u32 length; /* of text; a path's without its end */
	char text[UNIX_PATH_MAX + 1];
};

struct creds {
	u32 pid, uid, gid;
};

/* Open files on their way from one process to another. */
struct passed {
	u32 count;
	struct file *file[SCM_MAX_FD];
};

struct message {
	struct list link;
	u64 bytes;
	u32 few; /* it has room for SOCKET_FEW bytes, and nothing but bytes: no name, no files */
	u32 taken;
	struct creds creds;
	struct unix_name *from; /* of datagrams */
	struct passed *passed;
	u8 data[];
};

enum socket_state { SOCKET_FRESH, SOCKET_LISTENING, SOCKET_CONNECTED, SOCKET_CLOSED };
#define SHUT_READ 1u
#define SHUT_WRITE 2u

struct socket {
	u32 refs;
	u32 type; /* SOCK_* */
	u32 state;
	u32 shut;
	struct socket *peer;
	struct inode *inode; /* of its open file; NULL: not accepted yet, or closed */
	struct list queue;   /* struct message, oldest first */
	u64 queued;	     /* what they take of the senders' allowance */
	struct list embryos, embryo;
	u32 backlog, embryo_count;
	struct list all_bound;
	struct unix_name *name;
	struct inode *bound; /* where a path leads to it */
	struct creds creds, peer_creds;
	s32 error;
	u32 options; /* bits 1 << SO_*: those that are only remembered, and PASSCRED */
	u64 receive_ns, send_ns;
	u32 send_limit, receive_limit;
	struct waitq wait;     /* for what is in the queue, room in it, and the state */
	struct message *spare; /* for the next few bytes */
};
#define MESSAGE_COST (sizeof(struct message) + 64)
#define NOBODY 65534u

/* A place in a vector of the program's (or one piece of ExOS's own) memory. */
struct cursor {
	struct linux_iovec *vec;
	u64 count, at;
};

/* What is sent, and what came with what was received. */
struct parcel {
	struct cursor data;
	u64 bytes; /* in all of data */
	u32 flags; /* MSG_* */
	const struct unix_name *to;
	struct passed *
		passed; /* sending: taken over when it succeeds; receiving: the receiver's to place */
	struct creds creds;
	u32 has_creds;		/* sending: the sender said so itself; receiving: something came */
	struct unix_name *from; /* referenced */
	u32 truncated;
};

/* ---- unix.c ---- */
struct socket *socket_create(u32 type);
void socket_get(struct socket *s);
void socket_put(struct socket *s);
/* A descriptor of a new open file for s, whose reference it takes. Or -E. */
s64 socket_file(struct socket *s, u32 flags);
/* The socket behind a descriptor; NULL and *error = -EBADF or -ENOTSOCK. */
struct socket *socket_of(u64 fd, struct file **file, s64 *error);
void socket_pair(struct socket *a, struct socket *b);
s64 socket_bind(struct socket *s, struct unix_name *name);
s64 socket_listen(struct socket *s, s32 backlog);
s64 socket_connect(struct socket *s, const struct unix_name *name, int wait);
/* Takes a connection off a listener's queue: 0 and *out, whose reference is the caller's. */
s64 socket_accept(struct socket *s, struct socket **out, int wait);
/* A datagram socket whose peer is gone is connected no more, and what lies in its queue goes. */
void socket_part(struct socket *s);
s64 socket_shutdown(struct socket *s, u32 how);
/* The socket that a name leads to (an abstract one: of this type), referenced; NULL and *error. */
struct socket *socket_find(const struct unix_name *name, u32 type, s64 *error);
/* Sleeps until the socket changes. 0, -EAGAIN (timeout), -EINTR or a restart. deadline 0: none. */
s64 socket_sleep(struct socket *on, u64 deadline);
/* The socket became readable or writable (POLLIN, POLLOUT) once more, or changed. */
void socket_event(struct socket *s, u32 events);
struct unix_name *name_create(const char *text, u32 length);
void name_put(struct unix_name *n);

/* ---- unix_io.c ---- */
/* Bytes sent or -E. */
s64 socket_send(struct socket *s, struct parcel *p);
/* Bytes received, 0 at the end, or -E. */
s64 socket_receive(struct socket *s, struct parcel *p);
void message_free(struct message *m);
/* Reads as any file: bytes, 0 or -E. The caller keeps the file. */
s64 socket_receive_plain(struct file *f, u64 to, u64 bytes);

/* ---- unix_few.c ---- */
#define SOCKET_FEW 192u
#define SOCKET_NOT_FEW (-4096l) /* nothing was done: the long way */
/* Bytes, -E or SOCKET_NOT_FEW. */
s64 socket_send_few(struct socket *s, u64 from, u64 bytes);
/* The same; keeps the file while it sleeps. */
s64 socket_receive_few(struct file *f, u64 to, u64 bytes);
/* The same for quick calls (file_quick). */
s64 socket_quick_write(struct file *f, u64 from, u64 bytes, struct thread *t);
s64 socket_quick_read(struct file *f, u64 to, u64 bytes, struct thread *t);
void passed_put(struct passed *passed);
/* Bytes that a read would find now. */
u64 socket_readable(const struct socket *s);

#endif
