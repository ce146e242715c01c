/* SPDX-License-Identifier: MIT
 * Software caching: see cache.h.
 *
 * Invariants. (1) frames[level 2 table].tag and frames[STLB].tag name the CACHE frame; the root's shadow words from
 * ROOT_WORDS on name the space's caches. (2) The cache's lock guards STLB entries, the level 2 table and the tables
 * below it; changes of an STLB entry's binding need object_lock too. Who holds the cache's lock waits for nobody and
 * does not poll: so a fault may find it taken, and is simply repeated, and others spin for it without polling. (3)
 * A pool table is written by faults only while the level 2 table names it. (4) A fault that began before `dying` was
 * set is through when smp_quiesce returns. */
#include "cache.h"
#include "account.h"
#include "arch.h"
#include "env.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

#define COPY_OPS 16

/* Error code of a page fault. */
#define FAULT_WRITE 0x2u
#define FAULT_FETCH 0x10u
#define FAULT_KEY 0x20u

#define STLB_FRAME ((u64)(ARIL_MAX_FRAMES - 1) << ARIL_PAGE_SHIFT)
#define STLB_SAME (PTE_P | PTE_W | PTE_GUARD1 | PTE_NX) /* as in the page table */

static inline u64 *entries(u32 table)
{
	return frame_memory(table);
}

static inline u32 pte_frame(u64 entry)
{
	return (entry & PTE_ADDR) >> ARIL_PAGE_SHIFT;
}

u32 cache_entry_frame(u64 entry)
{
	return (entry & STLB_FRAME) >> ARIL_PAGE_SHIFT;
}

static void cache_take(struct cache *c)
{
	while (__atomic_exchange_n(&c->taken, 1, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

static void cache_drop(struct cache *c)
{
	__atomic_store_n(&c->taken, 0, __ATOMIC_RELEASE);
}

/* A page's number in the cached part, 0..2^18-1. */
static inline u32 page_of(u64 va)
{
	return (va & (ARIL_CACHE_BYTES - 1)) >> ARIL_PAGE_SHIFT;
}

/* The binding id of the entry where this page must be. */
static inline u32 id_of(const struct cache *c, u32 page)
{
	return c->stlb_first * CACHE_ENTRIES + (page & ((1u << c->index_bits) - 1));
}

static inline u64 *entry_of(u32 id)
{
	return &entries(id / CACHE_ENTRIES)[id % CACHE_ENTRIES];
}

u32 cache_entry_page(const struct cache *c, u32 id, u64 entry)
{
	u32 above = entry >> CACHE_TAG_SHIFT & ((1u << CACHE_TAG_BITS) - 1);

	return above << c->index_bits | (id - c->stlb_first * CACHE_ENTRIES);
}

static inline int holds(const struct cache *c, u32 id, u32 page)
{
	u64 entry = *entry_of(id);

	return entry & PTE_P && cache_entry_page(c, id, entry) == page;
}

/* The page-table entry for a page; NULL: no pool table is there for it. */
static u64 *pte_of(const struct cache *c, u32 page)
{
	u64 above = entries(c->level2)[page / CACHE_ENTRIES];

	return above & PTE_P ? &entries(pte_frame(above))[page % CACHE_ENTRIES] : NULL;
}

u64 cache_entry_pte(u64 entry)
{
	return (u64)cache_entry_frame(entry) << ARIL_PAGE_SHIFT | (entry & STLB_SAME) | PTE_U;
}

static u64 entry_make(const struct cache *c, u32 page, u32 frame, u32 flags, u32 guard)
{
	u64 entry = (u64)frame << ARIL_PAGE_SHIFT | PTE_P |
		    (u64)(page >> c->index_bits) << CACHE_TAG_SHIFT;

	if (guard)
		entry |= PTE_GUARD1;
	if (flags & ARIL_BIND_WRITE)
		entry |= PTE_W;
	if (!(flags & ARIL_BIND_EXEC))
		entry |= PTE_NX;
	return entry;
}

struct cache *cache_of(u32 root, u64 va)
{
	const u64 *entry = space_entry(root, va, 3);

	if (!entry || !(*entry & PTE_P))
		return NULL;
	const struct aril_frame *level2 = &frames[pte_frame(*entry)];
	return level2->flags & ARIL_FRAME_CACHED ? frame_memory(level2->tag) : NULL;
}

/* Every CPU that may have used the cached part's page tables. */
static void cache_flush(const struct cache *c)
{
	u32 level3 = frames[c->level2].head / CACHE_ENTRIES;

	if (frames[c->level2].refs == 1 && frames[level3].refs == 1 &&
	    frames[level3].head / CACHE_ENTRIES == c->seen.space)
		smp_flush_space(c->seen.space);
	else
		smp_flush_all();
}

/* --- faults --- */

enum { MISS = 0, SERVED = 1, NO_TABLE = 2 };

/* Under the cache's lock. */
static int cache_serve(struct cache *c, u32 page, u64 error)
{
	u32 id = id_of(c, page);
	u64 entry = *entry_of(id);

	if (!holds(c, id, page) || (error & FAULT_WRITE && !(entry & PTE_W)) ||
	    (error & FAULT_FETCH && entry & PTE_NX)) {
		c->seen.misses++;
		return MISS;
	}
	u64 *pte = pte_of(c, page);
	if (!pte)
		return NO_TABLE;
	if (!(*pte & PTE_P)) { /* else another CPU was first, or this one had an old translation */
		write_once(*pte, cache_entry_pte(entry));
		c->seen.hits++;
	}
	return SERVED;
}

/* Takes a pool table out of its place. Nobody writes it from then on; what the CPUs noted in it goes to the STLB. */
static void table_withdraw(struct cache *c, u32 n)
{
	u32 at = c->place[n] - 1;
	u64 *table = entries(c->table_first + n);

	if (!c->place[n])
		return;
	cache_take(c);
	write_once(entries(c->level2)[at], 0);
	c->place[n] = 0;
	cache_drop(c);
	cache_flush(c);
	cache_take(c);
	for (u32 i = 0; i < CACHE_ENTRIES; i++) {
		u64 old = table[i];

		table[i] = 0;
		if (old & PTE_P)
			*entry_of(id_of(c, at * CACHE_ENTRIES + i)) |= old & (PTE_A | PTE_D);
	}
	cache_drop(c);
	c->seen.evictions++;
}

/* The next pool table becomes the one for this page, out of its place if it has one. */
static void table_place(struct cache *c, u32 page, u64 error)
{
	u32 n = c->next;

	c->next = n + 1 < c->seen.ntables ? n + 1 : 0;
	table_withdraw(c, n);
	cache_take(c);
	c->place[n] = page / CACHE_ENTRIES + 1;
	write_once(entries(c->level2)[page / CACHE_ENTRIES],
		   (u64)(c->table_first + n) << ARIL_PAGE_SHIFT | PTE_POOL | PTE_P | PTE_W | PTE_U);
	cache_serve(c, page, error);
	cache_drop(c);
}

/* No table is there for va: puts the next one there; SERVED. All is looked at anew under object_lock; where something
 * changed meanwhile, the fault is repeated. MISS: that needs a shoot-down, and the slice's are spent. */
static int cache_refill(u64 va, u64 error)
{
	int answer = SERVED;

	lock_take(&object_lock);
	const struct env *env = this_cpu()->env;
	if (!env) { /* it was ended while it waited */
		lock_drop(&object_lock);
		slice_next();
	}
	struct cache *c = cache_of(env->space, va);
	u32 page = page_of(va);
	if (c && c->seen.space == env->space && !c->dying && holds(c, id_of(c, page), page) &&
	    !pte_of(c, page)) {
		if (c->place[c->next] && account_flush())
			answer = MISS;
		else
			table_place(c, page, error);
	}
	lock_drop(&object_lock);
	return answer;
}

int cache_fault(u64 va, u64 error)
{
	u32 root = read_once(this_cpu()->env->space);
	struct cache *c = va < ARIL_USER_TOP ? cache_of(root, va) : NULL;

	if (!c || c->seen.space != root || read_once(c->dying) || error & FAULT_KEY)
		return MISS;
	if (__atomic_exchange_n(&c->taken, 1, __ATOMIC_ACQUIRE))
		return SERVED; /* by repeating it */
	int answer = cache_serve(c, page_of(va), error);
	cache_drop(c);
	return answer == NO_TABLE ? cache_refill(va, error) : answer;
}

/* --- changes, under object_lock --- */

/* Clears an entry and what caches it. Returns the old one, as the CPUs left it; *stale where a CPU may have it. */
static u64 entry_clear(struct cache *c, u32 id, int *stale)
{
	u64 old, *pte;

	cache_take(c);
	old = *entry_of(id);
	pte = old & PTE_P ? pte_of(c, cache_entry_page(c, id, old)) : NULL;
	*entry_of(id) = 0;
	if (pte) {
		u64 was = __atomic_exchange_n(pte, 0, __ATOMIC_SEQ_CST);

		old |= was & (PTE_A | PTE_D);
		*stale |= was & PTE_P;
	}
	cache_drop(c);
	return old;
}

u64 cache_entry_clear(u32 id)
{
	int stale;

	return entry_clear(frame_memory(frames[id / CACHE_ENTRIES].tag), id, &stale);
}

void cache_entry_remove(struct cache *c, u32 id, int *stale)
{
	u64 old = entry_clear(c, id, stale);

	if (old & PTE_P)
		space_books(id, cache_entry_frame(old), 0, 0);
}

static void entry_bind(struct cache *c, u32 page, u64 new, int *stale)
{
	u32 id = id_of(c, page);

	if (*entry_of(id) & PTE_P && !holds(c, id, page))
		c->seen.conflicts++;
	cache_entry_remove(c, id, stale);
	space_books(id, cache_entry_frame(new), 1, !!(new &PTE_GUARD1));
	cache_take(c);
	*entry_of(id) = new;
	u64 *pte = pte_of(c, page);
	if (pte) /* what is bound is about to be used: spares it a fault */
		write_once(*pte, cache_entry_pte(new));
	cache_drop(c);
}

/* New flags for an entry that holds this page; accessed and dirty bits stay. */
static void entry_protect(struct cache *c, u32 page, u32 flags, u32 guard, int *stale)
{
	u32 id = id_of(c, page);

	cache_take(c);
	u64 old = *entry_of(id);
	u32 frame = cache_entry_frame(old);
	u64 new = entry_make(c, page, frame, flags, guard) | (old & (PTE_A | PTE_D));
	u64 *pte = pte_of(c, page);
	*entry_of(id) = new;
	if (pte && *pte & PTE_P) {
		u64 was = read_once(*pte);

		while (!__atomic_compare_exchange_n(pte, &was,
						    cache_entry_pte(new) | (was & (PTE_A | PTE_D)),
						    0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		*stale |= (was & ~new &PTE_W) || (new & ~was &PTE_NX);
	}
	cache_drop(c);
	if ((old ^ new) & PTE_GUARD1) {
		space_books(id, frame, 0, 0);
		space_books(id, frame, 1, guard);
	}
}

/* A decoded op's second half: which guard opened each of its frames. */
static u8 opened_by[ARIL_OP_PAGES];

static s64 pages_decode(const struct cache *c, const struct aril_space_op *op)
{
	const struct auth *a = auth_get(this_cpu()->env, op->auth);

	if (!a)
		return -ARIL_E_CAP;
	for (u32 i = 0; i < op->count; i++) {
		u32 frame = op->frame + i, page = page_of(op->va) + i, id = id_of(c, page);

		if (op->kind == ARIL_PROTECT && !holds(c, id, page))
			continue;
		if (op->kind == ARIL_PROTECT)
			frame = cache_entry_frame(*entry_of(id));
		if (frame >= nframes || frames[frame].state == ARIL_FRAME_ABSENT) /* a device's */
			return -ARIL_E_FRAME;
		s64 guard = space_frame_decode(frame, a, op->flags);
		if (guard < 0)
			return guard;
		opened_by[i] = guard;
	}
	return 0;
}

static s64 op_decode(u32 space, const struct aril_space_op *op, struct cache **cache)
{
	u64 last = op->va + (u64)op->count * ARIL_PAGE_SIZE - 1;

	if (op->kind != ARIL_BIND && op->kind != ARIL_UNBIND && op->kind != ARIL_PROTECT)
		return -ARIL_E_RANGE;
	if (op->flags & ~(ARIL_BIND_WRITE | ARIL_BIND_EXEC))
		return -ARIL_E_RANGE;
	if (!op->count)
		return -ARIL_E_RANGE;
	if (op->count > ARIL_OP_PAGES)
		return -ARIL_E_RANGE;
	if (op->va % ARIL_PAGE_SIZE)
		return -ARIL_E_RANGE;
	if (op->va > ARIL_USER_TOP - op->count * (u64)ARIL_PAGE_SIZE) /* its last page: never */
		return -ARIL_E_RANGE;
	if (op->va / ARIL_CACHE_BYTES != last / ARIL_CACHE_BYTES)
		return -ARIL_E_RANGE;
	*cache = cache_of(space, op->va);
	if (!*cache)
		return -ARIL_E_RANGE;
	if ((*cache)->seen.space != space)
		return -ARIL_E_RANGE;
	if ((*cache)->dying)
		return -ARIL_E_RANGE;
	s64 error = account_work(op->count);
	if (error)
		return error;
	return op->kind == ARIL_UNBIND ? 0 : pages_decode(*cache, op);
}

static void op_do(struct cache *c, const struct aril_space_op *op, int *stale)
{
	for (u32 i = 0; i < op->count; i++) {
		u32 page = page_of(op->va) + i, id = id_of(c, page);

		if (op->kind == ARIL_BIND)
			entry_bind(c, page,
				   entry_make(c, page, op->frame + i, op->flags, opened_by[i]),
				   stale);
		else if (!holds(c, id, page))
			continue;
		else if (op->kind == ARIL_UNBIND)
			cache_entry_remove(c, id, stale);
		else
			entry_protect(c, page, op->flags, opened_by[i], stale);
	}
}

s64 call_cache_update(u32 auth, u32 space, const struct aril_space_op *ops, u64 n)
{
	struct aril_space_op copy[COPY_OPS];
	struct cache *c = NULL, *last = NULL;
	int stale = 0, several = 0;
	u32 pages = 0;
	u64 done;

	s64 error = space_allowed(auth, space);
	if (error)
		return error;
	if (!n)
		return -ARIL_E_RANGE;
	if (n > ARIL_OP_PAGES)
		return -ARIL_E_RANGE;
	error = account_flush(); /* refused: the first op is not begun */
	for (done = 0; done < n; done++) {
		const struct aril_space_op *op = &copy[done % COPY_OPS];
		u64 bytes = min(n - done, (u64)COPY_OPS) * sizeof(*op);

		if (done % COPY_OPS == 0 && copy_from_user(copy, &ops[done], bytes))
			error = -ARIL_E_ADDR;
		if (!error)
			error = op_decode(space, op, &c);
		if (error)
			break;
		pages += op->count;
		if (pages > ARIL_BATCH_PAGES)
			break;
		several |= last && last != c;
		last = c;
		op_do(c, op, &stale);
	}
	if (stale && several)
		smp_flush_all();
	else if (stale)
		cache_flush(last);
	return done ? (s64)done : error;
}
