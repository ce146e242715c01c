/* SPDX-License-Identifier: MIT
 * Answering revocations, and two policies. */
#include <aril_stubs.h>
#include <core/native.h>
#include <core/revoke.h>
#include <core/upcall.h>

struct core_revoke_counts core_revoke_counts;
static const struct core_revoke *revoke;
static volatile struct aril_repossession *page;
static u32 overflow_seen;

const volatile struct aril_repossession *core_repossession(void)
{
	return page;
}

void core_keep_begin(struct core_keep *k)
{
	for (u32 i = 0; i < core_pool.nruns; i++)
		k->first[i] = core_pool.run[i].first;
}

void core_keep_end(const struct core_keep *k)
{
	struct aril_frame_op op = {.kind = ARIL_FRAME_MARK_KEEP, .tag = 1};

	for (u32 i = 0; i < core_pool.nruns; i++)
		for (op.first = k->first[i]; op.first < core_pool.run[i].first;
		     op.first += op.count) {
			op.count = core_pool.run[i].first - op.first;
			op.count = op.count < 256 ? op.count : 256;
			if (aril_frame_update(core_auth, &op, 1) != 1)
				return;
		}
}

static void losses_read(void)
{
	u32 head = __atomic_load_n(&page->head, __ATOMIC_ACQUIRE);

	while (page->tail != head) {
		struct aril_loss loss = page->loss[page->tail % ARIL_LOSSES];

		core_revoke_counts.lost++;
		if (revoke->lost)
			revoke->lost(revoke->self, &loss);
		page->tail++;
	}
	if (page->overflow == overflow_seen)
		return;
	overflow_seen = page->overflow;
	core_revoke_counts.overflows++;
	if (revoke->overflow)
		revoke->overflow(revoke->self);
}

/* The kernel counts `wanted` down as it gets things back. */
static void answer(struct aril_context *context)
{
	(void)context;
	core_revoke_counts.upcalls++;
	losses_read();
	for (u32 kind = 0; kind < ARIL_REVOKE_KINDS && revoke->give; kind++) {
		volatile struct aril_request *r = &page->request[kind];

		while (r->wanted && revoke->give(revoke->self, kind, r->first, r->last))
			core_revoke_counts.given++;
	}
}

s64 core_revoke_start(const struct core_revoke *r, u32 account)
{
	struct aril_context *context = core_context();
	struct core_keep keep;
	u32 frame;

	core_keep_begin(&keep);
	page = core_pages(1, &frame);
	if (!page)
		return -ARIL_E_QUOTA;
	core_keep_end(&keep);
	revoke = r;
	core_handlers.revoke = answer;
	return aril_account_handler(core_auth, account, context->env, context->cpu, frame);
}

u32 core_policy_fifo(struct core_policy *policy, struct core_set *set, u32 first, u32 last)
{
	u32 found = ~0u;

	(void)policy;
	for (u32 i = 0; i < set->n; i++)
		if (core_page_fits(&set->page[i], first, last) &&
		    (found == ~0u || set->page[i].arrived < set->page[found].arrived))
			found = i;
	return found;
}

/* Twice around at most: the second time nothing was used since the first. */
u32 core_policy_clock(struct core_policy *policy, struct core_set *set, u32 first, u32 last)
{
	for (u32 i = 0; i < 2 * set->n; i++) {
		u32 at = policy->hand;

		policy->hand = at + 1 < set->n ? at + 1 : 0;
		if (core_page_fits(&set->page[at], first, last) && !set->used(set, at))
			return at;
	}
	return ~0u;
}
