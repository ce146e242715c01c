/* SPDX-License-Identifier: MIT
 * The kernel envs of processes. Family lock throughout. */
#include "linux.h"
#include "mem.h"
#include "mm.h"
#include "proc.h"
#include "sched.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>

/* MXCSR: all exceptions masked, as a program finds it; the rest, marked absent, loads as initial. */
u8 vector_initial[PAGE] __attribute__((aligned(64))) = {[24] = 0x80, [25] = 0x1f};

s64 proc_env_create(struct proc *p)
{
	struct aril_env_desc desc = {
		.space = p->mm->space,
		.flags = family.domain->flags & CORE_DOMAIN_LOG ? ARIL_ENV_LOG : 0,
		.entry = (u64)exos_entry,
	};
	u32 frame = frame_take();

	if (!frame)
		return -ENOMEM;
	s64 env = aril_env_create(family.auth, frame, &desc);
	if (env < 0) {
		frame_give(frame);
		return env == -ARIL_E_QUOTA ? -EAGAIN : -ENOMEM;
	}
	p->env = env;
	p->env_frame = frame;
	p->auth_open = 0;
	return 0;
}

s64 proc_context(struct proc *p, u32 cpu)
{
	if (p->ctx[cpu])
		return 0;
	struct aril_context *ctx = page_zalloc(0);
	if (!ctx)
		return -ENOMEM;
	s64 error = aril_env_context(family.auth, p->env, cpu, page_frame(ctx), (u64)ctx);
	if (error < 0)
		exos_panic("exos: context of process %u: error %ld", p->pid, (long)-error);
	p->ctx[cpu] = ctx;
	return 0;
}

void proc_env_destroy(struct proc *p)
{
	if (!p->env)
		return;
	frame_unbuild(p->env_frame);
	frame_give(p->env_frame);
	for (u32 cpu = 0; cpu < ARIL_MAX_CPUS; cpu++) {
		if (p->ctx[cpu])
			page_put(p->ctx[cpu]);
		p->ctx[cpu] = NULL;
	}
	p->env = 0;
	p->env_frame = 0;
}

void proc_env_respace(struct proc *p)
{
	s64 error = aril_env_space(family.auth, p->mm->space);

	if (error < 0)
		exos_panic("exos: space of process %u: error %ld", p->pid, (long)-error);
}
