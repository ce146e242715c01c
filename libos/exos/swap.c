/* SPDX-License-Identifier: MIT
 * Swapping to a memory device, which the domain's first env was granted: bound once, where all of the family see it.
 *
 * A page that goes out is one of a private, anonymous area that is not locked. Its word names a slot of the device instead, which has
 * a count of the words that name it; all spaces that share the page after a fork lose it together, and each gets a copy of
 * its own when it touches it. Invariants: (1) a word with SWAPPED has no other flag, and is in none of its leaf's maps;
 * leaf->swapped and mm->swapped count them. (2) A slot's count is the number of words that name it. (3) A page goes out only
 * while it is unbound and all its references are words': so nobody can write to it, and nobody in the middle of a call
 * loses it.
 *
 * Who goes out: a hand goes around over all spaces. What it finds bound it unbinds; what is still unbound when it comes by
 * again, nobody has touched meanwhile, and that goes. (The accessed bits of spaces that do not run cannot be read.) */
#include "swap.h"
#include "mem.h"
#include "mm_internal.h"
#include "pressure.h"
#include "sched.h"
#include "usermem.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>

#define BATCH 64u	     /* pages that are written out at a time, where one is wanted */
#define FUTILE_NS 50000000ul /* until it is tried again ahead, where nothing could go */

struct swap_counts swap_counts;
static u16 *counts; /* of each slot */
static u8 *store;   /* as all of the family see it */
static u32 next;    /* slot to look at first */
static struct {
	struct mm *mm; /* NULL: the first one */
	u64 va;
	u32 rounds; /* since it last found something */
} hand;

void swap_boot(void)
{
	const struct core_run *run = &family.domain->swap;
	u32 order = 0;

	if (!run->count)
		return;
	while (PAGE << order < run->count * sizeof(*counts))
		order++;
	counts = page_zalloc(order);
	store = counts ? device_map(run->first, run->count) : NULL;
	if (store)
		swap_counts.slots = run->count;
	else
		exos_log("exos: no memory for the books of %u pages of swap space", run->count);
}

/* The device may be taken at any moment. */
int swap_read(void *page, u32 slot)
{
	return user_copy(page, store + (u64)slot * PAGE, PAGE);
}

void swap_get(u32 slot)
{
	exos_assert(counts[slot] && counts[slot] != 0xffff);
	counts[slot]++;
}

void swap_put(u32 slot)
{
	exos_assert(counts[slot]);
	if (!--counts[slot])
		swap_counts.used--;
}

/* A free one, which is the caller's to count; there is one. */
static u32 slot_take(void)
{
	while (counts[next])
		next = next + 1 < swap_counts.slots ? next + 1 : 0;
	swap_counts.used++;
	return next;
}

/* --- words */

/* The words of a leaf in a range that name slots. */
struct swap_walk {
	struct mm_node *leaf;
	u64 va, end;
};

static void walk_begin(struct swap_walk *w, struct mm *mm, u64 start, u64 end)
{
	w->leaf = mm->swapped ? mm->leaves : NULL;
	w->va = start;
	w->end = end;
}

/* The next one, at w->va - PAGE; NULL: that was all. */
static u64 *walk_next(struct swap_walk *w)
{
	for (; w->leaf; w->leaf = w->leaf->next) {
		u64 first = w->leaf->base << 21, last = min(w->end, first + 512 * PAGE);

		if (first >= w->end)
			return NULL;
		if (!w->leaf->swapped)
			continue;
		for (w->va = max(w->va, first); w->va < last; w->va += PAGE) {
			u64 *word = &w->leaf->slot[w->va / PAGE & 511];

			if (!(*word & SWAPPED))
				continue;
			w->va += PAGE;
			return word;
		}
		sched_breathe();
	}
	return NULL;
}

void swap_drop(struct mm *mm, u64 start, u64 end)
{
	struct swap_walk w;
	u64 *word;

	walk_begin(&w, mm, start, end);
	while ((word = walk_next(&w))) {
		u32 slot = swapped_slot(*word);

		pages_unswap(mm, w.va - PAGE, word);
		swap_put(slot);
	}
}

u32 swap_count(struct mm *mm, u64 start, u64 end)
{
	struct swap_walk w;
	u32 n = 0;

	walk_begin(&w, mm, start, end);
	while (walk_next(&w))
		n++;
	return n;
}

/* Another word names the same slot. 0 or -ENOMEM. */
static s64 word_copy(struct mm *mm, u64 va, u64 word)
{
	u64 *to = pages_word(mm, va, 1);

	if (!to)
		return -ENOMEM;
	if (*to & MAPPED) /* of the last process in that space */
		pages_unmap(mm, va, va + PAGE);
	swap_get(swapped_slot(word));
	pages_swap(mm, va, to, swapped_slot(word));
	return 0;
}

s64 swap_move(struct mm *mm, u64 from, u64 to, u64 bytes)
{
	struct swap_walk w;
	s64 error = 0;
	u64 *word;

	walk_begin(&w, mm, from, from + bytes);
	while (!error && (word = walk_next(&w)))
		error = word_copy(mm, w.va - PAGE - from + to, *word);
	return error;
}

s64 swap_clone(struct mm *to, struct mm *from)
{
	struct swap_walk w;
	s64 error = 0;
	u64 *word;

	walk_begin(&w, from, 0, PROGRAM_TOP);
	while (!error && (word = walk_next(&w)))
		error = word_copy(to, w.va - PAGE, *word);
	return error;
}

/* --- out */

/* Whether a page of an area may go out at all. */
static int may_go(struct mm *mm, u64 va, u64 word)
{
	const struct area *area;

	if ((word & (MAPPED_OWN | MAPPED_SHARED | MAPPED_TEXT)) != MAPPED_OWN)
		return 0;
	area = mm_find(mm, va);
	return area && !area->inode &&
	       !(area->flags & (MAP_SHARED | AREA_LOCKED | AREA_STUBS | AREA_VDSO | AREA_SHM));
}

/* The words that have a page and may lose it: those of all spaces at one address, as fork left them. */
static u32 words_count(u64 va, const void *page)
{
	u32 n = 0;

	for (struct list *m = all_mms.next; m != &all_mms; m = m->next) {
		struct mm *mm = container_of(m, struct mm, all);
		const u64 *word = pages_word(mm, va, 0);

		n += word && (*word & (MAPPED | MAPPED_BOUND)) == MAPPED &&
		     mapped_page(*word) == page && may_go(mm, va, *word);
	}
	return n;
}

static void words_swap(u64 va, const void *page, u32 slot)
{
	for (struct list *m = all_mms.next; m != &all_mms; m = m->next) {
		struct mm *mm = container_of(m, struct mm, all);
		u64 *word = pages_word(mm, va, 0);

		if (word && (*word & (MAPPED | MAPPED_SHARED)) == MAPPED &&
		    mapped_page(*word) == page) {
			counts[slot]++;
			pages_swap(mm, va, word, slot);
		}
	}
}

/* Writes a page out that nobody has bound. 0: somebody else has it. */
static int page_out(struct mm *mm, u64 va, u64 *word)
{
	void *page = mapped_page(*word);
	u32 refs = page_refs(page), slot;

	if (refs != 1 && words_count(va, page) != refs)
		return 0;
	slot = slot_take();
	if (user_copy(store + (u64)slot * PAGE, page, PAGE)) {
		swap_counts.used--;
		swap_counts.slots = 0;
		return 0;
	}
	if (refs == 1) {
		counts[slot]++;
		pages_swap(mm, va, word, slot);
	} else {
		words_swap(va, page, slot);
	}
	swap_counts.out++;
	return 1;
}

/* The hand goes over one space from where it is, until enough are out, or enough was looked at: how many are. */
static u32 space_out(struct mm *mm, u32 first, u32 last, u32 most, u32 *looks)
{
	struct page_walk w;
	u32 done = 0;

	pages_walk(&w, mm, hand.va, PROGRAM_TOP, LEAF_COUNTED);
	while (done < most && *looks && swap_free() && page_next(&w)) {
		u32 frame = (u32)(*w.word >> 12);

		hand.va = w.va + PAGE;
		*looks -= *looks != ~0u;
		if (frame < first || frame > last || !may_go(mm, w.va, *w.word))
			continue;
		if (*w.word & MAPPED_BOUND)
			pages_unbind(mm, w.va, w.word);
		else
			done += (u32)page_out(mm, w.va, w.word);
	}
	pages_flush();
	return done;
}

static struct mm *mm_at(struct list *at)
{
	return at == &all_mms ? NULL : container_of(at, struct mm, all);
}

/* What it unbinds goes the second time around; and the first one began in the middle. */
#define ROUNDS 3

u32 swap_out(u32 first, u32 last, u32 most, u32 looks)
{
	u64 before = pages_free();
	u32 done = 0;

	if (!swap_counts.slots || list_empty(&all_mms))
		return 0;
	if (looks == ~0u)
		hand.rounds = 0;
	pages_flush();
	while (hand.rounds < ROUNDS && swap_free()) {
		if (!hand.mm)
			hand.mm = mm_at(all_mms.next);
		u32 n = space_out(hand.mm, first, last, most - done, &looks);
		done += n;
		hand.rounds = n ? 0 : hand.rounds;
		if (done >= most || !looks)
			break;
		hand.mm = mm_at(hand.mm->all.next);
		hand.va = 0;
		hand.rounds += !hand.mm;
	}
	u64 after = pages_free();
	return after > before ? (u32)(after - before) : 0;
}

int swap_spent(void)
{
	if (swap_free() && hand.rounds < ROUNDS)
		return 0;
	hand.rounds = 0;
	return 1;
}

/* Looking all around at every fault would cost more than it saves where what there is is locked, or of files. */
void swap_some(void)
{
	static u64 again;
	u64 free, low;

	if (!swap_free() || pressure_asked())
		return;
	free = pages_free();
	low = max(pages_total() / 32, 2ul * BATCH); /* more than files leave */
	if (free >= low || frames_due() >= low || now_ns() < again)
		return;
	if (!swap_out(0, ~0u, BATCH, ~0u))
		again = now_ns() + FUTILE_NS;
}

void swap_forget(const struct mm *mm)
{
	if (hand.mm != mm)
		return;
	hand.mm = mm_at(hand.mm->all.next);
	hand.va = 0;
}

/* --- the device */

int swap_give(void)
{
	const struct aril_grant *grants = (const struct aril_grant *)ARIL_INFO->grants_va;
	s64 error = -ARIL_E_AGAIN;

	if (!swap_counts.slots || swap_counts.used)
		return 0;
	swap_counts.slots = 0;
	for (u32 i = 0; i < ARIL_MAX_GRANTS; i++)
		if (grants[i].env == family.domain->env && grants[i].kind == ARIL_GRANT_MEMORY &&
		    grants[i].first == family.domain->swap.first)
			while (error == -ARIL_E_AGAIN)
				error = aril_grant_destroy(family.auth, i);
	return !error;
}
