/* SPDX-License-Identifier: MIT
 * The abort protocol: what is taken at the deadline, step by step, and what never is.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/allocate.c kernel/revoke.c */
#include "revoke_play.h"

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
	struct context *here = fake_cpu.ctx;
	expire();
	CHECK(here && fake_cpu.ctx == here);
	SAME(fake_charged, NULL); /* not the work of whom the deadline interrupted */
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

/* A frame of 2 MiB of which two are marked: the reserve has no more, and the rest goes, one by one. */
static void taking_a_large(void)
{
	struct aril_frame_op op = {.first = 512, .count = 512, .kind = ARIL_FRAME_JOIN};
	struct aril_frame_op keep = {
		.first = 512, .count = 1, .kind = ARIL_FRAME_MARK_KEEP, .tag = 1};

	with_handler();
	SAME(call_account_set(root, parent, ARIL_QUOTA_FRAMES, 800), 0);
	SAME(call_account_set(par, child, ARIL_QUOTA_FRAMES, 560), 0);
	SAME(alloc(512, 512), 512);
	SAME(call_frame_update(kid, &op, 1), 1);
	SAME(call_frame_update(kid, &keep, 1), 1);
	keep.first = 700;
	SAME(call_frame_update(kid, &keep, 1), 1);
	SAME(ask(ARIL_REVOKE_FRAMES, 510, 512, 1023, 1), 0);
	for (u32 i = 0; i < 20; i++)
		expire();
	SAME(accounts[slot].taken, 510);
	for (u32 f = 512; f < 1024; f++) {
		SAME(frames[f].account, f == 512 || f == 700 ? slot : 0);
		SAME(frames[f].state, ARIL_FRAME_NORMAL);
	}
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
	SAME(accounts[slot].wanted[0], 1); /* and is awaited, as one taken */
	frame_unpin(FIRST + 1);
	SAME(accounts[slot].wanted[0], 0);
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

int main(void)
{
	static const struct test tests[] = {
		TEST(taking_frames),   TEST(taking_all),    TEST(taking_a_large),
		TEST(taking_the_page), TEST(steps),	    TEST(hard_ones),
		TEST(devices),	       TEST(taking_slices), TEST(taking_grants),
		TEST(taking_gates),
	};

	return test_main(tests, array_count(tests));
}
