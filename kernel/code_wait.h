/* SPDX-License-Identifier: MIT
 * Who waits until a predicate holds: queued, by each of its words, in tables of their own, and looked at by each wake.
 *
 * A context that waits so has gate_to WAIT_CODE and wait_auth the reference of its slot. The slot has what the predicate
 * looks at, and a link for each of its words (aril_code_word); it lies at a multiple of its size, so a link tells its slot.
 * Under wait_lock: a slot of the point PREDICATE is a blocked context's, and its words that are waited for are queued.
 *
 * The short way of a wake is here, in the place where it is used: a predicate that says no is some 25 instructions. */
#ifndef KERNEL_CODE_WAIT_H
#define KERNEL_CODE_WAIT_H

#include "arch.h"
#include "code.h"
#include "frame.h"
#include "util.h"
#include <ext.h>

/* What a call that wakes may spend on predicates. */
#define CODE_WAKE_BUDGET 8192

/* Words by their physical addresses, as waiters (wait.c). */
#define WAIT_BUCKETS 256u
static inline u32 wait_hash(u64 key)
{
	return (u32)((key >> 2) ^ (key >> 12)) % WAIT_BUCKETS;
}
struct code_bucket {
	struct aril_code_word *first, *last;
};
extern struct code_bucket code_buckets[WAIT_BUCKETS];

s64 call_code_wait(const struct aril_code_wait *desc);

/* A context that waits by code would be woken: whether it is. object_lock and wait_lock held. */
enum {
	CODE_SLEEPS = 0,
	CODE_WAKES,
	CODE_GONE /* wakes, but has no right to what it waits for any more */
};
/* Something changed since it was looked at: whether the context may still read its pages. */
int code_still_may(struct aril_code_slot *s);
/* It has made all the runs that it was given: whether it may make this one. */
int code_more_runs(struct aril_code_slot *s);
/* Its run would exceed what a wake may spend: counts it as stopped. CODE_WAKES. */
int code_stopped(struct aril_code_slot *s);

static inline struct aril_code_slot *code_slot_of(struct aril_code_word *w)
{
	return (struct aril_code_slot *)((u64)w & ~(u64)(CODE_SLOT_BYTES - 1));
}

static inline u64 code_page(const struct aril_code_slot *s, u32 i)
{
	return s->word[i].at & ~(ARIL_PAGE_SIZE - 1ul);
}

/* Runs the predicate. */
static inline int code_holds(const struct aril_code_slot *s)
{
	u64 (*run)(u64, u64, u64, u64, u64, void *) =
		(u64(*)(u64, u64, u64, u64, u64, void *))s->run;

	return run(code_page(s, 0), code_page(s, 1), code_page(s, 2), s->value[0], s->value[1],
		   this_cpu()->run) != 0;
}

/* budget: instructions left for predicates in this call, counted down; when there are none, it is woken. */
static inline __attribute__((always_inline)) int code_look(struct aril_code_slot *s, s64 *budget)
{
	if (unlikely(s->epoch != frame_epoch + authority_epoch) && !code_still_may(s))
		return CODE_GONE;
	*budget -= s->worst;
	if (unlikely(*budget < 0))
		return code_stopped(s);
	if (unlikely(--s->left < 0) && !code_more_runs(s))
		return CODE_WAKES;
	return code_holds(s) ? CODE_WAKES : CODE_SLEEPS;
}

/* The same, of a blocked context. */
int code_wait_over(struct context *ctx, s64 *budget);
/* Wakes the slot's context, out of a bucket's loop: the link to go on with, which is none of that slot's. */
struct aril_code_word *code_wake_one(struct aril_code_word *w);

/* Those who wait by a predicate for the word at this address of the kernel's: wakes n of those for whom it holds. How
 * many; who has no right any more is let go and not counted. object_lock and wait_lock held. */
static inline u32 code_wake(struct aril_code_word *w, u64 at, u32 n)
{
	s64 budget = CODE_WAKE_BUDGET;
	u32 woken = 0;

	while (w) {
		if (w->at == at) {
			int over = code_look(code_slot_of(w), &budget);

			if (unlikely(over != CODE_SLEEPS)) {
				w = code_wake_one(w);
				woken += over == CODE_WAKES;
				if (woken == n)
					break;
				continue;
			}
		}
		w = (struct aril_code_word *)w->next;
	}
	return woken;
}

/* Under wait_lock: ctx, which is about to block, is queued by its slot; leaves its queues, and the slot is free. */
void code_wait_queue(u32 ref);
void code_wait_left(struct context *ctx);
/* Whether a context that waits by code is queued as it should be. Under wait_lock. */
int code_wait_queued(const struct context *ctx);
/* Audits one bucket. Under wait_lock. */
struct aril_check;
void code_bucket_audit(u32 bucket, struct aril_check *out);

#endif
