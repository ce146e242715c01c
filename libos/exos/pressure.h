/* SPDX-License-Identifier: MIT
 * Memory that is asked back, or is not enough. */
#ifndef EXOS_PRESSURE_H
#define EXOS_PRESSURE_H

#include "exos.h"

/* In the scheduler's env, once: answers for the family's account from here on. */
void pressure_boot(void);
struct cpu;

/* In a scheduler, family lock: gives back what is asked for, as far as there is; or sees to it that there will be. What is not
 * memory: revoked.h. */
void pressure_answer(struct cpu *c);
/* When an idle processor is to look again: the deadline (0: never), or sooner while a request is open. */
u64 pressure_until(u64 deadline);
/* Whether memory is asked back now. */
int pressure_asked(void);
/* No page is left for a process that touches memory which it was promised: FAULT_AGAIN, FAULT_LATER, or SIGKILL: it ends itself.
 * Family lock. */
int pressure_fault(struct proc *asks);
/* The same where it cannot wait, after FAULT_LATER: not that. */
int pressure_now(struct proc *asks);

#endif
