/* SPDX-License-Identifier: MIT
 * Three clients that compute, and what each got of a thousand slices: for the two schedulers' tests. A client counts
 * its STARTs itself, and the time between a START and its END. */
#ifndef SHARES_H
#define SHARES_H

#include "../adversary/adversary.h"

#define SHARES_SLICES 1000u

static struct child shares_client[3];
static volatile u64 shares_starts[3], shares_ns[3], shares_work[3];
static volatile u64 shares_since[3];

void shares_entry(void);
void shares_upcall(struct aril_context *context, const struct aril_save *save);
__asm__(".text\nshares_entry:\n\tmov %rsp, %rsi\n\tmov %rsp, %rdi\n\tand $-4096, %rdi\n\tcall "
	"shares_upcall\n\tud2\n");

/* A client's every upcall: at START it computes, in memory, until END comes; then it leaves and forgets the rest. */
void shares_upcall(struct aril_context *context, const struct aril_save *save)
{
	u64 i = context->cookie;

	if (save->vector == ARIL_VECTOR_END) {
		context->pending = 0;
		shares_ns[i] += core_now() - shares_since[i];
		aril_yield(0, 0);
	}
	if (save->vector != ARIL_VECTOR_START)
		aril_env_exit(-(s64)save->vector);
	shares_starts[i]++;
	shares_since[i] = core_now();
	context->mask = ARIL_MASK_NONE;
	for (;;)
		shares_work[i]++;
}

static void shares_make(void)
{
	for (u32 i = 0; i < 3; i++) {
		allowed("a client", child_make(&shares_client[i], shares_entry, 0));
		shares_client[i].context->cookie = i;
	}
}

/* Whether each was given its 3:2:1 within one percent of all, and had a START for each, but where it was stopped by force
 * and goes on without one. */
static __attribute__((unused)) void shares_say(const u64 given[3])
{
	static const u32 tickets[3] = {3, 2, 1};
	u64 bad = 0, all = given[0] + given[1] + given[2];

	for (u32 i = 0; i < 3; i++) {
		u64 due = all * tickets[i] / 6,
		    off = given[i] > due ? given[i] - due : due - given[i];
		u64 forced = env_info(shares_client[i].env)->overruns;

		bad += off > all / 100 || shares_starts[i] > given[i] ||
		       shares_starts[i] + forced < given[i];
		core_log("%s: %lu of %lu slices, %lu starts, %lu stopped by force, %lu us", NAME,
			 given[i], all, shares_starts[i], forced, shares_ns[i] / 1000);
	}
	core_log("%s: shares %s", NAME, bad || all != SHARES_SLICES ? "WRONG" : "ok");
}

#endif
