/* SPDX-License-Identifier: MIT
 * A linear page table. Word: bit 63 there, 32..47 flags, 0..31 frame. */
#include <aril/layout.h>
#include <core/linear.h>

#define THERE (1ul << 63)

static u64 *word_of(const struct core_linear *t, u64 va)
{
	u64 page = (va - t->va) >> ARIL_PAGE_SHIFT;

	return page < t->npages ? &t->word[page] : (u64 *)0;
}

int core_linear_find(const void *linear, u64 va, struct core_translation *out)
{
	const u64 *at = word_of(linear, va);
	u64 word = at ? __atomic_load_n(at, __ATOMIC_RELAXED) : 0;

	if (!(word & THERE))
		return 0;
	out->frame = (u32)word;
	out->flags = (u32)(word >> 32) & 0xffff;
	return 1;
}

int core_linear_set(struct core_linear *t, u64 va, u32 frame, u32 flags)
{
	u64 *at = word_of(t, va);

	if (!at)
		return -1;
	__atomic_store_n(at, THERE | (u64)flags << 32 | frame, __ATOMIC_RELAXED);
	return 0;
}

int core_linear_clear(struct core_linear *t, u64 va)
{
	u64 *at = word_of(t, va);

	if (!at)
		return -1;
	__atomic_store_n(at, 0, __ATOMIC_RELAXED);
	return 0;
}
