/* SPDX-License-Identifier: MIT
 * Never gives up the CPU: spins with everything masked. Its overruns cost it slices, then its life. */
// expect: init: domain never_yields ended: overran its slices
// forbid: never_yields: WRONG
#include "adversary.h"

int main(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	core_log("%s: spins", NAME);
	core_context()->mask = ARIL_MASK_ALL;
	for (;;)
		__asm__ volatile("" : : : "memory");
}
