/* SPDX-License-Identifier: MIT
 * Revokes from accounts that are not below it, makes itself the handler of others', and answers with pages that are
 * not its own. */
// expect: revoke_foreign: refused revoking from the root
// expect: revoke_foreign: refused revoking from itself
// expect: revoke_foreign: refused revoking from the neighbour
// expect: revoke_foreign: refused answering for the neighbour
// expect: revoke_foreign: refused the neighbour as handler
// expect: revoke_foreign: refused a page of the neighbour's
// expect: revoke_foreign: refused a page table as the page
// expect: revoke_foreign: done
// forbid: revoke_foreign: WRONG
#include "adversary.h"

static s64 ask(u32 account, u32 kind)
{
	struct aril_revocation want = {.kind = kind, .count = 1, .last = 1};

	return aril_revoke(core_auth, account, &want);
}

int main(int argc, char **argv, char **envp)
{
	u32 victim = victim_env(), other = env_info(victim)->account, frame;
	struct aril_revocation want = {0};

	(void)argc, (void)argv, (void)envp;
	core_pages(1, &frame);
	for (u32 kind = 0; kind < ARIL_REVOKE_KINDS; kind++) {
		turned_down("kind", ask(ARIL_ACCOUNT_ROOT, kind), ARIL_E_RANGE);
		turned_down("kind", ask(other, kind), ARIL_E_RIGHTS);
	}
	refused("revoking from the root", ask(ARIL_ACCOUNT_ROOT, 0), ARIL_E_RANGE);
	refused("revoking from itself", ask(CORE_DOMAIN->account, 0), ARIL_E_RIGHTS);
	refused("revoking from the neighbour", ask(other, 0), ARIL_E_RIGHTS);
	refused("withdrawing", aril_revoke(core_auth, other, &want), ARIL_E_RIGHTS);
	refused("answering for the neighbour",
		aril_account_handler(core_auth, other, CORE_DOMAIN->env, 0, frame), ARIL_E_RIGHTS);
	refused("silencing the neighbour", aril_account_handler(core_auth, other, 0, 0, 0),
		ARIL_E_RIGHTS);
	refused("the neighbour as handler",
		aril_account_handler(core_auth, CORE_DOMAIN->account, victim, 0, frame),
		ARIL_E_RIGHTS);
	refused("a page of the neighbour's",
		aril_account_handler(core_auth, CORE_DOMAIN->account, CORE_DOMAIN->env, 0,
				     env_info(victim)->frame),
		ARIL_E_RIGHTS);
	refused("a page table as the page",
		aril_account_handler(core_auth, CORE_DOMAIN->account, CORE_DOMAIN->env, 0,
				     CORE_DOMAIN->space),
		ARIL_E_STATE);
	refused("a CPU that is not there",
		aril_account_handler(core_auth, CORE_DOMAIN->account, CORE_DOMAIN->env, 99, frame),
		ARIL_E_CPU);
	return done();
}
