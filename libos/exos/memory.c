/* SPDX-License-Identifier: MIT
 * The family's pages: frames bound in the direct map chunk by chunk, and a buddy allocator over them.
 *
 * A chunk is 512 frames from a multiple of 512: what one page table maps. Its books lie in one of its own
 * pages. Frames come as runs that init gave; a chunk is bound when the free lists run dry, so a boot touches
 * little. Invariant: a page is free (in a list, or loose with refs 0), or used with refs >= 1, or its frame is in the pool of
 * unbound frames, or it was retyped. */
#include "guard.h"
#include "mem.h"
#include "memory.h"
#include "mm.h"
#include "proc.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>
#include <core/frames.h>
#include <core/string.h>

#define CHUNK 512u
#define CHUNKS (ARIL_MAX_FRAMES / CHUNK)

static struct page *chunks[CHUNKS]; /* books of each chunk, NULL: not ours */
struct list free_lists[ORDERS];
struct core_run runs[CORE_RUNS];
u32 nruns;
u64 free_count, total_count;
u32 pool[POOL], pool_count;

struct shared_slot shared_slots[SHARED_SLOTS];
static u32 boot_space; /* of the first env: family tables are put in through it */

struct page *page_of(u32 frame)
{
	if (frame >= ARIL_MAX_FRAMES || !chunks[frame / CHUNK])
		return NULL;
	return &chunks[frame / CHUNK][frame % CHUNK];
}

int page_is_ours(const void *page)
{
	struct page *p = page_of(page_frame(page));

	return p && p->state != PAGE_ABSENT;
}

u64 pages_free(void)
{
	u64 unbound = 0;

	for (u32 i = 0; i < nruns; i++)
		unbound += runs[i].count;
	return free_count + pool_count + unbound;
}

u64 pages_total(void)
{
	return total_count + frames_due();
}

/* Binds count frames (within a chunk) at their place in the direct map, or unbinds them. */
void direct_map(u32 kind, u32 first, u32 count, u32 flags)
{
	struct aril_space_op op = {
		.va = FAMILY_VA + ((u64)first << ARIL_PAGE_SHIFT),
		.frame = first,
		.count = count,
		.kind = kind,
		.flags = flags & ARIL_BIND_WRITE ? flags | guard_flags : flags,
		.auth = family.auth,
	};
	s64 r;

	do
		r = aril_space_update(family.auth, boot_space, &op, 1);
	while (r == -ARIL_E_AGAIN);
	if (r != 1)
		exos_panic("exos: direct map of frame %u+%u: error %ld", first, count, (long)-r);
}

/* Puts a table of `level` in the way to a chunk's place, from two unbound frames. */
static void table_put(u32 frame, u32 level, u32 table, u32 shadow)
{
	u64 va = FAMILY_VA + ((u64)frame << ARIL_PAGE_SHIFT);
	s64 r = aril_space_table(family.auth, boot_space, va, level, table, shadow);

	if (r < 0)
		exos_panic("exos: table of level %u for frame %u: error %ld", level, frame,
			   (long)-r);
}

/* The word of the running space's own tables for va, at a level (1: the page's, 4: the root's). */
static u64 table_word(u64 va, u32 level)
{
	u64 at = va;

	for (u32 i = 0; i < level; i++)
		at = ARIL_SELF_VA | ((at & 0xfffffffffffful) >> 9 & ~7ul);
	return *(const volatile u64 *)at;
}

/* Whether nothing is there at this level for a frame's place in the direct map; the levels above are. */
static int table_missing(u32 frame, u32 level)
{
	u64 va = FAMILY_VA + ((u64)frame << ARIL_PAGE_SHIFT);

	return !(table_word(va, level + 1) & ARIL_PTE_PRESENT);
}

/* Takes the frames that a chunk needs for tables off the front of [*first, *first + *count). */
static void chunk_tables(u32 *first, u32 *count)
{
	u32 at = *first;

	for (u32 level = 2; level >= 1; level--) {
		if (!table_missing(at, level))
			continue;
		table_put(at, level, *first, *first + 1);
		*first += 2;
		*count -= 2;
	}
}

static void block_free(u32 frame, u32 order);

/* Makes frames of one chunk pages. Too few to carry their own books: they are left alone. */
static void chunk_add(u32 first, u32 count)
{
	u32 chunk = first / CHUNK;
	int fresh = !chunks[chunk];

	if (fresh) {
		if (count < 8)
			return;
		chunk_tables(&first, &count);
	}
	direct_map(ARIL_BIND, first, count, ARIL_BIND_WRITE);
	if (fresh) {
		struct page *books = frame_page(first);

		memset(books, 0, PAGE);
		chunks[chunk] = books;
		first++;
		count--;
	}
	for (u32 i = first; i < first + count; i++) {
		page_of(i)->state = PAGE_USED;
		block_free(i, 0);
	}
}

/* Binds the next chunk of the first run. 0: none left. */
static int chunk_next(void)
{
	while (nruns) {
		struct core_run *run = &runs[0];
		u32 first = run->first;
		u32 count = min(run->count, CHUNK - first % CHUNK);
		u64 before = free_count;

		run->first += count;
		run->count -= count;
		if (!run->count)
			runs[0] = runs[--nruns];
		chunk_add(first, count);
		if (free_count > before)
			return 1;
	}
	return 0;
}

/* A free block's list node lies in its first page. */
void block_insert(u32 frame, u32 order)
{
	struct page *p = page_of(frame);

	p->state = PAGE_FREE;
	p->order = order;
	p->refs = 0;
	struct list *node = frame_page(frame), *head = &free_lists[order];
	node->next = head->next;
	node->prev = head;
	head->next->prev = node;
	head->next = node;
}

static void block_free(u32 frame, u32 order)
{
	free_count += 1u << order;
	while (order < ORDERS - 1) {
		struct page *buddy = page_of(frame ^ 1u << order);

		if (buddy->state != PAGE_FREE || buddy->order != order)
			break;
		list_del(frame_page(frame ^ 1u << order));
		buddy->state = PAGE_USED;
		frame &= ~(1u << order);
		order++;
	}
	block_insert(frame, order);
}

static u32 block_take(u32 order)
{
	u32 have = order;

	while (have < ORDERS && list_empty(&free_lists[have]))
		have++;
	if (have == ORDERS)
		return 0;
	u32 frame = page_frame(free_lists[have].next);
	list_del(free_lists[have].next);
	while (have > order) {
		have--;
		block_insert(frame + (1u << have), have);
	}
	struct page *p = page_of(frame);
	p->state = PAGE_USED;
	p->order = order;
	p->refs = 1;
	free_count -= 1u << order;
	return frame;
}

/* Free pages that were let go one by one, to be taken again so: they are no blocks, which would join and be split. */
#define LOOSE 64u
static u32 loose[LOOSE];
static u32 loose_count;

static u32 loose_take(void)
{
	u32 frame = loose[--loose_count];
	struct page *p = page_of(frame);

	p->refs = 1;
	free_count--;
	return frame;
}

/* A block's pages are taken one by one from here on, lowest first. 0: there is no such block. */
#define LOOSE_ORDER 3u
static int loose_fill(void)
{
	u32 frame = block_take(LOOSE_ORDER);

	if (!frame)
		return 0;
	for (u32 i = 1u << LOOSE_ORDER; i--;) {
		*page_of(frame + i) = (struct page){.state = PAGE_USED};
		loose[loose_count++] = frame + i;
	}
	free_count += 1u << LOOSE_ORDER;
	return 1;
}

/* Makes blocks of them. Whether there were any. */
int loose_join(void)
{
	u32 count = loose_count;

	free_count -= count;
	while (loose_count)
		block_free(loose[--loose_count], 0);
	return count != 0;
}

void *page_alloc(u32 order)
{
	u32 frame;

	if (!order && (loose_count || loose_fill()))
		return frame_page(loose_take());
	if (order >= ORDERS)
		return NULL;
	while (!(frame = block_take(order)))
		if (!loose_join() && !chunk_next() && !mm_reclaim() && !frames_more() &&
		    !threads_reclaim())
			return NULL;
	return frame_page(frame);
}

void *page_zalloc(u32 order)
{
	void *page = page_alloc(order);

	if (page)
		memset(page, 0, PAGE << order);
	return page;
}

void page_get(void *page)
{
	struct page *p = page_of(page_frame(page));

	if (p && p->state == PAGE_USED)
		p->refs++;
}

/* Pages of the archive have no books and are never freed. */
void page_put(void *page)
{
	struct page *p = page_of(page_frame(page));

	if (!p || p->state == PAGE_ABSENT)
		return;
	exos_assert(p->state == PAGE_USED && p->refs);
	if (--p->refs)
		return;
	if (p->order || loose_count == LOOSE) {
		block_free(page_frame(page), p->order);
		return;
	}
	loose[loose_count++] = page_frame(page);
	free_count++;
}

u32 page_refs(const void *page)
{
	struct page *p = page_of(page_frame(page));

	return p && p->state == PAGE_USED ? p->refs : ~0u;
}

/* A page's books as one word, but for its order: used, with one reference. */
#define ALONE_BOOKS ((u64)PAGE_USED << 32 | 1)
#define ALONE_SHIFT 24 /* so many bits above what matters of them do not */
_Static_assert(sizeof(struct page) == 8, "struct page");

/* The books of a chunk; of frames that are not ours: of pages of which none is used. */
static const u64 *books_of(u64 chunk)
{
	static const struct page none[CHUNK];

	return (const u64 *)(chunk < CHUNKS && chunks[chunk] ? chunks[chunk] : none);
}

/* Whether the frame in a word is one of the chunk that begins at `first`, and its page has one reference. */
static inline int word_alone(u64 word, u64 first, const u64 *books)
{
	u64 at = (word >> 12) - first;

	return at < CHUNK && books[at] << ALONE_SHIFT == ALONE_BOOKS << ALONE_SHIFT;
}

u32 pages_alone(const u64 *word, u32 n, int *alone)
{
	u64 first = word[0] >> 12 & ~(u64)(CHUNK - 1);
	const u64 *books = books_of(first / CHUNK), *at = word, *end = word + n;
	int one = word_alone(word[0], first, books);

	while (at < end) {
		while (one && end - at >= 4 && word_alone(at[0], first, books) &&
		       word_alone(at[1], first, books) && word_alone(at[2], first, books) &&
		       word_alone(at[3], first, books))
			at += 4;
		if (at == end)
			break;
		if ((*at >> 12) - first >= CHUNK) {
			first = *at >> 12 & ~(u64)(CHUNK - 1);
			books = books_of(first / CHUNK);
		}
		if (word_alone(*at, first, books) != one)
			break;
		at++;
	}
	*alone = one;
	return (u32)(at - word);
}

u32 frame_take(void)
{
	if (!pool_count) {
		for (u32 order = 5;; order--) {
			void *block = page_alloc(order);

			if (block) {
				u32 first = page_frame(block);

				direct_map(ARIL_UNBIND, first, 1u << order, 0);
				for (u32 i = 0; i < 1u << order; i++) {
					*page_of(first + i) =
						(struct page){.refs = 1, .state = PAGE_USED};
					pool[pool_count++] = first + i;
				}
				break;
			}
			if (!order)
				return 0;
		}
	}
	return pool[--pool_count];
}

void frame_give(u32 frame)
{
	if (pool_count < POOL) {
		pool[pool_count++] = frame;
		return;
	}
	direct_map(ARIL_BIND, frame, 1, ARIL_BIND_WRITE);
	page_put(frame_page(frame));
}

u32 run_take(u32 count)
{
	for (u32 i = 0; i < nruns; i++)
		if (runs[i].count > 2 * count) {
			runs[i].count -= count;
			return runs[i].first + runs[i].count;
		}
	return 0;
}

/* Where a run ends before them, that is longer again; else they are one of their own, or lost where there is no place. */
void run_give(u32 first, u32 count)
{
	for (u32 i = 0; i < nruns; i++)
		if (runs[i].first + runs[i].count == first) {
			runs[i].count += count;
			return;
		}
	if (count && nruns < CORE_RUNS)
		runs[nruns++] = (struct core_run){first, count};
}

/* Behind all frames' places in the direct map, as if by numbers of frames. */
#define DEVICE_AT (1u << 26)

void *device_map(u32 first, u32 count)
{
	for (u32 done = 0; done < count;) {
		u32 at = DEVICE_AT + done, n = min(count - done, CHUNK);
		struct aril_space_op op = {.va = FAMILY_VA + ((u64)at << ARIL_PAGE_SHIFT),
					   .frame = first + done,
					   .count = n,
					   .kind = ARIL_BIND,
					   .flags = ARIL_BIND_WRITE | guard_flags,
					   .auth = family.auth};

		for (u32 level = 2; level >= 1; level--) {
			u32 table = table_missing(at, level) ? frame_take() : 0;

			if (!table_missing(at, level))
				continue;
			u32 shadow = frame_take();
			if (!table || !shadow)
				return NULL;
			table_put(at, level, table, shadow);
		}
		s64 r = aril_space_update(family.auth, boot_space, &op, 1);
		if (r < 0 && r != -ARIL_E_AGAIN)
			exos_panic("exos: device memory %u+%u: error %ld", op.frame, n, (long)-r);
		done += r == 1 ? n : 0;
	}
	return frame_page(DEVICE_AT);
}

void page_show(void *page, u32 frame)
{
	struct aril_space_op op = {.va = (u64)page,
				   .frame = frame,
				   .count = 1,
				   .kind = ARIL_BIND,
				   .auth = family.auth};
	s64 r;

	do
		r = aril_space_update(family.auth, boot_space, &op, 1);
	while (r == -ARIL_E_AGAIN);
	if (r != 1)
		exos_panic("exos: frame %u in a page's place: error %ld", frame, (long)-r);
}

void frame_unbuild(u32 frame)
{
	s64 r;

	do
		r = aril_frame_reset(family.auth, frame);
	while (r == -ARIL_E_AGAIN);
	if (r < 0)
		exos_panic("exos: reset of frame %u: error %ld", frame, (long)-r);
}

/* Frames for the first tables, before any chunk is bound. */
static u32 boot_frame(void)
{
	u32 frame = runs[0].first++;

	if (!--runs[0].count)
		runs[0] = runs[--nruns];
	return frame;
}

/* The archive's frames, in their places in the direct map, read-only. */
static void archive_map(u32 first, u32 count)
{
	while (count) {
		u32 n = min(count, CHUNK - first % CHUNK);

		for (u32 level = 2; level >= 1; level--) {
			if (!table_missing(first, level))
				continue;
			u32 table = boot_frame();
			table_put(first, level, table, boot_frame());
		}
		direct_map(ARIL_BIND, first, n, ARIL_BIND_EXEC);
		first += n;
		count -= n;
	}
}

void memory_boot(const struct core_domain *domain)
{
	for (u32 i = 0; i < ORDERS; i++)
		list_init(&free_lists[i]);
	boot_space = domain->space;
	nruns = domain->nruns;
	for (u32 i = 0; i < nruns; i++)
		runs[i] = domain->run[i];
	if (!nruns || runs[0].count < 64)
		exos_panic("exos: %lu frames are too few", (unsigned long)domain->free_frames);
	total_count = domain->free_frames;
	u32 table = boot_frame();
	table_put(0, 3, table, boot_frame());
	shared_slots[0] = (struct shared_slot){FAMILY_VA, table};
	shared_slots[1] = (struct shared_slot){EXOS_VA, ARIL_PTE_FRAME(table_word(EXOS_VA, 4))};
	shared_slots[2] =
		(struct shared_slot){CORE_DOMAIN_VA, ARIL_PTE_FRAME(table_word(CORE_DOMAIN_VA, 4))};
	archive_map(domain->archive.first, domain->archive.count);
}
