/* SPDX-License-Identifier: MIT
 * Frames: the table, guards, pins, retyping, and breaking what is built on them. */
#ifndef KERNEL_FRAME_H
#define KERNEL_FRAME_H

#include "arch.h"
#include "cap.h"
#include <aril/info.h>
#include <aril/ops.h>

/* The exposed table, by frame number; nframes entries. Guarded by object_lock for writing. */
extern struct aril_frame *frames;
extern u32 nframes;

/* Of these flags a frame has none while it is in order: no new use may begin. */
#define FRAME_GOING \
	(ARIL_FRAME_LOST | ARIL_FRAME_FREED | ARIL_FRAME_BREAKING(0) | ARIL_FRAME_BREAKING(1))

/* Of a budget, for what waits for every CPU: an env's end, its guard, a cache's end. */
#define WAIT_COST 240

/* Rises with whatever changes who may use a frame, or for what. With authority_epoch: what was allowed to an index while
 * neither changed is still. Under object_lock. */
extern u64 frame_epoch;

/* Kernel address of a frame's memory. */
static inline void *frame_memory(u32 frame)
{
	return phys((u64)frame << ARIL_PAGE_SHIFT);
}

/* The guard of frame that a opens for rights: 0, 1, or -ARIL_E_RIGHTS. A frame without guards answers
 * to the empty name; a free one, charged to nobody, to none. */
int frame_guard_for(u32 frame, const struct auth *a, u32 rights);
/* Of a frame's state, level and flags, as one word: what ordinary memory in order has none of. */
#define FRAME_CONDITION (0xffffu | (u32)FRAME_GOING << 16)
#define FRAME_GUARD_WORDS (sizeof(struct aril_guard) / 8)
_Static_assert(ARIL_FRAME_NORMAL == 0, "no state, no level");
ARIL_ASSERT_OFFSET(struct aril_frame, state, 8);
ARIL_ASSERT_OFFSET(struct aril_frame, level, 9);
ARIL_ASSERT_OFFSET(struct aril_frame, flags, 10);
/* Whether it is ordinary memory in order, whose first guard is this one, word by word: then the capability that opened another
 * frame by it opens this one. */
static inline int frame_ordinary(const struct aril_frame *f, const u64 *guard)
{
	const u64 *own = (const u64 *)&f->guard[0];

	if (*(const u32 *)&f->state & FRAME_CONDITION)
		return 0;
#pragma GCC unroll 6
	for (u32 i = 0; i < FRAME_GUARD_WORDS; i++)
		if (own[i] != guard[i])
			return 0;
	return 1;
}
/* Decoding helper: frame exists and a opens it for rights: 0 or -E_FRAME, -E_RIGHTS. */
s64 frame_check(u32 frame, const struct auth *a, u32 rights);
/* It is memory (or a part of a frame of 2 MiB), a region or code's data, and in order: words in it may be waited on. */
int frame_has_words(u32 frame);
/* May be retyped now: NORMAL, no binding, no pin: 0 or -E_STATE. */
s64 frame_idle(u32 frame);
/* Turns an idle frame into kernel state; clears it when clear is set. */
void frame_retype(u32 frame, u8 state, u8 level, u32 partner, int clear);
/* Back to NORMAL with no kernel state. The memory is cleared first: nothing of the kernel leaks. */
void frame_release(u32 frame);
void frame_pin(u32 frame);
/* Drops a pin; with the last one a LOST frame is in order again, and a FREED one is free. */
void frame_unpin(u32 frame);

/* Changes a guard as lock-free readers may see it. The caller breaks the bindings made under the old one. */
void frame_guard_set(u32 frame, u32 slot, const struct aril_guard *guard);
/* Makes a frame of any state NORMAL and unbound, by what frame_reset promises. At most *budget steps, counted down.
 * 0, -E_AGAIN when more remains, -E_STATE when it is nobody's to undo. *stale as space_break: the caller shoots down
 * before it returns to anyone. May end the current env: then this_cpu()->env is NULL. */
s64 frame_undo(u32 frame, u32 *budget, int *stale);
/* The same, and then it is free: without guards, charged to nobody; or, where a device has it, when that has
 * finished. */
s64 frame_give_back(u32 frame, u32 *budget, int *stale);

s64 call_frame_update(u32 auth, const struct aril_frame_op *ops, u64 n);
s64 call_frame_alloc(u32 auth, u32 account, u32 first, u32 count, const struct aril_guard *guard);
s64 call_frame_free(u32 auth, u32 first, u32 count);
s64 call_frame_reset(u32 auth, u32 frame);

#endif
