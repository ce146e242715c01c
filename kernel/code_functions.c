/* SPDX-License-Identifier: MIT
 * The functions that handlers and predicates may call: aril/points.h has their contracts. They are called by compiled
 * code that was verified against those: of pointers nothing is checked again.
 *
 * A chooser of frames runs with object_lock held; a handler of faults without: its functions that need it take it, where
 * they can have it without acknowledging a quiesce. Who quiesces may hold it, and waits until this handler is through: then
 * they say -E_AGAIN, and what the handler cannot do now it can when its exception comes again. */
#include "code_functions.h"
#include "account.h"
#include "arch.h"
#include "code.h"
#include "lock.h"
#include "space.h"
#include "util.h"
#include <map.h>

#define ACCESSED_MOST 16 /* bindings */

static const struct aril_code_slot *slot_of(const struct ext_run *run)
{
	return (const struct aril_code_slot *)run->env[RUN_USE];
}

/* This CPU's permit has become that of a use: so the next binding goes the short way. */
static void permit_note(const struct aril_code_slot *s)
{
	struct space_permit *p = &this_cpu()->permit;

	if (p->to == this_cpu()->ctx && p->auth == s->space && p->opener == s->frames &&
	    p->id == this_cpu()->env->space)
		p->use = (u64)s;
}

/* As page_bind and page_protect, of the env that faulted; elsewhere the current env is another. */
static s64 bind(const struct aril_code_slot *s, u64 va, u64 frame, u64 flags)
{
	if (s->point != ARIL_POINT_FAULT)
		return -ARIL_E_STATE;
	if ((frame | flags) >> 32)
		return -ARIL_E_RANGE;
	if (!smp_lock_try(&object_lock))
		return -ARIL_E_AGAIN;
	s64 error = space_bind_page(s->space, this_cpu()->env->space, va, (u32)frame, (u32)flags,
				    s->frames);
	if (!error)
		permit_note(s);
	lock_drop(&object_lock);
	return error;
}

static s64 unprotect(const struct aril_code_slot *s, u64 va)
{
	if (s->point != ARIL_POINT_FAULT)
		return -ARIL_E_STATE;
	if (!smp_lock_try(&object_lock))
		return -ARIL_E_AGAIN;
	s64 error = call_page_protect(s->space, this_cpu()->env->space, va,
				      ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE);
	lock_drop(&object_lock);
	return error;
}

u64 code_bind(u64 va, u64 frame, u64 flags, u64 d, u64 e, struct ext_run *run)
{
	(void)d, (void)e;
	return (u64)bind(slot_of(run), va, frame, flags);
}

static u64 run_unprotect(u64 va, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)b, (void)c, (void)d, (void)e;
	return (u64)unprotect(slot_of(run), va);
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
	const struct aril_code_slot *s = slot_of(run);
	u32 account = s->point == ARIL_POINT_FAULT ? this_cpu()->env->account : s->target & 0xffff;

	if (frame >= nframes)
		return -ARIL_E_FRAME;
	if (frames[frame].account != account)
		return -ARIL_E_RIGHTS;
	return 0;
}

/* A frame's list of bindings changes under the lock. */
static s64 accessed_mine(u64 frame, const struct ext_run *run)
{
	int locks = slot_of(run)->point == ARIL_POINT_FAULT;

	if (locks && !smp_lock_try(&object_lock))
		return -ARIL_E_AGAIN;
	s64 found = frame_mine(frame, run);
	if (!found)
		found = (s64)accessed((u32)frame);
	if (locks)
		lock_drop(&object_lock);
	return found;
}

static u64 run_accessed(u64 frame, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)b, (void)c, (void)d, (void)e;
	return (u64)accessed_mine(frame, run);
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

/* Maps: their descriptors are constants of the sealed code, beside the data. */

static u8 *data_of(u64 map)
{
	return ext_map_data((const struct ext_map *)map);
}

static u64 run_map_lookup(u64 map, u64 key, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)c, (void)d, (void)e;
	return (u64)ext_map_lookup((const struct ext_map *)map, data_of(map), (const void *)key,
				   run->cpu);
}

static u64 run_map_update(u64 map, u64 key, u64 value, u64 flags, u64 e, struct ext_run *run)
{
	(void)e;
	return (u64)ext_map_update((const struct ext_map *)map, data_of(map), (const void *)key,
				   (const void *)value, (u32)min(flags, (u64)~0u), run->cpu);
}

static u64 run_map_delete(u64 map, u64 key, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)c, (void)d, (void)e, (void)run;
	return (u64)ext_map_delete((const struct ext_map *)map, data_of(map), (const void *)key);
}

static u64 run_ring_reserve(u64 map, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)b, (void)c, (void)d, (void)e, (void)run;
	return (u64)ext_ring_reserve((const struct ext_map *)map, data_of(map));
}

static u64 run_ring_submit(u64 record, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)b, (void)c, (void)d, (void)e, (void)run;
	ext_ring_submit((void *)record);
	return 0;
}

static u64 run_ring_discard(u64 record, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)b, (void)c, (void)d, (void)e, (void)run;
	ext_ring_discard((void *)record);
	return 0;
}

struct code_run code_runs[ARIL_MAX_CPUS] = {
	[0 ... ARIL_MAX_CPUS - 1] =
		{
			.function =
				{
					[ARIL_FUNCTION_BIND] = page_bind_handler,
					[ARIL_FUNCTION_UNPROTECT] = run_unprotect,
					[ARIL_FUNCTION_ACCESSED] = run_accessed,
					[ARIL_FUNCTION_FRAME_TAG] = run_frame_tag,
					[ARIL_FUNCTION_BEGIN] = run_begin,
					[ARIL_FUNCTION_END] = run_end,
					[ARIL_FUNCTION_MAP_LOOKUP] = run_map_lookup,
					[ARIL_FUNCTION_MAP_UPDATE] = run_map_update,
					[ARIL_FUNCTION_MAP_DELETE] = run_map_delete,
					[ARIL_FUNCTION_RING_RESERVE] = run_ring_reserve,
					[ARIL_FUNCTION_RING_SUBMIT] = run_ring_submit,
					[ARIL_FUNCTION_RING_DISCARD] = run_ring_discard,
				},
		},
};
