/* SPDX-License-Identifier: MIT
 * Blocking until a predicate holds: code_wait.
 *
 * Who would wake such a context runs the predicate first: a wake on one of its words, an event. A deadline, a revocation
 * and the end of the code wake it always, as does a wake that has run so many predicates that it must end: a waiter looks
 * for itself. What the waiter may not read any more, its predicate does not see: that is looked at again when anything
 * changed. Blocking and running are under wait_lock, which a wake takes too: so a change of a word before its wake is seen
 * by the one or by the other. */
#include "code_wait.h"
#include "account.h"
#include "check.h"
#include "lock.h"
#include "slice.h"

static u64 phys_of(u64 address)
{
	return address - (u64)phys(0);
}

static struct wait_bucket *bucket_of(const struct aril_code_word *w)
{
	return wait_bucket(phys_of(w->at));
}

static int word_waits(const struct aril_code_word *w)
{
	return w->at != 0;
}

static struct context *context_of(const struct aril_code_slot *s)
{
	return &env_get(s->target)->ctx[s->cpu];
}

/* --- queues */

static u32 link_to(const struct aril_code_word *w)
{
	return w ? (u32)(phys_of((u64)w) >> 3) : 0;
}

static void word_add(struct aril_code_word *w)
{
	struct wait_bucket *b = bucket_of(w);

	w->next = 0;
	w->prev = link_to(b->code_last);
	if (b->code_last)
		b->code_last->next = link_to(w);
	else
		b->code_first = w;
	b->code_last = w;
}

static void word_remove(struct aril_code_word *w)
{
	struct wait_bucket *b = bucket_of(w);
	struct aril_code_word *next = code_word(w->next), *prev = code_word(w->prev);

	if (next)
		next->prev = w->prev;
	else
		b->code_last = prev;
	if (prev)
		prev->next = w->next;
	else
		b->code_first = next;
}

void code_wait_queue(u32 ref)
{
	struct aril_code_slot *s = code_slot(ref);

	for (u32 i = 0; i < ARIL_CODE_PAGES; i++)
		if (word_waits(&s->word[i]))
			word_add(&s->word[i]);
}

/* The context's runs are counted; what it may still make is its own again. */
static void runs_count(struct context *ctx, struct aril_code_slot *s)
{
	struct aril_code *c = code_book_of(s);

	s->left = max(s->left, 0);
	c->cpu[this_cpu()->id].runs += (u64)(s->given - s->left);
	ctx->spare = s->left;
}

void code_wait_left(struct context *ctx)
{
	struct aril_code_slot *s = code_slot(ctx->wait_auth);

	for (u32 i = 0; i < ARIL_CODE_PAGES; i++)
		if (word_waits(&s->word[i]))
			word_remove(&s->word[i]);
	runs_count(ctx, s);
	code_slot_free(ctx->wait_auth);
}

/* --- looking */

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

/* Whether the context may still read its pages. */
static int still_may(struct aril_code_slot *s)
{
	const struct auth *a = auth_get(env_get(s->target), s->frames);

	if (!a)
		return 0;
	for (u32 i = 0; i < ARIL_CODE_PAGES; i++)
		if (page_check((u32)(phys_of(s->page[i]) >> ARIL_PAGE_SHIFT), a))
			return 0;
	s->epoch = frame_epoch + authority_epoch;
	return 1;
}

/* It has made all the runs that it was given: whether it may make this one. */
static int more_runs(struct aril_code_slot *s)
{
	struct context *ctx = context_of(s);

	runs_count(ctx, s);
	account_ahead_of(ctx);
	s->given = s->left = ctx->spare;
	if (!s->left)
		return 0;
	s->left--;
	return 1;
}

int code_look_again(struct aril_code_slot *s, s32 budget)
{
	if (budget < 0) {
		code_book_of(s)->cpu[this_cpu()->id].stops++;
		return CODE_WAKES;
	}
	if (s->epoch != frame_epoch + authority_epoch) {
		if (!still_may(s))
			return CODE_GONE;
		s->left--;
	}
	if (s->left < 0 && !more_runs(s))
		return CODE_WAKES;
	return code_holds(s) ? CODE_WAKES : CODE_SLEEPS;
}

int code_wait_over(struct context *ctx, s32 *budget)
{
	return code_look(code_slot(ctx->wait_auth), budget);
}

struct aril_code_word *code_wake_one(struct aril_code_word *w)
{
	struct aril_code_slot *s = code_slot_of(w);

	while (w && code_slot_of(w) == s)
		w = code_word(w->next);
	wait_unblock(context_of(s), ARIL_START_WAKE);
	return w;
}

/* --- the call */

/* The word of page i: in that page, and not named already. */
static s64 word_check(const struct aril_code_wait *d, u32 i)
{
	if (i && d->word[i] == ARIL_CODE_NO_WORD)
		return 0;
	if (!d->page[i])
		return -ARIL_E_FRAME;
	if (d->word[i] & 3)
		return -ARIL_E_RANGE;
	if (d->word[i] >= ARIL_PAGE_SIZE)
		return -ARIL_E_RANGE;
	for (u32 k = 0; k < i; k++)
		if (d->page[k] == d->page[i] && d->word[k] == d->word[i])
			return -ARIL_E_RANGE;
	return 0;
}

static s64 decode(struct aril_code_wait *d)
{
	const struct auth *a = auth_get(this_cpu()->env, d->auth);

	if (!a)
		return -ARIL_E_CAP;
	for (u32 i = 0; i < ARIL_CODE_PAGES; i++) {
		if (d->zero[i])
			return -ARIL_E_RANGE;
		s64 error = word_check(d, i);
		if (error)
			return error;
	}
	s64 error = code_check(d->code, a, ARIL_POINT_PREDICATE);
	if (error)
		return error;
	for (u32 i = 0; i < ARIL_CODE_PAGES; i++) {
		d->page[i] = d->page[i] ? d->page[i] : d->page[0];
		error = page_check(d->page[i], a);
		if (error)
			return error;
	}
	return 0;
}

/* What the kernel keeps of it: its runs are taken from what the context may do unasked. */
static struct aril_code_slot slot_make(const struct context *ctx, const struct aril_code_wait *d)
{
	const struct aril_code *c = code_book(d->code);
	struct aril_code_slot s = {.point = ARIL_POINT_PREDICATE,
				   .target = ctx->env->id,
				   .cpu = ctx->cpu,
				   .frames = d->auth,
				   .worst = c->worst,
				   .run = c->run,
				   .value = {d->value[0], d->value[1]},
				   .epoch = frame_epoch + authority_epoch};

	s.given = s.left = max(ctx->spare, 0);
	for (u32 i = 0; i < ARIL_CODE_PAGES; i++) {
		s.page[i] = (u64)frame_memory(d->page[i]);
		if (d->word[i] != ARIL_CODE_NO_WORD)
			s.word[i].at = s.page[i] + d->word[i];
	}
	return s;
}

/* Under both locks: blocks the context, or says why not. */
static s64 block(struct context *ctx, const struct aril_code_wait *d)
{
	u32 ref = code_slot_find(d->code);

	if (!ref)
		return -ARIL_E_QUOTA;
	if (read_once(ctx->page->pending) & ARIL_PEND_REVOKE)
		return -ARIL_E_AGAIN;
	s64 error = account_work(1);
	if (error)
		return error;
	struct aril_code_slot s = slot_make(ctx, d);
	code_book(d->code)->cpu[this_cpu()->id].runs++;
	if (code_holds(&s))
		return -ARIL_E_VALUE;
	code_slot_take(ref, &s);
	wait_block_code(ctx, ref, d->deadline);
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

/* --- the audit */

int code_wait_queued(const struct context *ctx)
{
	const struct aril_code_slot *s = code_slot(ctx->wait_auth);
	const struct aril_code_word *w = &s->word[0];

	return s->point == ARIL_POINT_PREDICATE && s->target == ctx->env->id &&
	       s->cpu == ctx->cpu &&
	       (w->prev ? code_word(w->prev)->next == link_to(w) : bucket_of(w)->code_first == w);
}

static const char *word_wrong(struct aril_code_word *w, const struct aril_code_word *before, u32 b)
{
	const struct aril_code_slot *s = code_slot_of(w);

	if (s->point != ARIL_POINT_PREDICATE || !word_waits(w))
		return "who is no waiter is queued by a word";
	if (bucket_of(w) != &wait_buckets[b])
		return "a predicate's word is in another's bucket";
	if (w->prev != link_to(before))
		return "the links of a predicate's word disagree";
	return NULL;
}

void code_bucket_audit(u32 bucket, struct aril_check *out)
{
	struct aril_code_word *before = NULL, *w = wait_buckets[bucket].code_first;

	for (; w; before = w, w = code_word(w->next)) {
		const char *why = word_wrong(w, before, bucket);

		out->checked++;
		if (!why)
			continue;
		check_found(out, code_slot_of(w)->target, why);
		return; /* what follows cannot be believed */
	}
	if (wait_buckets[bucket].code_last != before)
		check_found(out, 0, "a queue of predicates' words ends elsewhere");
}
