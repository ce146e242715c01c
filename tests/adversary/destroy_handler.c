/* SPDX-License-Identifier: MIT
 * What answers for an account dies while a revocation is open: its env, its context page, the repossession page, the
 * frames asked for, all at any instant before or after the deadline. The revocation ends all the same, and the account
 * gives everything back. */
// expect: destroy_handler: \d+ revocations, [1-9]\d* ended by force
// expect: destroy_handler: done
// forbid: destroy_handler: WRONG
// smp: 2
#include "adversary.h"

#define SECONDS 2ul
#define N 8 /* frames of the account: its env's, its context's, its repossession page, and others */

enum way { NOTHING, ENV, CONTEXT, PAGE, FRAMES, NO_HANDLER, AGAIN, WAYS };

static u32 first, account, env, forced;
static struct aril_context *context;
static struct aril_guard ours;

CHILD(handler_entry, "xorl %edi, %edi\n\txorl %esi, %esi\n\tmovl $0x80000029, %eax\n\tsyscall\n\t");

static const volatile struct aril_account *books(void)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va + (account & 0xffff);
}

static void give(u32 frames, u32 to)
{
	for (u32 f = first; f < first + frames; f++)
		if (!frame_info(f)->account)
			allowed("to take a frame", aril_frame_alloc(core_auth, to, f, 1, &ours));
}

static void take_back(void)
{
	for (u32 f = first; f < first + N; f++)
		while (frame_info(f)->account && aril_frame_free(core_auth, f, 1) == -ARIL_E_AGAIN)
			;
}

static void make(u32 cpu)
{
	struct aril_account_desc desc = {.guard = ours};
	struct aril_env_desc as = {.space = CORE_DOMAIN->space, .entry = (u64)handler_entry};

	take_back();
	desc.limit[ARIL_QUOTA_FRAMES] = N;
	desc.limit[ARIL_QUOTA_ENVS] = 1;
	s64 got = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	allowed("an account", got);
	account = as.account = (u32)got;
	give(N, account);
	allowed("its page",
		core_map(&core_self, (u64)context, first + 1, 1, ARIL_BIND_WRITE, core_auth));
	memset(context, 0, sizeof(*context));
	got = aril_env_create(core_auth, first, &as);
	allowed("an env", got);
	env = (u32)got;
	allowed("a context", aril_env_context(core_auth, env, cpu, first + 1, (u64)context));
	allowed("a handler", aril_account_handler(core_auth, account, env, cpu, first + 2));
}

static u64 ask(u64 within)
{
	struct aril_revocation want = {.kind = ARIL_REVOKE_FRAMES,
				       .count = 5,
				       .first = first,
				       .last = first + N - 1,
				       .lower = 1,
				       .deadline = core_now() + within};

	allowed("to ask", aril_revoke(core_auth, account, &want));
	return want.deadline;
}

static void strike(u32 way)
{
	switch (way) {
	case ENV:
		aril_frame_reset(core_auth, first);
		break;
	case CONTEXT:
		aril_frame_reset(core_auth, first + 1);
		break;
	case PAGE:
		aril_frame_reset(core_auth, first + 2);
		break;
	case FRAMES:
		take_back();
		break;
	case NO_HANDLER:
		aril_account_handler(core_auth, account, 0, 0, 0);
		break;
	case AGAIN:
		ask(300000);
		break;
	}
}

static void look(u32 way)
{
	u64 least = core_now() + 10000000, until = core_now() + 20000000000;

	while ((books()->wanted[0] || core_now() < least) && core_now() < until)
		core_sleep(500000);
	if (books()->wanted[0])
		core_log("%s: WRONG way %u: %u frames are still wanted", NAME, way,
			 books()->wanted[0]);
	forced += books()->taken != 0;
	take_back();
	s64 error = aril_account_destroy(core_auth, account);
	if (error)
		core_log("%s: WRONG way %u: the account is not to be destroyed (%ld): %u frames, "
			 "%u envs",
			 NAME, way, error, books()->used[0], books()->used[1]);
	for (u32 f = first; f < first + N; f++) {
		const volatile struct aril_frame *i = frame_info(f);

		if (i->state || i->account || i->pins || i->refs)
			core_log("%s: WRONG way %u: frame %u: state %u, account %u, %u pins", NAME,
				 way, f - first, i->state, i->account, i->pins);
	}
	const volatile struct aril_env_info *e = env_info(env);
	if (e->id == env && e->state == ARIL_ENV_ALIVE)
		wrong("the env lives", way);
	give(N, CORE_DOMAIN->account);
}

int main(int argc, char **argv, char **envp)
{
	u64 end = core_now() + SECONDS * 1000000000;
	u32 rounds = 0, frame;

	(void)argc;
	(void)argv;
	(void)envp;
	context = core_pages(1, &frame);
	first = core_pool_take(&core_pool, N);
	memcpy(&ours, (const void *)&frame_info(first)->guard[0], sizeof(ours));
	for (; core_now() < end || rounds < 4 * WAYS; rounds++) {
		u32 random = (u32)(__builtin_ia32_rdtsc() >> 5);
		u64 delay = random % 1000 * 1000, within = random / 1000 % 500 * 1000;

		make(rounds % 2);
		ask(within);
		u64 until = core_now() + delay;
		while (core_now() < until)
			if (rounds % 2 || core_yield(core_auth, env) < 0)
				core_sleep(100000);
		strike(rounds % WAYS);
		look(rounds % WAYS);
	}
	core_log("%s: %u revocations, %u ended by force", NAME, rounds, forced);
	return done();
}
