/* SPDX-License-Identifier: MIT
 * signalfd: signals of the reader that are read rather than delivered. */
#include "file_calls.h"
#include "inode.h"
#include "poll.h"
#include "proc_internal.h"

struct signal_file {
	u64 set;
};

struct linux_signalfd_siginfo {
	u32 signo;
	s32 errnum, code;
	u32 pid, uid;
	s32 fd;
	u32 tid, band, overrun, trapno;
	s32 status, value_int;
	u64 value_ptr, utime, stime, addr;
	u16 addr_lsb;
	u8 pad[46];
};
ARIL_ASSERT_SIZE(struct linux_signalfd_siginfo, 128);

static struct waitq signal_wait = {.sleepers = {&signal_wait.sleepers, &signal_wait.sleepers}};

void signal_file_notify(void)
{
	wake_all(&signal_wait);
	poll_notify();
}

/* Takes one signal and puts it out: 128, 0 where none is pending, or -EFAULT. */
static s64 signal_file_take(const struct signal_file *s, u64 to)
{
	struct siginfo_k info;
	if (!signal_take(current(), ~s->set, &info))
		return 0;
	struct linux_signalfd_siginfo out = {
		.signo = (u32)info.signo,
		.errnum = info.errnum,
		.code = info.code,
	};
	if (info.code > 0 && info.code != SI_KERNEL && info.signo != SIGCHLD) {
		out.addr = info.addr;
	} else {
		out.pid = (u32)info.pid;
		out.uid = (u32)info.uid;
		out.status = info.signo == SIGCHLD ? (s32)info.value : 0;
		out.value_int = info.signo == SIGCHLD ? 0 : (s32)info.value;
		out.value_ptr = info.signo == SIGCHLD ? 0 : info.value;
	}
	return io_out(to, &out, sizeof(out)) ? -EFAULT : (s64)sizeof(out);
}

static s64 signal_file_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	const struct signal_file *s = f->data;
	s64 done = 0, one;
	(void)offset;
	if (bytes < sizeof(struct linux_signalfd_siginfo))
		return -EINVAL;
	while (bytes - (u64)done >= sizeof(struct linux_signalfd_siginfo)) {
		one = signal_file_take(s, to + (u64)done);
		if (one < 0)
			return done ? done : one;
		done += one;
		if (one)
			continue;
		if (done)
			return done;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (sleep_on(&signal_wait, 0, 1) == -EINTR)
			return -ERESTARTSYS;
	}
	return done;
}

static u32 signal_file_poll(struct file *f)
{
	const struct signal_file *s = f->data;
	return signal_pending_set(current()) & s->set ? POLLIN : 0;
}

static void signal_file_release(struct file *f)
{
	kfree(f->data);
}

static const struct file_ops signal_file_ops = {
	.read = signal_file_read,
	.poll = signal_file_poll,
	.release = signal_file_release,
};

s64 sys_signalfd4(u64 fd, u64 set, u64 bytes, u64 flags)
{
	struct file *f;
	u64 wanted;
	if ((u32)flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (bytes != 8)
		return -EINVAL;
	if (copy_in(&wanted, set, 8))
		return -EFAULT;
	wanted &= ~SIG_UNBLOCKABLE;
	if ((s32)fd != -1) {
		f = fd_file((u32)fd);
		if (!f)
			return -EBADF;
		if (f->ops != &signal_file_ops)
			return -EINVAL;
		((struct signal_file *)f->data)->set = wanted;
		signal_file_notify();
		return (s32)fd;
	}
	struct signal_file *s = kmalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->set = wanted;
	s64 made = file_anonymous("anon_inode:[signalfd]", &signal_file_ops, s, O_RDWR | (u32)flags,
				  &f);
	if (made >= 0)
		f->inode->poll_counts = 0; /* what is pending is the reader's */
	return made;
}

s64 sys_signalfd(u64 fd, u64 set, u64 bytes)
{
	return sys_signalfd4(fd, set, bytes, 0);
}
