/* SPDX-License-Identifier: MIT
 * Pages of a program as ExOS remembers them, and changes of their bindings in batches. Family lock throughout.
 *
 * The kernel's tables say what is bound; ExOS keeps the same in words of its own, for spaces that do not run,
 * too. Invariant, whenever no batch is open: a word with MAPPED names a page that is bound there with exactly
 * those flags, and holds a reference of it. */
#ifndef EXOS_MM_INTERNAL_H
#define EXOS_MM_INTERNAL_H

#include "linux.h"
#include "mm.h"

#define MAPPED 1ul
#define MAPPED_WRITE 2ul
#define MAPPED_EXEC 4ul
#define MAPPED_NOREAD 8ul /* PROT_NONE */
#define MAPPED_FLAGS 15ul

static inline void *mapped_page(u64 word)
{
	return frame_page(word >> 12);
}

/* ---- pages.c ---- */
/* The space and its root's words, with the shared slots. 0 or -ENOMEM. */
s64 pages_create(struct mm *mm);
/* Gives back the space, its tables and its pages; no env may run in it. */
void pages_destroy(struct mm *mm);
/* The word of a page; NULL where there is no table and create is 0, or no memory for one. */
u64 *pages_word(struct mm *mm, u64 va, int create);
/* First page at or after va, below end, whose word may be in use: skips what has no table. */
u64 pages_next(struct mm *mm, u64 va, u64 end);
/* Binds page and records it. Its reference goes to the word; the one of the page there before stays the caller's
 * to drop after pages_flush. */
void pages_bind(struct mm *mm, u64 va, u64 *word, void *page, u64 flags);
/* Other flags for what is mapped. */
void pages_protect(struct mm *mm, u64 va, u64 *word, u64 flags);
/* Unbinds [start, end) and drops the references. */
void pages_unmap(struct mm *mm, u64 start, u64 end);
/* Does what was asked for since the last time. */
void pages_flush(void);

/* ---- area.c ---- */
/* The flags with which area's pages are bound for reading, and for writing once they may be written. */
u64 area_flags(const struct area *area, int writable);
/* Splits areas so that start and end are borders. 0 or -ENOMEM. */
s64 area_split(struct mm *mm, u64 start, u64 end);
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

/* ---- fault.c ---- */
/* Makes the page at addr accessible as error (the CPU's) says: 0 or a signal. */
int mm_fault_in(struct mm *mm, u64 addr, u64 error, int *code);

/* Among an area's flags, of a shared file not open for writing: PROT_WRITE is refused. */
#define AREA_READ_ONLY 0x40000000u

#define FAULT_WRITE 2ul
#define FAULT_EXEC 16ul

static inline u64 page_down(u64 at)
{
	return at & ~(PAGE - 1);
}
static inline u64 page_up(u64 at)
{
	return (at + PAGE - 1) & ~(PAGE - 1);
}

#endif
