/* SPDX-License-Identifier: MIT
 * page_protect, the long way: what was authorised when a page was bound, and nothing more.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fake.h"
#include "account.h"

#define VA 0x40000000ul
#define W ARIL_PAGE_WRITE
#define MAY ARIL_PAGE_MAY_WRITE

static u32 root, dom, space, leaf, frame;

static s64 op(u32 kind, u64 va, u32 flags)
{
	struct aril_space_op o = {.va = va,
				  .frame = frame,
				  .count = 1,
				  .kind = (u16)kind,
				  .flags = (u16)flags,
				  .auth = dom};

	return call_space_update(root, space, &o, 1);
}

static s64 protect(u64 va, u32 flags)
{
	return call_page_protect(root, space, va, flags);
}

static u64 bits(void)
{
	return fake_entry(space, VA) & (PTE_P | PTE_W | PTE_U | PTE_NX | PTE_MAY | PTE_SOFT);
}

static void start(void)
{
	fake_reset();
	root = fake_open("", ARIL_ALL, ~0ul);
	dom = fake_open("dom", ARIL_ALL, 10);
	space = fake_space(root, VA, &leaf);
	frame = fake_frame();
	SAME(fake_set_guard(root, frame, 0, fake_guard("dom", ARIL_ALL, 0)), 1);
}

static void may(void)
{
	start();
	SAME(op(ARIL_BIND, VA, ARIL_BIND_MAY_WRITE | ARIL_BIND_SOFT(5)), 1);
	SAME(bits(), PTE_P | PTE_U | PTE_NX | PTE_MAY | 5ul << 52);
	SAME(protect(VA + 123, W | MAY), 0);
	SAME(bits(), PTE_P | PTE_U | PTE_NX | PTE_MAY | PTE_W | 5ul << 52);
	fake_flushes = fake_flushed = 0;
	SAME(protect(VA, MAY), 0);
	SAME(fake_flushes, 1);
	SAME(fake_flushed, space);
	SAME(protect(VA, W | MAY), 0);
	SAME(fake_flushes, 1);
	SAME(protect(VA, W), 0); /* writable, and for the last time */
	SAME(protect(VA, 0), 0);
	SAME(bits(), PTE_P | PTE_U | PTE_NX | 5ul << 52);
	SAME(protect(VA, W), -ARIL_E_RIGHTS);
	SAME(protect(VA, MAY), -ARIL_E_RIGHTS);
	SAME(protect(VA, 0), 0);
	/* a PROTECT without it takes it away, one with it needs WRITE */
	SAME(op(ARIL_BIND, VA, ARIL_BIND_MAY_WRITE), 1);
	SAME(op(ARIL_PROTECT, VA, 0), 1);
	SAME(protect(VA, W), -ARIL_E_RIGHTS);
	SAME(fake_set_guard(root, frame, 0, fake_guard("dom", ARIL_READ | ARIL_OWN, 0)), 1);
	SAME(bits(), 0);
	SAME(op(ARIL_BIND, VA, 0), 1);
	SAME(op(ARIL_PROTECT, VA, ARIL_BIND_MAY_WRITE), -ARIL_E_RIGHTS);
	SAME(op(ARIL_BIND, VA, ARIL_BIND_MAY_WRITE), -ARIL_E_RIGHTS);
	BOOKS();
}

static void refusals(void)
{
	u32 weak;

	start();
	weak = fake_open("dom", ARIL_CALL, 10);
	SAME(op(ARIL_BIND, VA, ARIL_BIND_MAY_WRITE), 1);
	SAME(call_page_protect(99, space, VA, W), -ARIL_E_CAP);
	SAME(call_page_protect(weak, space, VA, W), -ARIL_E_RIGHTS);
	SAME(call_page_protect(root, ~0u, VA, W), -ARIL_E_FRAME);
	SAME(call_page_protect(root, frame, VA, W), -ARIL_E_STATE);
	SAME(protect(VA, 4), -ARIL_E_RANGE);
	SAME(protect(ARIL_USER_TOP, MAY), -ARIL_E_RANGE);
	SAME(protect(ARIL_SELF_VA, MAY), -ARIL_E_RANGE);
	SAME(protect(VA + (1ul << 30), MAY), -ARIL_E_TABLE);
	SAME(protect(VA + 4096, 0), -ARIL_E_STATE);
	SAME(op(ARIL_BIND, VA, ARIL_BIND_NOREAD), 1);
	SAME(protect(VA, 0), -ARIL_E_STATE);
	BOOKS();
}

/* Work and shoot-downs are limited as for other calls; what is given ahead is reserved. */
static void limits(void)
{
	struct aril_account *account = &accounts[this_cpu()->env->account];

	start();
	account = &accounts[this_cpu()->env->account];
	SAME(op(ARIL_BIND, VA, ARIL_BIND_MAY_WRITE), 1);
	u32 work = account->limit[ARIL_QUOTA_WORK], flushes = account->limit[ARIL_QUOTA_FLUSHES];
	account->limit[ARIL_QUOTA_WORK] = 0;
	SAME(protect(VA, MAY), -ARIL_E_QUOTA);
	account->limit[ARIL_QUOTA_WORK] = work;
	account->limit[ARIL_QUOTA_FLUSHES] = 0;
	SAME(protect(VA, MAY), -ARIL_E_QUOTA);
	account->limit[ARIL_QUOTA_FLUSHES] = flushes;
	SAME(protect(VA, MAY), 0);
	account->limit[ARIL_QUOTA_FLUSHES] = 0;
	SAME(call_space_unlink(root, space, VA, 1), -ARIL_E_QUOTA);
	SAME(op(ARIL_BIND, VA, 0), -ARIL_E_QUOTA);
	account->limit[ARIL_QUOTA_FLUSHES] = flushes;
	SAME(this_cpu()->ctx->spare > 0, this_cpu()->env->space == space);
}

/* A table that is elsewhere too: everybody's translations. */
static void shared(void)
{
	start();
	u32 other = fake_space(root, VA + (1ul << 39), NULL);
	SAME(op(ARIL_BIND, VA, ARIL_BIND_WRITE), 1);
	SAME(call_space_unlink(root, other, VA + (1ul << 39), 1), 0);
	SAME(call_space_link(root, other, VA + (1ul << 39), 1, leaf), 0);
	fake_flushes = 0;
	fake_flushed = 1; /* and stays so: no one space's */
	SAME(protect(VA, 0), 0);
	SAME(fake_flushes, 1);
	SAME(fake_flushed, 1);
}

static const struct test tests[] = {
	TEST(may),
	TEST(refusals),
	TEST(limits),
	TEST(shared),
};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
