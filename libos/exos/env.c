/* SPDX-License-Identifier: MIT
 * The kernel envs of processes. Family lock throughout. */
#include "guard.h"
#include "linux.h"
#include "mem.h"
#include "mm.h"
#include "proc.h"
#include "rescue.h"
#include "sched.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>

/* MXCSR: all exceptions masked, as a program finds it; the rest, marked absent, loads as initial. */
u8 vector_initial[PAGE] __attribute__((aligned(64))) = {[24] = 0x80, [25] = 0x1f};

/* Whether the kernel still has that env: it may have been taken back. */
static int env_lives(u32 env)
{
	const struct aril_env_info *info =
		(const struct aril_env_info *)ARIL_INFO->envs_va + (env & 0xffff);

	return info->id == env && info->state == ARIL_ENV_ALIVE;
}

void spare_destroy(struct spare_env *spare)
{
	if (!spare->env)
		return;
	frame_unbuild(spare->frame);
	frame_give(spare->frame);
	for (u32 cpu = 0; cpu < ARIL_MAX_CPUS; cpu++)
		if (spare->ctx[cpu] && !rescue_keeps(cpu, spare->ctx[cpu]))
			page_put(spare->ctx[cpu]);
	*spare = (struct spare_env){.env = 0};
}

/* A space's spare env is a process's. 0: there is none. */
static int spare_take(struct proc *p, struct spare_env *spare)
{
	if (spare->env && !env_lives(spare->env))
		spare_destroy(spare);
	if (!spare->env)
		return 0;
	p->env = spare->env;
	p->env_frame = spare->frame;
	p->auth_open = spare->auth_open;
	__builtin_memcpy(p->ctx, spare->ctx, sizeof(p->ctx));
	spare->env = 0;
	__builtin_memset(spare->ctx, 0, sizeof(spare->ctx));
	return 1;
}

/* The env of a process becomes its space's spare one. */
static void spare_put(struct proc *p, struct spare_env *spare)
{
	spare->env = p->env;
	spare->frame = p->env_frame;
	spare->auth_open = p->auth_open;
	__builtin_memcpy(spare->ctx, p->ctx, sizeof(p->ctx));
	__builtin_memset(p->ctx, 0, sizeof(p->ctx));
	p->env = 0;
	p->env_frame = 0;
}

s64 proc_env_create(struct proc *p)
{
	if (spare_take(p, &p->mm->spare))
		return 0;
	struct aril_env_desc desc = {
		.space = p->mm->space,
		.flags = family.domain->flags & CORE_DOMAIN_LOG ? ARIL_ENV_LOG : 0,
		.entry = (u64)ways->upcall,
	};
	u32 frame = frame_take();

	if (!frame)
		return -ENOMEM;
	s64 env = aril_env_create(family.auth, frame, &desc);
	while (env == -ARIL_E_QUOTA && mm_reclaim())
		env = aril_env_create(family.auth, frame, &desc);
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
	s64 error;
	if (!ctx)
		return -ENOMEM;
	while ((error = aril_env_context(family.auth, p->env, cpu, page_frame(ctx), (u64)ctx)) ==
	       -ARIL_E_ENV) {
		proc_env_again(p); /* it was ended */
		if (p->ctx[cpu]) { /* the space's spare env, which has been here */
			page_put(ctx);
			return 0;
		}
	}
	if (error < 0)
		exos_panic("exos: context of process %u: error %ld", p->pid, (long)-error);
	ctx->cookie = (u64)p->env << 32 | page_frame(ctx); /* what struct cpu's `last` says of it */
	p->ctx[cpu] = ctx;
	return 0;
}

void proc_env_destroy(struct proc *p)
{
	struct spare_env own = {.env = 0};

	if (!p->env)
		return;
	spare_put(p, &own);
	spare_destroy(&own);
}

void proc_env_again(struct proc *p)
{
	proc_env_destroy(p);
	if (proc_env_create(p))
		exos_panic("exos: no memory to end process %u", p->pid);
	proc_kill(p, SIGKILL);
}

void proc_env_leave(struct proc *p)
{
	if (p->env && p->mm && !p->mm->spare.env && env_lives(p->env))
		spare_put(p, &p->mm->spare);
	else
		proc_env_destroy(p);
}

/* The new space has an env: the thread goes on in that one, as if it had slept, and the old one stays where it is. */
static int env_change(struct proc *p, struct mm *old)
{
	struct spare_env own = {.env = 0};
	struct thread *t = current();
	u32 cpu = this_context()->cpu;

	if (!p->mm->spare.env || !env_lives(p->mm->spare.env))
		return 0;
	spare_put(p, &own);
	spare_take(p, &p->mm->spare);
	if (proc_context(p, cpu)) {
		spare_put(p, &p->mm->spare);
		spare_take(p, &own);
		return 0;
	}
	sched_follow(t);
	if (old->spare.env)
		spare_destroy(&own);
	else
		old->spare = own;
	return 1;
}

void proc_env_respace(struct proc *p, struct mm *old)
{
	if (env_change(p, old))
		return;
	s64 error = aril_env_space(family.auth, p->mm->space);

	if (error < 0)
		exos_panic("exos: space of process %u: error %ld", p->pid, (long)-error);
	/* that was not the process's: which is in the old space, if it lives */
	if (rescue_moves(this_context(), p->mm->space))
		proc_env_again(p);
}
