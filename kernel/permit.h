/* SPDX-License-Identifier: MIT
 * What a CPU remembers of the last change to a space that was allowed, so that the next one like it needs comparisons alone. */
#ifndef KERNEL_PERMIT_H
#define KERNEL_PERMIT_H

#include <aril/cap.h>

/* `auth`, an index of the env of context `to`, opened the space `id` for WRITE: true as long as authority_epoch is what it was
 * before that was checked.
 *
 * From `region` on: the env is in that space, and the way to the 2 MiB number `region` leads through tables that have one
 * place each, to `entries`; authority_epoch rises whenever a table goes in or out anywhere, or an env changes its space.
 *
 * From `opener` on: `guard`, word by word, let the index `opener` bind under it with `flags`, which makes an entry of `bits`.
 * That follows from what the guard and the capability say, whatever frame the guard is on.
 *
 * `use` says nothing more, and names the three indices in one comparison; a slot that is freed makes authority_epoch rise.
 *
 * Read and written by its own CPU alone. */
struct space_permit {
	u32 auth, id;
	u64 epoch;
	struct context *to;
	u64 region;   /* va >> 21; NO_REGION */
	u64 *entries; /* known to protect.S, down to here */
	u64 *shadow;
	u32 leaf;	   /* the books' name of entries[0] */
	u32 opener, flags; /* opener 0: none */
	u64 bits;
	u64 guard[6];
	u64 use; /* the slot of code whose handler has these for its space and its frames (code.h); 0: none is known */
};

#define NO_REGION ~0ul
#define REGION_SHIFT 21

#endif
