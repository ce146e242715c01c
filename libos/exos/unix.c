/* SPDX-License-Identifier: MIT
 * UNIX sockets: making, naming, connecting, closing. */
#include "inode.h"
#include "poll.h"
#include "socket.h"

#define SEND_LIMIT 212992u
#define BACKLOG_MOST 4096u

static struct list all_bound = {&all_bound, &all_bound};
static u32 autobound;

struct unix_name *name_create(const char *text, u32 length)
{
	struct unix_name *n = kmalloc(sizeof(*n));
	if (!n)
		return NULL;
	n->refs = 1;
	n->length = length;
	__builtin_memcpy(n->text, text, length);
	return n;
}

void name_put(struct unix_name *n)
{
	if (n && !--n->refs)
		kfree(n);
}

static struct creds creds_own(void)
{
	const struct proc *p = current()->proc;
	return (struct creds){p->pid, p->euid, p->egid};
}

struct socket *socket_create(u32 type)
{
	struct socket *s = kmalloc(sizeof(*s));
	if (!s)
		return NULL;
	s->refs = 1;
	s->type = type;
	list_init(&s->queue);
	list_init(&s->embryos);
	list_init(&s->embryo);
	list_init(&s->all_bound);
	waitq_init(&s->wait);
	s->creds = creds_own();
	s->send_limit = s->receive_limit = SEND_LIMIT;
	return s;
}

void socket_get(struct socket *s)
{
	s->refs++;
}

void socket_put(struct socket *s)
{
	if (!s || --s->refs)
		return;
	name_put(s->name);
	kfree(s->spare);
	kfree(s);
}

void socket_event(struct socket *s, u32 events)
{
	wake_all(&s->wait);
	if (s->inode)
		poll_event(s->inode, events);
}

s64 socket_sleep(struct socket *on, u64 deadline)
{
	socket_get(on);
	s64 woken = sleep_on(&on->wait, deadline, 1);
	socket_put(on);
	if (woken == -EINTR)
		return deadline ? -EINTR : -ERESTARTSYS;
	return woken == -ETIMEDOUT ? -EAGAIN : 0;
}

void socket_pair(struct socket *a, struct socket *b)
{
	a->peer = b;
	b->peer = a;
	socket_get(a);
	socket_get(b);
	a->state = b->state = SOCKET_CONNECTED;
	a->peer_creds = b->creds;
	b->peer_creds = a->creds;
}

/* The other end learns that this one is gone. */
static void peer_part(struct socket *s, int unread)
{
	struct socket *peer = s->peer;
	if (!peer)
		return;
	s->peer = NULL;
	if (s->type != SOCK_DGRAM && peer->state == SOCKET_CONNECTED && unread)
		peer->error = ECONNRESET;
	socket_event(peer, POLLIN | POLLOUT);
	socket_put(peer);
}

/* What nobody will read any more, and what came with it. */
static void queue_empty(struct socket *s)
{
	while (!list_empty(&s->queue)) {
		struct message *m = container_of(s->queue.next, struct message, link);
		list_del(&m->link);
		message_free(m);
	}
	s->queued = 0;
}

void socket_part(struct socket *s)
{
	peer_part(s, 0);
	s->state = SOCKET_FRESH;
	queue_empty(s);
	socket_event(s, POLLOUT);
}

/* Whether something was not read, which is the other end's error. A first message of no bytes does not count. */
static int socket_unread(const struct socket *s)
{
	const struct list *l = s->queue.next;
	if (l != &s->queue && !container_of(l, struct message, link)->bytes)
		l = l->next;
	return l != &s->queue;
}

/* Closes for good; references may stay. */
static void socket_close(struct socket *s)
{
	int unread = socket_unread(s);
	u32 was = s->state;
	s->state = SOCKET_CLOSED;
	s->inode = NULL;
	list_del(&s->all_bound);
	if (s->bound)
		inode_put(s->bound);
	s->bound = NULL;
	while (!list_empty(&s->embryos)) {
		struct socket *e = container_of(s->embryos.next, struct socket, embryo);
		list_del(&e->embryo);
		e->state = SOCKET_CLOSED;
		peer_part(e, 1);
		queue_empty(e);
		socket_put(e);
	}
	queue_empty(s);
	if (was != SOCKET_LISTENING)
		peer_part(s, unread);
	wake_all(&s->wait);
}

s64 socket_receive_plain(struct file *f, u64 to, u64 bytes)
{
	struct linux_iovec one = {to, bytes};
	struct parcel p = {.data = {&one, 1, 0}, .bytes = bytes};
	if (f->flags & O_NONBLOCK)
		p.flags |= MSG_DONTWAIT;
	s64 n = socket_receive(f->data, &p);
	passed_put(p.passed);
	name_put(p.from);
	return n;
}

static s64 socket_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	(void)offset;
	if (!bytes)
		return 0; /* not so recvmsg: it waits for a message */
	s64 n = socket_receive_few(f, to, bytes);
	if (n != SOCKET_NOT_FEW)
		return n;
	file_get(f);
	n = socket_receive_plain(f, to, bytes);
	file_put(f);
	return n;
}

static __attribute__((noinline)) s64 socket_write_any(struct file *f, u64 from, usize bytes)
{
	struct linux_iovec one = {from, bytes};
	struct parcel p = {.data = {&one, 1, 0}, .bytes = bytes, .creds = creds_own()};
	if (f->flags & O_NONBLOCK)
		p.flags |= MSG_DONTWAIT;
	file_get(f);
	s64 n = socket_send(f->data, &p);
	file_put(f);
	return n;
}

static s64 socket_write(struct file *f, u64 from, usize bytes, u64 *offset)
{
	s64 n = socket_send_few(f->data, from, bytes);
	(void)offset;
	return n == SOCKET_NOT_FEW ? socket_write_any(f, from, bytes) : n;
}

/* All parts are one message, and one is received into all of them. */
static s64 socket_vector(struct file *f, struct linux_iovec *vec, u64 count, u64 bytes, int writing)
{
	struct parcel p = {.data = {vec, count, 0}, .bytes = bytes};
	if (f->flags & O_NONBLOCK)
		p.flags |= MSG_DONTWAIT;
	if (writing) {
		p.creds = creds_own();
		return socket_send(f->data, &p);
	}
	s64 n = socket_receive(f->data, &p);
	passed_put(p.passed);
	name_put(p.from);
	return n;
}

static u32 socket_poll(struct file *f)
{
	const struct socket *s = f->data, *to = s->peer;
	u32 mask = 0;
	int gone = s->type != SOCK_DGRAM && s->state == SOCKET_CONNECTED &&
		   s->peer->state == SOCKET_CLOSED;
	if (s->state == SOCKET_LISTENING) {
		mask = list_empty(&s->embryos) ? 0 : POLLIN | POLLRDNORM;
		if (s->shut & SHUT_READ)
			mask |= POLLIN | POLLRDNORM | POLLRDHUP;
		return s->shut == (SHUT_READ | SHUT_WRITE) ? mask | POLLHUP : mask;
	}
	if (s->error)
		mask |= POLLERR;
	if (!list_empty(&s->queue))
		mask |= POLLIN | POLLRDNORM;
	if (gone || s->shut & SHUT_READ)
		mask |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (gone || s->shut == (SHUT_READ | SHUT_WRITE) ||
	    (s->type != SOCK_DGRAM && s->state == SOCKET_FRESH))
		mask |= POLLHUP;
	if (!to || to->queued < s->send_limit)
		mask |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return mask;
}

static s64 socket_ioctl(struct file *f, u64 request, u64 arg)
{
	const struct socket *s = f->data;
	s32 n;
	if ((request == FIONREAD || request == SIOCOUTQ) && s->state == SOCKET_LISTENING)
		return -EINVAL;
	if (request == FIONREAD)
		n = (s32)socket_readable(s);
	else if (request == SIOCOUTQ)
		n = s->peer ? (s32)s->peer->queued : 0;
	else
		return -ENOTTY;
	return copy_out(arg, &n, sizeof(n)) ? -EFAULT : 0;
}

static void socket_release(struct file *f)
{
	socket_close(f->data);
	socket_put(f->data);
}

static const struct file_ops socket_ops = {
	.read = socket_read,
	.write = socket_write,
	.vector = socket_vector,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.release = socket_release,
	.quick_read = socket_quick_read,
	.quick_write = socket_quick_write,
};

s64 socket_file(struct socket *s, u32 flags)
{
	struct inode *i = inode_create(S_IFSOCK | 0777, DEVICE_SOCKET);
	struct file *f = i ? file_create(i, O_RDWR | (flags & O_NONBLOCK), &socket_ops, s) : NULL;
	if (i)
		inode_put(i);
	if (!f) {
		socket_close(s);
		socket_put(s);
		return -ENFILE;
	}
	i->nlink = 1;
	i->poll_counts = 1;
	f->flags &= ~(u32)O_LARGEFILE;
	s->inode = i;
	s64 fd = fd_install(f, 0, (flags & O_CLOEXEC) != 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

struct socket *socket_of(u64 fd, struct file **file, s64 *error)
{
	struct file *f = fd_file((u32)fd);
	*file = f;
	*error = !f || (f->flags & O_PATH) ? -EBADF : -ENOTSOCK;
	return f && f->ops == &socket_ops ? f->data : NULL;
}

static int same_name(const struct unix_name *a, const struct unix_name *b)
{
	return a->length == b->length && !__builtin_memcmp(a->text, b->text, a->length);
}

/* The socket that a path leads to; NULL: none. */
static struct socket *inode_socket(const struct inode *inode)
{
	for (struct list *l = all_bound.next; l != &all_bound; l = l->next) {
		struct socket *s = container_of(l, struct socket, all_bound);
		if (s->bound == inode)
			return s;
	}
	return NULL;
}

/* The socket that is bound to an abstract name, of which each type has its own; NULL: none. */
static struct socket *abstract_socket(const struct unix_name *name, u32 type)
{
	for (struct list *l = all_bound.next; l != &all_bound; l = l->next) {
		struct socket *s = container_of(l, struct socket, all_bound);
		if (!s->bound && s->type == type && same_name(s->name, name))
			return s;
	}
	return NULL;
}

/* An abstract name that nobody has: five digits, as Linux makes them. */
static struct unix_name *name_choose(u32 type)
{
	static const char digit[] = "0123456789abcdef";
	for (u32 tries = 0; tries < 1u << 20; tries++) {
		char text[6] = {0};
		u32 n = autobound++ & 0xfffff;
		for (u32 i = 0; i < 5; i++)
			text[5 - i] = digit[n >> 4 * i & 15];
		struct unix_name *name = name_create(text, sizeof(text));
		if (!name || !abstract_socket(name, type))
			return name;
		name_put(name);
	}
	return NULL;
}

s64 socket_bind(struct socket *s, struct unix_name *name)
{
	s64 error = 0;
	if (s->name)
		return name->length ? -EINVAL : 0; /* any name will do: it has one */
	if (!name->length) {
		name = name_choose(s->type);
		if (!name)
			return -ENOMEM;
	} else if (name->text[0]) {
		error = socket_name_make(name->text, &s->bound);
		if (error)
			return error == -EEXIST ? -EADDRINUSE : error;
		name->refs++;
	} else {
		if (abstract_socket(name, s->type))
			return -EADDRINUSE;
		name->refs++;
	}
	s->name = name;
	list_add_tail(&all_bound, &s->all_bound);
	return 0;
}

s64 socket_listen(struct socket *s, s32 backlog)
{
	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!s->name || (s->state != SOCKET_FRESH && s->state != SOCKET_LISTENING))
		return -EINVAL;
	s->state = SOCKET_LISTENING;
	s->backlog = min((u32)backlog, BACKLOG_MOST);
	s->creds = creds_own();
	socket_event(s, POLLOUT);
	return 0;
}

struct socket *socket_find(const struct unix_name *name, u32 type, s64 *error)
{
	struct socket *s = NULL;
	struct walk w;
	*error = -ECONNREFUSED;
	if (name->text[0]) {
		s64 failed = walk_string(&w, AT_FDCWD, name->text, WALK_FOLLOW);
		if (!failed)
			failed = inode_permission(w.inode, W_OK);
		else
			w.inode = NULL;
		if (!failed && S_ISSOCK(w.inode->mode))
			s = inode_socket(w.inode);
		if (failed)
			*error = failed;
		if (w.inode)
			walk_done(&w);
	} else {
		s = abstract_socket(name, type);
	}
	if (s)
		socket_get(s);
	return s;
}

static s64 connect_datagrams(struct socket *s, struct socket *to)
{
	if (to->type != SOCK_DGRAM)
		return -EPROTOTYPE;
	socket_put(s->peer);
	s->peer = to;
	socket_get(to);
	s->state = SOCKET_CONNECTED;
	s->peer_creds = to->creds;
	return 0;
}

/* Waits for a place in a listener's queue. 0 or -E. */
static s64 connect_await(struct socket *s, struct socket *to, int wait)
{
	u64 deadline = s->send_ns ? now_ns() + s->send_ns : 0;
	for (;;) {
		if (to->type != s->type)
			return -EPROTOTYPE;
		if (to->state != SOCKET_LISTENING || to->shut & SHUT_READ)
			return -ECONNREFUSED;
		s64 error = s->state == SOCKET_CONNECTED ? -EISCONN
			    : s->state != SOCKET_FRESH	 ? -EINVAL
							 : 0;
		if (to->embryo_count <= to->backlog)
			return error;
		error = wait ? socket_sleep(to, deadline) : -EAGAIN;
		if (error)
			return error;
	}
}

static s64 connect_stream(struct socket *s, struct socket *to, int wait)
{
	s64 error = connect_await(s, to, wait);
	if (error)
		return error;
	struct socket *end = socket_create(s->type);
	if (!end)
		return -ENOMEM;
	end->creds = to->creds;
	end->name = to->name;
	to->name->refs++;
	end->options = to->options;
	s->creds = creds_own();
	socket_pair(s, end);
	list_add_tail(&to->embryos, &end->embryo);
	to->embryo_count++;
	socket_event(to, POLLIN);
	socket_event(s, POLLOUT);
	return 0;
}

s64 socket_connect(struct socket *s, const struct unix_name *name, int wait)
{
	s64 error;
	struct socket *to = socket_find(name, s->type, &error);
	if (!to)
		return error;
	error = s->type == SOCK_DGRAM ? connect_datagrams(s, to) : connect_stream(s, to, wait);
	socket_put(to);
	return error;
}

s64 socket_accept(struct socket *s, struct socket **out, int wait)
{
	u64 deadline = s->receive_ns ? now_ns() + s->receive_ns : 0;
	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	for (;;) {
		if (s->state != SOCKET_LISTENING)
			return -EINVAL;
		if (!list_empty(&s->embryos))
			break;
		if (wait && s->shut & SHUT_READ)
			return -EINVAL;
		s64 error = wait ? socket_sleep(s, deadline) : -EAGAIN;
		if (error)
			return error;
	}
	*out = container_of(s->embryos.next, struct socket, embryo);
	list_del(&(*out)->embryo);
	s->embryo_count--;
	socket_event(s, POLLOUT);
	return 0;
}

s64 socket_shutdown(struct socket *s, u32 how)
{
	u32 bits = how + 1,
	    other = (bits & SHUT_READ ? SHUT_WRITE : 0) | (bits & SHUT_WRITE ? SHUT_READ : 0);
	if (how > 2)
		return -EINVAL;
	s->shut |= bits;
	socket_event(s, POLLIN | POLLOUT);
	if (s->state == SOCKET_CONNECTED && s->type != SOCK_DGRAM && s->peer) {
		s->peer->shut |= other;
		socket_event(s->peer, POLLIN | POLLOUT);
	}
	return 0;
}
