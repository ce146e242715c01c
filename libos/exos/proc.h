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
/* After exec changed current()->proc->mm: moves the env to the new space. */
void proc_env_respace(struct proc *p);
/* Makes the thread of a forked child: it leaves ExOS with a copy of regs and rax = 0. */
struct thread *thread_create(struct proc *p, const struct user_regs *regs);
void thread_free(struct thread *t);

/* exec_call.c: exec_load, and all that execve resets; the first process starts by it, too. 0 or -E. */
s64 proc_exec(const char *path, char *const argv[], char *const envp[]);

_Noreturn void proc_exit(s32 status); /* status in wait4's encoding: code << 8 | signal */

/* signal.c */
struct siginfo_k {
	s32 signo, code, errnum;
	s32 pid, uid, status;
	u64 addr;
	u64 value;
};
struct sighand *sighand_create(void);
struct sighand *sighand_clone(struct sighand *s);
void sighand_put(struct sighand *s);
void sighand_exec(struct sighand *s); /* handlers back to default */
/* Sends to a process / a process group. 0 or -ESRCH, -EPERM. sig 0 only checks. */
s64 signal_send(struct proc *p, int sig, const struct siginfo_k *info);
s64 signal_group(u32 pgid, int sig, const struct siginfo_k *info);
/* A fault of the current thread: cannot be blocked or ignored. */
void signal_force(int sig, const struct siginfo_k *info);
int signal_pending(const struct thread *t); /* a deliverable one */
/* On the way back to the program: delivers what is pending by editing regs (and the program's stack), handles
 * system call restart (rax = -ERESTART*). May end or stop the process. Family lock held. */
void signal_deliver(struct user_regs *regs);

/* syscall.c: one system call; regs->rax = result. Called by entry.S paths with the family lock per table. */
void syscall_dispatch(struct user_regs *regs, int rewritten);
/* Logs how often each call that ExOS does not have was asked for. */
void syscall_summary(void);
/* trap of the program other than page faults and system calls: vector -> signal */
void program_exception(u64 vector, u64 error, u64 addr, struct user_regs *regs);

#endif
