/* SPDX-License-Identifier: MIT
 * The guard: a program's stray write into the family's segment faults, where the processor has protection keys.
 *
 * All that the segment's slots have for writing is bound with GUARD_KEY, but for stashes. While a program runs, its PKRU
 * (GUARD_CLOSED) forbids writing there, not reading; while ExOS runs it is 0. It guards against mistakes: a program that executes WRPKRU,
 * or makes kernel calls of its own, opens it. */
#ifndef EXOS_GUARD_H
#define EXOS_GUARD_H

#include "exos.h"

/* What the program and the kernel jump to. Chosen when the family starts; a family without the guard has the ways of entry.S. */
struct ways {
	const u8 *upcall, *call, *quick, *clock, *bare, *sigreturn, *own, *mask, *robust;
	void (*first)(void);
};
extern const struct ways *ways;
/* exos_leave (sched.h), of these ways: it does not return. */
extern void (*exos_leave_to)(struct user_regs *regs);

/* What a binding in the segment that may be written says of it: ARIL_BIND_KEY(GUARD_KEY), or 0. */
extern u32 guard_flags;

/* Once, before there is memory; whether the family can be as its line says: 0 where the guard is wanted and the machine has no keys. */
int guard_boot(void);
/* A new thread's memory gets, or gives back, a stash: two words, or five to the first, that a way in writes while it is closed still.
 * 0, or -ENOMEM. Family lock. */
struct thread;
s64 guard_stash(struct thread *t);
void guard_unstash(struct thread *t);

#endif
