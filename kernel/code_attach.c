/* SPDX-License-Identifier: MIT
 * Uses of code: who has which handlers, and the end of each use from either side.
 *
 * What a CPU may be running without a lock, an env's handlers and their guards, ends in three steps: it is unlinked; every
 * CPU passes a point where it runs none (smp_quiesce); its slots are freed. */
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

static void slot_free(struct aril_code_slot *s)
{
	*s = (struct aril_code_slot){.point = s->point};
	__atomic_store_n(&s->point, 0, __ATOMIC_RELEASE);
	__atomic_sub_fetch(&code_book_of(s)->uses, 1, __ATOMIC_RELAXED);
}

void code_slot_free(u32 ref)
{
	slot_free(code_slot(ref));
}

/* --- an env's exceptions: entries of an event */

static void fault_show(struct env *env)
{
	struct aril_code_slot *node = env->fault;
	u32 orders = 0;

	env->info->fault = node ? code_frame_of(code_book_of(code_event_handler(node))) : 0;
	for (; node && node != &code_event_end; node = (struct aril_code_slot *)node->next[0])
		orders |= 1u << node->cpu;
	env->info->faults = orders;
}

/* Both slots of an entry that no CPU sees any more. What its guard said is counted in the guard's book from now on. */
static void entry_free(struct aril_code_slot *node)
{
	struct aril_code_slot *handler = code_event_handler(node);

	if (node != handler) {
		struct aril_code_counts *counts = &code_book_of(node)->cpu[this_cpu()->id];

		counts->runs += node->count[0] + node->count[1];
		counts->stops += node->count[0];
		slot_free(node);
	}
	slot_free(handler);
	authority_changed(); /* a permit may know of it */
}

/* Links an entry, or none, in the place of that order. What was there is over when this returns. */
static void entry_set(struct env *env, u32 order, struct aril_code_slot *node)
{
	struct aril_code_slot *old = code_event_at(&env->fault, order);

	code_event_set(&env->fault, order, node);
	fault_show(env);
	if (!old)
		return;
	smp_quiesce();
	entry_free(old);
}

static const u8 *guard_enter(const struct aril_code *c)
{
	return c->keeps ? arch_event_guard_kept : arch_event_guard;
}

/* Fills the free slots of an entry; its first node. guard 0: it has none. */
static struct aril_code_slot *entry_make(const struct aril_code_attach *d, u32 ref, u32 guard)
{
	struct aril_code_slot *handler = code_slot(ref), *node = guard ? code_slot(guard) : handler;

	code_slot_take(ref, &(struct aril_code_slot){.point = ARIL_POINT_FAULT,
						     .target = d->target,
						     .cpu = d->order,
						     .frames = d->frames,
						     .next = {0, (u64)node},
						     .space = d->space,
						     .allowance = code_book(d->code)->allowance,
						     .run = code_book(d->code)->run,
						     .enter = (u64)arch_event_handler});
	if (guard)
		code_slot_take(guard, &(struct aril_code_slot){
					      .point = ARIL_POINT_GUARD,
					      .target = d->target,
					      .cpu = d->order,
					      .next = {0, (u64)handler},
					      .run = code_book(d->guard)->run,
					      .enter = (u64)guard_enter(code_book(d->guard))});
	return node;
}

/* --- an account's */

static void victim_set(struct aril_account *account, u32 ref)
{
	if (account->victim)
		code_slot_free(account->victim);
	account->victim = ref;
}

/* --- the calls */

/* May a say what runs at this point of that target, at that order? */
static s64 target_check(const struct auth *a, u32 point, u32 target, u32 order)
{
	if (order >= ARIL_CODE_ENTRIES)
		return -ARIL_E_RANGE;
	if (point == ARIL_POINT_FAULT)
		return env_check(target, a, ARIL_OWN);
	if (point != ARIL_POINT_VICTIM)
		return -ARIL_E_RANGE;
	if (order)
		return -ARIL_E_RANGE;
	s64 slot = account_check(target, a, ARIL_OWN);
	return slot < 0 ? slot : 0;
}

static s64 attach_check(const struct aril_code_attach *d, const struct auth *a)
{
	s64 error = target_check(a, d->point, d->target, d->order);

	if (error)
		return error;
	error = code_check(d->code, a, d->point);
	if (error)
		return error;
	if (!d->guard)
		return 0;
	if (d->point != ARIL_POINT_FAULT)
		return -ARIL_E_RANGE;
	return code_check(d->guard, a, ARIL_POINT_GUARD);
}

/* Decoding: who takes something out of an event's list has a wait for all CPUs to spend. */
static s64 change_check(u32 point, u32 target, u32 order)
{
	if (point != ARIL_POINT_FAULT || !code_event_at(&env_get(target)->fault, order))
		return 0;
	return account_flush();
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
	s64 error = attach_check(&d, a);
	if (error)
		return error;
	u32 ref = code_slot_find(d.code), guard = d.guard ? code_slot_find(d.guard) : 0;
	if (!ref)
		return -ARIL_E_QUOTA;
	if (d.guard && !guard)
		return -ARIL_E_QUOTA;
	error = change_check(d.point, d.target, d.order);
	if (error)
		return error;
	if (d.point == ARIL_POINT_FAULT) {
		entry_set(env_get(d.target), d.order, entry_make(&d, ref, guard));
		return 0;
	}
	code_slot_take(ref, &(struct aril_code_slot){.point = d.point, .target = d.target});
	victim_set(account_get(d.target), ref);
	return 0;
}

s64 call_code_detach(u32 auth, u32 point, u32 target, u32 order)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	s64 error = target_check(a, point, target, order);
	if (error)
		return error;
	error = change_check(point, target, order);
	if (error)
		return error;
	if (point == ARIL_POINT_FAULT)
		entry_set(env_get(target), order, NULL);
	else
		victim_set(account_get(target), 0);
	return 0;
}

/* --- ends */

/* Whoever waits goes on, and looks for itself. */
static void waiter_end(const struct aril_code_slot *s)
{
	lock_take(&wait_lock);
	if (s->point)
		wait_unblock(&env_get(s->target)->ctx[s->cpu], ARIL_START_WAKE);
	lock_drop(&wait_lock);
}

static int in_event(const struct aril_code_slot *s)
{
	return s->point == ARIL_POINT_FAULT || s->point == ARIL_POINT_GUARD;
}

/* The first node of the entry of which a slot is a part. */
static struct aril_code_slot *entry_of(struct aril_code_slot *s)
{
	return s->point == ARIL_POINT_GUARD ? s : (struct aril_code_slot *)s->next[1];
}

/* An entry ends with its handler's code and with its guard's: who imposed that meant the handler to run under it. */
void code_uses_end(u32 first)
{
	struct aril_code *c = code_book(first);
	int unlinked = 0;

	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++) {
		const struct aril_code_slot *s = &c->slot[i];

		if (read_once(s->point) == ARIL_POINT_PREDICATE) {
			waiter_end(s);
		} else if (s->point == ARIL_POINT_VICTIM) {
			victim_set(account_get(s->target), 0);
		} else if (s->point) {
			struct env *env = env_get(s->target);

			code_event_set(&env->fault, s->cpu, NULL);
			fault_show(env);
			unlinked = 1;
		}
	}
	if (!unlinked)
		return;
	smp_quiesce();
	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++)
		if (in_event(&c->slot[i]))
			entry_free(entry_of(&c->slot[i]));
}

void code_env_gone(struct env *env)
{
	while (env->fault) {
		struct aril_code_slot *node = env->fault;

		code_event_set(&env->fault, node->cpu, NULL);
		entry_free(node);
	}
	fault_show(env);
}

void code_account_gone(u32 slot)
{
	victim_set(&accounts[slot], 0);
}
