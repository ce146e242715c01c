/* SPDX-License-Identifier: MIT
 * Leaves the CPU in order on one CPU and never on another: what it does there is counted by itself, and ends it. */
// expect: init: domain half_yields ended: overran its slices
// forbid: half_yields: WRONG
// smp: 2
// slice: 1000
#include "adversary.h"

static volatile u32 spinning;

void core_secondary(u32 cpu)
{
	(void)cpu;
	spinning = 1;
	core_context()->mask = ARIL_MASK_ALL;
	for (;;)
		__asm__ volatile("" : : : "memory");
}

int main(int argc, char **argv, char **envp)
{
	u64 until = core_now() + 60000000000ul;

	(void)argc, (void)argv, (void)envp;
	while (!spinning)
		core_sleep(1000000);
	core_log("%s: spins on the other", NAME);
	while (core_now() < until)
		core_yield(0, 0);
	wrong("overruns on the other CPU", (s64)env_info(CORE_DOMAIN->env)->overruns);
	return done();
}
