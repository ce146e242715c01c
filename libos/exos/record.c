/* SPDX-License-Identifier: MIT
 * Record locks: fcntl's, of a process (POSIX) and of an open file (OFD), on ranges of a file's bytes.
 *
 * An owner is a descriptor table or an open file. Invariants of an inode's list: ranges of one owner do not overlap,
 * and those of one kind do not touch; where ranges of two owners overlap, both are shared. */
#include "inode.h"
#include "record.h"

#define END_OF_ALL 0x7fffffffffffffffl
#define STEPS_MOST 64u

struct record {
	struct list link; /* in the inode's */
	s64 start, last;  /* last: inclusive */
	const void *owner;
	u32 pid; /* who set it; of an open file's: none */
	u16 type, of_file;
};

/* Who waits for whom: to find circles. */
struct waiting {
	struct list link;
	const void *owner, *on;
};
static struct list all_waiting = {&all_waiting, &all_waiting};
static struct waitq record_wait = {.sleepers = {&record_wait.sleepers, &record_wait.sleepers}};

static struct record *record_at(struct list *l)
{
	return container_of(l, struct record, link);
}

/* The first range of another owner that wanted cannot stand beside; NULL: none. */
static struct record *conflict_of(struct inode *i, const struct record *wanted)
{
	for (struct list *l = i->records.next; l != &i->records; l = l->next) {
		struct record *r = record_at(l);
		if (r->owner != wanted->owner && r->start <= wanted->last &&
		    wanted->start <= r->last && (r->type == F_WRLCK || wanted->type == F_WRLCK))
			return r;
	}
	return NULL;
}

/* Whether an owner, waiting for `on`, would wait for itself in the end. */
static int waits_in_circle(const void *owner, const void *on)
{
	struct list *l = all_waiting.next;
	u32 steps = 0; /* open files may wait in a circle: that is not looked for */
	while (l != &all_waiting && steps < STEPS_MOST) {
		struct waiting *w = container_of(l, struct waiting, link);
		l = l->next;
		if (w->owner != on)
			continue;
		if (w->on == owner)
			return 1;
		on = w->on;
		l = all_waiting.next;
		steps++;
	}
	return 0;
}

static void record_remove(struct record *r)
{
	list_del(&r->link);
	kfree(r);
}

/* Puts wanted in the place of what its owner has there: it may grow over neighbours of its kind. `tail` is for the
 * end of a range that is cut in the middle; whether it was used. */
static int record_place(struct inode *i, struct record *wanted, struct record *tail)
{
	int used = 0;
	struct list *l = i->records.next, *next;
	for (; l != &i->records; l = next) {
		struct record *r = record_at(l);
		next = l->next;
		if (r->owner != wanted->owner)
			continue;
		if (r->type == wanted->type && r->start - 1 <= wanted->last &&
		    wanted->start - 1 <= r->last) {
			wanted->start = min(wanted->start, r->start);
			wanted->last = max(wanted->last, r->last);
			record_remove(r);
			continue;
		}
		if (r->start > wanted->last || wanted->start > r->last)
			continue;
		if (r->start < wanted->start && r->last > wanted->last) {
			*tail = *r;
			tail->start = wanted->last + 1;
			list_add_tail(&i->records, &tail->link);
			used = 1;
		}
		if (r->start < wanted->start)
			r->last = wanted->start - 1;
		else if (r->last > wanted->last)
			r->start = wanted->last + 1;
		else
			record_remove(r);
	}
	return used;
}

/* Waits until nothing conflicts. 0, -EAGAIN, -EDEADLK, -ERESTARTSYS. */
static s64 record_await(struct inode *i, const struct record *wanted, int wait)
{
	struct record *other;
	while (wanted->type != F_UNLCK && (other = conflict_of(i, wanted))) {
		struct waiting w = {.owner = wanted->owner, .on = other->owner};
		if (!wait)
			return -EAGAIN;
		if (!wanted->of_file && waits_in_circle(w.owner, w.on))
			return -EDEADLK;
		list_add_tail(&all_waiting, &w.link);
		s64 woken = sleep_on(&record_wait, 0, 1);
		list_del(&w.link);
		if (woken == -EINTR)
			return -ERESTARTSYS;
	}
	return 0;
}

static s64 record_set(struct file *f, const struct record *wanted, int wait)
{
	struct record *fresh = kmalloc(sizeof(*fresh)), *tail = kmalloc(sizeof(*tail));
	s64 error = fresh && tail ? 0 : -ENOLCK;
	int used = 0;
	file_get(f);
	if (!error)
		error = record_await(f->inode, wanted, wait);
	if (!error) {
		*fresh = *wanted;
		used = record_place(f->inode, fresh, tail);
		wake_all(&record_wait);
	}
	if (!error && wanted->type != F_UNLCK)
		list_add_tail(&f->inode->records, &fresh->link);
	else
		kfree(fresh);
	if (!used)
		kfree(tail);
	file_put(f);
	return error;
}

/* The range that a struct flock names. 0, -EINVAL, -EOVERFLOW. */
static s64 range_of(const struct file *f, const struct linux_flock *in, struct record *r)
{
	s64 base = in->whence == SEEK_CUR   ? (s64)file_offset(f)
		   : in->whence == SEEK_END ? (s64)f->inode->size
					    : 0;
	if (in->whence < SEEK_SET || in->whence > SEEK_END)
		return -EINVAL;
	if (__builtin_add_overflow(base, in->start, &r->start))
		return -EOVERFLOW;
	if (r->start < 0)
		return -EINVAL;
	r->last = END_OF_ALL;
	if (in->len > 0 && __builtin_add_overflow(r->start, in->len - 1, &r->last))
		return -EOVERFLOW;
	if (in->len < 0) {
		r->last = r->start - 1;
		r->start += in->len;
		if (r->start < 0)
			return -EINVAL;
	}
	return 0;
}

static s64 record_get(struct file *f, const struct record *wanted, struct linux_flock *out)
{
	const struct record *other = conflict_of(f->inode, wanted);
	if (wanted->type == F_UNLCK)
		return -EINVAL;
	out->type = F_UNLCK;
	if (!other)
		return 0;
	out->type = (s16)other->type;
	out->whence = SEEK_SET;
	out->start = other->start;
	out->len = other->last == END_OF_ALL ? 0 : other->last - other->start + 1;
	out->pid = other->of_file ? -1 : (s32)other->pid;
	return 0;
}

s64 record_fcntl(struct file *f, u32 command, u64 arg)
{
	struct linux_flock in;
	u32 access = f->flags & O_ACCMODE;
	int of_file = command >= F_OFD_GETLK;
	struct record wanted = {
		.owner = of_file ? (const void *)f : current()->proc->files,
		.pid = current()->proc->pid,
		.of_file = (u16)of_file,
	};
	if (copy_in(&in, arg, sizeof(in)))
		return -EFAULT;
	if (of_file && in.pid)
		return -EINVAL;
	if (in.type != F_RDLCK && in.type != F_WRLCK && in.type != F_UNLCK)
		return -EINVAL;
	s64 error = range_of(f, &in, &wanted);
	if (error)
		return error;
	wanted.type = (u16)in.type;
	if (command == F_GETLK || command == F_OFD_GETLK) {
		error = record_get(f, &wanted, &in);
		return error ? error : copy_out(arg, &in, sizeof(in)) ? -EFAULT : 0;
	}
	if ((in.type == F_RDLCK && access == O_WRONLY) ||
	    (in.type == F_WRLCK && access == O_RDONLY))
		return -EBADF;
	return record_set(f, &wanted, command == F_SETLKW || command == F_OFD_SETLKW);
}

void record_release(struct inode *i, const void *owner)
{
	struct list *l = i->records.next, *next;
	int gone = 0;
	for (; l != &i->records; l = next) {
		next = l->next;
		if (record_at(l)->owner == owner) {
			record_remove(record_at(l));
			gone = 1;
		}
	}
	if (gone)
		wake_all(&record_wait);
}
