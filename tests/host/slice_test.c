/* SPDX-License-Identifier: MIT
 * Positions of slice vectors: allocation, quota, guards, giving back, the audit.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/position.c */
#include "fake.h"

#include "account.h"
#include "check.h"
#include "slice.h"

struct aril_slice *slices;
static u32 kicked, root, own, weak, id, room;

void smp_kick(u32 cpu)
{
	kicked = cpu + 1;
}

static struct aril_account *account(void)
{
	return account_get(id);
}

static struct aril_slice *at(u32 cpu, u32 position)
{
	return &slices[cpu * ARIL_SLICES + position];
}

/* Two CPUs, all positions free; an account with room for three, whose owner is "own". */
static void start(void)
{
	struct aril_account_desc desc = {.guard = fake_guard("own", ARIL_ALL, 5)};

	free(slices);
	fake_reset();
	slices = calloc(ARIL_MAX_CPUS * ARIL_SLICES, sizeof(*slices));
	account_init(FAKE_FRAMES);
	root = fake_open("", ARIL_ALL, ~0ul);
	own = fake_open("own", ARIL_ALL, 5);
	weak = fake_open("own", ARIL_ALL & ~(ARIL_OWN | ARIL_WRITE), 5);
	room = desc.limit[ARIL_QUOTA_SLICES] = 3;
	s64 made = call_account_create(root, ARIL_ACCOUNT_ROOT, &desc);
	CHECK(made > 0);
	id = made;
	kicked = 0;
}

static s64 alloc_by(u32 auth, u32 position, struct aril_guard guard)
{
	return call_slice_alloc(auth, id, 1, position, &guard);
}

static void allocating(void)
{
	struct aril_guard mine = fake_guard("own", ARIL_ALL, 5), bad = mine;

	start();
	SAME(call_slice_alloc(0xabcd, id, 1, 2, &mine), -ARIL_E_CAP);
	SAME(call_slice_alloc(own, id, 2, 2, &mine), -ARIL_E_CPU);
	SAME(call_slice_alloc(own, id, 1, ARIL_SLICES, &mine), -ARIL_E_RANGE);
	SAME(call_slice_alloc(own, id + 1, 1, 2, &mine), -ARIL_E_RANGE);
	SAME(call_slice_alloc(weak, id, 1, 2, &mine), -ARIL_E_RIGHTS);
	SAME(call_slice_alloc(own, ARIL_ACCOUNT_ROOT, 1, 2, &mine), -ARIL_E_RIGHTS);
	SAME(call_slice_alloc(own, id, 1, 2, BAD_ADDRESS), -ARIL_E_ADDR);
	bad.zero[0] = 1;
	SAME(alloc_by(own, 2, bad), -ARIL_E_RANGE);
	bad = (struct aril_guard){.rights = 0};
	SAME(alloc_by(root, 2, bad), -ARIL_E_RANGE);
	SAME(alloc_by(own, 2, fake_guard("own", ARIL_RUN, 5)), -ARIL_E_RANGE);
	SAME(alloc_by(own, 2, fake_guard("other", ARIL_ALL, 5)), -ARIL_E_RIGHTS);
	SAME(alloc_by(own, 2, fake_guard("own", ARIL_ALL, 6)), -ARIL_E_RIGHTS);
	SAME(at(1, 2)->account, 0);
	SAME(account()->used[ARIL_QUOTA_SLICES], 0);
	SAME(alloc_by(own, 2, mine), 0);
	SAME(at(1, 2)->account, id & 0xffff);
	SAME(at(1, 2)->env, 0);
	SAME(account()->used[ARIL_QUOTA_SLICES], 1);
	SAME(alloc_by(own, 3, mine), 0);
	SAME(alloc_by(own, 4, mine), 0);
	SAME(alloc_by(own, 5, mine), -ARIL_E_QUOTA);
	SAME(alloc_by(own, 4, fake_guard("owner", ARIL_ALL, 5)), 0); /* its own already */
	SAME(account()->used[ARIL_QUOTA_SLICES], 3);
	SAME(at(1, 4)->guard.len, 5);
	SAME(at(1, 5)->account, 0);
}

static void taking_over(void)
{
	struct aril_guard mine = fake_guard("own", ARIL_ALL, 5),
			  other = fake_guard("x", ARIL_ALL, 0);
	struct aril_account *top = account_get(ARIL_ACCOUNT_ROOT);
	u32 before = top->used[ARIL_QUOTA_SLICES];

	start();
	top = account_get(ARIL_ACCOUNT_ROOT);
	before = top->used[ARIL_QUOTA_SLICES];
	SAME(call_slice_alloc(root, ARIL_ACCOUNT_ROOT, 0, 7, &other), 0);
	SAME(top->used[ARIL_QUOTA_SLICES], before + 1);
	SAME(call_slice_set(root, 0, 7, fake_cpu.env->id, NULL), 0);
	SAME(call_slice_alloc(own, id, 0, 7, &mine), -ARIL_E_RIGHTS); /* another's */
	SAME(call_slice_alloc(root, id, 0, 7, &mine), 0);
	SAME(top->used[ARIL_QUOTA_SLICES], before);
	SAME(account()->used[ARIL_QUOTA_SLICES], 1);
	SAME(at(0, 7)->env, fake_cpu.env->id);
}

static void giving_back(void)
{
	struct aril_guard mine = fake_guard("own", ARIL_ALL, 5);

	start();
	SAME(alloc_by(own, 2, mine), 0);
	SAME(call_slice_set(own, 1, 2, fake_cpu.env->id, NULL), 0);
	SAME(call_slice_free(0xabcd, 1, 2), -ARIL_E_CAP);
	SAME(call_slice_free(own, 2, 2), -ARIL_E_CPU);
	SAME(call_slice_free(own, 1, ARIL_SLICES), -ARIL_E_RANGE);
	SAME(call_slice_free(weak, 1, 2), -ARIL_E_RIGHTS);
	SAME(at(1, 2)->env, fake_cpu.env->id);
	SAME(call_slice_free(own, 1, 2), 0);
	SAME(at(1, 2)->env, 0);
	SAME(at(1, 2)->account, 0);
	SAME(at(1, 2)->guard.rights, 0);
	SAME(account()->used[ARIL_QUOTA_SLICES], 0);
}

static s64 set(u32 auth, u32 position, u32 env)
{
	return call_slice_set(auth, 1, position, env, NULL);
}

static void setting(void)
{
	struct aril_guard mine = fake_guard("own", ARIL_ALL, 5), bad = mine;
	u32 env = fake_cpu.env ? fake_cpu.env->id : 0;

	start();
	env = fake_cpu.env->id;
	SAME(set(root, 2, env), -ARIL_E_STATE); /* free */
	SAME(call_slice_set(root, 1, 2, 0, &mine), -ARIL_E_STATE);
	SAME(at(1, 2)->guard.rights, 0);
	SAME(set(root, 2, 0), 0);
	SAME(alloc_by(own, 2, mine), 0);
	SAME(set(0xabcd, 2, env), -ARIL_E_CAP);
	SAME(call_slice_set(own, 2, 2, env, NULL), -ARIL_E_CPU);
	SAME(set(own, ARIL_SLICES, env), -ARIL_E_RANGE);
	SAME(set(fake_open("x", ARIL_ALL, 5), 2, env), -ARIL_E_RIGHTS);
	SAME(set(own, 2, 0xffffff), -ARIL_E_ENV);
	SAME(kicked, 0);
	SAME(set(weak, 2, env), 0); /* RUN is enough */
	SAME(kicked, 2);
	SAME(call_slice_set(weak, 1, 2, env, &mine), -ARIL_E_RIGHTS);
	SAME(call_slice_set(own, 1, 2, env, BAD_ADDRESS), -ARIL_E_ADDR);
	bad.zero[1] = 1;
	SAME(call_slice_set(own, 1, 2, env, &bad), -ARIL_E_RANGE);
	bad = fake_guard("own", ARIL_RUN, 5);
	SAME(call_slice_set(own, 1, 2, env, &bad), -ARIL_E_RANGE);
	bad = fake_guard("ow", ARIL_ALL, 5);
	SAME(call_slice_set(own, 1, 2, env, &bad), -ARIL_E_RIGHTS);
	bad = fake_guard("own", ARIL_ALL, 6);
	SAME(call_slice_set(own, 1, 2, env, &bad), -ARIL_E_RIGHTS);
	SAME(memcmp(&at(1, 2)->guard, &mine, sizeof(mine)), 0);
	bad = fake_guard("owned", ARIL_ALL, 4);
	SAME(call_slice_set(own, 1, 2, 0, &bad), 0);
	SAME(memcmp(&at(1, 2)->guard, &bad, sizeof(bad)), 0);
}

/* Each thing that can be wrong is said. */
static u32 wrong_after(struct aril_slice slice)
{
	struct aril_check out = {.wrong = 0};
	struct aril_slice before = *at(1, 2);

	*at(1, 2) = slice;
	SAME(slice_audit(0, &out), 0);
	SAME(out.checked, 2 * ARIL_SLICES);
	if (out.wrong) {
		SAME(out.which, ARIL_SLICES + 2);
		CHECK(out.what[0]);
	}
	*at(1, 2) = before;
	return out.wrong;
}

static void auditing(void)
{
	struct aril_slice good = {.guard = fake_guard("own", ARIL_ALL, 5)}, bad;

	start();
	good.account = id & 0xffff;
	SAME(wrong_after(*at(1, 2)), 0);
	SAME(wrong_after(good), 0);
	bad = good;
	bad.account = 0;
	SAME(wrong_after(bad), 1);
	bad.guard = (struct aril_guard){.rights = 0};
	bad.env = fake_cpu.env->id;
	SAME(wrong_after(bad), 1);
	bad = good;
	bad.account = ARIL_MAX_ACCOUNTS;
	SAME(wrong_after(bad), 1);
	bad.account = ARIL_MAX_ACCOUNTS - 1;
	SAME(wrong_after(bad), 1);
	bad = good;
	bad.env = 0x1ffff;
	SAME(wrong_after(bad), 1);
}

int main(void)
{
	static const struct test tests[] = {TEST(allocating), TEST(taking_over), TEST(giving_back),
					    TEST(setting), TEST(auditing)};

	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
