/* SPDX-License-Identifier: MIT
 * POSIX message queues: named, of a bounded number of messages, the highest priority first.
 *
 * Invariant: a queue's inode has a reference of its name's, until it is unlinked, and one of each open file; the queue goes
 * with it. */
#include "caps.h"
#include "file_calls.h"
#include "inode.h"
#include "ipc.h"
#include "ipc_calls.h"
#include "poll.h"
#include "proc.h"
#include "time.h"
#include <core/print.h>

#define PRIORITIES 32768u
#define HARD_MESSAGES 65536
#define HARD_BYTES (16 << 20)
#define SI_MESGQ (-3)
#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1

struct mq_message {
	struct list link;
	u32 priority;
	u64 bytes;
	u8 text[];
};

struct mqueue {
	struct list all; /* while it has a name */
	char *name;
	struct inode *inode;
	u64 most, message_most; /* messages, bytes of one */
	u64 charge;		/* of its owner's RLIMIT_MSGQUEUE */
	u64 count, bytes;
	struct list messages; /* highest priority first, then oldest */
	struct waitq send_wait, receive_wait;
	u32 receivers; /* that sleep */
	/* who hears of the next message: a process that is still the same */
	u32 notify_pid;
	u64 notify_start;
	s32 notify_how, notify_signal;
	u64 notify_value;
};

struct linux_mq_attr {
	s64 flags, most, message_most, count, reserved[4];
};
struct linux_sigevent {
	u64 value;
	s32 signo, notify;
	u64 rest[6];
};

static struct list all = {&all, &all};
static u32 named;

static struct mqueue *queue_of(const struct inode *i)
{
	return (struct mqueue *)i->proc.key;
}

static void queue_free(struct inode *i)
{
	struct mqueue *q = queue_of(i);
	while (!list_empty(&q->messages)) {
		struct mq_message *m = container_of(q->messages.next, struct mq_message, link);
		list_del(&m->link);
		kfree(m);
	}
	kfree(q->name);
	kfree(q);
}

static const struct inode_ops queue_inode_ops = {.free = queue_free};

static struct proc *notified(const struct mqueue *q)
{
	struct proc *p = q->notify_pid ? proc_find(q->notify_pid) : NULL;
	return p && p->start_ns == q->notify_start && p->state != PROC_ZOMBIE ? p : NULL;
}

static s64 queue_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	const struct mqueue *q = f->data;
	const struct proc *p = notified(q);
	char text[96];
	u64 n = (u64)core_format(
		text, sizeof(text), "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6u\n",
		q->bytes, p ? q->notify_how : 0,
		p && q->notify_how == SIGEV_SIGNAL ? q->notify_signal : 0, p ? p->pid : 0);
	if (*offset >= n)
		return 0;
	bytes = min(bytes, n - *offset);
	if (io_out(to, text + *offset, bytes))
		return -EFAULT;
	*offset += bytes;
	return (s64)bytes;
}

static u32 queue_poll(struct file *f)
{
	const struct mqueue *q = f->data;
	return (q->count ? POLLIN | POLLRDNORM : 0) |
	       (q->count < q->most ? POLLOUT | POLLWRNORM : 0);
}

static void queue_release(struct file *f)
{
	struct mqueue *q = f->data;
	if (q->notify_pid == current()->proc->pid)
		q->notify_pid = 0;
}

static const struct file_ops queue_ops = {
	.read = queue_read, .poll = queue_poll, .release = queue_release};

/* What the queues of a user take already, and one more would. */
static s64 charge_check(u32 uid, u64 more)
{
	u64 sum = more, limit = current()->proc->limit_cur[RLIMIT_MSGQUEUE];
	for (struct list *at = all.next; at != &all; at = at->next) {
		const struct mqueue *q = container_of(at, struct mqueue, all);
		sum += q->inode->uid == uid ? q->charge : 0;
	}
	return sum > limit ? -EMFILE : 0;
}

static s64 attributes_check(const struct linux_mq_attr *a)
{
	int any = capable(CAP_SYS_RESOURCE);
	if (a->most <= 0 || a->message_most <= 0)
		return -EINVAL;
	if (a->most > (any ? HARD_MESSAGES : (s64)MQ_MESSAGES))
		return -EINVAL;
	return a->message_most > (any ? HARD_BYTES : (s64)MQ_BYTES) ? -EINVAL : 0;
}

static s64 queue_create(const char *name, u32 mode, const struct linux_mq_attr *a,
			struct mqueue **out)
{
	const struct proc *p = current()->proc;
	s64 error = attributes_check(a);
	if (error)
		return error;
	if (named >= MQ_QUEUES && !capable(CAP_SYS_RESOURCE))
		return -ENOSPC;
	/* as Linux reckons: bytes, and what keeps each message */
	u64 charge = (u64)a->most * ((u64)a->message_most + 96);
	error = charge_check(p->euid, charge);
	if (error)
		return error;
	struct mqueue *q = kmalloc(sizeof(*q));
	struct inode *i =
		q ? inode_create(S_IFREG | (mode & 07777 & ~p->fs->umask), DEVICE_ANON) : NULL;
	if (q)
		q->name = string_copy(name, __builtin_strlen(name));
	if (!i || !q->name) {
		if (i)
			inode_put(i);
		kfree(q ? q->name : NULL);
		kfree(q);
		return -ENOMEM;
	}
	i->ops = &queue_inode_ops;
	i->proc.key = (u64)q;
	i->nlink = 1;
	i->size = 80; /* as much as reading it gives */
	i->poll_counts = 1;
	q->inode = i;
	q->most = (u64)a->most;
	q->message_most = (u64)a->message_most;
	q->charge = charge;
	list_init(&q->messages);
	waitq_init(&q->send_wait);
	waitq_init(&q->receive_wait);
	list_add_tail(&all, &q->all);
	named++;
	*out = q;
	return 0;
}

static struct mqueue *queue_find(const char *name)
{
	for (struct list *at = all.next; at != &all; at = at->next) {
		struct mqueue *q = container_of(at, struct mqueue, all);
		if (!__builtin_strcmp(q->name, name))
			return q;
	}
	return NULL;
}

/* A queue's name, without the slash that the library takes off: no other may be in it. */
static s64 name_in(u64 from, char name[NAME_MAX + 1])
{
	s64 n = string_in(name, from, NAME_MAX + 1);
	if (n < 0)
		return n;
	if (!n)
		return -ENOENT;
	for (s64 i = 0; i < n; i++)
		if (name[i] == '/')
			return -EACCES;
	return n;
}

static s64 queue_file(struct mqueue *q, u32 flags)
{
	char path[NAME_MAX + 2] = "/";
	struct file *f = file_create(q->inode, flags & (O_ACCMODE | O_NONBLOCK), &queue_ops, q);
	if (!f)
		return -ENFILE;
	f->flags &= ~(u32)O_LARGEFILE;
	core_format(path + 1, sizeof(path) - 1, "%s", q->name);
	f->path = string_copy(path, __builtin_strlen(path));
	s64 fd = fd_install(f, 0, 1);
	if (fd < 0)
		file_put(f);
	return fd;
}

s64 sys_mq_open(u64 path, u64 flags, u64 mode, u64 attributes)
{
	char name[NAME_MAX + 1];
	struct linux_mq_attr a = {.most = MQ_MESSAGES, .message_most = MQ_BYTES};
	if (attributes && copy_in(&a, attributes, sizeof(a)))
		return -EFAULT;
	s64 error = name_in(path, name);
	if (error < 0)
		return error;
	struct mqueue *q = queue_find(name);
	if (q && flags & O_CREAT && flags & O_EXCL)
		return -EEXIST;
	if (!q && !(flags & O_CREAT))
		return -ENOENT;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	u32 want = ((flags & O_ACCMODE) != O_WRONLY ? R_OK : 0) |
		   ((flags & O_ACCMODE) != O_RDONLY ? W_OK : 0);
	error = q ? inode_permission(q->inode, want) : queue_create(name, (u32)mode, &a, &q);
	return error ? error : queue_file(q, (u32)flags);
}

s64 sys_mq_unlink(u64 path)
{
	char name[NAME_MAX + 1];
	s64 n = name_in(path, name);
	struct mqueue *q = n < 0 ? NULL : queue_find(name);
	if (n < 0)
		return n;
	if (!q)
		return -ENOENT;
	if (current()->proc->euid != q->inode->uid && !capable(CAP_FOWNER))
		return -EPERM;
	list_del(&q->all);
	named--;
	q->inode->nlink = 0;
	inode_put(q->inode);
	return 0;
}

/* The queue of a descriptor that may do what is asked for. NULL: *error. */
static struct mqueue *queue_fd(u64 fd, u32 not_this, struct file **out, s64 *error)
{
	struct file *f = fd_file((u32)fd);
	*error = -EBADF;
	if (!f || f->ops != &queue_ops || (f->flags & O_ACCMODE) == not_this)
		return NULL;
	*out = f;
	return f->data;
}

/* Who asked for it hears of a message that came to an empty queue, once. */
static void queue_notify(struct mqueue *q)
{
	struct proc *p = notified(q);
	const struct proc *me = current()->proc;
	if (p && q->notify_how == SIGEV_SIGNAL) {
		struct siginfo_k info = {.signo = q->notify_signal,
					 .code = SI_MESGQ,
					 .pid = (s32)me->pid,
					 .uid = (s32)me->uid,
					 .value = q->notify_value};
		signal_send(p, q->notify_signal, &info);
	}
	q->notify_pid = 0;
}

static void queue_put(struct mqueue *q, struct mq_message *m)
{
	struct list *at = &q->messages;
	while (at->prev != &q->messages &&
	       container_of(at->prev, struct mq_message, link)->priority < m->priority)
		at = at->prev;
	list_add_tail(at, &m->link);
	q->bytes += m->bytes;
	if (!q->count++ && !q->receivers)
		queue_notify(q);
	wake_all(&q->receive_wait);
	poll_event(q->inode, POLLIN);
}

/* Sleeps until the queue has room (or a message). 0, -EAGAIN, -ETIMEDOUT, -ERESTARTSYS. */
static s64 queue_wait(const struct mqueue *q, struct file *f, struct waitq *on, u64 deadline,
		      int room)
{
	while (room ? q->count >= q->most : !q->count) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		s64 woken = sleep_on(on, deadline, 1);
		if (woken == -EINTR)
			return -ERESTARTSYS;
		if (woken)
			return woken;
	}
	return 0;
}

static s64 deadline_of(u64 from, u64 *deadline)
{
	u64 ns;
	*deadline = 0;
	s64 error = from ? timespec_in(from, &ns) : 0;
	if (!error && from)
		*deadline = timer_due(CLOCK_REALTIME, ns, 1);
	return error;
}

s64 sys_mq_timedsend(u64 fd, u64 from, u64 bytes, u64 priority, u64 timeout)
{
	struct file *f;
	u64 deadline;
	s64 error;
	if ((u32)priority >= PRIORITIES)
		return -EINVAL;
	error = deadline_of(timeout, &deadline);
	if (error)
		return error;
	struct mqueue *q = queue_fd(fd, O_RDONLY, &f, &error);
	if (!q)
		return error;
	if (bytes > q->message_most)
		return -EMSGSIZE;
	struct mq_message *m = kmalloc(sizeof(*m) + bytes);
	if (!m)
		return -ENOMEM;
	m->priority = (u32)priority;
	m->bytes = bytes;
	file_get(f);
	error = copy_in(m->text, from, bytes) ? -EFAULT
					      : queue_wait(q, f, &q->send_wait, deadline, 1);
	if (error)
		kfree(m);
	else
		queue_put(q, m);
	file_put(f);
	return error;
}

static s64 message_out(struct mqueue *q, u64 to, u64 priority)
{
	struct mq_message *m = container_of(q->messages.next, struct mq_message, link);
	s64 n = (s64)m->bytes;
	if ((priority && copy_out(priority, &m->priority, sizeof(m->priority))) ||
	    copy_out(to, m->text, m->bytes))
		n = -EFAULT;
	list_del(&m->link);
	q->bytes -= m->bytes;
	q->count--;
	kfree(m);
	wake_all(&q->send_wait);
	poll_event(q->inode, POLLOUT);
	return n;
}

s64 sys_mq_timedreceive(u64 fd, u64 to, u64 bytes, u64 priority, u64 timeout)
{
	struct file *f;
	u64 deadline;
	s64 error = deadline_of(timeout, &deadline);
	if (error)
		return error;
	struct mqueue *q = queue_fd(fd, O_WRONLY, &f, &error);
	if (!q)
		return error;
	if (bytes < q->message_most)
		return -EMSGSIZE;
	file_get(f);
	q->receivers++;
	error = queue_wait(q, f, &q->receive_wait, deadline, 0);
	q->receivers--;
	if (!error)
		error = message_out(q, to, priority);
	file_put(f);
	return error;
}

s64 sys_mq_notify(u64 fd, u64 event)
{
	struct linux_sigevent e = {.value = 0};
	const struct proc *p = current()->proc;
	struct file *f;
	s64 error;
	if (event && copy_in(&e, event, sizeof(e)))
		return -EFAULT;
	if (event && e.notify != SIGEV_NONE && e.notify != SIGEV_SIGNAL)
		return -EINVAL; /* the library's threads wait on a socket of a family that is not here */
	if (event && e.notify == SIGEV_SIGNAL && (e.signo < 0 || e.signo > NSIG))
		return -EINVAL;
	struct mqueue *q = queue_fd(fd, O_ACCMODE, &f, &error);
	if (!q)
		return error;
	const struct proc *now = notified(q);
	if (!event) {
		if (now == p)
			q->notify_pid = 0;
		return 0;
	}
	if (now)
		return -EBUSY;
	q->notify_pid = p->pid;
	q->notify_start = p->start_ns;
	q->notify_how = e.notify;
	q->notify_signal = e.signo;
	q->notify_value = e.value;
	return 0;
}

s64 sys_mq_getsetattr(u64 fd, u64 from, u64 to)
{
	struct linux_mq_attr a, old = {.flags = 0};
	struct file *f;
	s64 error;
	if (from && copy_in(&a, from, sizeof(a)))
		return -EFAULT;
	if (from && a.flags & ~(s64)O_NONBLOCK)
		return -EINVAL;
	const struct mqueue *q = queue_fd(fd, O_ACCMODE, &f, &error);
	if (!q)
		return error;
	old.flags = f->flags & O_NONBLOCK;
	old.most = (s64)q->most;
	old.message_most = (s64)q->message_most;
	old.count = (s64)q->count;
	if (from)
		f->flags = (f->flags & ~(u32)O_NONBLOCK) | (u32)a.flags;
	return to && copy_out(to, &old, sizeof(old)) ? -EFAULT : 0;
}
