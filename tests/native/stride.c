// SPDX-License-Identifier: MIT
// A stride scheduler as a library: three clients hold 3:2:1 of a thousand slices; one that cannot run is passed over,
// and has no claim to what it missed.
// with:
// smp: 1
// slice: 1000
// expect: stride: shares ok
// expect: stride: passed over ok
// expect: stride: done
// forbid: stride: WRONG
#include "shares_stride.h"

static struct core_stride s;
static u64 traced, trace_last, trace_unsorted;

static void trace(u32 env, u64 ns)
{
	traced += env == shares_client[0].env;
	trace_unsorted += ns < trace_last;
	trace_last = ns;
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	shares_stride(&s, trace);
	u64 given = core_stride_run(&s, SHARES_SLICES);
	if (given != SHARES_SLICES || traced != s.client[0].slices || trace_unsorted)
		wrong("the count of slices", (s64)given);
	shares_say((u64[3]){s.client[0].slices, s.client[1].slices, s.client[2].slices});

	/* the second is taken off this CPU for a while, then comes back */
	u64 before[3];
	allowed("a context away", aril_env_context(core_auth, shares_client[1].env, 0, 0, 0));
	for (u32 i = 0; i < 3; i++)
		before[i] = s.client[i].slices;
	core_stride_run(&s, 40);
	u64 off[3] = {s.client[0].slices - before[0], s.client[1].slices - before[1],
		      s.client[2].slices - before[2]};
	allowed("a context",
		aril_env_context(core_auth, shares_client[1].env, 0, shares_client[1].context_frame,
				 (u64)shares_client[1].context));
	core_stride_run(&s, 60);
	u64 back = s.client[1].slices - before[1];
	int ok = off[0] + off[2] == 40 && off[1] == 0 && off[0] >= 29 && off[0] <= 31 &&
		 back >= 18 && back <= 22;
	core_log("stride: passed over %s (%lu %lu, then %lu)", ok ? "ok" : "WRONG", off[0], off[2],
		 back);
	return done();
}
