/* SPDX-License-Identifier: MIT
 * PROTECT that only takes writing away (and soft bits): each page bound there has already what the new flags allow, and
 * keeps its guard and its place in the books. So nobody's leave is needed but the space's, nothing can be refused, and a
 * page costs two looks at its entry. */
#include "space.h"
#include "util.h"

/* What an entry must be, in which bits, to have all that flags allow: readable, cached memory of 4 KiB. */
static u64 wanted(u32 flags, u64 *mask)
{
	u64 soft = (u64)(flags >> 8) << 52, want = PTE_P | PTE_U | soft;

	*mask = PTE_P | PTE_U | PTE_PCD | PTE_PWT | PTE_PS | PTE_NX | soft;
	if (!(flags & ARIL_BIND_EXEC))
		want |= PTE_NX;
	if (flags & ARIL_BIND_WRITE) {
		*mask |= PTE_W;
		want |= PTE_W;
	}
	return want;
}

/* The leaf table for va, NULL where one is missing or the op is of more than one; *shared: whether a table on the way is
 * elsewhere too. */
static u64 *leaf_table(u32 root, u64 va, u32 *shared)
{
	u64 *table = frame_memory(root);

	*shared = 0;
	for (u32 shift = 39; shift > ARIL_PAGE_SHIFT; shift -= 9) {
		u64 entry = table[va >> shift & 511];
		u32 frame = (entry & PTE_ADDR) >> ARIL_PAGE_SHIFT;

		if ((entry & (PTE_P | PTE_PS | PTE_POOL)) != PTE_P)
			return NULL;
		*shared |= frames[frame].refs > 1;
		table = frame_memory(frame);
	}
	return table;
}

int space_narrow(u32 root, const struct aril_space_op *op, u32 *shared)
{
	u64 mask, want = wanted(op->flags, &mask), seen = 0;
	u32 first = op->va >> ARIL_PAGE_SHIFT & 511;

	if (op->flags & (ARIL_BIND_LARGE | ARIL_BIND_UNCACHED | ARIL_BIND_NOREAD))
		return -1;
	if (first + op->count > 512)
		return -1;
	u64 *entry = leaf_table(root, op->va, shared), *end;
	if (!entry)
		return -1;
	entry += first;
	end = entry + op->count;
#pragma GCC unroll 4
	for (u64 *e = entry; e != end; e++) {
		u64 old = read_once(*e);

		if ((old & mask) != want && old & PTE_P)
			return -1;
		seen |= old;
	}
	u64 gone = (PTE_W | PTE_SOFT) & ~want;
	if (seen & gone)
#pragma GCC unroll 4
		for (u64 *e = entry; e != end; e++)
			__atomic_and_fetch(e, ~gone, __ATOMIC_SEQ_CST);
	return !!(seen & gone & PTE_W);
}
