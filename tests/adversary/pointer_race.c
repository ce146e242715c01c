/* SPDX-License-Identifier: MIT
 * While one CPU makes calls, the other changes what their pointers lead to, between what is allowed and what is not, and
 * takes the page away and gives it back. What a call does must be what it checked, and a page that is gone is an error. */
// expect: pointer_race: done
// forbid: pointer_race: WRONG|^INJECTED
// smp: 2
#include "race.h"

#define PROBE 0x500040000000ul

static u32 foreign, own;

/* Whether an index opens what is not ours; it is closed. */
static int opens_ours_only(s64 index)
{
	struct aril_frame_op op = {
		.first = foreign, .count = 1, .kind = ARIL_FRAME_TAG, .tag = 0xbad};

	if (index < 0)
		return index == -ARIL_E_CAP || index == -ARIL_E_ADDR;
	s64 result = aril_frame_update((u32)index, &op, 1);
	aril_cap_close((u32)index);
	return result == -ARIL_E_RIGHTS;
}

static s64 open_call(void)
{
	return aril_cap_open((const struct aril_cap *)ALIAS);
}

static struct aril_cap child_cap;

static s64 derive_call(void)
{
	return aril_cap_derive((const struct aril_cap *)ALIAS, (const u8 *)ALIAS, 0, ARIL_ALL, 0,
			       &child_cap);
}

static int derived(s64 result)
{
	return result ? result == -ARIL_E_CAP || result == -ARIL_E_ADDR
		      : opens_ours_only(aril_cap_open(&child_cap));
}

static s64 tag_call(void)
{
	return aril_frame_update(core_auth, (const struct aril_frame_op *)ALIAS, 1);
}

static int tagged(s64 result)
{
	return frame_info(foreign)->tag != 0x7a6 &&
	       (result == 1 || result == -ARIL_E_RIGHTS || result == -ARIL_E_ADDR);
}

static u32 foreign_refs;

static s64 bind_call(void)
{
	return aril_space_update(core_auth, core_self.root, (const struct aril_space_op *)ALIAS, 1);
}

static int bound(s64 result)
{
	return frame_info(foreign)->refs == foreign_refs &&
	       (result == 1 || result == -ARIL_E_RIGHTS || result == -ARIL_E_ADDR ||
		result == -ARIL_E_STATE);
}

/* An entry in the kernel's half would be the end of the machine when it is entered. */
static struct child kid;
CHILD(kid_entry, EXIT(5));

static s64 env_call(void)
{
	return aril_env_create(core_auth, kid.frame, (const struct aril_env_desc *)ALIAS);
}

static int created(s64 result)
{
	if (result < 0)
		return result == -ARIL_E_RANGE || result == -ARIL_E_ADDR;
	kid.env = (u32)result;
	core_async_off();
	s64 error = aril_env_context(core_auth, kid.env, core_context()->cpu, kid.context_frame,
				     (u64)kid.context);
	core_async_on();
	const volatile struct aril_env_info *e = error ? env_info(kid.env) : child_run(&kid);
	int good_end = e->end == ARIL_END_EXIT && e->status == 5;
	/* moved to the other CPU before it was run: it ends unrun */
	int unrun = e->state == ARIL_ENV_ALIVE;
	aril_frame_reset(core_auth, kid.frame);
	return good_end || unrun;
}

static u32 position;

static s64 slice_call(void)
{
	return aril_slice_set(core_auth, 0, position, CORE_DOMAIN->env,
			      (const struct aril_guard *)ALIAS);
}

static int guarded(s64 result)
{
	const volatile struct aril_slice *s =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va + position;

	return s->guard.name[1] == CORE_DOMAIN->cap.name[1] &&
	       (!result || result == -ARIL_E_RIGHTS || result == -ARIL_E_ADDR);
}

static s64 log_call(void)
{
	core_sleep(20000000);
	return aril_log((const char *)ALIAS, 12);
}

static int logged(s64 result)
{
	return !result || result == -ARIL_E_ADDR;
}

/* A position of ours on the first CPU. */
static int position_find(void)
{
	struct aril_guard guard = our_guard();

	for (; position < ARIL_SLICES; position++)
		if (!aril_slice_set(core_auth, 0, position, CORE_DOMAIN->env, &guard))
			return 1;
	return 0;
}

int main(int argc, char **argv, char **envp)
{
	struct aril_cap cap = CORE_DOMAIN->cap;
	u32 name = *(u32 *)cap.name, other = name ^ 0x300; /* another domain's */

	(void)argc, (void)argv, (void)envp;
	race_begin();
	core_pages(1, &own);
	foreign = env_info(env_info(CORE_DOMAIN->env)->parent)->frame;
	allowed("tables", core_map(&core_self, PROBE, own, 1, 0, core_auth));
	race(&cap, sizeof(cap), 0, other);
	many("cap_open", open_call, opens_ours_only);
	race(&cap, sizeof(cap), 0, other);
	many("cap_derive", derive_call, derived);
	struct aril_frame_op tag = {.first = own, .count = 1, .kind = ARIL_FRAME_TAG, .tag = 0x7a6};
	race(&tag, sizeof(tag), 0, foreign);
	many("frame_update", tag_call, tagged);
	struct aril_space_op bind = {
		.va = PROBE, .frame = own, .count = 1, .kind = ARIL_BIND, .auth = core_auth};
	foreign = env_info(env_info(CORE_DOMAIN->env)->parent)->space;
	foreign_refs = frame_info(foreign)->refs;
	race(&bind, sizeof(bind), 8, foreign);
	many("space_update", bind_call, bound);
	kid.context = core_pages(1, &kid.context_frame);
	kid.frame = core_pool_take(&core_pool, 1);
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space, .entry = (u64)kid_entry};
	race(&desc, sizeof(desc), 12, 0xffff8000);
	many("env_create", env_call, created);
	struct aril_guard guard = our_guard();
	if (!position_find())
		wrong("no position", 0);
	race(&guard, sizeof(guard), 0, other);
	many("slice_set", slice_call, guarded);
	race("none\nINJECTED", 13, 4, 0x204e4920);
	many("log", log_call, logged);
	race_end();
	return done();
}
