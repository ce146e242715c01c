/* SPDX-License-Identifier: MIT
 * Makes envs, contexts, entries and log lines in each wrong way there is, and asks for the exact refusal. */
// expect: checks_env: refused a line by an env without a log
// expect: checks_env: wiped\?\[2J clean\?
// expect: checks_env: done
// forbid: checks_env: WRONG
#include "adversary.h"

#define NOWHERE 0x123456789000ul /* never bound */

CHILD(e_exit, EXIT(1));
void quiet_entry(void);
void quiet_start(void);
__asm__(".text\nquiet_entry:\n\tcall quiet_start\n\tud2\n");

static struct aril_env_desc good;
static u32 spare;
static s64 quiet[2];

/* In an env without the log: tries to use it, and to make an env that has it. */
void quiet_start(void)
{
	struct aril_env_desc desc = good;
	s64 auth = aril_cap_open(&CORE_DOMAIN->cap);

	quiet[0] = aril_log("x", 1);
	quiet[1] = aril_env_create((u32)auth, spare, &desc);
	aril_env_exit(0);
}

static s64 create(u32 auth, u32 frame, struct aril_env_desc desc)
{
	return aril_env_create(auth, frame, &desc);
}

static void creating(u32 bound, u32 neighbour)
{
	struct aril_env_desc desc = good;

	refused("an env by nothing", create(0xabcd, spare, good), ARIL_E_CAP);
	refused("a description nowhere", aril_env_create(core_auth, spare, (void *)NOWHERE),
		ARIL_E_ADDR);
	refused("an env in a foreign frame", create(core_auth, (u32)ARIL_INFO->free_low - 1, good),
		ARIL_E_RIGHTS);
	refused("an env in no frame", create(core_auth, ~0u, good), ARIL_E_FRAME);
	refused("an env in a bound frame", create(core_auth, bound, good), ARIL_E_STATE);
	desc.space = env_info(neighbour)->space;
	refused("an env in the neighbour's space", create(core_auth, spare, desc), ARIL_E_RIGHTS);
	desc.space = bound;
	refused("an env in what is no space", create(core_auth, spare, desc), ARIL_E_STATE);
	desc = good;
	desc.entry = ARIL_USER_TOP;
	refused("an entry beyond the user's", create(core_auth, spare, desc), ARIL_E_RANGE);
	desc = good;
	desc.gate = ARIL_USER_TOP;
	refused("a gate beyond the user's", create(core_auth, spare, desc), ARIL_E_RANGE);
	desc = good;
	desc.flags = 2;
	refused("a flag that is none", create(core_auth, spare, desc), ARIL_E_RANGE);
	desc = good;
	desc.zero = 1;
	refused("a word that must be 0", create(core_auth, spare, desc), ARIL_E_RANGE);
	refused("an entry beyond the user's", aril_env_entry(ARIL_USER_TOP, 0), ARIL_E_RANGE);
	refused("a gate beyond the user's", aril_env_entry((u64)core_upcall, ARIL_USER_TOP),
		ARIL_E_RANGE);
	refused("a space by nothing", aril_env_space(0xabcd, CORE_DOMAIN->space), ARIL_E_CAP);
	refused("the neighbour's space", aril_env_space(core_auth, env_info(neighbour)->space),
		ARIL_E_RIGHTS);
	refused("a space that is none", aril_env_space(core_auth, bound), ARIL_E_STATE);
}

static void contexts(u32 page, u32 neighbour)
{
	u32 self = CORE_DOMAIN->env, cpu = core_context()->cpu;
	s64 env = create(core_auth, spare, good);

	allowed("an env", env);
	refused("a context by nothing", aril_env_context(0xabcd, (u32)env, cpu, page, 0x10000),
		ARIL_E_CAP);
	refused("a context for nobody", aril_env_context(core_auth, 0xffffff, cpu, page, 0x10000),
		ARIL_E_ENV);
	refused("a context for the neighbour",
		aril_env_context(core_auth, neighbour, cpu, page, 0x10000), ARIL_E_RIGHTS);
	refused("a context on no CPU",
		aril_env_context(core_auth, (u32)env, ARIL_INFO->ncpus, page, 0x10000), ARIL_E_CPU);
	refused("taking what is not there", aril_env_context(core_auth, (u32)env, cpu, 0, 0),
		ARIL_E_STATE);
	refused("taking what runs", aril_env_context(core_auth, self, cpu, 0, 0), ARIL_E_STATE);
	refused("a foreign page",
		aril_env_context(core_auth, (u32)env, cpu, (u32)ARIL_INFO->free_low - 1, 0x10000),
		ARIL_E_RIGHTS);
	refused("a page that is no memory",
		aril_env_context(core_auth, (u32)env, cpu, ~0u, 0x10000), ARIL_E_FRAME);
	refused("an env as a page", aril_env_context(core_auth, (u32)env, cpu, spare, 0x10000),
		ARIL_E_STATE);
	refused("a page askew", aril_env_context(core_auth, (u32)env, cpu, page, 0x10001),
		ARIL_E_RANGE);
	refused("a page beyond the user's",
		aril_env_context(core_auth, (u32)env, cpu, page, ARIL_USER_TOP), ARIL_E_RANGE);
	refused("a second context", aril_env_context(core_auth, self, cpu, page, 0x10000),
		ARIL_E_STATE);
	if (frame_info(page)->pins)
		wrong("pins left by refusals", frame_info(page)->pins);
	allowed("taking the env back", aril_frame_reset(core_auth, spare));
	refused("the env that was", aril_env_context(core_auth, (u32)env, cpu, page, 0x10000),
		ARIL_E_ENV);
}

/* By its id: an env that has its frame later is another. */
static void ending(u32 neighbour)
{
	s64 env = create(core_auth, spare, good), next;

	allowed("an env", env);
	refused("ending an env by nothing", aril_env_destroy(0xabcd, (u32)env), ARIL_E_CAP);
	refused("ending nobody", aril_env_destroy(core_auth, 0xffffff), ARIL_E_ENV);
	refused("ending the neighbour", aril_env_destroy(core_auth, neighbour), ARIL_E_RIGHTS);
	if (env_info((u32)env)->state != ARIL_ENV_ALIVE)
		wrong("an env ended by refusals", env);
	allowed("ending an env", aril_env_destroy(core_auth, (u32)env));
	if (env_info((u32)env)->state != ARIL_ENV_DEAD ||
	    env_info((u32)env)->end != ARIL_END_DESTROYED ||
	    frame_info(spare)->state != ARIL_FRAME_NORMAL)
		wrong("how it ended", env_info((u32)env)->end);
	refused("ending it again", aril_env_destroy(core_auth, (u32)env), ARIL_E_ENV);
	next = create(core_auth, spare, good);
	allowed("another env in its frame", next);
	refused("ending the first once more", aril_env_destroy(core_auth, (u32)env), ARIL_E_ENV);
	if (env_info((u32)next)->state != ARIL_ENV_ALIVE)
		wrong("another env ended by an old id", next);
	allowed("ending the other", aril_env_destroy(core_auth, (u32)next));
}

/* An env that lacks ARIL_ENV_LOG. */
static void without_log(void)
{
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space, .entry = (u64)quiet_entry};
	u32 frame = core_pool_take(&core_pool, 1), page;
	struct aril_context *context = core_pages(1, &page);
	s64 env = create(core_auth, frame, desc);
	struct child c = {.env = (u32)env};

	allowed("a context",
		aril_env_context(core_auth, (u32)env, core_context()->cpu, page, (u64)context));
	child_run(&c);
	refused("a line by an env without a log", quiet[0], ARIL_E_RIGHTS);
	refused("giving what it has not", quiet[1], ARIL_E_RIGHTS);
}

int main(int argc, char **argv, char **envp)
{
	u32 neighbour = victim_env(), bound;

	(void)argc;
	(void)argv;
	(void)envp;
	good = (struct aril_env_desc){
		.space = CORE_DOMAIN->space, .flags = ARIL_ENV_LOG, .entry = (u64)e_exit};
	spare = core_pool_take(&core_pool, 1);
	core_pages(1, &bound);
	creating(bound, neighbour);
	contexts(bound, neighbour);
	ending(neighbour);
	without_log();
	refused("a line too long", aril_log((const char *)ARIL_INFO_VA, 257), ARIL_E_RANGE);
	aril_log("checks_env: wiped\33[2J\tclean\177", 28); /* nothing that a terminal obeys */
	refused("a line nowhere", aril_log((const char *)NOWHERE, 8), ARIL_E_ADDR);
	refused("ending the machine by nothing", aril_machine_end(0xabcd, 0), ARIL_E_CAP);
	refused("ending the machine", aril_machine_end(core_auth, 0), ARIL_E_RIGHTS);
	return done();
}
