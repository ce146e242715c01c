/* SPDX-License-Identifier: MIT
 * A terminal as a file: reads, writes, settings, and who is in the foreground. */
#include "caps.h"
#include "inode.h"
#include "proc.h"
#include "proc_internal.h"
#include "switch.h"
#include "tty.h"

#define TENTH_NS 100000000ul

s64 tty_job_control(struct tty *tty, int sig)
{
	struct proc *p = current()->proc;
	struct siginfo_k info = {.signo = sig, .code = SI_KERNEL};
	if (p->tty != tty || !tty->foreground || p->pgid == tty->foreground)
		return 0;
	int blocked = (current()->sig_mask & SIG_BIT(sig)) != 0;
	int ignored = p->sig->action[sig - 1].handler == SIG_IGN;
	if (blocked || ignored)
		return sig == SIGTTIN ? -EIO : 0;
	if (group_orphaned(p->pgid, NULL))
		return -EIO;
	signal_group(p->pgid, sig, &info);
	sleep_interrupted(); /* another thread may take it: nothing pends then when a quick writev leaves */
	return -ERESTARTSYS;
}

/* Bytes that a read may take now, in the present mode. */
static u32 readable(const struct tty *tty)
{
	u32 end = tty->termios.lflag & ICANON ? tty->ready : tty->head;
	return end - tty->tail;
}

/* Takes at most one line. Bytes or -EFAULT. */
static s64 take_line(struct tty *tty, u64 to, u64 bytes)
{
	u64 done = 0;
	while (tty->tail != tty->ready && done < bytes) {
		u32 at = tty->tail;
		if (!tty_eof_mark(tty, at)) {
			if (io_out(to + done, &tty->input[at % TTY_INPUT], 1))
				return done ? (s64)done : -EFAULT;
			done++;
		}
		tty->tail++;
		if (tty_mark(tty, at))
			return (s64)done;
	}
	/* an end of file right behind a read that was filled belongs to it */
	if (done && tty->tail != tty->ready && tty_eof_mark(tty, tty->tail))
		tty->tail++;
	return (s64)done;
}

static s64 take_raw(struct tty *tty, u64 to, u64 bytes)
{
	u64 done = 0;
	while (tty->tail != tty->head && done < bytes) {
		u32 at = tty->tail % TTY_INPUT;
		u64 n = min(min((u64)(tty->head - tty->tail), bytes - done), (u64)(TTY_INPUT - at));
		if (io_out(to + done, &tty->input[at], n))
			return done ? (s64)done : -EFAULT;
		tty->tail += (u32)n;
		done += n;
	}
	if ((s32)(tty->ready - tty->tail) < 0)
		tty->ready = tty->tail;
	return (s64)done;
}

/* Waits until a read in single-character mode may return. 0, -EAGAIN, -EINTR. */
static s64 wait_raw(struct file *f, struct tty *tty, u64 bytes)
{
	u64 vmin = tty->termios.cc[VMIN], tenths = tty->termios.cc[VTIME];
	u64 need = max(min(vmin, bytes), 1ul), deadline = 0;
	if (!vmin && !tenths)
		return 0;
	if (!vmin)
		deadline = now_ns() + tenths * TENTH_NS;
	while (readable(tty) < need && !tty->eof && !(tty->termios.lflag & ICANON)) {
		if (f->flags & O_NONBLOCK)
			return readable(tty) ? 0 : -EAGAIN;
		u32 before = readable(tty);
		if (vmin && tenths && before && !deadline)
			deadline = now_ns() + tenths * TENTH_NS;
		s64 woken = sleep_on(&tty->read_wait, deadline, 1);
		if (woken == -EINTR)
			return readable(tty) ? 0 : -EINTR;
		if (woken == -ETIMEDOUT)
			return 0;
		if (vmin && readable(tty) != before)
			deadline = 0; /* the time counts between characters */
	}
	return 0;
}

static s64 taken(struct tty *tty, s64 bytes)
{
	if (tty->taken)
		tty->taken(tty);
	return bytes;
}

static s64 tty_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	struct tty *tty = f->data;
	(void)offset;
	if (tty->hangup)
		return 0;
	for (;;) {
		s64 error = tty_job_control(tty, SIGTTIN);
		if (error)
			return error;
		if (!bytes)
			return 0;
		if (!(tty->termios.lflag & ICANON)) {
			error = wait_raw(f, tty, bytes);
			if (error)
				return error == -EINTR ? -ERESTARTSYS : error;
			if (!(tty->termios.lflag & ICANON))
				return taken(tty, take_raw(tty, to, bytes));
		}
		if (readable(tty))
			return taken(tty, take_line(tty, to, bytes));
		if (tty->eof)
			return 0;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (sleep_on(&tty->read_wait, 0, 1) == -EINTR)
			return -ERESTARTSYS;
	}
}

/* Processes and sends a part of a write. Bytes of the part that went out, or -E. */
static s64 write_part(struct file *f, struct tty *tty, const u8 *from, u32 count)
{
	u8 out[2048];
	u32 n = 0;
	for (u32 i = 0; i < count; i++)
		n += tty_output_char(tty, from[i], out + n);
	for (u32 sent = 0; sent < n;) {
		s64 more = tty->send(tty, out + sent, n - sent, !(f->flags & O_NONBLOCK) || sent);
		if (more < 0)
			return more;
		sent += (u32)more;
	}
	return count;
}

static s64 tty_write(struct file *f, u64 from, usize bytes, u64 *offset)
{
	struct tty *tty = f->data;
	u8 part[256];
	u64 done = 0;
	(void)offset;
	if (tty->hangup)
		return -EIO;
	if (tty->termios.lflag & TOSTOP) {
		s64 error = tty_job_control(tty, SIGTTOU);
		if (error)
			return error;
	}
	while (done < bytes) {
		while (tty->stopped && !tty->hangup) {
			if (f->flags & O_NONBLOCK)
				return done ? (s64)done : -EAGAIN;
			if (sleep_on(&tty->write_wait, 0, 1) == -EINTR)
				return done ? (s64)done : -ERESTARTSYS;
		}
		u64 n = min(sizeof(part), bytes - done);
		if (io_in(part, from + done, n))
			return done ? (s64)done : -EFAULT;
		s64 sent = write_part(f, tty, part, (u32)n);
		if (sent < 0)
			return done ? (s64)done : sent;
		done += (u64)sent;
	}
	return (s64)done;
}

static u32 tty_poll(struct file *f)
{
	struct tty *tty = f->data;
	u32 mask = tty->stopped ? 0 : POLLOUT | POLLWRNORM;
	u32 need = 1;
	if (!(tty->termios.lflag & ICANON) && !tty->termios.cc[VTIME])
		need = max((u32)tty->termios.cc[VMIN], 1u);
	if (readable(tty) >= need || tty->eof)
		mask |= POLLIN | POLLRDNORM;
	if (tty->hangup)
		mask |= POLLHUP;
	return mask;
}

const struct file_ops tty_ops = {
	.read = tty_read, .write = tty_write, .poll = tty_poll, .ioctl = tty_ioctl};

/* Opens a terminal; a session leader that has none gets it as its controlling one. */
s64 tty_open(struct inode *i, struct file *f, struct tty *tty)
{
	struct proc *p = current()->proc;
	(void)i;
	if (tty->hangup)
		return -EIO;
	f->ops = &tty_ops;
	f->data = tty;
	if (p && !(f->flags & O_NOCTTY) && p->pid == p->sid && !p->tty && !tty->session) {
		p->tty = tty;
		tty->session = p->sid;
		tty->foreground = p->pgid;
	}
	return 0;
}

/* New settings, but for what is locked. */
static void termios_take(struct tty *tty, const struct linux_termios *t)
{
	struct linux_termios *now = &tty->termios;
	const struct linux_termios *lock = &tty->locked;
	now->iflag = (t->iflag & ~lock->iflag) | (now->iflag & lock->iflag);
	now->oflag = (t->oflag & ~lock->oflag) | (now->oflag & lock->oflag);
	now->cflag = (t->cflag & ~lock->cflag) | (now->cflag & lock->cflag);
	now->lflag = (t->lflag & ~lock->lflag) | (now->lflag & lock->lflag);
	now->line = lock->line ? now->line : t->line;
	for (u32 i = 0; i < NCCS; i++)
		now->cc[i] = lock->cc[i] ? now->cc[i] : t->cc[i];
}

static s64 set_termios(struct tty *tty, u64 request, u64 from, usize bytes)
{
	struct linux_termios2 t = {.line = 0};
	s64 error = tty_job_control(tty, SIGTTOU);
	if (error)
		return error;
	if (copy_in(&t, from, bytes))
		return -EFAULT;
	struct linux_termios old = tty->termios, wanted;
	if (request == TCSETSF || request == TCSETSF2)
		tty_flush_input(tty);
	__builtin_memcpy(&wanted, &t, sizeof(wanted));
	termios_take(tty, &wanted);
	tty_mode_changed(tty, &old);
	return 0;
}

static s64 get_termios(struct tty *tty, u64 to, usize bytes)
{
	struct linux_termios2 t = {.ispeed = 38400, .ospeed = 38400};
	__builtin_memcpy(&t, &tty->termios, sizeof(tty->termios));
	return copy_out(to, &t, bytes) ? -EFAULT : 0;
}

/* Some process is in the group, within the caller's session. */
static s64 group_check(u32 pgid, u32 sid)
{
	s64 result = -ESRCH;
	for (struct list *l = all_procs.next; l != &all_procs; l = l->next) {
		struct proc *p = container_of(l, struct proc, all);
		if (p->pgid != pgid)
			continue;
		if (p->sid == sid)
			return 0;
		result = -EPERM;
	}
	return result;
}

static s64 set_foreground(struct tty *tty, u64 from)
{
	struct proc *p = current()->proc;
	s32 pgid;
	if (p->tty != tty || tty->session != p->sid)
		return -ENOTTY;
	s64 error = tty_job_control(tty, SIGTTOU);
	if (error)
		return error;
	if (copy_in(&pgid, from, sizeof(pgid)))
		return -EFAULT;
	if (pgid < 0)
		return -EINVAL;
	error = group_check((u32)pgid, p->sid);
	if (!error)
		tty->foreground = (u32)pgid;
	return error;
}

static s64 take_control(struct tty *tty, u64 steal)
{
	struct proc *p = current()->proc;
	if (p->tty == tty && tty->session == p->sid)
		return 0;
	if (p->pid != p->sid || p->tty)
		return -EPERM;
	if (tty->session && !(steal == 1 && capable(CAP_SYS_ADMIN)))
		return -EPERM;
	for (struct list *l = all_procs.next; tty->session && l != &all_procs; l = l->next) {
		struct proc *other = container_of(l, struct proc, all);
		if (other->tty == tty)
			other->tty = NULL;
	}
	p->tty = tty;
	tty->session = p->sid;
	tty->foreground = p->pgid;
	return 0;
}

static s64 give_up_control(struct tty *tty)
{
	struct proc *p = current()->proc;
	struct siginfo_k hup = {.signo = SIGHUP, .code = SI_KERNEL};
	struct siginfo_k cont = {.signo = SIGCONT, .code = SI_KERNEL};
	if (p->tty != tty)
		return -ENOTTY;
	p->tty = NULL;
	if (p->pid != p->sid)
		return 0;
	u32 foreground = tty->foreground;
	for (struct list *l = all_procs.next; l != &all_procs; l = l->next) {
		struct proc *other = container_of(l, struct proc, all);
		if (other->tty == tty && other->sid == p->sid)
			other->tty = NULL;
	}
	tty_session_end(tty);
	if (foreground) {
		signal_group(foreground, SIGHUP, &hup);
		signal_group(foreground, SIGCONT, &cont);
	}
	return 0;
}

static s64 out_s32(u64 to, s32 value)
{
	return copy_out(to, &value, sizeof(value)) ? -EFAULT : 0;
}

/* Requests about sessions and groups. */
static s64 job_ioctl(struct tty *tty, u64 request, u64 arg)
{
	struct proc *p = current()->proc;
	switch (request) {
	case TIOCGPGRP:
		return p->tty == tty ? out_s32(arg, (s32)tty->foreground) : -ENOTTY;
	case TIOCSPGRP:
		return set_foreground(tty, arg);
	case TIOCGSID:
		return p->tty == tty ? out_s32(arg, (s32)tty->session) : -ENOTTY;
	case TIOCSCTTY:
		return take_control(tty, arg);
	case TIOCNOTTY:
		return give_up_control(tty);
	default:
		return -ENOTTY;
	}
}

static s64 flush(struct tty *tty, u64 which)
{
	s64 error = tty_job_control(tty, SIGTTOU);
	if (error)
		return error;
	if (which > 2)
		return -EINVAL;
	if (which != 1)
		tty_flush_input(tty);
	if (which)
		tty_tell(tty, TTY_TOLD_FLUSH_WRITE);
	return 0;
}

static s64 set_window(struct tty *tty, u64 arg)
{
	struct linux_winsize w;
	if (copy_in(&w, arg, sizeof(w)))
		return -EFAULT;
	tty_resize(tty, w.rows, w.columns);
	tty->window = w;
	return 0;
}

static s64 flow(struct tty *tty, u64 arg)
{
	s64 error = tty_job_control(tty, SIGTTOU);
	if (error)
		return error;
	if (arg > 3)
		return -EINVAL;
	if (arg <= 1) {
		tty_stop(tty, arg == 0);
		return 0;
	}
	/* the other side is asked to stop, or to go on */
	u8 c = tty->termios.cc[arg == 2 ? VSTOP : VSTART];
	if (c)
		tty->send(tty, &c, 1, 0);
	return 0;
}

/* System V's form of the settings: 16 bits of each word, and fewer characters. */
struct linux_termio {
	u16 iflag, oflag, cflag, lflag;
	u8 line, cc[8];
};

static s64 get_termio(const struct tty *tty, u64 to)
{
	const struct linux_termios *t = &tty->termios;
	struct linux_termio out = {(u16)t->iflag, (u16)t->oflag, (u16)t->cflag,
				   (u16)t->lflag, t->line,	 {0}};
	__builtin_memcpy(out.cc, t->cc, sizeof(out.cc));
	return copy_out(to, &out, sizeof(out)) ? -EFAULT : 0;
}

static s64 set_termio(struct tty *tty, u64 request, u64 from)
{
	struct linux_termios t = tty->termios;
	struct linux_termio in;
	s64 error = tty_job_control(tty, SIGTTOU);
	if (error)
		return error;
	if (copy_in(&in, from, sizeof(in)))
		return -EFAULT;
	struct linux_termios old = t;
	if (request == TCSETAF)
		tty_flush_input(tty);
	t.iflag = (t.iflag & 0xffff0000) | in.iflag;
	t.oflag = (t.oflag & 0xffff0000) | in.oflag;
	t.cflag = (t.cflag & 0xffff0000) | in.cflag;
	t.lflag = (t.lflag & 0xffff0000) | in.lflag;
	t.line = in.line;
	__builtin_memcpy(t.cc, in.cc, sizeof(in.cc));
	termios_take(tty, &t);
	tty_mode_changed(tty, &old);
	return 0;
}

static s64 lock_termios(struct tty *tty, u64 from)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return copy_in(&tty->locked, from, sizeof(tty->locked)) ? -EFAULT : 0;
}

s64 tty_ioctl(struct file *f, u64 request, u64 arg)
{
	struct tty *tty = f->data;
	if (tty->hangup)
		return -EIO;
	switch (request) {
	case TCGETS:
		return get_termios(tty, arg, sizeof(struct linux_termios));
	case TCGETS2:
		return get_termios(tty, arg, sizeof(struct linux_termios2));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(tty, request, arg, sizeof(struct linux_termios));
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set_termios(tty, request, arg, sizeof(struct linux_termios2));
	case TIOCGLCKTRMIOS:
		return copy_out(arg, &tty->locked, sizeof(tty->locked)) ? -EFAULT : 0;
	case TIOCSLCKTRMIOS:
		return lock_termios(tty, arg);
	case TCGETA:
		return get_termio(tty, arg);
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
		return set_termio(tty, request, arg);
	case TIOCGWINSZ:
		return copy_out(arg, &tty->window, sizeof(tty->window)) ? -EFAULT : 0;
	case TIOCSWINSZ:
		return set_window(tty, arg);
	case FIONREAD:
		return out_s32(arg, (s32)readable(tty));
	case TIOCOUTQ:
		return out_s32(arg, 0);
	case TCFLSH:
		return flush(tty, arg);
	case TCXONC:
		return flow(tty, arg);
	case TCSBRK: /* what was written is on its way: nothing to wait for, no line to break */
	case TCSBRKP:
		return tty_job_control(tty, SIGTTOU);
	default:
		return job_ioctl(tty, request, arg);
	}
}
