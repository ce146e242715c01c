/* SPDX-License-Identifier: MIT
 * Signals: sending, what is pending, and delivery on the way back to the program. */
#include "dump.h"
#include "proc_internal.h"

/* Signals that a program's own instruction raises: delivered before others. */
#define SIG_FAULTS                                                                 \
	(SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) | \
	 SIG_BIT(SIGFPE) | SIG_BIT(SIGSYS))
/* Default actions everywhere, one reference. NULL: no memory. */
struct sighand *sighand_create(void)
{
	struct sighand *s = kmalloc(sizeof(*s));
	if (!s)
		return NULL;
	s->refs = 1;
	return s;
}

/* fork: the same actions, nothing pending. NULL: no memory. */
struct sighand *sighand_clone(struct sighand *from)
{
	struct sighand *s = kmalloc_raw(sizeof(*s));
	if (!s)
		return NULL;
	__builtin_memcpy(s, from, sizeof(*s));
	s->refs = 1;
	return s;
}

void sigqueue_init(struct sigqueue *q)
{
	q->set = 0;
	list_init(&q->queued);
}

static void queued_free(struct proc *p, struct sig_queued *q)
{
	list_del(&q->link);
	p->sig_queued--;
	kfree(q);
}

static void queue_drop(struct sigqueue *q, struct proc *p, u64 set)
{
	struct list *at = q->queued.next, *next;
	q->set &= ~set;
	for (; at != &q->queued; at = next) {
		struct sig_queued *one = container_of(at, struct sig_queued, link);
		next = at->next;
		if (SIG_BIT(one->info.signo) & set)
			queued_free(p, one);
	}
}

/* Nothing of p or of a thread of its is pending there any more. Family lock. */
void sigqueue_empty(struct sigqueue *q, struct proc *p)
{
	queue_drop(q, p, ~0ul);
}

/* Drops a reference; the last one frees. Family lock. */
void sighand_put(struct sighand *s)
{
	if (--s->refs == 0)
		kfree(s);
}

/* execve: what has a handler goes back to default; what is ignored stays so. Pending signals stay. */
void sighand_exec(struct sighand *s)
{
	for (u64 left = s->changed; left; left &= left - 1) {
		u32 i = (u32)__builtin_ctzl(left);
		u64 handler = s->action[i].handler;
		s->action[i] =
			(struct linux_sigaction){.handler = handler == SIG_IGN ? SIG_IGN : SIG_DFL};
	}
}

void signal_forget(struct proc *p, u64 set)
{
	queue_drop(&p->pending, p, set);
	for (struct list *at = p->threads.next; at != &p->threads; at = at->next)
		queue_drop(&container_of(at, struct thread, sibling)->pending, p, set);
}

static int sig_ignored(const struct proc *p, int sig)
{
	u64 handler = p->sig->action[sig - 1].handler;
	return handler == SIG_IGN || (handler == SIG_DFL && (SIG_DEFAULT_IGNORED & SIG_BIT(sig)));
}

/* Whether a signal can be delivered to t now. */
int signal_pending(const struct thread *t)
{
	return ((t->pending.set | t->proc->pending.set) & ~t->sig_mask) != 0;
}

u64 signal_pending_set(const struct thread *t)
{
	return t->pending.set | t->proc->pending.set;
}

/* A standard signal is pending at most once; real-time ones queue, as far as the limit allows. */
static void pending_add(struct sigqueue *to, struct proc *p, int sig, const struct siginfo_k *info)
{
	int already = (to->set & SIG_BIT(sig)) != 0;
	if (already && sig < SIGRTMIN)
		return;
	__atomic_or_fetch(&to->set, SIG_BIT(sig), __ATOMIC_SEQ_CST);
	if (!info || p->sig_queued >= SIG_QUEUE_MAX)
		return;
	struct sig_queued *q = kmalloc(sizeof(*q));
	if (!q)
		return; /* delivered without its information */
	q->info = *info;
	q->info.signo = sig;
	list_add_tail(&to->queued, &q->link);
	p->sig_queued++;
}

/* Has t look at what is pending: out of its sleep, or its program. */
static void signal_tell(struct thread *t)
{
	if (t->state == THREAD_SLEEPING)
		thread_wake(t, -EINTR);
	else if (t->state == THREAD_RUNNING && t != current())
		sched_kick(t);
}

/* Who is to take a signal of all of p: whoever does not block it or waits for it, the first thread before others, one
 * that sleeps or is here before one that runs elsewhere. NULL: nobody now. */
static struct thread *signal_taker(const struct proc *p, u64 bit, const struct thread *not_this)
{
	struct thread *found = NULL;
	for (struct list *at = p->threads.next; at != &p->threads; at = at->next) {
		struct thread *t = container_of(at, struct thread, sibling);
		if (t == not_this || t->killed || !(bit & (~t->sig_mask | t->sig_waiting)))
			continue;
		if (at == p->threads.next || t == current() ||
		    (t->state == THREAD_SLEEPING && t->interruptible == 1))
			return t;
		if (!found)
			found = t;
	}
	return found;
}

void signal_retarget(struct proc *p, const struct thread *t, u64 set)
{
	for (; set; set &= set - 1) {
		struct thread *other = signal_taker(p, set & -set, t);
		if (other)
			signal_tell(other);
	}
}

s64 signal_mask_told(struct thread *t, u64 fresh, s64 result)
{
	family_lock();
	signal_retarget(t->proc, t, fresh);
	family_unlock();
	return result;
}

/* Whether anybody who may get it wants sig although it is ignored. */
static int signal_awaited(const struct proc *p, const struct thread *only, u64 bit)
{
	const struct thread *t = only ? only : proc_leader(p);
	if (only || p->nthreads == 1)
		return ((t->sig_mask | t->sig_waiting) & bit) != 0;
	if (t->sig_mask & bit)
		return 1;
	for (const struct list *at = p->threads.next; at != &p->threads; at = at->next)
		if (container_of(at, struct thread, sibling)->sig_waiting & bit)
			return 1;
	return 0;
}

static s64 signal_to(struct proc *p, struct thread *only, int sig, const struct siginfo_k *info)
{
	static const struct siginfo_k from_kernel = {.code = SI_KERNEL};
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (!sig || p->state == PROC_ZOMBIE || p->exiting || list_empty(&p->threads))
		return 0;
	u64 bit = SIG_BIT(sig);
	if (sig == SIGCONT)
		signal_forget(p, SIG_STOPS);
	else if (SIG_STOPS & bit)
		signal_forget(p, SIG_BIT(SIGCONT));
	if (p->state == PROC_STOPPED && (sig == SIGCONT || sig == SIGKILL))
		proc_continue(p, sig == SIGCONT);
	if (sig_ignored(p, sig) && !signal_awaited(p, only, bit))
		return 0;
	pending_add(only ? &only->pending : &p->pending, p, sig, info ? info : &from_kernel);
	/* It may have come to be ignored meanwhile: sys_rt_sigaction takes no lock, and looks at what pends after that. */
	if (sig_ignored(p, sig) && !signal_awaited(p, only, bit)) {
		signal_forget(p, bit);
		return 0;
	}
	signal_file_notify();
	struct thread *t = only ? only : signal_taker(p, bit, NULL);
	if (t && (bit & (~t->sig_mask | t->sig_waiting)))
		signal_tell(t);
	return 0;
}

/* Sends sig (0: only checks) to p, whichever of its threads takes it; info NULL: from the kernel. Family lock. 0, or
 * -EINVAL: no such signal. A zombie takes it without effect. */
s64 signal_send(struct proc *p, int sig, const struct siginfo_k *info)
{
	return signal_to(p, NULL, sig, info);
}

s64 signal_send_thread(struct thread *t, int sig, const struct siginfo_k *info)
{
	return signal_to(t->proc, t, sig, info);
}

/* As Linux has it: as if the thread itself had sent it by kill. */
void signal_self(int sig)
{
	struct siginfo_k info = {.code = SI_USER};
	info.pid = (s32)current()->proc->pid;
	info.uid = (s32)current()->proc->uid;
	signal_send_thread(current(), sig, &info);
}

/* Sends to every member of a process group. Family lock. 0, -ESRCH: no members. */
s64 signal_group(u32 pgid, int sig, const struct siginfo_k *info)
{
	s64 result = -ESRCH;
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		if (p->pgid != pgid)
			continue;
		s64 one = signal_send(p, sig, info);
		if (result)
			result = one;
	}
	return result;
}

/* A fault of the current thread: where it blocks or ignores sig, the default action takes over. Family lock. */
void signal_force(int sig, const struct siginfo_k *info)
{
	struct thread *t = current();
	struct linux_sigaction *action = &t->proc->sig->action[sig - 1];
	if (action->handler == SIG_IGN || (t->sig_mask & SIG_BIT(sig))) {
		action->handler = SIG_DFL;
		t->sig_mask &= ~SIG_BIT(sig);
	}
	queue_drop(&t->pending, t->proc, SIG_BIT(sig));
	pending_add(&t->pending, t->proc, sig, info);
}

static int queue_take(struct sigqueue *q, struct proc *p, u64 mask, struct siginfo_k *info)
{
	u64 ready = q->set & ~mask;
	if (!ready)
		return 0;
	int sig = __builtin_ctzl(ready & SIG_FAULTS ? ready & SIG_FAULTS : ready) + 1;
	int found = 0, more = 0;
	struct list *at = q->queued.next, *next;
	*info = (struct siginfo_k){.signo = sig, .code = SI_USER};
	for (; at != &q->queued; at = next) {
		struct sig_queued *one = container_of(at, struct sig_queued, link);
		next = at->next;
		if (one->info.signo != sig)
			continue;
		if (found) {
			more = 1;
			break;
		}
		*info = one->info;
		queued_free(p, one);
		found = 1;
	}
	if (!more)
		q->set &= ~SIG_BIT(sig);
	return sig;
}

int signal_take(struct thread *t, u64 mask, struct siginfo_k *info)
{
	int sig = queue_take(&t->pending, t->proc, mask, info);
	return sig ? sig : queue_take(&t->proc->pending, t->proc, mask, info);
}

static int result_restarts(s64 result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
	       result == -ERESTART_RESTARTBLOCK;
}

/* The interrupted call runs again from its `syscall` instruction (two bytes), which stays in the text even where
 * the call is rewritten. */
static void call_restart(struct user_regs *regs, u64 number)
{
	regs->rax = number;
	regs->rip -= 2;
}

/* With action NULL: no handler runs. */
static void call_resolve(struct user_regs *regs, const struct linux_sigaction *action)
{
	s64 result = (s64)regs->rax;
	if (regs->orig_rax == ~0ul || !result_restarts(result))
		return;
	if (!action)
		call_restart(regs, result == -ERESTART_RESTARTBLOCK ? 219 : regs->orig_rax);
	else if (result == -ERESTARTNOINTR ||
		 (result == -ERESTARTSYS && (action->flags & SA_RESTART)))
		call_restart(regs, regs->orig_rax);
	else
		regs->rax = (u64)-EINTR;
	regs->orig_rax = ~0ul;
}

static void default_action(struct user_regs *regs, const struct siginfo_k *info)
{
	struct proc *p = current()->proc;
	int sig = info->signo;
	if (SIG_DEFAULT_IGNORED & SIG_BIT(sig))
		return;
	if (SIG_STOPS & SIG_BIT(sig)) {
		if (sig == SIGSTOP || !group_orphaned(p->pgid, NULL))
			proc_stop(sig);
		return;
	}
	if (SIG_CORES & SIG_BIT(sig) && dump_crash(regs, info))
		p->exit_status = sig | WCOREFLAG;
	proc_exit(sig);
}

/* It is to end, but may be wanted in a core file. */
static _Noreturn void killed_exit(struct thread *t, struct user_regs *regs)
{
	dump_stop(t, regs);
	thread_exit(t->proc->exit_status);
}

/* On the way back to the program: delivers what is pending by editing regs and the program's stack, and settles
 * interrupted calls. May stop the process, or end it and not return. Family lock held. */
void signal_deliver(struct user_regs *regs)
{
	struct thread *t = current();
	struct siginfo_k info;
	int sig;
	if (t->killed)
		killed_exit(t, regs);
	while ((sig = signal_take(t, t->sig_mask, &info))) {
		const struct linux_sigaction *action = &t->proc->sig->action[sig - 1];
		u64 handler = action->handler;
		if (family.trace && handler != SIG_IGN)
			trace_signal(&info);
		if (handler == SIG_IGN)
			continue;
		if (handler == SIG_DFL) {
			default_action(regs, &info);
		} else {
			call_resolve(regs, action);
			sigframe_enter(regs, &info);
		}
		if (t->killed)
			killed_exit(t, regs);
	}
	call_resolve(regs, NULL);
	if (t->sig_restore_mask) {
		t->sig_restore_mask = 0;
		signal_set_mask(t, t->sig_saved_mask);
	}
}
