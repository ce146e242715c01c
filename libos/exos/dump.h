/* SPDX-License-Identifier: MIT
 * What is left of a program that crashed: a line of where, and a core file. */
#ifndef EXOS_DUMP_H
#define EXOS_DUMP_H

#include "exos.h"

struct siginfo_k;

/* The current process is about to be ended by sig, with the current thread's registers: says so if it is the family's first,
 * and, where RLIMIT_CORE has room, stops the process's other threads and writes the file. 1: it is written. Family
 * lock, which is dropped meanwhile. */
int dump_crash(struct user_regs *regs, const struct siginfo_k *info);
/* A thread that is to end, on its way out: waits where its process is being dumped. Family lock. */
void dump_stop(struct thread *t, struct user_regs *regs);
/* A thread has ended. Family lock. */
void dump_thread_ended(struct proc *p);
/* The file that was written last, or NULL, for the host (./aril run --core). */
extern struct inode *dump_last;

#endif
