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
static volatile u64 deadline[MEMBERS], woke[MEMBERS];
static volatile u32 stop;
static const u32 later[MEMBERS] = {5, 2, 7, 0, 3, 6, 1, 4}; /* whose turn comes how late */

/* Waits on the word for ever, then until each deadline that it is given. */
static void member_run(void)
{
	struct member *self = member_self();
	u32 i = self->number;
	u64 last = 0;

	member_begin();
	stage[i] = 1;
	if (core_wait(self->auth, word_frame, 0, 0, 0) != ARIL_START_WAKE)
		aril_env_exit(2);
	stage[i] = 2;
	order[__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST) % MEMBERS] = i;
	while (!stop) {
		u64 until = deadline[i];

		if (until == last) {
			core_yield(0, 0);
			continue;
		}
		last = until;
		if (core_wait(self->auth, word_frame, 64, 0, until) != ARIL_START_TIME)
			aril_env_exit(3);
		woke[i] = core_now();
		if (woke[i] < until)
			__atomic_add_fetch(&early, 1, __ATOMIC_SEQ_CST);
		order[__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST) % MEMBERS] = i;
	}
	aril_env_exit(1);
}

/* Lets the members of this CPU run, until so many have been woken or nothing more comes. */
static u32 run_until(u32 n)
{
	u64 until = core_now() + 20000000000ul;

	while (woken < n && core_now() < until)
		core_sleep(1000000);
	core_sleep(20000000);
	return woken;
}

/* How many did not have their turn when it was theirs. Where the host had no time for us, two deadlines may be over before
 * one of the two could run: then again, with more time between them. */
static u32 in_order(u64 apart)
{
	u32 bad, late;

	do {
		u64 first = core_now() + 300000000;

		woken = bad = late = 0;
		for (u32 i = 0; i < MEMBERS; i++)
			deadline[i] = first + later[i] * apart;
		run_until(MEMBERS);
		for (u32 i = 0; i < MEMBERS; i++) {
			bad += later[order[i]] != i;
			late += woke[i] >= deadline[i] + apart;
		}
		apart *= 4;
	} while (bad && late && apart < 4000000000);
	return bad;
}

int main(int argc, char **argv, char **envp)
{
	u32 bad = 0;

	(void)argc, (void)argv, (void)envp;
	word = core_pages(1, &word_frame);
	for (u32 i = 0; i < MEMBERS; i++) { /* all on CPU 0, so that they wait in this order */
		member[i].number = i;
		allowed("a member", member_make(&member[i], 0, 0, member_run, 0));
		falls_asleep(core_auth, member[i].env);
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

	bad = in_order(60000000);
	stop = 1;
	for (u32 i = 0; i < MEMBERS; i++) {
		for (u32 n = 0; n < 20000 && member_alive(&member[i]); n++)
			core_sleep(1000000);
		bad += env_info(member[i].env)->status != 1;
	}
	core_log("waits: deadlines in order %s (%u, %u early)",
		 bad || early || woken != MEMBERS ? "WRONG" : "ok", bad, early);
	core_log("waits: done");
	return 0;
}
