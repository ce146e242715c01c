/* SPDX-License-Identifier: MIT
 * Accounts: limits that move between parent and child, what is charged, work within a slice.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/allocate.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fake.h"

#include "account.h"

#define ROOT 1

static u32 root, dom, other;
static struct aril_account *top;

static void start(void)
{
	fake_reset();
	root = fake_open("", ARIL_ALL, ~0ul);
	dom = fake_open("dom", ARIL_ALL, 10);
	other = fake_open("other", ARIL_ALL, 10);
	top = &accounts[ROOT];
}

static struct aril_account_desc good_desc(void)
{
	struct aril_account_desc desc = {.guard = fake_guard("dom", ARIL_ALL, 0), .reserve = 5};

	for (u32 q = 0; q < ARIL_QUOTAS; q++)
		desc.limit[q] = 10;
	return desc;
}

static s64 create(u32 auth, u32 parent, struct aril_account_desc desc)
{
	return call_account_create(auth, parent, &desc);
}

static u32 slot_of(s64 id)
{
	return id & 0xffff;
}

/* The sum of a quota's limits over all accounts: what the machine has. */
static u32 sum(u32 q)
{
	u32 n = 0;

	for (u32 i = 0; i < ARIL_MAX_ACCOUNTS; i++)
		n += accounts[i].id ? accounts[i].limit[q] : 0;
	return n;
}

static void creating(void)
{
	struct aril_account_desc desc;
	u32 sums[ARIL_QUOTA_HELD];
	s64 id, again;

	start();
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		sums[q] = sum(q);
	SAME(top->limit[ARIL_QUOTA_FRAMES], FAKE_FRAMES - FAKE_FREE);
	SAME(top->limit[ARIL_QUOTA_ENVS], ARIL_MAX_ENVS - 1);
	SAME(top->limit[ARIL_QUOTA_SLICES], 2 * ARIL_SLICES);
	SAME(top->limit[ARIL_QUOTA_ACCOUNTS], ARIL_MAX_ACCOUNTS - 2);
	SAME(top->limit[ARIL_QUOTA_WORK], ~0u);
	SAME(create(root ^ 16, ARIL_ACCOUNT_ROOT, good_desc()), -ARIL_E_CAP);
	SAME(create(root, 0, good_desc()), -ARIL_E_RANGE);
	SAME(create(root, ARIL_ACCOUNT_ROOT + 0x10000, good_desc()), -ARIL_E_RANGE);
	SAME(create(root, 0x10000 + ARIL_MAX_ACCOUNTS, good_desc()), -ARIL_E_RANGE);
	SAME(create(root, 0x10000, good_desc()), -ARIL_E_RANGE); /* slot 0 is nobody's */
	SAME(create(dom, ARIL_ACCOUNT_ROOT, good_desc()), -ARIL_E_RIGHTS);
	SAME(create(fake_open("", ARIL_ALL & ~ARIL_OWN, ~0ul), ARIL_ACCOUNT_ROOT, good_desc()),
	     -ARIL_E_RIGHTS);
	SAME(call_account_create(root, ARIL_ACCOUNT_ROOT, BAD_ADDRESS), -ARIL_E_ADDR);
#define REFUSED(auth, parent, change, why)                  \
	do {                                                \
		desc = good_desc();                         \
		change;                                     \
		SAME(create(auth, parent, desc), -(why));   \
		SAME(top->used[ARIL_QUOTA_ACCOUNTS], made); \
	} while (0)
	u32 made = 0;
	REFUSED(root, ARIL_ACCOUNT_ROOT, desc.guard.zero[1] = 1, ARIL_E_RANGE);
	REFUSED(root, ARIL_ACCOUNT_ROOT, desc.guard.rights &= ~ARIL_OWN, ARIL_E_RANGE);
	REFUSED(root, ARIL_ACCOUNT_ROOT, desc.zero = 1, ARIL_E_RANGE);
	REFUSED(root, ARIL_ACCOUNT_ROOT, desc.reserve = 11, ARIL_E_RANGE);
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		REFUSED(root, ARIL_ACCOUNT_ROOT, desc.limit[q] = top->limit[q] + 1, ARIL_E_RANGE);
	/* the child itself is one of the parent's */
	REFUSED(root, ARIL_ACCOUNT_ROOT,
		desc.limit[ARIL_QUOTA_ACCOUNTS] = top->limit[ARIL_QUOTA_ACCOUNTS], ARIL_E_RANGE);
	id = create(root, ARIL_ACCOUNT_ROOT, good_desc());
	CHECK(id > 0);
	const struct aril_account *child = account_get(id);
	SAME(child == &accounts[slot_of(id)], 1);
	SAME(child->parent, ARIL_ACCOUNT_ROOT);
	SAME(child->reserve, 5);
	SAME(top->used[ARIL_QUOTA_ACCOUNTS], 1);
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		SAME(sum(q), sums[q]);
	made = 1;
	/* and below it, by its owner, under names that it dominates */
	REFUSED(dom, id, desc.guard = fake_guard("other", ARIL_ALL, 0), ARIL_E_RIGHTS);
	REFUSED(dom, id, desc.guard.generation = 11, ARIL_E_RIGHTS);
	REFUSED(other, id, (void)0, ARIL_E_RIGHTS);
	REFUSED(dom, id, desc.limit[ARIL_QUOTA_ACCOUNTS] = 0;
		desc.limit[ARIL_QUOTA_FRAMES] = 5; /* else it is refused for these */
		desc.limit[ARIL_QUOTA_WORK] = 11, ARIL_E_RANGE);
	REFUSED(dom, id, desc.limit[ARIL_QUOTA_ACCOUNTS] = 0;
		desc.limit[ARIL_QUOTA_FRAMES] = 5; /* else it is refused for these */
		desc.limit[ARIL_QUOTA_FLUSHES] = 11, ARIL_E_RANGE);
	/* of its 10 frames 5 are reserved to it */
	REFUSED(dom, id, desc.limit[ARIL_QUOTA_ACCOUNTS] = 0;
		desc.limit[ARIL_QUOTA_FRAMES] = 6, ARIL_E_RANGE);
	desc.limit[ARIL_QUOTA_FRAMES] = 5;
	again = create(dom, id, desc);
	CHECK(again > 0);
	SAME(call_account_set(dom, again, ARIL_QUOTA_FRAMES, 6), -ARIL_E_RANGE);
	SAME(child->limit[ARIL_QUOTA_FRAMES], 5);
	SAME(call_account_destroy(dom, again), 0);
	for (u32 i = 0; i < 10; i++) {
		desc = (struct aril_account_desc){.guard = fake_guard("domx", ARIL_ALL, 0)};
		CHECK(create(dom, id, desc) > 0);
	}
	SAME(create(dom, id, desc), -ARIL_E_QUOTA);
	SAME(child->refused, 1);
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		SAME(sum(q), sums[q]);
}

static void destroying(void)
{
	u32 sums[ARIL_QUOTA_HELD];
	s64 id, again;

	start();
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		sums[q] = top->limit[q];
	id = create(root, ARIL_ACCOUNT_ROOT, good_desc());
	SAME(call_account_destroy(root ^ 16, id), -ARIL_E_CAP);
	SAME(call_account_destroy(root, id + 0x10000), -ARIL_E_RANGE);
	SAME(call_account_destroy(root, ARIL_ACCOUNT_ROOT), -ARIL_E_RANGE);
	SAME(call_account_destroy(dom, id), -ARIL_E_RIGHTS); /* its parent's to do */
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++) {
		account_charge(slot_of(id), q);
		SAME(call_account_destroy(root, id), -ARIL_E_STATE);
		account_credit(slot_of(id), q, 7);
	}
	SAME(fake_given[ARIL_REVOKE_FRAMES], 1);
	SAME(fake_given[ARIL_REVOKE_SLICES], 1);
	SAME(fake_given[ARIL_REVOKE_GRANTS], 1);
	SAME(fake_given_what, 7);
	SAME(call_account_destroy(root, id), 0);
	SAME(account_get(id) == NULL, 1);
	SAME(call_account_destroy(root, id), -ARIL_E_RANGE);
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		SAME(top->limit[q], sums[q]);
	SAME(top->used[ARIL_QUOTA_ACCOUNTS], 0);
	again = create(root, ARIL_ACCOUNT_ROOT,
		       good_desc()); /* the slot is used again, the id is not */
	SAME(slot_of(again), slot_of(id));
	CHECK(again != id);
	/* even when the generations have come round */
	for (u32 i = 0; i < 0x10000; i++) {
		SAME(call_account_destroy(root, again), 0);
		again = create(root, ARIL_ACCOUNT_ROOT, good_desc());
		CHECK(again >= 0x10000);
	}
}

static void setting(void)
{
	struct aril_account_desc desc = good_desc();
	s64 id, below;

	start();
	id = create(root, ARIL_ACCOUNT_ROOT, good_desc());
	struct aril_account *child = account_get(id);
	u32 frames_all = sum(ARIL_QUOTA_FRAMES);
	SAME(call_account_set(root ^ 16, id, 0, 5), -ARIL_E_CAP);
	SAME(call_account_set(dom, id, 0, 5), -ARIL_E_RIGHTS);
	SAME(call_account_set(root, id + 1, 0, 5), -ARIL_E_RANGE);
	SAME(call_account_set(root, ARIL_ACCOUNT_ROOT, 0, 5), -ARIL_E_RANGE);
	SAME(call_account_set(root, id, ARIL_QUOTAS, 5), -ARIL_E_RANGE);
	SAME(call_account_set(root, id, ARIL_QUOTA_FRAMES, 4), -ARIL_E_RANGE); /* its reserve */
	SAME(call_account_set(root, id, ARIL_QUOTA_FRAMES, 5), 0);
	u32 most = frames_all - top->used[ARIL_QUOTA_FRAMES];
	SAME(call_account_set(root, id, ARIL_QUOTA_FRAMES, most + 1), -ARIL_E_RANGE);
	SAME(call_account_set(root, id, ARIL_QUOTA_FRAMES, most), 0);
	SAME(top->limit[ARIL_QUOTA_FRAMES], top->used[ARIL_QUOTA_FRAMES]);
	SAME(call_account_set(root, id, ARIL_QUOTA_FRAMES, 100), 0);
	SAME(sum(ARIL_QUOTA_FRAMES), frames_all);
	SAME(child->limit[ARIL_QUOTA_FRAMES], 100);
	account_charge(slot_of(id), ARIL_QUOTA_ENVS);
	SAME(call_account_set(root, id, ARIL_QUOTA_ENVS, 0), -ARIL_E_RANGE);
	SAME(call_account_set(root, id, ARIL_QUOTA_ENVS, 1), 0);
	account_credit(slot_of(id), ARIL_QUOTA_ENVS, 0);
	/* work: never more than the parent's, never less than a child's */
	desc.limit[ARIL_QUOTA_ACCOUNTS] = 0;
	desc.limit[ARIL_QUOTA_ENVS] = 1;
	below = create(dom, id, desc);
	CHECK(below > 0);
	SAME(call_account_set(dom, below, ARIL_QUOTA_WORK, 11), -ARIL_E_RANGE);
	SAME(call_account_set(root, id, ARIL_QUOTA_WORK, 9), -ARIL_E_RANGE);
	SAME(call_account_set(dom, below, ARIL_QUOTA_WORK, 9), 0);
	SAME(call_account_set(root, id, ARIL_QUOTA_WORK, 9), 0);
	SAME(child->limit[ARIL_QUOTA_WORK], 9);
}

static void guarding(void)
{
	struct aril_guard given = good_desc().guard;
	s64 id;

	start();
	id = create(root, ARIL_ACCOUNT_ROOT, good_desc());
	SAME(call_account_guard(root ^ 16, id, &given), -ARIL_E_CAP);
	SAME(call_account_guard(root, id + 1, &given), -ARIL_E_RANGE);
	SAME(call_account_guard(other, id, &given), -ARIL_E_RIGHTS);
	SAME(call_account_guard(root, ARIL_ACCOUNT_ROOT, &given), -ARIL_E_RANGE);
	SAME(call_account_guard(root, id, BAD_ADDRESS), -ARIL_E_ADDR);
	given.rights = ARIL_ALL & ~ARIL_OWN;
	SAME(call_account_guard(root, id, &given), -ARIL_E_RANGE);
	given.rights = ARIL_ALL;
	SAME(account_check(id, auth_get(this_cpu()->env, other), ARIL_WRITE), -ARIL_E_RIGHTS);
	SAME(account_check(id, auth_get(this_cpu()->env, dom), ARIL_WRITE), slot_of(id));
	given = fake_guard("other", ARIL_ALL, 0);
	SAME(call_account_guard(dom, id, &given), -ARIL_E_RIGHTS); /* not below its name */
	SAME(call_account_guard(root, id, &given), 0);
	SAME(account_check(id, auth_get(this_cpu()->env, dom), ARIL_WRITE), -ARIL_E_RIGHTS);
	SAME(account_check(id, auth_get(this_cpu()->env, other), ARIL_WRITE), slot_of(id));
	given.generation = ~0ul; /* newer than its own */
	SAME(call_account_guard(other, id, &given), -ARIL_E_RIGHTS);
	given.generation = 0;
	given.rights = ARIL_OWN; /* its right to charge it, given up */
	SAME(call_account_guard(other, id, &given), 0);
	SAME(account_check(id, auth_get(this_cpu()->env, other), ARIL_WRITE), -ARIL_E_RIGHTS);
}

static void charging(void)
{
	s64 id;

	start();
	id = create(root, ARIL_ACCOUNT_ROOT, good_desc());
	u32 slot = slot_of(id), refused = accounts[slot].refused;
	u32 others = top->used[ARIL_QUOTA_FRAMES], frame = fake_frame();
	SAME(account_room(slot, ARIL_QUOTA_GRANTS, 10), 0);
	SAME(account_room(slot, ARIL_QUOTA_GRANTS, 11), -ARIL_E_QUOTA);
	SAME(accounts[slot].refused, refused + 1);
	SAME(account_room(0, ARIL_QUOTA_GRANTS, ~0u), 0); /* nobody's */
	account_charge(slot, ARIL_QUOTA_GRANTS);
	SAME(account_room(slot, ARIL_QUOTA_GRANTS, 10), -ARIL_E_QUOTA);
	accounts[slot].limit[ARIL_QUOTA_GRANTS] = 0; /* a revocation lowers below what is used */
	SAME(account_left(slot, ARIL_QUOTA_GRANTS), 0);
	SAME(account_check(id, &auth_root, ARIL_WRITE), slot);
	account_move_frame(frame, slot);
	SAME(accounts[slot].used[ARIL_QUOTA_FRAMES], 1);
	account_keep(frame, 1);
	account_keep(frame, 1);
	SAME(accounts[slot].kept, 1);
	account_move_frame(frame, slot);
	SAME(accounts[slot].kept, 1);
	account_move_frame(frame, ROOT);
	SAME(accounts[slot].kept, 0);
	SAME(frames[frame].flags & ARIL_FRAME_KEEP, 0);
	SAME(accounts[slot].used[ARIL_QUOTA_FRAMES], 0);
	SAME(fake_given_what, frame);
	account_move_frame(frame, 0);
	SAME(top->used[ARIL_QUOTA_FRAMES], others);
}

static void working(void)
{
	struct aril_space_op op = {.va = 0x40000000, .count = 10, .kind = ARIL_UNBIND};
	s64 id;

	start();
	id = create(root, ARIL_ACCOUNT_ROOT, good_desc());
	struct aril_account *account = account_get(id);
	struct env *env = fake_cpu.env;
	u32 space = fake_space(root, 0x40000000, NULL);
	u64 before = env->info->work;
	env->account = slot_of(id);
	fake_cpu.slice_end = 1;
	account->limit[ARIL_QUOTA_WORK] = 15;
	op.auth = root;
	SAME(call_space_update(root, space, &op, 1), 1);
	SAME(call_space_update(root, space, &op, 1), 1); /* begun within the limit */
	SAME(call_space_update(root, space, &op, 1), -ARIL_E_QUOTA);
	SAME(account->refused, 1);
	SAME(account->work, 20);
	SAME(env->info->work - before, 20);
	struct aril_frame_op tag = {.first = fake_frame(), .count = 1, .kind = ARIL_FRAME_TAG};
	SAME(call_frame_update(root, &tag, 1), -ARIL_E_QUOTA);
	SAME(call_frame_free(root, tag.first, 1), -ARIL_E_QUOTA);
	fake_cpu.slice_end = 2; /* the next slice */
	SAME(call_frame_update(root, &tag, 1), 1);
	SAME(call_space_update(root, space, &op, 1), 1);
	/* shoot-downs: counted when others had to answer, refused before the change */
	account->limit[ARIL_QUOTA_FLUSHES] = 2;
	account_flushed();
	SAME(account_flush(), 0);
	account_flushed();
	SAME(account->flushes, 2);
	SAME(env->info->flushes, 2);
	u64 refused = account->refused;
	fake_cpu.ctx->work = 0;
	SAME(call_space_update(root, space, &op, 1), -ARIL_E_QUOTA);
	SAME(call_frame_update(root, &tag, 1), -ARIL_E_QUOTA);
	SAME(call_frame_reset(root, tag.first), -ARIL_E_QUOTA);
	SAME(call_frame_free(root, tag.first, 1), -ARIL_E_QUOTA);
	SAME(account->refused, refused + 4);
	fake_cpu.slice_end = 3;
	SAME(call_frame_reset(root, tag.first), 0);
	fake_cpu.ctx = NULL; /* nobody's shoot-down is nobody's */
	account_flushed();
	SAME(account->flushes, 2);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(creating), TEST(destroying), TEST(setting),
		TEST(guarding), TEST(charging),	  TEST(working),
	};

	return test_main(tests, array_count(tests));
}
