/* SPDX-License-Identifier: MIT
 * A linear page table: a word for each page of a range. One load to look up; memory by the size of the range. */
#ifndef CORE_LINEAR_H
#define CORE_LINEAR_H

#include <core/cached.h>

struct core_linear {
	u64 va; /* of the range */
	u32 npages;
	u64 *word; /* npages, zeroed by the caller */
};

int core_linear_find(const void *linear, u64 va, struct core_translation *out);
/* 0, or -1: outside the range. One store: finders on other CPUs see the old or the new. */
int core_linear_set(struct core_linear *t, u64 va, u32 frame, u32 flags);
int core_linear_clear(struct core_linear *t, u64 va);

#endif
