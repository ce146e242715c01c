/* SPDX-License-Identifier: MIT
 * Ends members of a Linux family at random instants, with the root capability (ARIL_ROOT=assassin), as an abort protocol
 * does: the env of a process, wherever that runs and whatever it does. Not the scheduler's, and not the
 * first process's, whose end would be the family's. It says how many. */
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/time.h>
#include <core/upcall.h>

#define ENVS ((const volatile struct aril_env_info *)ARIL_INFO->envs_va)
#define LONGEST 2000000	 /* ns between two */
#define WARM 500000000ul /* from the first process to the first victim */
#define ENOUGH 1000	 /* ended: then it lets them be, however long that took */

static u64 seed;

static u64 any(u64 below)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (seed >> 33) % below;
}

/* The first domain's: 0: it has none yet. */
static u32 family_account(u32 *scheduler)
{
	u32 parent = ENVS[CORE_DOMAIN->env & 0xffff].parent;

	for (u32 i = 1; i < ARIL_INFO->nenvs; i++)
		if (ENVS[i].id != CORE_DOMAIN->env && ENVS[i].parent == parent &&
		    ENVS[i].state == ARIL_ENV_ALIVE) {
			*scheduler = ENVS[i].id;
			return ENVS[i].account;
		}
	return 0;
}

static int is_member(u32 i, u32 account, u32 scheduler, u32 first)
{
	return ENVS[i].state == ARIL_ENV_ALIVE && ENVS[i].account == account &&
	       ENVS[i].id != scheduler && ENVS[i].id != first;
}

int main(int argc, char **argv, char **envp)
{
	u32 scheduler = 0, account = family_account(&scheduler), first = 0, ended = 0, running = 0;
	s64 root = aril_cap_open(&CORE_DOMAIN->root_cap);

	(void)argc, (void)argv, (void)envp;
	if (root < 0 || !account) {
		core_log("assassin: WRONG: no root capability, or nobody to end");
		return 1;
	}
	while (!first) {
		for (u32 i = 1; i < ARIL_INFO->nenvs; i++)
			if (is_member(i, account, scheduler, 0))
				first = ENVS[i].id;
		core_sleep(200000);
	}
	core_sleep(WARM);
	seed = core_now();
	while (ENVS[scheduler & 0xffff].state == ARIL_ENV_ALIVE && ended < ENOUGH) {
		core_sleep(any(LONGEST));
		u32 from = (u32)any(ARIL_INFO->nenvs), victim = 0;

		for (u32 n = 0; n < ARIL_INFO->nenvs && !victim; n++) {
			u32 i = (from + n) % ARIL_INFO->nenvs;

			if (is_member(i, account, scheduler, first))
				victim = i;
		}
		/* mostly one that runs now, on another processor: that is in the middle of something */
		for (u32 cpu = 0; cpu < ARIL_INFO->ncpus && any(4); cpu++) {
			u32 i = ARIL_INFO->cpu[cpu].env & 0xffff;

			if (is_member(i, account, scheduler, first))
				victim = i;
		}
		if (!victim)
			continue;
		u32 id = ENVS[victim].id;
		for (u32 cpu = 0; cpu < ARIL_INFO->ncpus; cpu++)
			running += ARIL_INFO->cpu[cpu].env == id;
		if (is_member(victim, account, scheduler, first) &&
		    !aril_env_destroy((u32)root, id))
			ended++;
	}
	core_log("assassin: %u ended, %u of them while they ran", ended, running);
	return 0;
}
