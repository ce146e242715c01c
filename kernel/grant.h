/* SPDX-License-Identifier: MIT
 * Grants: port ranges, interrupt lines and device memory, each to one env. */
#ifndef KERNEL_GRANT_H
#define KERNEL_GRANT_H

#include "env.h"

#define GRANTS ARIL_MAX_GRANTS

extern struct aril_grant *grant_books; /* exposed, by number */

s64 call_grant_create(u32 auth, const struct aril_grant_desc *desc);
s64 call_grant_destroy(u32 auth, u32 grant);
s64 call_grant_guard(u32 auth, u32 grant, const struct aril_guard *guard);
s64 call_grant_move(u32 auth, u32 grant, u32 env, u32 cpu);
s64 call_line_unmask(u32 grant);

/* An interrupt vector of a granted line fired on this CPU: masks the line, posts it. Interrupt context. */
void grant_interrupt(u32 grant);
/* Takes a grant back by force, a bounded step: 1 when it is gone (or never was), 0: call again. object_lock held. */
int grant_take(u32 grant);
/* Takes back all grants of a dying env, which is its slot's still. One of memory with more than
 * ARIL_BATCH_PAGES bindings stays, without effect for anybody new, for grant_destroy or grant_move to finish.
 * object_lock held. */
void grant_env_gone(struct env *env);
/* Whether a (non-RAM) device frame is granted to env, so that it may bind it. object_lock held. */
int grant_memory(const struct env *env, u32 frame);
/* Where the list of the bindings of a granted device frame begins, and its count. */
u32 *grant_list(u32 frame, u32 **refs);
/* Whether any of these frames of device memory is granted to anybody. object_lock held. */
int grant_memory_taken(u32 first, u32 count);
/* Whether an interrupt line is granted to anybody. object_lock held. */
int grant_line_taken(u32 gsi);
/* The line and flags (ARIL_LINE_*) of an ISA number, by the firmware's overrides where it has one. */
u32 line_of_isa(u32 isa, u32 *flags);
/* Whether COM1's ports are granted (the kernel's log must not touch the UART). */
int grant_uart_taken(void);

#endif
