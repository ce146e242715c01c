/* SPDX-License-Identifier: MIT
 * Linux's system calls on signals, and exceptions that become signals. */
#include "caps.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "quick.h"
#include "sched.h"
#include "time.h"
#include "usermem.h"

static int word_in(u64 *to, u64 from)
{
	if (from > PROGRAM_TOP - 8)
		return -EFAULT;
	USER_GET(*to, (const u64 *)from, fault);
	return 0;
fault:
	return -EFAULT;
}

static int word_out(u64 to, u64 word)
{
	if (to > PROGRAM_TOP - 8)
		return -EFAULT;
	USER_PUT((u64 *)to, word, fault);
	return 0;
fault:
	return -EFAULT;
}

static s64 sigset_in(u64 from, u64 bytes, u64 *set)
{
	if (bytes != 8)
		return -EINVAL;
	return copy_in(set, from, 8);
}

/* The program's words at from. */
static int action_in(struct linux_sigaction *to, const struct linux_sigaction *from)
{
	if ((u64)from > PROGRAM_TOP - sizeof(*from))
		return -EFAULT;
	USER_GET(to->handler, &from->handler, fault);
	USER_GET(to->flags, &from->flags, fault);
	USER_GET(to->restorer, &from->restorer, fault);
	USER_GET(to->mask, &from->mask, fault);
	to->mask &= ~SIG_UNBLOCKABLE;
	return 0;
fault:
	return -EFAULT;
}

/* What is ignored does not stay pending. Who sends a signal makes it pending, then looks at its action; here the action
 * is written, then what pends is read: one of them sees the other. */
static void action_set(struct proc *p, u32 sig, const struct linux_sigaction *wanted)
{
	struct linux_sigaction *slot = &p->sig->action[sig - 1];
	u64 pending = 0;

	p->sig->changed |= SIG_BIT(sig);
	slot->flags = wanted->flags;
	slot->restorer = wanted->restorer;
	slot->mask = wanted->mask;
	__atomic_exchange_n(&slot->handler, wanted->handler, __ATOMIC_SEQ_CST);
	if (wanted->handler != SIG_IGN &&
	    (wanted->handler != SIG_DFL || !(SIG_DEFAULT_IGNORED & SIG_BIT(sig))))
		return;
	for (struct list *at = p->threads.next; at != &p->threads; at = at->next)
		pending |= container_of(at, struct thread, sibling)->pending.set;
	if (!((pending | p->pending.set) & SIG_BIT(sig)))
		return;
	family_lock();
	signal_forget(p, SIG_BIT(sig));
	family_unlock();
}

s64 sys_rt_sigaction(u64 sig, u64 act, u64 old, u64 bytes)
{
	struct proc *p = current()->proc;
	struct linux_sigaction wanted = {.handler = SIG_DFL}, before;
	int alone = signal_alone(p);
	if (bytes != 8)
		return -EINVAL;
	if (act && action_in(&wanted, (const struct linux_sigaction *)act))
		return -EFAULT;
	sig = (u32)sig;
	if (sig < 1 || sig > NSIG || (act && (SIG_UNBLOCKABLE & SIG_BIT(sig))))
		return -EINVAL;
	if (!alone)
		family_lock();
	if (old)
		before = p->sig->action[sig - 1];
	if (act)
		action_set(p, (u32)sig, &wanted);
	if (!alone)
		family_unlock();
	return old && copy_out(old, &before, sizeof(before)) ? -EFAULT : 0;
}

s64 sys_rt_sigprocmask(u64 how, u64 set, u64 old, u64 bytes)
{
	struct thread *t = current();
	u64 before = t->sig_mask, fresh = 0, change;
	if (bytes != 8)
		return -EINVAL;
	if (set) {
		if (word_in(&change, set))
			return -EFAULT;
		if (how == SIG_BLOCK)
			change |= before;
		else if (how == SIG_UNBLOCK)
			change = before & ~change;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		fresh = signal_mask_set(t, change);
	}
	s64 result = old ? word_out(old, before) : 0;
	return fresh ? signal_mask_told(t, fresh, result) : result;
}

/* It asks for no lock: it is the whole call as it stands. */
s64 quick_rt_sigprocmask(u64 how, u64 set, u64 old, u64 bytes, u64 e, u64 f)
{
	(void)e, (void)f;
	return sys_rt_sigprocmask(how, set, old, bytes);
}

void exos_mask_pends(u64 before)
{
	struct thread *t = current();
	u64 fresh = t->sig_mask & ~before & t->proc->pending.set;
	if (fresh && t->proc->nthreads > 1)
		signal_mask_told(t, fresh, 0);
}

s64 sys_rt_sigpending(u64 set, u64 bytes)
{
	const struct thread *t = current();
	u64 pending = (t->pending.set | t->proc->pending.set) & t->sig_mask;
	if (bytes > 8)
		return -EINVAL;
	return copy_out(set, &pending, bytes);
}

/* Sleeps until a signal is deliverable; never woken otherwise. */
static void signal_sleep(void)
{
	struct waitq q;
	waitq_init(&q);
	while (!signal_pending(current()))
		sleep_on(&q, 0, 1);
}

s64 sys_pause(void)
{
	signal_sleep();
	return -ERESTARTNOHAND;
}

s64 sys_rt_sigsuspend(u64 set, u64 bytes)
{
	struct thread *t = current();
	u64 mask;
	s64 error = sigset_in(set, bytes, &mask);
	if (error)
		return error;
	t->sig_saved_mask = t->sig_mask;
	signal_set_mask(t, mask);
	signal_sleep();
	t->sig_restore_mask = 1;
	return -ERESTARTNOHAND;
}

static s64 sigtimedwait(u64 set, u64 deadline, struct siginfo_k *info)
{
	struct thread *t = current();
	struct waitq q;
	s64 slept = 0;
	waitq_init(&q);
	for (;;) {
		int sig = signal_take(t, ~set, info);
		if (sig)
			return sig;
		if (slept == -ETIMEDOUT || deadline == 1)
			return -EAGAIN;
		if (signal_pending(t))
			return -EINTR;
		t->sig_waiting = set;
		slept = sleep_on(&q, deadline, 1);
		t->sig_waiting = 0;
	}
}

s64 sys_rt_sigtimedwait(u64 set, u64 info, u64 timeout, u64 bytes)
{
	u64 wanted, ns = 0, deadline = 0;
	struct siginfo_k taken;
	struct linux_siginfo out;
	s64 error = sigset_in(set, bytes, &wanted);
	if (error)
		return error;
	if (timeout) {
		error = timespec_in(timeout, &ns);
		if (error)
			return error;
		deadline = ns ? now_ns() + ns : 1;
	}
	s64 sig = sigtimedwait(wanted & ~SIG_UNBLOCKABLE, deadline, &taken);
	if (sig < 0 || !info)
		return sig;
	siginfo_to_linux(&taken, &out);
	return copy_out(info, &out, sizeof(out)) ? -EFAULT : sig;
}

static int may_signal(const struct proc *p, int sig)
{
	const struct proc *me = current()->proc;
	if (capable(CAP_KILL) || me->euid == p->uid || me->euid == p->suid || me->uid == p->uid ||
	    me->uid == p->suid)
		return 1;
	return sig == SIGCONT && me->sid == p->sid;
}

static s64 kill_one(struct proc *p, int sig, const struct siginfo_k *info)
{
	if (!p)
		return -ESRCH;
	if (!may_signal(p, sig))
		return -EPERM;
	return signal_send(p, sig, info);
}

/* pgid 0: everyone but pid 1 and the caller. */
static s64 kill_many(u32 pgid, int sig, const struct siginfo_k *info)
{
	s64 result = -ESRCH;
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		if (pgid ? p->pgid != pgid : p->pid == 1 || p == current()->proc)
			continue;
		s64 one = kill_one(p, sig, info);
		if (result)
			result = one;
	}
	return result;
}

static struct siginfo_k info_from_me(int sig, int code)
{
	const struct proc *me = current()->proc;
	return (struct siginfo_k){
		.signo = sig, .code = code, .pid = (s32)me->pid, .uid = (s32)me->uid};
}

static __attribute__((noinline)) s64 kill_who(s32 who, u32 sig)
{
	struct siginfo_k info = info_from_me((int)sig, SI_USER);
	s64 result = -ESRCH;

	if (sig > NSIG)
		return -EINVAL;
	family_lock();
	if (who > 0)
		result = kill_one(proc_find((u32)who), (int)sig, &info);
	else if (who == 0)
		result = kill_many(current()->proc->pgid, (int)sig, &info);
	else if (who == -1)
		result = kill_many(0, (int)sig, &info);
	else if (who != (s32)0x80000000)
		result = kill_many((u32)-who, (int)sig, &info);
	family_unlock();
	return result;
}

/* pid 0: whatever process it is of. A first thread that ended is there as long as its process. */
static s64 kill_thread(u32 pid, u32 tid, int sig, const struct siginfo_k *info)
{
	struct thread *t = thread_find(tid);
	const struct proc *p = t ? t->proc : proc_find(tid);
	if (!p || (pid && p->pid != pid))
		return -ESRCH;
	if (!may_signal(p, sig))
		return -EPERM;
	return t ? signal_send_thread(t, sig, info) : 0;
}

static s64 kill_tid(u32 pid, u32 tid, u32 sig)
{
	struct siginfo_k info = info_from_me((int)sig, SI_TKILL);
	if (sig > NSIG)
		return -EINVAL;
	family_lock();
	s64 result = kill_thread(pid, tid, (int)sig, &info);
	family_unlock();
	return result;
}

/* A signal from the current thread to itself (SI_TKILL), or to its process. 0: where that is alone in its process, and has a
 * handler, it is entered at once. */
static __attribute__((noinline)) s64 kill_self(u32 sig, int code)
{
	struct siginfo_k info = info_from_me((int)sig, code);
	struct user_regs *regs = current()->regs;

	regs->rax = 0; /* the call's result, which the handler's frame carries */
	regs->orig_rax = ~0ul;
	if (signal_alone(current()->proc) && signal_enter(regs, &info, 0))
		return 0;
	if (info.code == SI_USER)
		return kill_who((s32)current()->proc->pid, (u32)info.signo);
	return kill_tid(0, current()->tid, (u32)info.signo);
}

s64 sys_kill(u64 pid, u64 sig)
{
	if ((u32)pid == current()->proc->pid && (u32)sig - 1 < NSIG)
		return kill_self((u32)sig, SI_USER);
	return kill_who((s32)pid, (u32)sig);
}

s64 sys_tkill(u64 tid, u64 sig)
{
	if ((u32)tid == current()->tid && (u32)sig - 1 < NSIG)
		return kill_self((u32)sig, SI_TKILL);
	return (s32)tid <= 0 ? -EINVAL : kill_tid(0, (u32)tid, (u32)sig);
}

s64 sys_tgkill(u64 pid, u64 tid, u64 sig)
{
	const struct thread *t = current();

	if ((u32)tid == t->tid && (u32)pid == t->proc->pid && (u32)sig - 1 < NSIG)
		return kill_self((u32)sig, SI_TKILL);
	if ((s32)pid <= 0 || (s32)tid <= 0)
		return -EINVAL;
	return kill_tid((u32)pid, (u32)tid, (u32)sig);
}

/* A program's own siginfo for a signal to p. 0, -EFAULT, -EINVAL, -EPERM: only the kernel says that of others. */
static s64 info_in(const struct proc *p, u64 sig, u64 from, struct siginfo_k *info)
{
	struct linux_siginfo in;
	if (copy_in(&in, from, sizeof(in)))
		return -EFAULT;
	if ((u32)sig > NSIG)
		return -EINVAL;
	if ((in.code >= 0 || in.code == SI_TKILL) && p != current()->proc)
		return -EPERM;
	*info = (struct siginfo_k){.signo = (s32)sig,
				   .code = in.code,
				   .errnum = in.errnum,
				   .pid = in.kill.pid,
				   .uid = (s32)in.kill.uid,
				   .value = in.kill.value};
	return 0;
}

s64 sys_rt_sigqueueinfo(u64 pid, u64 sig, u64 info)
{
	struct proc *p = proc_find((u32)pid);
	struct siginfo_k k;
	s64 error = info_in(p, sig, info, &k);
	return error ? error : kill_one(p, (int)sig, &k);
}

s64 sys_rt_tgsigqueueinfo(u64 pid, u64 tid, u64 sig, u64 info)
{
	struct siginfo_k k;
	if ((s32)pid <= 0 || (s32)tid <= 0)
		return -EINVAL;
	s64 error = info_in(proc_find((u32)pid), sig, info, &k);
	return error ? error : kill_thread((u32)pid, (u32)tid, (int)sig, &k);
}

/* x87 and SSE say why in their status words; both masks and flags are below. */
static int float_code(u32 flags)
{
	if (flags & 1)
		return FPE_FLTINV;
	if (flags & 4)
		return FPE_FLTDIV;
	if (flags & 8)
		return FPE_FLTOVF;
	if (flags & 0x12)
		return FPE_FLTUND;
	return flags & 0x20 ? FPE_FLTRES : FPE_FLTINV;
}

static int x87_code(void)
{
	u16 status, control;
	__asm__ volatile("fnstsw %0" : "=m"(status));
	__asm__ volatile("fnstcw %0" : "=m"(control));
	return float_code(status & ~(u32)control & 0x3f);
}

static int sse_code(void)
{
	u32 mxcsr;
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return float_code(mxcsr & ~(mxcsr >> 7) & 0x3f);
}

/* What exceptions become; others are SIGSEGV. code 0: the vector unit says why; at: si_addr is the instruction. */
static const struct {
	u8 sig, code, at;
} exceptions[] = {
	[0] = {SIGFPE, FPE_INTDIV, 1}, [1] = {SIGTRAP, TRAP_TRACE, 1},
	[3] = {SIGTRAP, SI_KERNEL, 0}, [6] = {SIGILL, ILL_ILLOPN, 1},
	[16] = {SIGFPE, 0, 1},	       [17] = {SIGBUS, BUS_ADRALN, 0},
	[19] = {SIGFPE, 0, 1},
};

/* A trap of the program other than a page fault or system call becomes its signal. vector, error: the CPU's; addr:
 * unused by these vectors. Without the family lock. */
void program_exception(u64 vector, u64 error, u64 addr, struct user_regs *regs)
{
	struct thread *t = current();
	struct siginfo_k info = {.signo = SIGSEGV, .code = SI_KERNEL};

	(void)addr;
	if (vector < array_count(exceptions) && exceptions[vector].sig) {
		info.signo = exceptions[vector].sig;
		info.code = exceptions[vector].code;
		if (!info.code)
			info.code = vector == 16 ? x87_code() : sse_code();
		if (exceptions[vector].at)
			info.addr = regs->rip;
	}
	t->fault_vector = vector;
	t->fault_error = error;
	regs->orig_rax = ~0ul;
	if (signal_alone(t->proc) && signal_enter(regs, &info, 0))
		return;
	family_lock();
	signal_force(info.signo, &info);
	family_unlock();
}
