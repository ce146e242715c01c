/* SPDX-License-Identifier: MIT
 * Capabilities and guards: who may do what, as plain bytes. */
#ifndef ARIL_CAP_H
#define ARIL_CAP_H

#include <aril/types.h>

#define ARIL_NAME_MAX 32

enum aril_right {
	ARIL_READ = 1,	/* bind readable; wait on; read from a device into is WRITE */
	ARIL_WRITE = 2, /* bind writable; of a space: change its bindings */
	ARIL_EXEC = 4,	/* bind executable */
	ARIL_OWN = 8,	/* change guards and tag, retype, destroy */
	ARIL_RUN = 16,	/* of an env: yield to it, give it contexts; of a space: run envs in it;
	                    of a slice: assign it */
	ARIL_CALL = 32, /* of an env: enter its gate */
	ARIL_ALL = 63,
};

/* A signed principal name. Bytes: to hold them is to have the authority. A name dominates every
 * name of which it is a prefix; the empty name dominates all. name[len..] must be zero. */
struct aril_cap {
	u8 name[ARIL_NAME_MAX];
	u8 len;
	u8 zero[3];
	u32 rights;
	u64 generation;
	u64 mac[2]; /* SipHash-2-4-128 over the 48 bytes above, under a key drawn at boot */
};
ARIL_ASSERT_SIZE(struct aril_cap, 64);
ARIL_ASSERT_OFFSET(struct aril_cap, mac, 48);

/* What an object asks of those who use it. Opened by an authority whose name is a prefix of this
 * name, whose generation is not older, and for the rights that both grant. rights == 0: unused.
 * An object with no guard in use answers to the empty name alone. */
struct aril_guard {
	u8 name[ARIL_NAME_MAX];
	u8 len;
	u8 zero[3];
	u32 rights;
	u64 generation;
};
ARIL_ASSERT_SIZE(struct aril_guard, 48);

#endif
