// SPDX-License-Identifier: MIT
// A critical section across two CPUs whose members are ended at random instants: what it guards is always whole, all
// that live go on, a wake wakes one, and a holder that was stopped is given the CPU.
// with:
// smp: 2
// slice: 1000
// expect: critical: quiet ok
// expect: critical: under fire ok
// expect: critical: everybody ends ok
// expect: critical: stopped holder ok
// expect: critical: stopped holder at an edge ok
// expect: critical: dead holder ok
// expect: critical: dead waiter ok
// expect: critical: done
// forbid: critical: WRONG
#include "member.h"
#include <core/critical.h>

#define MEMBERS 6u
#define KILLS 150u
#define PATIENCE 20000000000ul /* ns; nothing here takes a second */

/* Guarded: both counts are the same, but inside. */
static struct guarded {
	struct core_critical lock;
	volatile u64 first, second;
} * shared;
static u32 shared_frame;
static struct member member[MEMBERS];
static volatile u64 rounds[MEMBERS], torn, repairs, stop, refusals;
static volatile u32 ended[MEMBERS], holds, let_go;
static u64 seed = 88172645463325252ul;

static u32 random_below(u32 n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)((seed >> 32) * n >> 32);
}

static void repair(void *argument)
{
	struct guarded *g = argument;

	__atomic_add_fetch(&repairs, 1, __ATOMIC_RELAXED);
	g->second = g->first;
}

static struct core_critical_view view_by(u32 auth)
{
	return (struct core_critical_view){
		.lock = &shared->lock, .frame = shared_frame, .auth = auth, .run_auth = auth};
}

/* One entry; the work takes a while. */
static void enter_once(const struct core_critical_view *v, u32 work)
{
	if (core_critical_enter_repaired(v, repair, shared)) {
		refusals++;
		return;
	}
	if (shared->first != shared->second)
		__atomic_add_fetch(&torn, 1, __ATOMIC_RELAXED);
	shared->first++;
	for (volatile u32 i = 0; i < work; i++)
		;
	shared->second++;
	core_critical_leave(v);
}

static void member_run(void)
{
	struct member *self = member_self();

	member_begin();
	struct core_critical_view v = view_by(self->auth);
	core_async_on();
	while (!stop) {
		enter_once(&v, 200);
		rounds[self->number]++;
	}
	ended[self->number] = 1;
	aril_env_exit(0);
}

static void make(u32 i)
{
	u32 cpu = i & 1;

	member[i].number = i;
	ended[i] = 0;
	allowed("a member", member_make(&member[i], cpu, 0, member_run, 0));
	for (u32 position = i / 2 + 1; position < ARIL_SLICES - 1; position += 4)
		allowed("a slice", aril_slice_set(core_auth, cpu, position, member[i].env, 0));
}

static u64 all_rounds(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < MEMBERS; i++)
		sum += rounds[i];
	return sum;
}

/* Until so many rounds more were made by all; 0 when that takes too long. */
static int progress(u64 more)
{
	u64 until = core_now() + PATIENCE, at = all_rounds() + more;

	while (all_rounds() < at && core_now() < until)
		core_sleep(1000000);
	return all_rounds() >= at;
}

static void say(const char *what, int ok)
{
	const struct core_critical *l = &shared->lock;

	core_log("critical: %s %s (%lu entries, %lu slept, %lu wakes, %lu yields, %u deaths, %lu "
		 "repairs, %lu torn)",
		 what, ok && !torn && !refusals ? "ok" : "WRONG", l->entries, l->waits, l->wakes,
		 l->yields, l->deaths, repairs, torn);
}

/* But for one that is noticed right now, and any that died between noticing and repairing: a few instructions of a round. */
static int deaths_repaired(void)
{
	u64 repaired = repairs;

	return shared->lock.deaths >= repaired && shared->lock.deaths <= repairs + 3;
}

static void under_fire(void)
{
	int ok = 1;

	for (u32 kills = 0; kills < KILLS && ok; kills++) {
		u32 i = random_below(MEMBERS);
		u64 until = core_now() + random_below(300000);

		while (core_now() < until)
			;
		while (member_end(&member[i]) == -ARIL_E_AGAIN)
			;
		make(i);
		if (kills % 16 == 0)
			ok = progress(50);
	}
	say("under fire", ok && progress(100) && deaths_repaired() &&
				  shared->lock.waits <= shared->lock.wakes + KILLS);
}

/* How it ended, given this CPU until it has. */
static s64 status_of(u32 i)
{
	u64 until = core_now() + PATIENCE;

	while (member_alive(&member[i]) && core_now() < until)
		core_yield(core_auth, member[i].env);
	return member_alive(&member[i]) ? -1 : env_info(member[i].env)->status;
}

/* Holds it, giving the CPU back whenever it is given, until it may leave. */
static void holder_run(void)
{
	struct member *self = member_self();

	member_begin();
	struct core_critical_view v = view_by(self->auth);
	core_critical_enter(&v);
	holds = 1;
	while (!let_go)
		core_yield(self->auth, CORE_DOMAIN->env);
	ended[0] = 2;
	core_critical_leave(&v); /* at a slice's edge it gives the CPU away here, and lives on */
	aril_env_exit(0);
}

static void holder_make(void)
{
	u64 until = core_now() + PATIENCE;

	ended[0] = holds = let_go = 0;
	allowed("a holder", member_make(&member[0], 0, 0, holder_run, 0));
	while (!holds && core_now() < until) /* it may be stopped on its way */
		core_yield(core_auth, member[0].env);
}

/* A member holds it and does not run: entering gives it the CPU. at_edge: what it is given is a slice that is over, so
 * that it leaves the section and then the CPU, but does not come to its end yet. */
static void stopped_holder(const char *what, int at_edge)
{
	struct core_critical_view v = view_by(core_auth);
	u64 yields = shared->lock.yields;

	holder_make();
	let_go = 1;
	core_async_off();
	while (at_edge && !(*(volatile u32 *)&core_context()->pending & ARIL_PEND_END))
		;
	s64 result = core_critical_enter(&v);
	int ok = holds && result == 0 && ended[0] == 2 && shared->lock.yields > yields &&
		 core_critical_enter(&v) == -ARIL_E_STATE;
	core_critical_leave(&v);
	core_async_on();
	ok &= status_of(0) == 0;
	say(what, ok && shared->lock.word == 0);
}

/* Enters once, says how, ends. */
static void waiter_run(void)
{
	struct member *self = member_self();

	member_begin();
	struct core_critical_view v = view_by(self->auth);
	v.run_auth = 0xabcd; /* it always sleeps */
	s64 result = core_critical_enter(&v);
	core_critical_leave(&v);
	ended[self->number] = 1;
	aril_env_exit(10 + result);
}

/* Makes member i wait on this CPU for what is held. */
static void waiter_make(u32 i)
{
	ended[i] = 0;
	allowed("a waiter", member_make(&member[i], 0, 0, waiter_run, 0));
	falls_asleep(core_auth, member[i].env);
}

/* All that live sleep, and nobody is left to leave: only the holder's end can wake one, and he the next. */
static void deaths(void)
{
	struct core_critical_view v = view_by(core_auth);

	holder_make();
	waiter_make(1);
	waiter_make(2);
	allowed("the holder's end", member_end(&member[0]));
	s64 first = status_of(1), second = status_of(2);
	say("dead holder", first == 11 && second == 10);

	/* the one that the wake found ends before it ran */
	core_critical_enter(&v);
	waiter_make(1);
	waiter_make(2);
	core_async_off();
	core_critical_leave(&v);
	core_async_off();
	allowed("the waiter's end", member_end(&member[1]));
	core_async_on();
	say("dead waiter", status_of(2) == 10 && !ended[1]);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	shared = core_pages(1, &shared_frame);
	seed ^= core_tsc();
	for (u32 i = 0; i < MEMBERS; i++)
		make(i);
	say("quiet",
	    progress(2000) && !shared->lock.deaths && shared->lock.waits <= shared->lock.wakes);
	under_fire();
	stop = 1;
	u64 until = core_now() + PATIENCE;
	u32 n = 0;
	while (n < MEMBERS && core_now() < until) {
		core_sleep(1000000);
		for (u32 i = n = 0; i < MEMBERS; i++)
			n += ended[i] && !member_alive(&member[i]);
	}
	say("everybody ends", n == MEMBERS && shared->first == shared->second && deaths_repaired());
	for (u32 position = 0; position < ARIL_SLICES - 1; position++)
		aril_slice_set(core_auth, 0, position, CORE_DOMAIN->env, 0);
	stopped_holder("stopped holder", 0);
	stopped_holder("stopped holder at an edge", 1);
	deaths();
	core_log("critical: done");
	return 0;
}
