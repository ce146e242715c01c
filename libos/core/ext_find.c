/* SPDX-License-Identifier: MIT
 * Where the code authority is: see core/ext.h. */
#include <aril/info.h>
#include <aril/ops.h>
#include <core/ext.h>

static const volatile struct aril_env_info *env_of(u32 slot)
{
	return (const volatile struct aril_env_info *)ARIL_INFO->envs_va + slot;
}

int core_env_alive(u32 env)
{
	return env_of(env & 0xffff)->id == env && env_of(env & 0xffff)->state == ARIL_ENV_ALIVE;
}

int core_env_serves(u32 env)
{
	return core_env_alive(env) && env_of(env & 0xffff)->gate;
}

/* It is the env that whoever has the public name may call: only who is above that name can say so. */
u32 core_ext_authority(void)
{
	const struct aril_cap *cap = &CORE_DOMAIN->code_cap;

	for (u32 i = 1; i < ARIL_INFO->nenvs; i++) {
		const volatile struct aril_env_info *e = env_of(i);
		const volatile struct aril_guard *g =
			&((const volatile struct aril_frame *)ARIL_INFO->frames_va)[e->frame]
				 .guard[1];
		u32 n = 0;

		if (e->state != ARIL_ENV_ALIVE || !cap->len || g->len != cap->len ||
		    !(g->rights & ARIL_CALL))
			continue;
		while (n < cap->len && g->name[n] == cap->name[n])
			n++;
		if (n == cap->len)
			return e->id;
	}
	return 0;
}
