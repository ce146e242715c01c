/* SPDX-License-Identifier: MIT
 * Revocation: who may ask and answer, what is told, what counts as given, nobody there, several deadlines.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/allocate.c kernel/revoke.c */
#include "revoke_play.h"

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
	SAME(handler->handles, 1);
	SAME(call_account_handler(kid, child, 0, 0, 0), 0);
	SAME(handler->handles, 0);
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
		TEST(handlers), TEST(late_handler), TEST(asking),    TEST(giving),
		TEST(lowering), TEST(nobody),	    TEST(deadlines),
	};

	return test_main(tests, array_count(tests));
}
