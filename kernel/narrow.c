/* SPDX-License-Identifier: MIT
 * The short changes of bindings.
 *
 * PROTECT that only takes writing away (and soft bits): each page bound there has already what the new flags allow, and
 * keeps its guard and its place in the books. So nobody's leave is needed but the space's, nothing can be refused, and a
 * page costs two looks at its entry. PROTECT that gives writing back to pages that were bound with leave for it (PTE_MAY), the
 * same.
 *
 * page_protect: gives writing back too, where the binding was made with leave for it (PTE_MAY). Nothing that was bound under a
 * guard outlives it, so what the guard granted then it grants now.
 *
 * page_bind, page_unbind: one page's. The short ways of all three do what this CPU's permit (permit.h) covers; whatever they
 * find otherwise goes to the call itself, the long way, which notes the next permit. */
#include "account.h"
#include "arch.h"
#include "call_handlers.h"
#include "code_functions.h"
#include "env.h"
#include "lock.h"
#include "space.h"
#include "util.h"

/* What an entry must be, in which bits, to have all that flags allow: readable, cached memory of 4 KiB. */
static u64 wanted(u32 flags, u64 *mask)
{
	u64 soft = (u64)(flags >> 8) << 52, want = PTE_P | PTE_U | soft; /* and the key */

	*mask = PTE_P | PTE_U | PTE_PCD | PTE_PWT | PTE_PS | PTE_KEY | PTE_NX | soft;
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

/* The leaf table for va, 0 where one is missing; *shared: whether a table on the way is elsewhere too. */
static inline u32 leaf_table(u32 root, u64 va, u32 *shared)
{
	u32 frame = root;

	*shared = 0;
	for (u32 shift = 39; shift > ARIL_PAGE_SHIFT; shift -= 9) {
		u64 entry = ((u64 *)frame_memory(frame))[va >> shift & 511];

		if ((entry & (PTE_P | PTE_PS | PTE_POOL)) != PTE_P)
			return 0;
		frame = (entry & PTE_ADDR) >> ARIL_PAGE_SHIFT;
		*shared |= frames[frame].refs > 1;
	}
	return frame;
}

/* Whether each page that is bound there is as wanted, in the bits of mask. */
static int entries_are(const u64 *entry, const u64 *end, u64 want, u64 mask)
{
	for (const u64 *e = entry; e != end; e++)
		if (read_once(*e) & PTE_P && (read_once(*e) ^ want) & mask)
			return 0;
	return 1;
}

/* Gives writing to what is bound with leave for it. page_protect's short way takes no lock: the leave may go meanwhile. */
static void entries_widen(u64 *entry, const u64 *end, u64 gone)
{
	for (u64 *e = entry; e != end; e++) {
		u64 old = read_once(*e);

		while (likely((~old & (PTE_P | PTE_MAY)) == 0) &&
		       unlikely(!__atomic_compare_exchange_n(e, &old, (old | PTE_W) & ~gone, 0,
							     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)))
			;
	}
}

int space_narrow(u32 root, const struct aril_space_op *op, u32 *shared)
{
	u64 mask, want = wanted(op->flags, &mask), seen = 0;
	u32 first = op->va >> ARIL_PAGE_SHIFT & 511;

	if (op->flags & (ARIL_BIND_LARGE | ARIL_BIND_UNCACHED | ARIL_BIND_NOREAD))
		return -1;
	if (first + op->count > 512)
		return -1;
	u32 leaf = leaf_table(root, op->va, shared);
	if (!leaf)
		return -1;
	u64 *entry = (u64 *)frame_memory(leaf) + first, *end = entry + op->count;
#pragma GCC unroll 10
	for (u64 *e = entry; e != end; e++)
		seen |= read_once(*e) ^ want;
	if (seen & mask & PTE_W && want & PTE_MAY) {
		if (seen & mask & ~PTE_W && !entries_are(entry, end, want, mask & ~PTE_W))
			return -1;
		entries_widen(entry, end, PTE_SOFT & ~want);
		return 0;
	}
	if (unlikely(seen & mask) && !entries_are(entry, end, want, mask))
		return -1; /* not all that are bound are as wanted */
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

/* Lets the short ways go there, if the env is in that space and nobody else sees its tables; and without asking for
 * each unit of work. */
static void permit_way(u32 space, u64 va)
{
	struct cpu *cpu = this_cpu();
	struct space_permit *p = &cpu->permit;
	u32 shared, leaf = leaf_table(space, va, &shared);

	if (!leaf || shared || cpu->env->space != space)
		return;
	p->region = va >> REGION_SHIFT;
	p->entries = frame_memory(leaf);
	p->shadow = frame_memory(frames[leaf].partner);
	p->leaf = leaf * 512;
	account_ahead();
}

/* The long way; protect.S has the short one, from the second call on. */
s64 call_page_protect(u32 auth, u32 space, u64 va, u32 flags)
{
	s64 error = space_allowed(auth, space);
	u32 shared;

	if (error)
		return error;
	if (flags & ~(ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE))
		return -ARIL_E_RANGE;
	if (va >= ARIL_USER_TOP)
		return -ARIL_E_RANGE;
	u32 leaf = leaf_table(space, va, &shared);
	if (!leaf)
		return -ARIL_E_TABLE;
	u64 *entry = (u64 *)frame_memory(leaf) + (va >> ARIL_PAGE_SHIFT & 511);
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
	permit_way(space, va);
	if (old & ~new &PTE_W && shared)
		smp_flush_all();
	else if (old & ~new &PTE_W)
		smp_flush_space(space);
	return 0;
}

/* --- page_bind, page_unbind */

s64 call_page_bind(u32 auth, u32 space, u64 va, u32 frame, u32 flags, u32 opener)
{
	struct aril_space_op op = {.va = va & ~(ARIL_PAGE_SIZE - 1),
				   .frame = frame,
				   .count = 1,
				   .kind = ARIL_BIND,
				   .flags = flags,
				   .auth = opener};
	struct space_permit *p = &this_cpu()->permit;
	s64 error = space_allowed(auth, space);

	if (error)
		return error;
	if (flags & (ARIL_BIND_LARGE | ~0xfffffful))
		return -ARIL_E_RANGE;
	s64 guard = space_change(space, &op);
	if (guard < 0)
		return guard;
	permit_way(space, va);
	if (guard || frame >= nframes || !frames[frame].guard[0].rights)
		return 0; /* not by the first guard: by the second, a grant of device memory, or as root */
	p->use = 0;
	p->opener = opener;
	p->flags = flags;
	p->bits = space_entry_bits(flags);
	__builtin_memcpy(p->guard, &frames[frame].guard[0], sizeof(p->guard));
	return 0;
}

s64 call_page_unbind(u32 auth, u32 space, u64 va)
{
	struct aril_space_op op = {
		.va = va & ~(ARIL_PAGE_SIZE - 1), .count = 1, .kind = ARIL_UNBIND};
	s64 error = space_allowed(auth, space);

	if (error)
		return error;
	error = space_change(space, &op);
	if (error)
		return error;
	permit_way(space, va);
	return 0;
}

/* Whether a permit covers changes of that page. Under object_lock, under which whatever ends a permit's truth about
 * tables is done. */
static inline int permit_covers(const struct space_permit *p, const struct context *ctx, u32 auth,
				u32 space, u64 va)
{
	return p->auth == auth && p->id == space && p->to == ctx &&
	       p->epoch == read_once(authority_epoch) && p->region == va >> REGION_SHIFT;
}

/* Whether a frame of ordinary memory, in order, may be bound by the permit. */
static inline int permit_opens(const struct space_permit *p, const struct aril_frame *f, u32 flags,
			       u32 opener)
{
	if (p->opener != opener || p->flags != flags)
		return 0;
	return frame_ordinary(f, p->guard);
}

/* The end of either where the frame has other bindings. */
static __attribute__((noinline)) s64 books_and_drop(u32 id, u32 frame, int add)
{
	space_books(id, frame, add, 0);
	lock_drop(&object_lock);
	return 0;
}

/* What was bound: its name in the books, its shadow word, its frame. */
struct bound {
	u32 id;
	u32 *word;
	struct aril_frame *frame;
};

/* Binds the page if the permit covers it and nothing is there, but for the books: 1, or 0 and nothing was done. Under
 * object_lock. */
static inline __attribute__((always_inline)) int
bind_by_permit(u32 auth, u32 space, u64 va, u32 frame, u32 flags, u32 opener, struct bound *b)
{
	struct cpu *cpu = this_cpu();
	const struct space_permit *p = &cpu->permit;
	struct context *ctx = cpu->ctx;
	u32 index = va >> ARIL_PAGE_SHIFT & 511;

	if (unlikely(!permit_covers(p, ctx, auth, space, va) || frame >= nframes))
		return 0;
	b->frame = &frames[frame];
	u64 *entry = &p->entries[index];
	if (unlikely(!permit_opens(p, b->frame, flags, opener) || *entry & PTE_P ||
		     --ctx->spare < 0))
		return 0;
	b->word = (u32 *)&p->shadow[index];
	b->id = index + p->leaf;
	write_once(*entry, p->bits | (u64)frame << ARIL_PAGE_SHIFT);
	return 1;
}

/* The books of a frame's first binding. */
static inline void books_first(const struct bound *b)
{
	b->word[0] = b->id;
	b->word[1] = b->id;
	b->frame->refs = 1;
	b->frame->head = b->id;
	b->frame->flags |= ARIL_FRAME_USED;
}

s64 space_bind_page(u32 auth, u32 space, u64 va, u32 frame, u32 flags, u32 opener)
{
	struct bound b;

	if (unlikely(!bind_by_permit(auth, space, va, frame, flags, opener, &b)))
		return call_page_bind(auth, space, va, frame, flags, opener);
	if (unlikely(b.frame->head))
		space_books(b.id, frame, 1, 0);
	else
		books_first(&b);
	return 0;
}

/* Whether the permit is of that use, and for that page, and opens that frame, which nothing names so far. */
static inline __attribute__((always_inline)) int
handler_may(const struct space_permit *p, u64 use, u64 va, const struct aril_frame *f, u64 flags)
{
	const u64 *guard = (const u64 *)&f->guard[0];

	if (p->use != use || p->epoch != read_once(authority_epoch) ||
	    p->region != va >> REGION_SHIFT || p->flags != flags)
		return 0;
	if (*(const u32 *)&f->state & FRAME_CONDITION || f->head)
		return 0;
#pragma GCC unroll 6
	for (u32 i = 0; i < FRAME_GUARD_WORDS; i++)
		if (p->guard[i] != guard[i])
			return 0;
	return 1;
}

/* What it has in common with bind_by_permit is written out: each instruction is one of a page fault's. */
u64 page_bind_handler(u64 va, u64 frame, u64 flags, u64 d, u64 e, struct ext_run *run)
{
	struct cpu *cpu = this_cpu();
	const struct space_permit *p = &cpu->permit;

	(void)d, (void)e;
	if (likely(lock_try(&object_lock))) {
		struct aril_frame *f = &frames[frame];

		if (likely(frame < nframes && handler_may(p, run->env[RUN_USE], va, f, flags))) {
			u64 index = va >> ARIL_PAGE_SHIFT & 511, *entry = &p->entries[index];

			if (likely(!(*entry & PTE_P) && --cpu->ctx->spare >= 0)) {
				u64 id = index + p->leaf;
				u32 *word = (u32 *)&p->shadow[index];

				write_once(*entry, p->bits | frame << ARIL_PAGE_SHIFT);
				word[0] = (u32)id;
				word[1] = (u32)id;
				f->refs = 1;
				f->head = (u32)id;
				f->flags |= ARIL_FRAME_USED;
				lock_drop(&object_lock);
				return 0;
			}
		}
		lock_drop(&object_lock);
	}
	return code_bind(va, frame, flags, 0, 0, run);
}

s64 page_bind_short(u32 auth, u32 space, u64 va, u32 frame, u32 flags, u32 opener)
{
	struct bound b;

	if (likely(lock_try(&object_lock))) {
		if (likely(bind_by_permit(auth, space, va, frame, flags, opener, &b))) {
			if (unlikely(b.frame->head))
				return books_and_drop(b.id, frame, 1);
			books_first(&b);
			lock_drop(&object_lock);
			return 0;
		}
		lock_drop(&object_lock);
	}
	return call_table[ARIL_CALL_PAGE_BIND_INDEX](auth, space, va, frame, flags, opener);
}

/* The frame of which an entry is a binding, or NULL. An empty entry names frame 0, which has none, and device memory has no
 * list here. */
static inline struct aril_frame *frame_bound(u64 entry)
{
	u64 frame = (entry & PTE_ADDR) >> ARIL_PAGE_SHIFT;

	return frame < nframes && frames[frame].refs ? &frames[frame] : NULL;
}

/* Only while there is no other CPU to tell. */
s64 page_unbind_short(u32 auth, u32 space, u64 va)
{
	struct cpu *cpu = this_cpu();
	const struct space_permit *p = &cpu->permit;

	if (likely(ncpus == 1 && lock_try(&object_lock))) {
		struct context *ctx = cpu->ctx;
		u32 index = va >> ARIL_PAGE_SHIFT & 511;

		if (likely(permit_covers(p, ctx, auth, space, va))) {
			u64 *entry = &p->entries[index];
			struct aril_frame *f = frame_bound(*entry);

			if (likely(f && --ctx->spare >= 0)) {
				write_once(*entry, 0);
				arch_flush_page(va);
				if (unlikely(f->refs > 1))
					return books_and_drop(p->leaf + index, f - frames, 0);
				p->shadow[index] = 0;
				f->refs = 0;
				f->head = 0;
				lock_drop(&object_lock);
				return 0;
			}
		}
		lock_drop(&object_lock);
	}
	return call_table[ARIL_CALL_PAGE_UNBIND_INDEX](auth, space, va, 0, 0, 0);
}
