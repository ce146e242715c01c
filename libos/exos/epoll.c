/* SPDX-License-Identifier: MIT
 * epoll: sets of open files, of which those are told that are ready.
 *
 * A watch belongs to an epoll file and to the open file that it looks at, and goes with the first of them. Invariant:
 * each watch is in its epoll's list and in its file's. Edge-triggered watches look at how often the file's inode
 * became readable and writable (poll_event), so that an event between two looks is not lost. */
#include "file_calls.h"
#include "inode.h"
#include "linux.h"
#include "poll.h"

#define EVENTS_MOST (0x7fffffffu / 12)
#define NESTED_MOST 5

struct epoll {
	struct list watches;
};

struct watch {
	struct list link; /* of the epoll */
	struct list of;	  /* of the file */
	struct epoll *epoll;
	struct file *file;
	s32 fd;
	u32 events; /* 0: told once, and to be armed again */
	u64 data;
	u64 in, out; /* the file's counts when it was last told of; edge-triggered only */
};

struct linux_epoll_event {
	u32 events;
	u64 data;
} __attribute__((packed));

static const struct file_ops epoll_ops;
static u32 nesting;

static struct watch *watch_at(struct list *l)
{
	return container_of(l, struct watch, link);
}

static void watch_remove(struct watch *w)
{
	list_del(&w->link);
	list_del(&w->of);
	poll_watched--;
	kfree(w);
}

void epoll_forget(struct file *f)
{
	while (!list_empty(&f->watchers))
		watch_remove(container_of(f->watchers.next, struct watch, of));
}

static u64 count_in(const struct file *f)
{
	return f->inode->poll_counts ? f->inode->poll_in : poll_changes;
}

static u64 count_out(const struct file *f)
{
	return f->inode->poll_counts ? f->inode->poll_out : poll_changes;
}

/* What is to be told of a watch now. */
static u32 watch_events(const struct watch *w)
{
	const u32 out = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	u32 ready;
	if (!(w->events & ~(u32)EPOLL_FLAGS))
		return 0;
	ready = file_poll(w->file) & (w->events | EPOLLERR | EPOLLHUP);
	if (!(w->events & EPOLLET))
		return ready;
	int news = ((ready & ~out) && count_in(w->file) != w->in) ||
		   ((ready & out) && count_out(w->file) != w->out);
	return news ? ready : 0;
}

static void watch_told(struct watch *w)
{
	w->in = count_in(w->file);
	w->out = count_out(w->file);
	if (w->events & EPOLLONESHOT)
		w->events &= EPOLL_FLAGS;
	/* those that stay ready take turns */
	list_del(&w->link);
	list_add_tail(&w->epoll->watches, &w->link);
}

static void epoll_release(struct file *f)
{
	struct epoll *e = f->data;
	while (!list_empty(&e->watches))
		watch_remove(watch_at(e->watches.next));
	kfree(e);
}

static u32 epoll_poll(struct file *f)
{
	struct epoll *e = f->data;
	u32 ready = 0;
	if (nesting >= NESTED_MOST)
		return 0;
	nesting++;
	for (struct list *l = e->watches.next; !ready && l != &e->watches; l = l->next)
		ready = watch_events(watch_at(l));
	nesting--;
	return ready ? POLLIN | POLLRDNORM : 0;
}

/* What it does not know is -EINVAL, as with few other files. */
static s64 epoll_ioctl(struct file *f, u64 request, u64 arg)
{
	(void)f;
	(void)request;
	(void)arg;
	return -EINVAL;
}

static const struct file_ops epoll_ops = {
	.poll = epoll_poll, .ioctl = epoll_ioctl, .release = epoll_release};

s64 sys_epoll_create1(u64 flags)
{
	struct file *f;
	if (flags & ~(u64)O_CLOEXEC)
		return -EINVAL;
	struct epoll *e = kmalloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	list_init(&e->watches);
	s64 fd = file_anonymous("anon_inode:[eventpoll]", &epoll_ops, e, O_RDWR | (u32)flags, &f);
	if (fd >= 0)
		f->inode->poll_counts = 0;
	return fd;
}

s64 sys_epoll_create(u64 size)
{
	return (s32)size <= 0 ? -EINVAL : sys_epoll_create1(0);
}

static struct watch *watch_find(struct epoll *e, const struct file *f, s32 fd)
{
	for (struct list *l = e->watches.next; l != &e->watches; l = l->next)
		if (watch_at(l)->file == f && watch_at(l)->fd == fd)
			return watch_at(l);
	return NULL;
}

/* Whether f, an epoll file, looks at `other` in the end, or deeper than is allowed. */
static int leads_to(struct file *f, const struct file *other, u32 depth)
{
	struct epoll *e = f->data;
	if (f == other || depth >= NESTED_MOST)
		return 1;
	for (struct list *l = e->watches.next; l != &e->watches; l = l->next)
		if (watch_at(l)->file->ops == &epoll_ops &&
		    leads_to(watch_at(l)->file, other, depth + 1))
			return 1;
	return 0;
}

/* All that may be asked for with EPOLLEXCLUSIVE. */
#define EXCLUSIVE_EVENTS                                                              \
	(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | EPOLLERR | EPOLLHUP | EPOLLET | \
	 EPOLLEXCLUSIVE | EPOLLWAKEUP)

static s64 watch_add(struct file *epoll, struct file *f, s32 fd,
		     const struct linux_epoll_event *event)
{
	struct epoll *e = epoll->data;
	if (f->ops == &epoll_ops && leads_to(f, epoll, 1))
		return -ELOOP;
	struct watch *w = kmalloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->epoll = e;
	w->file = f;
	w->fd = fd;
	w->events = event->events | EPOLLERR | EPOLLHUP; /* these always */
	w->data = event->data;
	w->in = w->out = ~0ul;
	list_add_tail(&e->watches, &w->link);
	list_add_tail(&f->watchers, &w->of);
	poll_watched++;
	poll_notify();
	return 0;
}

s64 sys_epoll_ctl(u64 epfd, u64 op, u64 fd, u64 event)
{
	struct file *epoll = fd_file((u32)epfd), *f = fd_file((u32)fd);
	struct linux_epoll_event in = {.events = 0};
	if ((u32)op != EPOLL_CTL_DEL && copy_in(&in, event, sizeof(in)))
		return -EFAULT;
	if (!epoll || !f || (f->flags & O_PATH))
		return -EBADF;
	if (!f->ops->poll)
		return -EPERM;
	if (epoll->ops != &epoll_ops || f == epoll)
		return -EINVAL;
	if (in.events & EPOLLEXCLUSIVE && ((u32)op == EPOLL_CTL_MOD || f->ops == &epoll_ops))
		return -EINVAL;
	if (in.events & EPOLLEXCLUSIVE && in.events & ~(u32)EXCLUSIVE_EVENTS)
		return -EINVAL;
	struct watch *w = watch_find(epoll->data, f, (s32)fd);
	switch ((u32)op) {
	case EPOLL_CTL_ADD:
		return w ? -EEXIST : watch_add(epoll, f, (s32)fd, &in);
	case EPOLL_CTL_DEL:
		if (w)
			watch_remove(w);
		return w ? 0 : -ENOENT;
	case EPOLL_CTL_MOD:
		if (!w)
			return -ENOENT;
		if (w->events & EPOLLEXCLUSIVE)
			return -EINVAL;
		w->events = in.events | EPOLLERR | EPOLLHUP;
		w->data = in.data;
		w->in = w->out = ~0ul;
		poll_notify();
		return 0;
	default:
		return -EINVAL;
	}
}

/* Tells up to `most` events. How many, or -EFAULT where none could be written. */
static s64 epoll_tell(struct epoll *e, u64 to, u32 most)
{
	struct list *l = e->watches.next;
	u32 told = 0, left = 0;
	for (struct list *at = l; at != &e->watches; at = at->next)
		left++;
	for (; left && told < most; left--) {
		struct watch *w = watch_at(l);
		struct linux_epoll_event out = {.events = watch_events(w), .data = w->data};
		l = l->next;
		if (!out.events)
			continue;
		if (copy_out(to + told * sizeof(out), &out, sizeof(out)))
			return told ? (s64)told : -EFAULT;
		watch_told(w);
		told++;
	}
	return told;
}

/* deadline: ns of the exposed clock; 0 for ever; 1 do not wait. */
static s64 epoll_run(u64 epfd, u64 to, u64 most, u64 deadline)
{
	struct file *f = fd_file((u32)epfd);
	if (!f)
		return -EBADF;
	if (f->ops != &epoll_ops || (s32)most <= 0 || (u32)most > EVENTS_MOST)
		return -EINVAL;
	if (!user_range(to, (u32)most * sizeof(struct linux_epoll_event)))
		return -EFAULT;
	s64 told;
	file_get(f);
	for (;;) {
		told = epoll_tell(f->data, to, (u32)most);
		if (told || deadline == 1)
			break;
		s64 woken = poll_sleep(deadline);
		if (woken == -ETIMEDOUT)
			deadline = 1;
		if (woken == -EINTR) {
			told = -EINTR;
			break;
		}
	}
	file_put(f);
	return told;
}

s64 sys_epoll_pwait(u64 epfd, u64 to, u64 most, u64 timeout, u64 mask, u64 bytes)
{
	s32 ms = (s32)timeout;
	u64 old, deadline = ms < 0 ? 0 : ms == 0 ? 1 : now_ns() + (u64)ms * 1000000;
	s64 result = mask_begin(mask, bytes, &old);
	if (result)
		return result;
	result = epoll_run(epfd, to, most, deadline);
	mask_end(mask, old, result);
	return result;
}

s64 sys_epoll_pwait2(u64 epfd, u64 to, u64 most, u64 timeout, u64 mask, u64 bytes)
{
	u64 old, deadline;
	s64 result = deadline_in(timeout, &deadline);
	if (!result)
		result = mask_begin(mask, bytes, &old);
	if (result)
		return result;
	result = epoll_run(epfd, to, most, deadline);
	mask_end(mask, old, result);
	return result;
}

s64 sys_epoll_wait(u64 epfd, u64 to, u64 most, u64 timeout)
{
	return sys_epoll_pwait(epfd, to, most, timeout, 0, 0);
}
