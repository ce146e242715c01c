// SPDX-License-Identifier: MIT
// The code authority: shipped extensions loaded, attached and used; what is refused, and why; nothing is lost on the way,
// whatever becomes of an instance or of the authority.
// with:
// authority: faults
// smp: 2
// timeout: 90
// expect: ext_load: a pager was loaded, and served 64 faults
// expect: ext_load: taken back
// expect: ext_load: refused: .+
// expect: ext_load: an instance died, and nothing is lost
// expect: ext_load: the authority died, and started again
// expect: ext_load: code in use went on
// expect: ext_load: done
// forbid: ext_load: WRONG
#include "ext.h"
#include <core/rpc.h>

OBJECT(pager);
OBJECT(clock);

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

static void authority_dies(void)
{
	struct core_server server = {.env = core_ext_authority()};
	struct core_message m = {{CORE_EXT_FAULT, 0, 0}};
	u64 until = core_now() + 5000000000ul;
	u32 was = server.env;

	server.auth = (u32)aril_cap_open(&CORE_DOMAIN->code_cap);
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
	struct core_ext e = {.name = "again"};
	allowed("loading", load(&e, clock, clock_end));
	touch(PAGES / 2);
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
	authority_dies();
	return done();
}
