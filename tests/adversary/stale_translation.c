/* SPDX-License-Identifier: MIT
 * Writes through a binding on one CPU while the other takes it away: once the call has returned, not one more
 * write may land. Unbinding, narrowing, the same by the calls for one page, a guard's removal and a reset of the frame are
 * tried. */
// expect: stale_translation: [0-9]+ rounds, no late write
// expect: stale_translation: done
// forbid: stale_translation: WRONG
#include "adversary.h"

#define PROBE 0x500000000000ul
#define ROUNDS 200
#define WAYS 6
#define MAY (ARIL_BIND_WRITE | ARIL_BIND_MAY_WRITE)

static volatile u32 stopped, ready;

/* The writer's binding is gone: it waits until the next round. */
static int on_exception(struct core_frame *frame)
{
	if (frame->save.vector != 14 || frame->save.addr != PROBE)
		return 0;
	stopped = 1;
	while (stopped)
		__builtin_ia32_pause();
	return 1;
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	while (!ready)
		core_sleep(1000000);
	for (;;)
		__asm__ volatile("incq (%0)" : : "r"(PROBE) : "memory");
}

static void remove(u32 way, u32 frame)
{
	static u64 generation;
	struct aril_space_op op = {.va = PROBE,
				   .count = 1,
				   .kind = way ? ARIL_PROTECT : ARIL_UNBIND,
				   .auth = core_auth};
	struct aril_guard guard = {.name = {1, CORE_DOMAIN->index}, .len = 2, .rights = ARIL_ALL};

	guard.generation = ++generation;
	if (way == 4)
		allowed("unbinding a page",
			aril_page_unbind(core_auth, core_self.root, PROBE) ? -1 : 0);
	else if (way == 5)
		allowed("protecting a page",
			aril_page_protect(core_auth, core_self.root, PROBE, ARIL_PAGE_MAY_WRITE));
	else if (way < 2)
		allowed("unbinding", aril_space_update(core_auth, core_self.root, &op, 1));
	else if (way == 2)
		allowed("a new guard",
			core_set_guard(core_auth, (struct core_run){frame, 1}, 0, &guard));
	else
		allowed("a reset", aril_frame_reset(core_auth, frame));
}

int main(int argc, char **argv, char **envp)
{
	u32 frame, late = 0, spins = 0, rounds = 0;
	volatile u64 *word = core_pages(1, &frame);
	u64 until = core_now() + 50000000000;

	(void)argc;
	(void)argv;
	(void)envp;
	if (ARIL_INFO->ncpus < 2) {
		core_log("%s: needs two CPUs", NAME);
		return done();
	}
	core_handlers.exception = on_exception;
	allowed("a binding", core_map(&core_self, PROBE, frame, 1, MAY, core_auth));
	ready = 1;
	for (; rounds < ROUNDS && core_now() < until; rounds++) {
		u64 before = *word;

		while (*word == before && core_now() < until)
			__builtin_ia32_pause();
		remove(rounds % WAYS, frame);
		if (rounds % WAYS == 2 || rounds % WAYS == 3) /* our own view went too */
			core_map(&core_self, (u64)word, frame, 1, ARIL_BIND_WRITE, core_auth);
		before = *word;
		for (u32 i = 0; i < 20000; i++)
			late += *word != before;
		for (spins = 0; !stopped && core_now() < until; spins++)
			__builtin_ia32_pause();
		allowed("binding again", core_map(&core_self, PROBE, frame, 1, MAY, core_auth));
		stopped = 0;
	}
	if (late)
		wrong("late writes", late);
	else if (rounds == ROUNDS)
		core_log("%s: %u rounds, no late write", NAME, rounds);
	else
		wrong("rounds before time was up", rounds);
	return done();
}
