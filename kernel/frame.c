/* SPDX-License-Identifier: MIT
 * Frames: who may use them, what they hold, and taking it all away again.
 *
 * Invariants. (1) A frame's bindings under guard[i] were all made by authorities that opened guard[i] as it
 * is now, unless ARIL_FRAME_BREAKING(i) is set; while it is, no binding is made under it. (2) If a guard is
 * in use, one in use grants OWN, and every name in use is dominated by whoever gave the frame away: so
 * who stands above can always reclaim it. (3) Kernel state lies only in frames without bindings. */
#include "frame.h"
#include "account.h"
#include "arch.h"
#include "cache.h"
#include "code.h"
#include "env.h"
#include "large.h"
#include "revoke.h"
#include "region.h"
#include "ring.h"
#include "space.h"
#include "util.h"

#define UPDATE_OPS 64
/* Of a budget: */
#define PIN_COST 64 /* for finding whose context page it is */

u64 frame_epoch;

int frame_guard_for(u32 frame, const struct auth *a, u32 rights)
{
	const struct aril_frame *f = &frames[frame];

	if (guard_opens(&f->guard[0], a, rights))
		return 0;
	if (guard_opens(&f->guard[1], a, rights))
		return 1;
	if (f->guard[0].rights | f->guard[1].rights)
		return -ARIL_E_RIGHTS;
	if (f->state == ARIL_FRAME_PART) /* which has none of its own */
		return frame_guard_for(f->partner, a, rights);
	if (f->state == ARIL_FRAME_NORMAL && !f->account) /* free: taken by frame_alloc alone */
		return -ARIL_E_RIGHTS;
	if (a->len)
		return -ARIL_E_RIGHTS;
	if (rights & ~a->rights)
		return -ARIL_E_RIGHTS;
	return 0;
}

s64 frame_check(u32 frame, const struct auth *a, u32 rights)
{
	if (frame >= nframes)
		return -ARIL_E_FRAME;
	if (frame_guard_for(frame, a, rights) < 0)
		return -ARIL_E_RIGHTS;
	return 0;
}

int frame_has_words(u32 frame)
{
	if (frames[frame].state == ARIL_FRAME_PART)
		frame = frames[frame].partner;
	if (frames[frame].state != ARIL_FRAME_NORMAL && frames[frame].state != ARIL_FRAME_REGION &&
	    frames[frame].state != ARIL_FRAME_DATA)
		return 0;
	return !(frames[frame].flags & FRAME_GOING);
}

s64 frame_idle(u32 frame)
{
	const struct aril_frame *f = &frames[frame];

	if (f->state != ARIL_FRAME_NORMAL)
		return -ARIL_E_STATE;
	if (f->level) /* of 2 MiB */
		return -ARIL_E_STATE;
	if (f->head)
		return -ARIL_E_STATE;
	if (f->pins)
		return -ARIL_E_STATE;
	return 0;
}

void frame_retype(u32 frame, u8 state, u8 level, u32 partner, int clear)
{
	struct aril_frame *f = &frames[frame];

	frame_epoch++;
	if (f->state == ARIL_FRAME_SPACE)
		authority_changed();
	if (clear)
		page_clear(frame_memory(frame));
	f->level = level;
	f->partner = partner;
	/* idle: what was being broken is */
	f->flags &= clear ? ARIL_FRAME_KEEP : ARIL_FRAME_KEEP | ARIL_FRAME_USED;
	write_once(f->state, state);
}

void frame_release(u32 frame)
{
	frame_retype(frame, ARIL_FRAME_NORMAL, 0, 0, 1);
}

void frame_pin(u32 frame)
{
	frames[frame].pins++;
	frames[frame].flags |= ARIL_FRAME_USED;
}

void frame_unpin(u32 frame)
{
	struct aril_frame *f = &frames[frame];

	assert(f->pins);
	if (--f->pins)
		return;
	f->flags &= ~ARIL_FRAME_LOST;
	if (f->flags & ARIL_FRAME_FREED) {
		account_move_frame(frame, 0); /* revoke_given sees that it was awaited */
		f->flags &= ~ARIL_FRAME_FREED;
	}
}

/* A guard by words; the one with rights in it decides whether the guard is in use. */
union guard_words {
	struct aril_guard guard;
	u64 word[6];
};
#define GUARD_RIGHTS 4
ARIL_ASSERT_OFFSET(struct aril_guard, rights, 8 * GUARD_RIGHTS + 4);

/* Changes a guard that lock-free readers may be comparing with: unused while it is neither. Of an env: yields
 * and gates that found it open are through before this returns, and none saw half of each. */
void frame_guard_set(u32 frame, u32 slot, const struct aril_guard *new)
{
	u64 *to = ((union guard_words *)&frames[frame].guard[slot])->word;
	const u64 *from = ((const union guard_words *)new)->word;

	frame_epoch++;
	write_once(to[GUARD_RIGHTS], 0);
	compiler_barrier();
	if (frames[frame].state == ARIL_FRAME_ENV || frames[frame].state == ARIL_FRAME_SPACE)
		authority_changed();
	if (frames[frame].state == ARIL_FRAME_ENV)
		smp_quiesce();
	for (u32 i = 0; i < 6; i++)
		if (i != GUARD_RIGHTS)
			to[i] = from[i];
	compiler_barrier();
	write_once(to[GUARD_RIGHTS], from[GUARD_RIGHTS]);
}

/* Whether the op has nothing to change here: it was done, wholly or up to its breaking, by an earlier call. */
static int guard_same(u32 frame, const struct aril_frame_op *op)
{
	const u64 *a = ((const union guard_words *)&frames[frame].guard[op->slot])->word;
	const u64 *b = ((const union guard_words *)&op->guard)->word;

	for (u32 i = 0; i < 6; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

/* May a set one guard of this frame? */
static s64 guard_decode(u32 frame, const struct aril_frame_op *op, const struct auth *a)
{
	const struct aril_frame *f = &frames[frame];
	u32 left = op->guard.rights | f->guard[!op->slot].rights;

	if (guard_same(frame, op)) /* needs no right: the one it had may be what the op gave away */
		return 0;
	s64 error = frame_check(frame, a, ARIL_OWN);
	if (error)
		return error;
	if (f->state != ARIL_FRAME_NORMAL && f->state != ARIL_FRAME_SPACE &&
	    f->state != ARIL_FRAME_ENV)
		return -ARIL_E_STATE;
	if (left && !(left & ARIL_OWN)) /* nobody could ever take it back */
		return -ARIL_E_RANGE;
	if (!left && a->len) /* it would be the root's */
		return -ARIL_E_RIGHTS;
	return 0;
}

static s64 tag_decode(const struct aril_frame_op *op)
{
	for (u32 frame = op->first; frame < op->first + op->count; frame++)
		if (frames[frame].state != ARIL_FRAME_NORMAL)
			return -ARIL_E_STATE;
	return 0;
}

/* Whether it may be charged to somebody: the rest is the kernel's own, the firmware's or a device's. */
static int is_charged(const struct aril_frame *f)
{
	return f->state != ARIL_FRAME_KERNEL && f->state != ARIL_FRAME_ABSENT &&
	       f->state != ARIL_FRAME_QUEUE;
}

static s64 charge_decode(const struct aril_frame_op *op, const struct auth *a)
{
	u32 more = 0;

	if (op->tag >> 32)
		return -ARIL_E_RANGE;
	s64 slot = account_check(op->tag, a, ARIL_WRITE);
	if (slot < 0)
		return slot;
	for (u32 frame = op->first; frame < op->first + op->count; frame++) {
		if (!is_charged(&frames[frame]))
			return -ARIL_E_STATE;
		more += frames[frame].account != slot;
	}
	return account_room(slot, ARIL_QUOTA_FRAMES, more);
}

/* All of them belong to one account, whose reserve has room for those that are not marked yet. */
static s64 keep_decode(const struct aril_frame_op *op)
{
	u32 more = 0, slot = frames[op->first].account;

	if (op->tag > 1)
		return -ARIL_E_RANGE;
	for (u32 frame = op->first; frame < op->first + op->count; frame++) {
		if (!slot || frames[frame].account != slot)
			return -ARIL_E_RANGE;
		more += !(frames[frame].flags & ARIL_FRAME_KEEP);
	}
	if (op->tag && more > accounts[slot].reserve - accounts[slot].kept)
		return -ARIL_E_QUOTA;
	return 0;
}

static s64 op_decode(const struct aril_frame_op *op, const struct auth *a)
{
	s64 error = guard_check(&op->guard);

	if (op->kind < ARIL_FRAME_GUARD)
		return -ARIL_E_RANGE;
	if (op->kind > ARIL_FRAME_SPLIT)
		return -ARIL_E_RANGE;
	if (op->slot > 1)
		return -ARIL_E_RANGE;
	if (op->zero)
		return -ARIL_E_RANGE;
	if (!op->count)
		return -ARIL_E_RANGE;
	if (op->count > ARIL_OP_PAGES)
		return -ARIL_E_RANGE;
	if (error)
		return error;
	if ((u64)op->first + op->count > nframes)
		return -ARIL_E_FRAME;
	if (op->guard.rights) /* else it is removed */
		error = guard_flows(&op->guard, a);
	if (error)
		return error;
	error = account_work(op->count);
	if (error)
		return error;
	for (u32 frame = op->first; frame < op->first + op->count; frame++) {
		if (op->kind == ARIL_FRAME_GUARD)
			error = guard_decode(frame, op, a);
		else
			error = frame_check(frame, a, ARIL_OWN);
		if (error)
			return error;
		if (frames[frame].flags & ARIL_FRAME_FREED) /* its next owner's */
			return -ARIL_E_STATE;
	}
	switch (op->kind) {
	case ARIL_FRAME_TAG:
		return tag_decode(op);
	case ARIL_FRAME_CHARGE:
		return charge_decode(op, a);
	case ARIL_FRAME_MARK_KEEP:
		return keep_decode(op);
	case ARIL_FRAME_JOIN:
		return large_join_decode(op);
	case ARIL_FRAME_SPLIT:
		return large_split_decode(op);
	}
	return 0;
}

/* Does a decoded op; 1 when done, 0 when the budget for breaking is spent: done again, it goes on. */
static int op_do(const struct aril_frame_op *op, u32 *budget, int *stale)
{
	u32 breaking = ARIL_FRAME_BREAKING(op->slot);

	if (op->kind == ARIL_FRAME_JOIN) {
		large_join(op->first);
		return 1;
	}
	if (op->kind == ARIL_FRAME_SPLIT) {
		if (!space_break_all(op->first, budget, stale))
			return 0;
		large_split(op->first);
		return 1;
	}
	for (u32 frame = op->first; frame < op->first + op->count; frame++) {
		struct aril_frame *f = &frames[frame];

		if (op->kind == ARIL_FRAME_TAG) {
			f->tag = op->tag;
			continue;
		}
		if (op->kind == ARIL_FRAME_CHARGE) {
			account_move_frame(frame, op->tag & 0xffff);
			continue;
		}
		if (op->kind == ARIL_FRAME_MARK_KEEP) {
			account_keep(frame, op->tag);
			continue;
		}
		if (!guard_same(frame, op)) {
			if (f->state == ARIL_FRAME_ENV && *budget < WAIT_COST)
				return 0;
			if (f->state == ARIL_FRAME_ENV)
				*budget -= WAIT_COST;
			f->flags |= breaking;
			frame_guard_set(frame, op->slot, &op->guard);
		}
		if (!(f->flags & breaking))
			continue;
		if (!space_break(frame, op->slot, budget, stale))
			return 0;
		f->flags &= ~breaking;
	}
	return 1;
}

s64 call_frame_update(u32 auth, const struct aril_frame_op *ops, u64 n)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	u32 budget = ARIL_BATCH_PAGES, pages = 0;
	struct aril_frame_op op;
	int stale = 0;
	s64 error = 0;
	u64 done;

	if (!a)
		return -ARIL_E_CAP;
	if (!n)
		return -ARIL_E_RANGE;
	if (n > UPDATE_OPS)
		return -ARIL_E_RANGE;
	error = account_flush();
	if (error)
		return error;
	for (done = 0; done < n; done++) {
		error = copy_from_user(&op, &ops[done], sizeof(op)) ? -ARIL_E_ADDR
								    : op_decode(&op, a);
		if (error)
			break;
		pages += op.count;
		if (pages > ARIL_BATCH_PAGES)
			break;
		if (!op_do(&op, &budget, &stale)) {
			error = -ARIL_E_AGAIN;
			break;
		}
	}
	if (stale)
		smp_flush_all();
	return done ? (s64)done : error;
}

/* Ends, within the budget, envs that run in a space (root != 0) or have this page as a context; 1 when no
 * such env is left. */
static int envs_end(u32 root, u32 page, u32 *budget)
{
	for (u32 slot = 0; slot < ARIL_MAX_ENVS; slot++) {
		struct env *env = env_get(env_infos[slot].id);
		int hit = env && root && env->space == root;

		for (u32 i = 0; env && page && i < ncpus; i++)
			hit |= env->ctx[i].state != CTX_NONE && env->ctx[i].frame == page;
		if (!hit)
			continue;
		if (*budget < WAIT_COST)
			return 0;
		*budget -= WAIT_COST;
		env_destroy(env, ARIL_END_DESTROYED, 0);
	}
	return 1;
}

static s64 undo_normal(u32 frame, u32 *budget, int *stale)
{
	struct aril_frame *f = &frames[frame];

	if (!space_break_all(frame, budget, stale))
		return -ARIL_E_AGAIN;
	f->flags &= ~(ARIL_FRAME_BREAKING(0) | ARIL_FRAME_BREAKING(1));
	if (f->level)
		large_split(frame);
	if (!f->pins)
		return 0;
	if (*budget < PIN_COST)
		return -ARIL_E_AGAIN;
	*budget -= PIN_COST;
	if (!envs_end(0, frame, budget))
		return -ARIL_E_AGAIN;
	if (f->pins)
		revoke_frame_gone(frame);
	if (f->pins)
		ring_frame_gone(frame);
	if (f->pins) /* a device has it */
		f->flags |= ARIL_FRAME_LOST;
	return 0;
}

/* A table or a space: out of every parent, then empty, then memory again. A table that had no parent, and a
 * space in which nobody ran, can be in no CPU: what took it out of use flushed. */
static s64 undo_table(u32 frame, u32 *budget, int *stale)
{
	u32 shadow = frames[frame].partner;
	int unused;

	if (frames[frame].state == ARIL_FRAME_SPACE && frames[frame].users &&
	    !envs_end(frame, 0, budget))
		return -ARIL_E_AGAIN;
	if (!cache_destroy_all(frame, budget, stale))
		return -ARIL_E_AGAIN;
	if (!space_break_all(frame, budget, stale))
		return -ARIL_E_AGAIN;
	if (!space_empty(frame, budget, &unused))
		return -ARIL_E_AGAIN;
	frame_release(frame);
	frame_release(shadow);
	return 0;
}

s64 frame_undo(u32 frame, u32 *budget, int *stale)
{
	if (frames[frame].state == ARIL_FRAME_SHADOW || frames[frame].state == ARIL_FRAME_PART)
		frame = frames[frame].partner;
	switch (frames[frame].state) {
	case ARIL_FRAME_NORMAL:
		return undo_normal(frame, budget, stale);
	case ARIL_FRAME_TABLE:
	case ARIL_FRAME_SPACE:
		return undo_table(frame, budget, stale);
	case ARIL_FRAME_CACHE:
	case ARIL_FRAME_STLB:
	case ARIL_FRAME_POOL:
		return cache_destroy(frame, budget, stale) ? 0 : -ARIL_E_AGAIN;
	case ARIL_FRAME_REGION:
	case ARIL_FRAME_BOOK:
		return region_destroy(frame, budget, stale) ? 0 : -ARIL_E_AGAIN;
	case ARIL_FRAME_CODE:
	case ARIL_FRAME_TEXT:
	case ARIL_FRAME_CONSTANT:
	case ARIL_FRAME_DATA:
		return code_destroy(frame, budget, stale) ? 0 : -ARIL_E_AGAIN;
	case ARIL_FRAME_ENV:
		if (*budget < WAIT_COST)
			return -ARIL_E_AGAIN;
		*budget -= WAIT_COST;
		env_destroy(env_get(frames[frame].partner), ARIL_END_DESTROYED, 0);
		return 0;
	default:
		return -ARIL_E_STATE;
	}
}

s64 call_frame_reset(u32 auth, u32 frame)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	u32 budget = ARIL_BATCH_PAGES;
	int stale = 0;

	if (!a)
		return -ARIL_E_CAP;
	s64 error = frame_check(frame, a, ARIL_OWN);
	if (error)
		return error;
	error = account_flush();
	if (error)
		return error;
	error = frame_undo(frame, &budget, &stale);
	if (stale)
		smp_flush_all();
	return error;
}
