/* SPDX-License-Identifier: MIT
 * What a fuzzer is about: calls that build on what those before them made. */
#include "fuzz.h"

/* Tables are put one under the other, then something is bound there, or a cache takes the place of level 1. */
void follow_plan(struct fuzzer *f, const char *name, struct past *to)
{
	if (!f->plan_level || frame_info(f->plan_space)->state != ARIL_FRAME_SPACE) {
		f->plan_space = find_frame(f, sides[f->side].first, POOL, ARIL_FRAME_SPACE);
		f->plan_va = pick_va(f);
		f->plan_level = 3;
	}
	if (!f->plan_space)
		return;
	if (!strcmp(name, "space_table")) {
		to->arg[1] = f->plan_space;
		to->arg[2] = f->plan_va;
		to->arg[3] = f->plan_level;
	} else if (!strcmp(name, "cache_create")) {
		to->arg[1] = f->plan_space;
		((struct aril_cache_desc *)to->arg[2])->va = f->plan_va & ~(ARIL_CACHE_BYTES - 1);
	}
}

void call_made(struct fuzzer *f, const struct past *call, s64 result)
{
	const struct aril_call_desc *d = &aril_call_desc[call->call];

	if (!strcmp(d->name, "space_create") && result >= 0) {
		f->plan_space = (u32)call->arg[1];
		f->plan_level = 3;
		f->plan_va = pick_va(f);
	} else if (!strcmp(d->name, "space_table") && (u32)call->arg[1] == f->plan_space &&
		   call->arg[3] == f->plan_level && (result >= 0 || result == -ARIL_E_TABLE)) {
		f->plan_level--;
	}
}
