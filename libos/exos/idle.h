/* SPDX-License-Identifier: MIT
 * What a processor of the family does that has nothing to run. */
#ifndef EXOS_IDLE_H
#define EXOS_IDLE_H

#include "sched.h"

/* The scheduler's loop has nothing to run on c, whose word was that when it looked: sleeps until there may be something, or
 * the deadline (0: none). Mostly it does not return, and the scheduler begins anew. Without the family lock. */
void idle(struct cpu *c, u32 word, u64 deadline);
/* The scheduler begins. */
void idle_begun(u32 cpu);
/* It has something to run. */
void idle_over(u32 cpu);
/* Whether that processor is at loading the predicate, which it must bring to an end itself. */
int idle_loads(u32 cpu);
/* Closes the gate that the code authority answers through. 0: an answer is due. Family lock. */
int idle_gate_close(void);
/* Whether output waits for the console to have room. */
void idle_output_held(u32 held);
/* entry.S: the code authority's answer, at the scheduler's gate. */
_Noreturn void idle_answered(u64 who, u64 word0, u64 word1, u64 word2, struct aril_context *ctx);
extern const u8 exos_gate[];

#endif
