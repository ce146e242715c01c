/* SPDX-License-Identifier: MIT
 * Turns every bit of a capability that it holds: name, length, padding, rights, generation, code. */
// expect: cap_altered: refused 512 alterations
// expect: cap_altered: done
// forbid: cap_altered: WRONG
#include "adversary.h"

int main(int argc, char **argv, char **envp)
{
	struct aril_cap own = CORE_DOMAIN->cap;
	u32 refusals = 0;

	(void)argc;
	(void)argv;
	(void)envp;
	for (u32 bit = 0; bit < 8 * sizeof(own); bit++) {
		struct aril_cap cap = own;

		((u8 *)&cap)[bit / 8] ^= 1 << bit % 8;
		refusals += turned_down("an altered bit", aril_cap_open(&cap), ARIL_E_CAP);
	}
	core_log("%s: refused %u alterations", NAME, refusals);
	struct aril_cap shorter = own;
	shorter.len = 0;
	memset(shorter.name, 0, sizeof(shorter.name));
	refused("its name cut to nothing", aril_cap_open(&shorter), ARIL_E_CAP);
	s64 auth = aril_cap_open(&own);
	allowed("the unaltered one", auth);
	return done();
}
