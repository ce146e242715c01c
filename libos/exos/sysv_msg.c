/* SPDX-License-Identifier: MIT
 * System V message queues. */
#include "caps.h"
#include "ipc.h"
#include "ipc_calls.h"
#include "linux.h"
#include "procfs.h"

#define MSG_NOERROR 010000u
#define MSG_EXCEPT 020000u
#define MSG_COPY 040000u
#define MSG_STAT 11
#define MSG_INFO 12
#define MSG_STAT_ANY 13

struct linux_msqid {
	struct linux_ipc_perm perm;
	s64 stime, rtime, ctime;
	u64 bytes, count, most;
	s32 sender, receiver;
	u64 unused[2];
};
ARIL_ASSERT_SIZE(struct linux_msqid, 120);

struct message {
	struct list link;
	s64 type;
	u64 bytes;
	u8 text[];
};

struct queue {
	struct ipc ipc;
	struct list messages; /* oldest first */
	u64 bytes, count, most;
	s64 stime, rtime;
	u32 sender, receiver; /* processes, the last ones */
	struct waitq send_wait, receive_wait;
};

static void queue_free(struct ipc *i)
{
	kfree(container_of(i, struct queue, ipc));
}

static struct ipc_table table = {.most = MSG_QUEUES, .free = queue_free};

static struct ipc *queue_create(const struct ipc_request *r, s64 *error)
{
	struct queue *q = kmalloc(sizeof(*q));
	(void)r;
	*error = -ENOMEM;
	if (!q)
		return NULL;
	q->most = MSG_QUEUE_BYTES;
	list_init(&q->messages);
	waitq_init(&q->send_wait);
	waitq_init(&q->receive_wait);
	return &q->ipc;
}

static s64 queue_fits(const struct ipc *i, const struct ipc_request *r)
{
	(void)i, (void)r;
	return 0;
}

s64 sys_msgget(u64 key, u64 flags)
{
	const struct ipc_request r = {(s32)key, (u32)flags, 0, queue_create, queue_fits};
	return ipc_get(&table, &r);
}

/* Sleeps for a queue to change. 0, -EIDRM: it is gone, or -ERESTARTNOHAND. The caller has a reference. */
static s64 queue_sleep(struct queue *q, struct waitq *on)
{
	s64 woken = sleep_on(on, 0, 1);
	if (q->ipc.removed)
		return -EIDRM;
	return woken == -EINTR ? -ERESTARTNOHAND : 0;
}

static s64 queue_send(struct queue *q, struct message *m, u32 flags)
{
	for (;;) {
		s64 error = ipc_permission(&q->ipc, IPC_WRITE);
		if (error)
			return error;
		if (m->bytes + q->bytes <= q->most && q->count + 1 <= q->most)
			break;
		if (flags & IPC_NOWAIT)
			return -EAGAIN;
		error = queue_sleep(q, &q->send_wait);
		if (error)
			return error;
	}
	list_add_tail(&q->messages, &m->link);
	q->bytes += m->bytes;
	q->count++;
	q->sender = current()->proc->pid;
	q->stime = realtime_seconds();
	wake_all(&q->receive_wait);
	return 0;
}

s64 sys_msgsnd(u64 id, u64 from, u64 bytes, u64 flags)
{
	s64 type, error;
	if (copy_in(&type, from, sizeof(type)))
		return -EFAULT;
	if (bytes > MSG_MAX || (s32)id < 0 || type < 1)
		return -EINVAL;
	struct message *m = kmalloc(sizeof(*m) + bytes);
	if (!m)
		return -ENOMEM;
	m->type = type;
	m->bytes = bytes;
	if (copy_in(m->text, from + sizeof(type), bytes)) {
		kfree(m);
		return -EFAULT;
	}
	struct ipc *i = ipc_find(&table, (s32)id, &error);
	if (i) {
		i->refs++;
		error = queue_send(container_of(i, struct queue, ipc), m, (u32)flags);
		ipc_put(&table, i);
	}
	if (error)
		kfree(m);
	return error;
}

/* The message that a receiver wants: by type, or with MSG_COPY by place. NULL: none is there. */
static struct message *queue_choose(const struct queue *q, s64 type, u32 flags)
{
	struct message *best = NULL;
	s64 place = 0, most = type == (s64)(1ul << 63) ? (s64)(~0ul >> 1) : -type;
	for (struct list *at = q->messages.next; at != &q->messages; at = at->next) {
		struct message *m = container_of(at, struct message, link);
		if (flags & MSG_COPY) {
			if (place++ == type)
				return m;
		} else if (type >= 0) {
			if (!type || (m->type == type) == !(flags & MSG_EXCEPT))
				return m;
		} else if (m->type <= most && (!best || m->type < best->type)) {
			best = m;
		}
	}
	return best;
}

/* Takes the message out, or leaves it where only a copy is wanted. */
static void queue_take(struct queue *q, struct message *m)
{
	list_del(&m->link);
	q->bytes -= m->bytes;
	q->count--;
	q->receiver = current()->proc->pid;
	q->rtime = realtime_seconds();
	wake_all(&q->send_wait);
}

static s64 message_out(const struct message *m, u64 to, u64 bytes)
{
	bytes = min(bytes, m->bytes);
	if (copy_out(to, &m->type, sizeof(m->type)) ||
	    copy_out(to + sizeof(m->type), m->text, bytes))
		return -EFAULT;
	return (s64)bytes;
}

static s64 queue_receive(struct queue *q, u64 to, u64 bytes, s64 type, u32 flags)
{
	for (;;) {
		s64 error = ipc_permission(&q->ipc, IPC_READ);
		if (error)
			return error;
		struct message *m = queue_choose(q, type, flags);
		if (m && m->bytes > bytes && !(flags & MSG_NOERROR))
			return -E2BIG;
		if (m && flags & MSG_COPY)
			return message_out(m, to, bytes);
		if (m) {
			queue_take(q, m);
			s64 n = message_out(m, to, bytes);
			kfree(m);
			return n;
		}
		if (flags & IPC_NOWAIT)
			return -ENOMSG;
		error = queue_sleep(q, &q->receive_wait);
		if (error)
			return error;
	}
}

s64 sys_msgrcv(u64 id, u64 to, u64 bytes, u64 type, u64 flags)
{
	s64 error;
	if ((s32)id < 0 || (s64)bytes < 0)
		return -EINVAL;
	if (flags & MSG_COPY && (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	struct ipc *i = ipc_find(&table, (s32)id, &error);
	if (!i)
		return error;
	i->refs++;
	error = queue_receive(container_of(i, struct queue, ipc), to, bytes, (s64)type, (u32)flags);
	ipc_put(&table, i);
	return error;
}

static s64 queue_stat(const struct queue *q, u64 to)
{
	struct linux_msqid out = {.stime = q->stime,
				  .rtime = q->rtime,
				  .ctime = q->ipc.ctime,
				  .bytes = q->bytes,
				  .count = q->count,
				  .most = q->most,
				  .sender = (s32)q->sender,
				  .receiver = (s32)q->receiver};
	ipc_perm_out(&q->ipc, &out.perm);
	return copy_out(to, &out, sizeof(out)) ? -EFAULT : 0;
}

static s64 queue_info(u64 to, int used)
{
	s32 out[8] = {(s32)(MSG_QUEUES * (MSG_QUEUE_BYTES / 1024)),
		      (s32)MSG_QUEUE_BYTES,
		      (s32)MSG_MAX,
		      (s32)MSG_QUEUE_BYTES,
		      (s32)MSG_QUEUES,
		      16,
		      (s32)MSG_QUEUE_BYTES,
		      0xffff};
	if (used) {
		out[0] = (s32)table.count;
		out[1] = out[6] = 0;
	}
	for (u32 at = 0; used && at < table.capacity; at++) {
		if (!table.slots[at])
			continue;
		const struct queue *q = container_of(table.slots[at], struct queue, ipc);
		out[1] += (s32)q->count;
		out[6] += (s32)q->bytes;
	}
	return copy_out(to, out, sizeof(out)) ? -EFAULT : ipc_highest(&table);
}

static s64 queue_set(struct queue *q, const struct linux_msqid *in)
{
	s64 error = ipc_owner(&q->ipc);
	if (error)
		return error;
	if (in->most > MSG_QUEUE_BYTES && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	ipc_perm_set(&q->ipc, &in->perm);
	q->most = in->most;
	wake_all(&q->send_wait);
	wake_all(&q->receive_wait); /* who may may have changed, too */
	return 0;
}

static s64 queue_remove(struct queue *q)
{
	s64 error = ipc_owner(&q->ipc);
	if (error)
		return error;
	while (!list_empty(&q->messages)) {
		struct message *m = container_of(q->messages.next, struct message, link);
		list_del(&m->link);
		kfree(m);
	}
	wake_all(&q->send_wait);
	wake_all(&q->receive_wait);
	ipc_remove(&table, &q->ipc);
	return 0;
}

s64 sys_msgctl(u64 id, u64 command, u64 buffer)
{
	u32 what = (u32)command;
	struct linux_msqid in;
	s64 error;
	if ((s32)id < 0 || (s32)command < 0)
		return -EINVAL;
	if (what == IPC_INFO || what == MSG_INFO)
		return queue_info(buffer, what == MSG_INFO);
	if (what == IPC_SET && copy_in(&in, buffer, sizeof(in)))
		return -EFAULT;
	int by_place = what == MSG_STAT || what == MSG_STAT_ANY;
	struct ipc *i =
		by_place ? ipc_at(&table, (u32)id, &error) : ipc_find(&table, (s32)id, &error);
	if (!i)
		return error;
	struct queue *q = container_of(i, struct queue, ipc);
	switch (what) {
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		error = what == MSG_STAT_ANY ? 0 : ipc_permission(i, IPC_READ);
		if (!error)
			error = queue_stat(q, buffer);
		return error ? error : by_place ? i->id : 0;
	case IPC_SET:
		return queue_set(q, &in);
	case IPC_RMID:
		return queue_remove(q);
	default:
		return -EINVAL;
	}
}

void proc_text_msg(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  "
		    "cuid  cgid"
		    "      stime      rtime      ctime\n");
	for (u32 at = 0; at < table.capacity; at++) {
		const struct ipc *i = table.slots[at];
		if (!i)
			continue;
		const struct queue *q = container_of(i, struct queue, ipc);
		text_add(t,
			 "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10ld %10ld %10ld\n",
			 i->key, i->id, i->mode, q->bytes, q->count, q->sender, q->receiver, i->uid,
			 i->gid, i->cuid, i->cgid, q->stime, q->rtime, i->ctime);
	}
}
