/* SPDX-License-Identifier: MIT
 * Revocation: who may ask and answer, what is told, what counts as given, what is taken and what never is.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/allocate.c kernel/revoke.c */
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

static u32 account_make(u32 auth, u32 above, const char *name, u32 nframes_limit, u32 reserve)
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

static s64 alloc(u32 first, u32 count)
{
	struct aril_guard guard = fake_guard("par.kid", ARIL_ALL, 0);

	return call_frame_alloc(kid, child, first, count, &guard);
}

static s64 ask(u32 kind, u32 count, u32 first, u32 last, u64 deadline)
{
	struct aril_revocation want = {kind, count, first, last, 0, 0, deadline};

	return call_revoke(par, child, &want);
}

/* All that is overdue. */
static void expire(void)
{
	for (u32 i = 0; i < 1000 && now >= revoke_deadline; i++)
		revoke_expire(now);
	CHECK(now < revoke_deadline);
}

static void start(void)
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

static void with_handler(void)
{
	start();
	SAME(call_account_handler(kid, child, handler->id, 1, page), 0);
}

static void handlers(void)
{
	struct aril_guard reads = fake_guard("par.kid", ARIL_READ | ARIL_OWN, 0);
	u32 weak, other;

	start();
	weak = fake_open("par.kid", ARIL_ALL & ~ARIL_OWN, 10);
	SAME(call_account_handler(kid ^ 16, child, handler->id, 1, page), -ARIL_E_CAP);
	SAME(call_account_handler(kid, child + 1, handler->id, 1, page), -ARIL_E_RANGE);
	SAME(call_account_handler(weak, child, handler->id, 1, page), -ARIL_E_RIGHTS);
	SAME(call_account_handler(kid, child, 77, 1, page), -ARIL_E_ENV);
	SAME(call_account_handler(kid, child, fake_cpu.env->id, 1, page), -ARIL_E_RIGHTS);
	SAME(call_account_handler(kid, child, handler->id, ncpus, page), -ARIL_E_CPU);
	SAME(call_account_handler(kid, child, handler->id, 1, nframes), -ARIL_E_FRAME);
	SAME(call_frame_update(
		     kid, &(struct aril_frame_op){FIRST, 1, ARIL_FRAME_GUARD, 0, 0, 0, reads}, 1),
	     1);
	SAME(call_account_handler(kid, child, handler->id, 1, FIRST), -ARIL_E_RIGHTS);
	SAME(call_space_create(kid, FIRST + 1, FIRST + 2), 0);
	SAME(call_account_handler(kid, child, handler->id, 1, FIRST + 1), -ARIL_E_STATE);
	frames[FIRST + 3].flags |= ARIL_FRAME_BREAKING(0);
	SAME(call_account_handler(kid, child, handler->id, 1, FIRST + 3), -ARIL_E_STATE);
	frames[FIRST + 3].flags = 0;
	frames[FIRST + 3].level = 2;
	SAME(call_account_handler(kid, child, handler->id, 1, FIRST + 3), -ARIL_E_STATE);
	frames[FIRST + 3].level = 0;
	SAME(accounts[slot].handler, 0);
	SAME(frames[page].pins, 0);
	memset(told, 0xff, 4096);
	SAME(call_account_handler(kid, child, handler->id, 1, page), 0);
	SAME(accounts[slot].handler, handler->id);
	SAME(accounts[slot].handler_cpu, 1);
	SAME(accounts[slot].handler_frame, page);
	SAME(frames[page].pins, 1);
	SAME(told->head, 0);
	SAME(told->tail, 0);
	/* another page in its place, and the same again: one pin */
	other = FIRST + 4;
	SAME(call_account_handler(kid, child, handler->id, 0, other), 0);
	SAME(frames[page].pins, 0);
	SAME(call_account_handler(kid, child, handler->id, 0, other), 0);
	SAME(frames[other].pins, 1);
	SAME(call_account_handler(kid, child, 0, 0, 0), 0);
	SAME(frames[other].pins, 0);
	SAME(accounts[slot].handler, 0);
	SAME(accounts[slot].handler_frame, 0);
	SAME(posts, 0);
}

/* Who becomes the handler while something is open hears of it. */
static void late_handler(void)
{
	start();
	SAME(ask(ARIL_REVOKE_FRAMES, 3, FIRST, FIRST + 9, 2000), 0);
	SAME(posts, 0);
	SAME(call_account_handler(kid, child, handler->id, 1, page), 0);
	SAME(posts, 1);
	SAME(told->request[ARIL_REVOKE_FRAMES].wanted, 3);
	SAME(told->request[ARIL_REVOKE_FRAMES].deadline, 2000);
}

static void asking(void)
{
	struct aril_revocation want = {ARIL_REVOKE_FRAMES, 1, FIRST, FIRST, 0, 0, 5000};

	with_handler();
	SAME(call_revoke(par ^ 16, child, &want), -ARIL_E_CAP);
	SAME(call_revoke(par, child + 1, &want), -ARIL_E_RANGE);
	SAME(call_revoke(root, ARIL_ACCOUNT_ROOT, &want), -ARIL_E_RANGE);
	SAME(call_revoke(kid, child, &want), -ARIL_E_RIGHTS);
	SAME(call_revoke(par, child, BAD_ADDRESS), -ARIL_E_ADDR);
	want.kind = ARIL_REVOKE_KINDS;
	SAME(call_revoke(par, child, &want), -ARIL_E_RANGE);
	want.kind = 0;
	want.lower = 2;
	SAME(call_revoke(par, child, &want), -ARIL_E_RANGE);
	want.lower = 0;
	want.zero = 1;
	SAME(call_revoke(par, child, &want), -ARIL_E_RANGE);
	want.zero = 0;
	want.first = FIRST + 1;
	SAME(call_revoke(par, child, &want), -ARIL_E_RANGE);
	want.first = FIRST;
	want.last = nframes;
	SAME(call_revoke(par, child, &want), -ARIL_E_RANGE);
	SAME(ask(ARIL_REVOKE_SLICES, 1, 0, ncpus * ARIL_SLICES, 5000), -ARIL_E_RANGE);
	SAME(ask(ARIL_REVOKE_GRANTS, 1, 0, ARIL_MAX_GRANTS, 5000), -ARIL_E_RANGE);
	SAME(ask(ARIL_REVOKE_GATES, 1, 77, 77, 5000), -ARIL_E_RANGE); /* nobody */
	SAME(ask(ARIL_REVOKE_GATES, 1, fake_cpu.env->id, fake_cpu.env->id, 5000), -ARIL_E_RANGE);
	SAME(ask(ARIL_REVOKE_GATES, 1, handler->id, handler->id + 1, 5000), -ARIL_E_RANGE);
	SAME(ask(ARIL_REVOKE_GATES, 2, handler->id, handler->id, 5000), -ARIL_E_RANGE);
	want = (struct aril_revocation){ARIL_REVOKE_GATES, 1, handler->id, handler->id, 1, 0, 5000};
	SAME(call_revoke(par, child, &want), -ARIL_E_RANGE);
	SAME(posts, 0);
	SAME(revoke_deadline, NEVER);
	SAME(ask(ARIL_REVOKE_FRAMES, 1, FIRST, nframes - 1, 5000), 0);
	SAME(ask(ARIL_REVOKE_SLICES, 1, 0, ncpus * ARIL_SLICES - 1, 4000), 0);
	SAME(timers, 2);
	SAME(ask(ARIL_REVOKE_GRANTS, 1, 0, ARIL_MAX_GRANTS - 1, 6000), 0);
	SAME(ask(ARIL_REVOKE_GATES, 1, handler->id, handler->id, 7000), 0);
	SAME(timers, 2); /* the timer fires before that already */
	SAME(posts, 4);
	SAME(revoke_deadline, 4000);
}

/* Counted down, closed by the last, by withdrawal, replaced by another. */
static void giving(void)
{
	const volatile struct aril_request *r;
	struct aril_revocation want = {ARIL_REVOKE_FRAMES, 0, 0, 0, 0, 0, 0};
	struct context *ctx;
	u32 serial;
	u64 at;

	with_handler();
	r = &told->request[ARIL_REVOKE_FRAMES];
	ctx = &handler->ctx[1];
	ctx->env = handler;
	ctx->cpu = 1;
	SAME(ask(ARIL_REVOKE_FRAMES, 2, FIRST + 2, FIRST + 9, 5000), 0);
	SAME(revoke_kinds(ctx, &at), 1 << ARIL_REVOKE_FRAMES);
	SAME(at, 5000);
	ctx->cpu = 0;
	SAME(revoke_kinds(ctx, &at), 0);
	SAME(at, 0);
	ctx->cpu = 1;
	SAME(accounts[slot].wanted[0], 2);
	SAME(accounts[slot].revoked, 2);
	SAME(r->wanted, 2);
	SAME(r->first, FIRST + 2);
	SAME(r->last, FIRST + 9);
	serial = r->serial;
	SAME(call_frame_free(kid, FIRST + 1, 1), 1); /* neither of these is meant */
	SAME(call_frame_free(kid, FIRST + 10, 1), 1);
	SAME(r->wanted, 2);
	SAME(call_frame_free(kid, FIRST + 2, 1), 1);
	SAME(r->wanted, 1);
	SAME(call_frame_free(kid, FIRST + 9, 1), 1);
	SAME(r->wanted, 0);
	SAME(accounts[slot].wanted[0], 0);
	SAME(accounts[slot].given, 2);
	SAME(accounts[slot].taken, 0);
	SAME(revoke_deadline, NEVER);
	SAME(revoke_kinds(ctx, &at), 0);
	SAME(call_frame_free(kid, FIRST + 3, 1), 1); /* nobody asked */
	SAME(accounts[slot].given, 2);
	SAME(ask(ARIL_REVOKE_FRAMES, 9, FIRST, FIRST + 9, 5000), 0);
	SAME(ask(ARIL_REVOKE_FRAMES, 3, FIRST, FIRST + 9, 9000), 0);
	SAME(r->wanted, 3);
	SAME(r->serial, serial + 2);
	SAME(revoke_deadline, 9000);
	want.kind = ARIL_REVOKE_FRAMES;
	want.first = ~0u; /* of no matter here */
	SAME(call_revoke(par, child, &want), 0);
	SAME(r->wanted, 0);
	SAME(revoke_deadline, NEVER);
	SAME(accounts[slot].limit[ARIL_QUOTA_FRAMES], 200);
}

static void lowering(void)
{
	struct aril_revocation want = {ARIL_REVOKE_FRAMES, 3, FIRST, FIRST + 9, 1, 0, 5000};

	with_handler();
	u32 above = accounts[parent & 0xffff].limit[ARIL_QUOTA_FRAMES];
	SAME(call_revoke(par, child, &want), 0);
	SAME(call_frame_free(kid, FIRST, 2), 2);
	SAME(accounts[slot].limit[ARIL_QUOTA_FRAMES], 198);
	now = 5000;
	expire();
	SAME(accounts[slot].limit[ARIL_QUOTA_FRAMES], 197);
	SAME(accounts[parent & 0xffff].limit[ARIL_QUOTA_FRAMES], above + 3);
	SAME(accounts[slot].given, 2);
	SAME(accounts[slot].taken, 1);
	/* not below the reserve */
	SAME(call_account_set(par, child, ARIL_QUOTA_FRAMES, 17), 0);
	want.count = 16;
	want.last = nframes - 1;
	SAME(call_revoke(par, child, &want), 0);
	expire();
	SAME(accounts[slot].used[ARIL_QUOTA_FRAMES], 1);
	SAME(accounts[slot].limit[ARIL_QUOTA_FRAMES], 4);
}

/* What is taken: the unpinned first, by number; recorded with its tag; free afterwards. */
static void taking_frames(void)
{
	struct aril_frame_op tag = {
		.first = FIRST + 1, .count = 1, .kind = ARIL_FRAME_TAG, .tag = 4711};
	struct aril_frame_op keep = {
		.first = FIRST + 2, .count = 1, .kind = ARIL_FRAME_MARK_KEEP, .tag = 1};
	u32 space, leaf;

	with_handler();
	SAME(call_frame_update(kid, &tag, 1), 1);
	SAME(call_frame_update(kid, &keep, 1), 1);
	fake_context(handler, 0, FIRST);
	space = fake_space(root, VA, &leaf);
	SAME(fake_op(root, space, ARIL_BIND, VA, FIRST + 1, 2, ARIL_BIND_WRITE, kid), 1);
	SAME(ask(ARIL_REVOKE_FRAMES, 2, FIRST, FIRST + 9, 5000), 0);
	posts = 0;
	now = 4999;
	revoke_expire(now);
	SAME(told->head, 0);
	now = 5000;
	u32 flushes = fake_flushes;
	expire();
	SAME(fake_flushes, flushes + 1);
	SAME(posts, 1);
	SAME(woken, (u64)page << ARIL_PAGE_SHIFT);
	SAME(told->head, 2);
	SAME(told->loss[0].kind, ARIL_REVOKE_FRAMES);
	SAME(told->loss[0].what, FIRST + 1);
	SAME(told->loss[0].tag, 4711);
	SAME(told->loss[0].when, 5000);
	SAME(told->loss[1].what, FIRST + 3); /* FIRST is pinned, FIRST + 2 is kept */
	SAME(told->request[0].wanted, 0);
	SAME(fake_entry(space, VA), 0);
	CHECK(fake_entry(space, VA + 4096) & PTE_P);
	SAME(frames[FIRST + 1].account, 0);
	SAME(frames[FIRST + 1].guard[0].rights, 0);
	SAME(frames[FIRST + 1].flags & FRAME_GOING, 0);
	CHECK(frames[FIRST + 1].flags & ARIL_FRAME_USED);
	SAME(accounts[slot].taken, 2);
	SAME(accounts[slot].given, 0);
	SAME(alloc(FIRST + 1, 1), 1);
	SAME(*(u64 *)frame_memory(FIRST + 1), 0);
	BOOKS();
}

/* More than there is: tables, spaces, envs and pages that are pinned go too, but not those that are kept. */
static void taking_all(void)
{
	struct aril_frame_op keep = {
		.first = page, .count = 1, .kind = ARIL_FRAME_MARK_KEEP, .tag = 1};
	struct aril_env_info *victim;
	u32 before;

	with_handler();
	SAME(call_frame_update(kid, &keep, 1), 1);
	keep.first = FIRST + 6;
	SAME(call_frame_update(kid, &keep, 1), 1);
	SAME(call_space_create(kid, FIRST, FIRST + 1), 0);
	SAME(call_space_table(kid, FIRST, VA, 3, FIRST + 2, FIRST + 3), 0);
	SAME(call_space_create(kid, FIRST + 6, FIRST + 7), 0); /* kept, its shadow too */
	CHECK(frames[FIRST + 6].flags & ARIL_FRAME_KEEP);
	fake_context(fake_env(2, FIRST), 0, FIRST + 4);
	victim = &env_infos[3];
	SAME(victim->state, ARIL_ENV_ALIVE);
	before = accounts[slot].used[ARIL_QUOTA_FRAMES];
	SAME(ask(ARIL_REVOKE_FRAMES, 1000, 0, nframes - 1, 0), 0);
	expire();
	SAME(victim->state, ARIL_ENV_DEAD);
	SAME(accounts[slot].used[ARIL_QUOTA_FRAMES], 3);
	SAME(accounts[slot].taken, before - 3);
	SAME(told->head, before - 3);
	SAME(frames[page].account, slot);
	SAME(frames[FIRST + 6].state, ARIL_FRAME_SPACE);
	SAME(frames[FIRST + 7].state, ARIL_FRAME_SHADOW);
	for (u32 f = FIRST; f < FIRST + 19; f++)
		if (f != FIRST + 6 && f != FIRST + 7)
			CHECK(frames[f].account == 0 && frames[f].state == ARIL_FRAME_NORMAL);
	SAME(handler->info->state, ARIL_ENV_ALIVE);
	BOOKS();
}

/* The page itself, where it was not kept: then nobody is told. */
static void taking_the_page(void)
{
	with_handler();
	SAME(ask(ARIL_REVOKE_FRAMES, 1000, page, page, 500), 0);
	posts = 0;
	expire();
	SAME(frames[page].account, 0);
	SAME(frames[page].pins, 0);
	SAME(accounts[slot].handler, 0);
	SAME(posts, 0);
	SAME(woken, 0);
}

/* A step is bounded, and does not take more than was asked. */
static void steps(void)
{
	with_handler();
	SAME(alloc(FIRST + 20, 150), 150);
	SAME(ask(ARIL_REVOKE_FRAMES, 140, 16, nframes - 1, 1), 0);
	revoke_expire(now);
	CHECK(accounts[slot].taken > 0);
	CHECK(accounts[slot].taken < 140);
	CHECK(revoke_deadline <= now);
	expire();
	SAME(accounts[slot].taken, 140);
	SAME(told->head, ARIL_LOSSES); /* nobody read them */
	SAME(told->overflow, 140 - ARIL_LOSSES);
	told->tail = 10;
	SAME(ask(ARIL_REVOKE_FRAMES, 3, 16, nframes - 1, 1), 0);
	expire();
	SAME(told->head, ARIL_LOSSES + 3);
	/* the kernel believes nothing that stands there */
	told->head = 12345;
	told->tail = 99999;
	SAME(ask(ARIL_REVOKE_FRAMES, 1, 16, nframes - 1, 1), 0);
	expire();
	SAME(told->overflow, 140 - ARIL_LOSSES + 1);
	SAME(accounts[slot].taken, 144);
}

/* A frame with more bindings than one step breaks; one that nobody can take. */
static void hard_ones(void)
{
	u32 space = 0;

	with_handler();
	for (u64 i = 0; i < 5; i++) {
		space = fake_space(root, VA, NULL);
		for (u64 at = 0; at < 512; at++)
			SAME(fake_op(root, space, ARIL_BIND, VA + at * 4096, FIRST, 1, 0, kid), 1);
	}
	frames[FIRST + 1].state = ARIL_FRAME_QUEUE;
	SAME(ask(ARIL_REVOKE_FRAMES, 2, FIRST, FIRST + 1, 1), 0);
	revoke_expire(now);
	SAME(told->head, 0);
	SAME(frames[FIRST].account, slot);
	SAME(fake_op(root, space, ARIL_BIND, VA, FIRST, 1, 0, kid),
	     -ARIL_E_STATE); /* no new ones */
	expire();
	SAME(told->head, 1);
	SAME(frames[FIRST].account, 0);
	SAME(frames[FIRST + 1].account, slot);
	SAME(accounts[slot].wanted[0], 0);
	frames[FIRST + 1].state = ARIL_FRAME_NORMAL;
	BOOKS();
}

/* One in a device's hands counts when that has finished. */
static void devices(void)
{
	with_handler();
	frame_pin(FIRST);
	SAME(ask(ARIL_REVOKE_FRAMES, 1, FIRST, FIRST, 1), 0);
	expire();
	CHECK(frames[FIRST].flags & ARIL_FRAME_FREED);
	SAME(accounts[slot].wanted[0], 1);
	SAME(told->head, 1);
	frame_unpin(FIRST);
	SAME(accounts[slot].wanted[0], 0);
	SAME(frames[FIRST].account, 0);
	/* frames that it gives itself count beside */
	frame_pin(FIRST + 1);
	SAME(ask(ARIL_REVOKE_FRAMES, 2, FIRST + 1, FIRST + 2, 5000), 0);
	SAME(call_frame_free(kid, FIRST + 1, 2), 2);
	SAME(accounts[slot].wanted[0], 1);
	now = 5000;
	expire();
	SAME(accounts[slot].wanted[0], 0);
	frame_unpin(FIRST + 1);
}

static void taking_slices(void)
{
	struct aril_revocation want = {ARIL_REVOKE_SLICES, 2, 1, 9, 1, 0, 1};

	with_handler();
	for (u32 at = 0; at < 5; at++) {
		slice[at].account = at == 2 ? parent & 0xffff : slot;
		account_charge(slice[at].account, ARIL_QUOTA_SLICES);
	}
	SAME(call_revoke(par, child, &want), 0);
	slice_release(&slice[0]);
	SAME(accounts[slot].wanted[ARIL_REVOKE_SLICES], 2);
	expire();
	SAME(slice[1].account, 0);
	SAME(slice[2].account, parent & 0xffff);
	SAME(slice[3].account, 0);
	SAME(slice[4].account, slot);
	SAME(told->head, 2);
	SAME(told->loss[1].kind, ARIL_REVOKE_SLICES);
	SAME(told->loss[1].what, 3);
	SAME(accounts[slot].taken, 2);
	SAME(accounts[slot].limit[ARIL_QUOTA_SLICES], 6);
	want.count = 100;
	SAME(call_revoke(par, child, &want), 0);
	expire();
	SAME(slice[4].account, 0);
	SAME(accounts[slot].wanted[ARIL_REVOKE_SLICES], 0);
	SAME(accounts[slot].limit[ARIL_QUOTA_SLICES], 5);
	/* as low as what is used, not lower */
	accounts[slot].limit[ARIL_QUOTA_SLICES] = 1;
	for (u32 at = 0; at < 2; at++) {
		slice[at].account = slot;
		account_charge(slot, ARIL_QUOTA_SLICES);
	}
	want.first = want.count = 1;
	SAME(call_revoke(par, child, &want), 0);
	expire();
	SAME(accounts[slot].limit[ARIL_QUOTA_SLICES], 1);
}

static void taking_grants(void)
{
	with_handler();
	for (u32 n = 3; n < 6; n++) {
		grant[n].account = slot;
		account_charge(slot, ARIL_QUOTA_GRANTS);
	}
	SAME(ask(ARIL_REVOKE_GRANTS, 2, 0, 63, 1), 0);
	slow = 2;
	revoke_expire(now);
	SAME(told->head, 0);
	SAME(accounts[slot].wanted[ARIL_REVOKE_GRANTS], 2);
	expire();
	SAME(told->head, 2);
	SAME(told->loss[0].what, 3);
	SAME(grant[5].account, slot);
	SAME(ask(ARIL_REVOKE_GRANTS, 2, 0, 63, 1), 0);
	expire();
	SAME(grant[5].account, 0);
	SAME(accounts[slot].taken, 3);
}

static void taking_gates(void)
{
	with_handler();
	env_gate_set(handler, 0x1000);
	SAME(ask(ARIL_REVOKE_GATES, 1, handler->id, handler->id, 5000), 0);
	env_gate_set(handler, 0);
	revoke_given(slot, ARIL_REVOKE_GATES, handler->id);
	SAME(accounts[slot].given, 1);
	SAME(revoke_deadline, NEVER);
	env_gate_set(handler, 0x1000);
	SAME(ask(ARIL_REVOKE_GATES, 1, handler->id, handler->id, 1), 0);
	expire();
	SAME(aborts, 1);
	SAME(accounts[slot].taken, 1);
	SAME(told->loss[0].kind, ARIL_REVOKE_GATES);
	SAME(told->loss[0].what, handler->id);
	SAME(ask(ARIL_REVOKE_GATES, 1, handler->id, handler->id, 1), 0);
	u32 told_before = posts;
	expire(); /* closed already: nothing to tell */
	SAME(posts, told_before);
	SAME(aborts, 1);
	SAME(told->head, 1);
	SAME(ask(ARIL_REVOKE_GATES, 1, handler->id, handler->id, 1), 0);
	revoke_env_gone(handler);
	SAME(accounts[slot].given, 2);
	SAME(accounts[slot].handler, 0);
	SAME(frames[page].pins, 0);
}

/* Nobody to tell, and nobody there any more: nothing breaks. */
static void nobody(void)
{
	start();
	SAME(ask(ARIL_REVOKE_FRAMES, 5, 0, nframes - 1, 1), 0);
	expire();
	SAME(accounts[slot].taken, 5);
	SAME(posts, 0);
	with_handler();
	env_destroy(handler, 0, 0);
	SAME(ask(ARIL_REVOKE_FRAMES, 1, 0, nframes - 1, 1), 0);
	expire();
	SAME(posts, 0);
	with_handler();
	handler->ctx[1].state = CTX_NONE;
	SAME(ask(ARIL_REVOKE_FRAMES, 1, 0, nframes - 1, 1), 0);
	expire();
	SAME(posts, 0);
	/* its owner takes the page back */
	with_handler();
	SAME(call_frame_reset(kid, page), 0);
	SAME(accounts[slot].handler, 0);
	SAME(frames[page].pins, 0);
	/* the account goes with a request open, its page being another's */
	with_handler();
	handler->account = 1;
	u32 far = fake_frame();
	SAME(fake_set_guard(root, far, 0, fake_guard("par.kid", ARIL_ALL, 0)), 1);
	SAME(call_account_handler(kid, child, handler->id, 1, far), 0);
	SAME(call_frame_free(kid, FIRST, 20), 20);
	SAME(ask(ARIL_REVOKE_FRAMES, 1, 0, nframes - 1, 9000), 0);
	SAME(call_account_destroy(par, child), 0);
	SAME(frames[far].pins, 0);
	SAME(revoke_deadline, NEVER);
	SAME(accounts[slot].wanted[0], 0);
}

/* Several accounts: the nearest deadline goes first, and each has its own. */
static void deadlines(void)
{
	struct aril_revocation want = {ARIL_REVOKE_FRAMES, 1, 0, nframes - 1, 0, 0, 3000};
	struct aril_guard guard = fake_guard("par.sib", ARIL_ALL, 0);
	u32 other;

	with_handler();
	other = account_make(par, parent, "par.sib", 10, 0);
	SAME(call_frame_alloc(par, other, FIRST + 50, 5, &guard), 5);
	SAME(ask(ARIL_REVOKE_FRAMES, 1, 0, nframes - 1, 4000), 0);
	SAME(call_revoke(par, other, &want), 0);
	SAME(revoke_deadline, 3000);
	now = 3500;
	expire();
	SAME(revoke_deadline, 4000);
	SAME(accounts[other & 0xffff].taken, 1);
	SAME(accounts[slot].taken, 0);
	now = 4500;
	expire();
	SAME(accounts[slot].taken, 1);
	SAME(accounts[other & 0xffff].taken, 1);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(handlers),	     TEST(late_handler),  TEST(asking),	    TEST(giving),
		TEST(lowering),	     TEST(taking_frames), TEST(taking_all), TEST(taking_the_page),
		TEST(steps),	     TEST(devices),	  TEST(hard_ones),  TEST(taking_slices),
		TEST(taking_grants), TEST(taking_gates),  TEST(nobody),	    TEST(deadlines),
	};

	return test_main(tests, array_count(tests));
}
