/* SPDX-License-Identifier: MIT
 * Builds kernel objects in frames that are in use: bound, pinned, retyped already; and binds such frames. */
// expect: retype: refused a space in a bound frame
// expect: retype: done
// forbid: retype: WRONG
#include "adversary.h"

#define PROBE 0x500000000000ul

/* Every way to retype frame, beside a good one. */
static void all_ways(const char *what, u32 frame, int error)
{
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space, .entry = 0x400000};
	u32 good = core_pool_take(&core_pool, 1);
	int ok = 1;

	ok &= turned_down("a space", aril_space_create(core_auth, frame, good), error);
	ok &= turned_down("a space's shadow", aril_space_create(core_auth, good, frame), error);
	ok &= turned_down("a table",
			  aril_space_table(core_auth, core_self.root, PROBE, 3, frame, good),
			  error);
	ok &= turned_down("a table's shadow",
			  aril_space_table(core_auth, core_self.root, PROBE, 3, good, frame),
			  error);
	ok &= turned_down("an env", aril_env_create(core_auth, frame, &desc), error);
	if (frame_info(good)->state != ARIL_FRAME_NORMAL)
		wrong("the good frame changed", frame_info(good)->state);
	if (ok)
		core_log("%s: refused a space in %s", NAME, what);
}

static void bind(const char *what, u32 frame)
{
	int ok =
		turned_down(what, core_map(&core_self, PROBE, frame, 1, ARIL_BIND_WRITE, core_auth),
			    ARIL_E_STATE);

	ok &= turned_down(what, core_map(&core_self, PROBE, frame, 1, 0, core_auth), ARIL_E_STATE);
	if (ok)
		core_log("%s: refused binding %s", NAME, what);
}

int main(int argc, char **argv, char **envp)
{
	const volatile struct aril_frame *root = frame_info(CORE_DOMAIN->space);
	u32 bound, context = 0, table = find_frame(ARIL_FRAME_TABLE, (int)CORE_DOMAIN->index, 0);
	const volatile u64 *pte =
		(const volatile u64 *)(ARIL_SELF_VA + ((u64)core_context() >> 12) * 8);

	(void)argc;
	(void)argv;
	(void)envp;
	core_pages(1, &bound);
	context = ARIL_PTE_FRAME(*pte);
	all_ways("a bound frame", bound, ARIL_E_STATE);
	all_ways("a context", context, ARIL_E_STATE);
	all_ways("its own space", CORE_DOMAIN->space, ARIL_E_STATE);
	all_ways("its own space's shadow", root->partner, ARIL_E_STATE);
	all_ways("its own page table", table, ARIL_E_STATE);
	all_ways("its own env", CORE_DOMAIN->env_frame, ARIL_E_STATE);
	u32 same = core_pool_take(&core_pool, 1);
	refused("a space that is its own shadow", aril_space_create(core_auth, same, same),
		ARIL_E_RANGE);
	refused("a table that is its own shadow",
		aril_space_table(core_auth, core_self.root, PROBE, 3, same, same), ARIL_E_RANGE);
	allowed("tables for the probe", core_map(&core_self, PROBE, same, 1, 0, core_auth));
	bind("its own space", CORE_DOMAIN->space);
	bind("its own space's shadow", root->partner);
	bind("its own page table", table);
	bind("its own page table's shadow", frame_info(table)->partner);
	bind("its own env", CORE_DOMAIN->env_frame);
	struct aril_frame_op tag = {.first = table, .count = 1, .kind = ARIL_FRAME_TAG, .tag = 9};
	refused("tagging a page table", aril_frame_update(core_auth, &tag, 1), ARIL_E_STATE);
	struct aril_guard guard = {
		.name = {1, CORE_DOMAIN->index, 3}, .len = 3, .rights = ARIL_ALL};
	refused("guarding a page table",
		core_set_guard(core_auth, (struct core_run){table, 1}, 0, &guard), ARIL_E_STATE);
	refused("a table of level 0",
		aril_space_table(core_auth, core_self.root, PROBE, 0, same + 1, same + 2), 0);
	refused("a table of level 4",
		aril_space_table(core_auth, core_self.root, PROBE, 4, same + 1, same + 2), 0);
	refused("a table for the kernel",
		aril_space_table(core_auth, core_self.root, ARIL_PHYS_VA, 3, same + 1, same + 2),
		0);
	refused("a table where one is",
		aril_space_table(core_auth, core_self.root, PROBE, 1, core_pool_take(&core_pool, 1),
				 core_pool_take(&core_pool, 1)),
		ARIL_E_TABLE);
	refused("linking the root into itself",
		aril_space_link(core_auth, core_self.root, 0x510000000000, 3, core_self.root),
		ARIL_E_STATE);
	refused("linking a table at another level",
		aril_space_link(core_auth, core_self.root, 0x510000000000,
				frame_info(table)->level == 3 ? 2 : 3, table),
		0);
	refused("linking a table into the kernel's half",
		aril_space_link(core_auth, core_self.root, ARIL_PHYS_VA, 3, table), 0);
	refused("unlinking the kernel's half",
		aril_space_unlink(core_auth, core_self.root, ARIL_KERNEL_VA, 3), ARIL_E_RANGE);
	refused("unlinking its self map",
		aril_space_unlink(core_auth, core_self.root, ARIL_SELF_VA, 3), ARIL_E_RANGE);
	return done();
}
