/* SPDX-License-Identifier: MIT
 * The short changes of bindings.
 *
 * PROTECT that only takes writing away (and soft bits): each page bound there has already what the new flags allow, and
 * keeps its guard and its place in the books. So nobody's leave is needed but the space's, nothing can be refused, and a
 * page costs two looks at its entry.
 *
 * page_protect: gives writing back too, where the binding was made with leave for it (PTE_MAY). Nothing that was bound under a
 * guard outlives it, so what the guard granted then it grants now. */
#include "account.h"
#include "arch.h"
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
	if (flags & ARIL_BIND_MAY_WRITE) {
		*mask |= PTE_MAY;
		want |= PTE_MAY;
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
#pragma GCC unroll 10
	for (u64 *e = entry; e != end; e++)
		seen |= read_once(*e) ^ want;
	if (unlikely(seen & mask)) /* not all are as wanted: those that are bound must be */
		for (u64 *e = entry; e != end; e++)
			if (read_once(*e) & PTE_P && (read_once(*e) & mask) != want)
				return -1;
	u64 gone = (PTE_W | PTE_MAY | PTE_SOFT) & ~want;
	if (seen & gone) { /* none of which is wanted: so somebody had it */
		u64 keep = ~gone;
#pragma GCC unroll 10
		for (u64 *e = entry; e != end; e++)
			__atomic_and_fetch(e, keep, __ATOMIC_SEQ_CST);
	}
	return !!(seen & gone & PTE_W);
}

/* Whether an entry may be given these flags. */
static s64 page_decode(u64 old, u32 flags)
{
	u64 new = (old & ~(PTE_W | PTE_MAY)) | flags;

	if (!(old & PTE_P) || !(old & PTE_U))
		return -ARIL_E_STATE;
	if (new & ~old &(PTE_W | PTE_MAY) && !(old & PTE_MAY))
		return -ARIL_E_RIGHTS;
	return 0;
}

/* The long way; protect.S has the short one, from the second call on. */
s64 call_page_protect(u32 auth, u32 space, u64 va, u32 flags)
{
	u64 epoch = __atomic_load_n(&authority_epoch, __ATOMIC_ACQUIRE);
	s64 error = space_allowed(auth, space);
	struct cpu *cpu = this_cpu();
	u32 shared;

	if (error)
		return error;
	if (flags & ~(ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE))
		return -ARIL_E_RANGE;
	if (va >= ARIL_USER_TOP)
		return -ARIL_E_RANGE;
	u64 *entry = leaf_table(space, va, &shared);
	if (!entry)
		return -ARIL_E_TABLE;
	entry += va >> ARIL_PAGE_SHIFT & 511;
	u64 old = read_once(*entry), new;
	error = account_flush();
	if (error)
		return error;
	error = account_work(1);
	if (error)
		return error;
	do { /* the short way takes no lock: another CPU may change these bits meanwhile */
		error = page_decode(old, flags);
		if (error)
			return error;
		new = (old & ~(PTE_W | PTE_MAY)) | flags;
	} while (!__atomic_compare_exchange_n(entry, &old, new, 0, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	if (cpu->env->space == space) {
		cpu->ctx->space = (struct space_permit){.auth = auth, .id = space, .epoch = epoch};
		account_ahead();
	}
	if (old & ~new &PTE_W && shared)
		smp_flush_all();
	else if (old & ~new &PTE_W)
		smp_flush_space(space);
	return 0;
}
