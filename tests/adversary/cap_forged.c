/* SPDX-License-Identifier: MIT
 * Makes up capabilities: the root's, the neighbour's, its own name with another code. */
// expect: cap_forged: done
// forbid: cap_forged: WRONG
#include "adversary.h"

static u64 state = 0x9e3779b97f4a7c15;

static u64 guess(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static int try(const char *what, struct aril_cap cap)
{
	static struct aril_cap child, before;
	int good = 1;

	for (int i = 0; i < 200; i++) {
		cap.mac[0] = i ? guess() : 0;
		cap.mac[1] = i ? guess() : 0;
		good &= turned_down(what, aril_cap_open(&cap), ARIL_E_CAP);
		memset(&child, 0x5a, sizeof(child));
		before = child;
		good &= turned_down(what,
				    aril_cap_derive(&cap, (const u8 *)"x", 1, ARIL_READ, 0, &child),
				    ARIL_E_CAP);
		if (memcmp(&child, &before, sizeof(child)))
			wrong("a child written for a forgery", 0);
	}
	return good;
}

int main(int argc, char **argv, char **envp)
{
	struct aril_cap root = {.rights = ARIL_ALL, .generation = ~0ul};
	struct aril_cap neighbour = {
		.name = {1, 0}, .len = 2, .rights = ARIL_ALL, .generation = ~0ul};

	(void)argc;
	(void)argv;
	(void)envp;
	if (try("the root's capability", root) & try("the neighbour's capability", neighbour) &
	    try("its own name", CORE_DOMAIN->cap))
		core_log("%s: refused 1200 forgeries", NAME);
	struct aril_cap zero = {0};
	refused("an empty capability", aril_cap_open(&zero), ARIL_E_CAP);
	return done();
}
