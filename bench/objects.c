// SPDX-License-Identifier: MIT
// What the kernel keeps for others: the software TLB of a cached part, revocation, regions.
#include "bench.h"
#include <aril/ops.h>
#include <core/cached.h>
#include <core/inverted.h>
#include <core/linear.h>

#define CACHED_VA 0x100000000000ul
#define LOOK_VA 0x300000000000ul
#define TABLES 4
#define SPANS (TABLES + 1) /* of 2 MiB: each is without its page table when its turn comes */
#define LOOPS 40

static struct core_cached cached;
static u32 account, spare, page, region;
static const volatile struct aril_account *books;

static struct aril_guard own_guard(void)
{
	struct aril_guard guard = {.len = CORE_DOMAIN->cap.len,
				   .rights = ARIL_ALL,
				   .generation = CORE_DOMAIN->cap.generation};

	memcpy(guard.name, CORE_DOMAIN->cap.name, sizeof(guard.name));
	return guard;
}

/* Two pages in each span, none of which displaces another. */
static u64 cached_page(u64 span, u64 second)
{
	return CACHED_VA + (span << 21) + (2 * span + second) * ARIL_PAGE_SIZE;
}

static s64 cached_setup(void)
{
	u32 first = core_pool_take(&core_pool, 2 * SPANS);

	cached.space = &core_self;
	cached.auth = core_auth;
	s64 error = core_cached_make(&cached, CACHED_VA, TABLES, 1, LOOK_VA);
	for (u32 i = 0; i < 2 * SPANS && !error; i++) {
		struct aril_space_op op = {.va = cached_page(i / 2, i & 1),
					   .frame = first + i,
					   .count = 1,
					   .kind = ARIL_BIND,
					   .auth = core_auth};
		s64 done = aril_cache_update(core_auth, CORE_DOMAIN->space, &op, 1);
		error = done == 1 ? 0 : done;
	}
	return error;
}

/* A load that faults and is served by the kernel: the first in a span moves a page table, the second does not. */
static s64 stlb(u64 n, u64 counted)
{
	u64 misses = cached.seen->misses, hits = cached.seen->hits, i = 0;
	s64 took = 0;

	for (; i < n; i++)
		for (u64 second = 0; second < 2; second++) {
			const volatile u64 *at =
				(const volatile u64 *)cached_page(i % SPANS, second);
			if (second != counted) {
				(void)*at;
				continue;
			}
			u64 began = bench_now();
			(void)*at;
			u64 ended = bench_now();

			took += (s64)(ended - began - bench_read - 1);
		}
	/* what is measured is what was meant, or nothing is */
	return cached.seen->misses == misses && cached.seen->hits == hits + 2 * n ? took
										  : -ARIL_E_STATE;
}

static s64 stlb_refill(u64 n)
{
	return stlb(n, 1);
}

static s64 stlb_table(u64 n)
{
	return stlb(n, 0);
}

/* An account of ours with one frame, which answers for itself: `page` is where it is told. */
static s64 account_setup(void)
{
	struct aril_guard guard = own_guard();
	struct aril_account_desc desc = {.guard = guard, .limit = {1, 0, 0, 0, 0, 0, ~0u, ~0u}};
	s64 error = aril_frame_free(core_auth, spare, 1);
	s64 id = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);

	if (error < 0 || id < 0)
		return error < 0 ? error : id;
	account = (u32)id;
	books = (const volatile struct aril_account *)ARIL_INFO->accounts_va + (account & 0xffff);
	error = aril_frame_alloc(core_auth, account, spare, 1, &guard);
	return error < 0 ? error
			 : aril_account_handler(core_auth, account, CORE_DOMAIN->env,
						core_context()->cpu, page);
}

static s64 ask(u64 deadline)
{
	struct aril_revocation want = {.kind = ARIL_REVOKE_FRAMES,
				       .count = 1,
				       .first = spare,
				       .last = spare,
				       .deadline = deadline};

	return aril_revoke(core_auth, account, &want);
}

static s64 again(void)
{
	struct aril_guard guard = own_guard();

	__atomic_and_fetch(&core_context()->pending, ~(u32)ARIL_PEND_REVOKE, __ATOMIC_SEQ_CST);
	return aril_frame_alloc(core_auth, account, spare, 1, &guard);
}

/* Asked for, told (the upcall pends, it is not taken), given back: the request is closed. */
static s64 revoke_release(u64 n)
{
	s64 took = 0;

	for (u64 i = 0; i < n; i++) {
		u64 began = bench_now();
		s64 error = ask(~0ul - 1);
		s64 freed = aril_frame_free(core_auth, spare, 1);
		u64 ended = bench_now();
		u32 open = books->wanted[ARIL_REVOKE_FRAMES];
		s64 taken = again();

		if (error || freed != 1 || open || taken != 1)
			return error ? error : -ARIL_E_STATE;
		took += (s64)(ended - began - bench_read);
	}
	return took;
}

/* Asked for with a deadline that has passed: until it is taken, by the timer's interrupt. */
static s64 revoke_take(u64 n)
{
	s64 took = 0;

	for (u64 i = 0; i < n; i++) {
		u64 began = bench_now();
		s64 error = ask(1);

		while (!error && books->wanted[ARIL_REVOKE_FRAMES])
			;
		u64 ended = bench_now();
		s64 taken = again();
		if (error || taken != 1)
			return error ? error : taken;
		took += (s64)(ended - began - bench_read);
	}
	return took;
}

static s64 region_setup(void)
{
	struct aril_region_field field = {.offset = 0, .bytes = 1024, .guard = own_guard()};

	region = core_pool_take(&core_pool, 2);
	return aril_region_create(core_auth, region, region + 1, &field, 1);
}

static s64 region_write(u64 n)
{
	u64 word = 5;
	s64 error = aril_region_write(core_auth, region, 8, (const u8 *)&word, sizeof(word));

	return error ? error
		     : bench_net(BENCH_LOOP(n, aril_region_write(core_auth, region, 8,
								 (const u8 *)&word, sizeof(word))),
				 n);
}

static s64 region_swap(u64 n)
{
	s64 error = aril_region_swap(core_auth, region, 0, 0, 0);

	return error ? error
		     : bench_net(BENCH_LOOP(n, aril_region_swap(core_auth, region, 0, 0, 0)), n);
}

static void measure(const char *name, s64 error, s64 (*f)(u64 n))
{
	if (error)
		core_print("bench %s refused %ld\n", name, -error);
	else
		bench_run(name, f, LOOPS);
}

#define TABLE_PAGES 1024u

static struct core_linear linear;
static struct core_inverted inverted;
static u64 linear_word[TABLE_PAGES];
static struct core_inverted_entry inverted_entry[TABLE_PAGES];
static u32 inverted_first[TABLE_PAGES];

/* Each page once in a linear table, and in an inverted one, half full. */
static void tables_fill(void)
{
	linear = (struct core_linear){CACHED_VA, TABLE_PAGES, linear_word};
	inverted =
		(struct core_inverted){TABLE_PAGES, TABLE_PAGES, inverted_first, inverted_entry, 0};
	for (u32 i = 0; i < TABLE_PAGES; i += 2) {
		core_linear_set(&linear, CACHED_VA + i * ARIL_PAGE_SIZE, i, ARIL_BIND_WRITE);
		core_inverted_set(&inverted, CACHED_VA + i * ARIL_PAGE_SIZE, i, ARIL_BIND_WRITE);
	}
}

/* Where a page is, by a table of the library's own: pages in an order that is none. */
static s64 look_up(u64 n, const void *table,
		   int (*find)(const void *table, u64 va, struct core_translation *out))
{
	struct core_translation at;
	u64 wrong = 0;
	u64 total = BENCH_LOOP(n, u64 i_ = i * 370 % TABLE_PAGES;
			       wrong |= find(table, CACHED_VA + i_ * ARIL_PAGE_SIZE, &at) != 1 ||
					at.frame != i_);

	return wrong ? -ARIL_E_STATE : bench_net(total, n);
}

static s64 linear_find(u64 n)
{
	return look_up(n, &linear, core_linear_find);
}

static s64 inverted_find(u64 n)
{
	return look_up(n, &inverted, core_inverted_find);
}

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	spare = core_pool_take(&core_pool, 1);
	page = core_pool_take(&core_pool, 1);
	bench_start(argc, argv);
	s64 error = cached_setup();
	measure("stlb_refill", error, stlb_refill);
	measure("stlb_table", error, stlb_table);
	error = region_setup();
	measure("region_write", error, region_write);
	measure("region_swap", error, region_swap);
	error = account_setup();
	measure("revoke_release", error, revoke_release);
	measure("revoke_take", error, revoke_take);
	tables_fill();
	measure("linear_find", 0, linear_find);
	measure("inverted_find", 0, inverted_find);
	return 0;
}
