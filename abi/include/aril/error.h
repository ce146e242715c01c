/* SPDX-License-Identifier: MIT
 * What a kernel call returns when it refuses: one meaning each. Calls return a value >= 0 or -E. */
#ifndef ARIL_ERROR_H
#define ARIL_ERROR_H

enum aril_error {
	ARIL_E_CALL = 1, /* no kernel call has this number */
	ARIL_E_CAP = 2,	 /* the capability is forged, altered or malformed, or the index is stale */
	ARIL_E_RIGHTS = 3,  /* the authority named does not open this object, or not for this use */
	ARIL_E_FRAME = 4,   /* no such frame */
	ARIL_E_STATE = 5,   /* the object's state forbids it: pinned, bound, retyped */
	ARIL_E_RANGE = 6,   /* an argument is outside what the call accepts */
	ARIL_E_ADDR = 7,    /* not a user address, or not bound as needed */
	ARIL_E_QUOTA = 8,   /* a quota or a fixed table is used up */
	ARIL_E_ENV = 9,	    /* no such env, or it is dead */
	ARIL_E_CPU = 10,    /* no such CPU, or the env has no context there */
	ARIL_E_AGAIN = 11,  /* some work was done and more remains: call again */
	ARIL_E_CLOSED = 12, /* the callee has closed its gate, or is in the middle of other work */
	ARIL_E_TABLE = 13,  /* a page table on the way is missing (or already there) */
	ARIL_E_VALUE = 14,  /* wait: the word differs from the expected value */
	ARIL_E_DEVICE = 15, /* the device is absent, broken, or not of the kind named */
	ARIL_E_FULL = 16,   /* ring: no room for another request or completion */
};

#endif
