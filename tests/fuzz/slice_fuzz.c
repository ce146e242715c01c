/* SPDX-License-Identifier: MIT
 * Positions of slice vectors: who may take, set and free them, and who pays, against a model of the rules.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/position.c */
#include "fuzz.h"

#include "slice.h"

#define POSITIONS 4 /* in play, of each of two CPUs */
#define ACCOUNTS 3

struct aril_slice *slices;
static struct aril_slice model[2][POSITIONS];
static u32 account[ACCOUNTS]; /* ids; the root's first */
static const u8 owner[ACCOUNTS] = {0, 1, 4};
static u32 envs[3];

void smp_kick(u32 cpu)
{
	MUST(cpu < 2);
}

static u32 charged(u32 slot)
{
	u32 n = 0;

	for (u32 i = 0; i < 2 * POSITIONS; i++)
		n += model[i / POSITIONS][i % POSITIONS].account == slot;
	return n;
}

static int has(const struct who *w, const struct aril_slice *s, u32 need)
{
	return s->guard.rights ? opens(w, &s->guard, need)
			       : !w->name[0] && (w->rights & need) == need;
}

static int may_give(const struct who *w, const struct aril_guard *g)
{
	u32 both = ARIL_RUN | ARIL_OWN;

	return (!g->rights || (g->rights & both) == both) && dominates(w, g) &&
	       g->generation <= w->generation;
}

static void step(const u8 *d)
{
	const struct who *w = &whos[d[1] % WHOS];
	u32 cpu = d[2] & 1, position = d[2] >> 1 & 3, n = d[3] % ACCOUNTS,
	    slot = account[n] & 0xffff;
	struct aril_slice *s = &model[cpu][position];
	struct aril_guard g = guard_from(d[4], d[5] | (d[5] & 64 ? ARIL_RUN | ARIL_OWN : 0));
	u32 env = envs[d[3] >> 4 & 1] * !(d[3] & 128), with = d[3] >> 6 & 1;
	int may;

	switch (d[0] % 3) {
	case 0:
		may = !s->account || has(w, s, ARIL_OWN);
		may &= n ? opens(w, &accounts[slot].guard, ARIL_WRITE) : !w->name[0];
		may &= g.rights && may_give(w, &g) &&
		       (s->account == slot ||
			charged(slot) < accounts[slot].limit[ARIL_QUOTA_SLICES]);
		SAME(call_slice_alloc(w->auth, account[n], cpu, position, &g) == 0, may);
		if (may)
			s->account = slot, s->guard = g;
		break;
	case 1:
		may = has(w, s, ARIL_OWN);
		SAME(call_slice_free(w->auth, cpu, position) == 0, may);
		if (may)
			memset(s, 0, sizeof(*s));
		break;
	default:
		may = has(w, s, with ? ARIL_RUN | ARIL_OWN : ARIL_RUN) &&
		      ((!env && !with) || s->account) && (!with || may_give(w, &g));
		SAME(call_slice_set(w->auth, cpu, position, env, with ? &g : NULL) == 0, may);
		if (may)
			s->env = env;
		if (may && with)
			s->guard = g;
	}
}

static void look(void)
{
	for (u32 i = 0; i < 2 * POSITIONS; i++) {
		const struct aril_slice *is = &slices[i / POSITIONS * ARIL_SLICES + i % POSITIONS];
		const struct aril_slice *should = &model[i / POSITIONS][i % POSITIONS];

		SAME(is->account, should->account);
		SAME(is->env, should->env);
		MUST(!memcmp(&is->guard, &should->guard, sizeof(is->guard)));
	}
	for (u32 i = 0; i < ACCOUNTS; i++)
		SAME(accounts[account[i] & 0xffff].used[ARIL_QUOTA_SLICES],
		     charged(account[i] & 0xffff));
	audited(slice_audit);
}

int LLVMFuzzerTestOneInput(const u8 *data, usize bytes)
{
	static int ready;

	if (!ready++)
		slices = calloc(ARIL_MAX_CPUS * ARIL_SLICES, sizeof(*slices));
	memset(slices, 0, ARIL_MAX_CPUS * ARIL_SLICES * sizeof(*slices));
	memset(model, 0, sizeof(model));
	fake_reset();
	whos_open();
	account[0] = ARIL_ACCOUNT_ROOT;
	for (u32 i = 1; i < ACCOUNTS; i++) {
		struct aril_account_desc desc = {
			.guard = fake_guard(whos[owner[i]].name, ARIL_ALL, 1)};

		desc.limit[ARIL_QUOTA_SLICES] = 1 + i;
		account[i] = call_account_create(ROOT_AUTH, ARIL_ACCOUNT_ROOT, &desc);
	}
	envs[0] = fake_env(1, 0)->id;
	envs[1] = fake_env(2, 0)->id;
	for (; bytes >= 6; bytes -= 6, data += 6) {
		step(data);
		look();
	}
	return 0;
}
