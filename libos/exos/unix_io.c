/* SPDX-License-Identifier: MIT
 * UNIX sockets: sending and receiving. Messages lie in the receiver's queue; what they take there is the sender's
 * allowance, so that a receiver that does not read stops its senders, and nobody else. */
#include "inode.h"
#include "proc.h"
#include "socket.h"

#define CHUNK_MOST 16000u     /* of a stream's message: fits into 4 pages with its head */
#define IN_FLIGHT_MOST 16384u /* open files on their way, of the family */

static u32 in_flight;

/* Moves bytes between the cursor's memory and ours. 0 or -EFAULT. */
static s64 cursor_move(struct cursor *c, u8 *ours, u64 bytes, int out)
{
	while (bytes) {
		struct linux_iovec *v = c->vec;
		if (!c->count)
			return -EFAULT;
		u64 n = min(bytes, v->len - c->at);
		s64 error =
			out ? io_out(v->base + c->at, ours, n) : io_in(ours, v->base + c->at, n);
		if (error)
			return error;
		ours += n;
		bytes -= n;
		c->at += n;
		if (c->at == v->len) {
			c->vec++;
			c->count--;
			c->at = 0;
		}
	}
	return 0;
}

void passed_put(struct passed *passed)
{
	if (!passed)
		return;
	for (u32 i = 0; i < passed->count; i++)
		if (passed->file[i])
			file_put(passed->file[i]);
	kfree(passed);
}

void message_free(struct message *m)
{
	if (m->passed)
		in_flight -= m->passed->count;
	passed_put(m->passed);
	name_put(m->from);
	kfree(m);
}

u64 socket_readable(const struct socket *s)
{
	u64 bytes = 0;
	for (const struct list *l = s->queue.next; l != &s->queue; l = l->next) {
		const struct message *m = container_of(l, struct message, link);
		bytes += m->bytes - m->taken;
		if (s->type == SOCK_DGRAM)
			break; /* the next alone */
	}
	return bytes;
}

/* What stands against sending to `to` now. 0, -EPIPE or -E. */
static s64 send_check(const struct socket *s, const struct socket *to)
{
	if (s->shut & SHUT_WRITE)
		return -EPIPE;
	if (to->state == SOCKET_CLOSED)
		return s->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
	if (s->type == SOCK_DGRAM && to->state == SOCKET_CONNECTED && to->peer != s)
		return -EPERM; /* it listens to another */
	if (to->shut & SHUT_READ)
		return -EPIPE;
	return 0;
}

/* Waits for room at `to`. 0 or -E. */
static s64 send_await(struct socket *s, struct socket *to, u32 flags)
{
	u64 deadline = s->send_ns ? now_ns() + s->send_ns : 0;
	for (;;) {
		s64 error = send_check(s, to);
		if (error)
			return error;
		if (to->queued < s->send_limit)
			return 0;
		error = flags & MSG_DONTWAIT ? -EAGAIN : socket_sleep(to, deadline);
		if (error)
			return error;
	}
}

/* Puts one message of the next `bytes` into the queue of `to`. 0 or -E. */
static s64 message_send(struct socket *s, struct socket *to, struct parcel *p, u64 bytes)
{
	struct message *m = kmalloc(sizeof(*m) + bytes);
	if (!m)
		return -ENOMEM;
	s64 error = cursor_move(&p->data, m->data, bytes, 0);
	if (!error && p->passed && in_flight + p->passed->count > IN_FLIGHT_MOST)
		error = -ETOOMANYREFS;
	if (error) {
		kfree(m);
		return error;
	}
	m->bytes = bytes;
	/* who will accept it may ask for them then */
	m->creds = p->has_creds || !to->inode || (s->options | to->options) & 1u << SO_PASSCRED
			   ? p->creds
			   : (struct creds){0, NOBODY, NOBODY};
	m->passed = p->passed;
	p->passed = NULL;
	if (m->passed)
		in_flight += m->passed->count;
	if (s->type == SOCK_DGRAM && s->name) {
		m->from = s->name;
		m->from->refs++;
	}
	list_add_tail(&to->queue, &m->link);
	to->queued += bytes + MESSAGE_COST;
	socket_event(to, POLLIN);
	return 0;
}

static s64 send_stream(struct socket *s, struct parcel *p)
{
	struct socket *to = s->peer;
	u64 done = 0;
	s64 error = 0;
	while (!error && done < p->bytes) {
		u64 n = min(p->bytes - done, (u64)CHUNK_MOST);
		error = send_await(s, to, p->flags);
		if (!error)
			error = message_send(s, to, p, n);
		if (!error)
			done += n;
	}
	if (!error && !p->bytes)
		error = send_check(s, to);
	return done ? (s64)done : error;
}

static s64 send_whole(struct socket *s, struct socket *to, struct parcel *p)
{
	if (p->bytes > s->send_limit - 32)
		return -EMSGSIZE;
	s64 error = send_await(s, to, p->flags);
	if (!error)
		error = message_send(s, to, p, p->bytes);
	return error ? error : (s64)p->bytes;
}

static s64 send_datagram(struct socket *s, struct parcel *p)
{
	s64 error = s->state == SOCKET_CONNECTED ? 0 : -ENOTCONN;
	struct socket *to = s->peer;
	if (s->shut & SHUT_WRITE)
		return -EPIPE;
	if (p->to)
		to = socket_find(p->to, s->type, &error);
	else if (!error)
		socket_get(to);
	if (!to || (!p->to && error))
		return error;
	error = to->type == SOCK_DGRAM ? send_whole(s, to, p) : -EPROTOTYPE;
	if (error == -ECONNREFUSED && !p->to && s->peer == to)
		socket_part(s); /* connected to nobody from now on */
	socket_put(to);
	return error;
}

s64 socket_send(struct socket *s, struct parcel *p)
{
	s64 result;
	if (p->flags & MSG_OOB)
		return -EOPNOTSUPP;
	socket_get(s);
	if (s->error && s->type != SOCK_STREAM) { /* of a stream, the next receiver's */
		result = -s->error;
		s->error = 0;
	} else if (s->type == SOCK_DGRAM) {
		result = send_datagram(s, p);
	} else if (p->to && s->type == SOCK_STREAM) {
		result = s->state == SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	} else if (s->state != SOCKET_CONNECTED) {
		result = -ENOTCONN;
	} else {
		struct socket *to = s->peer;
		socket_get(to);
		result = s->type == SOCK_STREAM ? send_stream(s, p) : send_whole(s, to, p);
		socket_put(to);
	}
	int signals = result == -EPIPE && s->type == SOCK_STREAM && !(p->flags & MSG_NOSIGNAL);
	socket_put(s);
	if (signals)
		write_broken();
	return result;
}

/* Waits for a message. 1; 0: the end; or -E. */
static s64 receive_await(struct socket *s, u32 flags, u64 deadline)
{
	while (list_empty(&s->queue) || (s->error && s->type != SOCK_STREAM)) {
		if (s->error) {
			s64 error = -s->error;
			s->error = 0;
			return error;
		}
		if (s->type != SOCK_DGRAM && s->state != SOCKET_CONNECTED &&
		    s->state != SOCKET_CLOSED)
			return s->type == SOCK_STREAM ? -EINVAL : -ENOTCONN;
		if (s->type == SOCK_DGRAM && flags & MSG_DONTWAIT)
			return -EAGAIN; /* also where it is shut */
		if (s->shut & SHUT_READ || s->state == SOCKET_CLOSED)
			return 0;
		if (s->type != SOCK_DGRAM && s->peer->state == SOCKET_CLOSED)
			return 0;
		s64 error = flags & MSG_DONTWAIT ? -EAGAIN : socket_sleep(s, deadline);
		if (error)
			return error;
	}
	return 1;
}

/* The receiver gets files of its own; a message that is only looked at keeps them. */
static struct passed *passed_copy(const struct passed *from)
{
	struct passed *copy = kmalloc(sizeof(*copy));
	if (!copy)
		return NULL;
	*copy = *from;
	for (u32 i = 0; i < copy->count; i++)
		file_get(copy->file[i]);
	return copy;
}

/* What comes beside the data of a message. */
static void message_extras(struct message *m, struct parcel *p)
{
	p->creds = m->creds;
	p->has_creds = 1;
	if (m->from && !p->from) {
		p->from = m->from;
		m->from->refs++;
	}
	if (!m->passed)
		return;
	if (p->flags & MSG_PEEK) {
		p->passed = passed_copy(m->passed);
		return;
	}
	p->passed = m->passed;
	in_flight -= m->passed->count;
	m->passed = NULL;
}

/* A message was read; its sender has room again. */
static void message_done(struct socket *s, struct message *m)
{
	list_del(&m->link);
	s->queued -= m->bytes + MESSAGE_COST;
	message_free(m);
	wake_all(&s->wait);
	if (s->type != SOCK_DGRAM && s->peer)
		socket_event(s->peer, POLLOUT);
	else
		poll_notify();
}

static s64 receive_whole(struct socket *s, struct parcel *p)
{
	u64 deadline = s->receive_ns ? now_ns() + s->receive_ns : 0;
	s64 there = receive_await(s, p->flags, deadline);
	if (there <= 0)
		return there;
	struct message *m = container_of(s->queue.next, struct message, link);
	u64 n = min(p->bytes, m->bytes), whole = m->bytes;
	s64 error = cursor_move(&p->data, m->data, n, 1);
	if (error)
		return error;
	message_extras(m, p);
	p->truncated = whole > n;
	if (!(p->flags & MSG_PEEK))
		message_done(s, m);
	return p->flags & MSG_TRUNC ? (s64)whole : (s64)n;
}

static int same_creds(const struct creds *a, const struct creds *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* Takes as much as is there from one message on, as far as the messages go together: bytes, or -EFAULT. Where there is room
 * for nothing, what comes beside the data all the same. Who only looks is shown, as on Linux, the next files that are passed,
 * though they lie behind the data that was wanted. */
static s64 stream_take(struct socket *s, struct parcel *p, u64 left)
{
	struct list *l = s->queue.next;
	u64 done = 0;
	do {
		struct message *m = container_of(l, struct message, link);
		u64 n = min(m->bytes - m->taken, left - done);
		if (p->has_creds && s->options & 1u << SO_PASSCRED &&
		    !same_creds(&m->creds, &p->creds))
			break;
		s64 error = cursor_move(&p->data, m->data + m->taken, n, 1);
		if (error)
			return done ? (s64)done : error;
		int passed = m->passed != NULL;
		message_extras(m, p);
		done += n;
		l = l->next;
		if (!(p->flags & MSG_PEEK)) {
			m->taken += (u32)n;
			if (m->taken == m->bytes)
				message_done(s, m);
		}
		if (passed)
			break;
	} while (l != &s->queue && (done < left || p->flags & MSG_PEEK));
	return (s64)done;
}

static s64 receive_stream(struct socket *s, struct parcel *p)
{
	u64 deadline = s->receive_ns ? now_ns() + s->receive_ns : 0, done = 0;
	for (;;) {
		s64 n = receive_await(s, p->flags, deadline);
		if (n > 0)
			n = stream_take(s, p, p->bytes - done);
		if (n < 0 || !n)
			return done ? (s64)done : n;
		done += (u64)n;
		if (done == p->bytes || !(p->flags & MSG_WAITALL) || p->flags & MSG_PEEK ||
		    p->passed)
			return (s64)done;
	}
}

s64 socket_receive(struct socket *s, struct parcel *p)
{
	if (p->flags & MSG_OOB)
		return -EOPNOTSUPP;
	socket_get(s);
	s64 result = s->type == SOCK_STREAM ? receive_stream(s, p) : receive_whole(s, p);
	socket_put(s);
	return result;
}
