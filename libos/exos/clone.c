/* SPDX-License-Identifier: MIT
 * fork, vfork, clone: new processes and new threads. Family lock. */
#include "caps.h"
#include "limits.h"
#include "inode.h"
#include "mm.h"
#include "nice.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "sched.h"
#include "switch.h"
#include "usermem.h"

#define CLONE_SYSVSEM 0x40000ul
#define CLONE_UNTRACED 0x800000ul
#define CLONE_IO 0x80000000ul
/* What every thread shares with its process here. */
#define CLONE_SHARED (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
/* What concerns the new thread itself; the last three have nothing to say here: nobody traces, what System V
 * semaphores are to undo is a process's, there is no input and output to share. */
#define CLONE_OWN                                                                         \
	(CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | \
	 CLONE_DETACHED | CLONE_UNTRACED | CLONE_SYSVSEM | CLONE_IO)

/* The arguments of all the calls are those of clone3, but that the stack is where its pointer begins; 0: the parent's. */

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
	child->personality = p->personality;
	child->ioprio = p->ioprio;
	child->timer_slack = p->timer_slack;
	child->caps = p->caps;
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
	child->sig = flags & CLONE_SIGHAND ? p->sig : sighand_clone(p->sig);
	child->files = flags & CLONE_FILES ? p->files : files_clone(p->files);
	child->fs = flags & CLONE_FS ? p->fs : fsinfo_clone(p->fs);
	child->mm = flags & CLONE_VM ? p->mm : mm_clone(p->mm);
	if (flags & CLONE_SIGHAND)
		p->sig->refs++;
	if (flags & CLONE_FILES)
		p->files->refs++;
	if (flags & CLONE_FS)
		p->fs->refs++;
	if (flags & CLONE_VM)
		mm_get(p->mm);
	if (!child->sig || !child->files || !child->fs || !child->mm || (p->exe && !child->exe))
		return -ENOMEM;
	return proc_env_create(child);
}

static inline int number_out(u64 to, u32 number)
{
	if (to > PROGRAM_TOP - 4)
		return -EFAULT;
	asm goto("1: movl %1, %0\n" USER_FAULT("1b", "fault")::"m"(*(u32 *)to), "r"(number)
		 : "memory"
		 : fault);
	return 0;
fault:
	return -EFAULT;
}

/* A thread like the current one but for what the call asks. NULL: no memory. */
static inline __attribute__((always_inline)) struct thread *
clone_thread(struct proc *p, u32 tid, const struct linux_clone_args *c)
{
	struct thread *t = current();
	struct thread *new = thread_create(p, tid, t->regs);
	if (!new)
		return NULL;
	if (c->stack)
		new->regs->rsp = c->stack;
	new->sig_mask = t->sig_mask;
	new->affinity = t->affinity;
	nice_inherit(new, t);
	__builtin_memcpy(new->comm, t->comm, sizeof(t->comm));
	if (!(c->flags & CLONE_VM) || (c->flags & CLONE_VFORK)) {
		new->altstack_sp = t->altstack_sp;
		new->altstack_size = t->altstack_size;
		new->altstack_flags = t->altstack_flags;
	}
	if (c->flags & CLONE_SETTLS)
		new->fs_base = c->tls;
	if (c->flags & CLONE_CHILD_CLEARTID)
		new->clear_tid = c->child_tid;
	return new;
}

/* Sleeps until the child has a program of its own, or has ended, or the caller is to end. */
static void vfork_sleep(u32 pid)
{
	struct thread *t = current();
	while (!t->killed) {
		struct proc *child = proc_find(pid);
		if (!child || !child->vforked)
			return;
		sleep_on(&t->proc->vfork_wait, 0, 2);
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
static s64 fork_start(struct proc *child, struct thread *t, const struct linux_clone_args *c)
{
	struct proc *p = current()->proc;
	u32 pid = child->pid;
	child->parent = p;
	child->ppid = p->pid;
	list_add_tail(&all_procs, &child->all);
	list_add_tail(&p->children, &child->sibling);
	child->vforked = (c->flags & CLONE_VFORK) != 0;
	thread_add(t);
	thread_start(t);
	if (c->flags & CLONE_VFORK)
		vfork_sleep(pid);
	return pid;
}

static s64 clone_process(const struct linux_clone_args *c)
{
	proc_reap_unwaited();
	if (limit_processes())
		return -EAGAIN;
	struct proc *child = proc_alloc();
	struct thread *t = NULL;
	if (!child)
		return -ENOMEM;
	child->exit_signal = (u32)c->exit_signal;
	s64 error = fork_parts(child, current()->proc, c->flags);
	u32 pid = child->pid;
	if (!error && (c->flags & CLONE_PARENT_SETTID))
		error = copy_out(c->parent_tid, &pid, sizeof(pid));
	if (!error && (c->flags & CLONE_CHILD_SETTID) && /* Linux ignores a bad address, too */
	    mm_poke(child->mm, c->child_tid, &pid, sizeof(pid)) == -ENOMEM)
		error = -ENOMEM;
	if (!error) {
		t = clone_thread(child, pid, c);
		error = t ? 0 : -ENOMEM;
	}
	if (error) {
		proc_discard(child);
		return error;
	}
	if (c->flags & CLONE_CLEAR_SIGHAND)
		sighand_exec(child->sig);
	return fork_start(child, t, c);
}

static inline __attribute__((always_inline)) s64 clone_into(struct proc *p,
							    const struct linux_clone_args *c)
{
	u32 tid = pid_take();
	if (limit_processes())
		return -EAGAIN;
	if (current()->killed)
		return -EAGAIN; /* nobody would tell the new one */
	if ((c->flags & CLONE_PARENT_SETTID) && number_out(c->parent_tid, tid))
		return -EFAULT;
	struct thread *t = clone_thread(p, tid, c);
	if (!t)
		return -EAGAIN;
	if (c->flags & CLONE_CHILD_SETTID)
		number_out(c->child_tid, tid); /* a bad address is ignored, as above */
	thread_add(t);
	thread_ready(t);
	if (sched_idle)
		sched_spread();
	return tid;
}

static __attribute__((noinline)) s64 clone_into_any(const struct linux_clone_args *c)
{
	return clone_into(current()->proc, c);
}

/* The new process's or thread's number. -EINVAL: flags that contradict each other; -ENOSYS: what only containers
 * need, or what would share less than threads share here; -ENOMEM, -EAGAIN: no memory or env left; -EFAULT. */
static s64 clone(const struct linux_clone_args *c)
{
	const u64 flags = c->flags;
	const u64 known = CLONE_OWN | CLONE_SHARED | CLONE_VFORK | CLONE_CLEAR_SIGHAND;
	if (c->exit_signal > NSIG || ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND)) ||
	    ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM)) ||
	    ((flags & CLONE_SIGHAND) && (flags & CLONE_CLEAR_SIGHAND)))
		return -EINVAL;
	if ((flags & ~known) ||
	    ((flags & CLONE_THREAD) &&
	     ((flags & CLONE_SHARED) != CLONE_SHARED || (flags & CLONE_VFORK)))) {
		exos_log_once("exos: clone with flags %#lx is not there (ENOSYS)",
			      (unsigned long)flags);
		return -ENOSYS;
	}
	if ((flags & CLONE_SETTLS) && c->tls >= ARIL_USER_TOP)
		return -EPERM;
	return flags & CLONE_THREAD ? clone_into_any(c) : clone_process(c);
}

s64 sys_fork(void)
{
	return clone(&(struct linux_clone_args){.exit_signal = SIGCHLD});
}

s64 sys_vfork(void)
{
	return clone(&(struct linux_clone_args){.flags = CLONE_VM | CLONE_VFORK,
						.exit_signal = SIGCHLD});
}

s64 sys_clone(u64 flags, u64 stack, u64 parent_tid, u64 child_tid, u64 tls)
{
	flags &= 0xffffffff;
	return clone(&(struct linux_clone_args){.flags = flags & ~CSIGNAL,
						.exit_signal = flags & CSIGNAL,
						.stack = stack,
						.parent_tid = parent_tid,
						.child_tid = child_tid,
						.tls = tls});
}

/* Arguments of another size than ours: what they lack is 0, and what they have more must be. */
static __attribute__((noinline)) s64 args_other(struct linux_clone_args *a, u64 from, u64 bytes)
{
	u8 more;
	if (bytes < 64 || bytes > PAGE)
		return bytes < 64 ? -EINVAL : -E2BIG;
	*a = (struct linux_clone_args){.flags = 0};
	if (copy_in(a, from, min(bytes, sizeof(*a))))
		return -EFAULT;
	for (u64 at = sizeof(*a); at < bytes; at++)
		if (copy_in(&more, from + at, 1) || more)
			return -E2BIG;
	return 0;
}

/* All that is looked at: no flag that is there asks for a pidfd, or says where numbers to be taken are. */
static inline s64 args_in(struct linux_clone_args *a, u64 from, u64 bytes)
{
	const struct linux_clone_args *at = (const struct linux_clone_args *)from;
	if (bytes != sizeof(*a) || from > PROGRAM_TOP - sizeof(*a))
		return args_other(a, from, bytes);
	USER_GET(a->flags, &at->flags, fault);
	USER_GET(a->child_tid, &at->child_tid, fault);
	USER_GET(a->parent_tid, &at->parent_tid, fault);
	USER_GET(a->exit_signal, &at->exit_signal, fault);
	USER_GET(a->stack, &at->stack, fault);
	USER_GET(a->stack_size, &at->stack_size, fault);
	USER_GET(a->tls, &at->tls, fault);
	USER_GET(a->set_tid_size, &at->set_tid_size, fault);
	USER_GET(a->cgroup, &at->cgroup, fault);
	return 0;
fault:
	return -EFAULT;
}

static __attribute__((noinline)) s64 clone3_other(struct linux_clone_args *a)
{
	if ((a->flags & (CSIGNAL | CLONE_DETACHED)) || !a->stack != !a->stack_size ||
	    a->exit_signal > NSIG)
		return -EINVAL;
	if (a->set_tid_size || a->cgroup)
		return -ENOSYS;
	if ((a->flags & CLONE_THREAD) && a->exit_signal)
		return -EINVAL;
	a->stack += a->stack_size;
	return clone(a);
}

/* A thread and nothing else, as C libraries make them: what clone3_other and clone would look at is as it has to be. */
static inline int plain_thread(const struct linux_clone_args *a)
{
	return (a->flags & CLONE_SHARED) == CLONE_SHARED &&
	       !(a->flags & ~(CLONE_SHARED | (CLONE_OWN & ~CLONE_DETACHED))) && !a->exit_signal &&
	       a->stack && a->stack_size && !a->set_tid_size && !a->cgroup &&
	       a->tls < ARIL_USER_TOP;
}

/* The lock may have been taken before. */
static __attribute__((noinline)) s64 clone3_end(s64 result)
{
	family_unlock();
	return result;
}

/* It takes the lock itself, so that its stub need not. */
s64 sys_clone3(u64 args, u64 bytes)
{
	struct linux_clone_args a;
	s64 result = args_in(&a, args, bytes);
	if (result)
		return result;
	if (RARE(!lock_take(current())))
		family_lock();
	if (RARE(!plain_thread(&a)))
		return clone3_end(clone3_other(&a));
	a.stack += a.stack_size;
	result = clone_into(current()->proc, &a);
	return RARE(word_marked(&lock_state.depth)) ? clone3_end(result) : quick_end(result);
}
