/* SPDX-License-Identifier: MIT
 * System V semaphores. Whoever changes a set does on behalf of those that sleep what they can do now, oldest first: a
 * sleeper wakes with its operations done. */
#include "ipc.h"
#include "ipc_calls.h"
#include "linux.h"
#include "procfs.h"
#include "time.h"

#define SEM_UNDO 0x1000u
#define SEM_MOST 32767
#define GETPID 11
#define GETVAL 12
#define GETALL 13
#define GETNCNT 14
#define GETZCNT 15
#define SETVAL 16
#define SETALL 17
#define SEM_STAT 18
#define SEM_INFO 19
#define SEM_STAT_ANY 20

struct linux_sembuf {
	u16 number;
	s16 op;
	u16 flags;
};
struct linux_semid {
	struct linux_ipc_perm perm;
	s64 otime;
	u64 unused1;
	s64 ctime;
	u64 unused2, count, unused3[2];
};
ARIL_ASSERT_SIZE(struct linux_semid, 104);

struct sem {
	s32 value;
	u32 pid; /* who changed it last */
};

/* What a process takes back when it ends. */
struct sem_undo {
	struct list link;
	struct proc *proc;
	s16 adjust[]; /* of each semaphore of the set */
};

struct sem_set {
	struct ipc ipc;
	u32 count;
	struct sem *sems;
	s64 otime;
	struct list waiters, undos;
};

/* The operations of one call. */
struct sem_call {
	struct list link; /* among its set's waiters, while it sleeps */
	const struct linux_sembuf *ops;
	u32 count;
	u32 blocked; /* the operation that could not be done */
	u32 pid;
	u32 sleeps;
	s64 result;
	struct sem_undo *undo; /* or NULL: none is asked for */
	struct waitq q;
};

static void set_free(struct ipc *i)
{
	struct sem_set *s = container_of(i, struct sem_set, ipc);
	kfree(s->sems);
	kfree(s);
}

static struct ipc_table table = {.most = SEM_SETS, .free = set_free};
static u32 sems_in_all;

static struct ipc *set_create(const struct ipc_request *r, s64 *error)
{
	*error = !r->size ? -EINVAL : r->size > SEM_ALL - sems_in_all ? -ENOSPC : -ENOMEM;
	if (*error != -ENOMEM)
		return NULL;
	struct sem_set *s = kmalloc(sizeof(*s));
	struct sem *sems = s ? kmalloc(r->size * sizeof(*sems)) : NULL;
	if (!sems) {
		kfree(s);
		return NULL;
	}
	s->sems = sems;
	s->count = (u32)r->size;
	list_init(&s->waiters);
	list_init(&s->undos);
	sems_in_all += s->count;
	return &s->ipc;
}

static s64 set_fits(const struct ipc *i, const struct ipc_request *r)
{
	return r->size > container_of(i, struct sem_set, ipc)->count ? -EINVAL : 0;
}

s64 sys_semget(u64 key, u64 count, u64 flags)
{
	const struct ipc_request r = {(s32)key, (u32)flags, (u32)count, set_create, set_fits};
	if ((s32)count < 0 || (u32)count > SEM_PER_SET)
		return -EINVAL;
	return ipc_get(&table, &r);
}

/* One operation, counted in the undo. 0, 1: not now, or -ERANGE, with nothing done. */
static s64 op_do(struct sem_set *s, const struct linux_sembuf *op, struct sem_undo *undo)
{
	struct sem *sem = &s->sems[op->number];
	s32 value = sem->value + op->op;
	if (!op->op)
		return sem->value != 0;
	if (value < 0)
		return 1;
	if (value > SEM_MOST)
		return -ERANGE;
	if (op->flags & SEM_UNDO) {
		s32 adjust = undo->adjust[op->number] - op->op;
		if (adjust < -SEM_MOST - 1 || adjust > SEM_MOST)
			return -ERANGE;
		undo->adjust[op->number] = (s16)adjust;
	}
	sem->value = value;
	return 0;
}

static void op_undo(struct sem_set *s, const struct linux_sembuf *op, struct sem_undo *undo)
{
	s->sems[op->number].value -= op->op;
	if (op->flags & SEM_UNDO && op->op)
		undo->adjust[op->number] = (s16)(undo->adjust[op->number] + op->op);
}

/* All operations of a call, or none. 0, 1: it has to wait, -EAGAIN: it does not want to, -ERANGE. */
static s64 call_try(struct sem_set *s, struct sem_call *c)
{
	s64 error = 0;
	u32 done = 0;
	while (done < c->count && !(error = op_do(s, &c->ops[done], c->undo)))
		done++;
	if (!error) {
		for (u32 i = 0; i < c->count; i++)
			s->sems[c->ops[i].number].pid = c->pid;
		s->otime = realtime_seconds();
		return 0;
	}
	c->blocked = done;
	while (done--)
		op_undo(s, &c->ops[done], c->undo);
	return error == 1 && c->ops[c->blocked].flags & IPC_NOWAIT ? -EAGAIN : error;
}

static void call_end(struct sem_call *c, s64 result)
{
	list_del(&c->link);
	c->sleeps = 0;
	c->result = result;
	wake_all(&c->q);
}

static int call_changes(const struct sem_call *c)
{
	for (u32 i = 0; i < c->count; i++)
		if (c->ops[i].op)
			return 1;
	return 0;
}

/* The set has changed: who can go on, does. */
static void set_changed(struct sem_set *s)
{
	struct list *at = s->waiters.next, *next;
	for (; at != &s->waiters; at = next) {
		struct sem_call *c = container_of(at, struct sem_call, link);
		next = at->next;
		s64 result = call_try(s, c);
		if (result == 1)
			continue;
		int again = !result && call_changes(c);
		call_end(c, result);
		if (again)
			next = s->waiters.next;
	}
}

static void set_remove(struct sem_set *s)
{
	while (!list_empty(&s->waiters))
		call_end(container_of(s->waiters.next, struct sem_call, link), -EIDRM);
	while (!list_empty(&s->undos)) {
		struct sem_undo *undo = container_of(s->undos.next, struct sem_undo, link);
		list_del(&undo->link);
		kfree(undo);
	}
	sems_in_all -= s->count;
	ipc_remove(&table, &s->ipc);
}

static struct sem_undo *undo_of(struct sem_set *s, struct proc *p)
{
	for (struct list *at = s->undos.next; at != &s->undos; at = at->next) {
		struct sem_undo *undo = container_of(at, struct sem_undo, link);
		if (undo->proc == p)
			return undo;
	}
	struct sem_undo *undo = kmalloc(sizeof(*undo) + s->count * sizeof(undo->adjust[0]));
	if (!undo)
		return NULL;
	undo->proc = p;
	list_add_tail(&s->undos, &undo->link);
	p->sem_undo = 1;
	return undo;
}

void sem_exit(struct proc *p)
{
	for (u32 at = 0; at < table.capacity; at++) {
		if (!table.slots[at])
			continue;
		struct sem_set *s = container_of(table.slots[at], struct sem_set, ipc);
		struct sem_undo *undo = NULL;
		for (struct list *l = s->undos.next; l != &s->undos && !undo; l = l->next)
			if (container_of(l, struct sem_undo, link)->proc == p)
				undo = container_of(l, struct sem_undo, link);
		if (!undo)
			continue;
		list_del(&undo->link);
		for (u32 i = 0; i < s->count; i++) {
			if (!undo->adjust[i])
				continue;
			s32 value = s->sems[i].value + undo->adjust[i];
			s->sems[i].value = max(min(value, SEM_MOST), 0);
			s->sems[i].pid = p->pid;
		}
		kfree(undo);
		set_changed(s);
		s->otime = realtime_seconds();
	}
}

/* Sleeps until somebody has done the call's operations. The set may be gone by then. */
static s64 call_sleep(struct sem_set *s, struct sem_call *c, u64 deadline)
{
	c->sleeps = 1;
	waitq_init(&c->q);
	list_add_tail(&s->waiters, &c->link);
	while (c->sleeps) {
		s64 woken = sleep_on(&c->q, deadline, 1);
		if (c->sleeps && woken)
			call_end(c, woken == -ETIMEDOUT ? -EAGAIN : -EINTR);
	}
	return c->result;
}

static s64 ops_check(const struct linux_sembuf *ops, u32 count, u32 *most, int *changes, int *undo)
{
	*most = 0;
	*changes = *undo = 0;
	for (u32 i = 0; i < count; i++) {
		*most = max(*most, (u32)ops[i].number);
		*changes |= ops[i].op != 0;
		*undo |= (ops[i].flags & SEM_UNDO) != 0;
	}
	return 0;
}

static s64 call_run(s32 id, const struct linux_sembuf *ops, u32 count, u64 deadline)
{
	u32 most;
	int changes, undo;
	s64 error;
	struct proc *p = current()->proc;
	ops_check(ops, count, &most, &changes, &undo);
	struct ipc *i = ipc_find(&table, id, &error);
	if (!i)
		return error;
	struct sem_set *s = container_of(i, struct sem_set, ipc);
	if (most >= s->count)
		return -EFBIG;
	error = ipc_permission(i, changes ? IPC_WRITE : IPC_READ);
	if (error)
		return error;
	struct sem_call c = {.ops = ops, .count = count, .pid = p->pid};
	if (undo) {
		c.undo = undo_of(s, p);
		if (!c.undo)
			return -ENOMEM;
	}
	s64 result = call_try(s, &c);
	if (!result && changes)
		set_changed(s);
	return result == 1 ? call_sleep(s, &c, deadline) : result;
}

s64 sys_semtimedop(u64 id, u64 from, u64 count, u64 timeout)
{
	u64 ns = 0;
	if (!(u32)count || (s32)id < 0)
		return -EINVAL;
	if ((u32)count > SEM_OPS)
		return -E2BIG;
	s64 error = timeout ? timespec_in(timeout, &ns) : 0;
	if (error)
		return error;
	u64 deadline = timeout ? now_ns() + ns : 0;
	struct linux_sembuf *ops = kmalloc((u32)count * sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	s64 result = -EFAULT;
	if (!copy_in(ops, from, (u32)count * sizeof(*ops)))
		result = call_run((s32)id, ops, (u32)count, deadline);
	kfree(ops);
	return result;
}

s64 sys_semop(u64 id, u64 from, u64 count)
{
	return sys_semtimedop(id, from, count, 0);
}

/* How many sleep until a semaphore is 0 (zero), or larger. */
static s64 count_waiters(const struct sem_set *s, u32 number, int zero)
{
	s64 count = 0;
	for (const struct list *at = s->waiters.next; at != &s->waiters; at = at->next) {
		const struct sem_call *c = container_of(at, struct sem_call, link);
		const struct linux_sembuf *op = &c->ops[c->blocked];
		count += op->number == number && (op->op == 0) == zero;
	}
	return count;
}

/* A value was set: what processes would take back of it is void. */
static void undo_clear(struct sem_set *s, u32 number)
{
	for (struct list *at = s->undos.next; at != &s->undos; at = at->next)
		container_of(at, struct sem_undo, link)->adjust[number] = 0;
}

static void value_set(struct sem_set *s, u32 number, s32 value)
{
	undo_clear(s, number);
	s->sems[number].value = value;
	s->sems[number].pid = current()->proc->pid;
	s->ipc.ctime = realtime_seconds();
}

static s64 get_all(const struct sem_set *s, u64 to)
{
	for (u32 i = 0; i < s->count; i++) {
		u16 value = (u16)s->sems[i].value;
		if (copy_out(to + i * 2ul, &value, sizeof(value)))
			return -EFAULT;
	}
	return 0;
}

static s64 set_all(struct sem_set *s, u64 from)
{
	u16 *values = kmalloc(s->count * sizeof(*values));
	s64 error = values ? 0 : -ENOMEM;
	if (!error && copy_in(values, from, s->count * sizeof(*values)))
		error = -EFAULT;
	for (u32 i = 0; !error && i < s->count; i++)
		error = values[i] > SEM_MOST ? -ERANGE : 0;
	for (u32 i = 0; !error && i < s->count; i++)
		value_set(s, i, values[i]);
	kfree(values);
	if (!error)
		set_changed(s);
	return error;
}

static s64 set_stat(const struct sem_set *s, u64 to)
{
	struct linux_semid out = {.otime = s->otime, .ctime = s->ipc.ctime, .count = s->count};
	ipc_perm_out(&s->ipc, &out.perm);
	return copy_out(to, &out, sizeof(out)) ? -EFAULT : 0;
}

static s64 set_info(u64 to, int used)
{
	const s32 out[10] = {(s32)SEM_ALL,     (s32)SEM_SETS,
			     (s32)SEM_ALL,     (s32)SEM_ALL,
			     (s32)SEM_PER_SET, (s32)SEM_OPS,
			     (s32)SEM_OPS,     used ? (s32)table.count : 20,
			     SEM_MOST,	       used ? (s32)sems_in_all : SEM_MOST};
	return copy_out(to, out, sizeof(out)) ? -EFAULT : ipc_highest(&table);
}

/* What concerns one semaphore. */
static s64 sem_control(struct sem_set *s, u32 number, u32 what, u64 arg)
{
	s64 error = ipc_permission(&s->ipc, what == SETVAL ? IPC_WRITE : IPC_READ);
	if (error)
		return error;
	if (number >= s->count)
		return -EINVAL;
	switch (what) {
	case GETVAL:
		return s->sems[number].value;
	case GETPID:
		return s->sems[number].pid;
	case GETNCNT:
		return count_waiters(s, number, 0);
	case GETZCNT:
		return count_waiters(s, number, 1);
	default:
		if ((s32)arg < 0 || (s32)arg > SEM_MOST)
			return -ERANGE;
		value_set(s, number, (s32)arg);
		set_changed(s);
		return 0;
	}
}

s64 sys_semctl(u64 id, u64 number, u64 command, u64 arg)
{
	u32 what = (u32)command;
	struct linux_semid in;
	s64 error;
	if ((s32)id < 0)
		return -EINVAL;
	if (what == IPC_INFO || what == SEM_INFO)
		return set_info(arg, what == SEM_INFO);
	if (what == IPC_SET && copy_in(&in, arg, sizeof(in)))
		return -EFAULT;
	int by_place = what == SEM_STAT || what == SEM_STAT_ANY;
	struct ipc *i =
		by_place ? ipc_at(&table, (u32)id, &error) : ipc_find(&table, (s32)id, &error);
	if (!i)
		return error;
	struct sem_set *s = container_of(i, struct sem_set, ipc);
	switch (what) {
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		error = what == SEM_STAT_ANY ? 0 : ipc_permission(i, IPC_READ);
		if (!error)
			error = set_stat(s, arg);
		return error ? error : by_place ? i->id : 0;
	case IPC_SET:
	case IPC_RMID:
		error = ipc_owner(i);
		if (error)
			return error;
		if (what == IPC_SET)
			ipc_perm_set(i, &in.perm);
		else
			set_remove(s);
		return 0;
	case GETALL:
	case SETALL:
		error = ipc_permission(i, what == SETALL ? IPC_WRITE : IPC_READ);
		return error ? error : what == SETALL ? set_all(s, arg) : get_all(s, arg);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETVAL:
		if (what == SETVAL && (u32)arg > SEM_MOST)
			return -ERANGE; /* said before all else */
		return sem_control(s, (u32)number, what, arg);
	default:
		return -EINVAL;
	}
}

void proc_text_sem(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime     "
		    " ctime\n");
	for (u32 at = 0; at < table.capacity; at++) {
		const struct ipc *i = table.slots[at];
		if (!i)
			continue;
		const struct sem_set *s = container_of(i, struct sem_set, ipc);
		text_add(t, "%10d %10d  %4o %10u %5u %5u %5u %5u %10ld %10ld\n", i->key, i->id,
			 i->mode, s->count, i->uid, i->gid, i->cuid, i->cgid, s->otime, i->ctime);
	}
}

void proc_text_sem_limits(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "%u\t%u\t%u\t%u\n", SEM_PER_SET, SEM_ALL, SEM_OPS, SEM_SETS);
}
