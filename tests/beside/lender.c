/* SPDX-License-Identifier: MIT
 * Asks Linux families for memory back, with the root capability (ARIL_ROOT=lender): from the first one a little, then so much that
 * it must choose who ends. From the second one everything, at once: nobody can comply with that. Then the first one may have as much
 * again, which it sees. */
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/time.h>
#include <core/upcall.h>

#define ENVS ((const volatile struct aril_env_info *)ARIL_INFO->envs_va)
#define LITTLE 2000 /* frames */
#define LEFT 3500   /* of the first family's, after the second request */
#define MEMBERS \
	4 /* of the first family, when it has all that it wants (tests/families/pressed.c) */
#define TIME 20000000000ul /* to comply: as long as a slow host needs */

static s64 root;

static const volatile struct aril_account *account_of(u32 id)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va + (id & 0xffff);
}

/* The account of the nth domain beside this one. */
static u32 domain_account(u32 n)
{
	u32 parent = ENVS[CORE_DOMAIN->env & 0xffff].parent;

	for (u32 i = 1; i < ARIL_INFO->nenvs; i++)
		if (ENVS[i].id != CORE_DOMAIN->env && ENVS[i].parent == parent &&
		    ENVS[i].state == ARIL_ENV_ALIVE && !n--)
			return ENVS[i].account;
	return 0;
}

/* How many envs are charged to it, beside the domain's first. */
static u32 members(u32 account)
{
	u32 n = 0;

	for (u32 i = 1; i < ARIL_INFO->nenvs; i++)
		n += ENVS[i].state == ARIL_ENV_ALIVE && ENVS[i].account == account;
	return n ? n - 1 : 0;
}

/* Asks, and waits until all is answered or taken. */
static void ask(const char *what, u32 id, u32 count, u64 within)
{
	const volatile struct aril_account *a = account_of(id);
	u64 given = a->given, taken = a->taken, deadline = core_now() + within;
	struct aril_revocation want = {.kind = ARIL_REVOKE_FRAMES,
				       .count = count,
				       .last = ARIL_INFO->nframes - 1,
				       .lower = 1,
				       .deadline = deadline};
	s64 error = aril_revoke((u32)root, id, &want);

	while (!error && a->wanted[ARIL_REVOKE_FRAMES] && core_now() < deadline + TIME)
		core_sleep(2000000);
	core_log("lender: %s: %s, %lu given, %lu taken, %u open, error %ld", what,
		 a->given - given == count ? "all was given" : "not all was given",
		 a->given - given, a->taken - taken, a->wanted[ARIL_REVOKE_FRAMES], -error);
}

int main(int argc, char **argv, char **envp)
{
	u32 first = domain_account(0), second = domain_account(1);

	(void)argc, (void)argv, (void)envp;
	root = aril_cap_open(&CORE_DOMAIN->root_cap);
	if (root < 0 || !first || !second) {
		core_log("lender: WRONG: no root capability, or nobody to ask");
		return 1;
	}
	u32 limit = account_of(first)->limit[ARIL_QUOTA_FRAMES];
	while (members(first) < MEMBERS)
		core_sleep(2000000);
	ask("a little", first, LITTLE, TIME);
	ask("much", first, account_of(first)->used[ARIL_QUOTA_FRAMES] - LEFT, TIME);
	ask("everything", second, account_of(second)->used[ARIL_QUOTA_FRAMES], 0);
	s64 error = aril_account_set((u32)root, first, ARIL_QUOTA_FRAMES, limit);
	core_log("lender: as much again: error %ld", -error);
	return 0;
}
