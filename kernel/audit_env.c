/* SPDX-License-Identifier: MIT
 * The audit of envs: the exposed table against the kernel's own state in each env's frame. */
#include "account.h"
#include "arch.h"
#include "check.h"
#include "env.h"
#include "grant.h"
#include "util.h"

#define STEP_ENVS 64

/* A context's state is its own CPU's, who may be changing it now: what can be said of those of other CPUs is only
 * what object_lock protects. */
static const char *context_wrong(const struct env *env, u32 cpu)
{
	const struct context *ctx = &env->ctx[cpu];
	u32 state = read_once(ctx->state);

	if (state > CTX_BLOCKED)
		return "a context's state is none";
	if (cpu >= ncpus && state != CTX_NONE)
		return "a context on a CPU that is not there";
	if (state == CTX_NONE)
		return ctx->frame || ctx->page ? "a context that is not there has a page" : NULL;
	if (ctx->env != env || ctx->cpu != cpu)
		return "a context is another's";
	if (ctx->frame >= nframes || frames[ctx->frame].state != ARIL_FRAME_NORMAL)
		return "a context's page is not memory";
	if (!frames[ctx->frame].pins)
		return "a context's page is not pinned";
	if (ctx->page != frame_memory(ctx->frame))
		return "a context's page is seen elsewhere";
	if (cpu == this_cpu()->id && (state == CTX_RUNNING) != (this_cpu()->ctx == ctx))
		return "a context's CPU does not run what runs";
	return NULL;
}

static u32 ports_of(u32 id)
{
	u32 n = 0;

	for (u32 i = 0; i < GRANTS; i++)
		n += grant_books[i].env == id && grant_books[i].kind == ARIL_GRANT_PORTS;
	return n;
}

static const char *ports_wrong(const struct env *env)
{
	u32 n = 0;

	for (u32 i = 0; i < sizeof(env->port_count) / sizeof(env->port_count[0]); i++)
		n += env->port_count[i] != 0;
	if (n != env->nports)
		return "an env's list of ports has another length";
	if (n != ports_of(env->id))
		return "an env's list of ports is not what is granted to it";
	return NULL;
}

static u32 contexts_of(const struct env *env)
{
	u32 mask = 0;

	for (u32 cpu = 0; cpu < ncpus; cpu++)
		mask |= (u32)(env->ctx[cpu].state != CTX_NONE) << cpu;
	return mask;
}

static const char *env_wrong(u32 slot)
{
	const struct aril_env_info *e = &env_infos[slot];

	if (e->state > ARIL_ENV_DEAD)
		return "an env's state is none";
	if (e->id && e->id % 65536 != slot)
		return "an env's id is another's";
	if (e->state != ARIL_ENV_ALIVE)
		return env_get(e->id) ? "an env is not alive, yet found" : NULL;
	if (e->frame >= nframes || frames[e->frame].state != ARIL_FRAME_ENV)
		return "an env's frame is not its own";
	if (frames[e->frame].partner != e->id)
		return "an env's frame is another's";
	const struct env *env = frame_memory(e->frame);
	if (env_get(e->id) != env)
		return "an env is alive, but not found";
	if (env->id != e->id || env->frame != e->frame || env->info != e)
		return "an env's frame does not say what its entry says";
	if (e->space != env->space || env->space >= nframes ||
	    frames[env->space].state != ARIL_FRAME_SPACE)
		return "an env's space is none";
	if (env->cr3 != (u64)env->space << ARIL_PAGE_SHIFT)
		return "an env runs in another space than it says";
	for (u32 cpu = 0; cpu < ARIL_MAX_CPUS; cpu++) {
		const char *why = context_wrong(env, cpu);
		if (why)
			return why;
	}
	if (e->gate && !env->gate)
		return "an env's gate is not as shown";
	if (e->contexts != contexts_of(env))
		return "an env's contexts are not those shown";
	return ports_wrong(env);
}

u64 env_audit(u64 from, struct aril_check *out)
{
	u64 slot = from, end = min(from + STEP_ENVS, (u64)ARIL_MAX_ENVS);

	if (from >= ARIL_MAX_ENVS)
		return 0;
	for (; slot < end; slot++) {
		const char *why = slot ? env_wrong((u32)slot) : NULL;

		if (why)
			audit_wrong(out, (u32)slot, why, 0, env_infos[slot].id);
		out->checked += env_infos[slot].id != 0;
	}
	return slot < ARIL_MAX_ENVS ? slot : 0;
}
