/* SPDX-License-Identifier: MIT
 * Building spaces: roots, the tables below them, and sub-trees that several spaces share. */
#include "arch.h"
#include "cache.h"
#include "env.h"
#include "space.h"
#include "account.h"
#include "util.h"

/* A frame that a may turn into kernel state now: 0 or -E. */
static s64 donation_check(u32 frame, const struct auth *a)
{
	s64 error = frame_check(frame, a, ARIL_OWN);

	if (error)
		return error;
	return frame_idle(frame);
}

/* A space of which a may change the tables on the way to va down to that level: 0 or -E. */
static s64 way_check(u32 space, const struct auth *a, u64 va, u32 level)
{
	s64 error = frame_check(space, a, ARIL_WRITE);

	if (error)
		return error;
	if (frames[space].state != ARIL_FRAME_SPACE)
		return -ARIL_E_STATE;
	if (level < 1)
		return -ARIL_E_RANGE;
	if (level > 3)
		return -ARIL_E_RANGE;
	if (va >= ARIL_USER_TOP)
		return -ARIL_E_RANGE;
	return 0;
}

/* Whether a table of that level could be put in now: 0 or -E_TABLE. */
static s64 place_check(u32 space, u64 va, u32 level)
{
	const u64 *entry = space_entry(space, va, level + 1);

	if (!entry)
		return -ARIL_E_TABLE;
	if (*entry & PTE_P)
		return -ARIL_E_TABLE;
	if (level == 1 && cache_of(space, va))
		return -ARIL_E_TABLE;
	return 0;
}

s64 call_space_create(u32 auth, u32 root, u32 shadow)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	s64 error;

	if (!a)
		return -ARIL_E_CAP;
	if (root == shadow)
		return -ARIL_E_RANGE;
	error = donation_check(root, a);
	if (error)
		return error;
	error = donation_check(shadow, a);
	if (error)
		return error;
	frame_retype(root, ARIL_FRAME_SPACE, 4, shadow, 1);
	frame_retype(shadow, ARIL_FRAME_SHADOW, 0, root, 1);
	space_kernel_half(root);
	smp_space_new(root);
	return 0;
}

s64 call_space_table(u32 auth, u32 space, u64 va, u32 level, u32 table, u32 shadow)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	s64 error;

	if (!a)
		return -ARIL_E_CAP;
	error = way_check(space, a, va, level);
	if (error)
		return error;
	if (table == shadow)
		return -ARIL_E_RANGE;
	error = donation_check(table, a);
	if (error)
		return error;
	error = donation_check(shadow, a);
	if (error)
		return error;
	error = place_check(space, va, level);
	if (error)
		return error;
	frame_retype(table, ARIL_FRAME_TABLE, level, shadow, 1);
	frame_retype(shadow, ARIL_FRAME_SHADOW, 0, table, 1);
	space_table_raw(space, va, level, table);
	return 0;
}

s64 call_space_link(u32 auth, u32 space, u64 va, u32 level, u32 table)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	s64 error;

	if (!a)
		return -ARIL_E_CAP;
	error = way_check(space, a, va, level);
	if (error)
		return error;
	error = frame_check(table, a, ARIL_WRITE);
	if (error)
		return error;
	if (frames[table].state != ARIL_FRAME_TABLE || frames[table].level != level)
		return -ARIL_E_STATE;
	if (frames[table].flags & FRAME_GOING) /* being taken out of all spaces */
		return -ARIL_E_STATE;
	error = place_check(space, va, level);
	if (error)
		return error;
	space_table_raw(space, va, level, table);
	return 0;
}

s64 call_space_unlink(u32 auth, u32 space, u64 va, u32 level)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	s64 error;

	if (!a)
		return -ARIL_E_CAP;
	error = way_check(space, a, va, level);
	if (error)
		return error;
	if (!space_entry(space, va, level))
		return -ARIL_E_TABLE;
	error = account_flush();
	if (error)
		return error;
	space_unlink(space, va, level);
	smp_flush_all();
	return 0;
}
