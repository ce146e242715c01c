// SPDX-License-Identifier: MIT
// Envs whose pages are four times their frames page to a memory device, while frames are revoked from them and returned
// all the time: at the end every byte is right. One of them never answers, and is none the better for it.
// with:
// smp: 2
// swap: 2M
// expect: paging: fifo: every byte ok
// expect: paging: clock: every byte ok
// expect: paging: own: every byte ok
// expect: paging: sulker: every byte ok
// expect: paging: those who answered lost nothing ok
// expect: paging: who did not lost at the deadline ok
// expect: paging: done
// forbid: paging: WRONG
#include <aril/error.h>
#include <aril/info.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/child.h>
#include <core/native.h>
#include <core/pager.h>
#include <core/print.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define CHILDREN 4
#define SULKER 3
#define OWN 72 /* frames that a child is made of */
#define FEW 24 /* frames for its pages */
#define PAGES (4 * FEW)
#define KEEP 4	    /* of FEW */
#define FREE 88	    /* frames for all their pages: fewer than CHILDREN * FEW */
#define POSITIONS 6 /* of a child's CPU */
#define REGION 0x480000000000ul
#define STORE 0x500000000000ul
#define RUN_NS 2000000000ul
#define WORDS (ARIL_PAGE_SIZE / 8)

static const char *const names[CHILDREN] = {"fifo", "clock", "own", "sulker"};
static u32 self;       /* the child's number; a child's data is a copy of what its parent's was */
static u32 free_first; /* of FREE frames */
static u64 lcg = 88172645463325252ul;
static u32 generation[PAGES];
static struct core_pager pager;

static u64 next_random(void)
{
	lcg ^= lcg << 13;
	lcg ^= lcg >> 7;
	lcg ^= lcg << 17;
	return lcg;
}

/* --- a child */

static u64 word_of(u32 page, u32 gen, u32 word)
{
	u64 x = ((u64)self << 56) + ((u64)page << 40) + ((u64)gen << 12) + word + 1;

	x *= 0x9e3779b97f4a7c15ul;
	return x ^ x >> 29;
}

static void page_fill(u64 *to, u32 page, u32 gen)
{
	for (u32 i = 0; i < WORDS; i++)
		to[i] = word_of(page, gen, i);
}

static u64 page_wrong(u32 page)
{
	const volatile u64 *at = (const volatile u64 *)(REGION + (u64)page * ARIL_PAGE_SIZE);
	u64 wrong = 0;

	for (u32 i = 0; i < WORDS; i++)
		wrong += at[i] != word_of(page, generation[page], i);
	return wrong;
}

/* What never changes can be made again: every fourth page of `own`, all of the sulker's. */
static int constant(u32 page)
{
	return self == SULKER || (self == 2 && page % 4 == 0);
}

static int recompute(u32 page, void *memory)
{
	if (!constant(page))
		return 0;
	if (memory)
		page_fill(memory, page, 0);
	return 1;
}

/* An application's own choice: first what costs no writing. */
static u32 choose_own(struct core_policy *policy, struct core_set *set, u32 first, u32 last)
{
	for (u32 i = 0; i < set->n; i++)
		if (constant(i) && core_page_fits(&set->page[i], first, last))
			return i;
	return core_policy_fifo(policy, set, first, last);
}

static int on_exception(struct core_frame *frame)
{
	return core_pager_fault(frame);
}

/* Whether so much was revoked from us as is wanted to be seen: on a busy host it takes longer. */
static int taken_enough(void)
{
	const volatile struct aril_account *own =
		(const volatile struct aril_account *)ARIL_INFO->accounts_va +
		(CORE_DOMAIN->account & 0xffff);

	return self == SULKER ? own->taken > 10 : own->given > 10;
}

static int child_main(void)
{
	u64 wrong = 0, touches = 0, until;

	pager = (struct core_pager){
		.va = REGION,
		.npages = PAGES,
		.account = CORE_DOMAIN->account,
		.from = free_first,
		.to = free_first + FREE,
		.keep = KEEP,
		.store = (u8 *)STORE,
		.policy = {.choose = self == 0	 ? core_policy_fifo
				     : self == 1 ? core_policy_clock
						 : choose_own},
		.recompute = recompute,
	};
	core_handlers.exception = on_exception;
	s64 error = core_pager_start(&pager);
	if (error) {
		core_log("paging: %s: WRONG start %ld", names[self], error);
		return 1;
	}
	if (self == SULKER)
		core_handlers.revoke = NULL;
	lcg += self;
	for (u32 i = 0; i < PAGES; i++)
		page_fill((u64 *)(REGION + (u64)i * ARIL_PAGE_SIZE), i, 0);
	for (until = core_now() + RUN_NS;
	     core_now() < until || (!taken_enough() && core_now() < until + 10 * RUN_NS);
	     touches++) {
		u32 page = next_random() % PAGES;

		wrong += page_wrong(page);
		if (!constant(page) && next_random() % 2)
			page_fill((u64 *)(REGION + (u64)page * ARIL_PAGE_SIZE), page,
				  ++generation[page]);
	}
	for (u32 i = 0; i < PAGES; i++)
		wrong += page_wrong(i);
	core_log("paging: %s: %lu touches, %lu in, %lu out, %lu dropped, %lu given, %lu taken",
		 names[self], touches, pager.ins, pager.outs, pager.dropped, pager.given,
		 pager.taken);
	core_log("paging: %s: every byte %s", names[self], wrong ? "WRONG" : "ok");
	return wrong != 0;
}

/* --- the parent: makes them, then revokes and returns */

static struct core_child child[CHILDREN];

static const volatile struct aril_account *books(u32 i)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va +
	       (child[i].account & 0xffff);
}

static int alive(u32 i)
{
	const volatile struct aril_env_info *env =
		(const volatile struct aril_env_info *)ARIL_INFO->envs_va + (child[i].env & 0xffff);

	return env->id == child[i].env && env->state == ARIL_ENV_ALIVE;
}

static s64 must(s64 result, const char *what)
{
	if (result < 0) {
		core_log("paging: WRONG %s %ld", what, result);
		core_exit(1);
	}
	return result;
}

static void child_make(u32 i)
{
	struct aril_guard guard = core_child_guard(i);
	struct aril_account_desc desc = {
		.guard = guard,
		.limit = {OWN + FEW, 1, POSITIONS, 0, 0, 0, ~0u, ~0u},
		.reserve = OWN + KEEP,
	};
	u32 first = core_pool_take(&core_pool, OWN + FEW), store = i * PAGES;

	/* what it lies in, and its limit; it finds FEW frames itself */
	must(aril_frame_free(core_auth, first, OWN + FEW) - (OWN + FEW), "free");
	child[i].account =
		(u32)must(aril_account_create(core_auth, CORE_DOMAIN->account, &desc), "account");
	must(aril_frame_alloc(core_auth, child[i].account, first, OWN, &guard) - OWN, "frames");
	self = i;
	child[i].number = i;
	child[i].cpu = i % 2;
	child[i].run = (struct core_run){first, OWN};
	child[i].args = "paging\0child";
	child[i].args_bytes = 13;
	must(core_child_make(&child[i]), "child");
	must(core_map(&child[i].space, STORE, CORE_DOMAIN->swap.first + store, PAGES,
		      ARIL_BIND_WRITE, core_auth),
	     "the memory device");
	must(core_child_start(&child[i]), "start");
}

/* Positions of its CPU, every sixth of ours. */
static void child_run(u32 i)
{
	const struct aril_slice *slices = (const struct aril_slice *)ARIL_INFO->slices_va;
	const struct aril_slice *vector = slices + child[i].cpu * ARIL_SLICES;
	struct aril_guard guard = core_child_guard(i);
	u32 own = CORE_DOMAIN->account & 0xffff, n = 0;

	for (u32 p = i; p < ARIL_SLICES && n < POSITIONS; p += CHILDREN) {
		if (vector[p].account != own)
			continue;
		must(aril_slice_alloc(core_auth, child[i].account, child[i].cpu, p, &guard),
		     "slice");
		must(aril_slice_set(core_auth, child[i].cpu, p, child[i].env, NULL), "slice's env");
		n++;
	}
}

static void slices_make_room(void)
{
	const struct aril_slice *slices = (const struct aril_slice *)ARIL_INFO->slices_va;
	u32 own = CORE_DOMAIN->account & 0xffff;

	for (u32 at = 0; at < 2 * ARIL_SLICES; at++)
		if (at % ARIL_SLICES >= 2 && slices[at].account == own &&
		    at % ARIL_SLICES < CHILDREN * POSITIONS + 8)
			must(aril_slice_free(core_auth, at / ARIL_SLICES, at % ARIL_SLICES),
			     "freeing a slice");
}

static u64 asked;

/* Some frames of a child's pages, by soon; then its limit back as it was. */
static void disturb(u32 i)
{
	struct aril_revocation want = {
		.kind = ARIL_REVOKE_FRAMES,
		.count = 1 + next_random() % 8,
		.first = free_first,
		.last = free_first + FREE - 1,
		.lower = next_random() % 2,
		.deadline = core_now() + (i == SULKER ? 2000000 : 20000000000),
	};

	if (books(i)->wanted[ARIL_REVOKE_FRAMES] || !alive(i))
		return;
	if (books(i)->limit[ARIL_QUOTA_FRAMES] < OWN + FEW)
		must(aril_account_set(core_auth, child[i].account, ARIL_QUOTA_FRAMES, OWN + FEW),
		     "returning the limit");
	/* never more than it may be asked for: what it keeps is not given */
	if (books(i)->used[ARIL_QUOTA_FRAMES] < OWN + KEEP + 10)
		return;
	must(aril_revoke(core_auth, child[i].account, &want), "revoke");
	asked += want.count;
}

static int ended_well(u32 i)
{
	const volatile struct aril_env_info *env =
		(const volatile struct aril_env_info *)ARIL_INFO->envs_va + (child[i].env & 0xffff);

	return env->end == ARIL_END_EXIT && env->status == 0;
}

int main(int argc, char **argv, char **envp)
{
	u64 given = 0, taken = 0;
	int well = 1;

	(void)argv, (void)envp;
	if (argc > 1)
		return child_main();
	if (CORE_DOMAIN->swap.count < CHILDREN * PAGES) {
		core_log("paging: WRONG the memory device has %u frames", CORE_DOMAIN->swap.count);
		return 1;
	}
	free_first = core_pool_take(&core_pool, FREE);
	slices_make_room();
	for (u32 i = 0; i < CHILDREN; i++)
		child_make(i);
	must(aril_frame_free(core_auth, free_first, FREE) - FREE, "free");
	for (u32 i = 0; i < CHILDREN; i++)
		child_run(i);
	u64 limit = core_now() + 50000000000ul;
	while ((alive(0) || alive(1) || alive(2) || alive(3)) && core_now() < limit) {
		disturb(next_random() % CHILDREN);
		core_sleep(500000);
	}
	for (u32 i = 0; i < SULKER; i++) {
		given += books(i)->given;
		taken += books(i)->taken;
		well &= ended_well(i);
	}
	core_log("paging: %lu frames asked for; of three %lu given, %lu taken; of the sulker %lu "
		 "taken",
		 asked, given, taken, books(SULKER)->taken);
	core_log("paging: those who answered lost nothing %s",
		 well && given > 30 && !taken ? "ok" : "WRONG");
	core_log("paging: who did not lost at the deadline %s",
		 ended_well(SULKER) && books(SULKER)->taken > 10 ? "ok" : "WRONG");
	core_log("paging: done");
	return 0;
}
