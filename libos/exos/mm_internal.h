/* SPDX-License-Identifier: MIT
 * Pages of a program as ExOS remembers them, and changes of their bindings in batches. Family lock throughout.
 *
 * The kernel's tables say what is bound; ExOS keeps the same in words of its own, for spaces that do not run,
 * too. Invariants, whenever no batch is open: (1) a word with MAPPED names a page and holds a reference of it; with
 * BOUND it is bound there with exactly those flags, without it nothing is bound there until somebody touches it.
 * (2) Of each leaf, LEAF_USED has the words with MAPPED, LEAF_COUNTED those of them whose page is not the archive's.
 * (3) Who can run has no `old`. */
#ifndef EXOS_MM_INTERNAL_H
#define EXOS_MM_INTERNAL_H

#include "linux.h"
#include "mm.h"

#define MAPPED 1ul
#define MAPPED_WRITE 2ul
#define MAPPED_EXEC 4ul
#define MAPPED_NOREAD 8ul /* PROT_NONE */
#define MAPPED_FLAGS 15ul
#define MAPPED_OWN 16ul	   /* contents that no file has: fork must hand them on */
#define MAPPED_SHARED 32ul /* by the program's wish */
#define MAPPED_TEXT \
	64ul /* own, but a file's page with jumps to stubs, or stubs, and nobody else wrote to it */
#define MAPPED_KINDS (MAPPED_OWN | MAPPED_SHARED | MAPPED_TEXT)
#define MAPPED_BOUND 128ul
#define SWAPPED \
	256ul /* not MAPPED, nothing else: the page is in the slot << 12 of the swap space */

static inline u32 swapped_slot(u64 word)
{
	return (u32)(word >> 12);
}

extern struct list all_mms; /* of living processes */

static inline void *mapped_page(u64 word)
{
	return frame_page(word >> 12);
}

/* ---- pages.c ---- */
/* The space and its root's words, with the shared slots. 0 or -ENOMEM. */
s64 pages_create(struct mm *mm);
/* Gives back the space, its tables and its pages; no env may run in it. */
void pages_destroy(struct mm *mm);
/* The leaf for va; NULL where there is no table and create is 0, or no memory for one. */
struct mm_node *leaf_find(struct mm *mm, u64 va, int create);
/* The word of a page; NULL as above. */
static inline u64 *pages_word(struct mm *mm, u64 va, int create)
{
	struct mm_node *leaf = mm->hint;

	if (!leaf || leaf->base != va >> 21)
		leaf = leaf_find(mm, va, create);
	return leaf ? &leaf->slot[va / PAGE & 511] : NULL;
}
/* A bit of a leaf's maps. */
static inline void leaf_set(struct mm_node *leaf, u32 map, u64 va)
{
	u32 group = va / (64 * PAGE) % LEAF_GROUPS;

	leaf->map[map][group] |= 1ul << (va / PAGE & 63);
	leaf->any[map] |= 1ul << group;
}
static inline void leaf_clear(struct mm_node *leaf, u32 map, u64 va)
{
	leaf->map[map][va / (64 * PAGE) % LEAF_GROUPS] &= ~(1ul << (va / PAGE & 63));
}
/* The words in a range whose bit is set in one of the leaves' maps, one after the other. Words that were passed may change. */
struct page_walk {
	u64 va, *word; /* this one */
	struct mm_node *leaf;
	u64 start, end, groups; /* groups: what of the leaf was not seen yet */
	u64 base, bits;		/* of the group: its first address, and what was not seen yet */
	u32 map, group;
};
void pages_walk(struct page_walk *w, struct mm *mm, u64 start, u64 end, u32 map);
int page_group(struct page_walk *w); /* to the next 64 words of which one is to be seen; 0: none */
/* 0: that was all. */
static inline int page_next(struct page_walk *w)
{
	if (!w->bits && !page_group(w))
		return 0;
	u32 bit = (u32)__builtin_ctzl(w->bits);

	w->bits &= w->bits - 1;
	w->va = w->base + bit * PAGE;
	w->word = &w->leaf->slot[w->group * 64 + bit];
	return 1;
}
/* Binds page and records it; flags: those of bindings and MAPPED_KINDS. Its reference goes to the word; the one of the page
 * there before stays the caller's to drop after pages_flush. */
void pages_bind(struct mm *mm, u64 va, u64 *word, void *page, u64 flags);
/* The same at once: the page there before may be dropped. For one page it is shorter; where there was one, nothing is bound
 * there for a moment. */
void pages_place(struct mm *mm, u64 va, u64 *word, void *page, u64 flags);
/* As pages_bind, but it is bound only when somebody touches it. Nothing must be bound there. */
void pages_hold(struct mm *mm, u64 va, u64 *word, void *page, u64 flags);
/* Binds what a word holds. */
void pages_touch(struct mm *mm, u64 va, u64 *word);
/* Other flags for what is mapped. */
void pages_protect(struct mm *mm, u64 va, u64 *word, u64 flags);
/* The same for all that is mapped in a range, as area_flags(…, 0) says, and for writing where write is set and a page is
 * the space's alone. */
void pages_reprotect(struct mm *mm, u64 start, u64 end, u64 flags, int write);
/* Takes one page out of a space that does not run, where its reference may be dropped before it is unbound. */
void pages_drop(struct mm *mm, u64 va, u64 *word);
/* Unbinds [start, end) and drops the references. */
void pages_unmap(struct mm *mm, u64 start, u64 end);
/* What a word has bound is held from here on. */
void pages_unbind(struct mm *mm, u64 va, u64 *word);
/* A word names a slot instead of its page, if it has one, which is let go and not bound; or nothing instead of a slot. */
void pages_swap(struct mm *mm, u64 va, u64 *word, u32 slot);
void pages_unswap(struct mm *mm, u64 va, u64 *word);
/* Does what was asked for since the last time. */
void pages_flush(void);

/* ---- area.c ---- */
/* The flags with which area's pages are bound for reading, and for writing once they may be written. */
u64 area_flags(const struct area *area, int writable);
/* Splits areas so that start and end are borders. 0 or -ENOMEM. */
s64 area_split(struct mm *mm, u64 start, u64 end);
/* Cuts an area in two at a place inside it: the upper one; NULL: no memory. */
struct area *area_cut(struct area *area, u64 at);
/* Joins an area with its neighbours where they continue it: it may be gone. */
void area_join(struct mm *mm, struct area *area);
/* Joins neighbours in [start, end] that continue each other. */
void area_merge(struct mm *mm, u64 start, u64 end);
/* The first area that ends after addr, or NULL. */
struct area *area_from(struct mm *mm, u64 addr);
struct area *area_next(struct mm *mm, struct area *area);
/* A free place for bytes, at or around hint where it is free, else from above. 0: none. */
u64 area_place(struct mm *mm, u64 hint, u64 bytes);
/* Removes areas and pages in a range. 0 or -ENOMEM. */
s64 area_unmap(struct mm *mm, u64 start, u64 end);
/* Fills every page of a range now: shared anonymous memory, which fork must find. 0 or -ENOMEM. */
s64 area_populate(struct mm *mm, u64 start, u64 end);
/* Whether every page of a range lies in an area. */
int area_mapped(struct mm *mm, u64 start, u64 end);

/* Forgets an area; its pages are gone. */
void area_free(struct mm *mm, struct area *area);
/* What a fresh page of an area is besides its flags. */
u64 area_kind(const struct area *area);

/* ---- pool.c ---- */
/* Nobody runs in the space any more: it is kept for the next process, or destroyed. */
void pool_put(struct mm *mm);
/* One that was kept, best one of the same program; NULL: a new one is to be made. */
struct mm *pool_take(const void *program, u32 forked);
/* An area that was just added: pages that the last process left there are made into what it has. */
void pool_claim(struct mm *mm, const struct area *area);
/* The same for fork, where the pages are looked at afterwards: the area itself where it can be used again, or NULL. */
struct area *pool_area(struct mm *mm, const struct area *area);
/* What is left of the last process goes; its stubs stay where stubs is set, and what jumps there: 0: they could not. */
int pool_settle(struct mm *mm, int stubs);

/* ---- fault.c ---- */
/* Makes the page at addr accessible as error (the CPU's) says: 0, a signal or FAULT_LATER. */
int mm_fault_in(struct mm *mm, u64 addr, u64 error, int *code);
/* The same for who goes through many pages: one that is there already is left, and others may have the lock in between. 0 or a signal. */
int mm_bring(struct mm *mm, u64 addr, u64 error);

/* Among an area's flags, of a shared file not open for writing: PROT_WRITE is refused. */
#define AREA_READ_ONLY 0x40000000u
/* Of mlock: its pages are there. */
#define AREA_LOCKED 0x04000000u
/* Of madvise: not in a core file. */
#define AREA_NO_DUMP 0x02000000u
/* Of a System V segment. */
#define AREA_SHM 0x08000000u

/* And of pages of stubs. */
#define AREA_STUBS 0x20000000u
/* And of the vDSO's. */
#define AREA_VDSO 0x10000000u

#define FAULT_WRITE 2ul
#define FAULT_EXEC 16ul
#define FAULT_KEY 32ul /* the page's protection key */
/* Whether an area's protection has what a fault with this error asked for. */
static inline int area_allows(const struct area *area, u64 error)
{
	u32 wanted = PROT_READ | PROT_WRITE | PROT_EXEC;

	if (error & FAULT_WRITE)
		wanted = PROT_WRITE;
	else if (error & FAULT_EXEC)
		wanted = PROT_EXEC;
	return (area->prot & wanted) != 0;
}

static inline u64 page_down(u64 at)
{
	return at & ~(PAGE - 1);
}
static inline u64 page_up(u64 at)
{
	return (at + PAGE - 1) & ~(PAGE - 1);
}

#endif
