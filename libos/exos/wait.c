/* SPDX-License-Identifier: MIT
 * Waiting for children. */
#include "pidfd.h"
#include "proc_calls.h"
#include "proc_internal.h"

/* Which children, for which news. */
struct wait_spec {
	u32 kind; /* P_ALL, P_PID, P_PGID */
	u32 id;
	u32 options; /* W*; WEXITED said by wait4, too */
};

/* News of a child, taken unless WNOWAIT. */
struct wait_news {
	u32 pid, uid;
	s32 status; /* as wait4 encodes it */
	s32 code;   /* CLD_* */
	s32 value;  /* exit code or signal */
	u64 user, system;
	u64 maxrss_pages, minflt, majflt;
};

static int wait_eligible(const struct wait_spec *w, const struct proc *p)
{
	if (w->kind == P_PID && p->pid != w->id)
		return 0;
	if (w->kind == P_PGID && p->pgid != w->id)
		return 0;
	if (w->options & __WALL)
		return 1;
	return (p->exit_signal != SIGCHLD) == ((w->options & __WCLONE) != 0);
}

static void news_fill(struct wait_news *n, const struct proc *p)
{
	n->pid = p->pid;
	n->uid = p->uid;
	proc_times(p, &n->user, &n->system);
	n->user += p->cutime_ns;
	n->system += p->cstime_ns;
	n->maxrss_pages = max(proc_peak(p), p->cmaxrss_pages);
	n->minflt = p->minflt;
	n->majflt = p->majflt;
}

/* 1 and the news where p has what w asks for. */
static int wait_consume(const struct wait_spec *w, struct proc *p, struct wait_news *n)
{
	int keep = (w->options & WNOWAIT) != 0;
	news_fill(n, p);
	if (p->state == PROC_ZOMBIE && (w->options & WEXITED)) {
		int sig = p->exit_status & 0x7f;
		n->status = p->exit_status;
		n->code = p->exit_status & WCOREFLAG ? CLD_DUMPED : sig ? CLD_KILLED : CLD_EXITED;
		n->value = sig ? sig : (p->exit_status >> 8) & 0xff;
		if (!keep)
			proc_free(p, 1);
		return 1;
	}
	if (p->state == PROC_STOPPED && p->stop_unreported && (w->options & WUNTRACED)) {
		n->status = (s32)(p->stop_signal << 8 | 0x7f);
		n->code = CLD_STOPPED;
		n->value = (s32)p->stop_signal;
		p->stop_unreported = (u32)keep;
		return 1;
	}
	if (p->state != PROC_ZOMBIE && p->continue_unreported && (w->options & WCONTINUED)) {
		n->status = 0xffff;
		n->code = CLD_CONTINUED;
		n->value = SIGCONT;
		p->continue_unreported = (u32)keep;
		return 1;
	}
	return 0;
}

/* The child's pid and its news, 0 with WNOHANG, -ECHILD, -ERESTARTSYS. */
static s64 wait_for(const struct wait_spec *w, struct wait_news *n)
{
	struct proc *me = current()->proc;
	s64 slept = 0;
	for (;;) {
		int any = 0;
		proc_reap_unwaited();
		for (struct list *at = me->children.next; at != &me->children; at = at->next) {
			struct proc *p = container_of(at, struct proc, sibling);
			if (!wait_eligible(w, p))
				continue;
			if (wait_consume(w, p, n))
				return n->pid;
			any = 1;
		}
		if (!any)
			return -ECHILD;
		if (w->options & WNOHANG)
			return 0;
		if (slept == -EINTR)
			return -ERESTARTSYS;
		slept = sleep_on(&me->child_wait, 0, 1);
	}
}

static s64 rusage_out(u64 to, const struct wait_news *n)
{
	struct linux_rusage out = {
		.utime = {(s64)(n->user / 1000000000), (s64)(n->user % 1000000000 / 1000)},
		.stime = {(s64)(n->system / 1000000000), (s64)(n->system % 1000000000 / 1000)},
		.maxrss = (s64)(n->maxrss_pages * 4),
		.minflt = (s64)n->minflt,
		.majflt = (s64)n->majflt,
	};
	return copy_out(to, &out, sizeof(out));
}

s64 sys_wait4(u64 pid, u64 status, u64 options, u64 rusage)
{
	s32 who = (s32)pid;
	struct wait_spec w = {P_ALL, 0, (u32)options | WEXITED};
	struct wait_news n;
	if ((u32)options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (who == (s32)0x80000000)
		return -ESRCH;
	if (who > 0) {
		w.kind = P_PID;
		w.id = (u32)who;
	} else if (who != -1) {
		w.kind = P_PGID;
		w.id = who ? (u32)-who : current()->proc->pgid;
	}
	s64 result = wait_for(&w, &n);
	if (result <= 0)
		return result;
	if (status && copy_out(status, &n.status, sizeof(n.status)))
		return -EFAULT;
	if (rusage && rusage_out(rusage, &n))
		return -EFAULT;
	return result;
}

s64 sys_waitid(u64 which, u64 pid, u64 info, u64 options, u64 rusage)
{
	struct wait_spec w = {(u32)which, (u32)pid, (u32)options};
	struct wait_news n = {.pid = 0};
	struct linux_siginfo out = {.signo = 0};
	int again = 0; /* it does not wait, and says so */
	if (w.options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
			  __WCLONE | __WALL))
		return -EINVAL;
	if (!(w.options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (which == P_PIDFD) {
		u32 nonblock;
		s64 number = pidfd_pid(pid, &nonblock);
		if (number < 0)
			return number == -ESRCH ? -ECHILD : number;
		which = w.kind = P_PID;
		pid = w.id = (u32)number;
		again = nonblock && !(w.options & WNOHANG);
		w.options |= nonblock ? WNOHANG : 0;
	}
	if (which > P_PGID || (which == P_PID && (s32)pid <= 0) ||
	    (which == P_PGID && (s32)pid < 0))
		return -EINVAL;
	if (which == P_PGID && !w.id)
		w.id = current()->proc->pgid;
	s64 result = wait_for(&w, &n);
	if (result < 0)
		return result;
	if (!result && again)
		return -EAGAIN;
	if (result > 0) {
		out.signo = SIGCHLD;
		out.code = n.code;
		out.child.pid = (s32)n.pid;
		out.child.uid = n.uid;
		out.child.status = n.value;
		if (rusage && rusage_out(rusage, &n))
			return -EFAULT;
	}
	return info ? copy_out(info, &out, sizeof(out)) : 0;
}
