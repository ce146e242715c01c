/* SPDX-License-Identifier: MIT
 * For tests that run one noun's audit through the check call: the others' stand-ins. Their own go before these where
 * they are linked. */
#ifndef HOST_AUDIT_STUBS_H
#define HOST_AUDIT_STUBS_H

#include "check.h"

#define NO_AUDIT(noun)                                                           \
	__attribute__((weak)) u64 noun##_audit(u64 from, struct aril_check *out) \
	{                                                                        \
		(void)out;                                                       \
		return from;                                                     \
	}
NO_AUDIT(frame)
NO_AUDIT(space)
NO_AUDIT(env)
NO_AUDIT(slice)
NO_AUDIT(account)
NO_AUDIT(grant)
NO_AUDIT(ring)
NO_AUDIT(wait)
NO_AUDIT(cache)
NO_AUDIT(region)
NO_AUDIT(code)

__attribute__((weak)) u32 cache_entry_frame(u64 entry)
{
	return (u32)(entry >> 12);
}

/* What the audit of a noun finds: nothing, or what begins with those words. NULL: it must find nothing. */
static inline void audit_says(u32 noun, const char *words)
{
	struct aril_check found;
	u32 auth = fake_open("", ARIL_ALL, ~0ul);

	SAME(call_check(auth, noun, 0, &found), 0);
	call_cap_close(auth);
	SAME(found.wrong != 0, words != NULL);
	if (words && strncmp(found.what, words, strlen(words))) {
		printf("expected: %s\nfound: %s\n", words, found.what);
		CHECK(!"what the audit says");
	}
}

#endif
