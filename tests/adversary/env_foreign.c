/* SPDX-License-Identifier: MIT
 * Interferes with envs, spaces and slices that are not its own. */
// expect: env_foreign: refused destroying the neighbour
// expect: env_foreign: done
// forbid: env_foreign: WRONG
#include "adversary.h"

static void slices(u32 neighbour)
{
	struct aril_guard mine = {.name = {1, CORE_DOMAIN->index}, .len = 2, .rights = ARIL_ALL};
	const volatile struct aril_slice *vector =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va;
	u32 own = 0, other = 0;

	for (u32 i = 0; i < ARIL_SLICES; i++) {
		if (vector[i].env == CORE_DOMAIN->env) {
			own = i;
			continue;
		}
		other++;
		turned_down("a foreign slice",
			    aril_slice_set(core_auth, 0, i, CORE_DOMAIN->env, NULL), ARIL_E_RIGHTS);
		turned_down("a foreign slice's guard",
			    aril_slice_set(core_auth, 0, i, CORE_DOMAIN->env, &mine),
			    ARIL_E_RIGHTS);
		turned_down("emptying a foreign slice", aril_slice_set(core_auth, 0, i, 0, NULL),
			    ARIL_E_RIGHTS);
	}
	core_log("%s: refused %u slices", NAME, other);
	mine.len = 1;
	mine.name[1] = 0;
	refused("a guard above its name",
		aril_slice_set(core_auth, 0, own, CORE_DOMAIN->env, &mine), 0);
	refused("a CPU that is not there",
		aril_slice_set(core_auth, ARIL_INFO->ncpus, 0, CORE_DOMAIN->env, NULL), ARIL_E_CPU);
	refused("a position that is not there",
		aril_slice_set(core_auth, 0, ARIL_SLICES, CORE_DOMAIN->env, NULL), ARIL_E_RANGE);
	refused("an env that is not there", aril_slice_set(core_auth, 0, own, 0xffffff, NULL),
		ARIL_E_ENV);
	refused("yielding to the neighbour", aril_yield(core_auth, neighbour), ARIL_E_RIGHTS);
}

int main(int argc, char **argv, char **envp)
{
	u32 neighbour = victim_env(), parent = env_info(CORE_DOMAIN->env)->parent, page;
	const volatile struct aril_env_info *n = env_info(neighbour), *p = env_info(parent);

	(void)argc;
	(void)argv;
	(void)envp;
	core_pages(1, &page);
	slices(neighbour);
	refused("destroying the neighbour", aril_frame_reset(core_auth, n->frame), ARIL_E_RIGHTS);
	refused("destroying the neighbour by its id", aril_env_destroy(core_auth, neighbour),
		ARIL_E_RIGHTS);
	refused("destroying init by its id", aril_env_destroy(core_auth, parent), ARIL_E_RIGHTS);
	refused("destroying the neighbour's space", aril_frame_reset(core_auth, n->space),
		ARIL_E_RIGHTS);
	refused("destroying init", aril_frame_reset(core_auth, p->frame), ARIL_E_RIGHTS);
	refused("destroying init's space", aril_frame_reset(core_auth, p->space), ARIL_E_RIGHTS);
	refused("a context for the neighbour",
		aril_env_context(core_auth, neighbour, 1, page, 0x10000), ARIL_E_RIGHTS);
	refused("taking the neighbour's context", aril_env_context(core_auth, neighbour, 0, 0, 0),
		ARIL_E_RIGHTS);
	refused("moving into the neighbour's space", aril_env_space(core_auth, n->space),
		ARIL_E_RIGHTS);
	refused("moving into no space", aril_env_space(core_auth, page), ARIL_E_STATE);
	refused("moving into a page table",
		aril_env_space(core_auth, frame_info(CORE_DOMAIN->space)->partner), 0);
	struct aril_env_desc desc = {.space = n->space, .entry = 0x400000};
	u32 frame = core_pool_take(&core_pool, 1);
	refused("an env in the neighbour's space", aril_env_create(core_auth, frame, &desc),
		ARIL_E_RIGHTS);
	desc.space = page;
	refused("an env in no space", aril_env_create(core_auth, frame, &desc), 0);
	desc.space = CORE_DOMAIN->space;
	desc.entry = ARIL_KERNEL_VA;
	refused("an env that enters the kernel", aril_env_create(core_auth, frame, &desc),
		ARIL_E_RANGE);
	desc.entry = 0x400000;
	desc.flags = ~0u;
	refused("an env with flags that are none", aril_env_create(core_auth, frame, &desc), 0);
	struct aril_space_op op = {
		.va = 0x400000, .count = 1, .kind = ARIL_UNBIND, .auth = core_auth};
	refused("unbinding the neighbour's code", aril_space_update(core_auth, n->space, &op, 1),
		ARIL_E_RIGHTS);
	op.kind = ARIL_PROTECT;
	op.flags = ARIL_BIND_WRITE;
	refused("making the neighbour's code writable",
		aril_space_update(core_auth, n->space, &op, 1), ARIL_E_RIGHTS);
	op.kind = ARIL_BIND;
	op.frame = page;
	refused("binding into the neighbour's space",
		aril_space_update(core_auth, n->space, &op, 1), ARIL_E_RIGHTS);
	refused("a table for the neighbour",
		aril_space_table(core_auth, n->space, 0x500000000000, 3, frame, frame + 1), 0);
	refused("unlinking the neighbour's table",
		aril_space_unlink(core_auth, n->space, 0x400000, 3), ARIL_E_RIGHTS);
	refused("linking the neighbour's table",
		aril_space_link(core_auth, CORE_DOMAIN->space, 0x500000000000, 3,
				find_frame(ARIL_FRAME_TABLE, 0, 0)),
		ARIL_E_RIGHTS);
	refused("waiting on the neighbour's word",
		aril_wait(core_auth, find_frame(ARIL_FRAME_NORMAL, 0, 1), 0, 0, 1), ARIL_E_RIGHTS);
	refused("waking on the books", aril_wake(core_auth, ARIL_INFO->envs_frame, 0, 1),
		ARIL_E_RIGHTS);
	return done();
}
