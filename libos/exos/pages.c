/* SPDX-License-Identifier: MIT
 * Bindings of programs' pages: tables on demand, words that mirror them, kernel calls in batches. */
#include "mem.h"
#include "mm_internal.h"
#include "sched.h"
#include <aril_stubs.h>

#define BATCH 128u
static struct {
	struct mm *mm;
	u32 n;
	struct aril_space_op op[BATCH];
} batch;

static u32 index_of(u64 va, u32 level)
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

u64 *pages_word(struct mm *mm, u64 va, int create)
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
	return &node->slot[index_of(va, 1)];
}

u64 pages_next(struct mm *mm, u64 va, u64 end)
{
	while (va < end) {
		struct mm_node *node = &mm->root;
		u32 level = 4;

		while (level > 1 && node->slot[index_of(va, level)]) {
			node = (struct mm_node *)node->slot[index_of(va, level)];
			level--;
		}
		if (level == 1)
			return va;
		u64 step = 1ul << (12 + 9 * (level - 1));
		va = (va | (step - 1)) + 1;
	}
	return end;
}

/* One page: the calls for that are shorter, and faults are of one. Whether it was. */
static int flush_one(void)
{
	const struct aril_space_op *op = batch.op;

	if (batch.n != 1 || op->count != 1)
		return 0;
	if (op->kind == ARIL_BIND)
		return !aril_page_bind(family.auth, batch.mm->space, op->va, op->frame, op->flags,
				       op->auth);
	return op->kind == ARIL_UNBIND && !aril_page_unbind(family.auth, batch.mm->space, op->va);
}

void pages_flush(void)
{
	u32 done = 0;

	if (flush_one())
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

/* Adds one page's op; one that continues the last joins it. */
static void batch_add(struct mm *mm, u32 kind, u64 va, u32 frame, u32 flags)
{
	if (batch.n && batch.mm == mm) {
		struct aril_space_op *last = &batch.op[batch.n - 1];

		if (last->kind == kind && last->flags == flags &&
		    last->va + last->count * PAGE == va && last->count < ARIL_OP_PAGES &&
		    (kind != ARIL_BIND || last->frame + last->count == frame)) {
			last->count++;
			return;
		}
	}
	if (batch.n == BATCH || (batch.n && batch.mm != mm))
		pages_flush();
	batch.mm = mm;
	batch.op[batch.n++] = (struct aril_space_op){
		.va = va,
		.frame = frame,
		.count = 1,
		.kind = kind,
		.flags = flags,
		.auth = family.auth,
	};
}

static u32 bind_flags(u64 flags)
{
	return (flags & MAPPED_WRITE ? ARIL_BIND_WRITE : 0) |
	       (flags & MAPPED_EXEC ? ARIL_BIND_EXEC : 0) |
	       (flags & MAPPED_NOREAD ? ARIL_BIND_NOREAD : 0);
}

void pages_bind(struct mm *mm, u64 va, u64 *word, void *page, u64 flags)
{
	if (!(*word & MAPPED))
		mm->rss++;
	*word = (u64)page_frame(page) << 12 | MAPPED | flags;
	batch_add(mm, ARIL_BIND, va, page_frame(page), bind_flags(flags));
}

void pages_protect(struct mm *mm, u64 va, u64 *word, u64 flags)
{
	if ((*word & MAPPED_FLAGS) == (MAPPED | flags))
		return;
	*word = (*word & ~MAPPED_FLAGS) | MAPPED | flags;
	batch_add(mm, ARIL_PROTECT, va, 0, bind_flags(flags));
}

/* Calls fn for the words of each table in [start, end): va of the first, and how many. */
static void tables_walk(struct mm *mm, u64 start, u64 end, void (*fn)(struct mm *, u64, u64 *, u32))
{
	for (u64 va = pages_next(mm, start, end); va < end;) {
		u64 stop = min(end, (va | 0x1fffff) + 1);

		fn(mm, va, pages_word(mm, va, 0), (stop - va) / PAGE);
		va = pages_next(mm, stop, end);
		sched_breathe();
	}
}

/* From word i on, the first of n that may be in use: most of a stack or an arena is not, and is skipped in eights. */
static u32 words_skip(const u64 *word, u32 i, u32 n)
{
	while (i + 8 <= n && !((word[i] | word[i + 1] | word[i + 2] | word[i + 3] | word[i + 4] |
				word[i + 5] | word[i + 6] | word[i + 7]) &
			       MAPPED))
		i += 8;
	return i;
}

/* What the last walk unbound lies in there; end 0: nothing. */
static u64 unbound_start, unbound_end;

static void table_unbind(struct mm *mm, u64 va, u64 *word, u32 n)
{
	for (u32 i = words_skip(word, 0, n); i < n; i = words_skip(word, i + 1, n))
		if (word[i] & MAPPED) {
			batch_add(mm, ARIL_UNBIND, va + i * PAGE, 0, 0);
			if (!unbound_end)
				unbound_start = va + i * PAGE;
			unbound_end = va + (i + 1) * PAGE;
		}
}

static void table_let_go(struct mm *mm, u64 va, u64 *word, u32 n)
{
	(void)va;
	for (u32 i = words_skip(word, 0, n); i < n; i = words_skip(word, i + 1, n))
		if (word[i] & MAPPED) {
			page_put(mapped_page(word[i]));
			word[i] = 0;
			mm->rss--;
		}
}

/* A page is let go when nobody can reach it any more. */
void pages_unmap(struct mm *mm, u64 start, u64 end)
{
	unbound_end = 0;
	tables_walk(mm, start, end, table_unbind);
	pages_flush();
	tables_walk(mm, unbound_start, unbound_end, table_let_go);
}
