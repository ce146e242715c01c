/* SPDX-License-Identifier: MIT
 * The engine's memory: taken from the front, given back as a whole by its owner. */
#include <ext.h>

void *ext_alloc(struct ext_arena *a, u64 bytes)
{
	u64 *word;

	if (bytes > ~0ul - 7 || a->used > a->size)
		return 0;
	bytes = (bytes + 7) & ~7ul;
	if (bytes > a->size - a->used)
		return 0;
	word = (u64 *)(void *)(a->base + a->used);
	a->used += bytes;
	for (u64 i = 0; i < bytes / 8; i++)
		word[i] = 0;
	return word;
}
