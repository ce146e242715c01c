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
struct wait_bucket {
	struct context *first, *last; /* who wait for the word alone */
	struct aril_code_word *code_first, *code_last;
};
extern struct wait_bucket wait_buckets[WAIT_BUCKETS];

static inline struct wait_bucket *wait_bucket(u64 key)
{
	return &wait_buckets[(u32)((key >> 2) ^ (key >> 12)) % WAIT_BUCKETS];
}

s64 call_code_wait(const struct aril_code_wait *desc);

/* A context that waits by code would be woken: whether it is. object_lock and wait_lock held. */
enum {
	CODE_SLEEPS = 0,
	CODE_WAKES,
	CODE_GONE /* wakes, but has no right to what it waits for any more */
};
static inline struct aril_code_slot *code_slot_of(struct aril_code_word *w)
{
	return (struct aril_code_slot *)((u64)w & ~(u64)(CODE_SLOT_BYTES - 1));
}

/* A link's other end; NULL: none. */
static inline struct aril_code_word *code_word(u32 link)
{
	return link ? phys((u64)link << 3) : NULL;
}

/* Runs the predicate. */
static inline int code_holds(const struct aril_code_slot *s)
{
	u64 (*run)(u64, u64, u64, u64, u64, void *) =
		(u64(*)(u64, u64, u64, u64, u64, void *))s->run;

	return run(s->page[0], s->page[1], s->page[2], s->value[0], s->value[1], cpu_run()) != 0;
}

/* The seldom ways of code_look: the budget is spent; something changed since it was seen what the waiter may; it has made
 * all the runs that it was given. */
int code_look_again(struct aril_code_slot *s, s32 budget);

/* budget: instructions left for predicates in this call, counted down; when there are none, it is woken. */
static inline __attribute__((always_inline)) int code_look(struct aril_code_slot *s, s32 *budget)
{
	*budget -= (s32)s->worst;
	if (unlikely(*budget < 0) || unlikely(s->epoch != frame_epoch + authority_epoch) ||
	    unlikely(--s->left < 0))
		return code_look_again(s, *budget);
	return code_holds(s) ? CODE_WAKES : CODE_SLEEPS;
}

/* The same, of a blocked context. */
int code_wait_over(struct context *ctx, s32 *budget);
/* Wakes the slot's context, out of a bucket's loop: the link to go on with, which is none of that slot's. */
struct aril_code_word *code_wake_one(struct aril_code_word *w);

/* Those who wait by a predicate for the word at this address of the kernel's, w the first of their bucket: wakes n of
 * those for whom it holds, and returns what is left of n; who has no right any more is let go and not counted. n is not 0.
 * object_lock and wait_lock held. */
static inline u32 code_wake(struct aril_code_word *w, u64 at, u32 n)
{
	s32 budget = CODE_WAKE_BUDGET;

	do {
		if (w->at == at) {
			int over = code_look(code_slot_of(w), &budget);

			if (unlikely(over != CODE_SLEEPS)) {
				w = code_wake_one(w);
				n -= over == CODE_WAKES;
				if (!n)
					break;
				continue;
			}
		}
		w = code_word(w->next);
	} while (w);
	return n;
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
