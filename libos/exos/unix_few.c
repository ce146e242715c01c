/* SPDX-License-Identifier: MIT
 * UNIX sockets: few bytes between connected sockets with nothing beside them, which is most of what goes through them. What is
 * not so plain is left to unix_io.c, which does the same at length. A socket keeps one message of this kind for the next. */
#include "inode.h"
#include "poll.h"
#include "socket.h"
#include "switch.h"
#include "usermem.h"

static void few_free(struct socket *s, struct message *m)
{
	if (m->few && !s->spare)
		s->spare = m;
	else
		message_free(m);
}

/* Nothing stands against it, and nothing goes with it. */
static inline int send_plain(const struct socket *s, const struct socket *to, u64 bytes)
{
	if (s->state != SOCKET_CONNECTED || bytes - 1 >= SOCKET_FEW || s->error || s->name ||
	    s->shut & SHUT_WRITE)
		return 0;
	return to->inode && to->state == SOCKET_CONNECTED && to->peer == s &&
	       !(to->shut & SHUT_READ) && to->queued < s->send_limit &&
	       !((s->options | to->options) & 1u << SO_PASSCRED);
}

s64 socket_send_few(struct socket *s, u64 from, u64 bytes)
{
	struct socket *to = s->peer;
	if (!send_plain(s, to, bytes))
		return SOCKET_NOT_FEW;
	struct message *m = to->spare;
	if (!m) {
		m = kmalloc(sizeof(*m) + SOCKET_FEW);
		if (!m)
			return -ENOMEM;
		m->few = 1;
		m->creds = (struct creds){0, NOBODY, NOBODY};
	}
	to->spare = NULL;
	if (user_few_in(m->data, from, bytes)) {
		few_free(to, m);
		return -EFAULT;
	}
	m->bytes = bytes;
	m->taken = 0;
	list_add_tail(&to->queue, &m->link);
	to->queued += bytes + MESSAGE_COST;
	waitq_wake(&to->wait);
	poll_event(to->inode, POLLIN);
	return (s64)bytes;
}

/* A message was read: there is room for another. Those who wait for it sleep where it was. */
static inline void few_done(struct socket *s, struct message *m)
{
	struct socket *peer = s->peer;
	m->link.prev->next = m->link.next;
	m->link.next->prev = m->link.prev;
	s->queued -= m->bytes + MESSAGE_COST;
	few_free(s, m);
	waitq_wake(&s->wait);
	if (s->type != SOCK_DGRAM && peer && peer->inode)
		poll_event(peer->inode, POLLOUT);
	else
		poll_notify();
}

static inline s64 receive_now(struct socket *s, u64 to, u64 bytes)
{
	struct list *first = s->queue.next;
	struct message *m = container_of(first, struct message, link);
	u64 there = m->bytes - m->taken, n = min(bytes, there);
	if (!m->few || m->from || s->error || s->options & 1u << SO_PASSCRED || bytes - 1 >= PAGE)
		return SOCKET_NOT_FEW;
	if (s->type == SOCK_STREAM && n < bytes && first->next != &s->queue)
		return SOCKET_NOT_FEW; /* there is more */
	if (user_few_out(to, m->data + m->taken, n))
		return -EFAULT;
	m->taken += (u32)n;
	if (s->type != SOCK_STREAM || n == there)
		few_done(s, m);
	return (s64)n;
}

/* Sleeps first, for as long as it takes. */
static __attribute__((noinline)) s64 receive_late(struct file *f, u64 to, u64 bytes)
{
	struct socket *s = f->data;
	s64 result = 0;
	if (s->receive_ns || f->flags & O_NONBLOCK)
		return SOCKET_NOT_FEW;
	f->refs++;
	while (list_empty(&s->queue) && !s->error && s->state == SOCKET_CONNECTED &&
	       s->peer->state == SOCKET_CONNECTED && !(s->shut & SHUT_READ) && !result)
		result = sleep_here(&s->wait);
	if (result == -EINTR)
		result = -ERESTARTSYS;
	else
		result = list_empty(&s->queue) ? SOCKET_NOT_FEW : receive_now(s, to, bytes);
	if (result == SOCKET_NOT_FEW)
		result = socket_receive_plain(f, to, bytes);
	if (f->refs > 1)
		f->refs--;
	else
		file_put(f);
	return result;
}

s64 socket_receive_few(struct file *f, u64 to, u64 bytes)
{
	struct socket *s = f->data;
	return list_empty(&s->queue) ? receive_late(f, to, bytes) : receive_now(s, to, bytes);
}

/* --- quick calls: the same where nothing at all is beside it */

/* Connected and not shut; no error, and no option. Two words each, looked at as one. */
static inline int socket_open(const struct socket *s)
{
	return *(const u64 *)&s->state == SOCKET_CONNECTED;
}
static inline int socket_quiet(const struct socket *s)
{
	return !*(const u64 *)&s->error;
}
_Static_assert(__builtin_offsetof(struct socket, state) % 8 == 0 &&
		       __builtin_offsetof(struct socket, shut) ==
			       __builtin_offsetof(struct socket, state) + 4 &&
		       __builtin_offsetof(struct socket, error) % 8 == 0 &&
		       __builtin_offsetof(struct socket, options) ==
			       __builtin_offsetof(struct socket, error) + 4,
	       "words of 8");

/* Few bytes, of which nothing has been read. */
#define MESSAGE_FRESH 1ul
_Static_assert(__builtin_offsetof(struct message, few) % 8 == 0 &&
		       __builtin_offsetof(struct message, taken) ==
			       __builtin_offsetof(struct message, few) + 4,
	       "a word of 8");
static inline u64 *message_freshness(struct message *m)
{
	return (u64 *)&m->few;
}

/* What one that sleeps is not all that hears of. */
static __attribute__((noinline)) s64 socket_quick_sent(struct socket *to, s64 n)
{
	waitq_wake_more(&to->wait);
	if (to->inode)
		poll_event(to->inode, POLLIN);
	return quick_end(n);
}

s64 socket_quick_write(struct file *f, u64 from, u64 bytes, struct thread *t)
{
	struct socket *s = f->data, *to = s->peer;
	struct message *m;
	/* who is connected has a peer, that may be connected to another */
	if (RARE(!socket_open(s)) || RARE(!socket_quiet(s)) || RARE(s->name) ||
	    RARE(bytes - 1 >= SOCKET_FEW) || RARE(!socket_open(to)) || RARE(to->peer != s) ||
	    RARE(word_marked(&to->options)) || RARE(to->queued >= s->send_limit) ||
	    !(m = to->spare))
		return file_quick_write(f, from, bytes, t);
	if (RARE(user_few_in(m->data, from, bytes)))
		return quick_end(-EFAULT);
	to->spare = NULL;
	m->bytes = bytes;
	*message_freshness(m) = MESSAGE_FRESH;
	list_add_tail(&to->queue, &m->link);
	to->queued += bytes + MESSAGE_COST;
	if (RARE(waitq_wake_first(&to->wait)) || RARE(word_marked(&poll_watched)))
		return socket_quick_sent(to, (s64)bytes);
	return quick_end((s64)bytes);
}

/* Whatever the next message is like. */
static __attribute__((noinline)) s64 socket_quick_any(struct file *f, u64 to, u64 bytes,
						      struct thread *t)
{
	return file_quick_read(f, to, bytes, t);
}

static __attribute__((noinline)) s64 socket_quick_taken(struct socket *s, s64 n)
{
	struct socket *peer = s->peer;
	waitq_wake_more(&s->wait);
	if (s->type != SOCK_DGRAM && peer && peer->inode)
		poll_event(peer->inode, POLLOUT);
	else
		poll_notify();
	return quick_end(n);
}

/* The first message, where all of it is wanted. */
static inline __attribute__((always_inline)) s64 socket_quick_take(struct file *f, u64 to,
								   u64 bytes, struct thread *t)
{
	struct socket *s = f->data;
	struct list *first = s->queue.next, *second;
	struct message *m = container_of(first, struct message, link);
	u64 n = m->bytes, cost;
	second = first->next;
	if (RARE(*message_freshness(m) != MESSAGE_FRESH) || RARE(!socket_quiet(s)) ||
	    (n != bytes && (RARE(n > bytes) || RARE(second != &s->queue))) || RARE(s->spare))
		return socket_quick_any(f, to, bytes, t);
	if (RARE(user_few_out(to, m->data, n)))
		return quick_end(-EFAULT);
	s->queue.next = second;
	second->prev = &s->queue;
	cost = n + MESSAGE_COST;
	__asm__("" : "+r"(cost)); /* or it would be loaded, changed twice, and stored */
	s->queued -= cost;
	s->spare = m;
	if (RARE(waitq_wake_first(&s->wait)) || RARE(word_marked(&poll_watched)))
		return socket_quick_taken(s, (s64)n);
	return quick_end((s64)n);
}

static __attribute__((noinline)) s64 socket_quick_ready(struct file *f, u64 to, u64 bytes,
							struct thread *t)
{
	return socket_quick_take(f, to, bytes, t);
}

/* Where nothing is there it sleeps first. */
s64 socket_quick_read(struct file *f, u64 to, u64 bytes, struct thread *t)
{
	struct socket *s = f->data;
	if (!list_empty(&s->queue))
		return socket_quick_ready(f, to, bytes, t);
	struct sleep_kept kept = {f, to, bytes};
	if (RARE(s->receive_ns) || RARE(f->flags & O_NONBLOCK) || RARE(!bytes) ||
	    RARE(!socket_open(s)) || RARE(!socket_quiet(s)) ||
	    RARE(s->peer->state != SOCKET_CONNECTED))
		return file_quick_read(f, to, bytes, t);
	f->refs++;
	for (;;) {
		sleep_keep(&kept);
		t = sleep_quick(t, &s->wait);
		f = kept.file;
		s = f->data;
		if (!RARE(list_empty(&s->queue)))
			break;
		if (t->wake_result == -EINTR)
			return file_quick_slept(f, -EINTR, 0);
		if (!socket_open(s) || !socket_quiet(s) || s->peer->state != SOCKET_CONNECTED)
			return file_quick_slept(f, 0, socket_receive_plain(f, kept.at, kept.bytes));
	}
	to = kept.at;
	bytes = kept.bytes;
	if (RARE(!--f->refs)) {
		f->refs = 1;
		return file_quick_slept(f, 0, socket_receive_plain(f, to, bytes));
	}
	return socket_quick_take(f, to, bytes, t);
}
