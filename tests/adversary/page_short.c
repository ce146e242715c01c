/* SPDX-License-Identifier: MIT
 * The short ways of page_bind and page_protect, warm on one CPU, while the other takes away what they rely on: the frame's
 * guard, the frame, its nature, the page table, the way to it, the capability. Once the call that took it has returned, not
 * one more is let through; and nothing is written where the page table was. */
// smp: 2
// slice: 1000
// expect: page_short: refused after the guard changed, [1-9][0-9]* times
// expect: page_short: refused after the frame was freed, [1-9][0-9]* times
// expect: page_short: refused after the frame became a table, [1-9][0-9]* times
// expect: page_short: refused after the page table was taken, [1-9][0-9]* times
// expect: page_short: refused after the way was cut, [1-9][0-9]* times
// expect: page_short: refused after the capability was closed, [1-9][0-9]* times
// expect: page_short: done
// forbid: page_short: WRONG
#include "adversary.h"
#include <aril/ops.h>

#define VA 0x500000000000ul
#define LOOK 0x510000000000ul
#define ROUNDS 12u
#define TRIES 20u
#define PAGES 256u

static u32 root, frame, table, shadow, spare;
static volatile u32 opener;
static volatile u32 phase; /* odd: what was taken is gone */
static volatile u32 tries, bound, protected, refusals, late;
static volatile s64 late_bind, late_protect, error_now;
static struct aril_guard ours;

static void unbind_all(void)
{
	struct aril_space_op op = {.va = VA, .count = PAGES, .kind = ARIL_UNBIND};

	aril_space_update(core_auth, root, &op, 1);
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	while (!opener)
		core_sleep(1000000);
	for (u32 turn = 0;; turn++) {
		u64 va =
			VA + turn % PAGES *
				     ARIL_PAGE_SIZE; /* a place that is empty, or the way is long */
		u32 before = __atomic_load_n(&phase, __ATOMIC_SEQ_CST);
		s64 bind = aril_page_bind(core_auth, root, va, frame,
					  ARIL_BIND_WRITE | ARIL_BIND_MAY_WRITE, opener);
		/* seldom: the long way of any call would learn what has changed */
		s64 protect = turn % 8 == 7
				      ? aril_page_protect(core_auth, root, va,
							  ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE)
				      : -ARIL_E_STATE;

		if (before & 1 && before == __atomic_load_n(&phase, __ATOMIC_SEQ_CST)) {
			/* page_protect is by another index, and a page may be bound since the way was cut */
			if (bind >= 0 || (protect >= 0 && error_now != ARIL_E_CAP)) {
				late_bind = bind;
				late_protect = protect;
				late++;
			} else if (bind == -error_now) {
				refusals++;
			}
		} else {
			bound += bind >= 0;
			protected += protect >= 0;
		}
		tries++;
		if (turn % PAGES == PAGES - 1)
			unbind_all();
		/* a moment, in which all of a call of the other CPU may come */
		for (u32 i = 0; i < turn % 4 * 500 && !(phase & 1); i++)
			__builtin_ia32_pause();
	}
}

static void more(volatile u32 *count, u32 n)
{
	u32 from = *count;

	for (u64 until = core_now() + 5000000000ul; *count - from < n;)
		if (core_now() > until) {
			wrong("the other CPU stands still", n);
			return;
		}
}

static s64 guard(u32 rights)
{
	struct aril_frame_op op = {
		.first = frame, .count = 1, .kind = ARIL_FRAME_GUARD, .guard = ours};

	op.guard.rights = rights;
	s64 done;
	while ((done = aril_frame_update(core_auth, &op, 1)) == -ARIL_E_AGAIN)
		;
	return done == 1 ? 0 : done;
}

static s64 guard_take(void)
{
	return guard(ARIL_READ | ARIL_OWN);
}

static void guard_give(void)
{
	allowed("the guard again", guard(ARIL_ALL));
}

static s64 frame_take(void)
{
	s64 done = aril_frame_free(core_auth, frame, 1);

	return done == 1 ? 0 : done;
}

static void frame_give(void)
{
	if (frame_info(frame)->refs || frame_info(frame)->head)
		wrong("a binding of a free frame", frame_info(frame)->refs);
	allowed("the frame again",
		aril_frame_alloc(core_auth, CORE_DOMAIN->account, frame, 1, &ours));
}

/* Whenever it is not bound that moment. */
static s64 retype(void)
{
	s64 error = 0;

	for (u32 i = 0; i < 100000; i++) {
		error = aril_space_create(core_auth, frame, spare);
		if (error != -ARIL_E_STATE)
			break;
		aril_frame_reset(core_auth, frame);
	}
	return error;
}

static void retyped(void)
{
	if (frame_info(frame)->state != ARIL_FRAME_SPACE || frame_info(frame)->refs)
		wrong("a space that is bound", frame_info(frame)->refs);
	allowed("memory again", aril_frame_reset(core_auth, frame));
}

static s64 table_take(void)
{
	s64 error;

	while ((error = aril_frame_reset(core_auth, table)) == -ARIL_E_AGAIN)
		;
	return error;
}

/* What was the page table is memory: nothing was written into it since. */
static void table_give(void)
{
	for (u32 i = 0; i < 2; i++) {
		allowed("to look", core_map(&core_self, LOOK, i ? shadow : table, 1, 0, core_auth));
		for (u32 at = 0; at < ARIL_PAGE_SIZE / 8; at++)
			if (((volatile u64 *)LOOK)[at])
				wrong("an entry in what was a page table", at);
	}
	allowed("unbinding", core_unmap(&core_self, LOOK, 1));
	allowed("the table again", aril_space_table(core_auth, root, VA, 1, table, shadow));
}

static s64 way_take(void)
{
	return aril_space_unlink(core_auth, root, VA, 1);
}

static void way_give(void)
{
	allowed("the way again", aril_space_link(core_auth, root, VA, 1, table));
}

static s64 cap_take(void)
{
	return aril_cap_close(opener);
}

static void cap_give(void)
{
	s64 index = aril_cap_open(&CORE_DOMAIN->cap);

	allowed("the capability again", index);
	opener = (u32)index;
}

static void attack(const char *what, s64 (*take)(void), void (*give)(void), int error)
{
	u32 before = refusals;

	error_now = error;
	for (u32 n = 0; n < ROUNDS && !late; n++) {
		more(&bound, TRIES);
		allowed(what, take());
		__atomic_add_fetch(&phase, 1, __ATOMIC_SEQ_CST);
		more(&tries, TRIES);
		__atomic_add_fetch(&phase, 1, __ATOMIC_SEQ_CST);
		more(&tries, 1);
		give();
	}
	if (late)
		core_log("%s: WRONG let through after %s: %ld, %ld", NAME, what, late_bind,
			 late_protect);
	core_log("%s: refused after %s, %u times", NAME, what, refusals - before);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	ours = (struct aril_guard){.len = CORE_DOMAIN->cap.len,
				   .rights = ARIL_ALL,
				   .generation = CORE_DOMAIN->cap.generation};
	memcpy(ours.name, CORE_DOMAIN->cap.name, sizeof(ours.name));
	root = core_self.root;
	frame = core_pool_take(&core_pool, 1);
	spare = core_pool_take(&core_pool, 1);
	table = core_pool_take(&core_pool, 2);
	shadow = table + 1;
	allowed("tables", core_add_tables(&core_self, LOOK));
	u32 way = core_pool_take(&core_pool, 4);
	aril_space_table(core_auth, root, VA, 3, way, way + 1);
	aril_space_table(core_auth, root, VA, 2, way + 2, way + 3);
	allowed("a table", aril_space_table(core_auth, root, VA, 1, table, shadow));
	cap_give();
	attack("the guard changed", guard_take, guard_give, ARIL_E_RIGHTS);
	attack("the frame was freed", frame_take, frame_give, ARIL_E_RIGHTS);
	attack("the frame became a table", retype, retyped, ARIL_E_STATE);
	attack("the page table was taken", table_take, table_give, ARIL_E_TABLE);
	attack("the way was cut", way_take, way_give, ARIL_E_TABLE);
	attack("the capability was closed", cap_take, cap_give, ARIL_E_CAP);
	if (!protected)
		wrong("page_protect", 0);
	return done();
}
