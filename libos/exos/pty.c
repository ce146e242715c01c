/* SPDX-License-Identifier: MIT
 * Pseudo-terminals: a line discipline (tty.c) between a master, whose bytes are typed, and slaves, that are terminals.
 *
 * Invariant: a pty lives while its master or a slave is open. Without its master it is hung up, has no name, and no process
 * has it as its terminal. */
#include "inode.h"
#include "poll.h"
#include "proc.h"
#include "proc_internal.h"
#include "pty.h"
#include "sched.h"
#include <core/print.h>

#define PTYS (PTS_MAJORS * 256)
#define TIOCSPTLCK 0x40045431u
#define TIOCGPTLCK 0x80045439u
#define TIOCGPTPEER 0x5441u
#define TIOCSIG 0x40045436u
#define TIOCPKT 0x5420u
#define TIOCGPKT 0x80045438u

struct pty {
	struct tty tty;
	struct pipe *output; /* what slaves wrote, and echoes, for the master */
	u32 index;
	u32 master, slaves; /* open */
	u32 locked;	    /* until the master unlocks it: no slave can be opened */
	u32 had_slave;
	u32 packet; /* each read of the master's begins with a byte: 0, or what it is told (and nothing more) */
	u32 told;		 /* TTY_TOLD_* that the master has not read yet */
	struct waitq typed_wait; /* the master waits for room */
};

static struct pty *ptys[PTYS];
static struct inode *pts_dir;

static struct pty *pty_of(struct tty *tty)
{
	return container_of(tty, struct pty, tty);
}

static s64 pty_send(struct tty *tty, const u8 *bytes, u32 count, int wait)
{
	struct pty *p = pty_of(tty);
	for (u32 done = 0;;) {
		if (!p->master)
			return -EIO;
		u32 fed = (u32)pipe_feed(p->output, bytes + done, count - done);
		done += fed;
		if (done == count || !wait)
			return done ? (s64)done : count ? -EAGAIN : 0;
		if (p->output->head - p->output->tail < p->output->npages * PAGE) {
			if (!fed)
				return done ? (s64)done : -ENOMEM;
			continue;
		}
		if (sleep_on(&p->output->write_wait, 0, 1) == -EINTR)
			return done ? (s64)done : -ERESTARTSYS;
	}
}

static void pty_taken(struct tty *tty)
{
	wake_all(&pty_of(tty)->typed_wait);
	poll_notify();
}

static void pty_tell(struct tty *tty, u32 what)
{
	struct pty *p = pty_of(tty);
	if (!p->packet)
		return;
	if (what & (TTY_TOLD_STOP | TTY_TOLD_START))
		p->told &= ~(u32)(TTY_TOLD_STOP | TTY_TOLD_START);
	if (what & (TTY_TOLD_NO_STOP | TTY_TOLD_DO_STOP))
		p->told &= ~(u32)(TTY_TOLD_NO_STOP | TTY_TOLD_DO_STOP);
	p->told |= what;
	wake_all(&p->output->read_wait);
	poll_notify();
}

/* No process has it as its terminal any more. */
static void pty_leave(const struct pty *p)
{
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *q = container_of(at, struct proc, all);
		if (q->tty == &p->tty)
			q->tty = NULL;
	}
}

static void pty_put(struct pty *p)
{
	if (p->master || p->slaves)
		return;
	pty_leave(p);
	ptys[p->index] = NULL;
	pipe_free(p->output);
	kfree(p);
}

/* ---- the master ---- */
static s64 master_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	struct pty *p = f->data;
	u64 done = 0, left;
	const u8 *from;
	(void)offset;
	if (!bytes)
		return 0;
	while (!p->told && p->output->head == p->output->tail) {
		if (p->had_slave && !p->slaves)
			return -EIO;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (sleep_on(&p->output->read_wait, 0, 1) == -EINTR)
			return -ERESTARTSYS;
	}
	if (p->packet) {
		u8 told = (u8)p->told;
		if (io_out(to, &told, 1))
			return -EFAULT;
		p->told = 0;
		if (told)
			return 1;
		done = 1;
	}
	while (done < bytes && (from = pipe_peek(p->output, 0, &left))) {
		left = min(left, bytes - done);
		if (io_out(to + done, from, left))
			return done ? (s64)done : -EFAULT;
		pipe_skip(p->output, left);
		done += left;
	}
	return (s64)done;
}

static s64 master_write(struct file *f, u64 from, usize bytes, u64 *offset)
{
	struct pty *p = f->data;
	u8 part[256];
	u64 done = 0;
	(void)offset;
	while (done < bytes) {
		u32 n = (u32)min(min(bytes - done, sizeof(part)), (u64)tty_room(&p->tty));
		if (!n) {
			if (f->flags & O_NONBLOCK)
				return done ? (s64)done : -EAGAIN;
			if (sleep_on(&p->typed_wait, 0, 1) == -EINTR)
				return done ? (s64)done : -ERESTARTSYS;
			continue;
		}
		if (io_in(part, from + done, n))
			return done ? (s64)done : -EFAULT;
		tty_receive(&p->tty, part, n);
		done += n;
		if (done < bytes && sched_rest())
			break;
	}
	return (s64)done;
}

static u32 master_poll(struct file *f)
{
	struct pty *p = f->data;
	u32 mask = tty_room(&p->tty) ? POLLOUT | POLLWRNORM : 0;
	if (p->output->head != p->output->tail)
		mask |= POLLIN | POLLRDNORM;
	if (p->told)
		mask |= POLLIN | POLLRDNORM | POLLPRI;
	if (p->had_slave && !p->slaves)
		mask |= POLLHUP;
	return mask;
}

static s64 int_out(u64 to, u32 value)
{
	return copy_out(to, &value, sizeof(value)) ? -EFAULT : 0;
}

/* A slave's descriptor, without its name. */
static s64 peer_open(struct pty *p, u64 flags)
{
	char name[24];
	struct file *f;
	u32 length = (u32)core_format(name, sizeof(name), "%u", p->index);
	struct dentry *d = tree_find(pts_dir, name, length);
	if (!d)
		return -EIO;
	s64 error = file_open_inode(d->inode, (u32)flags & (O_ACCMODE | O_NONBLOCK | O_NOCTTY), &f);
	if (error)
		return error;
	core_format(name, sizeof(name), "/dev/pts/%u", p->index);
	f->path = string_copy(name, __builtin_strlen(name));
	s64 fd = fd_install(f, 0, (flags & O_CLOEXEC) != 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

static s64 master_ioctl(struct file *f, u64 request, u64 arg)
{
	struct pty *p = f->data;
	s32 value;
	switch (request) {
	case TIOCGPTN:
		return int_out(arg, p->index);
	case TIOCSPTLCK:
		if (copy_in(&value, arg, sizeof(value)))
			return -EFAULT;
		p->locked = value != 0;
		return 0;
	case TIOCGPTLCK:
		return int_out(arg, p->locked);
	case TIOCGPTPEER:
		return peer_open(p, arg);
	case TIOCSIG:
		if ((u32)arg < 1 || (u32)arg > NSIG)
			return -EINVAL;
		if (p->tty.foreground)
			signal_group(p->tty.foreground, (int)arg, NULL);
		return 0;
	case TIOCPKT:
		if (copy_in(&value, arg, sizeof(value)))
			return -EFAULT;
		p->packet = value != 0;
		p->told = value ? p->told : 0;
		return 0;
	case TIOCGPKT:
		return int_out(arg, p->packet);
	case FIONREAD:
		return int_out(arg, (u32)(p->output->head - p->output->tail));
	case TIOCGPGRP: /* as who has it open asks, whose terminal it is not */
		return int_out(arg, p->tty.foreground);
	case TIOCGSID:
		return p->tty.session ? int_out(arg, p->tty.session) : -ENOTTY;
	case TIOCSCTTY:
		return -ENOTTY;
	default: { /* the slave's settings */
		struct file slave = *f;
		slave.data = &p->tty;
		return tty_ioctl(&slave, request, arg);
	}
	}
}

static void master_release(struct file *f)
{
	struct pty *p = f->data;
	char name[16];
	u32 length = (u32)core_format(name, sizeof(name), "%u", p->index);
	struct dentry *d = tree_find(pts_dir, name, length);
	p->master = 0;
	tty_hangup(&p->tty);
	wake_all(&p->output->write_wait);
	pty_leave(p);
	tty_session_end(&p->tty);
	if (d)
		tree_remove(d);
	pty_put(p);
}

static const struct file_ops master_ops = {.read = master_read,
					   .write = master_write,
					   .poll = master_poll,
					   .ioctl = master_ioctl,
					   .release = master_release};

s64 ptmx_open(struct file *f)
{
	u32 index = 0;
	char name[16];
	while (index < PTYS && ptys[index])
		index++;
	if (index == PTYS)
		return -ENOSPC;
	struct pty *p = kmalloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->output = pipe_create();
	if (!p->output) {
		kfree(p);
		return -ENOMEM;
	}
	p->output->readers = p->output->writers = 1; /* while it lives */
	p->index = index;
	p->locked = p->master = 1;
	waitq_init(&p->typed_wait);
	tty_init(&p->tty);
	p->tty.rdev = RDEV(PTS_MAJOR + index / 256, index % 256);
	p->tty.send = pty_send;
	p->tty.taken = pty_taken;
	p->tty.tell = pty_tell;
	core_format(name, sizeof(name), "%u", index);
	struct inode *node = tree_try(pts_dir, name, S_IFCHR | 0620, p->tty.rdev);
	if (!node) {
		pipe_free(p->output);
		kfree(p);
		return -ENOMEM;
	}
	node->uid = current()->proc->euid;
	node->gid = 5; /* tty */
	ptys[index] = p;
	f->ops = &master_ops;
	f->data = p;
	return 0;
}

/* ---- slaves ---- */
static u32 slave_poll(struct file *f)
{
	const struct pty *p = pty_of(f->data);
	u32 mask = tty_ops.poll(f);
	if (p->output->head - p->output->tail >= p->output->npages * PAGE)
		mask &= ~(u32)(POLLOUT | POLLWRNORM);
	return mask;
}

static void slave_release(struct file *f)
{
	struct pty *p = pty_of(f->data);
	if (--p->slaves == 0) {
		wake_all(&p->output->read_wait);
		poll_notify();
	}
	pty_put(p);
}

static struct file_ops slave_ops = {
	.poll = slave_poll, .ioctl = tty_ioctl, .release = slave_release};

s64 pts_open(struct inode *i, struct file *f, struct tty *tty)
{
	struct pty *p = pty_of(tty);
	if (p->locked)
		return -EIO;
	s64 error = tty_open(i, f, tty);
	if (error)
		return error;
	f->ops = &slave_ops;
	p->slaves++;
	p->had_slave = 1;
	return 0;
}

s64 pts_open_device(struct inode *i, struct file *f)
{
	u64 index = ((i->rdev >> 8) - PTS_MAJOR) * 256 + (i->rdev & 0xff);
	if (index >= PTYS || !ptys[index] || !ptys[index]->master)
		return -EIO;
	return pts_open(i, f, &ptys[index]->tty);
}

int tty_is_pty(const struct tty *tty)
{
	return tty->send == pty_send;
}

void pty_boot(struct inode *dev)
{
	slave_ops.read = tty_ops.read;
	slave_ops.write = tty_ops.write;
	pts_dir = tree_make(dev, "pts", S_IFDIR | 0755, 0);
	tree_make(dev, "ptmx", S_IFCHR | 0666, RDEV(5, 2))->rdev = RDEV(5, 2);
}
