/* SPDX-License-Identifier: MIT
 * Processes: making, forking, ending and freeing them. */
#include "file.h"
#include "mm.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "time.h"

#define PID_MAX 32768

struct list all_procs = {&all_procs, &all_procs};
/* Ended with a parent that does not wait: freed by the next call that may, as none can free its own stack. */
static struct list unwaited = {&unwaited, &unwaited};
static u32 last_pid;

struct proc *proc_find(u32 pid)
{
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		if (p->pid == pid)
			return p;
	}
	return NULL;
}

/* Groups and sessions keep their number in use after their leader is gone. */
static int pid_used(u32 pid)
{
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		if (p->pid == pid || p->pgid == pid || p->sid == pid)
			return 1;
	}
	return 0;
}

static u32 pid_take(void)
{
	do
		last_pid = last_pid + 1 < PID_MAX ? last_pid + 1 : 2;
	while (pid_used(last_pid));
	return last_pid;
}

static struct proc *proc_alloc(void)
{
	struct proc *p = kmalloc(sizeof(*p));
	if (!p)
		return NULL;
	p->pid = last_pid ? pid_take() : (last_pid = 1);
	p->state = PROC_ALIVE;
	p->exit_signal = SIGCHLD;
	p->dumpable = 1;
	p->start_ns = now_ns();
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->all);
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

static void proc_discard(struct proc *p)
{
	if (p->env)
		proc_env_destroy(p);
	if (p->thread)
		thread_free(p->thread);
	proc_release(p);
	if (p->mm)
		mm_put(p->mm);
	if (p->sig)
		sighand_put(p->sig);
	kfree(p->exe);
	kfree(p);
}

static char *text_copy(const char *text)
{
	usize bytes = __builtin_strlen(text) + 1;
	char *copy = kmalloc(bytes);
	if (copy)
		__builtin_memcpy(copy, text, bytes);
	return copy;
}

static void fork_identity(struct proc *child, const struct proc *p)
{
	child->pgid = p->pgid;
	child->sid = p->sid;
	child->tty = p->tty;
	child->uid = p->uid, child->euid = p->euid, child->suid = p->suid;
	child->gid = p->gid, child->egid = p->egid, child->sgid = p->sgid;
	child->ngroups = p->ngroups;
	child->no_new_privs = p->no_new_privs;
	child->dumpable = p->dumpable;
	__builtin_memcpy(child->groups, p->groups, sizeof(p->groups));
	__builtin_memcpy(child->comm, p->comm, sizeof(p->comm));
	__builtin_memcpy(child->limit_cur, p->limit_cur, sizeof(p->limit_cur));
	__builtin_memcpy(child->limit_max, p->limit_max, sizeof(p->limit_max));
}

/* What the child has of its own or shares. 0, -ENOMEM, -EAGAIN. */
static s64 fork_parts(struct proc *child, struct proc *p, u64 flags)
{
	fork_identity(child, p);
	child->exe = p->exe ? text_copy(p->exe) : NULL;
	child->sig = sighand_clone(p->sig);
	child->files = files_clone(p->files);
	child->fs = fsinfo_clone(p->fs);
	if (flags & CLONE_VM) {
		mm_get(p->mm);
		child->mm = p->mm;
	} else {
		child->mm = mm_clone(p->mm);
	}
	if (!child->sig || !child->files || !child->fs || !child->mm || (p->exe && !child->exe))
		return -ENOMEM;
	return proc_env_create(child);
}

static s64 fork_thread(struct proc *child, u64 flags, u64 stack, u64 child_tid, u64 tls)
{
	struct thread *t = current();
	struct user_regs regs = *t->regs;
	if (stack)
		regs.rsp = stack;
	struct thread *ct = thread_create(child, &regs);
	if (!ct)
		return -ENOMEM;
	child->thread = ct;
	ct->tid = child->pid;
	ct->sig_mask = t->sig_mask;
	if (!(flags & CLONE_VM) || (flags & CLONE_VFORK)) {
		ct->altstack_sp = t->altstack_sp;
		ct->altstack_size = t->altstack_size;
		ct->altstack_flags = t->altstack_flags;
	}
	if (flags & CLONE_SETTLS)
		ct->fs_base = tls;
	if (flags & CLONE_CHILD_CLEARTID)
		ct->clear_tid = child_tid;
	return 0;
}

/* Sleeps until the child has a program of its own, or has ended. */
static void vfork_sleep(u32 pid)
{
	for (;;) {
		struct proc *child = proc_find(pid);
		if (!child || !child->vforked)
			return;
		sleep_on(&current()->proc->vfork_wait, 0, 0);
	}
}

void proc_vfork_done(struct proc *p)
{
	if (!p->vforked)
		return;
	p->vforked = 0;
	if (p->parent)
		wake_all(&p->parent->vfork_wait);
}

/* Everything checked, the child is made: links and starts it. */
static s64 fork_start(struct proc *child, u64 flags, u64 child_tid)
{
	struct proc *p = current()->proc;
	u32 pid = child->pid;
	if (flags & CLONE_CHILD_SETTID)
		mm_poke(child->mm, child_tid, &pid,
			sizeof(pid)); /* Linux ignores a bad address, too */
	child->parent = p;
	child->ppid = p->pid;
	list_add_tail(&all_procs, &child->all);
	list_add_tail(&p->children, &child->sibling);
	child->vforked = (flags & CLONE_VFORK) != 0;
	thread_start(child->thread);
	if (flags & CLONE_VFORK)
		vfork_sleep(pid);
	return pid;
}

/* Makes a child process. stack 0: the parent's. The child's pid, -ENOMEM, -EAGAIN: no env left, -EFAULT, -ENOSYS:
 * what only threads and containers need. */
static s64 proc_fork(u64 flags, u64 exit_signal, u64 stack, u64 parent_tid, u64 child_tid, u64 tls)
{
	const u64 known = CLONE_VM | CLONE_VFORK | CLONE_SETTLS | CLONE_PARENT_SETTID |
			  CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_DETACHED |
			  CLONE_CLEAR_SIGHAND;
	if (flags & ~known) {
		exos_log_once("exos: clone with flags %#lx is not there (ENOSYS)",
			      (unsigned long)flags);
		return -ENOSYS;
	}
	if (exit_signal > NSIG)
		return -EINVAL;
	proc_reap_unwaited();
	struct proc *child = proc_alloc();
	if (!child)
		return -ENOMEM;
	child->exit_signal = (u32)exit_signal;
	s64 error = fork_parts(child, current()->proc, flags);
	if (!error)
		error = fork_thread(child, flags, stack, child_tid, tls);
	u32 pid = child->pid;
	if (!error && (flags & CLONE_PARENT_SETTID))
		error = copy_out(parent_tid, &pid, sizeof(pid));
	if (error) {
		proc_discard(child);
		return error;
	}
	if (flags & CLONE_CLEAR_SIGHAND)
		sighand_exec(child->sig);
	return fork_start(child, flags, child_tid);
}

s64 sys_fork(void)
{
	return proc_fork(0, SIGCHLD, 0, 0, 0, 0);
}

s64 sys_vfork(void)
{
	return proc_fork(CLONE_VM | CLONE_VFORK, SIGCHLD, 0, 0, 0, 0);
}

s64 sys_clone(u64 flags, u64 stack, u64 parent_tid, u64 child_tid, u64 tls)
{
	flags &= 0xffffffff;
	return proc_fork(flags & ~CSIGNAL, flags & CSIGNAL, stack, parent_tid, child_tid, tls);
}

s64 sys_clone3(u64 args, u64 bytes)
{
	struct linux_clone_args a = {.flags = 0};
	u8 more;
	if (bytes < 64 || bytes > PAGE)
		return bytes < 64 ? -EINVAL : -E2BIG;
	if (copy_in(&a, args, min(bytes, sizeof(a))))
		return -EFAULT;
	for (u64 at = sizeof(a); at < bytes; at++)
		if (copy_in(&more, args + at, 1) || more)
			return -E2BIG;
	if ((a.flags & (CSIGNAL | CLONE_DETACHED)) || !a.stack != !a.stack_size ||
	    a.exit_signal > NSIG)
		return -EINVAL;
	if (a.set_tid_size || a.cgroup)
		return -ENOSYS;
	return proc_fork(a.flags, a.exit_signal, a.stack ? a.stack + a.stack_size : 0, a.parent_tid,
			 a.child_tid, a.tls);
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

/* Children of p become pid 1's. A group that p's end leaves without one who could continue it, and that is
 * stopped, is told. */
static void exit_reparent(struct proc *p)
{
	struct proc *heir = family.init;
	while (!list_empty(&p->children)) {
		struct proc *child = container_of(p->children.next, struct proc, sibling);
		list_del(&child->sibling);
		child->parent = heir != p ? heir : NULL;
		child->ppid = heir != p ? heir->pid : 0;
		if (child->parent)
			list_add_tail(&heir->children, &child->sibling);
		if (p->pgid != child->pgid && p->sid == child->sid)
			group_hangup_orphan(child->pgid, p);
		if (child->parent && child->state == PROC_ZOMBIE)
			proc_notify_parent(child, CLD_EXITED, 0);
	}
	if (p->parent && p->parent->pgid != p->pgid && p->parent->sid == p->sid)
		group_hangup_orphan(p->pgid, p);
}

static void exit_locks(struct thread *t)
{
	static const u32 zero;
	futex_robust_exit();
	if (t->clear_tid && t->proc->mm->refs > 1 && !copy_out(t->clear_tid, &zero, sizeof(zero)))
		futex_wake(t->clear_tid, 1, ~0u);
}

/* Makes a zombie of p, or, where its parent does not care, a process that is freed at the next occasion. */
static void exit_report(struct proc *p, s32 status)
{
	const struct linux_sigaction *action =
		p->parent ? &p->parent->sig->action[SIGCHLD - 1] : NULL;
	p->exit_status = status;
	p->state = PROC_ZOMBIE;
	int code = status & 0x7f ? CLD_KILLED : CLD_EXITED;
	proc_notify_parent(p, code, status & 0x7f ? status & 0x7f : (status >> 8) & 0xff);
	if (p->pid == 1 ||
	    (p->parent && (action->handler != SIG_IGN && !(action->flags & SA_NOCLDWAIT))))
		return;
	list_del(&p->sibling);
	p->parent = NULL;
	list_add_tail(&unwaited, &p->sibling);
}

/* Ends the current process; status in wait4's encoding (code << 8, or the signal). Family lock held. */
_Noreturn void proc_exit(s32 status)
{
	struct thread *t = current();
	struct proc *p = t->proc;
	p->exiting = 1;
	if (family.trace)
		trace_exit(status);
	exit_locks(t);
	time_exit(p);
	if (p->sid == p->pid && p->tty)
		session_hangup(p);
	proc_release(p);
	exit_reparent(p);
	proc_vfork_done(p);
	time_account(t, 0);
	exit_report(p, status);
	if (p->pid == 1 && family.trace)
		syscall_summary();
	sched_exit();
}

s64 sys_exit(u64 status)
{
	proc_exit((s32)(status & 0xff) << 8);
}

s64 sys_exit_group(u64 status)
{
	proc_exit((s32)(status & 0xff) << 8);
}
