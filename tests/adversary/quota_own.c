// SPDX-License-Identifier: MIT
// A domain at each of its limits: accounts, frames, envs, slices. The refusal is QUOTA, the exposed account counts it,
// nothing of the domain's limits was lost, and the neighbour has all of its own.
// expect: quota_own: at the limit of accounts
// expect: quota_own: done
// forbid: quota_own: WRONG
#include "adversary.h"
#include <core/frames.h>

CHILD(x_exit, EXIT(0));

static const volatile struct aril_account *info(u32 id)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va + (id & 0xffff);
}

int main(int argc, char **argv, char **envp)
{
	static u32 made[ARIL_MAX_ACCOUNTS];
	const volatile struct aril_account *mine = info(CORE_DOMAIN->account);
	struct aril_account_desc desc = {.guard = {.rights = ARIL_ALL}}, one;
	struct aril_env_desc env = {.space = CORE_DOMAIN->space, .entry = (u64)x_exit};
	u32 n = 0, limit = mine->limit[ARIL_QUOTA_ACCOUNTS],
	    frames = mine->limit[ARIL_QUOTA_FRAMES];
	s64 last;

	(void)argc, (void)argv, (void)envp;
	desc.guard.len = CORE_DOMAIN->cap.len;
	memcpy(desc.guard.name, CORE_DOMAIN->cap.name, sizeof(desc.guard.name));
	while ((last = aril_account_create(core_auth, CORE_DOMAIN->account, &desc)) >= 0)
		made[n++] = (u32)last;
	refused("an account too many", last, ARIL_E_QUOTA);
	if (n != limit || mine->used[ARIL_QUOTA_ACCOUNTS] != limit || !mine->refused)
		wrong("accounts", n);
	core_log("%s: at the limit of accounts", NAME);
	/* nothing may be charged to one without limits */
	u32 frame = core_pool_take(&core_pool, 1);
	allowed("giving a frame back", core_frames_free(core_auth, frame, 1));
	refused("a frame for it", aril_frame_alloc(core_auth, made[0], frame, 1, &desc.guard),
		ARIL_E_QUOTA);
	u32 env_frame = core_pool_take(&core_pool, 1);
	env.account = made[0];
	refused("an env in it", aril_env_create(core_auth, env_frame, &env), ARIL_E_QUOTA);
	struct aril_frame_op op = {
		.first = env_frame, .count = 1, .kind = ARIL_FRAME_CHARGE, .tag = made[0]};
	refused("charging it with a frame", aril_frame_update(core_auth, &op, 1), ARIL_E_QUOTA);
	op.kind = ARIL_FRAME_MARK_KEEP;
	op.tag = 1;
	for (u32 i = 0; i < mine->reserve; i++) /* the whole reserve, and one more */
		if (mine->kept == mine->reserve || aril_frame_update(core_auth, &op, 1) != 1)
			break;
	op.tag = 0;
	if (mine->kept != 1 || aril_frame_update(core_auth, &op, 1) != 1 || mine->kept)
		wrong("frames kept", mine->kept);
	for (u32 i = 0; i < ARIL_SLICES; i++) {
		last = aril_slice_alloc(core_auth, made[0], 0, i, &desc.guard);
		if (last != -ARIL_E_RIGHTS && last != -ARIL_E_QUOTA)
			wrong("a position for it", last);
	}
	while (n)
		allowed("ending an account", aril_account_destroy(core_auth, made[--n]));
	/* the limit moves to a child and is missed here, and comes back */
	one = desc;
	one.limit[ARIL_QUOTA_FRAMES] = 1;
	last = aril_account_create(core_auth, CORE_DOMAIN->account, &one);
	allowed("an account for one frame", last);
	refused("a frame beyond what is left",
		aril_frame_alloc(core_auth, CORE_DOMAIN->account, frame, 1, &desc.guard),
		ARIL_E_QUOTA);
	if (aril_frame_alloc(core_auth, (u32)last, frame, 1, &desc.guard) != 1)
		wrong("its one frame", frame);
	allowed("giving it back", core_frames_free(core_auth, frame, 1));
	allowed("ending that account", aril_account_destroy(core_auth, (u32)last));
	if (mine->limit[ARIL_QUOTA_FRAMES] != frames || mine->limit[ARIL_QUOTA_ACCOUNTS] != limit)
		wrong("limits after all that", mine->limit[ARIL_QUOTA_FRAMES]);
	return done();
}
