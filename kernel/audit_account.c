/* SPDX-License-Identifier: MIT
 * The audit of accounts: what each is charged with, counted anew.
 *
 * Frames are too many for one call. The recount of frames below audit_counted is kept true while others change charges
 * (audit_before, audit_after); when it has reached the end, all accounts are compared in one call. The recount is one:
 * who goes on from elsewhere than it stands begins it again. */
#include "account.h"
#include "arch.h"
#include "check.h"
#include "grant.h"
#include "slice.h"
#include "util.h"

#define STEP_FRAMES 65536

struct tally {
	u32 used[ARIL_QUOTA_HELD];
	u32 kept;
};

u32 audit_counted;
static struct tally tally[ARIL_MAX_ACCOUNTS];

void audit_recount(u32 frame, int sign)
{
	u32 slot = frames[frame].account;

	if (!slot || slot >= ARIL_MAX_ACCOUNTS)
		return;
	tally[slot].used[ARIL_QUOTA_FRAMES] += (u32)sign;
	if (frames[frame].flags & ARIL_FRAME_KEEP)
		tally[slot].kept += (u32)sign;
}

static void count(u32 slot, u32 quota)
{
	if (slot < ARIL_MAX_ACCOUNTS)
		tally[slot].used[quota]++;
}

/* What is few enough to be counted at once. */
static void count_others(void)
{
	for (u32 i = 0; i < ARIL_MAX_ENVS; i++)
		if (env_infos[i].state == ARIL_ENV_ALIVE)
			count(env_infos[i].account & 0xffff, ARIL_QUOTA_ENVS);
	for (u32 i = 0; i < ncpus * ARIL_SLICES; i++)
		if (slices[i].account)
			count(slices[i].account & 0xffff, ARIL_QUOTA_SLICES);
	for (u32 i = 0; i < GRANTS; i++)
		if (grant_books[i].env)
			count(grant_books[i].account & 0xffff, ARIL_QUOTA_GRANTS);
	for (u32 i = 0; i < ARIL_MAX_ACCOUNTS; i++)
		if (accounts[i].id)
			count(accounts[i].parent & 0xffff, ARIL_QUOTA_ACCOUNTS);
}

static void account_look(u32 slot, struct aril_check *out)
{
	static const char *const names[ARIL_QUOTA_HELD] = {
		"frames charged", "envs charged",  "slices charged",
		"grants charged", "rings charged", "accounts charged",
	};
	const struct aril_account *c = &accounts[slot];
	const struct tally *t = &tally[slot];

	if (c->id % 65536 != slot)
		return audit_wrong(out, slot, "an account's id", slot, c->id);
	if (guard_check(&c->guard))
		return audit_wrong(out, slot, "an account's guard", 0, c->guard.rights);
	if (slot != (ARIL_ACCOUNT_ROOT & 0xffff) && !account_get(c->parent))
		return audit_wrong(out, slot, "an account's parent is none", 0, c->parent);
	if (c->handler && !env_get(c->handler))
		return audit_wrong(out, slot, "an account's handler is no more", 0, c->handler);
	if (c->handler && !env_get(c->handler)->handles)
		return audit_wrong(out, slot, "its handler does not know", 1, 0);
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++) {
		if (t->used[q] != c->used[q])
			return audit_wrong(out, slot, names[q], t->used[q], c->used[q]);
		if (c->used[q] > c->limit[q] && !c->wanted[0] && !c->wanted[1] && !c->wanted[2])
			return audit_wrong(out, slot, names[q], c->limit[q], c->used[q]);
	}
	if (t->kept != c->kept)
		return audit_wrong(out, slot, "frames kept", t->kept, c->kept);
}

/* What each env says that it answers for. */
static void handles_look(struct aril_check *out)
{
	for (u32 i = 0; i < ARIL_MAX_ENVS; i++) {
		const struct env *env = env_get(env_infos[i].id);
		u32 n = 0;

		if (!env || !env->handles)
			continue;
		for (u32 slot = 1; slot < ARIL_MAX_ACCOUNTS; slot++)
			n += accounts[slot].id && accounts[slot].handler == env->id;
		if (n != env->handles)
			audit_wrong(out, env->id, "accounts that it answers for", n, env->handles);
	}
}

/* The limits of things held sum up to what the machine has: what account_init gave the root. */
static void sums_look(struct aril_check *out)
{
	static u32 machine[ARIL_QUOTA_HELD];

	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++) {
		u32 sum = 0;

		for (u32 slot = 0; slot < ARIL_MAX_ACCOUNTS; slot++)
			sum += accounts[slot].id ? accounts[slot].limit[q] : 0;
		if (!machine[q])
			machine[q] = sum;
		if (machine[q] != sum)
			audit_wrong(out, q, "sum of all limits of a quota", machine[q], sum);
	}
}

u64 account_audit(u64 from, struct aril_check *out)
{
	u32 end;

	if (!accounts || !accounts[ARIL_ACCOUNT_ROOT & 0xffff].id)
		return 0;
	if (!from || from != audit_counted) {
		audit_counted = 0;
		memset(tally, 0, sizeof(tally));
	}
	end = min(audit_counted + STEP_FRAMES, nframes);
	for (; audit_counted < end; audit_counted++)
		audit_recount(audit_counted, 1);
	if (audit_counted < nframes)
		return audit_counted;
	count_others();
	ring_count(count);
	for (u32 slot = 1; slot < ARIL_MAX_ACCOUNTS; slot++) {
		if (!accounts[slot].id)
			continue;
		account_look(slot, out);
		out->checked++;
	}
	handles_look(out);
	sums_look(out);
	audit_counted = 0;
	return 0;
}
