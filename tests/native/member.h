/* SPDX-License-Identifier: MIT
 * Members: envs of a test's own beside it, each one thread on one CPU with its stack, running core's functions. They
 * share its memory: the same space, or another one made of the same tables. */
#ifndef MEMBER_H
#define MEMBER_H

#include "../adversary/adversary.h"

#define MEMBER_STACK 16384

struct member {
	struct core_cpu cpu; /* the context's cookie points here */
	u32 env, frame, context_frame, on_cpu;
	u32 auth, number;
	struct aril_context *context;
	u8 *stack;
};

/* Who runs this. */
static inline struct member *member_self(void)
{
	return (struct member *)core_context()->cookie;
}

/* Makes it: run starts there at its first turn, with END and EVENT masked; space 0: this one. Memory is used again
 * when the member before is gone. Its .auth, opened by itself, is 0 until it does. */
static inline s64 member_make(struct member *m, u32 cpu, u32 space, void (*run)(void),
			      void (*gate)(void))
{
	struct aril_env_desc desc = {.space = space ? space : CORE_DOMAIN->space,
				     .flags = ARIL_ENV_LOG,
				     .entry = (u64)core_upcall,
				     .gate = (u64)gate};

	if (!m->context) {
		m->context = core_pages(1, &m->context_frame);
		m->stack = core_pages(MEMBER_STACK / ARIL_PAGE_SIZE, NULL);
		m->frame = core_pool_take(&core_pool, 1);
	}
	memset(m->context, 0, sizeof(*m->context));
	u64 *top = (u64 *)(m->stack + MEMBER_STACK) - 11; /* as core_switch leaves a stack */
	memset(top, 0, 88);
	top[0] = 0x1f80;
	top[1] = 0x37f;
	top[9] = (u64)run;
	memset(&m->cpu, 0, sizeof(m->cpu));
	m->cpu.rsp = (u64)top;
	m->cpu.mask = ARIL_MASK_ASYNC;
	m->cpu.context = m->context;
	m->on_cpu = cpu;
	m->auth = 0;
	s64 env = aril_env_create(core_auth, m->frame, &desc);
	if (env < 0)
		return env;
	m->env = (u32)env;
	m->context->cookie = (u64)&m->cpu;
	return aril_env_context(core_auth, m->env, cpu, m->context_frame, (u64)m->context);
}

/* What a member does first. */
static inline void member_begin(void)
{
	member_self()->auth = (u32)aril_cap_open(&CORE_DOMAIN->cap);
}

static inline int member_alive(const struct member *m)
{
	return env_info(m->env)->id == m->env && env_info(m->env)->state == ARIL_ENV_ALIVE;
}

/* Ends it from outside. */
static inline s64 member_end(struct member *m)
{
	return aril_frame_reset(core_auth, m->frame);
}

/* Gives every n-th position that the program has on that CPU, from the first on, to env. How many. */
static inline u32 member_slices(u32 cpu, u32 env, u32 first, u32 n)
{
	const volatile struct aril_slice *slice =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va + cpu * ARIL_SLICES;
	u32 given = 0;

	for (u32 i = first; i < ARIL_SLICES; i += n)
		if (!aril_slice_set(core_auth, cpu, i, env, 0))
			given++;
	(void)slice;
	return given;
}

#endif
