// SPDX-License-Identifier: MIT
// A lottery scheduler as a library: three clients hold 3:2:1 of a thousand slices, in an order that nobody foresees.
// with:
// smp: 1
// slice: 1000
// expect: lottery: shares ok
// expect: lottery: order drawn ok
// expect: lottery: done
// forbid: lottery: WRONG
#include "shares.h"
#include <core/lottery.h>

static struct core_lottery l;
static u8 order[SHARES_SLICES];
static u32 drawn;

static void trace(u32 env, u64 ns)
{
	(void)ns;
	for (u32 i = 0; i < 3; i++)
		if (env == shares_client[i].env && drawn < SHARES_SLICES)
			order[drawn++] = (u8)i;
}

int main(int argc, char **argv, char **envp)
{
	u32 same = 0;

	(void)argc, (void)argv, (void)envp;
	shares_make();
	l = (struct core_lottery){.auth = core_auth, .seed = core_tsc() | 1, .trace = trace};
	for (u32 i = 0; i < 3; i++)
		allowed("a client", core_lottery_set(&l, shares_client[i].env, (3 - i) * 100));
	core_yield(0, 0);
	core_lottery_run(&l, SHARES_SLICES);
	shares_say((u64[3]){l.client[0].slices, l.client[1].slices, l.client[2].slices});
	/* of 60 possible decks one repeats the one before once in 60 times: 166 decks, 3 expected */
	for (u32 i = 6; i + 6 <= drawn; i += 6)
		same += !memcmp(order + i, order + i - 6, 6);
	core_log("lottery: order drawn %s (%u decks repeat)", same < 20 ? "ok" : "WRONG", same);
	return done();
}
