/* SPDX-License-Identifier: MIT
 * The domains' accounts. */
#include "init.h"
#include <aril_stubs.h>

/* Envs and accounts are divided by shares, grants and rings evenly; what is left by rounding stays the root's. One part of RESERVE of its frames is never taken from a domain by force. */
#define RESERVE 4
#define KEEP_ENVS 8 /* and accounts, that init leaves to itself */

void account_make(struct domain *domain, u32 frames)
{
	const struct aril_account *root =
		(const struct aril_account *)ARIL_INFO->accounts_va + (ARIL_ACCOUNT_ROOT & 0xffff);
	static u32 limit[ARIL_QUOTAS];
	static u32 shares;
	u32 share = domain->plan.share;

	if (!shares) {
		for (u32 i = 0; i < init.ndomains; i++)
			shares += init.domain[i].plan.code ? 0 : init.domain[i].plan.share;
		for (u32 q = 0; q < ARIL_QUOTAS; q++)
			limit[q] = root->limit[q];
		limit[ARIL_QUOTA_ENVS] -= KEEP_ENVS + 1;
		limit[ARIL_QUOTA_ACCOUNTS] -= KEEP_ENVS + init.ndomains;
	}
	struct aril_account_desc desc = {.guard = domain->guard, .reserve = frames / RESERVE};
	desc.limit[ARIL_QUOTA_FRAMES] = frames;
	desc.limit[ARIL_QUOTA_SLICES] = domain->nslices;
	desc.limit[ARIL_QUOTA_WORK] = ~0u;
	desc.limit[ARIL_QUOTA_FLUSHES] = ~0u;
	if (domain->plan.code) {
		desc.limit[ARIL_QUOTA_ENVS] = 1;
		domain->account =
			(u32)must(aril_account_create(init.root, ARIL_ACCOUNT_ROOT, &desc),
				  "an account", domain->plan.name);
		return;
	}
	desc.limit[ARIL_QUOTA_ENVS] = limit[ARIL_QUOTA_ENVS] * share / shares;
	desc.limit[ARIL_QUOTA_ACCOUNTS] = limit[ARIL_QUOTA_ACCOUNTS] * share / shares;
	desc.limit[ARIL_QUOTA_GRANTS] = limit[ARIL_QUOTA_GRANTS] / (init.nsharing + 1);
	desc.limit[ARIL_QUOTA_RINGS] = limit[ARIL_QUOTA_RINGS] / init.nsharing;
	domain->account = (u32)must(aril_account_create(init.root, ARIL_ACCOUNT_ROOT, &desc),
				    "an account", domain->plan.name);
}
