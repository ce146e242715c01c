// SPDX-License-Identifier: MIT
// Waiting in company: wake(n) starts n, oldest first, and no more; deadlines end in their order and never early.
// with:
// smp: 2
// expect: waits: wake n ok
// expect: waits: deadlines in order ok
// expect: waits: done
// forbid: waits: WRONG
#include "member.h"

#define MEMBERS 8u

static struct member member[MEMBERS];
static volatile u32 *word;
static u32 word_frame;
static volatile u32 woken, order[MEMBERS], early, stage[MEMBERS];
static volatile u64 deadline[MEMBERS];

/* Waits on the word for ever, then until its deadline. */
static void member_run(void)
{
	struct member *self = member_self();
	u32 i = self->number;

	member_begin();
	stage[i] = 1;
	if (core_wait(self->auth, word_frame, 0, 0, 0) != ARIL_START_WAKE)
		aril_env_exit(2);
	order[__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST) % MEMBERS] = i;
	stage[i] = 2;
	while (!deadline[i])
		core_yield(0, 0);
	stage[i] = 3;
	if (core_wait(self->auth, word_frame, 64, 0, deadline[i]) != ARIL_START_TIME)
		aril_env_exit(3);
	if (core_now() < deadline[i])
		__atomic_add_fetch(&early, 1, __ATOMIC_SEQ_CST);
	order[__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST) % MEMBERS] = i;
	aril_env_exit(1);
}

/* Lets the members of this CPU run, until so many have been woken or nothing more comes. */
static u32 run_until(u32 n)
{
	u64 until = core_now() + 3000000000ul;

	while (woken < n && core_now() < until)
		core_sleep(1000000);
	core_sleep(20000000);
	return woken;
}

int main(int argc, char **argv, char **envp)
{
	static const u32 later[MEMBERS] = {5, 2, 7, 0, 3, 6, 1, 4}; /* whose turn comes how late */
	u32 bad = 0;

	(void)argc, (void)argv, (void)envp;
	word = core_pages(1, &word_frame);
	for (u32 i = 0; i < MEMBERS; i++) { /* all on CPU 0, so that they wait in this order */
		member[i].number = i;
		allowed("a member", member_make(&member[i], 0, 0, member_run, 0));
		core_yield(core_auth, member[i].env);
		member_slices(0, member[i].env, i * 4 + 1, ARIL_SLICES);
	}
	bad += aril_wake(core_auth, word_frame, 0, 0) != 0 ||
	       aril_wake(core_auth, word_frame, 4, 9) != 0;
	bad += run_until(0) != 0;
	bad += aril_wake(core_auth, word_frame, 0, 3) != 3;
	bad += run_until(3) != 3;
	for (u32 i = 0; i < MEMBERS; i++)
		bad += stage[i] != (i < 3 ? 2 : 1);
	bad += aril_wake(core_auth, word_frame, 0, 100) != MEMBERS - 3;
	bad += run_until(MEMBERS) != MEMBERS || aril_wake(core_auth, word_frame, 0, 100) != 0;
	core_log("waits: wake n %s (%u)", bad ? "WRONG" : "ok", bad);

	bad = woken = 0;
	u64 first = core_now() + 300000000;
	for (u32 i = 0; i < MEMBERS; i++)
		deadline[i] = first + later[i] * 60000000ul;
	run_until(MEMBERS);
	for (u32 i = 0; i < MEMBERS; i++)
		bad += later[order[i]] != i || env_info(member[i].env)->status != 1;
	core_log("waits: deadlines in order %s (%u, %u early)",
		 bad || early || woken != MEMBERS ? "WRONG" : "ok", bad, early);
	core_log("waits: done");
	return 0;
}
