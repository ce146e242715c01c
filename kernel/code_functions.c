/* SPDX-License-Identifier: MIT
 * The functions that handlers and predicates may call: aril/points.h has their contracts. They are called by compiled
 * code that was verified against those: of pointers nothing is checked again. object_lock is held. */
#include "code_functions.h"
#include "account.h"
#include "arch.h"
#include "code.h"
#include "space.h"
#include "util.h"

#define ACCESSED_MOST 16 /* bindings */
#define PAGE_FLAGS (ARIL_BIND_WRITE | ARIL_BIND_EXEC | ARIL_BIND_MAY_WRITE | ARIL_BIND_SOFT(0x3f))

static const struct aril_code_slot *slot_of(const struct ext_run *run)
{
	return (const struct aril_code_slot *)run->env[RUN_SLOT];
}

/* Decoding: the current env is who faulted, and its handler may change its space. */
static s64 space_check(const struct aril_code_slot *s, const struct env *env)
{
	if (s->point != ARIL_POINT_FAULT)
		return -ARIL_E_STATE;
	return space_allowed(s->space, env->space);
}

static s64 bind(const struct aril_code_slot *s, u64 va, u64 frame, u64 flags)
{
	const struct env *env = this_cpu()->env;
	s64 error = space_check(s, env);

	if (error)
		return error;
	const struct auth *a = auth_get(env, s->frames);
	if (!a)
		return -ARIL_E_CAP;
	if (va >= ARIL_USER_TOP)
		return -ARIL_E_RANGE;
	if (flags & ~(u64)PAGE_FLAGS)
		return -ARIL_E_RANGE;
	if (frame >= nframes)
		return -ARIL_E_FRAME;
	u64 *entry = space_entry(env->space, va, 1);
	if (!entry)
		return -ARIL_E_TABLE;
	s64 guard = space_frame_decode((u32)frame, a, (u32)flags);
	if (guard < 0)
		return guard;
	error = account_flush();
	if (error)
		return error;
	error = account_work(1);
	if (error)
		return error;
	u32 id = (u32)(((u64)entry - (u64)phys(0)) / sizeof(*entry));
	if (!(space_put(id, (u32)frame, (u32)flags, (u32)guard) & PTE_P))
		return 0;
	if (space_path_shared(env->space, va))
		smp_flush_all();
	else
		smp_flush_space(env->space);
	return 0;
}

static u64 run_bind(u64 va, u64 frame, u64 flags, u64 d, u64 e, struct ext_run *run)
{
	(void)d, (void)e;
	return (u64)bind(slot_of(run), va, frame, flags);
}

static u64 run_unprotect(u64 va, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	const struct aril_code_slot *s = slot_of(run);
	u32 space = this_cpu()->env->space;

	(void)b, (void)c, (void)d, (void)e;
	if (s->point != ARIL_POINT_FAULT)
		return (u64)-ARIL_E_STATE;
	return (u64)call_page_protect(s->space, space, va, ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE);
}

/* The bits of a frame's first bindings; accessed ones are cleared. */
static u64 accessed(u32 frame)
{
	u32 id = frames[frame].head;
	u64 found = 0;

	for (u32 n = 0; id && n < ACCESSED_MOST; n++) {
		u32 table = id / 512;
		u64 *entry = (u64 *)frame_memory(table) + id % 512;

		if (frames[table].state != ARIL_FRAME_STLB)
			found |= __atomic_fetch_and(entry, ~PTE_A, __ATOMIC_SEQ_CST);
		id = (u32)((u64 *)frame_memory(frames[table].partner))[id % 512];
		if (id == frames[frame].head)
			break;
	}
	return found & (PTE_A | PTE_D);
}

/* Of the account's frames alone: what others use is not told, nor changed. */
static s64 frame_mine(u64 frame, const struct ext_run *run)
{
	if (frame >= nframes)
		return -ARIL_E_FRAME;
	if (frames[frame].account != run->env[RUN_ACCOUNT])
		return -ARIL_E_RIGHTS;
	return 0;
}

static u64 run_accessed(u64 frame, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	s64 error = frame_mine(frame, run);

	(void)b, (void)c, (void)d, (void)e;
	return error ? (u64)error : accessed((u32)frame);
}

static u64 run_frame_tag(u64 frame, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)b, (void)c, (void)d, (void)e;
	return frame_mine(frame, run) ? 0 : frames[frame].tag;
}

/* Sections: that no checkpoint lies between the two was proved. */
static u64 run_begin(u64 a, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)a, (void)b, (void)c, (void)d, (void)e;
	return (u64)run;
}

static u64 run_end(u64 a, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)a, (void)b, (void)c, (void)d, (void)e, (void)run;
	return 0;
}

struct code_run code_runs[ARIL_MAX_CPUS] = {
	[0 ... ARIL_MAX_CPUS - 1] =
		{
			.function =
				{
					[ARIL_FUNCTION_BIND] = run_bind,
					[ARIL_FUNCTION_UNPROTECT] = run_unprotect,
					[ARIL_FUNCTION_ACCESSED] = run_accessed,
					[ARIL_FUNCTION_FRAME_TAG] = run_frame_tag,
					[ARIL_FUNCTION_BEGIN] = run_begin,
					[ARIL_FUNCTION_END] = run_end,
				},
		},
};
