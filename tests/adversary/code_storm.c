// SPDX-License-Identifier: MIT
// Code replaced, taken back and sealed again under the hands of another CPU that runs it all the time; so are predicates
// of who is being woken, and envs with a handler are ended while it runs.
// root: yes
// smp: 2
// expect: code_storm: replaced [0-9]+ times: no event lost or seen twice
// expect: code_storm: came and went [0-9]+ times, behind guards
// expect: code_storm: taken back [0-9]+ times under fire
// expect: code_storm: predicates taken back [0-9]+ times
// expect: code_storm: envs ended while their handler ran
// expect: code_storm: done
// forbid: code_storm: WRONG
#include "../native/code.h"
#include "../native/member.h"

#define EVENTS 100u
#define TIMES 10u

/* Counts breakpoints in data[0], and lets them pass. */
#define COUNTER(name)                                        \
	BLOB(name, "cmpq $3, (%rdi)\n\t"                     \
		   "jne 1f\n\t"                              \
		   "incq " DATA(name, 0) "\n\t"              \
					 "movl $1, %eax\n\t" \
					 "ret\n"             \
					 "1:\txorl %eax, %eax\n\tret")
COUNTER(counts);
COUNTER(counts_too);
COUNTER(counts_last);
/* Breakpoints alone. */
BLOB(breaks, "xorl %eax, %eax\n\tcmpq $3, (%rdi)\n\tsete %al\n\tret");
BLOB(never, "xorl %eax, %eax\n\tret");

static struct code one, two, last, guard;
static volatile u32 go, finished, upcalls, stop;
static volatile u64 events;
static struct member member;
static volatile u32 *word;
static u32 word_frame;

static int on_exception(struct core_frame *f)
{
	upcalls++;
	return f->save.vector == 3;
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	while (go < 1)
		core_sleep(1000000);
	for (; go < 2; events++)
		__asm__ volatile("int3");
	finished = 1;
	while (go < 3)
		core_sleep(1000000);
	for (; go < 4; events++)
		__asm__ volatile("int3");
	finished = 2;
	while (go < 5)
		core_sleep(1000000);
	for (; !stop; events++)
		__asm__ volatile("int3");
	finished = 3;
}

static void until(volatile u32 *what, u32 value)
{
	u64 end = core_now() + 20000000000ul;

	while (*what != value && core_now() < end)
		core_sleep(1000000);
	if (*what != value)
		core_log("code_storm: WRONG waited for %u in vain", value);
}

static void replaced(void)
{
	u32 n = 0;

	allowed("attaching", code_use(&one, ARIL_POINT_FAULT, CORE_DOMAIN->env));
	go = 1;
	u64 end = core_now() + 20000000000ul;
	for (; (n < 50 || one.data[0] < EVENTS || two.data[0] < EVENTS) && core_now() < end; n++)
		allowed("replacing",
			code_use(n % 2 ? &one : &two, ARIL_POINT_FAULT, CORE_DOMAIN->env));
	go = 2;
	until(&finished, 1);
	expect("upcalls", 0, upcalls);
	expect("events", events, one.data[0] + two.data[0]);
	expect("runs", events, code_runs(&one) + code_runs(&two));
	if (one.data[0] >= EVENTS && two.data[0] >= EVENTS)
		core_log("code_storm: replaced %u times: no event lost or seen twice", n);
	else
		core_log("code_storm: WRONG replaced %u times, %lu and %lu events", n, one.data[0],
			 two.data[0]);
}

static u64 noes(const struct code *c)
{
	u64 n = 0;

	for (u32 i = 0; i < ARIL_MAX_CPUS; i++)
		n += c->book->cpu[i].stops;
	return n;
}

/* One before the last comes and goes, with and without a guard; the guard's code goes under it. Each event is seen by one. */
static void came(void)
{
	u64 before = events, seen = one.data[0] + two.data[0], end = core_now() + 20000000000ul;
	u32 n = 0;

	allowed("attaching", code_use_at(&last, ARIL_POINT_FAULT, CORE_DOMAIN->env, 7, NULL));
	go = 3;
	for (; n < 24 && core_now() < end; n++) {
		allowed("attaching", code_use_at(n % 2 ? &one : &two, ARIL_POINT_FAULT,
						 CORE_DOMAIN->env, 0, n % 3 ? &guard : NULL));
		allowed("attaching",
			code_use_at(&two, ARIL_POINT_FAULT, CORE_DOMAIN->env, 3, &guard));
		if (n % 8 == 7) {
			allowed("taking the guard back", aril_frame_reset(core_auth, guard.first));
			allowed("sealing", code_make(&guard, ARIL_POINT_GUARD, breaks, breaks_end));
		}
		for (u32 i = 0; i < 8; i += 1 + n % 3)
			if (i < 7)
				allowed("detaching", aril_code_detach(core_auth, ARIL_POINT_FAULT,
								      CORE_DOMAIN->env, i));
	}
	while (last.data[0] < 50 && core_now() < end)
		core_sleep(1000000);
	go = 4;
	until(&finished, 2);
	expect("upcalls", 0, upcalls);
	expect("events", events - before, one.data[0] + two.data[0] + last.data[0] - seen);
	expect("noes", 0, noes(&guard));
	core_log("code_storm: came and went %u times, behind guards", n);
	for (u32 i = 1; i < ARIL_CODE_ENTRIES; i++)
		allowed("detaching",
			aril_code_detach(core_auth, ARIL_POINT_FAULT, CORE_DOMAIN->env, i));
}

static void taken(void)
{
	u64 before;
	u32 n = 0;

	go = 5;
	for (; n < TIMES; n++) {
		struct code c = {.first = code_frames(counts, counts_end)};
		struct aril_code_desc d = code_desc(c.first, ARIL_POINT_FAULT);

		allowed("sealing", aril_code_seal(code_root, &d));
		allowed("attaching", code_use(&c, ARIL_POINT_FAULT, CORE_DOMAIN->env));
		before = events;
		while (events < before + 20) /* it runs there */
			;
		allowed("taking back", aril_frame_free(core_auth, c.first + n % 3, 1));
		for (u32 i = 0; i < 3; i++)
			expect("state", ARIL_FRAME_NORMAL, frame_info(c.first + i)->state);
		/* what was code is written at once: nothing there runs any more */
		for (u32 i = 0; i < 3; i++)
			aril_frame_free(core_auth, c.first + i, 1);
	}
	stop = 1;
	until(&finished, 3);
	core_log("code_storm: taken back %u times under fire", n);
}

/* Waits until what never is. */
static void member_run(void)
{
	struct member *self = member_self();

	member_begin();
	for (;;) {
		struct aril_code_wait w = {.code = one.first,
					   .auth = self->auth,
					   .page = {word_frame, 0, 0},
					   .word = {0, ARIL_CODE_NO_WORD, ARIL_CODE_NO_WORD}};

		core_code_wait(&w);
		upcalls++;
	}
}

static void predicates(void)
{
	u32 n = 0, before;

	allowed("a member", member_make(&member, 1, 0, member_run, 0));
	member_slices(1, member.env, 1, 2);
	for (; n < TIMES; n++) {
		u64 end = core_now() + 20000000000ul;

		allowed("sealing", code_make(&one, ARIL_POINT_PREDICATE, never, never_end));
		while (!one.book->uses && core_now() < end)
			core_sleep(200000);
		expect("uses", 1, one.book->uses);
		for (u32 i = 0; i < 20; i++)
			expect("woken", 0, (u64)aril_wake(core_auth, word_frame, 0, 9));
		before = upcalls;
		if (n == TIMES - 1)
			allowed("the end of who waits", member_end(&member));
		allowed("taking back", aril_frame_reset(core_auth, one.first + 1));
		(void)before;
	}
	core_log("code_storm: predicates taken back %u times", n);
}

static void breaker(void)
{
	for (;;)
		__asm__ volatile("int3");
}

static void ended(void)
{
	for (u32 i = 0; i < 6; i++) {
		u64 runs = code_runs(&two), end = core_now() + 20000000000ul;

		allowed("a member", member_make(&member, 1, 0, breaker, 0));
		allowed("attaching", code_use(&two, ARIL_POINT_FAULT, member.env));
		member_slices(1, member.env, 1, 2);
		while (code_runs(&two) < runs + 50 && core_now() < end)
			core_sleep(200000);
		expect("its handler ran", 1, code_runs(&two) >= runs + 50);
		allowed("its end", member_end(&member));
		expect("uses", 0, two.book->uses);
	}
	core_log("code_storm: envs ended while their handler ran");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	word = core_pages(1, &word_frame);
	allowed("sealing", code_make(&one, ARIL_POINT_FAULT, counts, counts_end));
	allowed("sealing", code_make(&two, ARIL_POINT_FAULT, counts_too, counts_too_end));
	allowed("sealing", code_make(&last, ARIL_POINT_FAULT, counts_last, counts_last_end));
	allowed("sealing", code_make(&guard, ARIL_POINT_GUARD, breaks, breaks_end));
	replaced();
	came();
	taken();
	allowed("detaching", aril_code_detach(core_auth, ARIL_POINT_FAULT, CORE_DOMAIN->env, 0));
	predicates();
	ended();
	return done();
}
