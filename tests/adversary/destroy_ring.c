/* SPDX-License-Identifier: MIT
 * Envs that destroy each other in a ring, on two CPUs at the same time: each resets the frame of the next, which may be
 * doing the same to it at that moment. After each round all are dead and everything of theirs is back. */
// expect: destroy_ring: done
// expect: destroy_ring: \d+ rounds, [1-9]\d* destroyed by another
// forbid: destroy_ring: WRONG
// smp: 2
#include "adversary.h"

#define ENVS 6
#define SECONDS 2ul

static struct child member[ENVS];
static volatile u32 ring, number; /* envs in this round; rounds */
static u32 destroyed, exited;

void ring_entry(void);
void ring_child(struct aril_context *context);
__asm__(".text\nring_entry:\n\tmov %rsp, %rdi\n\tand $-4096, %rdi\n\tcall ring_child\n\tud2\n");

void ring_child(struct aril_context *context)
{
	u32 next = ((u32)context->cookie + 1) % ring;
	s64 auth = aril_cap_open(&CORE_DOMAIN->cap);

	aril_frame_reset((u32)auth, member[next].frame);
	aril_env_exit(7);
}

static int all_dead(void)
{
	for (u32 i = 0; i < ring; i++)
		if (env_info(member[i].env)->id == member[i].env &&
		    env_info(member[i].env)->state != ARIL_ENV_DEAD)
			return 0;
	return 1;
}

/* Lets this CPU's members run. */
static void drive(u32 cpu, u32 round)
{
	u64 until = core_now() + 20000000000ul;

	while (!all_dead() && number == round && core_now() < until)
		for (u32 i = cpu; i < ring && !all_dead(); i += 2)
			core_yield(core_auth, member[i].env);
}

void core_secondary(u32 cpu)
{
	for (u32 seen = 0;;) {
		u32 round = number;

		if (round == seen) {
			core_sleep(200000);
			continue;
		}
		seen = round;
		drive(cpu, round);
	}
}

static void make(u32 i)
{
	struct child *c = &member[i];
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space, .entry = (u64)ring_entry};

	if (!c->context) {
		c->context = core_pages(1, &c->context_frame);
		c->frame = core_pool_take(&core_pool, 1);
	}
	c->context->cookie = i;
	s64 env = aril_env_create(core_auth, c->frame, &desc);
	allowed("an env", env);
	c->env = (u32)env;
	allowed("a context",
		aril_env_context(core_auth, c->env, i % 2, c->context_frame, (u64)c->context));
}

static void look(u32 i)
{
	const volatile struct aril_env_info *e = env_info(member[i].env);
	const volatile struct aril_frame *f = frame_info(member[i].frame);
	const volatile struct aril_frame *page = frame_info(member[i].context_frame);

	if (e->state != ARIL_ENV_DEAD)
		wrong("a member's state", e->state);
	if (e->end == ARIL_END_DESTROYED)
		destroyed++;
	else if (e->end == ARIL_END_EXIT && e->status == 7)
		exited++;
	else
		wrong("a member's end", e->end);
	if (f->state != ARIL_FRAME_NORMAL || f->refs || f->pins)
		wrong("a member's frame", f->state);
	if (page->pins || page->refs != 1)
		wrong("a member's page", page->pins);
}

int main(int argc, char **argv, char **envp)
{
	u64 until = core_now() + SECONDS * 1000000000;
	u32 users = frame_info(CORE_DOMAIN->space)->users;

	(void)argc;
	(void)argv;
	(void)envp;
	while (core_now() < until) {
		ring = 2 + number % (ENVS - 1);
		for (u32 i = 0; i < ring; i++)
			make(i);
		u32 round = ++number;
		drive(0, round);
		for (u32 i = 0; i < ring; i++)
			look(i);
		if (frame_info(CORE_DOMAIN->space)->users != users)
			wrong("users of the space", frame_info(CORE_DOMAIN->space)->users);
	}
	core_log("%s: %u rounds, %u destroyed by another, %u ended by themselves", NAME, number,
		 destroyed, exited);
	return done();
}
