/* SPDX-License-Identifier: MIT
 * Visible revocation and the abort protocol (Engler, Kaashoek, O'Toole 1995). */
#ifndef KERNEL_REVOKE_H
#define KERNEL_REVOKE_H

#include "account.h"

s64 call_account_handler(u32 auth, u32 account, u32 env, u32 cpu, u32 frame);
s64 call_revoke(u32 auth, u32 account, const struct aril_revocation *want);

/* Something charged to this account was given back (account_credit; a gate: gate_close): counts it if an open
 * revocation covers it. object_lock held. */
void revoke_given(u32 slot, u32 kind, u32 what);
/* A frame charged to this account was freed or taken, and will be given when a device has finished. object_lock held. */
void revoke_awaits(u32 slot, u32 frame);
/* The nearest deadline of an open revocation, ns; ~0: none. Read without a lock by every CPU's timer. */
extern u64 revoke_deadline;
/* Takes by force what is overdue, a bounded step; leaves revoke_deadline in the past while more remains. Called by
 * any CPU on its way to choosing who runs next, or from its timer, when now >= revoke_deadline. Takes object_lock;
 * may end the current env. */
void revoke_expire(u64 now);
/* What the REVOKE upcall of this context says: kinds of revocations open, or of things lost since the last one, a bit
 * each; *deadline: the nearest of those open, 0: none. No lock. */
u32 revoke_kinds(const struct context *ctx, u64 *deadline);
/* The env is going: no account has it as its handler any more, its gate is closed. object_lock held. */
void revoke_env_gone(struct env *env);
/* The account is going, nothing is charged to it: its handler's page is unpinned, its requests end. object_lock
 * held. */
void revoke_account_gone(u32 slot);
/* The repossession page is being taken back by its owner. object_lock held. */
void revoke_frame_gone(u32 frame);

#endif
