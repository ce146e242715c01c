/* SPDX-License-Identifier: MIT
 * Envs: making and ending them, their contexts, their table.
 *
 * Invariants. (1) env_table[slot] names a frame in state ENV, and env_infos[slot].state is ALIVE or DYING,
 * or it is NULL. (2) A context that is not CTX_NONE pins its frame once. (3) Only the context's own CPU
 * moves it to or from CTX_RUNNING. (4) After smp_quiesce no other CPU runs a DYING env or holds a
 * reference to it: its books can be taken apart. */
#include "env.h"
#include "account.h"
#include "arch.h"
#include "code.h"
#include "frame.h"
#include "grant.h"
#include "lock.h"
#include "revoke.h"
#include "ring.h"
#include "slice.h"
#include "util.h"

struct lock object_lock = LOCK("object");
struct aril_env_info *env_infos;
static struct env *env_table[ARIL_MAX_ENVS];
static u32 next_slot = 1;

struct env *env_get(u32 id)
{
	u32 slot = id & 0xffff;

	if (slot >= ARIL_MAX_ENVS)
		return NULL;
	/* Id and state as one word, from the table that stays, before the env itself: an env that is seen alive here keeps
	 * its frame until this CPU polls, one that is dying may lose it at any moment. */
	const u64 *word = (const u64 *)&env_infos[slot].id;
	if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != ((u64)ARIL_ENV_ALIVE << 32 | id))
		return NULL;
	return read_once(env_table[slot]);
}

s64 env_check(u32 id, const struct auth *a, u32 rights)
{
	struct env *env = env_get(id);

	if (!env)
		return -ARIL_E_ENV;
	return frame_check(env->frame, a, rights);
}

/* A free slot of the table, next-fit so that a dead env's entry stays readable as long as possible. */
static u32 slot_find(void)
{
	for (u32 i = 0; i < ARIL_MAX_ENVS; i++) {
		u32 slot = next_slot + i;

		if (slot >= ARIL_MAX_ENVS)
			slot -= ARIL_MAX_ENVS - 1; /* slot 0 is never used: id 0 is nobody */
		if (!env_table[slot])
			return slot;
	}
	panic("more envs than all accounts may have");
}

/* Fills a cleared env frame; the caller checked everything. */
static struct env *env_make(u32 frame, u32 parent, u32 account, const struct aril_env_desc *desc)
{
	u32 slot = slot_find();
	struct aril_env_info *info = &env_infos[slot];
	u32 generation = (info->id >> 16) + 1;
	struct env *env = frame_memory(frame);

	next_slot = slot + 1 < ARIL_MAX_ENVS ? slot + 1 : 1;
	env->id = (generation & 0xffff) << 16 | slot;
	frame_retype(frame, ARIL_FRAME_ENV, 0, env->id, 1);
	env->id = (generation & 0xffff) << 16 | slot;
	env->frame = frame;
	env->space = desc->space;
	env->cr3 = (u64)desc->space << ARIL_PAGE_SHIFT;
	env->parent = parent;
	env->flags = desc->flags;
	env->account = account;
	account_charge(account, ARIL_QUOTA_ENVS);
	env->entry = desc->entry;
	env->info = info;
	env->root = &frames[desc->space];
	frames[desc->space].users++;
	memset(info, 0, sizeof(*info));
	info->id = env->id;
	info->parent = parent;
	info->frame = frame;
	info->space = desc->space;
	env_gate_set(env, desc->gate);
	info->account = accounts[account].id;
	for (u32 cpu = 0; cpu < ARIL_MAX_CPUS; cpu++) {
		env->ctx[cpu].env = env;
		env->ctx[cpu].cpu = cpu;
	}
	env_table[slot] = env;
	__atomic_store_n(&info->state, ARIL_ENV_ALIVE, __ATOMIC_RELEASE);
	return env;
}

struct env *env_boot(u32 frame, u32 space, u64 entry)
{
	struct aril_env_desc desc = {.space = space, .flags = ARIL_ENV_LOG, .entry = entry};

	return env_make(frame, 0, ARIL_ACCOUNT_ROOT & 0xffff, &desc);
}

s64 call_env_create(u32 auth, u32 frame, const struct aril_env_desc *user)
{
	struct env *self = this_cpu()->env;
	const struct auth *a = auth_get(self, auth);
	struct aril_env_desc desc;
	s64 error;

	if (!a)
		return -ARIL_E_CAP;
	if (copy_from_user(&desc, user, sizeof(desc)))
		return -ARIL_E_ADDR;
	error = frame_check(frame, a, ARIL_OWN);
	if (error)
		return error;
	error = frame_idle(frame);
	if (error)
		return error;
	error = frame_check(desc.space, a, ARIL_RUN);
	if (error)
		return error;
	if (frames[desc.space].state != ARIL_FRAME_SPACE)
		return -ARIL_E_STATE;
	if (desc.entry >= ARIL_USER_TOP)
		return -ARIL_E_RANGE;
	if (desc.gate >= ARIL_USER_TOP)
		return -ARIL_E_RANGE;
	if (desc.flags & ~ARIL_ENV_LOG || desc.zero)
		return -ARIL_E_RANGE;
	if (desc.flags & ~self->flags)
		return -ARIL_E_RIGHTS;
	s64 account = desc.account ? account_check(desc.account, a, ARIL_WRITE) : self->account;
	if (account < 0)
		return account;
	error = account_room(account, ARIL_QUOTA_ENVS, 1);
	if (error)
		return error;
	return env_make(frame, self->id, account, &desc)->id;
}

/* Takes a READY context's presence away; it is CTX_NONE already, so nobody can enter it. */
static void context_drop(struct context *ctx)
{
	u32 frame = ctx->frame;

	ctx->env->info->contexts &= ~(1u << ctx->cpu);
	ctx->page = NULL;
	ctx->frame = 0;
	ctx->donee = 0;
	ctx->start_cause = 0;
	frame_unpin(frame);
}

s64 call_env_context(u32 auth, u32 id, u32 cpu, u32 frame, u64 va)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	s64 error;

	if (!a)
		return -ARIL_E_CAP;
	error = env_check(id, a, ARIL_RUN);
	if (error)
		return error;
	if (cpu >= ncpus)
		return -ARIL_E_CPU;
	struct context *ctx = &env_get(id)->ctx[cpu];
	if (!frame) {
		u32 ready = CTX_READY;

		if (!__atomic_compare_exchange_n(&ctx->state, &ready, CTX_NONE, 0, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			return -ARIL_E_STATE;
		wait_gate_gone(ctx->env, cpu);
		context_drop(ctx);
		return 0;
	}
	error = frame_check(frame, a, ARIL_WRITE);
	if (error)
		return error;
	if (frames[frame].state != ARIL_FRAME_NORMAL || frames[frame].flags & FRAME_GOING)
		return -ARIL_E_STATE;
	if (va & (ARIL_PAGE_SIZE - 1) || va >= ARIL_USER_TOP)
		return -ARIL_E_RANGE;
	if (ctx->state != CTX_NONE)
		return -ARIL_E_STATE;
	frame_pin(frame);
	ctx->frame = frame;
	context_place(ctx, va);
	ctx->page = frame_memory(frame);
	ctx->page->cpu = cpu;
	ctx->page->env = id;
	ctx->page->forced = 0;
	ctx->env->info->contexts |= 1u << cpu;
	__atomic_store_n(&ctx->state, CTX_READY, __ATOMIC_RELEASE);
	smp_kick(cpu); /* it may be idle, and the env may have slices there */
	return 0;
}

/* An env that ends tells one waiter on the word that its context names (upcall.h), and leaves its mark there, so
 * that who was about to wait does not. All that is read here is the library's. */
static void critical_gone(const struct env *env, const struct aril_context *page)
{
	u32 frame = read_once(page->critical_frame), offset = read_once(page->critical_offset);
	const struct auth *a = auth_get(env, read_once(page->critical_auth));

	if (!frame || !a || frame_check(frame, a, ARIL_WRITE))
		return;
	if (frames[frame].state != ARIL_FRAME_NORMAL || frames[frame].flags & FRAME_GOING)
		return;
	if (offset & 3 || offset >= ARIL_PAGE_SIZE)
		return;
	u32 *word = (u32 *)((u8 *)frame_memory(frame) + offset);
	frames[frame].flags |=
		ARIL_FRAME_USED; /* the mark is ours: its next owner gets it cleared */
	__atomic_or_fetch(word, read_once(page->critical_mark), __ATOMIC_SEQ_CST);
	wait_wake(((u64)frame << ARIL_PAGE_SHIFT) + offset, 1);
}

void context_keep(void)
{
	const struct cpu *cpu = this_cpu();

	if (!cpu->env || !cpu->interrupted)
		return;
	/* not cpu->ctx: a deadline's work is nobody's (revoke_expire) */
	struct aril_context *page = cpu->env->ctx[cpu->id].page;
	arch_save_forced(&page->state, cpu->interrupted);
	write_once(page->forced, 1);
}

void env_destroy(struct env *env, u32 end, s64 status)
{
	struct aril_env_info *info = env->info;
	struct cpu *cpu = this_cpu();
	u32 frame = env->frame;
	int timed = 0;

	info->end = end;
	info->status = status;
	write_once(info->state, ARIL_ENV_DYING);
	authority_changed();
	if (cpu->env == env) {
		context_keep();
		cpu->ctx = NULL;
		cpu->env = NULL;
		arch_load_space(arch_kernel_cr3());
	}
	smp_quiesce();
	for (u32 i = 0; i < ncpus; i++) {
		struct context *ctx = &env->ctx[i];

		if (ctx->state == CTX_NONE)
			continue;
		timed |= wait_forget(ctx);
		ctx->state = CTX_NONE;
	}
	for (u32 i = 0; i < ncpus; i++) {
		struct context *ctx = &env->ctx[i];

		wait_gate_gone(env, i);
		if (!ctx->page)
			continue;
		critical_gone(env, ctx->page);
		context_drop(ctx);
	}
	if (timed) /* a CPU may have a context of ours as its first deadline in hand */
		smp_quiesce();
	code_env_gone(env);
	grant_env_gone(env);
	ring_env_gone(env);
	revoke_env_gone(env);
	account_credit(env->account, ARIL_QUOTA_ENVS, 0);
	frames[env->space].users--;
	env_table[info->id & 0xffff] = NULL;
	frame_release(frame);
	write_once(info->state, ARIL_ENV_DEAD);
	wait_wake(env_info_key(info), ~0u);
}

_Noreturn void env_end_current(u32 end, s64 status)
{
	lock_take(&object_lock);
	struct env *env = this_cpu()->env;
	if (env) /* else it was ended by another CPU while this one waited */
		env_destroy(env, end, status);
	lock_drop(&object_lock);
	slice_next();
}

s64 call_env_exit(s64 status)
{
	env_end_current(ARIL_END_EXIT, status);
}

s64 call_env_destroy(u32 auth, u32 id)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	s64 error = env_check(id, a, ARIL_OWN);
	if (error)
		return error;
	error = account_flush();
	if (error)
		return error;
	env_destroy(env_get(id), ARIL_END_DESTROYED, 0);
	return 0;
}

s64 call_env_entry(u64 entry, u64 gate)
{
	struct env *env = this_cpu()->env;

	if (entry >= ARIL_USER_TOP)
		return -ARIL_E_RANGE;
	if (gate >= ARIL_USER_TOP)
		return -ARIL_E_RANGE;
	env->entry = entry;
	env_gate_set(env, gate);
	if (!gate)
		gate_close(env);
	return 0;
}

s64 call_env_space(u32 auth, u32 space)
{
	struct env *env = this_cpu()->env;
	const struct auth *a = auth_get(env, auth);
	s64 error = a ? frame_check(space, a, ARIL_RUN) : -ARIL_E_CAP;
	if (!error && frames[space].state != ARIL_FRAME_SPACE)
		error = -ARIL_E_STATE;
	if (!error)
		error = account_flush();
	if (error)
		return error;
	frames[env->space].users--;
	frames[space].users++;
	env->space = space;
	env->info->space = space;
	env->cr3 = (u64)space << ARIL_PAGE_SHIFT;
	env->root = &frames[space];
	authority_changed();
	arch_load_space(env->cr3);
	for (u32 i = 0; i < ncpus; i++) /* those that run it now reload from env->cr3 */
		if (env->ctx[i].state == CTX_RUNNING && i != this_cpu()->id)
			smp_kick(i);
	smp_quiesce();
	return 0;
}
