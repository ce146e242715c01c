/* SPDX-License-Identifier: MIT
 * What the authority tells an instance, and where an instance has what. */
#ifndef JOB_H
#define JOB_H

#include <core/ext.h>

#define IMAGE_LOW 0x400000ul /* worker.ld */
#define IMAGE_HIGH 0x5f0000ul
#define JOB_VA 0x5fc000ul
#define CONTEXT_VA 0x5fe000ul
#define REQUEST_VA 0x10000000ul
#define ARENA_VA 0x20000000ul
#define OUT_VA 0x30000000ul

struct job {
	struct aril_cap cap; /* the authority's */
	u32 loader;	     /* the env that asks */
	u32 account;
	u32 request;	      /* frame */
	u32 root;	      /* of its own space */
	u32 first, room;      /* for code and data */
	u32 free, free_count; /* the rest */
	u32 faults;	      /* faults are wanted, for a test */
};

#endif
