/* SPDX-License-Identifier: MIT
 * Frames by number, colour and run: see core/frames.h. */
#include <aril_stubs.h>
#include <aril/error.h>
#include <aril/info.h>
#include <aril/ops.h>
#include <core/frames.h>

#define LARGE 512u

static int is_free(u32 frame)
{
	const volatile struct aril_frame *f =
		(const volatile struct aril_frame *)ARIL_INFO->frames_va + frame;

	return !f->account && f->state == ARIL_FRAME_NORMAL && !f->head && !f->pins &&
	       !(f->guard[0].rights | f->guard[1].rights);
}

u32 core_frames_find(const struct core_want *want)
{
	u32 count = want->count ? want->count : 1, align = want->align ? want->align : 1;
	u64 end = want->last ? want->last + 1ul : ARIL_INFO->nframes;
	u64 f = (want->from + align - 1ul) & ~(align - 1ul);

	if (end > ARIL_INFO->nframes)
		end = ARIL_INFO->nframes;
	for (; f + count <= end; f += align) {
		u32 n = 0;

		if ((f & want->colour_mask) != want->colour)
			continue;
		while (n < count && is_free((u32)f + n))
			n++;
		if (n == count)
			return (u32)f;
		if (!want->colour_mask) /* the run cannot begin before what stopped it */
			f += n & ~(align - 1);
	}
	return 0;
}

s64 core_frames_free(u32 auth, u32 first, u32 count)
{
	while (count) {
		u32 n = count < ARIL_BATCH_PAGES ? count : ARIL_BATCH_PAGES;
		s64 done = aril_frame_free(auth, first, n);

		if (done < 0 && done != -ARIL_E_AGAIN)
			return done;
		if (done > 0) {
			first += (u32)done;
			count -= (u32)done;
		}
	}
	return 0;
}

s64 core_frames_take(u32 auth, u32 account, const struct core_want *want,
		     const struct aril_guard *guard)
{
	struct core_want look = *want;
	u32 first;

	while ((first = core_frames_find(&look))) {
		u32 count = want->count ? want->count : 1, taken = 0;
		s64 done = 0;

		while (taken < count) {
			u32 n = count - taken;

			if (n > ARIL_BATCH_PAGES)
				n = ARIL_BATCH_PAGES;
			done = aril_frame_alloc(auth, account, first + taken, n, guard);
			if (done < 0)
				break;
			taken += (u32)done;
		}
		if (taken == count)
			return first;
		core_frames_free(auth, first, taken);
		if (done != -ARIL_E_STATE) /* that one is somebody's meanwhile */
			return done;
		look.from = first + 1;
	}
	return -ARIL_E_FRAME;
}

static s64 large_op(u32 auth, u32 kind, u32 first)
{
	struct aril_frame_op op = {.first = first, .count = LARGE, .kind = (u16)kind};
	s64 done;

	do
		done = aril_frame_update(auth, &op, 1);
	while (done == -ARIL_E_AGAIN);
	return done < 0 ? done : 0;
}

s64 core_frames_join(u32 auth, u32 first)
{
	return large_op(auth, ARIL_FRAME_JOIN, first);
}

s64 core_frames_split(u32 auth, u32 first)
{
	return large_op(auth, ARIL_FRAME_SPLIT, first);
}

/* The tables of levels 3 and 2 on the way to va. -E_TABLE where there is nothing to add. */
static s64 add_tables(const struct core_space *space, u64 va)
{
	s64 added = -ARIL_E_TABLE;

	for (u32 level = 3; level >= 2; level--) {
		u32 frames = core_pool_take(space->pool, 2);

		if (!frames)
			return -ARIL_E_QUOTA;
		s64 error =
			aril_space_table(space->auth, space->root, va, level, frames, frames + 1);
		if (!error)
			added = 0;
		else
			core_pool_return(space->pool, frames, 2);
		if (error && error != -ARIL_E_TABLE) /* TABLE: that one is there already */
			return error;
	}
	return added;
}

static s64 update(const struct core_space *space, struct aril_space_op op)
{
	u32 left = op.count;

	while (left) {
		op.count = left < ARIL_OP_LARGE ? left : ARIL_OP_LARGE;
		s64 done = aril_space_update(space->auth, space->root, &op, 1);

		if (done == -ARIL_E_TABLE && op.kind == ARIL_BIND) {
			done = add_tables(space, op.va);
			if (!done && op.va >> 30 != (op.va + op.count * 0x200000ul - 1) >> 30)
				add_tables(space, op.va + op.count * 0x200000ul - 1);
		}
		if (done < 0 && done != -ARIL_E_AGAIN)
			return done;
		if (done == 1) {
			op.va += op.count * 0x200000ul;
			op.frame += op.count * LARGE;
			left -= op.count;
		}
	}
	return 0;
}

s64 core_map_large(const struct core_space *space, u64 va, u32 frame, u32 count, u32 flags,
		   u32 auth)
{
	return update(space, (struct aril_space_op){.va = va,
						    .frame = frame,
						    .count = count,
						    .kind = ARIL_BIND,
						    .flags = flags | ARIL_BIND_LARGE,
						    .auth = auth});
}

s64 core_unmap_large(const struct core_space *space, u64 va, u32 count)
{
	return update(space, (struct aril_space_op){.va = va,
						    .count = count,
						    .kind = ARIL_UNBIND,
						    .flags = ARIL_BIND_LARGE,
						    .auth = space->auth});
}
