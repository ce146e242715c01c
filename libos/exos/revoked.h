/* SPDX-License-Identifier: MIT
 * What is asked back besides memory: positions of slice vectors, grants, gates. */
#ifndef EXOS_REVOKED_H
#define EXOS_REVOKED_H

#include "sched.h"
#include <aril/ops.h>

/* In a scheduler, family lock, nothing current there: gives what is asked for and can be spared. When this processor has given its
 * last position, its bit in family.online is gone: nothing must begin there. */
void revoked_answer(const volatile struct aril_repossession *page, struct cpu *c);
/* Whether an answer is still to come, from whichever processor. */
int revoked_open(const volatile struct aril_repossession *page);

#endif
