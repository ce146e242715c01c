/* SPDX-License-Identifier: MIT
 * The audit of cached parts: each book falsified in turn, and what the audit says of it.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/cache.c kernel/cache_make.c kernel/audit_cache.c kernel/check.c kernel/audit_space.c */
#include "fake.h"

#include "account.h"
#include "audit_stubs.h"
#include "cache.h"
#include "grant.h"

#define VA 0x40000000ul

static struct aril_grant grant_books_here[GRANTS];
struct aril_grant *grant_books = grant_books_here;

static u32 root, space, level2;
static struct aril_cache_desc desc;
static struct cache *c;
static u64 *l2, *l1, *stlb; /* the tables and the cache's entries; l1: the first page table */

/* A cache of one page, which is in its page table too. */
static void made(void)
{
	fake_reset();
	root = fake_open("", ARIL_ALL, ~0ul);
	space = fake_frame();
	SAME(call_space_create(root, space, fake_frame()), 0);
	for (u32 level = 3; level > 1; level--) {
		level2 = fake_frame();
		SAME(call_space_table(root, space, VA, level, level2, fake_frame()), 0);
	}
	fake_env(0, space);
	fake_become(env_get(0x10001));
	fake_cpu.env->root = &frames[space];
	root = fake_open("", ARIL_ALL, ~0ul);
	desc = (struct aril_cache_desc){.va = VA, .ntables = 2, .nstlb = 1};
	desc.frame = fake_frame();
	desc.table_first = fake_frame();
	fake_frame();
	desc.stlb_first = fake_frame();
	fake_frame();
	fake_own(100, 512);
	SAME(call_cache_create(root, space, &desc), 0);
	struct aril_space_op o = {VA, 100, 1, ARIL_BIND, 0, root};
	SAME(call_cache_update(root, space, &o, 1), 1);
	SAME(cache_fault(VA, 4), 1);
	c = frame_memory(desc.frame);
	l2 = frame_memory(level2);
	l1 = frame_memory(c->table_first);
	stlb = frame_memory(desc.stlb_first);
	CHECK(l2[0] & PTE_POOL && l1[0] & PTE_P && stlb[0] & PTE_P);
	audit_says(ARIL_NOUN_CACHE, NULL);
}

#define WRONG(falsify, words)                       \
	do {                                        \
		made();                             \
		falsify;                            \
		audit_says(ARIL_NOUN_CACHE, words); \
	} while (0)

static void parts(void)
{
	WRONG(c->frame++, "a cache's own state");
	WRONG(c->seen.ntables = ARIL_CACHE_TABLES + 1, "a cache's own state");
	WRONG(c->seen.nstlb = ARIL_CACHE_STLB + 1, "a cache's own state");
	WRONG(c->level2 = nframes, "a cache's level 2 table");
	WRONG(c->level2 = desc.frame, "a cache's level 2 table");
	WRONG(frames[level2].tag++, "a cache's level 2 table");
	WRONG(frames[level2].flags &= ~ARIL_FRAME_CACHED, "a cache's level 2 table");
	WRONG(c->seen.space = level2, "a cache's space");
	WRONG(frames[space].flags &= ~ARIL_FRAME_CACHED, "a cache's space");
	WRONG(frames[c->table_first + 1].state = ARIL_FRAME_NORMAL, "a cache's page table");
	WRONG(frames[c->table_first].partner++, "a cache's page table");
	WRONG(frames[c->stlb_first].state = ARIL_FRAME_NORMAL, "a cache's STLB frame");
	WRONG(frames[c->stlb_first].tag++, "a cache's STLB frame");
}

static void entries(void)
{
	WRONG(stlb[0] &= ~PTE_P, "an STLB entry that is not present");
	WRONG(stlb[0] = 0, "an STLB entry that is not present");
	WRONG(frames[desc.stlb_first].partner = 0, "an STLB entry");
	WRONG(c->place[0] = 513, "a cache's page table is beyond");
	WRONG(l2[0] &= ~PTE_POOL, "a cache's page table is not in its place");
	WRONG(l2[0] += 1 << 12, "a cache's page table is not in its place");
	WRONG(c->place[0]++, "a cache's page table is not in its place");
	WRONG(l1[1] = l1[0], "a page-table entry that the STLB");
	WRONG(c->place[0] = 0, "a page-table entry that the STLB");
	WRONG(l1[0] |= PTE_W, "a page-table entry that differs");
	WRONG(l2[511] = l2[0], "the level 2 table holds more");
}

int main(void)
{
	static const struct test tests[] = {TEST(parts), TEST(entries)};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
