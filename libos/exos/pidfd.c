/* SPDX-License-Identifier: MIT
 * Processes as files (pidfd): told of by poll when they end, signalled by descriptor. */
#include "caps.h"
#include "pidfd.h"
#include "file_calls.h"
#include "inode.h"
#include "poll.h"
#include "procfs.h"
#include "proc.h"
#include "proc_calls.h"
#include "proc_internal.h"

/* Which process: its number may be another's one day, its start not. */
struct pidfd {
	u32 pid;
	u64 start;
};

static u32 open_count;

static struct proc *pidfd_proc(const struct pidfd *d)
{
	struct proc *p = proc_find(d->pid);
	return p && p->start_ns == d->start ? p : NULL;
}

static u32 pidfd_poll(struct file *f)
{
	const struct proc *p = pidfd_proc(f->data);
	return p && p->state != PROC_ZOMBIE ? 0 : POLLIN | POLLRDNORM;
}

static void pidfd_release(struct file *f)
{
	open_count--;
	kfree(f->data);
}

static const struct file_ops pidfd_ops = {.poll = pidfd_poll, .release = pidfd_release};

void pidfd_notify(void)
{
	if (open_count)
		poll_notify();
}

s64 pidfd_create(const struct proc *p, u32 flags)
{
	struct file *f;
	struct pidfd *d = kmalloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->pid = p->pid;
	d->start = p->start_ns;
	open_count++;
	s64 fd =
		file_anonymous("anon_inode:[pidfd]", &pidfd_ops, d, O_RDWR | O_CLOEXEC | flags, &f);
	if (fd >= 0)
		f->inode->poll_counts = 0; /* it does not hear of its process: who polls looks */
	return fd;
}

s64 pidfd_pid(u64 fd, u32 *nonblock)
{
	const struct file *f = fd_file((u32)fd);
	u32 named = f ? proc_directory_pid(f->inode) : 0; /* an open /proc/PID does, too */
	*nonblock = 0;
	if (named)
		return proc_find(named) ? (s64)named : -ESRCH;
	if (!f || f->ops != &pidfd_ops)
		return -EBADF;
	*nonblock = f->flags & O_NONBLOCK;
	const struct proc *p = pidfd_proc(f->data);
	return p ? (s64)p->pid : -ESRCH;
}

s64 sys_pidfd_open(u64 pid, u64 flags)
{
	if ((u32)flags & ~(u32)O_NONBLOCK || (s32)pid <= 0)
		return -EINVAL;
	const struct proc *p = proc_find((u32)pid);
	if (!p)
		return thread_find((u32)pid) ? -EINVAL : -ESRCH;
	return pidfd_create(p, (u32)flags);
}

s64 sys_pidfd_send_signal(u64 fd, u64 sig, u64 info, u64 flags)
{
	u32 nonblock;
	struct linux_siginfo in;
	if ((u32)flags)
		return -EINVAL;
	s64 pid = pidfd_pid(fd, &nonblock);
	if (pid < 0)
		return pid;
	if (!info)
		return sys_kill((u64)pid, sig);
	if (copy_in(&in, info, sizeof(in)))
		return -EFAULT;
	return in.signo != (s32)sig ? -EINVAL : sys_rt_sigqueueinfo((u64)pid, sig, info);
}

int proc_may_look(const struct proc *p)
{
	const struct proc *me = current()->proc;
	return p == me || capable(CAP_SYS_PTRACE) ||
	       (p->dumpable && proc_same(p) && !(p->caps.permitted & ~me->caps.permitted));
}

s64 sys_pidfd_getfd(u64 fd, u64 other, u64 flags)
{
	u32 nonblock;
	if ((u32)flags)
		return -EINVAL;
	s64 pid = pidfd_pid(fd, &nonblock);
	if (pid < 0)
		return pid;
	const struct proc *p = proc_find((u32)pid);
	if (!proc_may_look(p))
		return -EPERM;
	if (!p->files)
		return -ESRCH;
	struct file *f = files_file(p->files, (u32)other);
	if (!f)
		return -EBADF;
	s64 result = fd_install(f, 0, 1);
	if (result >= 0)
		file_get(f);
	return result;
}

/* ---- kcmp: whether two processes share something ---- */
enum { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM, KCMP_TYPES };

static const void *shared_part(const struct proc *p, u32 type, u64 fd)
{
	switch (type) {
	case KCMP_FILE:
		return p->files ? files_file(p->files, (u32)fd) : NULL;
	case KCMP_VM:
		return p->mm;
	case KCMP_FILES:
		return p->files;
	case KCMP_FS:
		return p->fs;
	case KCMP_SIGHAND:
		return p->sig;
	case KCMP_SYSVSEM:
		return p->sem_undo ? p : NULL;
	default:
		return NULL; /* nobody has a context of input and output */
	}
}

s64 sys_kcmp(u64 pid, u64 pid2, u64 type, u64 fd, u64 fd2)
{
	const struct proc *p = proc_find((u32)pid), *q = proc_find((u32)pid2);
	if (!p || !q)
		return -ESRCH;
	if (!proc_may_look(p) || !proc_may_look(q))
		return -EPERM;
	if ((u32)type >= KCMP_TYPES)
		return -EINVAL; /* epoll's targets are not compared */
	const void *a = shared_part(p, (u32)type, fd), *b = shared_part(q, (u32)type, fd2);
	if ((u32)type == KCMP_FILE && (!a || !b))
		return -EBADF;
	return a == b ? 0 : (u64)a < (u64)b ? 1 : 2;
}
