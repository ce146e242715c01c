/* SPDX-License-Identifier: MIT
 * The audit at the machine's end: the kernel's books by its check call; then all domains are destroyed, and what they
 * had must be free again. Each line begins with "init: audit:", and the last two say how much was looked at, or how
 * much is left: tests/run asks for both. */
#include "init.h"
#include <aril_stubs.h>
#include <core/print.h>
#include <core/time.h>

int audit_books(int quiet)
{
	static const char *const names[ARIL_NOUNS] = {
		0,	 "frame", "space", "env",   "slice",  "account",
		"grant", "ring",  "wait",  "cache", "region", "code",
	};
	struct aril_check found;
	u64 checked = 0, wrong = 0, began = core_now();

	for (u32 noun = 1; noun < ARIL_NOUNS; noun++) {
		s64 next = 0;

		do {
			next = must(aril_check(init.root, noun, (u64)next, &found),
				    "the audit of the kernel's books", names[noun]);
			checked += found.checked;
			wrong += found.wrong;
			if (found.wrong)
				core_log("init: audit: %u wrong: %s %u: %s", found.wrong,
					 names[noun], found.which, found.what);
		} while (next);
	}
	if (!quiet || wrong)
		core_log("init: audit: %lu objects, %lu wrong (%lu us)", checked, wrong,
			 (core_now() - began) / 1000);
	return !wrong;
}

/* What the domains are built from. */
static struct machine {
	u32 free;     /* frames that are nobody's, and as nobody's should be */
	u32 pins;     /* of all frames */
	u32 envs;     /* alive */
	u32 accounts; /* in use */
	u32 grants;
	u32 slices;		   /* root's or nobody's */
	u32 used[ARIL_QUOTA_HELD]; /* by the root account */
} before;

static const volatile struct aril_slice *slice_of(u32 i)
{
	return (const volatile struct aril_slice *)ARIL_INFO->slices_va + i;
}

static struct machine look(void)
{
	const volatile struct aril_account *root = account_of(ARIL_ACCOUNT_ROOT & 0xffff);
	const volatile struct aril_grant *grants =
		(const volatile struct aril_grant *)ARIL_INFO->grants_va;
	struct machine m = {0};

	for (u32 f = 0; f < ARIL_INFO->nframes; f++) {
		const volatile struct aril_frame *i = frame_of(f);

		m.pins += i->pins;
		m.free += i->state == ARIL_FRAME_NORMAL && !i->account && !frame_is_of(NULL, f);
	}
	for (u32 i = 1; i < ARIL_MAX_ENVS; i++)
		m.envs += env_of(i)->state == ARIL_ENV_ALIVE;
	for (u32 i = 1; i < ARIL_MAX_ACCOUNTS; i++)
		m.accounts += account_of(i)->id != 0;
	for (u32 i = 0; i < ARIL_MAX_GRANTS; i++)
		m.grants += grants[i].env != 0;
	for (u32 i = 0; i < ARIL_INFO->ncpus * ARIL_SLICES; i++)
		m.slices += slice_of(i)->account <= (ARIL_ACCOUNT_ROOT & 0xffff);
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		m.used[q] = root->used[q];
	return m;
}

void audit_before(void)
{
	before = look();
}

/* Ends all accounts but the root's, children before their parents. */
static u32 accounts_end(void)
{
	u32 n = 0, before_pass;

	do {
		before_pass = n;
		for (u32 i = 1; i < ARIL_MAX_ACCOUNTS; i++)
			if (account_of(i)->id && account_of(i)->id != ARIL_ACCOUNT_ROOT &&
			    !aril_account_destroy(init.root, account_of(i)->id))
				n++;
	} while (n != before_pass);
	return n;
}

/* Lets go the devices that domains had rings of. */
static void devices_close(void)
{
	for (u32 i = 0; i < init.ndomains; i++) {
		s64 error = 0;

		if (init.domain[i].has_device)
			error = aril_device_close(init.root, init.domain[i].device);
		if (error)
			core_log("init: audit: domain %s: its device does not close (error %ld)",
				 init.domain[i].plan.name, -error);
	}
}

static void slices_free(void)
{
	for (u32 i = 0; i < ARIL_INFO->ncpus * ARIL_SLICES; i++)
		if (slice_of(i)->account > (ARIL_ACCOUNT_ROOT & 0xffff))
			aril_slice_free(init.root, i / ARIL_SLICES, i % ARIL_SLICES);
}

/* 1 when it is as it was; else says what is not. */
static int same_as_before(const char *what, u32 was, u32 is)
{
	if (was == is)
		return 1;
	core_log("init: audit: left of the domains: %s: %u before them, %u after", what, was, is);
	return 0;
}

int audit_leaks(void)
{
	static const char *const quotas[ARIL_QUOTA_HELD] = {
		"frames of root", "envs of root",  0,
		"grants of root", "rings of root", "accounts of root",
	};
	u64 began = core_now();
	u32 envs = envs_end(NULL), frames, accounts;
	int right = 1;

	devices_close();
	frames = frames_free(NULL);
	grants_end(NULL);
	slices_free();
	accounts = accounts_end();
	struct machine after = look();
	for (u32 f = 0; f < ARIL_INFO->nframes && right; f++)
		if (frame_is_of(NULL, f)) {
			core_log(
				"init: audit: left of the domains: frame %u: state %u, account %u, "
				"%u bindings, %u pins",
				f, frame_of(f)->state, frame_of(f)->account, frame_of(f)->refs,
				frame_of(f)->pins);
			right = 0;
		}
	right &= same_as_before("free frames", before.free, after.free);
	right &= same_as_before("pins", before.pins, after.pins);
	right &= same_as_before("envs", before.envs, after.envs);
	right &= same_as_before("accounts", before.accounts, after.accounts);
	right &= same_as_before("grants", before.grants, after.grants);
	right &= same_as_before("slices", before.slices, after.slices);
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
		if (q !=
		    ARIL_QUOTA_SLICES) /* the domains got them from root, and gave them back to nobody */
			right &= same_as_before(quotas[q], before.used[q], after.used[q]);
	core_log("init: audit: %u frames, %u envs, %u accounts of %u domains taken back, %s (%lu "
		 "us)",
		 frames, envs, accounts, init.ndomains, right ? "nothing left" : "not all",
		 (core_now() - began) / 1000);
	return right;
}
