/* SPDX-License-Identifier: MIT
 * Bindings of programs' pages: tables on demand, words that mirror them, kernel calls in batches. */
#include "mem.h"
#include "mm_internal.h"
#include "sched.h"
#include "swap.h"
#include <aril_stubs.h>

#define BATCH 128u
static struct {
	struct mm *mm;
	u32 n;
	u32 turns; /* the first op is about writing alone */
	struct aril_space_op op[BATCH];
} batch;

static inline u32 index_of(u64 va, u32 level)
{
	return va >> (12 + 9 * (level - 1)) & 511;
}

s64 pages_create(struct mm *mm)
{
	struct mm_node *root = &mm->root;

	root->slot = page_zalloc(0);
	root->table = frame_take();
	root->shadow = frame_take();
	if (!root->slot || !root->table || !root->shadow) {
		if (root->slot)
			page_put(root->slot);
		if (root->table)
			frame_give(root->table);
		if (root->shadow)
			frame_give(root->shadow);
		return -ENOMEM;
	}
	s64 error = aril_space_create(family.auth, root->table, root->shadow);
	for (u32 i = 0; !error && i < SHARED_SLOTS; i++)
		error = aril_space_link(family.auth, root->table, shared_slots[i].va, 3,
					shared_slots[i].table);
	if (error)
		exos_panic("exos: new space: error %ld", (long)-error);
	mm->space = root->table;
	return 0;
}

/* Resetting a table unbinds all that is in it: only then are pages and tables below let go. */
static void node_free(struct mm_node *node, u32 level)
{
	frame_unbuild(node->table);
	frame_give(node->table);
	frame_give(node->shadow);
	for (u32 i = 0; i < 512; i++) {
		u64 word = node->slot[i];

		if (level == 1 && word & MAPPED) {
			page_put(mapped_page(word));
		} else if (level > 1 && word) {
			node_free((struct mm_node *)word, level - 1);
			kfree((void *)word);
		}
	}
	page_put(node->slot);
	sched_breathe();
}

void pages_destroy(struct mm *mm)
{
	node_free(&mm->root, 4);
}

/* A table of `level` in the way to va. NULL: no memory. */
static struct mm_node *node_create(struct mm *mm, u64 va, u32 level)
{
	struct mm_node *node = kmalloc(sizeof(*node));

	if (!node)
		return NULL;
	node->slot = page_zalloc(0);
	node->table = frame_take();
	node->shadow = frame_take();
	if (!node->slot || !node->table || !node->shadow) {
		if (node->slot)
			page_put(node->slot);
		if (node->table)
			frame_give(node->table);
		if (node->shadow)
			frame_give(node->shadow);
		kfree(node);
		return NULL;
	}
	mm->tables++;
	s64 error = aril_space_table(family.auth, mm->space, va, level, node->table, node->shadow);
	if (error)
		exos_panic("exos: table for %lx: error %ld", (unsigned long)va, (long)-error);
	return node;
}

/* The first leaf at or behind a base; *link: where a pointer to it is. */
static struct mm_node *leaf_from(struct mm *mm, u64 base, struct mm_node ***link)
{
	struct mm_node **at = &mm->leaves;

	if (mm->hint && mm->hint->base < base)
		at = &mm->hint->next;
	while (*at && (*at)->base < base)
		at = &(*at)->next;
	*link = at;
	return *at;
}

struct mm_node *leaf_find(struct mm *mm, u64 va, int create)
{
	struct mm_node *node = &mm->root;

	for (u32 level = 4; level > 1; level--) {
		u64 *slot = &node->slot[index_of(va, level)];

		if (!*slot && create)
			*slot = (u64)node_create(mm, va, level - 1);
		if (!*slot)
			return NULL;
		node = (struct mm_node *)*slot;
	}
	if (node->base != va >> 21) { /* new: none is there for the first 2 MiB */
		struct mm_node **link;

		node->next = leaf_from(mm, va >> 21, &link);
		node->base = va >> 21;
		*link = node;
	}
	mm->hint = node;
	return node;
}

/* The leaf in which a word lies, which pages_word gave. */
static inline struct mm_node *leaf_of(struct mm *mm, u64 va, const u64 *word)
{
	struct mm_node *leaf = mm->hint;

	return leaf->slot == (const u64 *)((u64)word & ~(PAGE - 1)) ? leaf : leaf_find(mm, va, 0);
}

#define GROUP_BYTES (64 * PAGE)

/* What of a group lies in [start, end). */
static u64 group_bits(u64 bits, u64 base, u64 start, u64 end)
{
	if (start > base)
		bits &= ~0ul << ((start - base) / PAGE);
	if (end < base + GROUP_BYTES)
		bits &= (1ul << ((end - base) / PAGE)) - 1;
	return bits;
}

int page_group(struct page_walk *w)
{
	struct mm_node *leaf = w->leaf;

	while (leaf) {
		u64 first = leaf->base << 21;

		if (first >= w->end)
			return 0;
		if (!w->groups) {
			leaf = w->leaf = leaf->next;
			w->groups = leaf ? leaf->any[w->map] : 0;
			if (w->groups)
				sched_breathe();
			continue;
		}
		u32 group = (u32)__builtin_ctzl(w->groups);
		const u64 *map = &leaf->map[w->map][group];
		w->groups &= w->groups - 1;
		w->group = group;
		w->base = first + group * GROUP_BYTES;
		if (!*map)
			leaf->any[w->map] &= ~(1ul << group);
		else if (w->base < w->end && w->base + GROUP_BYTES > w->start)
			w->bits = group_bits(*map, w->base, w->start, w->end);
		if (w->bits)
			return 1;
	}
	return 0;
}

void pages_walk(struct page_walk *w, struct mm *mm, u64 start, u64 end, u32 map)
{
	struct mm_node **link;

	w->leaf = mm->hint && mm->hint->base == start >> 21 ? mm->hint
							    : leaf_from(mm, start >> 21, &link);
	w->start = start;
	w->end = end;
	w->map = map;
	w->bits = 0;
	w->groups = w->leaf ? w->leaf->any[map] : 0;
}

/* One page: the calls for that are shorter, and faults are of one. Whether it was. */
static int flush_one(void)
{
	const struct aril_space_op *op = batch.op;
	u32 space = batch.mm->space;

	if (op->count != 1)
		return 0;
	if (op->kind == ARIL_BIND)
		return !aril_page_bind(family.auth, space, op->va, op->frame, op->flags, op->auth);
	if (op->kind == ARIL_UNBIND)
		return !aril_page_unbind(family.auth, space, op->va);
	return batch.turns && !aril_page_protect(family.auth, space, op->va,
						 op->flags & ARIL_BIND_WRITE
							 ? ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE
							 : ARIL_PAGE_MAY_WRITE);
}

void pages_flush(void)
{
	u32 done = 0;

	if (!batch.n)
		return;
	if (batch.n == 1 && flush_one())
		done = 1;
	while (done < batch.n) {
		s64 r = aril_space_update(family.auth, batch.mm->space, batch.op + done,
					  batch.n - done);

		if (r >= 0)
			done += r;
		else if (r != -ARIL_E_AGAIN)
			exos_panic("exos: binding %lx to frame %u (op %u, flags %x): error %ld",
				   (unsigned long)batch.op[done].va, batch.op[done].frame,
				   batch.op[done].kind, batch.op[done].flags, (long)-r);
	}
	batch.n = 0;
}

/* Adds one op; one that continues the last joins it. turns: it is about writing alone. */
static void batch_add(struct mm *mm, u32 kind, u64 va, u32 frame, u32 flags, u32 count, u32 turns)
{
	if (batch.n && batch.mm == mm) {
		struct aril_space_op *last = &batch.op[batch.n - 1];

		if (last->kind == kind && last->flags == flags &&
		    last->va + last->count * PAGE == va && last->count + count <= ARIL_OP_PAGES &&
		    (kind != ARIL_BIND || last->frame + last->count == frame)) {
			last->count += count;
			return;
		}
	}
	if (batch.n == BATCH || (batch.n && batch.mm != mm))
		pages_flush();
	batch.mm = mm;
	if (!batch.n)
		batch.turns = turns;
	batch.op[batch.n++] = (struct aril_space_op){
		.va = va,
		.frame = frame,
		.count = count,
		.kind = kind,
		.flags = flags,
		.auth = family.auth,
	};
}

/* What is the space's own is bound with leave to write to it, which page_protect then gives and takes. */
static u32 bind_flags(u64 flags)
{
	return (flags & MAPPED_WRITE ? ARIL_BIND_WRITE : 0) |
	       (flags & MAPPED_OWN ? ARIL_BIND_MAY_WRITE : 0) |
	       (flags & MAPPED_EXEC ? ARIL_BIND_EXEC : 0) |
	       (flags & MAPPED_NOREAD ? ARIL_BIND_NOREAD : 0);
}

/* Enters a page into a word and its leaf's maps. */
static void word_set(struct mm *mm, u64 va, u64 *word, void *page, u64 flags)
{
	struct mm_node *leaf = leaf_of(mm, va, word);

	if (!(*word & MAPPED))
		mm->rss++;
	*word = (u64)page_frame(page) << 12 | MAPPED | flags;
	leaf_set(leaf, LEAF_USED, va);
	if (flags & (MAPPED_OWN | MAPPED_SHARED) || page_is_ours(page))
		leaf_set(leaf, LEAF_COUNTED, va);
	else
		leaf_clear(leaf, LEAF_COUNTED, va);
}

void pages_bind(struct mm *mm, u64 va, u64 *word, void *page, u64 flags)
{
	word_set(mm, va, word, page, flags | MAPPED_BOUND);
	batch_add(mm, ARIL_BIND, va, page_frame(page), bind_flags(flags), 1, 0);
}

void pages_place(struct mm *mm, u64 va, u64 *word, void *page, u64 flags)
{
	u64 old = *word;

	pages_flush();
	word_set(mm, va, word, page, flags | MAPPED_BOUND);
	if ((old & MAPPED_BOUND && aril_page_unbind(family.auth, mm->space, va)) ||
	    aril_page_bind(family.auth, mm->space, va, page_frame(page), bind_flags(flags),
			   family.auth)) {
		batch_add(mm, ARIL_BIND, va, page_frame(page), bind_flags(flags), 1, 0);
		pages_flush();
	}
}

void pages_hold(struct mm *mm, u64 va, u64 *word, void *page, u64 flags)
{
	word_set(mm, va, word, page, flags);
}

void pages_unbind(struct mm *mm, u64 va, u64 *word)
{
	*word &= ~MAPPED_BOUND;
	batch_add(mm, ARIL_UNBIND, va, 0, 0, 1, 0);
}

void pages_touch(struct mm *mm, u64 va, u64 *word)
{
	*word |= MAPPED_BOUND;
	batch_add(mm, ARIL_BIND, va, (u32)(*word >> 12), bind_flags(*word), 1, 0);
}

/* A word with other flags; who may write is no longer known to have left text alone. */
static u64 word_with(u64 word, u64 flags)
{
	word = (word & ~MAPPED_FLAGS) | MAPPED | flags;
	return flags & MAPPED_WRITE ? word & ~MAPPED_TEXT : word;
}

void pages_protect(struct mm *mm, u64 va, u64 *word, u64 flags)
{
	u64 old = *word;

	if ((old & MAPPED_FLAGS) == (MAPPED | flags))
		return;
	*word = word_with(old, flags);
	if (old & MAPPED_BOUND)
		batch_add(mm, ARIL_PROTECT, va, 0, bind_flags(*word), 1,
			  old & MAPPED_OWN && ((old ^ *word) & MAPPED_FLAGS) == MAPPED_WRITE);
}

/* Pages in a row of which each has the same flags now. */
struct row {
	u64 start, end;
	u32 flags, turns;
};

static void row_end(struct mm *mm, struct row *row)
{
	if (row->end)
		batch_add(mm, ARIL_PROTECT, row->start, 0, row->flags,
			  (row->end - row->start) / PAGE, row->turns);
	row->end = 0;
}

#define ALIKE (MAPPED_FLAGS | MAPPED_OWN | MAPPED_BOUND | MAPPED_TEXT)

/* What a word like this one is to have. alone: nobody else has its page. */
static inline u64 word_wanted(u64 like, u64 flags, int write, int alone)
{
	if (write && (like & MAPPED_WRITE || (like & MAPPED_OWN && alone)))
		flags |= MAPPED_WRITE;
	return word_with(like, flags);
}

/* One word, if it is alike. */
static inline int word_change(u64 *word, u64 like, u64 wanted)
{
	u64 other = *word ^ like;

	if (other & ALIKE)
		return 0;
	*word = other ^ wanted;
	return 1;
}

/* Gives n words, of which all have a page, or as many of the first as are alike, what the first is to have. How many. */
static __attribute__((noinline)) u32 words_change(u64 *word, u32 n, u64 flags, int write)
{
	u64 like = word[0] & ALIKE, *at = word;
	int alone = 1;

	if (write && (like & (MAPPED_WRITE | MAPPED_OWN)) == MAPPED_OWN)
		n = pages_alone(word, n, &alone);
	u64 wanted = word_wanted(like, flags, write, alone);
	for (; n >= 4; n -= 4, at += 4) {
		if (!word_change(at, like, wanted))
			return (u32)(at - word);
		if (!word_change(at + 1, like, wanted))
			return (u32)(at + 1 - word);
		if (!word_change(at + 2, like, wanted))
			return (u32)(at + 2 - word);
		if (!word_change(at + 3, like, wanted))
			return (u32)(at + 3 - word);
	}
	while (n && word_change(at, like, wanted))
		n--, at++;
	return (u32)(at - word);
}

/* The same for one page. */
static void page_reprotect(struct mm *mm, u64 va, u64 flags, int write)
{
	u64 *word = pages_word(mm, va, 0);

	if (!word || !(*word & MAPPED))
		return;
	u64 old = *word;
	int alone = write && (old & (MAPPED_WRITE | MAPPED_OWN)) == MAPPED_OWN &&
		    page_refs(mapped_page(old)) == 1;
	*word = word_wanted(old, flags, write, alone);
	u64 changed = (old ^ *word) & MAPPED_FLAGS;
	if (!(old & MAPPED_BOUND) || !changed)
		return;
	pages_flush();
	if (changed != MAPPED_WRITE || !(old & MAPPED_OWN) ||
	    aril_page_protect(family.auth, mm->space, va,
			      *word & MAPPED_WRITE ? ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE
						   : ARIL_PAGE_MAY_WRITE))
		batch_add(mm, ARIL_PROTECT, va, 0, bind_flags(*word), 1, 0);
}

void pages_reprotect(struct mm *mm, u64 start, u64 end, u64 flags, int write)
{
	struct row row = {.end = 0};
	struct page_walk w;

	if (end - start == PAGE) {
		page_reprotect(mm, start, flags, write);
		return;
	}
	pages_walk(&w, mm, start, end, LEAF_USED);
	while (w.bits || page_group(&w)) {
		u32 first = (u32)__builtin_ctzl(w.bits);
		u64 holes = ~(w.bits >> first), va = w.base + first * PAGE;
		u64 *word = &w.leaf->slot[w.group * 64 + first], old = *word;
		u32 n = words_change(word, holes ? (u32)__builtin_ctzl(holes) : 64, flags, write);

		w.bits &= n == 64 ? 0 : ~(((1ul << n) - 1) << first);
		if (!(old & MAPPED_BOUND) || !((old ^ *word) & MAPPED_FLAGS))
			continue;
		u32 bits = bind_flags(*word);
		if (row.end == va && row.flags == bits &&
		    va - row.start + n * PAGE <= ARIL_OP_PAGES * PAGE) {
			row.end += n * PAGE;
			continue;
		}
		row_end(mm, &row);
		row = (struct row){va, va + n * PAGE, bits,
				   old & MAPPED_OWN &&
					   ((old ^ *word) & MAPPED_FLAGS) == MAPPED_WRITE};
	}
	row_end(mm, &row);
}

/* The word is empty again, and its page let go. */
static void word_clear(struct mm *mm, u64 va, u64 *word, struct mm_node *leaf)
{
	leaf_clear(leaf, LEAF_USED, va);
	if (leaf->map[LEAF_COUNTED][va / GROUP_BYTES % LEAF_GROUPS] >> (va / PAGE & 63) & 1)
		page_put(mapped_page(*word));
	leaf_clear(leaf, LEAF_COUNTED, va);
	*word = 0;
	if (mm->rss > mm->rss_most)
		mm->rss_most = mm->rss;
	mm->rss--;
}

void pages_drop(struct mm *mm, u64 va, u64 *word)
{
	if (*word & MAPPED_BOUND)
		batch_add(mm, ARIL_UNBIND, va, 0, 0, 1, 0);
	word_clear(mm, va, word, leaf_of(mm, va, word));
}

void pages_swap(struct mm *mm, u64 va, u64 *word, u32 slot)
{
	struct mm_node *leaf = leaf_of(mm, va, word);

	if (*word & MAPPED)
		word_clear(mm, va, word, leaf);
	*word = (u64)slot << 12 | SWAPPED;
	leaf->swapped++;
	mm->swapped++;
}

void pages_unswap(struct mm *mm, u64 va, u64 *word)
{
	*word = 0;
	leaf_of(mm, va, word)->swapped--;
	mm->swapped--;
}

/* Unbinds some words of a group, and lets their pages go when nobody can reach them any more. */
static void group_unmap(struct mm *mm, struct mm_node *leaf, u64 base, u64 bits)
{
	u64 *word = &leaf->slot[base / PAGE & 511];

	for (u64 left = bits; left; left &= left - 1) {
		u32 i = (u32)__builtin_ctzl(left);

		if (word[i] & MAPPED_BOUND)
			batch_add(mm, ARIL_UNBIND, base + i * PAGE, 0, 0, 1, 0);
	}
	pages_flush();
	for (; bits; bits &= bits - 1) {
		u32 i = (u32)__builtin_ctzl(bits);

		word_clear(mm, base + i * PAGE, &word[i], leaf);
	}
}

void pages_unmap(struct mm *mm, u64 start, u64 end)
{
	u64 first = 0, last = 0;
	struct page_walk w;

	if (mm->swapped)
		swap_drop(mm, start, end);
	if (start / GROUP_BYTES == (end - 1) / GROUP_BYTES) {
		u64 *word = pages_word(mm, start, 0), base = start & ~(GROUP_BYTES - 1);

		if (word)
			group_unmap(
				mm, mm->hint, base,
				group_bits(
					mm->hint->map[LEAF_USED][base / GROUP_BYTES % LEAF_GROUPS],
					base, start, end));
		return;
	}
	pages_walk(&w, mm, start, end, LEAF_USED);
	while (page_next(&w)) {
		if (!last)
			first = w.va;
		last = w.va + PAGE;
		if (*w.word & MAPPED_BOUND)
			batch_add(mm, ARIL_UNBIND, w.va, 0, 0, 1, 0);
	}
	pages_flush();
	pages_walk(&w, mm, first, last, LEAF_USED);
	while (page_next(&w))
		word_clear(mm, w.va, w.word, w.leaf);
}
