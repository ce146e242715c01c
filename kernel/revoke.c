/* SPDX-License-Identifier: MIT
 * Visible revocation: an account is asked to give things back by a deadline; what it keeps is then taken, a step at a
 * time, by whichever CPU is first. The kernel chooses nothing while the account still can.
 *
 * Invariants, under object_lock. (1) accounts[s].wanted[k] is not 0 exactly while bit k of books[s].open is set, and
 * bit s of opens is set exactly while some bit of books[s].open is. (2) revoke_deadline is at or before every open
 * deadline. (3) An account with a handler pins its repossession page once; one without has none; a living env's
 * `handles` counts those that it is the handler of. (4) Nothing is believed that stands in that page: the kernel only
 * writes it. */
#include "revoke.h"
#include "arch.h"
#include "code.h"
#include "frame.h"
#include "grant.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

/* One step of the abort protocol, with the lock held: */
#define STEP_SCAN 4096	   /* frames looked at */
#define STEP_TAKE 64	   /* frames taken; one shoot-down for all */
#define VICTIM_COST 100000 /* instructions of code that chooses them */

struct open {
	u64 deadline;
	u32 first, last;
	u32 at;	   /* FRAMES: where the next step goes on */
	u32 going; /* FRAMES: taken or freed, but in the hands of a device until it has finished */
	u8 lower;  /* the limit falls too */
	u8 hard;   /* this round takes what something is built on, too */
	u8 took;   /* since the last hard round began */
	u8 exhausted; /* all was looked at */
};

struct book {
	struct open kind[ARIL_REVOKE_KINDS];
	u32 serial[ARIL_REVOKE_KINDS];
	u32 head, overflow; /* of the repossession page */
	u32 open;	    /* kinds, a bit each */
	u32 lost;	    /* kinds, since the handler's last upcall */
	u32 untold;	    /* something was lost in this step */
};

u64 revoke_deadline = ~0ul;
static struct book books[ARIL_MAX_ACCOUNTS];
static u64 opens[ARIL_MAX_ACCOUNTS / 64];
static int taking; /* a credit now is no gift */

static struct aril_repossession *page_of(u32 slot)
{
	u32 frame = accounts[slot].handler_frame;

	return frame ? frame_memory(frame) : NULL;
}

/* The open revocation with the nearest deadline: NULL if there is none. */
static struct open *nearest(u32 *slot, u32 *kind)
{
	struct open *found = NULL;

	for (u32 word = 0; word < array_count(opens); word++)
		for (u64 left = opens[word]; left; left &= left - 1) {
			u32 s = word * 64 + __builtin_ctzl(left);

			for (u32 k = 0; k < ARIL_REVOKE_KINDS; k++) {
				struct open *o = &books[s].kind[k];

				if (!(books[s].open >> k & 1) ||
				    (found && found->deadline <= o->deadline))
					continue;
				found = o;
				*slot = s;
				*kind = k;
			}
		}
	return found;
}

static void deadline_set(void)
{
	u32 slot, kind;
	const struct open *o = nearest(&slot, &kind);

	write_once(revoke_deadline, o ? o->deadline : ~0ul);
}

/* The request as the handler sees it, on any CPU while it is written: its serial comes last, so who has read a new one finds what
 * belongs to it. */
static void request_write(u32 slot, u32 kind)
{
	struct aril_repossession *page = page_of(slot);
	const struct open *o = &books[slot].kind[kind];

	if (!page)
		return;
	struct aril_request *to = &page->request[kind];
	write_once(to->wanted, accounts[slot].wanted[kind]);
	write_once(to->first, o->first);
	write_once(to->last, o->last);
	write_once(to->deadline, o->deadline);
	__atomic_store_n(&to->serial, books[slot].serial[kind], __ATOMIC_RELEASE);
}

static void revocation_close(u32 slot, u32 kind)
{
	struct book *book = &books[slot];

	if (!(book->open >> kind & 1))
		return;
	accounts[slot].wanted[kind] = 0;
	book->open &= ~(1u << kind);
	if (!book->open)
		opens[slot / 64] &= ~(1ul << slot % 64);
	request_write(slot, kind);
	if (book->kind[kind].deadline <= revoke_deadline)
		deadline_set();
}

/* The handler's context gets the upcall, or wakes. */
static void tell(u32 slot)
{
	struct env *env = env_get(accounts[slot].handler);

	if (!env)
		return;
	struct context *ctx = &env->ctx[accounts[slot].handler_cpu];
	if (ctx->state != CTX_NONE)
		upcall_post(ctx, ARIL_PEND_REVOKE);
}

/* Writes into the repossession page what is lost, if anybody reads it and has room. */
static void loss_write(u32 slot, u32 kind, u32 what, u64 tag)
{
	struct aril_repossession *page = page_of(slot);
	struct book *book = &books[slot];

	__atomic_or_fetch(&book->lost, 1u << kind, __ATOMIC_RELAXED);
	book->untold = 1;
	if (!page)
		return;
	if (book->head - read_once(page->tail) >= ARIL_LOSSES) {
		write_once(page->overflow, ++book->overflow);
		return;
	}
	page->loss[book->head % ARIL_LOSSES] =
		(struct aril_loss){.kind = kind, .what = what, .tag = tag, .when = time_now()};
	__atomic_store_n(&page->head, ++book->head, __ATOMIC_RELEASE);
}

/* The limit falls by one, and the parent's rises; not below what is used or reserved. */
static void limit_lower(struct aril_account *account, u32 kind)
{
	static const u8 quota[] = {ARIL_QUOTA_FRAMES, ARIL_QUOTA_SLICES, ARIL_QUOTA_GRANTS};
	u32 q = quota[kind];

	if (account->limit[q] <= account->used[q])
		return;
	if (q == ARIL_QUOTA_FRAMES && account->limit[q] <= account->reserve)
		return;
	account->limit[q]--;
	account_get(account->parent)->limit[q]++;
}

void revoke_given(u32 slot, u32 kind, u32 what)
{
	struct aril_account *account = &accounts[slot];
	struct open *o = &books[slot].kind[kind];

	if (!account->wanted[kind])
		return;
	if (what < o->first || what > o->last)
		return;
	if (taking)
		account->taken++;
	else
		account->given++;
	if (o->going && frames[what].flags & ARIL_FRAME_FREED)
		o->going--;
	if (o->lower)
		limit_lower(account, kind);
	if (--account->wanted[kind])
		request_write(slot, kind);
	else
		revocation_close(slot, kind);
}

void revoke_awaits(u32 slot, u32 frame)
{
	struct open *o = &books[slot].kind[ARIL_REVOKE_FRAMES];

	if (accounts[slot].wanted[ARIL_REVOKE_FRAMES] && frame >= o->first && frame <= o->last)
		o->going++;
}

/* --- the abort protocol */

/* Whether this frame may be taken in this round. In the first those to which nothing but bindings is owed; in the next
 * pages that contexts or rings have, tables, spaces and envs, which are undone. Never one marked KEEP. A part of a frame of
 * 2 MiB has its own mark, or the first's would keep 512. */
static int frame_takeable(u32 frame, u32 slot, int hard)
{
	const struct aril_frame *f = &frames[frame];
	u32 keeper = frame; /* what goes with it */

	if (f->state == ARIL_FRAME_SHADOW)
		keeper = f->partner;

	if (f->account != slot || f->flags & ARIL_FRAME_FREED)
		return 0;
	if ((f->flags | frames[keeper].flags) & ARIL_FRAME_KEEP)
		return 0;
	if (f->state == ARIL_FRAME_NORMAL && !f->level && !f->pins)
		return !hard;
	return hard;
}

/* Takes one frame: 0, or -E_AGAIN while work remains on it, or -E_STATE if that cannot be. */
static s64 frame_take(u32 frame, u32 slot, u32 *budget, int *stale)
{
	struct aril_frame *f = &frames[frame];
	u64 tag = f->tag;

	s64 error = frame_give_back(frame, budget, stale);
	if (error)
		return error;
	if (taking)
		loss_write(slot, ARIL_REVOKE_FRAMES, frame, tag);
	return 0;
}

/* The next round: easy and hard ones in turn, until a hard one found nothing. */
static void round_next(struct open *o)
{
	o->exhausted = o->hard && !o->took;
	o->hard = !o->hard;
	o->at = o->first;
	if (o->hard)
		o->took = 0;
}

/* What the account's own code names, as long as it names frames that may be taken: most of them at most, by a bounded number
 * of instructions. How many were given. */
static u32 victims_take(u32 slot, const struct open *o, u32 *budget, int *stale)
{
	u32 *wanted = &accounts[slot].wanted[ARIL_REVOKE_FRAMES];
	s64 left = VICTIM_COST;
	u32 took = 0;

	while (*wanted > o->going && took < STEP_TAKE) {
		left -= code_victim_cost(slot);
		if (left < 0)
			break;
		u32 frame = code_victim(slot, o->first, o->last, *wanted);
		if (frame < o->first || frame > o->last || !frame)
			break;
		if (!frame_takeable(frame, slot, 0) || frame_take(frame, slot, budget, stale))
			break;
		took++;
	}
	return took;
}

static void frames_step(u32 slot, struct open *o)
{
	u32 *wanted = &accounts[slot].wanted[ARIL_REVOKE_FRAMES];
	u32 budget = ARIL_BATCH_PAGES, took = 0;
	int stale = 0;

	took = victims_take(slot, o, &budget, &stale);
	for (u32 i = 0; i < STEP_SCAN && took<STEP_TAKE && * wanted> o->going; i++) {
		if (o->at > o->last) {
			round_next(o);
			if (o->exhausted)
				break;
		}
		if (frame_takeable(o->at, slot, o->hard)) {
			s64 error = frame_take(o->at, slot, &budget, &stale);

			if (error == -ARIL_E_AGAIN)
				break;
			took += !error;
			o->took |= !error;
		}
		o->at++;
	}
	if (stale)
		smp_flush_all();
	if (*wanted && *wanted <= o->going)
		o->deadline = ~0ul; /* the rest comes when the devices have finished */
}

static void slices_take(u32 slot, struct open *o)
{
	for (u32 at = o->first; at <= o->last && accounts[slot].wanted[ARIL_REVOKE_SLICES]; at++)
		if (slices[at].account == slot) {
			slice_release(&slices[at]);
			loss_write(slot, ARIL_REVOKE_SLICES, at, 0);
		}
	o->exhausted = 1;
}

/* One in each step: unbinding device memory takes its time. */
static void grant_step(u32 slot, struct open *o)
{
	while (o->at <= o->last && grant_books[o->at].account != slot)
		o->at++;
	o->exhausted = o->at > o->last;
	if (o->exhausted || !grant_take(o->at))
		return;
	loss_write(slot, ARIL_REVOKE_GRANTS, o->at, 0);
}

static void gate_take(u32 slot, struct open *o)
{
	struct env *env = env_get(o->first);

	o->exhausted = 1;
	if (!env || !env_gate_open(env))
		return;
	gate_abort(env);
	loss_write(slot, ARIL_REVOKE_GATES, env->id, 0);
}

/* One step of what is overdue. Whoever asked too much gets what there was. */
static void step(u32 slot, u32 kind, struct open *o)
{
	taking = 1;
	switch (kind) {
	case ARIL_REVOKE_FRAMES:
		frames_step(slot, o);
		break;
	case ARIL_REVOKE_SLICES:
		slices_take(slot, o);
		break;
	case ARIL_REVOKE_GRANTS:
		grant_step(slot, o);
		break;
	case ARIL_REVOKE_GATES:
		gate_take(slot, o);
		break;
	}
	taking = 0;
	if (o->exhausted)
		revocation_close(slot, kind);
	if (!books[slot].untold)
		return;
	books[slot].untold = 0;
	tell(slot);
	if (accounts[slot].handler_frame) /* its first word is head */
		wait_wake((u64)accounts[slot].handler_frame << ARIL_PAGE_SHIFT, ~0u);
}

void revoke_expire(u64 now)
{
	u32 slot, kind;

	lock_take(&object_lock);
	struct open *o = nearest(&slot, &kind);
	if (o && o->deadline <= now) {
		struct cpu *cpu = this_cpu();
		struct context *ctx = cpu->ctx;

		cpu->ctx = NULL; /* what this costs is not to be counted as its work (account.c) */
		step(slot, kind, o);
		if (cpu->env) /* else it was ended */
			cpu->ctx = ctx;
		deadline_set();
	}
	lock_drop(&object_lock);
}

/* --- who is told */

u32 revoke_kinds(const struct context *ctx, u64 *deadline)
{
	u32 kinds = 0;
	u64 first = ~0ul;

	for (u32 slot = 0; slot < ARIL_MAX_ACCOUNTS; slot++) {
		const struct aril_account *account = &accounts[slot];
		struct book *book = &books[slot];

		if (read_once(account->handler) != ctx->env->id ||
		    read_once(account->handler_cpu) != ctx->cpu)
			continue;
		u32 open = read_once(book->open);
		kinds |= open | __atomic_exchange_n(&book->lost, 0, __ATOMIC_RELAXED);
		for (u32 k = 0; k < ARIL_REVOKE_KINDS; k++)
			if (open >> k & 1)
				first = min(first, read_once(book->kind[k].deadline));
	}
	*deadline = first == ~0ul ? 0 : first;
	return kinds;
}

static void handler_drop(u32 slot)
{
	struct aril_account *account = &accounts[slot];
	struct env *env = env_get(account->handler);
	u32 frame = account->handler_frame;

	if (env)
		env->handles--;
	account->handler = 0;
	account->handler_cpu = 0;
	account->handler_frame = 0;
	if (frame)
		frame_unpin(frame);
}

s64 call_account_handler(u32 auth, u32 id, u32 env, u32 cpu, u32 frame)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	s64 slot = account_check(id, a, ARIL_OWN);
	if (slot < 0)
		return slot;
	if (!env) {
		handler_drop(slot);
		return 0;
	}
	s64 error = env_check(env, a, ARIL_RUN);
	if (error)
		return error;
	if (cpu >= ncpus)
		return -ARIL_E_CPU;
	error = frame_check(frame, a, ARIL_WRITE);
	if (error)
		return error;
	if (frames[frame].state != ARIL_FRAME_NORMAL || frames[frame].level)
		return -ARIL_E_STATE;
	if (frames[frame].flags & FRAME_GOING)
		return -ARIL_E_STATE;
	frame_pin(frame);
	handler_drop(slot);
	env_get(env)->handles++;
	accounts[slot].handler = env;
	accounts[slot].handler_cpu = cpu;
	accounts[slot].handler_frame = frame;
	page_clear(frame_memory(frame));
	books[slot].head = books[slot].overflow = books[slot].lost = 0;
	for (u32 kind = 0; kind < ARIL_REVOKE_KINDS; kind++)
		if (books[slot].open >> kind & 1)
			request_write(slot, kind);
	if (books[slot].open)
		tell(slot);
	return 0;
}

void revoke_env_gone(struct env *env)
{
	for (u32 slot = 0; env->handles && slot < ARIL_MAX_ACCOUNTS; slot++) {
		if (accounts[slot].handler != env->id)
			continue;
		handler_drop(slot);
		env->handles--; /* it is dying: handler_drop does not find it */
	}
	revoke_given(env->account, ARIL_REVOKE_GATES, env->id);
}

void revoke_account_gone(u32 slot)
{
	handler_drop(slot);
	for (u32 kind = 0; kind < ARIL_REVOKE_KINDS; kind++)
		revocation_close(slot, kind);
}

void revoke_frame_gone(u32 frame)
{
	for (u32 slot = 0; slot < ARIL_MAX_ACCOUNTS; slot++)
		if (accounts[slot].handler_frame == frame)
			handler_drop(slot);
}

/* --- asking */

/* Names of this kind are below it. */
static u64 kind_end(u32 kind)
{
	if (kind == ARIL_REVOKE_FRAMES)
		return nframes;
	if (kind == ARIL_REVOKE_SLICES)
		return ncpus * ARIL_SLICES;
	return kind == ARIL_REVOKE_GRANTS ? ARIL_MAX_GRANTS : 1ul << 32;
}

/* Before anybody is asked: what the account's code gives at once. That is no loss, and is not written as one. */
static void victims_now(u32 slot)
{
	u32 budget = ARIL_BATCH_PAGES;
	int stale = 0;

	victims_take(slot, &books[slot].kind[ARIL_REVOKE_FRAMES], &budget, &stale);
	if (stale)
		smp_flush_all();
}

static s64 want_decode(const struct aril_revocation *want, u32 slot)
{
	if (want->kind >= ARIL_REVOKE_KINDS)
		return -ARIL_E_RANGE;
	if (want->lower > 1)
		return -ARIL_E_RANGE;
	if (want->zero)
		return -ARIL_E_RANGE;
	if (!want->count)
		return 0;
	if (want->first > want->last)
		return -ARIL_E_RANGE;
	if (want->last >= kind_end(want->kind))
		return -ARIL_E_RANGE;
	if (want->kind != ARIL_REVOKE_GATES)
		return 0;
	const struct env *env = env_get(want->first);
	if (!env || env->account != slot)
		return -ARIL_E_RANGE;
	if (want->first != want->last || want->count != 1)
		return -ARIL_E_RANGE;
	if (want->lower) /* of gates there is no limit */
		return -ARIL_E_RANGE;
	return 0;
}

s64 call_revoke(u32 auth, u32 id, const struct aril_revocation *user)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_account *account = account_get(id);
	struct aril_revocation want;

	if (!a)
		return -ARIL_E_CAP;
	if (!account)
		return -ARIL_E_RANGE;
	s64 parent = account_check(account->parent, a, ARIL_OWN); /* the root has none: RANGE */
	if (parent < 0)
		return parent;
	if (copy_from_user(&want, user, sizeof(want)))
		return -ARIL_E_ADDR;
	u32 slot = account - accounts;
	s64 error = want_decode(&want, slot);
	if (error)
		return error;
	if (want.kind == ARIL_REVOKE_FRAMES && want.count) {
		error = account_work(want.last - want.first + 1); /* somebody will look at each */
		if (error)
			return error;
	}
	revocation_close(slot, want.kind);
	if (!want.count)
		return 0;
	/* Not before now: or who asks again and again would go before all who wait already. */
	want.deadline = max(want.deadline, time_now());
	struct book *book = &books[slot];
	book->kind[want.kind] = (struct open){.deadline = want.deadline,
					      .first = want.first,
					      .last = want.last,
					      .at = want.first,
					      .lower = want.lower};
	book->serial[want.kind]++;
	book->open |= 1u << want.kind;
	opens[slot / 64] |= 1ul << slot % 64;
	account->wanted[want.kind] = want.count;
	account->revoked += want.count;
	request_write(slot, want.kind);
	if (want.kind == ARIL_REVOKE_FRAMES)
		victims_now(slot);
	if (!account->wanted[want.kind])
		return 0;
	tell(slot);
	if (want.deadline < revoke_deadline) {
		write_once(revoke_deadline, want.deadline);
		slice_timer_set(); /* this CPU at least is awake then */
	}
	return 0;
}
