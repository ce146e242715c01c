// SPDX-License-Identifier: MIT
// Whether there is work for a processor of an ExOS family that has nothing to run (libos/exos/idle.c waits by this). The
// first page has the family's words, the others are the console's rings. value0: the place of the processor's word, and in
// its upper half what that was; value1: the place of a word that says whether output is held back, and 16 bits further up
// that of one that says whether another processor sees to the console. So most completions of output wake nobody, and
// input is taken by whoever is idle while the console's own processor computes.
#include <aril/extension.h>
#include <aril/ops.h>

static u32 word_at(const void *page, u64 place)
{
	return *(const u32 *)((const u8 *)page + (place & 4092));
}

static int completed(const struct aril_ring_page *ring)
{
	return ring->head != ring->tail;
}

SEC("predicate/idle")
u64 idle(const void *page0, const void *page1, const void *page2, u64 value0, u64 value1)
{
	if (word_at(page0, value0) != value0 >> 32)
		return 1;
	if (word_at(page0, value1 >> 16))
		return 0;
	return completed(page1) || (completed(page2) && word_at(page0, value1));
}
