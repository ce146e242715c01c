/* SPDX-License-Identifier: MIT
 * The frames that nobody has yet: found in the kernel's books, divided by shares. */
#include "init.h"
#include <aril_stubs.h>

#define RESERVE 512   /* frames that init keeps */
#define RUN_MIN 64    /* shorter runs are left alone */
#define AUTHORITY 640 /* frames of the code authority: its instances are their loaders' */

void frames_take(u32 account, struct core_run run, const struct aril_guard *guard, const char *name)
{
	while (run.count) {
		u32 count = run.count < ARIL_BATCH_PAGES ? run.count : ARIL_BATCH_PAGES;
		u32 done = (u32)must(aril_frame_alloc(init.root, account, run.first, count, guard),
				     "taking frames", name);

		run.first += done;
		run.count -= done;
	}
}

/* Keeps the longest runs, in order of length. */
static void add_run(struct core_run run)
{
	u32 i = init.nruns;

	if (run.count < RUN_MIN)
		return;
	if (i == CORE_RUNS) {
		if (init.run[--i].count >= run.count)
			return;
	} else {
		init.nruns++;
	}
	for (; i && init.run[i - 1].count < run.count; i--)
		init.run[i] = init.run[i - 1];
	init.run[i] = run;
}

void frames_find(void)
{
	const struct aril_frame *frames = (const struct aril_frame *)ARIL_INFO->frames_va;
	u32 nframes = ARIL_INFO->nframes;
	struct aril_guard own = {.rights = ARIL_ALL}; /* the empty name's */
	struct core_run run = {0};

	for (u32 f = (u32)ARIL_INFO->free_low; f < nframes; f++) {
		if (frames[f].state == ARIL_FRAME_NORMAL && !frames[f].account) {
			if (!run.count)
				run.first = f;
			run.count++;
			continue;
		}
		add_run(run);
		run.count = 0;
	}
	add_run(run);
	if (!init.nruns || init.run[0].count < 2 * RESERVE)
		fail("too little memory: give the machine at least 64 MiB");
	/* from the end, so that what is given away begins low and long */
	init.run[0].count -= RESERVE;
	init.reserve =
		(struct core_run){.first = init.run[0].first + init.run[0].count, .count = RESERVE};
	frames_take(ARIL_ACCOUNT_ROOT, init.reserve, &own, "");
}

/* Takes up to `want` frames off the front of run i. */
static struct core_run carve(u32 i, u64 want)
{
	struct core_run run = init.run[i];

	if (run.count > want)
		run.count = (u32)want;
	init.run[i].first += run.count;
	init.run[i].count -= run.count;
	return run;
}

static void give(struct domain *domain, u64 want)
{
	u32 n = 0;

	for (u32 i = 0; i < init.nruns && want && n < CORE_RUNS; i++) {
		struct core_run run = carve(i, want);

		if (!run.count)
			continue;
		frames_take(domain->account, run, &domain->guard, domain->plan.name);
		want -= run.count;
		domain->run[n++] = run;
	}
	/* the longest first */
	for (u32 i = 1; i < n; i++)
		for (u32 j = i; j && domain->run[j - 1].count < domain->run[j].count; j--) {
			struct core_run swap = domain->run[j];

			domain->run[j] = domain->run[j - 1];
			domain->run[j - 1] = swap;
		}
	domain->pool = (struct core_pool){.run = domain->run, .nruns = n};
	domain->given = domain->run[0];
	domain->spent.first = domain->run[0].first;
}

void frames_divide(void)
{
	u64 total = 0, shares = 0;

	slices_divide();
	if (init.authority) {
		account_make(&init.domain[init.authority], AUTHORITY);
		give(&init.domain[init.authority], AUTHORITY);
	}

	for (u32 i = 0; i < init.nruns; i++)
		total += init.run[i].count;
	for (u32 i = 0; i < init.ndomains; i++) {
		u64 fixed = (u64)init.domain[i].plan.mem << (20 - ARIL_PAGE_SHIFT);

		if (fixed >= total)
			fail("domain %s: there are not %u MiB of memory left",
			     init.domain[i].plan.name, init.domain[i].plan.mem);
		total -= fixed;
		shares += init.domain[i].plan.code || fixed ? 0 : init.domain[i].plan.share;
	}
	for (u32 i = 0; i < init.ndomains; i++) {
		if (init.domain[i].plan.code)
			continue;
		u64 frames = init.domain[i].plan.mem
				     ? (u64)init.domain[i].plan.mem << (20 - ARIL_PAGE_SHIFT)
				     : total * init.domain[i].plan.share / shares;

		account_make(&init.domain[i], (u32)frames);
		give(&init.domain[i], frames);
	}
}
