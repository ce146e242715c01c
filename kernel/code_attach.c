/* SPDX-License-Identifier: MIT
 * Uses of code: who has which handler, and the end of each use from either side. */
#include "account.h"
#include "arch.h"
#include "code.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

s64 code_check(u32 first, const struct auth *a, u32 point)
{
	s64 error = frame_check(first, a, ARIL_EXEC);

	if (error)
		return error;
	if (frames[first].state != ARIL_FRAME_CODE)
		return -ARIL_E_STATE;
	if (frames[first].flags & FRAME_GOING)
		return -ARIL_E_STATE;
	if (code_book(first)->point != point)
		return -ARIL_E_RANGE;
	return 0;
}

u32 code_slot_find(u32 first)
{
	const struct aril_code *c = code_book(first);

	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++)
		if (!__atomic_load_n(&c->slot[i].point, __ATOMIC_ACQUIRE))
			return code_ref(first, i);
	return 0;
}

/* A predicate's is freed under wait_lock alone: so what is found free is all free, and the count is not lost. */
void code_slot_take(u32 ref, const struct aril_code_slot *as)
{
	struct aril_code_slot *s = code_slot(ref);
	u32 point = as->point;

	*s = *as;
	__atomic_store_n(&s->point, point, __ATOMIC_RELEASE);
	__atomic_add_fetch(&code_book(code_first(ref))->uses, 1, __ATOMIC_RELAXED);
}

void code_slot_free(u32 ref)
{
	struct aril_code_slot *s = code_slot(ref);

	*s = (struct aril_code_slot){.point = s->point};
	__atomic_store_n(&s->point, 0, __ATOMIC_RELEASE);
	__atomic_sub_fetch(&code_book(code_first(ref))->uses, 1, __ATOMIC_RELAXED);
}

/* --- what names a use: an env's word, or an account's */

static void fault_set(struct env *env, u32 ref)
{
	if (env->fault)
		code_slot_free(env->fault);
	write_once(env->fault, ref);
	env->info->fault = code_first(ref);
}

static void victim_set(struct aril_account *account, u32 ref)
{
	if (account->victim)
		code_slot_free(account->victim);
	account->victim = ref;
}

/* May a say what runs at this point of that target? Where it does, *slot has a target of it. */
static s64 target_check(const struct auth *a, u32 point, u32 target)
{
	if (point == ARIL_POINT_FAULT)
		return env_check(target, a, ARIL_OWN);
	if (point != ARIL_POINT_VICTIM)
		return -ARIL_E_RANGE;
	s64 slot = account_check(target, a, ARIL_OWN);
	return slot < 0 ? slot : 0;
}

static void use_set(u32 point, u32 target, u32 ref)
{
	if (point == ARIL_POINT_FAULT)
		fault_set(env_get(target), ref);
	else
		victim_set(account_get(target), ref);
}

s64 call_code_attach(u32 auth, const struct aril_code_attach *user)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_code_attach d;

	if (!a)
		return -ARIL_E_CAP;
	if (copy_from_user(&d, user, sizeof(d)))
		return -ARIL_E_ADDR;
	if (d.zero)
		return -ARIL_E_RANGE;
	s64 error = target_check(a, d.point, d.target);
	if (error)
		return error;
	error = code_check(d.code, a, d.point);
	if (error)
		return error;
	u32 ref = code_slot_find(d.code);
	if (!ref)
		return -ARIL_E_QUOTA;
	code_slot_take(ref, &(struct aril_code_slot){.point = d.point,
						     .target = d.target,
						     .space = d.space,
						     .frames = d.frames});
	use_set(d.point, d.target, ref);
	return 0;
}

s64 call_code_detach(u32 auth, u32 point, u32 target)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	s64 error = target_check(a, point, target);
	if (error)
		return error;
	use_set(point, target, 0);
	return 0;
}

/* Whoever waits goes on, and looks for itself. */
static void waiter_end(const struct aril_code_slot *s)
{
	lock_take(&wait_lock);
	if (s->point)
		wait_unblock(&env_get(s->target)->ctx[s->cpu], ARIL_START_WAKE);
	lock_drop(&wait_lock);
}

void code_uses_end(u32 first)
{
	struct aril_code *c = code_book(first);

	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++) {
		const struct aril_code_slot *s = &c->slot[i];

		if (read_once(s->point) == ARIL_POINT_PREDICATE)
			waiter_end(s);
		else if (s->point)
			use_set(s->point, s->target, 0);
	}
}

void code_env_gone(struct env *env)
{
	fault_set(env, 0);
}

void code_account_gone(u32 slot)
{
	victim_set(&accounts[slot], 0);
}
