/* SPDX-License-Identifier: MIT
 * Making a cache and taking it apart: see cache.h. A cache that is dying serves and holds nothing new; its frames are
 * what they are until all its bindings are gone. */
#include "arch.h"
#include "cache.h"
#include "util.h"

#define ROOT_WORDS 256 /* in a root's shadow: above those of user entries */
#define ROOT_CACHES 4

static inline u64 *entries(u32 table)
{
	return frame_memory(table);
}

static inline u32 entry_frame(u64 entry)
{
	return (entry & PTE_ADDR) >> ARIL_PAGE_SHIFT;
}

static inline u64 stlb(u32 id)
{
	return entries(id / CACHE_ENTRIES)[id % CACHE_ENTRIES];
}

/* n consecutive frames that a may turn into kernel state: 0 or -E. */
static s64 donation_check(const struct auth *a, u32 first, u32 n)
{
	if ((u64)first + n > nframes)
		return -ARIL_E_FRAME;
	for (u32 f = first; f < first + n; f++) {
		s64 error = frame_check(f, a, ARIL_OWN);

		if (!error)
			error = frame_idle(f);
		if (error)
			return error;
	}
	return 0;
}

static int apart(u32 a, u32 na, u32 b, u32 nb)
{
	return a + na <= b || b + nb <= a;
}

static s64 desc_decode(const struct auth *a, const struct aril_cache_desc *d)
{
	s64 error;

	if (d->va % ARIL_CACHE_BYTES)
		return -ARIL_E_RANGE;
	if (d->va >= ARIL_USER_TOP)
		return -ARIL_E_RANGE;
	if (d->ntables < 2)
		return -ARIL_E_RANGE;
	if (d->ntables > ARIL_CACHE_TABLES)
		return -ARIL_E_RANGE;
	if (!d->nstlb || d->nstlb & (d->nstlb - 1))
		return -ARIL_E_RANGE;
	if (d->nstlb > ARIL_CACHE_STLB)
		return -ARIL_E_RANGE;
	if (d->zero)
		return -ARIL_E_RANGE;
	error = donation_check(a, d->frame, 1);
	if (error)
		return error;
	error = donation_check(a, d->table_first, d->ntables);
	if (error)
		return error;
	error = donation_check(a, d->stlb_first, 2 * d->nstlb);
	if (error)
		return error;
	if (!apart(d->frame, 1, d->table_first, d->ntables))
		return -ARIL_E_RANGE;
	if (!apart(d->frame, 1, d->stlb_first, 2 * d->nstlb))
		return -ARIL_E_RANGE;
	if (!apart(d->table_first, d->ntables, d->stlb_first, 2 * d->nstlb))
		return -ARIL_E_RANGE;
	return 0;
}

/* The level 2 table can be a cache's: 0 or -E. *level2: which. */
static s64 place_decode(u32 space, u64 va, u32 *level2)
{
	const u64 *level3 = space_entry(space, va, 3);

	if (!level3)
		return -ARIL_E_TABLE;
	if (!(*level3 & PTE_P))
		return -ARIL_E_TABLE;
	*level2 = entry_frame(*level3);
	if (frames[*level2].flags & ARIL_FRAME_CACHED)
		return -ARIL_E_STATE;
	if (frames[*level2].refs != 1)
		return -ARIL_E_STATE;
	if (frames[frames[*level2].head / CACHE_ENTRIES].refs != 1)
		return -ARIL_E_STATE;
	for (u32 i = 0; i < CACHE_ENTRIES; i++)
		if (entries(*level2)[i])
			return -ARIL_E_STATE;
	return 0;
}

/* The space's words for its caches. */
static u64 *root_words(u32 space)
{
	return &entries(frames[space].partner)[ROOT_WORDS];
}

/* The root's word that holds this (0: a free one), or NULL. */
static u64 *root_word(u32 space, u32 frame)
{
	for (u32 i = 0; i < ROOT_CACHES; i++)
		if (root_words(space)[i] == frame)
			return &root_words(space)[i];
	return NULL;
}

static void frames_retype(const struct aril_cache_desc *d, u32 level2)
{
	frame_retype(d->frame, ARIL_FRAME_CACHE, 0, level2, 1);
	for (u32 i = 0; i < d->ntables; i++)
		frame_retype(d->table_first + i, ARIL_FRAME_POOL, 0, d->frame, 1);
	for (u32 i = 0; i < d->nstlb; i++) {
		u32 table = d->stlb_first + i, shadow = table + d->nstlb;

		frame_retype(table, ARIL_FRAME_STLB, 0, shadow, 1);
		frame_retype(shadow, ARIL_FRAME_SHADOW, 0, table, 1);
		frames[table].tag = d->frame;
	}
}

s64 call_cache_create(u32 auth, u32 space, const struct aril_cache_desc *user)
{
	struct aril_cache_desc d;
	u32 level2;

	s64 error = space_allowed(auth, space);
	if (error)
		return error;
	if (copy_from_user(&d, user, sizeof(d)))
		return -ARIL_E_ADDR;
	error = desc_decode(auth_get(this_cpu()->env, auth), &d);
	if (error)
		return error;
	error = place_decode(space, d.va, &level2);
	if (error)
		return error;
	if (!root_word(space, 0))
		return -ARIL_E_QUOTA;
	frames_retype(&d, level2);
	struct cache *c = frame_memory(d.frame);
	c->seen.va = d.va;
	c->seen.space = space;
	c->seen.ntables = d.ntables;
	c->seen.nstlb = d.nstlb;
	c->frame = d.frame;
	c->level2 = level2;
	c->table_first = d.table_first;
	c->stlb_first = d.stlb_first;
	c->index_bits = 9 + __builtin_ctz(d.nstlb);
	*root_word(space, 0) = d.frame;
	frames[level2].tag = d.frame;
	__atomic_or_fetch(&frames[level2].flags, ARIL_FRAME_CACHED, __ATOMIC_RELEASE);
	frames[space].flags |= ARIL_FRAME_CACHED; /* page faults there ask from now on */
	return 0;
}

/* Takes its page tables away from everyone. */
static void cache_stop(struct cache *c, int *stale)
{
	write_once(c->dying, 1);
	smp_quiesce();
	for (u32 i = 0; i < c->seen.ntables; i++) {
		if (c->place[i])
			write_once(entries(c->level2)[c->place[i] - 1], 0);
		c->place[i] = 0;
	}
	*stale = 1;
}

static void cache_release(struct cache *c)
{
	u32 space = c->seen.space, first = c->stlb_first, nstlb = c->seen.nstlb, frame = c->frame;

	*root_word(space, frame) = 0;
	frames[c->level2].flags &= ~ARIL_FRAME_CACHED;
	frames[c->level2].tag = 0;
	if (!(root_words(space)[0] | root_words(space)[1] | root_words(space)[2] |
	      root_words(space)[3]))
		frames[space].flags &= ~ARIL_FRAME_CACHED;
	smp_quiesce(); /* a fault that found it before this is through: nobody looks at its frames any more */
	for (u32 i = 0; i < c->seen.ntables; i++)
		frame_release(c->table_first + i);
	for (u32 i = 0; i < nstlb; i++) {
		frames[first + i].tag = 0;
		frame_release(first + i);
		frame_release(first + nstlb + i);
	}
	frame_release(frame);
}

int cache_destroy(u32 frame, u32 *budget, int *stale)
{
	if (frames[frame].state == ARIL_FRAME_STLB)
		frame = frames[frame].tag;
	else if (frames[frame].state == ARIL_FRAME_POOL)
		frame = frames[frame].partner;
	struct cache *c = frame_memory(frame);
	if (!c->dying)
		cache_stop(c, stale);
	for (u32 id = c->stlb_first * CACHE_ENTRIES;
	     id < (c->stlb_first + c->seen.nstlb) * CACHE_ENTRIES; id++) {
		if (!stlb(id))
			continue;
		if (!*budget)
			return 0;
		--*budget;
		cache_entry_remove(c, id, stale);
	}
	for (u32 i = 0; i < c->seen.nstlb; i++)
		if (!space_break_all(c->stlb_first + i, budget, stale))
			return 0;
	if (!space_break_all(frame, budget, stale))
		return 0;
	if (*budget < WAIT_COST)
		return 0;
	*budget -= WAIT_COST;
	cache_release(c);
	return 1;
}

int cache_destroy_all(u32 table, u32 *budget, int *stale)
{
	if (!(frames[table].flags & ARIL_FRAME_CACHED))
		return 1;
	if (frames[table].state == ARIL_FRAME_TABLE)
		return cache_destroy(frames[table].tag, budget, stale);
	for (u32 i = 0; i < ROOT_CACHES; i++) {
		u32 frame = root_words(table)[i];

		if (frame && !cache_destroy(frame, budget, stale))
			return 0;
	}
	return 1;
}
