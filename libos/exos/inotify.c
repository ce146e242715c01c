/* SPDX-License-Identifier: MIT
 * inotify: what happens to files and in directories, told to who asked.
 *
 * A mark belongs to its notifier and to an inode, neither of which it holds; it goes with the first of them. Nothing is
 * looked up for an event while there is no mark at all. */
#include "inotify.h"
#include "file_calls.h"
#include "poll.h"

#define QUEUE_MOST 16384u
#define NAME_UNIT 16u

struct mark {
	struct list link;  /* of the notifier */
	struct mark *next; /* of the inode */
	struct notifier *notifier;
	struct inode *inode;
	s32 wd;
	u32 mask;
};

struct event {
	struct list link;
	s32 wd;
	u32 mask, cookie;
	u32 length; /* of name, without its end */
	char name[];
};

struct notifier {
	struct list marks, events;
	u32 queued;
	s32 last_wd;
	struct inode *inode; /* of its open file */
	struct waitq wait;
};

struct linux_inotify_event {
	s32 wd;
	u32 mask, cookie, length;
};

u32 inotify_marks;
static u32 last_cookie;

u32 inotify_cookie(void)
{
	return ++last_cookie;
}

static int same_event(const struct event *a, s32 wd, u32 mask, u32 cookie, const char *name,
		      u32 length)
{
	return a->wd == wd && a->mask == mask && a->cookie == cookie && a->length == length &&
	       !__builtin_memcmp(a->name, name, length);
}

/* Queues an event, unless it is what the last one says. What there is no room for is told as an overflow. */
static void event_add(struct notifier *n, s32 wd, u32 mask, u32 cookie, const char *name,
		      u32 length)
{
	struct event *last = container_of(n->events.prev, struct event, link);
	if (n->queued >= QUEUE_MOST) {
		wd = -1;
		mask = IN_Q_OVERFLOW;
		cookie = length = 0;
	}
	if (n->queued && same_event(last, wd, mask, cookie, name, length))
		return;
	struct event *e = kmalloc(sizeof(*e) + length + 1);
	if (!e)
		return;
	e->wd = wd;
	e->mask = mask;
	e->cookie = cookie;
	e->length = length;
	__builtin_memcpy(e->name, name, length);
	list_add_tail(&n->events, &e->link);
	n->queued++;
	wake_all(&n->wait);
	if (n->inode)
		poll_event(n->inode, POLLIN);
}

static void mark_remove(struct mark *m)
{
	struct mark **at = &m->inode->marks;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	list_del(&m->link);
	inotify_marks--;
	event_add(m->notifier, m->wd, IN_IGNORED, 0, "", 0);
	kfree(m);
}

/* Tells those that watch an inode; name: of its child, or of itself with length 0. */
static void marks_tell(struct inode *i, u32 mask, u32 cookie, const char *name, u32 length)
{
	struct mark *m = i->marks, *next;
	for (; m; m = next) {
		next = m->next;
		if (!(m->mask & mask & IN_ALL_EVENTS))
			continue;
		event_add(m->notifier, m->wd, mask, cookie, name, length);
		if (m->mask & IN_ONESHOT)
			mark_remove(m);
	}
}

void inotify_name(struct inode *dir, const char *name, u32 length, const struct inode *child,
		  u32 mask, u32 cookie)
{
	if (!inotify_marks)
		return;
	marks_tell(dir, mask | (S_ISDIR(child->mode) ? IN_ISDIR : 0), cookie, name, length);
}

void inotify_inode(struct inode *i, struct inode *dir, const char *name, u32 length, u32 mask)
{
	u32 kind = S_ISDIR(i->mode) && mask != IN_MOVE_SELF ? IN_ISDIR : 0;
	if (!inotify_marks)
		return;
	if (dir && length && dir != i)
		marks_tell(dir, mask | kind, 0, name, length);
	marks_tell(i, mask | kind, 0, "", 0);
}

void inotify_walk(const struct walk *w, u32 mask)
{
	inotify_inode(w->inode, w->last_special ? NULL : w->dir, w->last, w->last_length, mask);
}

void inotify_file(struct file *f, u32 mask)
{
	const struct dentry *d = f->name;
	if (!inotify_marks || f->flags & O_PATH)
		return;
	inotify_inode(f->inode, f->parent, d ? d->name : "", d ? d->length : 0, mask);
}

void inotify_gone(struct inode *i)
{
	while (i->marks) {
		struct mark *m = i->marks;
		if (m->mask & IN_DELETE_SELF)
			event_add(m->notifier, m->wd, IN_DELETE_SELF, 0, "", 0);
		mark_remove(m);
	}
}

static u32 event_bytes(const struct event *e)
{
	u32 name = e->length ? (e->length + NAME_UNIT) / NAME_UNIT * NAME_UNIT : 0;
	return sizeof(struct linux_inotify_event) + name;
}

static s64 event_out(const struct event *e, u64 to)
{
	char name[NAME_MAX + NAME_UNIT] = {0};
	struct linux_inotify_event out = {e->wd, e->mask, e->cookie,
					  event_bytes(e) - (u32)sizeof(out)};
	__builtin_memcpy(name, e->name, e->length);
	if (io_out(to, &out, sizeof(out)) || io_out(to + sizeof(out), name, out.length))
		return -EFAULT;
	return event_bytes(e);
}

static s64 notifier_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	struct notifier *n = f->data;
	u64 done = 0;
	(void)offset;
	while (list_empty(&n->events)) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (sleep_on(&n->wait, 0, 1) == -EINTR)
			return -ERESTARTSYS;
	}
	while (!list_empty(&n->events)) {
		struct event *e = container_of(n->events.next, struct event, link);
		if (event_bytes(e) > bytes - done)
			return done ? (s64)done : -EINVAL;
		s64 out = event_out(e, to + done);
		if (out < 0)
			return done ? (s64)done : out;
		done += (u64)out;
		list_del(&e->link);
		n->queued--;
		kfree(e);
	}
	return (s64)done;
}

static u32 notifier_poll(struct file *f)
{
	const struct notifier *n = f->data;
	return n->queued ? POLLIN | POLLRDNORM : 0;
}

static s64 notifier_ioctl(struct file *f, u64 request, u64 arg)
{
	const struct notifier *n = f->data;
	s32 bytes = 0;
	if (request != FIONREAD)
		return -ENOTTY;
	for (const struct list *l = n->events.next; l != &n->events; l = l->next)
		bytes += (s32)event_bytes(container_of(l, const struct event, link));
	return copy_out(arg, &bytes, sizeof(bytes)) ? -EFAULT : 0;
}

static void notifier_release(struct file *f)
{
	struct notifier *n = f->data;
	n->inode = NULL;
	while (!list_empty(&n->marks))
		mark_remove(container_of(n->marks.next, struct mark, link));
	while (!list_empty(&n->events)) {
		struct event *e = container_of(n->events.next, struct event, link);
		list_del(&e->link);
		kfree(e);
	}
	kfree(n);
}

static const struct file_ops notifier_ops = {
	.read = notifier_read,
	.poll = notifier_poll,
	.ioctl = notifier_ioctl,
	.release = notifier_release,
};

s64 sys_inotify_init1(u64 flags)
{
	struct file *f;
	if ((u32)flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	struct notifier *n = kmalloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	list_init(&n->marks);
	list_init(&n->events);
	waitq_init(&n->wait);
	s64 fd = file_anonymous("anon_inode:inotify", &notifier_ops, n, (u32)flags, &f);
	if (fd >= 0)
		n->inode = f->inode;
	return fd;
}

s64 sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}

static struct notifier *notifier_of(u64 fd, s64 *error)
{
	struct file *f = fd_file((u32)fd);
	*error = !f ? -EBADF : -EINVAL;
	return f && f->ops == &notifier_ops ? f->data : NULL;
}

static s64 mark_set(struct notifier *n, struct inode *i, u32 mask)
{
	struct mark *m = i->marks;
	while (m && m->notifier != n)
		m = m->next;
	if (m && mask & IN_MASK_CREATE)
		return -EEXIST;
	if (m) {
		m->mask = (mask & IN_MASK_ADD ? m->mask : 0) | mask;
		return m->wd;
	}
	m = kmalloc(sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->notifier = n;
	m->inode = i;
	m->wd = ++n->last_wd;
	m->mask = mask;
	m->next = i->marks;
	i->marks = m;
	list_add_tail(&n->marks, &m->link);
	inotify_marks++;
	return m->wd;
}

s64 sys_inotify_add_watch(u64 fd, u64 path, u64 mask)
{
	const u32 known = IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR |
			  IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD |
			  IN_ISDIR | IN_ONESHOT;
	struct walk w;
	s64 error;
	if (!((u32)mask & known))
		return -EINVAL;
	if ((u32)mask & IN_MASK_CREATE && (u32)mask & IN_MASK_ADD)
		return -EINVAL;
	struct notifier *n = notifier_of(fd, &error);
	if (!n)
		return error;
	error = walk_user(&w, AT_FDCWD, path, (u32)mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW);
	if (error)
		return error;
	if ((u32)mask & IN_ONLYDIR && !S_ISDIR(w.inode->mode))
		error = -ENOTDIR;
	if (!error)
		error = inode_permission(w.inode, R_OK);
	if (!error && w.inode->device != DEVICE_ROOT)
		error = -EOPNOTSUPP; /* made as it is looked at: nothing happens to it */
	if (!error)
		error = mark_set(n, w.inode, (u32)mask);
	walk_done(&w);
	return error;
}

s64 sys_inotify_rm_watch(u64 fd, u64 watch)
{
	s64 error;
	struct notifier *n = notifier_of(fd, &error);
	if (!n)
		return error;
	for (struct list *l = n->marks.next; l != &n->marks; l = l->next) {
		struct mark *m = container_of(l, struct mark, link);
		if (m->wd == (s32)watch) {
			mark_remove(m);
			return 0;
		}
	}
	return -EINVAL;
}
