/* SPDX-License-Identifier: MIT
 * Bindings: page-table entries, the books behind them, and the batched call that changes them.
 *
 * Invariants, under object_lock. (1) Entry present <=> its shadow word is in the list of the frame it names,
 * and frames[].refs counts that list; device memory's list is that of its grant. (2) A leaf entry allows no more than the
 * guard that its GUARD1 bit names granted when it was made or last changed. (3) A table of level n is named
 * only by tables of level n+1: so there are no cycles. (4) An entry that was present and is removed or
 * narrowed makes `stale`, and no call returns before a stale translation is gone from every CPU. */
#include "space.h"
#include "account.h"
#include "arch.h"
#include "cache.h"
#include "env.h"
#include "grant.h"
#include "util.h"

#define ENTRIES 512

u32 space_keys;
#define COPY_OPS 16

static inline u64 *entries(u32 table)
{
	return frame_memory(table);
}

static inline u32 entry_frame(u64 entry)
{
	return (entry & PTE_ADDR) >> ARIL_PAGE_SHIFT;
}

static inline u32 entry_index(u64 va, u32 level)
{
	return va >> (ARIL_PAGE_SHIFT + 9 * (level - 1)) & (ENTRIES - 1);
}

/* The table of that level on the way to va; 0: missing, or a cache's (cache.c): that is no place for bindings. */
static u32 table_for(u32 root, u64 va, u32 level)
{
	u32 table = root;

	for (u32 l = 4; l > level; l--) {
		u64 entry = entries(table)[entry_index(va, l)];

		/* none, a frame of 2 MiB, or a cache's table */
		if ((entry & (PTE_P | PTE_PS | PTE_POOL)) != PTE_P)
			return 0;
		table = entry_frame(entry);
	}
	return table;
}

u64 *space_entry(u32 root, u64 va, u32 level)
{
	u32 table = table_for(root, va, level);

	return table ? &entries(table)[entry_index(va, level)] : NULL;
}

/* --- the books: id = table << 9 | index names an entry and its shadow word --- */

static inline u64 *entry_of(u32 id)
{
	return &entries(id / ENTRIES)[id % ENTRIES];
}

static inline u64 *shadow_of(u32 id)
{
	return &entries(frames[id / ENTRIES].partner)[id % ENTRIES];
}

static inline int has_books(u32 frame)
{
	return frame < nframes && frames[frame].state != ARIL_FRAME_ABSENT;
}

static void set_next(u32 id, u32 next)
{
	u64 *word = shadow_of(id);

	*word = (*word & ~0xfffffffful) | next;
}

static void set_previous(u32 id, u32 previous)
{
	u64 *word = shadow_of(id);

	*word = (*word & 0xfffffffful) | (u64)previous << 32;
}

/* The head of the list that holds the bindings of a frame, and its count: device memory's is its grant's. */
static u32 *list_of(u32 frame, u32 **refs)
{
	if (!has_books(frame))
		return grant_list(frame, refs);
	*refs = &frames[frame].refs;
	return &frames[frame].head;
}

/* Enters a binding of frame: first in its list, or last if it is under guard[1]. */
static void books_add(u32 id, u32 frame, int last)
{
	u32 *refs, *first = list_of(frame, &refs);

	++*refs;
	if (has_books(frame))
		frames[frame].flags |= ARIL_FRAME_USED;
	if (!*first) {
		*shadow_of(id) = (u64)id << 32 | id;
		*first = id;
		return;
	}
	u32 head = *first, tail = *shadow_of(head) >> 32;
	*shadow_of(id) = (u64)tail << 32 | head;
	set_next(tail, id);
	set_previous(head, id);
	if (!last)
		*first = id;
}

static void books_remove(u32 id, u32 frame)
{
	u32 *refs, *first = list_of(frame, &refs);
	u64 word = *shadow_of(id);
	u32 next = word, previous = word >> 32;

	*shadow_of(id) = 0;
	--*refs;
	if (next == id) {
		*first = 0;
		return;
	}
	set_next(previous, next);
	set_previous(next, previous);
	if (*first == id)
		*first = next;
}

/* Puts a new value into an entry and its books; returns the old one, as the CPUs left it. */
static u64 entry_replace(u32 id, u64 new)
{
	u64 old = __atomic_exchange_n(entry_of(id), new, __ATOMIC_SEQ_CST);

	if (frames[id / ENTRIES].level >
	    1) /* a table goes in or out: no way is what it was (permit.h) */
		authority_changed();
	if (old & PTE_P)
		books_remove(id, entry_frame(old));
	if (new &PTE_P)
		books_add(id, entry_frame(new), !!(new &PTE_GUARD1));
	return old;
}

void space_books(u32 id, u32 frame, int add, u32 guard)
{
	if (add)
		books_add(id, frame, !!guard);
	else
		books_remove(id, frame);
}

/* Removes the binding that a list names: an entry of a page table, or of a cache. */
static void binding_remove(u32 id)
{
	if (frames[id / ENTRIES].state == ARIL_FRAME_STLB)
		books_remove(id, cache_entry_frame(cache_entry_clear(id)));
	else
		entry_replace(id, 0);
}

int space_break(u32 frame, int which, u32 *budget, int *stale)
{
	return space_break_list(&frames[frame].head, which, budget, stale);
}

int space_break_all(u32 frame, u32 *budget, int *stale)
{
	frame_epoch++;
	frames[frame].flags |= ARIL_FRAME_BREAKING(0) | ARIL_FRAME_BREAKING(1);
	return space_break(frame, -1, budget, stale);
}

int space_break_list(const u32 *head, int which, u32 *budget, int *stale)
{
	while (*head) {
		u32 id = which == 1 ? *shadow_of(*head) >> 32 : *head;

		if (which >= 0 && which != !!(*entry_of(id) & PTE_GUARD1))
			return 1;
		if (!*budget)
			return 0;
		--*budget;
		binding_remove(id);
		*stale = 1;
	}
	return 1;
}

int space_empty(u32 table, u32 *budget, int *stale)
{
	u32 n = frames[table].state == ARIL_FRAME_SPACE ? ENTRIES / 2 : ENTRIES;

	for (u32 i = 0; i < n; i++) {
		if (!(entries(table)[i] & PTE_P))
			continue;
		if (!*budget)
			return 0;
		--*budget;
		entry_replace(table * ENTRIES + i, 0);
		*stale = 1;
	}
	return 1;
}

void space_kernel_half(u32 root)
{
	const u64 *kernel = arch_kernel_entries();

	for (u32 i = ENTRIES / 2; i < ENTRIES; i++)
		entries(root)[i] = kernel[i - ENTRIES / 2];
	/* Not writable, whatever the entries below say; those of the kernel's half lack U. */
	entries(root)[ARIL_PML4_SELF] = (u64)root << ARIL_PAGE_SHIFT | PTE_P | PTE_U | PTE_NX;
}

void space_bind_raw(u32 root, u64 va, u32 frame, u64 flags)
{
	u32 table = table_for(root, va, 1);

	assert(table);
	entry_replace(table * ENTRIES + entry_index(va, 1), (u64)frame << ARIL_PAGE_SHIFT | flags);
}

void space_table_raw(u32 root, u64 va, u32 level, u32 table)
{
	u32 above = table_for(root, va, level + 1);

	assert(above);
	entry_replace(above * ENTRIES + entry_index(va, level + 1),
		      (u64)table << ARIL_PAGE_SHIFT | PTE_P | PTE_W | PTE_U);
}

void space_unlink(u32 root, u64 va, u32 level)
{
	u32 above = table_for(root, va, level + 1);

	entry_replace(above * ENTRIES + entry_index(va, level + 1), 0);
}

/* --- space_update --- */

/* A decoded op's second half: which guard opened each of its frames. Under object_lock. */
static u8 opened_by[ARIL_OP_PAGES];

static u32 flags_rights(u32 flags)
{
	u32 rights = ARIL_READ;

	if (flags & (ARIL_BIND_WRITE | ARIL_BIND_MAY_WRITE))
		rights |= ARIL_WRITE;
	if (flags & ARIL_BIND_EXEC)
		rights |= ARIL_EXEC;
	return rights;
}

static u64 entry_make(u32 frame, u32 flags, u32 guard)
{
	u64 entry = (u64)frame << ARIL_PAGE_SHIFT | PTE_P | (u64)(flags >> 8) << 52; /* SOFT, KEY */

	if (flags & ARIL_BIND_LARGE)
		entry |= PTE_PS;
	if (guard)
		entry |= PTE_GUARD1;
	if (flags & ARIL_BIND_UNCACHED)
		entry |= PTE_PCD | PTE_PWT;
	if (flags & ARIL_BIND_NOREAD) /* the supervisor's alone, who does not use it */
		return entry | PTE_NX;
	if (flags & ARIL_BIND_WRITE)
		entry |= PTE_W;
	if (flags & ARIL_BIND_MAY_WRITE)
		entry |= PTE_MAY;
	if (!(flags & ARIL_BIND_EXEC))
		entry |= PTE_NX;
	return entry | PTE_U;
}

u64 space_entry_bits(u32 flags)
{
	return entry_make(0, flags, 0);
}

/* A cache's state and entries, regions, and what of sealed code is no instruction may be looked at. */
static int is_readable(u32 frame, u32 flags)
{
	u8 state = frames[frame].state;

	return !flags && (state == ARIL_FRAME_CACHE || state == ARIL_FRAME_STLB ||
			  state == ARIL_FRAME_REGION || state == ARIL_FRAME_CODE ||
			  state == ARIL_FRAME_CONSTANT);
}

/* Data of sealed code is its owner's too, but is never executed. */
static int is_data(u32 frame, u32 flags)
{
	return frames[frame].state == ARIL_FRAME_DATA && !(flags & ARIL_BIND_EXEC);
}

s64 space_frame_decode(u32 frame, const struct auth *a, u32 flags)
{
	if (!has_books(frame)) {
		if (flags & ARIL_BIND_LARGE)
			return -ARIL_E_FRAME;
		if (!grant_memory(this_cpu()->env, frame))
			return -ARIL_E_FRAME;
		return 0;
	}
	int guard = frame_guard_for(frame, a, flags_rights(flags));
	if (guard < 0)
		return guard;
	if (frames[frame].state != ARIL_FRAME_NORMAL && !is_readable(frame, flags) &&
	    !is_data(frame, flags))
		return -ARIL_E_STATE;
	if (!frames[frame].level != !(flags & ARIL_BIND_LARGE))
		return -ARIL_E_STATE;
	if (frames[frame].flags & (ARIL_FRAME_LOST | ARIL_FRAME_BREAKING(guard)))
		return -ARIL_E_STATE;
	if (flags & ARIL_BIND_UNCACHED)
		return -ARIL_E_RANGE;
	return guard;
}

/* What an op's pages are: of level 1, 4 KiB, or of level 2. */
static inline u32 frames_of(u32 level)
{
	return level == 1 ? 1 : ENTRIES;
}

/* Whether there is a leaf of that level: a page, or a frame of 2 MiB and not a table. */
static inline int is_leaf(u64 entry, u32 level)
{
	return level == 1 ? !!(entry & PTE_P) : (entry & (PTE_P | PTE_PS)) == (PTE_P | PTE_PS);
}

static inline __attribute__((always_inline)) s64
pages_decode(u32 space, const struct aril_space_op *op, u32 level)
{
	const struct auth *a = auth_get(this_cpu()->env, op->auth);
	const u64 *like = NULL; /* the guard by which the frame before was opened, its first */
	u32 table = 0;

	for (u32 i = 0; i < op->count; i++) {
		u64 va = op->va + (u64)i * frames_of(level) * ARIL_PAGE_SIZE;
		u32 index = entry_index(va, level), frame = op->frame + i * frames_of(level);

		if (!i || !index)
			table = table_for(space, va, level);
		if (op->kind == ARIL_PROTECT) {
			if (!table || !is_leaf(entries(table)[index], level))
				continue;
			frame = entry_frame(entries(table)[index]);
		}
		if (!table)
			return -ARIL_E_TABLE;
		if (level == 2 && (entries(table)[index] & (PTE_P | PTE_PS)) == PTE_P)
			return -ARIL_E_TABLE;
		if (level == 2 && frames[table].flags & ARIL_FRAME_CACHED)
			return -ARIL_E_TABLE;
		if (like && frame < nframes && frame_ordinary(&frames[frame], like)) {
			opened_by[i] = 0;
			continue;
		}
		s64 guard = space_frame_decode(frame, a, op->flags);
		if (guard < 0)
			return guard;
		opened_by[i] = guard;
		like = NULL;
		if (level == 1 && !guard && has_books(frame) && frames[frame].guard[0].rights)
			like = (const u64 *)&frames[frame].guard[0];
	}
	return 0;
}

#define PLAIN_FLAGS (0x3fu | ARIL_BIND_SOFT(0x3f))
#define KEYED_FLAGS (PLAIN_FLAGS | ARIL_BIND_KEY(ARIL_KEYS - 1))

/* What can be said of an op without looking at the space. */
static s64 op_check(const struct aril_space_op *op)
{
	u64 page = op->flags & ARIL_BIND_LARGE ? ENTRIES * ARIL_PAGE_SIZE : ARIL_PAGE_SIZE;

	if (op->kind != ARIL_BIND && op->kind != ARIL_UNBIND && op->kind != ARIL_PROTECT)
		return -ARIL_E_RANGE;
	if (op->flags & ~PLAIN_FLAGS && (op->flags & ~KEYED_FLAGS || !space_keys))
		return -ARIL_E_RANGE;
	if (!op->count)
		return -ARIL_E_RANGE;
	if (op->count > ARIL_OP_PAGES)
		return -ARIL_E_RANGE;
	if (op->flags & ARIL_BIND_LARGE && op->count > ARIL_OP_LARGE)
		return -ARIL_E_RANGE;
	if (op->va & (page - 1))
		return -ARIL_E_RANGE;
	if (op->va > ARIL_USER_TOP - op->count * page)
		return -ARIL_E_RANGE;
	if (op->kind != ARIL_UNBIND && !auth_get(this_cpu()->env, op->auth))
		return -ARIL_E_CAP;
	return account_work(op->count);
}

static s64 op_decode(u32 space, const struct aril_space_op *op)
{
	if (op->kind == ARIL_UNBIND)
		return 0;
	return op->flags & ARIL_BIND_LARGE ? pages_decode(space, op, 2)
					   : pages_decode(space, op, 1);
}

/* Changes a present leaf entry's flags; the CPUs' accessed and dirty bits stay. Whether it was narrowed. */
static int entry_protect(u32 id, u32 flags, u32 guard)
{
	u64 *entry = entry_of(id);
	u64 old = read_once(*entry), new;

	do
		new = entry_make(entry_frame(old), flags, guard) | (old & (PTE_A | PTE_D));
	while (!__atomic_compare_exchange_n(entry, &old, new, 0, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST));
	if ((old ^ new) & PTE_GUARD1) {
		books_remove(id, entry_frame(new));
		books_add(id, entry_frame(new), !!guard);
	}
	return (old & ~new &(PTE_W | PTE_U)) || (new & ~old &PTE_NX) ||
	       ((old ^ new) & (PTE_PCD | PTE_PWT | PTE_KEY));
}

/* Where a removed translation may still be used. */
enum { STALE_HERE = 1, STALE_ANYWHERE = 2 };

int space_path_shared(u32 root, u64 va)
{
	u32 table = root;

	for (u32 level = 4; level > 1; level--) {
		u64 entry = entries(table)[entry_index(va, level)];

		if ((entry & (PTE_P | PTE_PS)) != PTE_P)
			break;
		table = entry_frame(entry);
		if (frames[table].refs > 1)
			return 1;
	}
	return 0;
}

/* Does a decoded op. Whether it removed or narrowed a translation. */
static inline __attribute__((always_inline)) int pages_do(u32 space, const struct aril_space_op *op,
							  u32 level)
{
	u64 bits = op->kind == ARIL_BIND ? entry_make(0, op->flags, 0) : 0;
	u32 table = 0;
	int stale = 0;

	for (u32 i = 0; i < op->count; i++) {
		u64 va = op->va + (u64)i * frames_of(level) * ARIL_PAGE_SIZE;
		u32 index = entry_index(va, level), id;

		if (!i || !index)
			table = table_for(space, va, level);
		if (!table)
			continue;
		id = table * ENTRIES + index;
		if (op->kind != ARIL_BIND && !is_leaf(*entry_of(id), level))
			continue;
		if (op->kind == ARIL_PROTECT) {
			stale |= entry_protect(id, op->flags, opened_by[i]);
			continue;
		}
		u64 new = 0;
		if (op->kind == ARIL_BIND)
			new = bits | (u64)(op->frame + i * frames_of(level)) << ARIL_PAGE_SHIFT |
			      (opened_by[i] ? PTE_GUARD1 : 0);
		stale |= entry_replace(id, new) & PTE_P;
	}
	return stale;
}

/* The same, and where what it removed may be in use. An op spans two leaf tables at most. */
static int op_do_stale(u32 space, const struct aril_space_op *op)
{
	u32 level = op->flags & ARIL_BIND_LARGE ? 2 : 1;
	u64 last = op->va + (u64)(op->count - 1) * frames_of(level) * ARIL_PAGE_SIZE;

	if (!(level == 1 ? pages_do(space, op, 1) : pages_do(space, op, 2)))
		return 0;
	if (space_path_shared(space, op->va))
		return STALE_ANYWHERE;
	if ((op->va ^ last) >> (ARIL_PAGE_SHIFT + 9 * level) && space_path_shared(space, last))
		return STALE_ANYWHERE;
	return STALE_HERE;
}

/* By comparison, where this context was told so last. */
s64 space_allowed(u32 auth, u32 space)
{
	struct cpu *cpu = this_cpu();
	struct space_permit *p = &cpu->permit;
	u64 epoch = __atomic_load_n(&authority_epoch, __ATOMIC_ACQUIRE);

	if (likely(p->auth == auth && p->id == space && p->to == cpu->ctx && p->epoch == epoch))
		return 0;
	const struct auth *a = auth_get(this_cpu()->env, auth);
	if (!a)
		return -ARIL_E_CAP;
	s64 error = frame_check(space, a, ARIL_WRITE);
	if (error)
		return error;
	if (frames[space].state != ARIL_FRAME_SPACE)
		return -ARIL_E_STATE;
	*p = (struct space_permit){
		.auth = auth, .id = space, .epoch = epoch, .to = cpu->ctx, .region = NO_REGION};
	return 0;
}

static void space_flush(u32 space, int stale)
{
	if (stale & STALE_ANYWHERE)
		smp_flush_all();
	else if (stale)
		smp_flush_space(space);
}

s64 space_change(u32 space, const struct aril_space_op *op)
{
	s64 error = account_flush();

	if (error)
		return error;
	error = op_check(op);
	if (error)
		return error;
	error = op_decode(space, op);
	if (error)
		return error;
	space_flush(space, op_do_stale(space, op));
	return op->kind == ARIL_BIND ? opened_by[0] : 0;
}

s64 call_space_update(u32 auth, u32 space, const struct aril_space_op *ops, u64 n)
{
	struct aril_space_op copy[COPY_OPS];
	u32 pages = 0;
	int stale = 0;
	u64 done;

	s64 error = space_allowed(auth, space);
	if (error)
		return error;
	if (!n)
		return -ARIL_E_RANGE;
	if (n > ARIL_OP_PAGES)
		return -ARIL_E_RANGE;
	error = account_flush();
	for (done = 0; done < n; done++) {
		const struct aril_space_op *op = &copy[done % COPY_OPS];
		u64 bytes = min(n - done, (u64)COPY_OPS) * sizeof(*op);

		if (done % COPY_OPS == 0 && copy_from_user(copy, &ops[done], bytes))
			error = -ARIL_E_ADDR;
		if (!error)
			error = op_check(op);
		if (error)
			break;
		pages += op->count;
		if (pages > ARIL_BATCH_PAGES)
			break;
		u32 shared;
		int narrowed = op->kind == ARIL_PROTECT ? space_narrow(space, op, &shared) : -1;
		if (narrowed >= 0) {
			stale |= !narrowed ? 0 : shared ? STALE_ANYWHERE : STALE_HERE;
			continue;
		}
		error = op_decode(space, op);
		if (error)
			break;
		stale |= op_do_stale(space, op);
	}
	space_flush(space, stale);
	return done ? (s64)done : error;
}
