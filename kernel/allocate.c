/* SPDX-License-Identifier: MIT
 * Exposed allocation: frames by number. Which are free is in the exposed table, so the kernel searches nothing and
 * has no policy: who asks for a frame that another took meanwhile is refused, and looks again.
 *
 * Invariant: a frame that is charged to nobody has no guard, no binding and no pin, but for those that the kernel
 * itself keeps (KERNEL, ABSENT, QUEUE). What is in it and not marked USED was never anyone's. */
#include "account.h"
#include "arch.h"
#include "call_handlers.h"
#include "check.h"
#include "frame.h"
#include "revoke.h"
#include "util.h"

/* A free frame is one that is charged to nobody, and that root did not take without asking. */
static int is_free(const struct aril_frame *f)
{
	if (f->account | f->head | f->pins | f->state)
		return 0;
	return !(f->guard[0].rights | f->guard[1].rights);
}

/* A free frame becomes somebody's. The caller charges the account. Nobody compares with its guards, unused as they
 * are, until the rights are there: the last word written. */
static inline void take(u32 frame, u32 slot, const struct aril_guard *guard)
{
	struct aril_frame *f = &frames[frame];

	if (f->flags & ARIL_FRAME_USED)
		page_clear(frame_memory(frame));
	f->flags = 0;
	f->tag = 0;
	audit_before(frame);
	f->account = slot;
	audit_after(frame);
	for (u32 i = 0; i < ARIL_NAME_MAX / 8; i++)
		((u64 *)f->guard[0].name)[i] = ((const u64 *)guard->name)[i];
	f->guard[0].len = guard->len;
	f->guard[0].generation = guard->generation;
	compiler_barrier();
	write_once(f->guard[0].rights, guard->rights);
}

s64 call_frame_alloc(u32 auth, u32 account, u32 first, u32 count, const struct aril_guard *user)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_guard guard;
	u32 done;

	if (!a)
		return -ARIL_E_CAP;
	s64 slot = account_check(account, a, ARIL_WRITE);
	if (slot < 0)
		return slot;
	if (!count)
		return -ARIL_E_RANGE;
	if (count > ARIL_BATCH_PAGES)
		return -ARIL_E_RANGE;
	if ((u64)first + count > nframes)
		return -ARIL_E_FRAME;
	if (copy_from_user(&guard, user, sizeof(guard)))
		return -ARIL_E_ADDR;
	s64 error = guard_give(&guard, a, ARIL_OWN);
	if (error)
		return error;
	if (!is_free(&frames[first]))
		return -ARIL_E_STATE;
	error = account_room(slot, ARIL_QUOTA_FRAMES, 1);
	if (error)
		return error;
	error = account_work(count);
	if (error)
		return error;
	count = min(count, account_left(slot, ARIL_QUOTA_FRAMES));
	for (done = 0; done < count && is_free(&frames[first + done]); done++)
		take(first + done, slot, &guard);
	account_charge_many(slot, ARIL_QUOTA_FRAMES, done);
	return done;
}

s64 frame_give_back(u32 frame, u32 *budget, int *stale)
{
	static const struct aril_guard nobody;
	struct aril_frame *f = &frames[frame];
	s64 error = frame_undo(frame, budget, stale);

	if (error)
		return error;
	frame_guard_set(frame, 0, &nobody);
	frame_guard_set(frame, 1, &nobody);
	f->tag = 0;
	if (!f->pins)
		account_move_frame(frame, 0);
	else if (!(f->flags & ARIL_FRAME_FREED)) {
		f->flags |= ARIL_FRAME_FREED;
		revoke_awaits(f->account, frame);
	}
	return 0;
}

s64 call_frame_free(u32 auth, u32 first, u32 count)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	u32 budget = ARIL_BATCH_PAGES, done;
	int stale = 0;
	s64 error;

	if (!a)
		return -ARIL_E_CAP;
	if (!count)
		return -ARIL_E_RANGE;
	if (count > ARIL_BATCH_PAGES)
		return -ARIL_E_RANGE;
	if ((u64)first + count > nframes)
		return -ARIL_E_FRAME;
	error = account_flush();
	for (done = 0; done < count && !error; done += !error) {
		error = frame_check(first + done, a, ARIL_OWN);
		if (!error)
			error = account_work(1);
		if (!error)
			error = frame_give_back(first + done, &budget, &stale);
		if (!this_cpu()->env) /* it was the caller's own, and a is gone with it */
			break;
	}
	if (stale)
		smp_flush_all();
	return done ? (s64)done : error;
}
