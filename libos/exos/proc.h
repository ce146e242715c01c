/* SPDX-License-Identifier: MIT
 * Processes and signals. */
#ifndef EXOS_PROC_H
#define EXOS_PROC_H

#include "exos.h"

enum { PROC_ALIVE = 1, PROC_STOPPED, PROC_ZOMBIE };

extern struct list all_procs;
struct proc *proc_find(u32 pid); /* alive, stopped or zombie; NULL */
/* The first process (pid 1): no env of its own yet. */
struct proc *proc_boot(void);
/* env.c: makes the kernel env of a process that has an mm; 0 or -ENOMEM/-EAGAIN. And takes it away: */
s64 proc_env_create(struct proc *p);
void proc_env_destroy(struct proc *p);
/* The kernel has ended its env: it gets another, in which its threads end. Family lock. */
void proc_env_again(struct proc *p);
/* The process is over: its env stays with its space, for the next one there. */
void proc_env_leave(struct proc *p);
struct spare_env;
void spare_destroy(struct spare_env *spare);
/* After exec changed current()->proc->mm from `old`: the process is in the new space. */
void proc_env_respace(struct proc *p, struct mm *old);
/* thread.c, family lock throughout.
 * Makes a thread of p that leaves ExOS with a copy of regs and rax = 0; without regs it begins at first_main. It is
 * not started, nor among p's threads yet. NULL: no memory. */
struct thread *thread_create(struct proc *p, u32 tid, const struct user_regs *regs);
/* Makes it one of its process's. */
void thread_add(struct thread *t);
/* Gives back a thread that was never added. */
void thread_discard(struct thread *t);
/* Ended threads' memory that is kept for the next ones is let go: whether there was any. */
int threads_reclaim(void);
/* NULL: none alive has this number. */
struct thread *thread_find(u32 tid);
/* The thread that stands for p where one must: the first one, or the oldest; NULL: all have ended. */
struct thread *proc_leader(const struct proc *p);
/* t will end when it next comes to leave ExOS; wakes it for that. */
void thread_kill(struct thread *t);
/* All threads of p are to end, p with this status unless another came before. */
void proc_kill(struct proc *p, s32 status);
/* futex.c: the current thread leaves its program's memory, as it ends or executes another: the robust locks that it holds become
 * ownerless, its word is cleared, and one who sleeps for that is woken. */
void thread_leave_memory(void);
/* Ends the current thread; its process, too, if it was the last: with this status, unless all end for another reason. */
_Noreturn void thread_exit(s32 status);
/* The only thread of its process takes the process's number. */
void thread_renumber(struct thread *t);
/* Ends the current process's other threads and waits for that. 0, or -EINTR: this one is to end itself. */
s64 threads_end_others(void);

/* exec_call.c: exec_load, and all that execve resets; the first process starts by it, too. 0 or -E. */
s64 proc_exec(const char *path, char *const argv[], char *const envp[]);

_Noreturn void proc_exit(s32 status); /* status in wait4's encoding: code << 8 | signal */

/* signal.c */
/* The beginning of Linux's siginfo_t: what of a signal is known to those who take it. */
struct siginfo_k {
	s32 signo, errnum, code, pad;
	union {
		struct {
			s32 pid, uid; /* also a timer's number and overruns */
		};
		u64 addr; /* of a fault */
	};
	u64 value; /* a child's status */
};
struct sighand *sighand_create(void);
struct sighand *sighand_clone(struct sighand *s);
void sighand_put(struct sighand *s);
void sighand_exec(struct sighand *s); /* handlers back to default */
/* Sends to a process / a process group. 0 or -ESRCH, -EPERM. sig 0 only checks. */
s64 signal_send(struct proc *p, int sig, const struct siginfo_k *info);
s64 signal_group(u32 pgid, int sig, const struct siginfo_k *info);
/* What the current thread's own call brings on it (SIGPIPE, SIGXFSZ): to itself, whoever else would take it; may be blocked
 * and ignored. Family lock. */
void signal_self(int sig);
/* A fault of the current thread: cannot be blocked or ignored. */
void signal_force(int sig, const struct siginfo_k *info);
int signal_pending(const struct thread *t); /* a deliverable one */
/* On the way back to the program: delivers what is pending by editing regs (and the program's stack), handles
 * system call restart (rax = -ERESTART*). May end or stop the process. Family lock held. */
void signal_deliver(struct user_regs *regs);

/* syscall.c. Logs how often each call that ExOS does not have was asked for. */
void syscall_summary(void);
/* trap of the program other than page faults and system calls: vector -> signal */
void program_exception(u64 vector, u64 error, u64 addr, struct user_regs *regs);

#endif
