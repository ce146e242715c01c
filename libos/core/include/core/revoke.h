/* SPDX-License-Identifier: MIT
 * Answering revocations: the program's own choice of what to give back.
 *
 * One env answers for one account (core_revoke_start). For frames it is asked one by one which to give; the kinds that
 * have no give function are left to be taken at their deadline. All functions of struct core_revoke are called in an
 * upcall, with all masked: what they touch must be bound.
 *
 * Three policies choose among a set of pages by what was learned of them (struct core_page): the one that came first
 * (FIFO), the first that was not used since the hand passed last (clock), and any that the program gives. */
#ifndef CORE_REVOKE_H
#define CORE_REVOKE_H

#include <aril/ops.h>
#include <aril/types.h>
#include <core/domain.h>

struct core_revoke {
	void *self; /* the functions' first argument */
	/* Gives back one thing numbered first..last by the kernel's call. 0: there is none to give. */
	int (*give)(void *self, u32 kind, u32 first, u32 last);
	/* Something was taken by force. NULL: of no matter. */
	void (*lost)(void *self, const struct aril_loss *loss);
	/* Losses were more than the page holds: all must be looked through. NULL: of no matter. */
	void (*overflow)(void *self);
};

/* What the upcall counted. */
struct core_revoke_counts {
	u64 upcalls;
	u64 given;
	u64 lost;
	u64 overflows;
};
extern struct core_revoke_counts core_revoke_counts;

/* This env's context on this CPU answers for the account from now on. r is kept. 0 or the kernel's refusal.
 * The repossession page is marked KEEP as far as the account's reserve goes. */
s64 core_revoke_start(const struct core_revoke *r, u32 account);
/* The repossession page; NULL before core_revoke_start. */
const volatile struct aril_repossession *core_repossession(void);

/* What is taken from core_pool between the two is marked KEEP, as far as the account's reserve goes: tables among it,
 * without which what is kept could not be reached. */
struct core_keep {
	u32 first[CORE_RUNS];
};
void core_keep_begin(struct core_keep *k);
void core_keep_end(const struct core_keep *k);

/* A page of a set, as policies see it. */
struct core_page {
	u32 frame; /* 0: not in memory */
	u8 kept;   /* its frame is marked KEEP: not to be given */
	u8 stored; /* the memory device has it */
	u8 dirty;  /* changed since, as far as was noticed */
	u8 zero;
	u64 arrived; /* rises with each that comes */
};

struct core_policy;
struct core_set {
	struct core_page *page;
	u32 n;
	u64 va; /* of page 0 */
	/* Whether it was used since this was asked last; forgets it. */
	int (*used)(struct core_set *set, u32 page);
};
struct core_policy {
	/* A page in memory, not kept, whose frame is one of first..last; ~0: there is none. */
	u32 (*choose)(struct core_policy *policy, struct core_set *set, u32 first, u32 last);
	u32 hand; /* the clock's */
};
/* Whether the page may be chosen. */
static inline int core_page_fits(const struct core_page *page, u32 first, u32 last)
{
	return page->frame && !page->kept && page->frame >= first && page->frame <= last;
}
u32 core_policy_fifo(struct core_policy *policy, struct core_set *set, u32 first, u32 last);
u32 core_policy_clock(struct core_policy *policy, struct core_set *set, u32 first, u32 last);

#endif
