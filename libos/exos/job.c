/* SPDX-License-Identifier: MIT
 * Job control: process groups and sessions, stopping and going on, what a parent hears. */
#include "file.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "tty.h"

void proc_notify_parent(struct proc *p, int code, int status)
{
	struct proc *parent = p->parent;
	if (!parent)
		return;
	struct siginfo_k info = {.signo = SIGCHLD,
				 .code = code,
				 .pid = (s32)p->pid,
				 .uid = (s32)p->uid,
				 .value = (u32)status};
	int ended = p->state == PROC_ZOMBIE;
	if (ended || !(parent->sig->action[SIGCHLD - 1].flags & SA_NOCLDSTOP)) {
		int sig = ended ? (int)p->exit_signal : SIGCHLD;
		if (ended && sig == SIGCHLD && parent->sig->action[sig - 1].handler == SIG_IGN)
			sig = 0; /* also where it is blocked, and would wait for a handler */
		info.signo = sig;
		if (sig)
			signal_send(parent, sig, &info);
	}
	wake_all(&parent->child_wait);
}

/* The others find STOP pending when they leave ExOS the next time; until then they may go on in it. */
static void stop_others(struct proc *p)
{
	for (struct list *at = p->threads.next; at != &p->threads; at = at->next) {
		struct thread *t = container_of(at, struct thread, sibling);
		if (t == current())
			continue;
		t->pending.set |= SIG_BIT(SIGSTOP);
		sched_kick(t);
	}
}

void proc_stop(int sig)
{
	struct thread *t = current();
	struct proc *p = t->proc;
	if (p->state != PROC_STOPPED) {
		p->state = PROC_STOPPED;
		p->stop_signal = (u32)sig;
		p->stop_unreported = 1;
		p->continue_unreported = 0;
		stop_others(p);
		proc_notify_parent(p, CLD_STOPPED, sig);
	}
	while (p->state == PROC_STOPPED && !t->killed)
		sleep_on(&p->stop_wait, 0, 2);
}

void proc_continue(struct proc *p, int report)
{
	p->state = PROC_ALIVE;
	p->stop_unreported = 0;
	p->continue_unreported = (u32)report;
	if (report)
		proc_notify_parent(p, CLD_CONTINUED, SIGCONT);
	wake_all(&p->stop_wait);
}

int group_orphaned(u32 pgid, const struct proc *ignored)
{
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		const struct proc *p = container_of(at, struct proc, all);
		if (p->pgid != pgid || p == ignored || p->state == PROC_ZOMBIE || !p->parent)
			continue;
		if (p->parent->pgid != pgid && p->parent->sid == p->sid)
			return 0;
	}
	return 1;
}

static int group_has_stopped(u32 pgid)
{
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		const struct proc *p = container_of(at, struct proc, all);
		if (p->pgid == pgid && p->state == PROC_STOPPED)
			return 1;
	}
	return 0;
}

void group_hangup_orphan(u32 pgid, const struct proc *leaving)
{
	if (!group_has_stopped(pgid) || !group_orphaned(pgid, leaving))
		return;
	signal_group(pgid, SIGHUP, NULL);
	signal_group(pgid, SIGCONT, NULL);
}

void session_hangup(struct proc *leader)
{
	struct tty *tty = leader->tty;
	if (tty->foreground) {
		signal_group(tty->foreground, SIGHUP, NULL);
		signal_group(tty->foreground, SIGCONT, NULL);
	}
	tty_session_end(tty);
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		if (p->sid == leader->sid)
			p->tty = NULL;
	}
}

s64 sys_getpid(void)
{
	return current()->proc->pid;
}

s64 sys_gettid(void)
{
	return current()->tid;
}

s64 sys_getppid(void)
{
	return current()->proc->ppid;
}

s64 sys_getpgrp(void)
{
	return current()->proc->pgid;
}

s64 sys_getpgid(u64 pid)
{
	struct proc *p = (u32)pid ? proc_find((u32)pid) : current()->proc;
	return p ? (s64)p->pgid : -ESRCH;
}

s64 sys_getsid(u64 pid)
{
	struct proc *p = (u32)pid ? proc_find((u32)pid) : current()->proc;
	return p ? (s64)p->sid : -ESRCH;
}

static int group_in_session(u32 pgid, u32 sid)
{
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		const struct proc *p = container_of(at, struct proc, all);
		if (p->pgid == pgid && p->sid == sid)
			return 1;
	}
	return 0;
}

s64 sys_setpgid(u64 pid, u64 pgid)
{
	struct proc *me = current()->proc;
	struct proc *p = (u32)pid ? proc_find((u32)pid) : me;
	u32 group = (u32)pgid ? (u32)pgid : (u32)pid ? (u32)pid : me->pid;
	if ((s32)pgid < 0)
		return -EINVAL;
	if (!p)
		return -ESRCH;
	if (p != me) {
		if (p->parent != me)
			return -ESRCH;
		if (p->sid != me->sid)
			return -EPERM;
		if (p->did_exec)
			return -EACCES;
	}
	if (p->sid == p->pid)
		return -EPERM;
	if (group != p->pid && !group_in_session(group, me->sid))
		return -EPERM;
	p->pgid = group;
	return 0;
}

s64 sys_setsid(void)
{
	struct proc *me = current()->proc;
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next)
		if (container_of(at, struct proc, all)->pgid == me->pid)
			return -EPERM;
	me->sid = me->pgid = me->pid;
	me->tty = NULL;
	return me->pid;
}
