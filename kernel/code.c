/* SPDX-License-Identifier: MIT
 * Sealing code, and taking it back.
 *
 * Invariants, under object_lock. (1) TEXT frames can be read and executed by the kernel, CONSTANT frames read, and
 * nothing can write them, at any address: they are bound nowhere, and their place in the kernel's own map of memory says
 * so on every CPU. All other memory cannot be executed there. (2) A run's frames are contiguous, in order, as the book in
 * its first says; the book is written by the kernel alone. (3) Each slot in use of a book names a target that names it. (4)
 * While a run is being taken back its first frame is BREAKING, and no use begins. */
#include "code.h"
#include "account.h"
#include "arch.h"
#include "space.h"
#include "util.h"

#define DESTROY_COST 240 /* of a budget: it waits for every CPU */

static struct aril_guard seal_guard; /* who may seal; unused: the empty name alone */

static int seal_opens(const struct auth *a, u32 rights)
{
	if (seal_guard.rights)
		return guard_opens(&seal_guard, a, rights);
	return !a->len && (a->rights & rights) == rights;
}

s64 call_code_guard(u32 auth, const struct aril_guard *user)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_guard guard;

	if (!a)
		return -ARIL_E_CAP;
	if (!seal_opens(a, ARIL_OWN))
		return -ARIL_E_RIGHTS;
	if (copy_from_user(&guard, user, sizeof(guard)))
		return -ARIL_E_ADDR;
	s64 error = guard_give(&guard, a, ARIL_OWN);
	if (error)
		return error;
	seal_guard = guard;
	return 0;
}

/* --- what is sealed */

static u32 frames_of(const struct aril_code_desc *d)
{
	return 1 + d->text + d->constants + d->data;
}

static int is_pure(u32 point)
{
	return point == ARIL_POINT_PREDICATE || point == ARIL_POINT_GUARD;
}

/* What can be said of a description without a look at frames. */
static s64 desc_check(const struct aril_code_desc *d)
{
	if (!d->text || d->text > ARIL_CODE_FRAMES)
		return -ARIL_E_RANGE;
	if (d->constants > ARIL_CODE_FRAMES)
		return -ARIL_E_RANGE;
	if (d->data > ARIL_CODE_FRAMES)
		return -ARIL_E_RANGE;
	if (frames_of(d) > ARIL_CODE_FRAMES)
		return -ARIL_E_RANGE;
	if (d->entry >= d->text * ARIL_PAGE_SIZE)
		return -ARIL_E_RANGE;
	if (!d->point || d->point >= ARIL_POINTS)
		return -ARIL_E_RANGE;
	if (is_pure(d->point) && (!d->worst || d->worst > ARIL_CODE_WORST))
		return -ARIL_E_RANGE;
	if (!is_pure(d->point) && (!d->budget || d->budget > ARIL_CODE_BUDGET))
		return -ARIL_E_RANGE;
	if (!is_pure(d->point) && d->entry_cost > d->budget)
		return -ARIL_E_RANGE;
	if (d->stack > ARIL_CODE_STACK)
		return -ARIL_E_RANGE;
	if (d->keeps > 1)
		return -ARIL_E_RANGE;
	if (d->zero)
		return -ARIL_E_RANGE;
	if (d->name[sizeof(d->name) - 1])
		return -ARIL_E_RANGE;
	return 0;
}

/* The guards are the loader's to give, and somebody can take the frames back. */
static s64 guards_check(const struct aril_code_desc *d, const struct auth *loader)
{
	s64 error = guard_give(&d->guard[0], loader, ARIL_OWN);

	if (error)
		return error;
	if (!d->guard[1].rights)
		return guard_check(&d->guard[1]);
	return guard_give(&d->guard[1], loader, 0);
}

/* All frames are a's, idle. More for the account: those that are not charged to it already. */
static s64 frames_check(const struct aril_code_desc *d, const struct auth *a, u32 slot)
{
	u32 more = 0;

	if ((u64)d->first + frames_of(d) > nframes)
		return -ARIL_E_FRAME;
	for (u32 f = d->first; f < d->first + frames_of(d); f++) {
		s64 error = frame_check(f, a, ARIL_OWN);

		if (!error)
			error = frame_idle(f);
		if (error)
			return error;
		more += frames[f].account != slot;
	}
	return account_room(slot, ARIL_QUOTA_FRAMES, more);
}

static void book_write(const struct aril_code_desc *d)
{
	struct aril_code *c = code_book(d->first);

	c->text = d->text;
	c->constants = d->constants;
	c->data = d->data;
	c->point = d->point;
	c->entry = d->entry;
	c->worst = d->worst;
	c->budget = d->budget;
	c->entry_cost = d->entry_cost;
	c->stack = d->stack;
	c->keeps = d->keeps;
	memcpy(c->name, d->name, sizeof(c->name));
	c->run = (u64)frame_memory(d->first + 1) + d->entry;
	c->allowance = d->budget - d->entry_cost;
}

static void seal_do(const struct aril_code_desc *d, u32 slot)
{
	u32 text = d->first + 1, constants = text + d->text, data = constants + d->constants;

	for (u32 f = d->first; f < d->first + frames_of(d); f++) {
		u32 state = f == d->first   ? ARIL_FRAME_CODE
			    : f < constants ? ARIL_FRAME_TEXT
			    : f < data	    ? ARIL_FRAME_CONSTANT
					    : ARIL_FRAME_DATA;

		frame_retype(f, (u8)state, 0, f == d->first ? 0 : d->first, f == d->first);
		frame_guard_set(f, 0, &d->guard[0]);
		frame_guard_set(f, 1, &d->guard[1]);
		account_move_frame(f, slot);
		frames[f].flags |= ARIL_FRAME_USED;
	}
	book_write(d);
	arch_alias_set(text, d->text, ARCH_ALIAS_TEXT);
	arch_alias_set(constants, d->constants, ARCH_ALIAS_CONSTANT);
	smp_flush_kernel();
}

s64 call_code_seal(u32 auth, const struct aril_code_desc *user)
{
	static struct aril_code_desc d; /* object_lock is held */
	const struct env *env = this_cpu()->env;
	const struct auth *a = auth_get(env, auth), *loader;

	if (!a)
		return -ARIL_E_CAP;
	if (!seal_opens(a, ARIL_WRITE))
		return -ARIL_E_RIGHTS;
	if (copy_from_user(&d, user, sizeof(d)))
		return -ARIL_E_ADDR;
	s64 error = desc_check(&d);
	if (error)
		return error;
	loader = auth_get(env, d.loader);
	if (!loader)
		return -ARIL_E_CAP;
	error = guards_check(&d, loader);
	if (error)
		return error;
	s64 slot = account_check(d.account, loader, ARIL_WRITE);
	if (slot < 0)
		return slot;
	error = frames_check(&d, a, (u32)slot);
	if (error)
		return error;
	error = account_flush();
	if (error)
		return error;
	error = account_work(frames_of(&d));
	if (error)
		return error;
	seal_do(&d, (u32)slot);
	return 0;
}

/* --- taking it back */

int code_destroy(u32 frame, u32 *budget, int *stale)
{
	u32 first = frames[frame].state == ARIL_FRAME_CODE ? frame : frames[frame].partner;
	u32 n = code_frames(code_book(first));

	frames[first].flags |= ARIL_FRAME_BREAKING(0) | ARIL_FRAME_BREAKING(1);
	if (*budget < DESTROY_COST)
		return 0;
	*budget -= DESTROY_COST;
	code_uses_end(first);
	for (u32 f = first; f < first + n; f++)
		if (!space_break_all(f, budget, stale))
			return 0;
	arch_alias_set(first, n, ARCH_ALIAS_DATA);
	smp_flush_kernel(); /* before anybody writes there */
	for (u32 f = first; f < first + n; f++)
		frame_release(f);
	return 1;
}
