// SPDX-License-Identifier: MIT
// What downloaded code costs where the kernel runs it, beside the same policy in the library: by a handler of upcalls, by
// a wait on a word, by an answer to a revocation. The code is loaded as any program would, from the code authority.
#include "../tests/native/ext.h"
#include "bench.h"
#include <core/revoke.h>

OBJECT(pager);
OBJECT(clock);
OBJECT(at_least);
OBJECT(nothing);
OBJECT(paged);

#define BASE 0x511000000000ul
#define PAGES 512u /* under one table */
#define N 100u

struct stock { /* programs/ext/pager.bpf.c */
	u64 low, high, filled, used, flags;
	u32 frame[512];
};

static struct core_ext paging, choosing, waiting, idle, guarding;
#define GUARDS 4u
static volatile struct stock *stock;
static u32 first, upcalls;

static int on_exception(struct core_frame *frame)
{
	u64 page = frame->save.addr & ~4095ul;

	if (frame->save.vector == 3)
		return 1;
	if (frame->save.vector != 14 || page - BASE >= PAGES * 4096ul)
		return 0;
	upcalls++;
	return !aril_page_bind(core_auth, CORE_DOMAIN->space, page,
			       first + (u32)((page - BASE) >> 12), ARIL_BIND_WRITE, core_auth);
}

static s64 faults(u64 n)
{
	s64 took = 0;

	stock->filled = stock->used + n;
	for (u64 i = 0; i < n; i++) {
		u64 began = bench_now();
		*(volatile u8 *)(BASE + i * 4096) = 1;
		took += (s64)(bench_now() - began - bench_read);
	}
	for (u64 i = 0; i < n; i++)
		aril_page_unbind(core_auth, CORE_DOMAIN->space, BASE + i * 4096);
	return took;
}

static s64 breakpoints(u64 n)
{
	return bench_net(BENCH_LOOP(n, __asm__ volatile("int3" ::: "memory")), n);
}

static u32 word_frame;
static s64 wakes(u64 n)
{
	return bench_net(BENCH_LOOP(n, aril_wake(core_auth, word_frame, 0, ~0u)), n);
}

/* --- a waiter that sleeps through: it waits for the hundredth event, by a predicate, or looks itself each time */
#include "../tests/native/member.h"
static struct member member;
static volatile u32 *word;
static volatile u32 by_itself;

static void member_run(void)
{
	struct member *self = member_self();

	member_begin();
	for (;;) {
		struct aril_code_wait w = {.code = waiting.code,
					   .auth = self->auth,
					   .page = {word_frame, 0, 0},
					   .word = {0, ARIL_CODE_NO_WORD, ARIL_CODE_NO_WORD},
					   .value = {0, 100}};

		if (!by_itself)
			core_code_wait(&w);
		else if (*word < 100)
			core_wait(self->auth, word_frame, 0, *word, 0);
	}
}

/* One event of those that are not yet the one waited for. */
static s64 events(u64 n)
{
	s64 took = 0;

	for (u64 i = 0; i < n; i++) {
		*word = (u32)i % 98 + 1;
		u64 began = bench_now();
		s64 woken = aril_wake(core_auth, word_frame, 0, ~0u);
		if (woken > 0) /* it must have the CPU to see that there is nothing for it */
			core_yield(core_auth, member.env);
		took += (s64)(bench_now() - began - bench_read);
	}
	return took;
}

/* --- a frame is asked for */
static u32 account, pool;
static u32 hand;

/* The library's answer, by the same policy as it can be had there: the next in turn. */
static int give(void *self, u32 kind, u32 low, u32 high)
{
	(void)self;
	if (kind != ARIL_REVOKE_FRAMES)
		return 0;
	for (u32 i = 0; i < 16; i++) {
		u32 f = pool + hand++ % 16;

		if (f >= low && f <= high && frame_info(f)->account)
			return aril_frame_free(core_auth, f, 1) == 1;
	}
	return 0;
}
static const struct core_revoke answer = {.give = give};

static const volatile struct aril_account *books(u32 id)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va + (id & 0xffff);
}

static s64 victims(u64 n)
{
	struct aril_guard guard = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};
	s64 took = 0;

	memcpy(guard.name, CORE_DOMAIN->cap.name, sizeof(guard.name));
	for (u64 i = 0; i < n; i++) {
		struct aril_revocation want = {.kind = ARIL_REVOKE_FRAMES,
					       .count = 1,
					       .first = pool,
					       .last = pool + 15,
					       .deadline = core_now() + 1000000000};
		u64 began = bench_now();
		s64 error = aril_revoke(core_auth, account, &want);
		core_async_on(); /* where the library is asked, it answers here */
		core_async_off();
		took += (s64)(bench_now() - began - bench_read);
		if (error < 0)
			return error;
		if (books(account)->wanted[ARIL_REVOKE_FRAMES])
			return -ARIL_E_STATE;
		for (u32 f = pool; f < pool + 16; f++)
			if (!frame_info(f)->account)
				aril_frame_alloc(core_auth, account, f, 1, &guard);
	}
	return took;
}

static void account_make(void)
{
	struct aril_guard guard = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};
	struct aril_account_desc desc = {.limit = {16, 0, 0, 0, 0, 0, ~0u, ~0u}};

	memcpy(guard.name, CORE_DOMAIN->cap.name, sizeof(guard.name));
	desc.guard = guard;
	pool = core_pool_take(&core_pool, 16);
	aril_frame_free(core_auth, pool, 16);
	account = (u32)aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	aril_frame_alloc(core_auth, account, pool, 16, &guard);
}

static void use(struct core_ext *e, const u8 *object, const u8 *end)
{
	u64 began = bench_now();
	s64 error = load(e, object, end);

	if (error)
		core_print("bench refused: error %ld: %s\n", -error, e->refusal);
	core_print("load %u %lu %lu\n", e->insns, bench_now() - began, e->verified);
}

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	bench_start(argc, argv);
	core_handlers.exception = on_exception;
	while (!core_ext_authority())
		core_sleep(1000000);
	core_sleep(50000000);
	use(&paging, pager, pager_end);
	use(&choosing, clock, clock_end);
	use(&waiting, at_least, at_least_end);
	use(&idle, nothing, nothing_end);
	use(&guarding, paged, paged_end);
	stock = data_of(&paging);
	first = core_pool_take(&core_pool, PAGES);
	for (u32 i = 0; i < PAGES; i++)
		stock->frame[i] = first + i;
	stock->low = BASE;
	stock->high = BASE + PAGES * 4096;
	stock->flags = ARIL_BIND_WRITE;
	core_add_tables(&core_self, BASE);
	bench_run("fault_by_upcall", faults, N);
	bench_run("event_by_upcall", breakpoints, N);
	allowed("attaching", core_ext_attach(&paging, CORE_DOMAIN->env, core_auth, core_auth));
	upcalls = 0;
	bench_run("fault_by_handler", faults, N);
	if (upcalls)
		core_print("bench WRONG: %u faults were not served by the handler\n", upcalls);
	bench_run("event_declined", breakpoints, N); /* the handler says no, the library is asked */
	allowed("attaching", core_ext_attach(&idle, CORE_DOMAIN->env, core_auth, core_auth));
	bench_run("event_by_handler", breakpoints, N);
	allowed("attaching",
		core_ext_attach_at(&idle, CORE_DOMAIN->env, core_auth, core_auth, GUARDS, NULL));
	for (u32 i = 0; i < GUARDS; i++)
		allowed("attaching", core_ext_attach_at(&paging, CORE_DOMAIN->env, core_auth,
							core_auth, i, &guarding));
	bench_run("event_behind_guards", breakpoints, N);
	for (u32 i = 0; i <= GUARDS; i++)
		core_ext_detach_at(&idle, CORE_DOMAIN->env, i);
	word = core_pages(1, &word_frame);
	bench_run("wake_none", wakes, N);
	*word = 0;
	by_itself = 1;
	allowed("a member", member_make(&member, 0, 0, member_run, 0));
	for (u32 i = 0; i < 3; i++)
		core_yield(core_auth, member.env);
	bench_run("wake_in_vain_by_library", events, N);
	by_itself = 0;
	*word = 1;
	aril_wake(core_auth, word_frame, 0, ~0u);
	for (u32 i = 0; i < 3; i++)
		core_yield(core_auth, member.env);
	bench_run("wake_in_vain_by_predicate", events, N);
	account_make();
	allowed("attaching", core_ext_attach(&choosing, account, 0, 0));
	bench_run("victim_by_handler", victims, 10);
	core_ext_detach(&choosing, account);
	if (!core_revoke_start(&answer, account))
		bench_run("victim_by_upcall", victims, 10);
	return 0;
}
