/* SPDX-License-Identifier: MIT
 * Another env of the same program: in a space of its own, made of frames of an account of its own, with a copy of the
 * parent's data and a domain page that describes it. It begins in main, with the arguments that it is given.
 *
 * Its name is its parent's and a number: what it has, its parent may take, but no other child may touch. It has no
 * console: core_write goes to the log, where the parent may use that. */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include <core/map.h>
#include <core/native.h>

struct core_child {
	/* set by the caller */
	u32 number;	     /* below 256: makes its name */
	u32 account;	     /* its own, with room for the frames; its guard core_child_guard's */
	u32 cpu;	     /* the one on which it has a context */
	struct core_run run; /* its frames: charged to its account, with that guard, unbound */
	const char *args;    /* main's, each ended by NUL */
	u32 args_bytes;	     /* at most a page */
	/* set by core_child_make */
	u32 env;
	struct core_space space; /* its pool is what is left of the run, until it starts */
	struct core_pool pool;
	struct core_run left;
};

/* The guard of what such a child has: all rights for its name. */
struct aril_guard core_child_guard(u32 number);
/* Builds all but its domain page, so that the caller may bind more in child->space, from its pool. 0 or a refusal. */
s64 core_child_make(struct core_child *child);
/* Tells it what it has, and marks what it is made of KEEP, as far as its account's reserve goes. It runs when
 * somebody gives it a slice. 0 or a refusal. */
s64 core_child_start(struct core_child *child);

#endif
