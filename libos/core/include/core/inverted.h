/* SPDX-License-Identifier: MIT
 * An inverted page table: an entry for each page that is there, found by hashing. Memory by the number of pages, however
 * far apart they lie. */
#ifndef CORE_INVERTED_H
#define CORE_INVERTED_H

#include <core/cached.h>

struct core_inverted_entry {
	u64 va;
	u32 frame;
	u16 flags;
	u16 used;
	u32 next; /* 1 + index; 0: the last */
	u32 zero;
};

struct core_inverted {
	u32 buckets; /* a power of two */
	u32 nentries;
	u32 *first; /* buckets: 1 + index of the first entry; zeroed by the caller */
	struct core_inverted_entry *entry; /* nentries, zeroed */
	u32 spare;			   /* where the search for a free entry goes on */
};

int core_inverted_find(const void *inverted, u64 va, struct core_translation *out);
/* 0, or -1: no entry is free. Finders on other CPUs see a whole entry or none; setters are serialised by the caller. */
int core_inverted_set(struct core_inverted *t, u64 va, u32 frame, u32 flags);
int core_inverted_clear(struct core_inverted *t, u64 va);

#endif
