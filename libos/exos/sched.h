/* SPDX-License-Identifier: MIT
 * Processors, threads on them, and the way in and out of ExOS: shared by sched.c, trap.c, env.c, entry.S.
 *
 * The family's first env, the scheduler, owns its slices. At each slice it yields to the env of a runnable
 * thread. A process that sleeps yields to the next one directly; one whose slice ends gives it back, and
 * the scheduler gets the next. The scheduler keeps nothing between STARTs but struct cpu. */
#ifndef EXOS_SCHED_H
#define EXOS_SCHED_H

/* struct thread, for entry.S; asserted in trap.c */
#define THREAD_STACK_TOP 8
#define THREAD_SCRATCH 16
#define THREAD_CONTEXT 24
#define THREAD_REGS 32
#define THREAD_PROC 40
#define THREAD_TID 48
#define THREAD_SWITCH_RSP 56
#define THREAD_FS_BASE 64
#define THREAD_XSAVE 72
#define THREAD_SIG_MASK 152
#define THREAD_PENDING 168
#define THREAD_SIG_RESTORE 192
#define THREAD_ROBUST 328
/* where guard.c puts the thread's stash, behind struct thread; PKRU while a program runs: no writing by GUARD_KEY */
#define THREAD_STASH 1016
#define GUARD_KEY 1
#define GUARD_CLOSED 8
/* struct proc, struct family */
#define PROC_PENDING 248
#define FAMILY_REALTIME 24
/* struct user_regs */
#define REGS_R15 0
#define REGS_R14 8
#define REGS_R13 16
#define REGS_R12 24
#define REGS_RBP 32
#define REGS_RBX 40
#define REGS_R11 48
#define REGS_R10 56
#define REGS_R9 64
#define REGS_R8 72
#define REGS_RAX 80
#define REGS_RCX 88
#define REGS_RDX 96
#define REGS_RSI 104
#define REGS_RDI 112
#define REGS_ORIG_RAX 120
#define REGS_RIP 128
#define REGS_RFLAGS 144
#define REGS_RSP 152
#define REGS_BYTES 168
/* struct aril_info's clock, and its fields */
#define INFO_CLOCK 104
#define CLOCK_SEQ 0
#define CLOCK_SHIFT 4
#define CLOCK_MULT 8
#define CLOCK_TSC0 16
#define CLOCK_NS0 24

#define CLOCK_GETTIME 228
#define ENTRY_SYSCALL_MAX 462
#define ENTRY_PROGRAM_TOP 0x7d0000000000
#define ENTRY_VECTOR_DEBUG 1
/* A signal's frame on the program's stack */
#define FRAME_R8 48
#define FRAME_R9 56
#define FRAME_R10 64
#define FRAME_R11 72
#define FRAME_R12 80
#define FRAME_R13 88
#define FRAME_R14 96
#define FRAME_R15 104
#define FRAME_RDI 112
#define FRAME_RSI 120
#define FRAME_RBP 128
#define FRAME_RBX 136
#define FRAME_RDX 144
#define FRAME_RAX 152
#define FRAME_RCX 160
#define FRAME_RSP 168
#define FRAME_RIP 176
#define FRAME_RFLAGS 184
#define RFLAGS_PROGRAM \
	0x50dd5 /* the arithmetic flags, TF, DF, RF, AC: what a program may set through it */
#define RFLAGS_ALWAYS 0x202
#define RT_SIGRETURN 15
#define RT_SIGPROCMASK 14
#define SET_ROBUST_LIST 273
#define ROBUST_BYTES 24
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define MASK_UNBLOCKABLE 0x40100 /* SIGKILL, SIGSTOP */
#define RESTART_FIRST 512	 /* ERESTARTSYS, and the last of its kind */
#define RESTART_LAST 516

/* struct cpu, struct lock_state */
#define CPU_SHIFT 6
#define CPU_CURRENT 8
#define CPU_LAST 40
#define CPU_EXPECTS 56
#define LOCK_WORD 0
#define LOCK_OWNER 8

#ifndef __ASSEMBLER__
#include "exos.h"

/* One processor's state. All lie in one page, whose words can be waited on. */
struct cpu {
	u32 word; /* changes when an idle processor has work */
	u32 idle;
	struct thread *current; /* picked for this processor; NULL: none */
	u32 leave_to;		/* whom the leaving thread yields to; 0: the slice is over */
	u32 breathing;		/* it keeps the processor and what it has locked */
	u32 lock_wait;		/* it waits for the family lock: the scheduler does so for it */
	u32 lock_blocked;	/* it has been blocked for it since it last took it */
	u64 nap_until;		/* the scheduler is in sched_nap; 0: no */
	u64 last; /* env << 32 | its context's frame, of who ran here last: it may have been stopped by force */
	struct thread *direct; /* the leaving thread makes room for this one of the same env */
	struct aril_context
		*expects; /* where `current` goes on when its env starts; NULL: not known */
};
_Static_assert(sizeof(struct cpu) == 64, "a line each");
extern struct cpu *cpus;

/* The context page on which the current thread runs. Changes when it sleeps. */
static inline struct aril_context *this_context(void)
{
	struct aril_context *ctx;
	__asm__ volatile("movq %%gs:24, %0" : "=r"(ctx));
	return ctx;
}
static inline struct cpu *this_cpu(void)
{
	return &cpus[this_context()->cpu];
}

/* The threads that could run; and whether one of them is to be given to an idle processor: entry.S looks there. */
extern struct list run_queue;
extern u32 sched_wanted;
/* Processors with nothing to run. And: one of them is to hear of what was just queued, if it waits for long. */
extern u32 sched_idle;
void sched_want(void);
/* Whether t may run on a processor: who may run on none that is left may on each. */
static inline int sched_may(const struct thread *t, u32 cpu)
{
	return t->affinity >> cpu & 1 || !(t->affinity & family.online);
}
/* Those on which t may run, a bit each. */
static inline u64 sched_cpus(const struct thread *t)
{
	u64 mask = t->affinity & family.online;

	return mask ? mask : family.online;
}
/* Queues t, which sleeps. Nobody is told yet: who wakes another mostly sleeps next, and then this processor takes it over
 * without a word to another, which costs more than many a program's whole run. */
static inline void thread_ready(struct thread *t)
{
	t->state = THREAD_RUNNABLE;
	list_add_tail(&run_queue, &t->run);
	if (RARE(sched_idle))
		sched_want();
}
/* As sleep_on for ever, where signals may end it; sleep_alone: in no queue. */
s64 sleep_here(struct waitq *q);
s64 sleep_alone(void);
/* Wakes t, if it sleeps, by sleep_alone or in no queue. */
static inline void thread_wake_alone(struct thread *t)
{
	if (t->state == THREAD_SLEEPING)
		thread_ready(t);
}
/* As wake_all, where mostly one sleeps: whether there is more to do, by waitq_wake_more before the lock is let go. */
static inline __attribute__((always_inline)) int waitq_wake_first(struct waitq *q)
{
	struct list *first = q->sleepers.next, *second;

	if (first == &q->sleepers)
		return 0;
	second = first->next;
	second->prev = &q->sleepers;
	q->sleepers.next = second;
	container_of(first, struct thread, run)->state = THREAD_RUNNABLE;
	list_add_tail(&run_queue, first);
	return RARE(word_marked(&sched_idle)) || RARE(second != &q->sleepers);
}
void waitq_wake_more(struct waitq *q);
static inline void waitq_wake(struct waitq *q)
{
	if (RARE(waitq_wake_first(q)))
		waitq_wake_more(q);
}

/* sched.c */
void sched_boot(void);
/* The scheduler's loop on this processor, after each START. */
_Noreturn void sched_main(void);
/* On the way to the program: what has waited for long is given to an idle processor. */
void sched_share(void);
/* The current thread's slice is over: others first. */
void sched_preempt(void);
/* The current thread, t, goes on in its process's new env, with what it has locked. */
void sched_follow(struct thread *t);
/* The current thread may no longer run here. Family lock. */
void sched_move(void);
/* For long work in ExOS, also with the family lock held: gives the slice back if it is over, and goes on in the
 * next. Without it the kernel would count an overrun, and end the env after many. */
void sched_breathe(void);
/* Between two pieces of a call that may go on for as long as it likes: others have the processor and the family lock, which is
 * held once, before and after. Whether a signal asks the call to end. */
int sched_rest(void);
/* In the scheduler, where it must wait in the middle of something: blocks this CPU for so many nanoseconds or until
 * an event. What is locked stays locked. */
void sched_nap(u64 ns);
/* On the context's stack, the thread's state saved: drops the lock and gives the CPU away. */
_Noreturn void sched_leave(void);

/* entry.S */
/* Saves the current thread's state and leaves its stack; returns when it is resumed. Family lock held before,
 * not after. */
void thread_switch(struct thread *t);
/* Goes on with t on the processor of ctx. */
_Noreturn void thread_resume(struct thread *t, struct aril_context *ctx);
/* Sets rsp and calls fn there, with exceptions delivered. */
_Noreturn void stack_call(u64 rsp, struct aril_context *ctx, void (*fn)(void));
/* Where a new thread begins. */
void thread_first(void);
void vector_save(u8 *area);
void vector_load(const u8 *area);
extern const u8 exos_entry[], exos_syscall_stub_entry[], exos_quick_entry[], exos_leaf_clock[],
	exos_bare_entry[], exos_sigreturn_entry[], exos_own_entry[], exos_mask_entry[],
	exos_robust_entry[];

/* The program goes on as regs, those at the stack's top, say; what C was at is over. No lock is held. */
_Noreturn void exos_leave(struct user_regs *regs);

/* trap.c: called by entry.S */
void exos_trap(struct user_regs *regs, u64 vector, u64 error, u64 addr);
void exos_stub_call(struct user_regs *regs);
void exos_reflected(struct user_regs *regs);
/* sigcalls.c: the current thread has changed its mask, which was `before`, and something pends for it or for its process. */
void exos_mask_pends(u64 before);
void exos_nested(struct user_regs *regs, u64 vector, u64 error, u64 addr);
void exos_leaving(struct user_regs *regs);
_Noreturn void exos_start(struct aril_save *save);
void thread_begin(struct user_regs *regs);
void thread_killed(void);

/* What a thread finds when it is resumed next: empty registers, then go. */
void thread_set(struct thread *t, void (*go)(void));

/* sigframe.c: sigreturn, in two steps. What a frame says but the registers: 0 or -EFAULT. Then the registers, and that they
 * are no call's result; f NULL, or one that cannot be read: SIGSEGV. */
struct linux_rt_sigframe;
int sigreturn_state(const struct linux_rt_sigframe *f);
void sigreturn_registers(struct user_regs *regs, const struct linux_rt_sigframe *f);

/* env.c */
/* Gives p a presence on a processor. 0 or -ENOMEM. Family lock. */
s64 proc_context(struct proc *p, u32 cpu);
/* Vector state as a program finds it at its start. */
extern u8 vector_initial[];

/* main.c */
_Noreturn void family_boot(struct aril_context *ctx);
/* The first process's thread, before there is a program: loads it. */
void first_main(void);
extern u32 family_booted, family_failed;
/* Scheduler only, family lock held: when the first process has ended, so does the family. */
void family_end_if_over(void);
/* exec_call.c */
s64 proc_exec(const char *path, char *const argv[], char *const envp[]);
#endif

#endif
