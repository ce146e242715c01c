/* SPDX-License-Identifier: MIT
 * An inverted page table: chains of entries. An entry is filled before its chain names it; one that is taken out keeps
 * its `next`, so that a finder that is at it goes on. */
#include <aril/layout.h>
#include <core/inverted.h>

static u32 *bucket_of(const struct core_inverted *t, u64 va)
{
	u64 hash = (va >> ARIL_PAGE_SHIFT) * 0x9e3779b97f4a7c15ul;

	return &t->first[hash >> 32 & (t->buckets - 1)];
}

/* The word that names the entry for va, or the chain's last. */
static u32 *link_to(const struct core_inverted *t, u64 va)
{
	u32 *link = bucket_of(t, va), at;

	while ((at = __atomic_load_n(link, __ATOMIC_ACQUIRE)) && t->entry[at - 1].va != va)
		link = &t->entry[at - 1].next;
	return link;
}

int core_inverted_find(const void *inverted, u64 va, struct core_translation *out)
{
	const struct core_inverted *t = inverted;
	u32 at = __atomic_load_n(link_to(t, va), __ATOMIC_ACQUIRE);

	if (!at)
		return 0;
	out->frame = t->entry[at - 1].frame;
	out->flags = t->entry[at - 1].flags;
	return 1;
}

int core_inverted_clear(struct core_inverted *t, u64 va)
{
	u32 *link = link_to(t, va), at = *link;

	if (!at)
		return 0;
	__atomic_store_n(link, t->entry[at - 1].next, __ATOMIC_RELEASE);
	t->entry[at - 1].used = 0;
	return 0;
}

int core_inverted_set(struct core_inverted *t, u64 va, u32 frame, u32 flags)
{
	struct core_inverted_entry *e;
	u32 *first = bucket_of(t, va), at = 0;

	for (u32 i = 0; i < t->nentries && !at; i++) {
		u32 n = (t->spare + i) % t->nentries;

		at = t->entry[n].used ? 0 : n + 1;
	}
	if (!at)
		return -1;
	t->spare = at % t->nentries;
	core_inverted_clear(t, va);
	e = &t->entry[at - 1];
	e->va = va, e->frame = frame, e->flags = (u16)flags, e->used = 1;
	e->next = *first;
	__atomic_store_n(first, at, __ATOMIC_RELEASE);
	return 0;
}
