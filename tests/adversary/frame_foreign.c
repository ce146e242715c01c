/* SPDX-License-Identifier: MIT
 * Reaches for frames that are not its own: the neighbour's, init's, the kernel's, page tables, none at all. */
// expect: frame_foreign: done
// forbid: frame_foreign: WRONG
#include "adversary.h"

#define PROBE 0x500000000000ul

static void reach(const char *what, u32 frame, int error)
{
	struct aril_guard guard = {.name = {1, CORE_DOMAIN->index}, .len = 2, .rights = ARIL_ALL};
	struct aril_frame_op tag = {.first = frame, .count = 1, .kind = ARIL_FRAME_TAG, .tag = 1};
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space, .entry = 0x400000};
	u32 own = core_pool_take(&core_pool, 2);
	int good = 1;

	if (!frame) {
		core_log("%s: WRONG there is no %s to aim at", NAME, what);
		return;
	}
	good &= turned_down("reading", core_map(&core_self, PROBE, frame, 1, 0, core_auth), error);
	good &= turned_down("writing",
			    core_map(&core_self, PROBE, frame, 1, ARIL_BIND_WRITE, core_auth),
			    error);
	good &= turned_down("executing",
			    core_map(&core_self, PROBE, frame, 1, ARIL_BIND_EXEC, core_auth),
			    error);
	good &= turned_down("binding unread",
			    core_map(&core_self, PROBE, frame, 1, ARIL_BIND_NOREAD, core_auth),
			    error);
	for (u32 slot = 0; slot < 2; slot++)
		good &= turned_down(
			"guarding",
			core_set_guard(core_auth, (struct core_run){frame, 1}, slot, &guard),
			error);
	good &= turned_down("tagging", aril_frame_update(core_auth, &tag, 1), error);
	good &= turned_down("resetting", aril_frame_reset(core_auth, frame), error);
	good &= turned_down("a space in it", aril_space_create(core_auth, frame, own), error);
	good &= turned_down("a space's shadow in it", aril_space_create(core_auth, own, frame),
			    error);
	good &= turned_down("a table in it",
			    aril_space_table(core_auth, core_self.root, PROBE, 1, frame, own),
			    error);
	good &= turned_down("a table's shadow in it",
			    aril_space_table(core_auth, core_self.root, PROBE, 1, own, frame),
			    error);
	good &= turned_down("an env in it", aril_env_create(core_auth, frame, &desc), error);
	good &= turned_down("waiting on it", aril_wait(core_auth, frame, 0, 0, 1), error);
	good &= turned_down("waking on it", aril_wake(core_auth, frame, 0, 1), error);
	if (good)
		core_log("%s: refused %s, frame %#x", NAME, what, frame);
}

int main(int argc, char **argv, char **envp)
{
	u32 other = (u32)ARIL_INFO->free_low,
	    module = (u32)(ARIL_INFO->module[0].start >> ARIL_PAGE_SHIFT);

	(void)argc;
	(void)argv;
	(void)envp;
	core_map(&core_self, PROBE, core_pool_take(&core_pool, 1), 1, 0,
		 core_auth); /* the tables are there */
	core_unmap(&core_self, PROBE, 1);
	reach("the neighbour's memory", find_frame(ARIL_FRAME_NORMAL, 0, 1), ARIL_E_RIGHTS);
	reach("the neighbour's free memory", victim_env() ? env_info(victim_env())->frame - 1 : 0,
	      0);
	reach("the neighbour's env", env_info(victim_env())->frame, 0);
	reach("the neighbour's space", env_info(victim_env())->space, 0);
	reach("the neighbour's page table", find_frame(ARIL_FRAME_TABLE, 0, 0), 0);
	reach("the neighbour's shadow", find_frame(ARIL_FRAME_SHADOW, 0, 0), 0);
	reach("init's memory", other - 1, 0);
	reach("the kernel's memory", find_frame(ARIL_FRAME_KERNEL, -1, 0), 0);
	reach("no memory at all", find_frame(ARIL_FRAME_ABSENT, -1, 0), 0);
	reach("a frame past the end", ARIL_INFO->nframes, ARIL_E_FRAME);
	reach("a frame far past the end", ~0u, ARIL_E_FRAME);
	reach("the boot archive", module, ARIL_E_RIGHTS);
	/* runs that begin with its own */
	u32 first = core_pool_take(&core_pool, 1);
	struct aril_space_op op = {.va = PROBE,
				   .frame = first,
				   .count = 0xffffffff,
				   .kind = ARIL_BIND,
				   .auth = core_auth};
	refused("2^32-1 frames", aril_space_update(core_auth, core_self.root, &op, 1), 0);
	op.count = 0;
	refused("no frames", aril_space_update(core_auth, core_self.root, &op, 1), ARIL_E_RANGE);
	struct aril_frame_op guard = {.first = first, .count = ~0u, .kind = ARIL_FRAME_GUARD};
	refused("guarding 2^32-1 frames", aril_frame_update(core_auth, &guard, 1), 0);
	guard.first = ~0u;
	guard.count = 2;
	refused("guarding past 2^32", aril_frame_update(core_auth, &guard, 1), 0);
	guard = (struct aril_frame_op){.first = first,
				       .count = 1,
				       .kind = ARIL_FRAME_GUARD,
				       .guard = {.rights = ARIL_ALL}};
	refused("a guard above its own name", aril_frame_update(core_auth, &guard, 1),
		ARIL_E_RIGHTS);
	return done();
}
