/* SPDX-License-Identifier: MIT
 * Uses authority that has gone: closed indices, generations that a guard no longer accepts, bindings made
 * under them; and tries to derive more than it has. */
// expect: cap_stale: refused a binding by the old generation
// expect: cap_stale: the binding broke
// expect: cap_stale: done
// forbid: cap_stale: WRONG
#include "adversary.h"

#define PROBE ((volatile u64 *)0x500000000000ul)

static volatile u32 faults;

static int on_exception(struct core_frame *f)
{
	if (f->save.vector != 14)
		return 0;
	faults++;
	f->save.rip = f->rbx; /* where probe says */
	return 1;
}

static u64 probe(void)
{
	u64 value = 0;

	__asm__ volatile("leaq 1f(%%rip), %%rbx\n\tmovq (%1), %0\n1:"
			 : "+r"(value)
			 : "r"(PROBE)
			 : "rbx", "memory");
	return value;
}

static void generations(void)
{
	static const u8 suffix[1] = {7};
	struct aril_guard guard = {
		.name = {1, CORE_DOMAIN->index, 7}, .len = 3, .rights = ARIL_ALL, .generation = 5};
	struct aril_cap child;
	u32 frame = core_pool_take(&core_pool, 1);
	struct core_run run = {.first = frame, .count = 1};

	allowed("a child", aril_cap_derive(&CORE_DOMAIN->cap, suffix, 1, ARIL_ALL, 5, &child));
	u32 auth = (u32)aril_cap_open(&child);
	allowed("a guard", core_set_guard(core_auth, run, 0, &guard));
	allowed("a binding", core_map(&core_self, (u64)PROBE, frame, 1, ARIL_BIND_WRITE, auth));
	*PROBE = 0x1234;
	guard.generation = 6;
	allowed("a newer guard", core_set_guard(core_auth, run, 0, &guard));
	core_handlers.exception = on_exception;
	probe();
	if (faults)
		core_log("%s: the binding broke", NAME);
	else
		wrong("a binding under the old guard", 0);
	refused("a binding by the old generation",
		core_map(&core_self, (u64)PROBE, frame, 1, 0, auth), ARIL_E_RIGHTS);
	allowed("a binding by the parent",
		core_map(&core_self, (u64)PROBE, frame, 1, 0, core_auth));
	allowed("closing", aril_cap_close(auth));
	refused("a closed index", core_map(&core_self, (u64)PROBE, frame, 1, 0, auth), ARIL_E_CAP);
	u32 again = (u32)aril_cap_open(&child);
	if (again == auth)
		wrong("a slot's new index equals the old", again);
	refused("a closed index whose slot is used again",
		core_map(&core_self, (u64)PROBE, frame, 1, 0, auth), ARIL_E_CAP);
	refused("closing twice", aril_cap_close(auth), ARIL_E_CAP);
}

int main(int argc, char **argv, char **envp)
{
	static const u8 long_suffix[32];
	struct aril_cap weak, child;

	(void)argc;
	(void)argv;
	(void)envp;
	generations();
	allowed("a weak child", aril_cap_derive(&CORE_DOMAIN->cap, NULL, 0, ARIL_READ, 3, &weak));
	refused("more rights", aril_cap_derive(&weak, NULL, 0, ARIL_READ | ARIL_WRITE, 3, &child),
		ARIL_E_RANGE);
	refused("no rights", aril_cap_derive(&weak, NULL, 0, 0, 3, &child), ARIL_E_RANGE);
	refused("a newer generation", aril_cap_derive(&weak, NULL, 0, ARIL_READ, 4, &child),
		ARIL_E_RANGE);
	refused("a name too long", aril_cap_derive(&weak, long_suffix, 31, ARIL_READ, 3, &child),
		ARIL_E_RANGE);
	refused("a name of 2^64-1 bytes",
		aril_cap_derive(&weak, long_suffix, ~0ul, ARIL_READ, 3, &child), ARIL_E_RANGE);
	for (u32 i = 0; i < 16; i++) {
		u32 index = i << 28 | 0xfff;

		turned_down("an index never given", aril_cap_close(index), ARIL_E_CAP);
	}
	u32 weak_auth = (u32)aril_cap_open(&weak), frame = core_pool_take(&core_pool, 1);
	refused("writing by READ",
		core_map(&core_self, (u64)PROBE, frame, 1, ARIL_BIND_WRITE, weak_auth),
		ARIL_E_RIGHTS);
	refused("executing by READ",
		core_map(&core_self, (u64)PROBE, frame, 1, ARIL_BIND_EXEC, weak_auth),
		ARIL_E_RIGHTS);
	refused("resetting by READ", aril_frame_reset(weak_auth, frame), ARIL_E_RIGHTS);
	return done();
}
