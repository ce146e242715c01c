/* SPDX-License-Identifier: MIT
 * Signals: sending, what is pending, and delivery on the way back to the program. */
#include "proc_internal.h"

/* Signals that a program's own instruction raises: delivered before others. */
#define SIG_FAULTS                                                                 \
	(SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) | \
	 SIG_BIT(SIGFPE) | SIG_BIT(SIGSYS))
#define SIG_DEFAULT_IGNORED \
	(SIG_BIT(SIGCHLD) | SIG_BIT(SIGCONT) | SIG_BIT(SIGURG) | SIG_BIT(SIGWINCH))

/* Default actions everywhere, one reference. NULL: no memory. */
struct sighand *sighand_create(void)
{
	struct sighand *s = kmalloc(sizeof(*s));
	if (!s)
		return NULL;
	s->refs = 1;
	list_init(&s->queue);
	return s;
}

/* fork: the same actions, nothing pending. NULL: no memory. */
struct sighand *sighand_clone(struct sighand *from)
{
	struct sighand *s = sighand_create();
	if (s)
		__builtin_memcpy(s->action, from->action, sizeof(s->action));
	return s;
}

static void queued_free(struct sighand *s, struct sig_queued *q)
{
	list_del(&q->link);
	s->queued--;
	kfree(q);
}

/* Drops a reference; the last one frees. Family lock. */
void sighand_put(struct sighand *s)
{
	if (--s->refs)
		return;
	while (!list_empty(&s->queue))
		queued_free(s, container_of(s->queue.next, struct sig_queued, link));
	kfree(s);
}

/* execve: what has a handler goes back to default; what is ignored stays so. Pending signals stay. */
void sighand_exec(struct sighand *s)
{
	for (u32 i = 0; i < NSIG; i++) {
		u64 handler = s->action[i].handler;
		s->action[i] =
			(struct linux_sigaction){.handler = handler == SIG_IGN ? SIG_IGN : SIG_DFL};
	}
}

static void pending_drop(struct proc *p, u64 set)
{
	struct list *at = p->sig->queue.next, *next;
	p->thread->sig_pending &= ~set;
	for (; at != &p->sig->queue; at = next) {
		struct sig_queued *q = container_of(at, struct sig_queued, link);
		next = at->next;
		if (SIG_BIT(q->info.signo) & set)
			queued_free(p->sig, q);
	}
}

static int sig_ignored(const struct proc *p, int sig)
{
	u64 handler = p->sig->action[sig - 1].handler;
	return handler == SIG_IGN || (handler == SIG_DFL && (SIG_DEFAULT_IGNORED & SIG_BIT(sig)));
}

/* Whether a signal of t can be delivered now. */
int signal_pending(const struct thread *t)
{
	return (t->sig_pending & ~t->sig_mask) != 0;
}

void signal_set_mask(struct thread *t, u64 mask)
{
	t->sig_mask = mask & ~SIG_UNBLOCKABLE;
}

/* A standard signal is pending at most once; real-time ones queue, as far as the limit allows. */
static void pending_add(struct proc *p, int sig, const struct siginfo_k *info)
{
	struct thread *t = p->thread;
	int already = (t->sig_pending & SIG_BIT(sig)) != 0;
	if (already && sig < SIGRTMIN)
		return;
	t->sig_pending |= SIG_BIT(sig);
	if (!info || p->sig->queued >= SIG_QUEUE_MAX)
		return;
	struct sig_queued *q = kmalloc(sizeof(*q));
	if (!q)
		return; /* delivered without its information */
	q->info = *info;
	q->info.signo = sig;
	list_add_tail(&p->sig->queue, &q->link);
	p->sig->queued++;
}

/* Sends sig (0: only checks) to p; info NULL: from the kernel. Family lock. 0, or -EINVAL: no such signal. A
 * zombie takes it without effect. */
s64 signal_send(struct proc *p, int sig, const struct siginfo_k *info)
{
	static const struct siginfo_k from_kernel = {.code = SI_KERNEL};
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (!sig || p->state == PROC_ZOMBIE || p->exiting || !p->thread)
		return 0;
	if (sig == SIGCONT)
		pending_drop(p, SIG_STOPS);
	else if (SIG_STOPS & SIG_BIT(sig))
		pending_drop(p, SIG_BIT(SIGCONT));
	if (p->state == PROC_STOPPED && (sig == SIGCONT || sig == SIGKILL))
		proc_continue(p, sig == SIGCONT);
	struct thread *t = p->thread;
	u64 bit = SIG_BIT(sig);
	if (sig_ignored(p, sig) && !((t->sig_mask | t->sig_waiting) & bit))
		return 0;
	pending_add(p, sig, info ? info : &from_kernel);
	if (bit & (~t->sig_mask | t->sig_waiting))
		thread_wake(t, -EINTR);
	return 0;
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
	pending_drop(t->proc, SIG_BIT(sig));
	pending_add(t->proc, sig, info);
}

int signal_take(struct thread *t, u64 mask, struct siginfo_k *info)
{
	u64 ready = t->sig_pending & ~mask;
	struct sighand *s = t->proc->sig;
	if (!ready)
		return 0;
	int sig = __builtin_ctzl(ready & SIG_FAULTS ? ready & SIG_FAULTS : ready) + 1;
	int found = 0, more = 0;
	struct list *at = s->queue.next, *next;
	*info = (struct siginfo_k){.signo = sig, .code = SI_USER};
	for (; at != &s->queue; at = next) {
		struct sig_queued *q = container_of(at, struct sig_queued, link);
		next = at->next;
		if (q->info.signo != sig)
			continue;
		if (found) {
			more = 1;
			break;
		}
		*info = q->info;
		queued_free(s, q);
		found = 1;
	}
	if (!more)
		t->sig_pending &= ~SIG_BIT(sig);
	return sig;
}

static int result_restarts(s64 result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOHAND ||
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
	else if (result == -ERESTARTSYS && (action->flags & SA_RESTART))
		call_restart(regs, regs->orig_rax);
	else
		regs->rax = (u64)-EINTR;
	regs->orig_rax = ~0ul;
}

static void handler_enter(struct user_regs *regs, const struct siginfo_k *info)
{
	struct thread *t = current();
	int sig = info->signo;
	struct linux_sigaction *slot = &t->proc->sig->action[sig - 1], action = *slot;
	call_resolve(regs, &action);
	u64 restore = t->sig_restore_mask ? t->sig_saved_mask : t->sig_mask;
	t->sig_restore_mask = 0;
	if (sigframe_push(regs, info, &action, restore)) {
		if (sig == SIGSEGV)
			slot->handler = SIG_DFL;
		signal_force(SIGSEGV, &(struct siginfo_k){.code = SI_KERNEL});
		return;
	}
	if (action.flags & SA_RESETHAND)
		slot->handler = SIG_DFL;
	u64 mask = t->sig_mask | action.mask;
	if (!(action.flags & SA_NODEFER))
		mask |= SIG_BIT(sig);
	signal_set_mask(t, mask);
}

static void default_action(int sig)
{
	struct proc *p = current()->proc;
	if (SIG_DEFAULT_IGNORED & SIG_BIT(sig))
		return;
	if (SIG_STOPS & SIG_BIT(sig)) {
		if (sig == SIGSTOP || !group_orphaned(p->pgid, NULL))
			proc_stop(sig);
		return;
	}
	proc_exit(sig);
}

/* On the way back to the program: delivers what is pending by editing regs and the program's stack, and settles
 * interrupted calls. May stop the process, or end it and not return. Family lock held. */
void signal_deliver(struct user_regs *regs)
{
	struct thread *t = current();
	struct siginfo_k info;
	int sig;
	while ((sig = signal_take(t, t->sig_mask, &info))) {
		u64 handler = t->proc->sig->action[sig - 1].handler;
		if (family.trace && handler != SIG_IGN)
			trace_signal(&info);
		if (handler == SIG_IGN)
			continue;
		if (handler == SIG_DFL)
			default_action(sig);
		else
			handler_enter(regs, &info);
	}
	call_resolve(regs, NULL);
	if (t->sig_restore_mask) {
		t->sig_restore_mask = 0;
		signal_set_mask(t, t->sig_saved_mask);
	}
}
