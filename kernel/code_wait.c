/* SPDX-License-Identifier: MIT
 * Blocking until a predicate holds: code_wait.
 *
 * A context that waits so is queued as any (wait.c), by the word of its first page, with gate_to WAIT_CODE and wait_auth
 * the reference of a slot that says what the predicate looks at. Who would wake it runs the predicate first: a wake on the
 * word, an event. A deadline, a revocation and the end of the code wake it always, as does a wake that has run so many
 * predicates that it must end: a waiter looks for itself. The frames are looked at again each time: what the waiter may not
 * read any more, its predicate does not see. */
#include "account.h"
#include "arch.h"
#include "code.h"
#include "code_functions.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

/* A page of the predicate's: there, and still open to the waiter. */
static s64 page_check(u32 frame, const struct auth *a)
{
	s64 error = frame_check(frame, a, ARIL_READ);

	if (error)
		return error;
	if (!frame_has_words(frame))
		return -ARIL_E_STATE;
	return 0;
}

static s64 pages_check(const u32 page[ARIL_CODE_PAGES], const struct auth *a)
{
	for (u32 i = 0; i < ARIL_CODE_PAGES; i++) {
		s64 error = page_check(page[i], a);

		if (error)
			return error;
	}
	return 0;
}

void code_wait_left(struct context *ctx)
{
	code_slot_free(ctx->wait_auth);
}

/* Something changed since it was looked at: whether the context may still read its pages. */
static __attribute__((noinline)) int still_may(const struct context *ctx, struct aril_code_slot *s)
{
	const struct auth *a = auth_get(ctx->env, s->frames);

	if (!a || pages_check(s->page, a))
		return 0;
	s->epoch = frame_epoch + authority_epoch;
	return 1;
}

static inline u64 page_of(u32 frame)
{
	return (u64)frame_memory(frame);
}

/* Runs the predicate. */
static inline int holds(struct aril_code *c, const struct aril_code_slot *s)
{
	u32 cpu = this_cpu()->id;
	u64 (*run)(u64, u64, u64, u64, u64, struct ext_run *) =
		(u64(*)(u64, u64, u64, u64, u64, struct ext_run *))c->run;

	c->cpu[cpu].runs++;
	return run(page_of(s->page[0]), page_of(s->page[1]), page_of(s->page[2]), s->value[0],
		   s->value[1], &code_runs[cpu].run) != 0;
}

int code_wait_over(struct context *ctx, s64 *budget)
{
	u32 ref = ctx->wait_auth;
	struct aril_code_slot *s = code_slot(ref);
	struct aril_code *c = code_book(code_first(ref));

	if (unlikely(s->epoch != frame_epoch + authority_epoch) && !still_may(ctx, s))
		return CODE_GONE;
	*budget -= c->worst;
	if (*budget < 0)
		return CODE_WAKES;
	if (!account_work_of(ctx))
		return CODE_WAKES;
	return holds(c, s) ? CODE_WAKES : CODE_SLEEPS;
}

static s64 desc_check(const struct aril_code_wait *d)
{
	for (u32 i = 0; i < ARIL_CODE_PAGES; i++) {
		if (d->zero[i])
			return -ARIL_E_RANGE;
		if (i && d->word[i] != ARIL_CODE_NO_WORD)
			return -ARIL_E_RANGE;
	}
	if (!d->page[0])
		return -ARIL_E_FRAME;
	if (d->word[0] & 3 || d->word[0] >= ARIL_PAGE_SIZE)
		return -ARIL_E_RANGE;
	return 0;
}

static s64 decode(struct aril_code_wait *d)
{
	const struct auth *a = auth_get(this_cpu()->env, d->auth);

	if (!a)
		return -ARIL_E_CAP;
	s64 error = desc_check(d);
	if (error)
		return error;
	error = code_check(d->code, a, ARIL_POINT_PREDICATE);
	if (error)
		return error;
	for (u32 i = 1; i < ARIL_CODE_PAGES; i++)
		if (!d->page[i])
			d->page[i] = d->page[0];
	return pages_check(d->page, a);
}

/* Under both locks: blocks the context, or says why not. */
static s64 block(struct context *ctx, const struct aril_code_wait *d)
{
	u32 ref = code_slot_find(d->code);

	if (!ref)
		return -ARIL_E_QUOTA;
	if (read_once(ctx->page->pending) & (ARIL_PEND_EVENT | ARIL_PEND_REVOKE))
		return -ARIL_E_AGAIN;
	code_slot_take(ref, &(struct aril_code_slot){.point = ARIL_POINT_PREDICATE,
						     .target = ctx->env->id,
						     .cpu = ctx->cpu,
						     .frames = d->auth,
						     .page = {d->page[0], d->page[1], d->page[2]},
						     .value = {d->value[0], d->value[1]},
						     .epoch = frame_epoch + authority_epoch});
	if (holds(code_book(d->code), code_slot(ref))) {
		code_slot_free(ref);
		return -ARIL_E_VALUE;
	}
	wait_block_code(ctx, ((u64)d->page[0] << ARIL_PAGE_SHIFT) + d->word[0], ref, d->deadline);
	return 0;
}

s64 call_code_wait(const struct aril_code_wait *user)
{
	struct aril_code_wait d;

	lock_take(&object_lock);
	struct context *ctx = this_cpu()->ctx;
	if (!ctx) { /* ended by another CPU while this one waited for the lock */
		lock_drop(&object_lock);
		slice_next();
	}
	s64 error = copy_from_user(&d, user, sizeof(d)) ? -ARIL_E_ADDR : decode(&d);
	if (!error) {
		lock_take(&wait_lock);
		error = block(ctx, &d);
		lock_drop(&wait_lock);
	}
	lock_drop(&object_lock);
	if (error)
		return error;
	slice_next();
}
