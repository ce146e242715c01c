/* SPDX-License-Identifier: MIT
 * Yields, enters gates, waits, wakes and sets slices in each wrong way there is, and asks for the exact refusal. */
// expect: checks_time: done
// forbid: checks_time: WRONG
#include "adversary.h"

#define NOWHERE ((void *)0x123456789000ul) /* never bound */

static u32 word_frame;
static struct aril_guard mine;

void sleeper_entry(void);
void sleeper_start(void);
__asm__(".text\nsleeper_entry:\n\tcall sleeper_start\n\tud2\n");
CHILD(t_gate, EXIT(77));

/* Waits for ever on a word that nobody wakes. */
void sleeper_start(void)
{
	s64 auth = aril_cap_open(&CORE_DOMAIN->cap);

	aril_env_exit(aril_wait((u32)auth, word_frame, 0, 0, 0));
}

static s64 wait_for(u32 auth, u32 frame, u32 offset, u32 expected)
{
	return core_wait(auth, frame, offset, expected, core_now() + 50000000);
}

static void giving(u32 neighbour, u32 absent, u32 asleep)
{
	refused("yielding to nobody", core_yield(core_auth, 0xffffff), ARIL_E_ENV);
	refused("yielding by nothing", core_yield(0xabcd, asleep), ARIL_E_CAP);
	refused("yielding to the neighbour", core_yield(core_auth, neighbour), ARIL_E_RIGHTS);
	refused("yielding to who is not here", core_yield(core_auth, absent), ARIL_E_CPU);
	refused("yielding to who is blocked", core_yield(core_auth, asleep), ARIL_E_STATE);
}

static void gates(u32 neighbour, u32 absent, struct child *asleep)
{
	static struct child open;

	allowed("a child", child_make(&open, sleeper_entry, t_gate));
	refused("a gate in no mode", aril_gate(core_auth, open.env, 2), ARIL_E_RANGE);
	refused("nobody's gate", aril_gate(core_auth, 0xffffff, 0), ARIL_E_ENV);
	refused("a gate by nothing", aril_gate(0xabcd, open.env, 0), ARIL_E_CAP);
	refused("the neighbour's gate", aril_gate(core_auth, neighbour, 0), ARIL_E_RIGHTS);
	refused("its own gate", aril_gate(core_auth, CORE_DOMAIN->env, 0), ARIL_E_CLOSED);
	refused("the gate of who is not here", aril_gate(core_auth, absent, 0), ARIL_E_CPU);
	refused("a closed gate", aril_gate(core_auth, open.env, 0), ARIL_E_CLOSED);
	open.context->gate_open = 1;
	open.context->forced = 1;
	refused("the gate of who was stopped", aril_gate(core_auth, open.env, 0), ARIL_E_CLOSED);
	open.context->forced = 0;
	asleep->context->gate_open = 1;
	refused("the gate of who is blocked", aril_gate(core_auth, asleep->env, 0), ARIL_E_CLOSED);
	asleep->context->gate_open = 0;
	allowed("taking it back", aril_frame_reset(core_auth, open.frame));
	allowed("a child", child_make(&open, sleeper_entry, 0));
	open.context->gate_open = 1;
	refused("a gate that is not there", aril_gate(core_auth, open.env, 0), ARIL_E_CLOSED);
}

static s64 set(u32 auth, u32 position, struct aril_guard guard)
{
	return aril_slice_set(auth, 0, position, CORE_DOMAIN->env, &guard);
}

static void slices(void)
{
	const volatile struct aril_slice *vector =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va;
	struct aril_guard guard = mine;
	u32 own = 0, foreign = 0, self = CORE_DOMAIN->env;
	struct aril_cap older;

	for (u32 i = 0; i < ARIL_SLICES; i++)
		*(vector[i].env == self ? &own : &foreign) = i;
	refused("a slice by nothing", aril_slice_set(0xabcd, 0, own, self, 0), ARIL_E_CAP);
	refused("a slice of no CPU", aril_slice_set(core_auth, ARIL_INFO->ncpus, own, self, 0),
		ARIL_E_CPU);
	refused("no slice", aril_slice_set(core_auth, 0, ARIL_SLICES, self, 0), ARIL_E_RANGE);
	refused("a foreign slice", aril_slice_set(core_auth, 0, foreign, self, 0), ARIL_E_RIGHTS);
	refused("a slice for nobody", aril_slice_set(core_auth, 0, own, 0xffffff, 0), ARIL_E_ENV);
	refused("a guard nowhere", aril_slice_set(core_auth, 0, own, self, NOWHERE), ARIL_E_ADDR);
	guard.zero[1] = 1;
	refused("a guard that is none", set(core_auth, own, guard), ARIL_E_RANGE);
	guard = mine;
	guard.rights = ARIL_ALL + 1;
	refused("a right that is none", set(core_auth, own, guard), ARIL_E_RANGE);
	guard.rights = ARIL_READ;
	refused("a slice that nobody could take back", set(core_auth, own, guard), ARIL_E_RANGE);
	guard.rights = ARIL_RUN;
	refused("a slice whose guard would stay", set(core_auth, own, guard), ARIL_E_RANGE);
	guard = mine;
	guard.name[1]++;
	refused("giving a slice a foreign name", set(core_auth, own, guard), ARIL_E_RIGHTS);
	guard = mine;
	guard.generation = 6;
	allowed("an older capability",
		aril_cap_derive(&CORE_DOMAIN->cap, 0, 0, ARIL_ALL, 5, &older));
	refused("a generation newer than its own", set((u32)aril_cap_open(&older), own, guard),
		ARIL_E_RIGHTS);
	allowed("its own guard", set(core_auth, own, mine));
}

static void words(void)
{
	u32 root = (u32)ARIL_INFO->free_low - 1, env_frame = CORE_DOMAIN->env_frame;
	struct aril_context *context = core_context();

	refused("waiting askew", wait_for(core_auth, word_frame, 2, 0), ARIL_E_RANGE);
	refused("waiting past the frame", wait_for(core_auth, word_frame, 4096, 0), ARIL_E_RANGE);
	refused("waiting by nothing", wait_for(0xabcd, word_frame, 4, 0), ARIL_E_CAP);
	refused("waiting on init's word", wait_for(core_auth, root, 0, 0), ARIL_E_RIGHTS);
	refused("waiting in no memory", wait_for(core_auth, ~0u, 0, 0), ARIL_E_FRAME);
	refused("waiting in its env", wait_for(core_auth, env_frame, 64, 0), ARIL_E_STATE);
	refused("waiting for what is not", wait_for(core_auth, word_frame, 4, 1), ARIL_E_VALUE);
	core_async_off();
	__atomic_or_fetch(&context->pending, ARIL_PEND_EVENT, __ATOMIC_SEQ_CST);
	s64 again = wait_for(core_auth, word_frame, 4, 0);
	__atomic_and_fetch(&context->pending, ~ARIL_PEND_EVENT, __ATOMIC_SEQ_CST);
	core_async_on();
	refused("waiting with an event at hand", again, ARIL_E_AGAIN);
	refused("waking askew", aril_wake(core_auth, word_frame, 2, 1), ARIL_E_RANGE);
	refused("waking past the frame", aril_wake(core_auth, word_frame, 4096, 1), ARIL_E_RANGE);
	refused("waking by nothing", aril_wake(0xabcd, word_frame, 0, 1), ARIL_E_CAP);
	refused("waking on init's word", aril_wake(core_auth, root, 0, 1), ARIL_E_RIGHTS);
	refused("waking in its env", aril_wake(core_auth, env_frame, 64, 1), ARIL_E_STATE);
	refused("waking on an env's state", aril_wake(core_auth, ARIL_INFO->envs_frame, 4, 1),
		ARIL_E_RIGHTS);
}

int main(int argc, char **argv, char **envp)
{
	struct aril_env_desc desc = {
		.space = CORE_DOMAIN->space, .entry = (u64)sleeper_entry, .gate = (u64)t_gate};
	static struct child asleep;
	u32 neighbour = victim_env();

	(void)argc;
	(void)argv;
	(void)envp;
	mine = (struct aril_guard){.name = {1, CORE_DOMAIN->index}, .len = 2, .rights = ARIL_ALL};
	core_pages(1, &word_frame);
	s64 absent = aril_env_create(core_auth, core_pool_take(&core_pool, 1), &desc);
	allowed("an env", absent);
	allowed("a child", child_make(&asleep, sleeper_entry, t_gate));
	falls_asleep(core_auth, asleep.env);
	giving(neighbour, (u32)absent, asleep.env);
	gates(neighbour, (u32)absent, &asleep);
	slices();
	words();
	if (env_info(asleep.env)->state != ARIL_ENV_ALIVE)
		wrong("who sleeps", env_info(asleep.env)->status);
	return done();
}
