/* SPDX-License-Identifier: MIT
 * What the two revocation tests play: an account and its parent, its handler, what lies around the kernel's revoke.c. */
#ifndef HOST_REVOKE_PLAY_H
#define HOST_REVOKE_PLAY_H

#include "fake.h"

#include "grant.h"
#include "revoke.h"
#include "slice.h"

#define FIRST 300 /* the first frame of the account's */
#define VA 0x40000000ul
#define NEVER ~0ul

struct aril_slice *slices;
struct aril_grant *grant_books;
static struct aril_slice slice[2 * ARIL_SLICES];
static struct aril_grant grant[ARIL_MAX_GRANTS];
static u64 now, woken, timers, aborts;
static u32 root, par, kid, slow, posts; /* auths of the parent's name, of the account's */
static u32 parent, child, slot, page;	/* account ids; the child's slot; the repossession page */
static struct env *handler;
static struct aril_repossession *told;

u64 time_now(void)
{
	return now;
}

s64 env_check(u32 id, const struct auth *a, u32 rights)
{
	return env_get(id) ? frame_check(env_get(id)->frame, a, rights) : -ARIL_E_ENV;
}

void slice_timer_set(void)
{
	timers++;
}

void upcall_post(struct context *ctx, u32 pend)
{
	CHECK(ctx == &handler->ctx[1] && pend == ARIL_PEND_REVOKE);
	posts++;
}

u32 wait_wake(u64 key, u32 n)
{
	CHECK(n == ~0u);
	woken = key;
	return 0;
}

void slice_release(struct aril_slice *s)
{
	u32 was = s->account;

	s->account = 0;
	account_credit(was, ARIL_QUOTA_SLICES, s - slices);
}

/* Some take a second step. */
int grant_take(u32 n)
{
	if (slow && slow--)
		return 0;
	u32 was = grant[n].account;
	grant[n].account = 0;
	account_credit(was, ARIL_QUOTA_GRANTS, n);
	return 1;
}

void gate_abort(struct env *env)
{
	aborts++;
	env_gate_set(env, 0);
	revoke_given(env->account, ARIL_REVOKE_GATES, env->id);
}

static inline u32 account_make(u32 auth, u32 above, const char *name, u32 nframes_limit,
			       u32 reserve)
{
	u32 top = above == ARIL_ACCOUNT_ROOT, n = top ? 16 : 8;
	struct aril_account_desc desc = {
		.guard = fake_guard(name, ARIL_ALL, 0),
		.limit = {nframes_limit, n, n, n, 0, top ? 4 : 0, ~0u, ~0u},
		.reserve = reserve};
	s64 id = call_account_create(auth, above, &desc);

	CHECK(id > 0);
	return (u32)id;
}

static inline s64 alloc(u32 first, u32 count)
{
	struct aril_guard guard = fake_guard("par.kid", ARIL_ALL, 0);

	return call_frame_alloc(kid, child, first, count, &guard);
}

static inline s64 ask(u32 kind, u32 count, u32 first, u32 last, u64 deadline)
{
	struct aril_revocation want = {kind, count, first, last, 0, 0, deadline};

	return call_revoke(par, child, &want);
}

/* All that is overdue. */
static inline void expire(void)
{
	for (u32 i = 0; i < 1000 && now >= revoke_deadline; i++)
		revoke_expire(now);
	CHECK(now < revoke_deadline);
}

static inline void start(void)
{
	fake_reset();
	memset(slice, 0, sizeof(slice));
	memset(grant, 0, sizeof(grant));
	slices = slice;
	grant_books = grant;
	for (u32 s = 0; s < ARIL_MAX_ACCOUNTS; s++) /* what the last test left */
		revoke_account_gone(s);
	now = 1000;
	posts = slow = 0;
	woken = timers = aborts = 0;
	root = fake_open("", ARIL_ALL, NEVER);
	par = fake_open("par", ARIL_ALL, 10);
	kid = fake_open("par.kid", ARIL_ALL, 10);
	parent = account_make(root, ARIL_ACCOUNT_ROOT, "par", 400, 0);
	child = account_make(par, parent, "par.kid", 200, 4);
	slot = child & 0xffff;
	SAME(alloc(FIRST, 20), 20);
	handler = fake_env(1, 0);
	handler->account = slot;
	SAME(fake_set_guard(root, handler->frame, 0, fake_guard("par.kid", ARIL_ALL, 0)), 1);
	fake_context(handler, 1, fake_frame());
	page = FIRST + 19;
	told = frame_memory(page);
}

static inline void with_handler(void)
{
	start();
	SAME(call_account_handler(kid, child, handler->id, 1, page), 0);
}

#endif
