/* SPDX-License-Identifier: MIT
 * Accounts: limits on what envs can make the kernel hold or do.
 *
 * Invariants, under object_lock. (1) used[q] is the number of things whose account is this one: frames, living
 * envs, slice positions, grants, rings, child accounts. (2) used[q] <= limit[q], but while a revocation with
 * `lower` is being waited for. (3) The limits of things held sum up, over all accounts, to what the machine has.
 * (4) A slot is named by frames[].account, slices[].account and grants[].account: it is not reused while any is
 * charged to it. */
#ifndef KERNEL_ACCOUNT_H
#define KERNEL_ACCOUNT_H

#include "env.h"

extern struct aril_account *accounts; /* exposed, by slot */

/* Makes the root account, with the machine's limits; at boot, before the first env. usable: frames of memory that
 * are not the kernel's own. */
void account_init(u32 usable);
/* The account with this id, or NULL. */
struct aril_account *account_get(u32 id);
/* Decoding: the account exists and a opens its guard for rights: its slot, or -E_RANGE, -E_RIGHTS. */
s64 account_check(u32 id, const struct auth *a, u32 rights);
/* Decoding: n more of quota q fit: 0 or -E_QUOTA (counted in `refused`). */
s64 account_room(u32 slot, u32 q, u32 n);
/* How much of a quota of things held is left to an account. */
u32 account_left(u32 slot, u32 q);
/* Doing: charges n things at once. */
void account_charge_many(u32 slot, u32 q, u32 n);
/* Doing: charges, credits. what: the thing's number, as a revocation names it (frame, cpu * ARIL_SLICES + position,
 * grant; 0 for others): a credit answers an open revocation that covers it. slot 0: nobody's; does nothing. */
void account_charge(u32 slot, u32 q);
void account_credit(u32 slot, u32 q, u32 what);
/* Moves a frame's charge: from what it is charged to now, to slot (0: nobody). Drops its KEEP mark. Doing. */
void account_move_frame(u32 frame, u32 slot);
/* Sets or drops a frame's KEEP mark and counts it in its account's `kept`. Doing. */
void account_keep(u32 frame, int keep);
/* Work by the current context: adds to its counters. -E_QUOTA, and nothing added, when the slice's limit is spent:
 * the caller returns what it has done, or that error. So a slice's work exceeds its limit by less than one op.
 * Each context has its own counters, which begin anew with each slice of its CPU. Called before the work is done,
 * looking included: who fails has paid. */
s64 account_work(u32 pages);
/* Lets the current context do some more units without being asked, by counting down ctx->spare; it is reserved from the
 * slice's limit at once and counted in the totals when the slice is over, or more is given. What is left when the slice ends may be used in the next: 1,024 units at most. */
void account_ahead(void);
/* The same for a context that is blocked, in what its last slice left it. object_lock held. */
void account_ahead_of(struct context *ctx);
/* Decoding, before a change that may need a shoot-down: 0, or -E_QUOTA when the slice's limit of them is spent. */
s64 account_flush(void);
/* One was made that other CPUs had to answer: smp.c counts it for the current context. */
void account_flushed(void);

s64 call_account_create(u32 auth, u32 parent, const struct aril_account_desc *desc);
s64 call_account_destroy(u32 auth, u32 account);
s64 call_account_set(u32 auth, u32 account, u32 quota, u32 limit);
s64 call_account_guard(u32 auth, u32 account, const struct aril_guard *guard);

#endif
