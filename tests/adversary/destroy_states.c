/* SPDX-License-Identifier: MIT
 * An env is destroyed at any instant, whatever it does, in each way: by its id, or its frame, its context page (the save
 * area that it is using) or its space is taken back, from the other CPU or its own. Each time everything of it must be back. */
// expect: destroy_states: done
// expect: destroy_states: every way met every state
// forbid: destroy_states: WRONG
// smp: 2
#include "adversary.h"

#define SECONDS 4ul
#define CPU 1 /* where it runs */

enum state { READY, WAITING, TIMED, COMPUTING, FAULTING, CALLING, CALLER, STATES };
enum way { ID, ENV, PAGE, SPACE, WAYS };

static struct child victim, callee;
static volatile u32 running, doing; /* env that the other CPU runs; enum state */
static u32 root, shadow, word_frame, met[STATES][WAYS];
static u32 *word;

void states_entry(void), states_callee(void);
void states_victim(struct aril_context *context);
__asm__(".text\n"
	"states_entry:\n\tmov %rsp, %rdi\n\tand $-4096, %rdi\n\tcall states_victim\n\tud2\n"
	"states_callee:\n\tpause\n\tjmp states_callee\n");

void states_victim(struct aril_context *context)
{
	s64 auth = aril_cap_open(&CORE_DOMAIN->cap);

	switch (doing) {
	case WAITING:
	case TIMED:
		aril_wait((u32)auth, word_frame, 0, 0, doing == TIMED ? core_now() + 500000 : 0);
		break;
	case COMPUTING:
		for (;;)
			__builtin_ia32_pause();
	case FAULTING: /* each handler is this function, one save area deeper, until there is no room */
		context->mask = ARIL_MASK_NONE;
		__asm__ volatile("int3");
		break;
	case CALLING:
		for (u32 i = 0; i < 1000000; i++)
			aril_wake((u32)auth, word_frame, 4, 1);
		break;
	case CALLER:
		aril_gate((u32)auth, callee.env, ARIL_GATE_SYNC);
		break;
	}
	aril_cap_close((u32)auth);
	aril_yield(0, 0);
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	for (;;)
		if (!running || core_yield(core_auth, running) < 0)
			core_sleep(100000);
}

/* The entry of our root for va: the recursive map, four times. */
static u64 root_entry(u64 va)
{
	for (u32 i = 0; i < 4; i++)
		va = ARIL_SELF_VA + ((va & 0xffffffffffff) >> 12) * 8;
	return *(const volatile u64 *)va;
}

/* A space of its own with all that ours has. */
static void make_space(void)
{
	allowed("a space", aril_space_create(core_auth, root, shadow));
	for (u64 va = 0; va < ARIL_USER_TOP; va += 1ul << 39)
		if (root_entry(va) & ARIL_PTE_PRESENT)
			allowed("a link", aril_space_link(core_auth, root, va, 3,
							  ARIL_PTE_FRAME(root_entry(va))));
}

static void make_env(struct child *c, void (*entry)(void), void (*gate)(void))
{
	struct aril_env_desc desc = {.space = root, .entry = (u64)entry, .gate = (u64)gate};

	core_map(&core_self, (u64)c->context, c->context_frame, 1, ARIL_BIND_WRITE, core_auth);
	memset(c->context, 0, sizeof(*c->context));
	c->context->gate_open = 1;
	s64 env = aril_env_create(core_auth, c->frame, &desc);
	allowed("an env", env);
	c->env = (u32)env;
	allowed("a context",
		aril_env_context(core_auth, c->env, CPU, c->context_frame, (u64)c->context));
}

static s64 reset(u32 frame)
{
	s64 error;

	do
		error = aril_frame_reset(core_auth, frame);
	while (error == -ARIL_E_AGAIN);
	return error;
}

static void must_be_free(const char *what, u32 frame, u32 refs)
{
	const volatile struct aril_frame *f = frame_info(frame);

	if (f->state != ARIL_FRAME_NORMAL || f->pins || f->refs != refs || f->users || f->flags & 7)
		core_log("%s: WRONG %s: state %u, %u pins, %u bindings, %u users, flags %u", NAME,
			 what, f->state, f->pins, f->refs, f->users, f->flags);
}

static void one(u32 state, u32 way, u32 delay)
{
	make_space();
	make_env(&callee, states_callee, states_callee);
	make_env(&victim, states_entry, 0);
	doing = state;
	if (state != READY)
		running = victim.env;
	u64 until = core_now() + delay;
	while (core_now() < until)
		__builtin_ia32_pause();
	u32 alive = env_info(victim.env)->state == ARIL_ENV_ALIVE;
	s64 error = way == ID ? aril_env_destroy(core_auth, victim.env)
			      : reset(way == ENV    ? victim.frame
				      : way == PAGE ? victim.context_frame
						    : root);
	running = 0;
	met[state][way] += alive && !error;
	/* FAULTING may have ended it before, or after that look */
	int gone = way == ID ? state == FAULTING && error == -ARIL_E_ENV : way == ENV && !alive;
	if (error && !gone)
		wrong("to destroy it", error);
	const volatile struct aril_env_info *e = env_info(victim.env);
	if (e->id != victim.env || e->state != ARIL_ENV_DEAD)
		core_log("%s: WRONG state %u way %u: it is in state %u", NAME, state, way,
			 e->state);
	if (e->end != ARIL_END_DESTROYED && state != FAULTING)
		core_log("%s: WRONG state %u way %u: its end is %u", NAME, state, way, e->end);
	reset(callee.frame);
	reset(root);
	must_be_free("its frame", victim.frame, 0);
	must_be_free("the callee's frame", callee.frame, 0);
	must_be_free("its page", victim.context_frame, way == PAGE ? 0 : 1);
	must_be_free("the callee's page", callee.context_frame, 1);
	must_be_free("its root", root, 0);
	must_be_free("its root's shadow", shadow, 0);
}

int main(int argc, char **argv, char **envp)
{
	u64 until = core_now() + SECONDS * 1000000000;
	u32 rounds = 0, missed = 0;

	(void)argc;
	(void)argv;
	(void)envp;
	word = core_pages(1, &word_frame);
	root = core_pool_take(&core_pool, 2);
	shadow = root + 1;
	victim.context = core_pages(1, &victim.context_frame);
	victim.frame = core_pool_take(&core_pool, 1);
	callee.context = core_pages(1, &callee.context_frame);
	callee.frame = core_pool_take(&core_pool, 1);
	for (; core_now() < until || rounds < 2 * STATES * WAYS; rounds++) {
		u32 delay = (u32)(__builtin_ia32_rdtsc() >> 4) % (rounds & 1 ? 50000 : 2000000);

		one(rounds % STATES, rounds / STATES % WAYS, delay);
	}
	for (u32 state = 0; state < STATES; state++)
		for (u32 way = 0; way < WAYS; way++)
			missed += !met[state][way] && state != FAULTING;
	core_log("%s: %u envs destroyed", NAME, rounds);
	if (!missed)
		core_log("%s: every way met every state", NAME);
	return done();
}
