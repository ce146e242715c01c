/* SPDX-License-Identifier: MIT
 * Accounts: see account.h for the invariants. A limit of things held is moved between parent and child, so that
 * what all may hold together is what there is: a fixed table can then never be full for who is within its limit. */
#include "account.h"
#include "arch.h"
#include "call_handlers.h"
#include "check.h"
#include "code.h"
#include "frame.h"
#include "revoke.h"
#include "ring.h"
#include "slice.h"
#include "util.h"

#define AHEAD_MAX 1024u /* units of work */

#define ROOT (ARIL_ACCOUNT_ROOT & 0xffff)

struct aril_account *accounts;
static u16 generation[ARIL_MAX_ACCOUNTS]; /* of the account that the slot had last */

static u32 slot_of(const struct aril_account *account)
{
	return account - accounts;
}

void account_init(u32 usable)
{
	struct aril_account *root = &accounts[ROOT];
	u32 *limit = root->limit;

	generation[ROOT] = ARIL_ACCOUNT_ROOT >> 16;
	root->id = ARIL_ACCOUNT_ROOT;
	limit[ARIL_QUOTA_FRAMES] = usable;
	limit[ARIL_QUOTA_ENVS] = ARIL_MAX_ENVS - 1; /* id 0 is nobody's */
	limit[ARIL_QUOTA_SLICES] = ncpus * ARIL_SLICES;
	limit[ARIL_QUOTA_GRANTS] = ARIL_MAX_GRANTS;
	limit[ARIL_QUOTA_RINGS] = RINGS;
	limit[ARIL_QUOTA_ACCOUNTS] = ARIL_MAX_ACCOUNTS - 2; /* nobody's, and this one */
	limit[ARIL_QUOTA_WORK] = ~0u;
	limit[ARIL_QUOTA_FLUSHES] = ~0u;
}

struct aril_account *account_get(u32 id)
{
	u32 slot = id & 0xffff;

	if (!id || slot >= ARIL_MAX_ACCOUNTS)
		return NULL;
	return accounts[slot].id == id ? &accounts[slot] : NULL;
}

/* One without a guard, the root's, answers to the empty name. */
static int account_opens(const struct aril_account *account, const struct auth *a, u32 rights)
{
	if (account->guard.rights)
		return guard_opens(&account->guard, a, rights);
	return !a->len && (a->rights & rights) == rights;
}

s64 account_check(u32 id, const struct auth *a, u32 rights)
{
	const struct aril_account *account = account_get(id);

	if (!account)
		return -ARIL_E_RANGE;
	if (!account_opens(account, a, rights))
		return -ARIL_E_RIGHTS;
	return slot_of(account);
}

/* What is left of a quota of things held. While a revocation lowers the limit it may be less than is used. */
static u32 left_of(const struct aril_account *account, u32 q)
{
	u32 limit = account->limit[q], used = account->used[q];

	return limit > used ? limit - used : 0;
}

u32 account_left(u32 slot, u32 q)
{
	return left_of(&accounts[slot], q);
}

s64 account_room(u32 slot, u32 q, u32 n)
{
	struct aril_account *account = &accounts[slot];

	if (!slot || n <= left_of(account, q))
		return 0;
	account->refused++;
	return -ARIL_E_QUOTA;
}

void account_charge(u32 slot, u32 q)
{
	if (slot)
		accounts[slot].used[q]++;
}

void account_charge_many(u32 slot, u32 q, u32 n)
{
	accounts[slot].used[q] += n;
}

void account_credit(u32 slot, u32 q, u32 what)
{
	if (!slot)
		return;
	assert(accounts[slot].used[q]);
	accounts[slot].used[q]--;
	if (q == ARIL_QUOTA_FRAMES)
		revoke_given(slot, ARIL_REVOKE_FRAMES, what);
	else if (q == ARIL_QUOTA_SLICES)
		revoke_given(slot, ARIL_REVOKE_SLICES, what);
	else if (q == ARIL_QUOTA_GRANTS)
		revoke_given(slot, ARIL_REVOKE_GRANTS, what);
}

void account_keep(u32 frame, int keep)
{
	struct aril_frame *f = &frames[frame];
	struct aril_account *account = &accounts[f->account];

	if (!keep == !(f->flags & ARIL_FRAME_KEEP))
		return;
	audit_before(frame);
	f->flags ^= ARIL_FRAME_KEEP;
	audit_after(frame);
	account->kept += keep ? 1 : -1;
}

void account_move_frame(u32 frame, u32 slot)
{
	u32 from = frames[frame].account;

	if (from == slot)
		return;
	account_keep(frame, 0);
	audit_before(frame);
	frames[frame].account = slot;
	audit_after(frame);
	account_charge(slot, ARIL_QUOTA_FRAMES);
	account_credit(from, ARIL_QUOTA_FRAMES, frame);
}

/* Whether a gift of n to a child leaves the account what it may keep. */
static int reserve_stays(const struct aril_account *account, u32 q, u32 n)
{
	return q != ARIL_QUOTA_FRAMES || account->limit[q] - n >= account->reserve;
}

/* --- work */

/* Takes back what was not done of what was given ahead, counts the rest in the totals. */
static void ahead_settle(struct context *ctx)
{
	u32 left = ctx->spare > 0 ? ctx->spare : 0, done = ctx->ahead - left;

	ctx->ahead = 0;
	ctx->spare = 0;
	ctx->work -= left;
	accounts[ctx->env->account].work += done;
	ctx->env->info->work += done;
}

/* The current context, its counters those of the slice that runs: its end names it. */
static struct context *counted(void)
{
	struct cpu *cpu = this_cpu();
	struct context *ctx = cpu->ctx;

	if (ctx && ctx->counted_slice != cpu->slice_end) {
		ahead_settle(ctx);
		ctx->counted_slice = cpu->slice_end;
		ctx->work = 0;
		ctx->flushes = 0;
	}
	return ctx;
}

s64 account_work(u32 pages)
{
	struct context *ctx = counted();
	struct aril_account *account = &accounts[ctx->env->account];

	if (unlikely(ctx->work >= account->limit[ARIL_QUOTA_WORK])) {
		account->refused++;
		return -ARIL_E_QUOTA;
	}
	ctx->work += pages;
	account->work += pages;
	ctx->env->info->work += pages;
	return 0;
}

void account_ahead_of(struct context *ctx)
{
	u32 limit = accounts[ctx->env->account].limit[ARIL_QUOTA_WORK];

	ahead_settle(ctx);
	if (ctx->work < limit)
		ctx->ahead = ctx->spare = (s32)min(limit - ctx->work, AHEAD_MAX);
	ctx->work += (u32)ctx->ahead;
}

void account_ahead(void)
{
	account_ahead_of(counted());
}

s64 account_flush(void)
{
	struct context *ctx = counted();
	struct aril_account *account = &accounts[ctx->env->account];

	if (likely(ctx->flushes < account->limit[ARIL_QUOTA_FLUSHES]))
		return 0;
	account->refused++;
	return -ARIL_E_QUOTA;
}

void account_flushed(void)
{
	struct context *ctx = counted();

	if (!ctx) /* nobody's: an env that is being ended, or a deadline */
		return;
	ctx->flushes++;
	accounts[ctx->env->account].flushes++;
	ctx->env->info->flushes++;
}

/* --- the calls */

/* May a make this child? */
static s64 create_decode(const struct aril_account *parent, const struct auth *a,
			 const struct aril_account_desc *desc)
{
	s64 error = guard_give(&desc->guard, a, ARIL_OWN);

	if (error)
		return error;
	if (desc->zero)
		return -ARIL_E_RANGE;
	error = account_room(slot_of(parent), ARIL_QUOTA_ACCOUNTS, 1);
	if (error)
		return error;
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		if (desc->limit[q] > left_of(parent, q) - (q == ARIL_QUOTA_ACCOUNTS))
			return -ARIL_E_RANGE;
	if (!reserve_stays(parent, ARIL_QUOTA_FRAMES, desc->limit[ARIL_QUOTA_FRAMES]))
		return -ARIL_E_RANGE;
	for (u32 q = ARIL_QUOTA_HELD; q < ARIL_QUOTAS; q++)
		if (desc->limit[q] > parent->limit[q])
			return -ARIL_E_RANGE;
	if (desc->reserve > desc->limit[ARIL_QUOTA_FRAMES])
		return -ARIL_E_RANGE;
	return 0;
}

s64 call_account_create(u32 auth, u32 parent_id, const struct aril_account_desc *user)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_account *parent = account_get(parent_id);
	struct aril_account_desc desc;
	u32 slot = ROOT + 1;

	if (!a)
		return -ARIL_E_CAP;
	s64 error = account_check(parent_id, a, ARIL_OWN);
	if (error < 0)
		return error;
	if (copy_from_user(&desc, user, sizeof(desc)))
		return -ARIL_E_ADDR;
	error = create_decode(parent, a, &desc);
	if (error)
		return error;
	while (accounts[slot].id) /* there is one: the limits of all accounts sum up to the slots */
		assert(++slot < ARIL_MAX_ACCOUNTS);
	struct aril_account *account = &accounts[slot];
	memset(account, 0, sizeof(*account));
	account->guard = desc.guard;
	account->parent = parent_id;
	account->reserve = desc.reserve;
	memcpy(account->limit, desc.limit, sizeof(account->limit));
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		parent->limit[q] -= desc.limit[q];
	account_charge(slot_of(parent), ARIL_QUOTA_ACCOUNTS);
	if (!++generation[slot])
		generation[slot] = 1;
	account->id = (u32)generation[slot] << 16 | slot;
	return account->id;
}

/* The account with this id and its parent, which a must OWN: its slot or -E. */
static s64 child_check(u32 id, const struct auth *a)
{
	const struct aril_account *account = account_get(id);

	if (!account)
		return -ARIL_E_RANGE;
	/* the root's parent is no account: its limits are the machine's */
	s64 parent = account_check(account->parent, a, ARIL_OWN);
	return parent < 0 ? parent : slot_of(account);
}

s64 call_account_destroy(u32 auth, u32 id)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	s64 slot = child_check(id, a);
	if (slot < 0)
		return slot;
	struct aril_account *account = &accounts[slot];
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		if (account->used[q])
			return -ARIL_E_STATE;
	revoke_account_gone(slot);
	code_account_gone(slot);
	/* A parent outlives its children: each is charged to it. */
	struct aril_account *parent = account_get(account->parent);
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		parent->limit[q] += account->limit[q];
	account->id = 0;
	account_credit(slot_of(parent), ARIL_QUOTA_ACCOUNTS, 0);
	return 0;
}

/* A limit of work, which no child's may exceed. */
static s64 work_set(struct aril_account *account, const struct aril_account *parent, u32 q,
		    u32 limit)
{
	if (limit > parent->limit[q])
		return -ARIL_E_RANGE;
	for (u32 i = 0; i < ARIL_MAX_ACCOUNTS; i++)
		if (accounts[i].id && accounts[i].parent == account->id &&
		    accounts[i].limit[q] > limit)
			return -ARIL_E_RANGE;
	account->limit[q] = limit;
	return 0;
}

s64 call_account_set(u32 auth, u32 id, u32 q, u32 limit)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	s64 slot = child_check(id, a);
	if (slot < 0)
		return slot;
	if (q >= ARIL_QUOTAS)
		return -ARIL_E_RANGE;
	struct aril_account *account = &accounts[slot];
	struct aril_account *parent = account_get(account->parent);
	if (q >= ARIL_QUOTA_HELD)
		return work_set(account, parent, q, limit);
	if (limit < account->used[q])
		return -ARIL_E_RANGE;
	if (q == ARIL_QUOTA_FRAMES && limit < account->reserve)
		return -ARIL_E_RANGE;
	if (limit > account->limit[q] && limit - account->limit[q] > left_of(parent, q))
		return -ARIL_E_RANGE;
	if (limit > account->limit[q] && !reserve_stays(parent, q, limit - account->limit[q]))
		return -ARIL_E_RANGE;
	parent->limit[q] -= limit - account->limit[q]; /* modulo 2^32: gives or takes */
	account->limit[q] = limit;
	return 0;
}

s64 call_account_guard(u32 auth, u32 id, const struct aril_guard *user)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_account *account = account_get(id);
	struct aril_guard guard;

	if (!a)
		return -ARIL_E_CAP;
	s64 error = account_check(id, a, ARIL_OWN);
	if (error < 0)
		return error;
	if (!account->parent) /* the root's is nobody's to give away */
		return -ARIL_E_RANGE;
	if (copy_from_user(&guard, user, sizeof(guard)))
		return -ARIL_E_ADDR;
	error = guard_give(&guard, a, ARIL_OWN);
	if (error)
		return error;
	account->guard = guard;
	return 0;
}
