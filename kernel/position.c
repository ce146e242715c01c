/* SPDX-License-Identifier: MIT
 * The positions of the slice vectors: whose they are, who runs there, what is charged for them.
 *
 * Invariants, under object_lock. (1) A position with account 0 is free: no env, no guard. (2) Every other is charged
 * once to its account. (3) Its env may be dead: then it is skipped, and is its owner's to set or to free. */
#include "account.h"
#include "arch.h"
#include "check.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

/* The position's guard, or, unused, the empty name's. */
static int slice_opens(const struct aril_slice *slice, const struct auth *a, u32 need)
{
	if (slice->guard.rights)
		return guard_opens(&slice->guard, a, need);
	return a->len == 0 && (a->rights & need) == need;
}

/* Reads a guard to be given by a; 0 or a refusal. rights 0: unused, the empty name's. */
static s64 guard_read(struct aril_guard *to, const struct aril_guard *from, const struct auth *a)
{
	if (copy_from_user(to, from, sizeof(*to)))
		return -ARIL_E_ADDR;
	return guard_give(to, a, to->rights ? ARIL_RUN | ARIL_OWN : 0);
}

/* What the calls name: the position, and the capability under which they do. 0 or a refusal. */
static s64 position_decode(u32 auth, u32 cpu, u32 position, const struct auth **a,
			   struct aril_slice **slice)
{
	*a = auth_get(this_cpu()->env, auth);
	if (!*a)
		return -ARIL_E_CAP;
	if (cpu >= ncpus)
		return -ARIL_E_CPU;
	if (position >= ARIL_SLICES)
		return -ARIL_E_RANGE;
	*slice = &slices[cpu * ARIL_SLICES + position];
	return 0;
}

static u32 slice_number(const struct aril_slice *slice)
{
	return (u32)(slice - slices);
}

s64 call_slice_alloc(u32 auth, u32 account, u32 cpu, u32 position, const struct aril_guard *guard)
{
	const struct auth *a;
	struct aril_slice *slice;
	struct aril_guard new;
	s64 error = position_decode(auth, cpu, position, &a, &slice);
	if (error)
		return error;
	if (slice->account && !slice_opens(slice, a, ARIL_OWN))
		return -ARIL_E_RIGHTS;
	s64 slot = account_check(account, a, ARIL_WRITE);
	if (slot < 0)
		return slot;
	error = guard_read(&new, guard, a);
	if (error)
		return error;
	if (!new.rights)
		return -ARIL_E_RANGE;
	error = slice->account == slot ? 0 : account_room((u32)slot, ARIL_QUOTA_SLICES, 1);
	if (error)
		return error;
	if (slice->account != slot) {
		account_charge((u32)slot, ARIL_QUOTA_SLICES);
		account_credit(slice->account, ARIL_QUOTA_SLICES, slice_number(slice));
		slice->account = (u32)slot;
	}
	slice->guard = new;
	return 0;
}

void slice_release(struct aril_slice *slice)
{
	static const struct aril_guard none;

	write_once(slice->env, 0);
	slice->guard = none;
	account_credit(slice->account, ARIL_QUOTA_SLICES, slice_number(slice));
	slice->account = 0;
}

s64 call_slice_free(u32 auth, u32 cpu, u32 position)
{
	const struct auth *a;
	struct aril_slice *slice;
	s64 error = position_decode(auth, cpu, position, &a, &slice);
	if (error)
		return error;
	if (!slice_opens(slice, a, ARIL_OWN))
		return -ARIL_E_RIGHTS;
	slice_release(slice);
	return 0;
}

s64 call_slice_set(u32 auth, u32 cpu, u32 position, u32 id, const struct aril_guard *guard)
{
	const struct auth *a;
	struct aril_slice *slice;
	struct aril_guard new = {.rights = 0};
	s64 error = position_decode(auth, cpu, position, &a, &slice);
	if (error)
		return error;
	if (!slice_opens(slice, a, guard ? ARIL_RUN | ARIL_OWN : ARIL_RUN))
		return -ARIL_E_RIGHTS;
	if (id && !env_get(id))
		return -ARIL_E_ENV;
	if ((id || guard) && !slice->account)
		return -ARIL_E_STATE;
	error = guard ? guard_read(&new, guard, a) : 0;
	if (error)
		return error;
	if (guard)
		slice->guard = new;
	write_once(slice->env, id);
	if (id)
		smp_kick(cpu); /* it may be idle for want of an owner */
	return 0;
}

/* Why a position breaks an invariant, or NULL. */
static const char *slice_wrong(const struct aril_slice *slice)
{
	static const struct aril_guard none;

	if (!slice->account && slice->env)
		return "an env runs at a free position";
	if (!slice->account && memcmp(&slice->guard, &none, sizeof(none)))
		return "a free position has a guard";
	if (slice->account >= ARIL_MAX_ACCOUNTS)
		return "charged to an account that cannot be";
	if (slice->account && !accounts[slice->account].id)
		return "charged to an account that is gone";
	if ((slice->env & 0xffff) >= ARIL_MAX_ENVS)
		return "its env cannot be";
	return NULL;
}

/* All in one step: at most ARIL_MAX_CPUS * ARIL_SLICES. What accounts say they hold, account_audit counts. */
u64 slice_audit(u64 from, struct aril_check *out)
{
	u32 n = ncpus * ARIL_SLICES;

	for (u64 at = from; at < n; at++) {
		const char *why = slice_wrong(&slices[at]);

		out->checked++;
		if (why)
			check_found(out, (u32)at, why);
	}
	return 0;
}
