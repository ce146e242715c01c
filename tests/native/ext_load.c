// SPDX-License-Identifier: MIT
// The code authority: shipped extensions loaded, attached and used; what is refused, and why; nothing is lost on the way,
// whatever becomes of an instance or of the authority.
// with:
// authority: faults
// smp: 2
// expect: ext_load: a pager was loaded, and served 64 faults
// expect: ext_load: taken back
// expect: ext_load: refused: .+
// expect: ext_load: an instance died, and nothing is lost
// expect: ext_load: one that is begun and left blocks nobody
// expect: ext_load: what a loader left that is no more was taken back
// expect: ext_load: verification is preempted, and its loader's
// expect: ext_load: refused: an object made to be slow: steps: verification takes more than 60000 steps
// expect: ext_load: an object made to be slow took its loader's time alone
// expect: ext_load: a step whose caller died meanwhile came to its end
// expect: ext_load: the authority died, and started again
// expect: ext_load: code in use went on
// expect: ext_load: done
// forbid: ext_load: WRONG
#include "ext.h"
#include "member.h"
#include <core/rpc.h>

OBJECT(pager);
OBJECT(clock);
OBJECT(slow);

#define BASE 0x511000000000ul
#define PAGES 64u

struct stock { /* programs/ext/pager.bpf.c */
	u64 low, high, filled, used, flags;
	u32 frame[512];
};

static u32 upcalls;

static int on_exception(struct core_frame *frame)
{
	u64 page = frame->save.addr & ~4095ul;
	static u32 spare;

	if (frame->save.vector != 14 || page < BASE || page >= BASE + (1ul << 30))
		return 0;
	upcalls++;
	if (!spare)
		spare = core_pool_take(&core_pool, 1);
	return !core_map(&core_self, page, spare, 1, ARIL_BIND_WRITE, core_auth);
}

static u64 frames_free(void)
{
	u64 n = 0;

	for (u32 i = 0; i < core_pool.nruns; i++)
		n += core_pool.run[i].count;
	return n;
}

static volatile struct stock *stock;
static const volatile struct aril_code *book;
static struct core_ext paging;
static u32 touched;

static void touch(u32 n)
{
	for (u32 i = 0; i < n; i++, touched++)
		*(volatile u64 *)(BASE + touched * 4096ul) = touched;
}

static void loaded(void)
{
	u32 first;

	allowed("loading", load(&paging, pager, pager_end));
	core_log("ext_load: %u instructions, %u bytes, worst %lu, verified in %lu steps: %s",
		 paging.insns, paging.bytes, paging.worst, paging.verified, paging.refusal);
	stock = data_of(&paging);
	book = book_of(&paging);
	first = core_pool_take(&core_pool, 2 * PAGES);
	for (u32 i = 0; i < 2 * PAGES; i++)
		stock->frame[i] = first + i;
	stock->low = BASE;
	stock->high = BASE + 2 * PAGES * 4096ul;
	stock->flags = ARIL_BIND_WRITE;
	stock->filled = 2 * PAGES;
	core_add_tables(&core_self, BASE);
	allowed("attaching", core_ext_attach(&paging, CORE_DOMAIN->env, core_auth, core_auth));
	touch(PAGES);
	expect("upcalls", 0, upcalls);
	expect("runs", PAGES, runs_of(book));
	expect("frames used", PAGES, stock->used);
	for (u32 i = 0; i < PAGES; i++)
		expect("what was written", i, *(volatile u64 *)(BASE + i * 4096ul));
	core_log("ext_load: a pager was loaded, and served %u faults", PAGES);
}

static void taken_back(void)
{
	struct core_ext e = {.name = "short"};
	u64 before = frames_free();

	allowed("loading", load(&e, clock, clock_end));
	expect("pool", before - (1 + e.text + e.constants + e.data), frames_free());
	expect("state", ARIL_FRAME_CODE, frame_info(e.code)->state);
	allowed("unloading", core_ext_unload(&e));
	expect("state", ARIL_FRAME_NORMAL, frame_info(e.code)->state);
	core_log("ext_load: taken back");
}

/* Nothing of a request is left behind. */
static void nothing_left(u64 before, u32 envs)
{
	u32 now = 0;

	for (u32 i = 0; i < ARIL_INFO->nenvs; i++)
		now += env_info(i)->state == ARIL_ENV_ALIVE;
	expect("pool", before, frames_free());
	expect("envs", envs, now);
}

static u32 envs(void)
{
	u32 n = 0;

	for (u32 i = 0; i < ARIL_INFO->nenvs; i++)
		n += env_info(i)->state == ARIL_ENV_ALIVE;
	return n;
}

static void turned_away(const char *what, struct core_ext *e, const u8 *object, u64 bytes,
			s64 should)
{
	u64 before = frames_free();
	u32 alive = envs();

	e->auth = core_auth;
	if (!e->cap.rights)
		e->cap = CORE_DOMAIN->cap;
	s64 error = core_ext_load(e, object, bytes);
	if (error != should)
		core_log("ext_load: WRONG %s gave %ld: %s", what, error, e->refusal);
	core_log("ext_load: refused: %s: %s", what, e->refusal);
	nothing_left(before, alive);
}

static void refusals(void)
{
	static u8 copy[16384];
	u64 bytes = (u64)(clock_end - clock);
	struct aril_cap weak;

	memcpy(copy, clock, bytes);
	for (u64 cut = 0; cut < bytes; cut += bytes / 3 + 1)
		turned_away("a part of an object", &(struct core_ext){0}, copy, cut ? cut : 1,
			    -ARIL_E_RANGE);
	turned_away("no such entry", &(struct core_ext){.entry = "nothing"}, copy, bytes,
		    -ARIL_E_RANGE);
	turned_away("too few steps", &(struct core_ext){.steps = 10}, copy, bytes, -ARIL_E_RANGE);
	turned_away("not an object", &(struct core_ext){0}, (const u8 *)0x400000, 4096,
		    -ARIL_E_RANGE);
	struct core_ext e = {0};
	e.guard[0] = (struct aril_guard){.name = {1, 9}, .len = 2, .rights = ARIL_ALL};
	turned_away("another's guard", &e, copy, bytes, -ARIL_E_RANGE);
	/* an instance that cannot tell anybody anything ends in silence: then it is the loader who must */
	allowed("a weak capability",
		aril_cap_derive(&CORE_DOMAIN->cap, NULL, 0, ARIL_READ | ARIL_WRITE,
				CORE_DOMAIN->cap.generation, &weak));
	struct core_ext w = {.cap = weak};
	w.guard[0] =
		(struct aril_guard){.len = CORE_DOMAIN->cap.len, .rights = ARIL_OWN | ARIL_EXEC};
	memcpy(w.guard[0].name, CORE_DOMAIN->cap.name, sizeof(w.guard[0].name));
	allowed("a capability that just suffices",
		core_ext_load(
			&(struct core_ext){.auth = core_auth, .cap = weak, .guard = {w.guard[0]}},
			copy, bytes));
}

static void dying(void)
{
	turned_away("an instance that faults", &(struct core_ext){.name = "fault"}, clock,
		    (u64)(clock_end - clock), -ARIL_E_CLOSED);
	core_log("ext_load: an instance died, and nothing is lost");
}

/* One call through the gate, until the authority does not say that it is to be called again. */
static u64 step(u32 auth, u64 op, struct core_run run, u32 request, u64 *word)
{
	struct core_server server = {.env = core_ext_authority(), .auth = auth};
	struct core_message m;

	do {
		m = (struct core_message){{op, run.first | (u64)run.count << 32, request}};
		s64 error = core_rpc(&server, &m);
		if (error)
			return (u64)error;
	} while (m.word[0] <= CORE_EXT_BUILDING);
	*word = m.word[1];
	return m.word[0];
}

static struct core_run left;
static u32 left_request;
static struct member leaving;
static volatile u32 left_begun;

static void leave(void)
{
	struct member *self = member_self();
	u64 word;

	member_begin();
	u32 auth = (u32)aril_cap_open(&CORE_DOMAIN->code_cap);
	expect("a begin", CORE_EXT_BUILT,
	       step(auth, CORE_EXT_BEGIN | 16ul << 32, left, left_request, &word));
	left_begun = 1;
	(void)self;
	aril_env_exit(0);
}

/* A request page, and frames given back for it. */
static void left_make(void)
{
	core_pages(1, &left_request);
	left = (struct core_run){core_pool_take(&core_pool, 256), 256};
	expect("given back", 256, (u64)aril_frame_free(core_auth, left.first, 256));
}

static void another(const char *what)
{
	struct core_ext e = {.name = "another"};

	allowed(what, load(&e, clock, clock_end));
	allowed(what, core_ext_unload(&e));
}

static void abandoned(void)
{
	u32 auth = (u32)aril_cap_open(&CORE_DOMAIN->code_cap), alive = envs();
	u64 word;

	left_make();
	expect("a begin", CORE_EXT_BUILT,
	       step(auth, CORE_EXT_BEGIN | 16ul << 32, left, left_request, &word));
	expect("envs", alive + 1, envs());
	expect("whose", CORE_DOMAIN->account & 0xffff, frame_info(left.first)->account);
	/* nobody but the authority can open what it is made of */
	refused("an instance's frame", core_map(&core_self, ext_va, left.first, 1, 0, core_auth),
		ARIL_E_RIGHTS);
	another("loading beside it");
	expect("an end", CORE_EXT_ENDED, step(auth, CORE_EXT_END, left, 0, &word));
	expect("envs", alive, envs());
	for (u32 i = 0; i < left.count; i++)
		expect("free", 0, frame_info(left.first + i)->account);
	/* frames that are not free cannot be taken, a page of another's is no request */
	u32 mine = core_pool_take(&core_pool, 256);
	expect("not free", CORE_EXT_REFUSED,
	       step(auth, CORE_EXT_BEGIN | 16ul << 32, (struct core_run){mine, 256}, left_request,
		    &word));
	expect("not free", ARIL_E_STATE, word);
	step(auth, CORE_EXT_END, (struct core_run){mine, 256}, 0, &word);
	expect("another's page", CORE_EXT_REFUSED,
	       step(auth, CORE_EXT_BEGIN | 16ul << 32, left, CORE_DOMAIN->env_frame / 2, &word));
	expect("another's page", ARIL_E_RIGHTS, word);
	/* one domain cannot have all the places there are */
	for (u32 i = 0; i < 5; i++) {
		struct core_server server = {.env = core_ext_authority(), .auth = auth};
		struct core_message m = {{CORE_EXT_BEGIN | 16ul << 32,
					  (left.first + i) | 128ul << 32, left_request}};

		allowed("a call", core_rpc(&server, &m));
		expect("places", i < 4 ? CORE_EXT_BUILDING : CORE_EXT_REFUSED, m.word[0]);
	}
	for (u32 i = 0; i < 4; i++)
		step(auth, CORE_EXT_END, (struct core_run){left.first + i, 128}, 0, &word);
	aril_cap_close(auth);
	core_log("ext_load: one that is begun and left blocks nobody");

	allowed("a member", member_make(&leaving, 0, 0, leave, core_gate));
	u64 until = core_now() + 3000000000ul;
	while (member_alive(&leaving) && core_now() < until)
		core_yield(core_auth, leaving.env);
	expect("begun", 1, left_begun);
	another("loading behind it");
	another("loading behind it");
	for (u32 i = 0; i < left.count; i++)
		expect("taken back", 0, frame_info(left.first + i)->account);
	expect("envs", alive, envs());
	core_log("ext_load: what a loader left that is no more was taken back");
}

/* The verifier is made to walk as far as it is let: slices end meanwhile, and others run. */
static volatile u32 others_turns;
static struct member other;
static void other_run(void)
{
	for (;;) {
		others_turns++;
		core_yield(0, 0);
	}
}

static void preempted(void)
{
	struct core_ext e = {.name = "slow"};
	u64 began = core_now();
	u32 before;

	allowed("a member", member_make(&other, 0, 0, other_run, 0));
	member_slices(0, other.env, 2, 2);
	before = others_turns;
	for (u32 i = 0; i < 8 && others_turns == before; i++) {
		allowed("loading", load(&e, pager, pager_end));
		allowed("unloading", core_ext_unload(&e));
	}
	if (others_turns == before)
		core_log("ext_load: WRONG nobody else ran in %lu us", (core_now() - began) / 1000);
	core_log("ext_load: verification is preempted, and its loader's");
	before = others_turns;
	turned_away("an object made to be slow", &(struct core_ext){.steps = 60000}, slow,
		    (u64)(slow_end - slow), -ARIL_E_RANGE);
	if (others_turns == before)
		core_log("ext_load: WRONG nobody else ran beside what is slow");
	/* the authority serves others as before, and the code that is in use runs */
	another("loading behind what is slow");
	touch(1);
	expect("upcalls", 0, upcalls);
	core_log("ext_load: an object made to be slow took its loader's time alone");
	allowed("an end", member_end(&other));
}

/* A step outlasts slice and grace, and its caller dies meanwhile: it has the authority, and nobody's time. */
static volatile u32 stuck_begun;
static struct member stuck;
static void stuck_run(void)
{
	struct core_server server = {.env = core_ext_authority()};
	struct core_message m = {{CORE_EXT_SLOW, 100000000, 0}};

	member_begin();
	server.auth = (u32)aril_cap_open(&CORE_DOMAIN->code_cap);
	stuck_begun = 1;
	core_rpc(&server, &m);
	stuck_begun = 2;
	for (;;)
		core_yield(0, 0);
}

static u32 slices_of(u32 cpu, u32 env)
{
	const volatile struct aril_slice *slice =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va + cpu * ARIL_SLICES;
	u32 n = 0;

	for (u32 i = 0; i < ARIL_SLICES; i++)
		n += slice[i].env == env;
	return n;
}

static void outlasting(void)
{
	const volatile struct aril_env_info *authority = env_info(core_ext_authority());
	u64 overruns = authority->overruns, until = core_now() + 3000000000ul;
	u32 id = authority->id, cpu = ARIL_INFO->ncpus - 1;

	allowed("a member", member_make(&stuck, cpu, 0, stuck_run, core_gate));
	member_slices(cpu, stuck.env, 0, 2);
	while (authority->overruns == overruns && core_now() < until)
		core_sleep(1000000);
	expect("begun", 1, stuck_begun);
	if (authority->overruns == overruns)
		core_log("ext_load: WRONG the step was not stopped by force");
	allowed("an end", member_end(&stuck));
	u64 began = core_now();
	another("loading behind it");
	if (core_now() - began > 5000000000ul)
		core_log("ext_load: WRONG it took %lu ms", (core_now() - began) / 1000000);
	expect("the same authority", id, core_ext_authority());
	until = core_now() + 3000000000ul;
	while (slices_of(cpu, id) && core_now() < until)
		core_sleep(1000000);
	expect("slices of its own", 0, slices_of(cpu, id));
	core_log("ext_load: a step whose caller died meanwhile came to its end");
}

static void authority_dies(void)
{
	struct core_server server = {.env = core_ext_authority()};
	struct core_message m = {{CORE_EXT_FAULT, 0, 0}};
	u64 until = core_now() + 5000000000ul;
	u32 was = server.env;

	server.auth = (u32)aril_cap_open(&CORE_DOMAIN->code_cap);
	u64 word;
	expect("a begin", CORE_EXT_BUILT,
	       step(server.auth, CORE_EXT_BEGIN | 16ul << 32, left, left_request, &word));
	expect("the call's end", (u64)-ARIL_E_CLOSED, (u64)core_rpc(&server, &m));
	aril_cap_close(server.auth);
	touch(PAGES / 2);
	expect("upcalls", 0, upcalls);
	core_log("ext_load: code in use went on");
	while ((!core_ext_authority() || core_ext_authority() == was ||
		!env_info(core_ext_authority())->gate) &&
	       core_now() < until)
		core_sleep(1000000);
	core_sleep(100000000);
	if (!core_ext_authority() || core_ext_authority() == was)
		core_log("ext_load: WRONG the authority does not start again");
	for (u32 i = 0; i < left.count; i++)
		expect("what was under way", 0, frame_info(left.first + i)->account);
	struct core_ext e = {.name = "again"};
	allowed("loading", load(&e, clock, clock_end));
	touch(PAGES / 2 - 1);
	expect("upcalls", 0, upcalls);
	expect("runs", 2 * PAGES, runs_of(book));
	core_log("ext_load: the authority died, and started again");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	core_sleep(50000000);
	loaded();
	taken_back();
	refusals();
	dying();
	abandoned();
	preempted();
	outlasting();
	authority_dies();
	return done();
}
