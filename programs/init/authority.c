/* SPDX-License-Identifier: MIT
 * The code authority: a domain without slices, which runs in its callers' time. Its capability's name is above all
 * domains', so that it can take frames for their accounts and seal under their names; and it alone, below the root, opens
 * the guard of sealing. Whoever init starts may call its gate. */
#include "init.h"
#include <aril_stubs.h>
#include <core/frames.h>
#include <core/print.h>

static struct aril_cap above, public;

void authority_rule(void)
{
	u8 name = 1, callers = 2;
	struct aril_guard guard = {.name = {1}, .len = 1, .rights = ARIL_WRITE | ARIL_OWN};

	must(aril_cap_derive(FIRST_CAP, &name, 1, ARIL_ALL, ~0ul, &above),
	     "the authority's capability", "");
	must(aril_cap_derive(FIRST_CAP, &callers, 1, ARIL_CALL, ~0ul, &public),
	     "the authority's callers' capability", "");
	must(aril_code_guard(init.root, &guard), "the guard of sealing", "");
}

void authority_tell(const struct domain *domain, struct core_domain *page)
{
	page->code_cap = domain->plan.code ? above : public;
}

void authority_open(const struct domain *domain)
{
	struct aril_guard guard = {.name = {2}, .len = 1, .rights = ARIL_CALL};

	must(core_set_guard(init.root, (struct core_run){domain->env_frame, 1}, 1, &guard),
	     "its gate", domain->plan.name);
}

/* A step that was stopped by force goes on in its caller's slices, or in nobody's where the caller is no more: so the
 * authority gets time of its own, which it gives up when that step is over. */
void authority_help(struct domain *d, u32 overruns)
{
	static u32 seen;

	if (overruns != seen)
		slices_give(d);
	seen = overruns;
}

/* All of its run is freed, with what was built in it, and taken again. */
void authority_again(struct domain *d)
{
	struct core_run run = d->given;

	core_log("init: domain %s: starts again", d->plan.name);
	must(core_frames_free(init.root, run.first, run.count), "its frames", d->plan.name);
	frames_take(d->account, run, &d->guard, d->plan.name);
	d->run[0] = run;
	d->pool = (struct core_pool){.run = d->run, .nruns = 1};
	d->spent.first = run.first;
	d->ended = 0;
	domain_build(d);
	slices_give(d);
}
