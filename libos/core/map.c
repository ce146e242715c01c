/* SPDX-License-Identifier: MIT
 * Binding frames where page tables may be missing. */
#include <aril_stubs.h>
#include <aril/layout.h>
#include <core/map.h>

#define TABLE_PAGES 512ul /* pages that one table of level 1 maps */

u32 core_pool_take(struct core_pool *pool, u32 count)
{
	for (u32 i = 0; i < pool->nruns; i++) {
		struct core_run *run = &pool->run[i];

		if (run->count < count)
			continue;
		u32 first = run->first;
		run->first += count;
		run->count -= count;
		return first;
	}
	return 0;
}

void core_pool_return(struct core_pool *pool, u32 first, u32 count)
{
	for (u32 i = 0; i < pool->nruns; i++) {
		struct core_run *run = &pool->run[i];

		if (run->first != first + count)
			continue;
		run->first -= count;
		run->count += count;
		return;
	}
}

s64 core_add_tables(const struct core_space *space, u64 va)
{
	s64 added = -ARIL_E_TABLE;

	for (u32 level = 3; level >= 1; level--) {
		u32 frames = core_pool_take(space->pool, 2);

		if (!frames)
			return -ARIL_E_QUOTA;
		s64 error =
			aril_space_table(space->auth, space->root, va, level, frames, frames + 1);
		if (!error) {
			added = 0;
			continue;
		}
		core_pool_return(space->pool, frames, 2);
		if (error != -ARIL_E_TABLE) /* TABLE: that one is there already */
			return error;
	}
	return added;
}

/* Once: 1 when done. One page has calls of its own, which are shorter, and take any address in it. */
static s64 update_once(const struct core_space *space, const struct aril_space_op *op)
{
	s64 error;

	if (op->count != 1 || op->va % ARIL_PAGE_SIZE)
		return aril_space_update(space->auth, space->root, op, 1);
	if (op->kind == ARIL_BIND)
		error = aril_page_bind(space->auth, space->root, op->va, op->frame, op->flags,
				       op->auth);
	else
		error = aril_page_unbind(space->auth, space->root, op->va);
	return error ? error : 1;
}

/* One op, BIND or UNBIND, that lies within one table of level 1, to its end. */
static s64 update(const struct core_space *space, struct aril_space_op op)
{
	while (op.count) {
		s64 done = update_once(space, &op);

		if (done == 1)
			return 0;
		if (done == -ARIL_E_TABLE && op.kind == ARIL_BIND)
			done = core_add_tables(space, op.va);
		if (done < 0 && done != -ARIL_E_AGAIN)
			return done;
	}
	return 0;
}

static s64 change(const struct core_space *space, struct aril_space_op op, u64 count)
{
	while (count) {
		u64 to_border = TABLE_PAGES - (op.va >> ARIL_PAGE_SHIFT) % TABLE_PAGES;

		op.count = (u32)(count < to_border ? count : to_border);
		s64 error = update(space, op);
		if (error)
			return error;
		op.va += (u64)op.count << ARIL_PAGE_SHIFT;
		op.frame += op.count;
		count -= op.count;
	}
	return 0;
}

s64 core_map(const struct core_space *space, u64 va, u32 frame, u64 count, u32 flags, u32 auth)
{
	struct aril_space_op op = {
		.va = va, .frame = frame, .kind = ARIL_BIND, .flags = flags, .auth = auth};

	return change(space, op, count);
}

s64 core_unmap(const struct core_space *space, u64 va, u64 count)
{
	struct aril_space_op op = {.va = va, .kind = ARIL_UNBIND, .auth = space->auth};

	return change(space, op, count);
}

s64 core_set_guard(u32 auth, struct core_run run, u32 slot, const struct aril_guard *guard)
{
	while (run.count) {
		struct aril_frame_op op = {.first = run.first,
					   .kind = ARIL_FRAME_GUARD,
					   .slot = (u16)slot,
					   .guard = *guard};

		op.count = run.count < ARIL_OP_PAGES ? run.count : ARIL_OP_PAGES;
		s64 done = aril_frame_update(auth, &op, 1);
		if (done < 0 && done != -ARIL_E_AGAIN)
			return done;
		if (done == 1) {
			run.first += op.count;
			run.count -= op.count;
		}
	}
	return 0;
}
