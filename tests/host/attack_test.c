/* SPDX-License-Identifier: MIT
 * Attacks on memory that need two mechanisms, or an instant, to work.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/allocate.c kernel/space.c kernel/narrow.c kernel/table.c kernel/cache.c kernel/cache_make.c kernel/region.c kernel/revoke.c kernel/check.c */
#include "fake.h"

#include "audit_stubs.h"
#include "cache.h"
#include "grant.h"
#include "region.h"
#include "revoke.h"
#include "slice.h"

#define VA 0x40000000ul
#define TOP_PART (ARIL_USER_TOP & -ARIL_CACHE_BYTES) /* the last GiB of user space */
#define WRITES 6

struct aril_slice *slices;
struct aril_grant grant_books_here[ARIL_MAX_GRANTS], *grant_books = grant_books_here;
static u64 now;
static u32 root, par, space, level2;
static struct aril_cache_desc desc;

u64 time_now(void)
{
	return now;
}

void slice_timer_set(void)
{
}

void slice_release(struct aril_slice *s)
{
	s->account = 0;
}

void upcall_post(struct context *ctx, u32 pend)
{
	(void)ctx, (void)pend;
}

u32 wait_wake(u64 key, u32 n)
{
	(void)key, (void)n;
	return 0;
}

int grant_take(u32 n)
{
	(void)n;
	return 1;
}

void gate_abort(struct env *env)
{
	(void)env;
}

/* Device memory of the caller's is also in the hole between the frames. */
int grant_memory(const struct env *env, u32 frame)
{
	return env->id == fake_grant_env && frame == FAKE_ABSENT;
}

static void start(void)
{
	fake_reset();
	fake_on_quiesce = NULL;
	now = 1000;
	for (u32 s = 0; s < ARIL_MAX_ACCOUNTS; s++)
		revoke_account_gone(s);
	root = fake_open("", ARIL_ALL, ~0ul);
	par = fake_open("par", ARIL_ALL, 10);
}

/* A space with one cache, of the GiB at va. The caller runs in it. */
static void cached(u64 va)
{
	start();
	space = fake_frame();
	SAME(call_space_create(root, space, fake_frame()), 0);
	for (u32 level = 3; level > 1; level--) {
		level2 = fake_frame();
		SAME(call_space_table(root, space, va, level, level2, fake_frame()), 0);
	}
	fake_become(fake_env(1, space));
	fake_cpu.env->root = &frames[space];
	root = fake_open("", ARIL_ALL, ~0ul);
	desc = (struct aril_cache_desc){.va = va, .ntables = 2, .nstlb = 1};
	desc.frame = fake_frame();
	desc.table_first = fake_frame(), fake_frame();
	desc.stlb_first = fake_frame(), fake_frame();
	SAME(call_cache_create(root, space, &desc), 0);
}

static s64 cache_op(u32 kind, u64 va, u32 frame, u32 count, u32 flags)
{
	struct aril_space_op o = {va, frame, count, kind, flags, root};

	return call_cache_update(root, space, &o, 1);
}

/* The last page of user space is never bound: a `syscall` at its end would return to what is no address. */
static void last_page(void)
{
	u32 frame;

	cached(TOP_PART);
	frame = fake_frame(), fake_frame();
	SAME(cache_op(ARIL_BIND, ARIL_USER_TOP - 4096, frame, 1, ARIL_BIND_EXEC), 1);
	SAME(cache_fault(ARIL_USER_TOP - 4096, 4), 1);
	SAME(cache_op(ARIL_BIND, ARIL_USER_TOP - 4096, frame, 2, ARIL_BIND_EXEC), -ARIL_E_RANGE);
	SAME(cache_op(ARIL_BIND, ARIL_USER_TOP, frame, 1, ARIL_BIND_EXEC), -ARIL_E_RANGE);
	SAME(frames[frame + 1].refs, 0);
	BOOKS();
}

/* Device memory in a hole between the frames has no books either. */
static void cached_device(void)
{
	cached(VA);
	fake_grant_env = fake_cpu.env->id;
	SAME(cache_op(ARIL_BIND, VA, FAKE_ABSENT, 1, ARIL_BIND_WRITE), -ARIL_E_FRAME);
	BOOKS();
}

/* Who asks too much has paid for the looking. */
static void cached_work(void)
{
	u32 frame;
	u64 before;

	cached(VA);
	frame = fake_frame();
	before = fake_cpu.env->info->work;
	SAME(cache_op(ARIL_BIND, VA, frame, 512, ARIL_BIND_UNCACHED), -ARIL_E_RANGE);
	SAME(fake_cpu.env->info->work, before);
	SAME(cache_op(ARIL_BIND, VA, nframes - 500, 512, 0), -ARIL_E_RIGHTS);
	SAME(fake_cpu.env->info->work, before + 512);
}

/* A fault on another CPU that found the cache just before it went: all it may look at is there until that CPU was asked
 * and answered, and after that it finds none. */
static int looked;
static void another_cpu(void)
{
	const struct cache *c = frame_memory(desc.frame);

	CHECK(c->dying && c->seen.space == space && c->level2 == level2);
	for (u32 i = 0; i < desc.ntables; i++)
		SAME(frames[desc.table_first + i].state, ARIL_FRAME_POOL);
	looked = frames[level2].flags & ARIL_FRAME_CACHED ? 1 : 2;
}

static void cache_going(void)
{
	cached(VA);
	SAME(cache_op(ARIL_BIND, VA, fake_frame(), 1, ARIL_BIND_WRITE), 1);
	SAME(cache_fault(VA, WRITES), 1);
	looked = 0;
	fake_on_quiesce = another_cpu;
	SAME(call_frame_reset(root, desc.frame), 0);
	fake_on_quiesce = NULL;
	SAME(looked, 2);
	BOOKS();
}

/* --- revocation: the account of par's, and one of par.kid's under it */

static u32 parent, child, slot;

static u32 account(u32 auth, u32 above, const char *name, u32 limit)
{
	struct aril_account_desc d = {
		.guard = fake_guard(name, ARIL_ALL, 0),
		.limit = {limit, 1, 0, 0, 0, above == ARIL_ACCOUNT_ROOT, ~0u, ~0u}};
	s64 id = call_account_create(auth, above, &d);

	CHECK(id > 0);
	return (u32)id;
}

static void revoking(void)
{
	struct aril_guard guard = fake_guard("par.kid", ARIL_ALL, 0);

	start();
	parent = account(root, ARIL_ACCOUNT_ROOT, "par", 200);
	child = account(par, parent, "par.kid", 100);
	slot = child & 0xffff;
	SAME(call_frame_alloc(par, child, 600, 20, &guard), 20);
}

static s64 ask(u32 auth, u32 id, u32 count, u32 first, u32 last, u64 deadline)
{
	struct aril_revocation want = {ARIL_REVOKE_FRAMES, count, first, last, 0, 0, deadline};

	return call_revoke(auth, id, &want);
}

/* Who asks for something long overdue, again and again, does not go before who has waited. */
static void overtaking(void)
{
	struct aril_guard guard = fake_guard("par", ARIL_ALL, 0);
	u32 mine;

	revoking();
	mine = par;
	SAME(call_frame_alloc(par, parent, 700, 1, &guard), 1);
	now = 2000;
	SAME(ask(root, parent, 1, 700, 700, 1500), 0);
	for (u32 i = 0; i < 10; i++) {
		SAME(ask(mine, child, ~0u, 16, 60, 0), 0);
		revoke_expire(now);
		now++;
	}
	SAME(frames[700].account, 0);
}

/* And whoever asks pays for what others will look at for it. */
static void asking_work(void)
{
	revoking();
	fake_cpu.env->info->work = 0;
	SAME(ask(par, child, 1, 16, 1015, 5000), 0);
	SAME(fake_cpu.env->info->work, 1000);
	accounts[fake_cpu.env->account].limit[ARIL_QUOTA_WORK] = 0;
	SAME(ask(par, child, 1, 16, 1015, 9000), -ARIL_E_QUOTA);
	SAME(revoke_deadline, 5000);
	SAME(ask(par, child, 0, 16, 1015, 0), 0); /* nothing is looked at */
	SAME(accounts[slot].wanted[0], 0);
}

/* Of two asked for it gave one, and one that a device still has: no third is taken. */
static void no_more_than_asked(void)
{
	u32 left = 0;

	revoking();
	frame_pin(606);
	SAME(ask(par, child, 2, 605, 619, 5000), 0);
	SAME(call_frame_free(par, 606, 1), 1);
	SAME(call_frame_free(par, 619, 1), 1);
	SAME(accounts[slot].wanted[0], 1);
	now = 5000;
	for (u32 i = 0; i < 100 && now >= revoke_deadline; i++)
		revoke_expire(now);
	for (u32 f = 600; f < 620; f++)
		left += frames[f].account == slot;
	SAME(left, 19);
	frame_unpin(606);
	SAME(accounts[slot].wanted[0], 0);
}

/* --- taking back what others bind as fast as it is unbound: six spaces of 512 pages each */

static u32 spaces[6], reader;

static void others_bind(u32 frame, u32 flags)
{
	for (u32 s = 0; s < 6; s++) {
		if (!spaces[s])
			spaces[s] = fake_space(root, VA, NULL);
		for (u32 i = 0; i < 512; i++)
			fake_op(root, spaces[s], ARIL_BIND, VA + i * 4096ul, frame, 1, flags,
				reader);
	}
}

static void is_going(u32 frame, u32 flags)
{
	SAME(call_frame_reset(root, frame), -ARIL_E_AGAIN);
	u32 left = frames[frame].refs;
	CHECK(left && left < 6 * 512);
	others_bind(frame, flags);
	CHECK(frames[frame].refs <= left);
	SAME(call_frame_reset(root, frame), 0);
	SAME(frames[frame].refs, 0);
	SAME(frames[frame].state, ARIL_FRAME_NORMAL);
	SAME(frames[frame].flags & FRAME_GOING, 0);
	BOOKS();
}

static void taking_back(void)
{
	struct aril_region_field field = {0, 4096, fake_guard("", ARIL_WRITE, 0)};
	u32 frame, book;

	start();
	reader = root;
	memset(spaces, 0, sizeof(spaces));
	frame = fake_frame(), book = fake_frame();
	others_bind(frame, ARIL_BIND_WRITE);
	SAME(frames[frame].refs, 6 * 512);
	is_going(frame, ARIL_BIND_WRITE);
	others_bind(frame, 0);
	SAME(frames[frame].refs, 6 * 512); /* again, as before */
	for (u32 s = 0; s < 6; s++)
		SAME(fake_op(root, spaces[s], ARIL_UNBIND, VA, 0, 512, 0, 0), 1);
	SAME(call_region_create(root, frame, book, &field, 1), 0);
	others_bind(frame, 0);
	is_going(frame, 0);
}

static void taking_back_cache(void)
{
	cached(VA);
	reader = root;
	memset(spaces, 0, sizeof(spaces));
	others_bind(desc.frame, 0);
	SAME(frames[desc.frame].refs, 6 * 512);
	is_going(desc.frame, 0);
}

/* A table that is on its way out is linked nowhere. */
static void taking_back_table(void)
{
	u32 frame = 100, table;

	start();
	frame = fake_space(root, VA, &table);
	frames[table].flags |= ARIL_FRAME_BREAKING(0);
	u32 other = fake_frame();
	SAME(call_space_create(root, other, fake_frame()), 0);
	SAME(call_space_table(root, other, VA, 3, fake_frame(), fake_frame()), 0);
	SAME(call_space_table(root, other, VA, 2, fake_frame(), fake_frame()), 0);
	SAME(call_space_link(root, other, VA, 1, table), -ARIL_E_STATE);
	frames[table].flags &= ~ARIL_FRAME_BREAKING(0);
	SAME(call_space_link(root, other, VA, 1, table), 0);
	SAME(call_frame_reset(root, table), 0);
	SAME(frames[table].flags & FRAME_GOING, 0);
	SAME(fake_entry(frame, VA), 0);
	BOOKS();
}

static const struct test tests[] = {
	TEST(overtaking),  TEST(asking_work),	    TEST(no_more_than_asked),
	TEST(taking_back), TEST(taking_back_cache), TEST(taking_back_table),
	TEST(last_page),   TEST(cached_device),	    TEST(cached_work),
	TEST(cache_going),
};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
