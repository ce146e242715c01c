/* SPDX-License-Identifier: MIT
 * Processes: making, ending and freeing them. */
#include "caps.h"
#include "file.h"
#include "ipc.h"
#include "mm.h"
#include "pidfd.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "quick.h"
#include "switch.h"
#include "time.h"

#define PID_MAX 32768

struct list all_procs = {&all_procs, &all_procs};
/* Ended with a parent that does not wait: freed by the next call that may, as none can free its own stack. */
static struct list unwaited = {&unwaited, &unwaited};
static u32 last_pid, pid_bound;
u64 procs_ever;

struct proc *proc_find(u32 pid)
{
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		if (p->pid == pid)
			return p;
	}
	return NULL;
}

static u32 pid_nearest(u32 pid, u32 from, u32 nearest)
{
	return pid >= from && pid < nearest ? pid : nearest;
}

/* The lowest number from `from` on that somebody has; PID_MAX: nobody. Groups and sessions keep their number in use after their
 * leader is gone. */
static u32 pid_next_used(u32 from)
{
	u32 nearest = PID_MAX;
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		nearest = pid_nearest(p->pid, from, nearest);
		nearest = pid_nearest(p->pgid, from, nearest);
		nearest = pid_nearest(p->sid, from, nearest);
		for (struct list *t = p->threads.next; t != &p->threads; t = t->next)
			nearest = pid_nearest(container_of(t, struct thread, sibling)->tid, from,
					      nearest);
	}
	return nearest;
}

/* Those between last_pid and pid_bound are nobody's: who gets a number gets it here, or one that another has already. */
u32 pid_take(void)
{
	while (last_pid + 1 >= pid_bound) {
		last_pid = pid_bound < PID_MAX ? pid_bound : 1;
		pid_bound = pid_next_used(last_pid + 1);
	}
	return ++last_pid;
}

struct proc *proc_alloc(void)
{
	struct proc *p = kmalloc(sizeof(*p));
	if (!p)
		return NULL;
	p->pid = last_pid ? pid_take() : (last_pid = 1);
	procs_ever++;
	p->state = PROC_ALIVE;
	p->exit_signal = SIGCHLD;
	p->dumpable = 1;
	p->start_ns = now_ns();
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->all);
	list_init(&p->threads);
	sigqueue_init(&p->pending);
	waitq_init(&p->exec_wait);
	waitq_init(&p->child_wait);
	waitq_init(&p->vfork_wait);
	waitq_init(&p->stop_wait);
	return p;
}

/* The first process: leader of its own session and group, everything default; its directory comes with the file
 * system. Family lock. */
struct proc *proc_boot(void)
{
	struct proc *p = proc_alloc();
	exos_assert(p);
	p->pgid = p->sid = p->pid;
	limits_init(p);
	caps_all(p);
	p->sig = sighand_create();
	p->files = files_create();
	exos_assert(p->sig && p->files);
	list_add_tail(&all_procs, &p->all);
	return p;
}

/* Gives back what a process holds but its thread and env. */
static void proc_release(struct proc *p)
{
	if (p->files)
		files_put(p->files);
	if (p->fs)
		fsinfo_put(p->fs);
	p->files = NULL;
	p->fs = NULL;
}

void proc_discard(struct proc *p)
{
	proc_env_leave(p);
	proc_release(p);
	if (p->mm)
		mm_put(p->mm);
	if (p->sig)
		sighand_put(p->sig);
	sigqueue_empty(&p->pending, p);
	kfree(p->exe);
	kfree(p);
}

void proc_free(struct proc *p, int charge)
{
	if (charge && p->parent)
		time_reap(p->parent, p);
	list_del(&p->sibling);
	list_del(&p->all);
	proc_discard(p);
}

void proc_reap_unwaited(void)
{
	while (!list_empty(&unwaited))
		proc_free(container_of(unwaited.next, struct proc, sibling), 0);
}

/* A process that has ended tells its parent; where that does not care, it is freed at the next occasion. */
static void exit_tell(struct proc *p)
{
	const struct linux_sigaction *action =
		p->parent ? &p->parent->sig->action[SIGCHLD - 1] : NULL;
	s32 status = p->exit_status;
	int code = status & WCOREFLAG ? CLD_DUMPED : status & 0x7f ? CLD_KILLED : CLD_EXITED;

	proc_notify_parent(p, code, status & 0x7f ? status & 0x7f : (status >> 8) & 0xff);
	if (p->pid == 1 ||
	    (action && (p->exit_signal != SIGCHLD ||
			(action->handler != SIG_IGN && !(action->flags & SA_NOCLDWAIT)))))
		return;
	list_del(&p->sibling);
	p->parent = NULL;
	list_add_tail(&unwaited, &p->sibling);
}

/* Children of p become its reaper's: pid 1's, or who asked for it. A group that p's end leaves without one who could continue it, and that is
 * stopped, is told. */
static void exit_reparent(struct proc *p)
{
	struct proc *heir = reaper_of(p);
	while (!list_empty(&p->children)) {
		struct proc *child = container_of(p->children.next, struct proc, sibling);
		list_del(&child->sibling);
		child->parent = heir != p ? heir : NULL;
		child->ppid = heir != p ? heir->pid : 0;
		if (child->parent)
			list_add_tail(&heir->children, &child->sibling);
		child->exit_signal = SIGCHLD;
		parent_ended(child);
		if (p->pgid != child->pgid && p->sid == child->sid)
			group_hangup_orphan(child->pgid, p);
		if (child->parent && child->state == PROC_ZOMBIE)
			exit_tell(child);
	}
	if (p->parent && p->parent->pgid != p->pgid && p->parent->sid == p->sid)
		group_hangup_orphan(p->pgid, p);
}

static void exit_report(struct proc *p, s32 status)
{
	p->exit_status = status;
	p->state = PROC_ZOMBIE;
	pidfd_notify();
	exit_tell(p);
}

/* The current thread, which was its last, has ended. */
void proc_end(struct proc *p, s32 status)
{
	p->exiting = 1;
	if (family.trace)
		trace_exit(status);
	if (p->sem_undo)
		sem_exit(p);
	if (p->mm && p->mm->shm && p->mm->refs == 1)
		shm_exit(p->mm);
	time_exit(p);
	posix_timers_end(p);
	if (p->sid == p->pid && p->tty)
		session_hangup(p);
	proc_release(p);
	exit_reparent(p);
	proc_vfork_done(p);
	exit_report(p, status);
	if (p->pid == 1 && family.trace)
		syscall_summary();
}

s64 sys_exit(u64 status)
{
	thread_exit((s32)(status & 0xff) << 8);
}

/* Of one thread among others; the last one takes the way on which all of its process ends. */
s64 quick_thread_exit(u64 status, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	struct thread *t = current();

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (!lock_take(t))
		return QUICK_NO;
	if (t->proc->nthreads == 1)
		return quick_end(QUICK_NO);
	thread_exit((s32)(status & 0xff) << 8);
}

s64 sys_exit_group(u64 status)
{
	proc_exit((s32)(status & 0xff) << 8);
}
