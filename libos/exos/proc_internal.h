/* SPDX-License-Identifier: MIT
 * What the files on processes and signals share among themselves. */
#ifndef EXOS_PROC_INTERNAL_H
#define EXOS_PROC_INTERNAL_H

#include "exos.h"
#include "linux.h"
#include "proc.h"

#define SIG_BIT(sig) (1ul << ((sig)-1))
#define SIG_UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))
#define SIG_STOPS (SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))
#define SIG_DEFAULT_IGNORED \
	(SIG_BIT(SIGCHLD) | SIG_BIT(SIGCONT) | SIG_BIT(SIGURG) | SIG_BIT(SIGWINCH))
/* Their default action leaves a core file, where RLIMIT_CORE lets it. */
#define SIG_CORES                                                                   \
	(SIG_BIT(SIGQUIT) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) | SIG_BIT(SIGABRT) | \
	 SIG_BIT(SIGBUS) | SIG_BIT(SIGFPE) | SIG_BIT(SIGSEGV) | SIG_BIT(SIGXCPU) |  \
	 SIG_BIT(SIGXFSZ) | SIG_BIT(SIGSYS))
#define WCOREFLAG 0x80	   /* in wait4's status */
#define SIG_QUEUE_MAX 1024 /* queued siginfos of a process, as RLIMIT_SIGPENDING says */

/* A signal with its information, until it is delivered. */
struct sig_queued {
	struct list link;
	struct siginfo_k info;
};

/* A process's signal actions. */
struct sighand {
	u32 refs;
	u64 changed;			     /* a bit each: all others are as at the beginning */
	struct linux_sigaction action[NSIG]; /* of signal n at n - 1 */
};

/* cred.c: whether the caller may change how p is scheduled: it is of its user, or all are the caller's; and what its limits
 * are, for which all identities have to agree (proc_same). */
int proc_may_change(const struct proc *p);
int proc_may_limit(const struct proc *p);
int proc_same(const struct proc *p);

/* Nobody but the current thread changes its process's actions, or can come to: it needs no lock to read or change them. */
static inline int signal_alone(const struct proc *p)
{
	return p->nthreads == 1 && p->sig->refs == 1;
}
/* A signal that the current thread sends itself, or that an instruction of its raised: the handler is entered at once, as it
 * would be on the way out, without making the signal pending. `locked`: with the family lock, taken once; else signal_alone. Does not return
 * then, and the lock is dropped. 0: it has to be sent as any other, as it is blocked or has no handler, or others come
 * first. 1: done, but the handler's frame had no place, and SIGSEGV pends. */
int signal_enter(struct user_regs *regs, const struct siginfo_k *info, int locked);

/* Takes the lowest pending signal that `mask` does not block, faults first, the thread's own before its process's, with
 * its information. 0: none. */
int signal_take(struct thread *t, u64 mask, struct siginfo_k *info);
/* The signals that are pending for t, blocked or not. */
u64 signal_pending_set(const struct thread *t);
/* signalfd.c: a signal is pending that somebody may read. */
void signal_file_notify(void);
/* The current thread has come to block `fresh`, which its process has pending: another thread is told of it. Returns result. */
s64 signal_mask_told(struct thread *t, u64 fresh, s64 result);
/* Sets the current thread's mask (KILL and STOP stay deliverable). With or without the family lock: who sends makes the
 * signal pending, then reads masks; here the mask is written, then what pends is read: one of them sees the other. What
 * others are to be told of, in the end. */
static inline u64 signal_mask_set(struct thread *t, u64 mask)
{
	const struct proc *p = t->proc;

	mask &= ~SIG_UNBLOCKABLE;
	u64 before = __atomic_exchange_n(&t->sig_mask, mask, __ATOMIC_SEQ_CST);
	if (p->nthreads == 1)
		return 0;
	return mask & ~before & __atomic_load_n(&p->pending.set, __ATOMIC_SEQ_CST);
}
static inline void signal_set_mask(struct thread *t, u64 mask)
{
	u64 fresh = signal_mask_set(t, mask);

	if (fresh)
		signal_mask_told(t, fresh, 0);
}
/* Sends to one thread; else as signal_send. */
s64 signal_send_thread(struct thread *t, int sig, const struct siginfo_k *info);
/* Tells other threads of p than t of what is pending for any of them in `set`. */
void signal_retarget(struct proc *p, const struct thread *t, u64 set);
/* Forgets what is pending of `set`, for p and its threads. */
void signal_forget(struct proc *p, u64 set);
void sigqueue_init(struct sigqueue *q);
void sigqueue_empty(struct sigqueue *q, struct proc *p);
/* Converts between ExOS's and Linux's siginfo. */
void siginfo_to_linux(const struct siginfo_k *from, struct linux_siginfo *to);

/* Before the first signal. */
void sigframe_boot(void);
/* Enters the handler of a signal: builds its frame on the program's stack, sets regs and the mask. Where the stack cannot
 * take it, SIGSEGV pends then. The actions stay as they are meanwhile: the family lock, or signal_alone. */
void sigframe_enter(struct user_regs *regs, const struct siginfo_k *info);

/* Tells the parent of p (SIGCHLD) that p ended, stopped or went on: code is CLD_*, status the exit code or signal. */
void proc_notify_parent(struct proc *p, int code, int status);
/* Stops the current process for sig until it is continued or killed. */
void proc_stop(int sig);
/* A stopped process goes on (SIGCONT, SIGKILL). */
void proc_continue(struct proc *p, int report);
/* Whether every member's parent is in the group itself or in another session: nobody could continue it. */
int group_orphaned(u32 pgid, const struct proc *ignored);
/* Sends HUP and CONT to the group if it is orphaned without `leaving` and a member of it is stopped. */
void group_hangup_orphan(u32 pgid, const struct proc *leaving);
/* The leader of a session with a terminal ends: HUP and CONT to the foreground group; nobody of the session has
 * the terminal any more. */
void session_hangup(struct proc *leader);
/* Lets a parent that waits for its vforked child go on. */
void proc_vfork_done(struct proc *p);
/* Frees a zombie that its thread has left: charges its time to its parent where charge is set. */
void proc_free(struct proc *p, int charge);
/* Frees the processes that ended with nobody to wait for them. */
void proc_reap_unwaited(void);
/* Time a process has used, its threads' included (ns). */
void proc_times(const struct proc *p, u64 *user, u64 *system);
/* The most pages that it had at once, of all its programs. */
u64 proc_peak(const struct proc *p);
/* futex.c: wakes up to count sleepers on the word at addr in the current process. */
u32 futex_wake(u64 addr, u32 count, u32 bitset);
/* proc.c: what is left to do when the current thread, the last one, has ended. */
void proc_end(struct proc *p, s32 status);
/* A process without anything yet, in no list. NULL: no memory. And one that never started, or is through, given back. */
struct proc *proc_alloc(void);
void proc_discard(struct proc *p);
/* A number that no thread, process, group or session has. */
u32 pid_take(void);

/* ptimer.c: the process ends or is another program: so do its timers. */
void posix_timers_end(struct proc *p);

/* Processes that there ever were. */
extern u64 procs_ever;
/* misc.c: what uname says. */
extern struct linux_utsname machine_name;
/* misc.c: the limits of the first process. */
void limits_init(struct proc *p);

/* mm.c: interrupts every processor that runs in mm now, and waits until each has been. */
void mm_interrupt(struct mm *mm);

/* trace.c */
void trace_signal(const struct siginfo_k *info);
void trace_exit(s32 status);

#endif
