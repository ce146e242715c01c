/* SPDX-License-Identifier: MIT
 * Frames of 2 MiB.
 *
 * Invariants. (1) The first is NORMAL with level 2; the 511 that follow are PART, name it as their partner, and have
 * no guard, binding or pin. What it answers to, they answer to (frame_guard_for). (2) It is bound by entries of
 * level 2 only, with PTE_PS, which are in its list like any other. (3) Each of the 512 has its own account and KEEP
 * mark: so charging and taking need not know of sizes. */
#include "large.h"
#include "space.h"
#include "util.h"

static int guards_same(const struct aril_frame *a, const struct aril_frame *b)
{
	return !memcmp(a->guard, b->guard, sizeof(a->guard));
}

/* The range is one that could be, or is, of 2 MiB. */
static s64 range_decode(const struct aril_frame_op *op)
{
	if (op->first % LARGE_FRAMES)
		return -ARIL_E_RANGE;
	if (op->count != LARGE_FRAMES)
		return -ARIL_E_RANGE;
	return 0;
}

s64 large_join_decode(const struct aril_frame_op *op)
{
	const struct aril_frame *first = &frames[op->first];
	s64 error = range_decode(op);

	if (error)
		return error;
	for (u32 frame = op->first; frame < op->first + LARGE_FRAMES; frame++) {
		const struct aril_frame *f = &frames[frame];

		error = frame_idle(frame);
		if (error)
			return error;
		if (f->flags & FRAME_GOING)
			return -ARIL_E_STATE;
		if (f->account != first->account)
			return -ARIL_E_RANGE;
		if (!guards_same(f, first))
			return -ARIL_E_RANGE;
	}
	return 0;
}

s64 large_split_decode(const struct aril_frame_op *op)
{
	s64 error = range_decode(op);

	if (error)
		return error;
	if (frames[op->first].state != ARIL_FRAME_NORMAL)
		return -ARIL_E_STATE;
	if (!frames[op->first].level)
		return -ARIL_E_STATE;
	return 0;
}

void large_join(u32 first)
{
	static const struct aril_guard nobody;

	frames[first].level = 2;
	for (u32 frame = first + 1; frame < first + LARGE_FRAMES; frame++) {
		struct aril_frame *f = &frames[frame];

		frames[first].flags |= f->flags & ARIL_FRAME_USED;
		f->partner = first;
		f->state = ARIL_FRAME_PART;
		frame_guard_set(frame, 0, &nobody);
		frame_guard_set(frame, 1, &nobody);
	}
}

void large_split(u32 first)
{
	struct aril_frame *large = &frames[first];

	large->flags &= ~(ARIL_FRAME_BREAKING(0) | ARIL_FRAME_BREAKING(1));
	large->level = 0;
	for (u32 frame = first + 1; frame < first + LARGE_FRAMES; frame++) {
		struct aril_frame *f = &frames[frame];

		f->flags |= large->flags & ARIL_FRAME_USED;
		f->partner = 0;
		frame_guard_set(frame, 0, &large->guard[0]);
		frame_guard_set(frame, 1, &large->guard[1]);
		f->state = ARIL_FRAME_NORMAL;
	}
}
