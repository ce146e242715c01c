/* SPDX-License-Identifier: MIT
 * Frames that the family gives back to the kernel, and those that it may have again. Family lock. */
#include "mem.h"
#include "memory.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>
#include <core/frames.h>
#include <core/string.h>

#define MORE 256u /* frames that are asked for at a time, where they are free */

/* How many frames the account may have beyond those that it has. */
u32 frames_due(void)
{
	const volatile struct aril_account *a =
		(const volatile struct aril_account *)ARIL_INFO->accounts_va +
		(family.domain->account & 0xffff);
	u32 limit = a->limit[ARIL_QUOTA_FRAMES], used = a->used[ARIL_QUOTA_FRAMES];

	return limit > used ? limit - used : 0;
}

/* Frames that nothing binds go back to the kernel: the account may have fewer from here on. How many. */
static u32 frames_return(u32 first, u32 count)
{
	u32 done = 0;

	while (done < count) {
		u32 n = min(count - done, ARIL_BATCH_PAGES);
		s64 r = aril_frame_free(family.auth, first + done, n);

		if (r == -ARIL_E_AGAIN)
			continue;
		if (r <= 0)
			exos_panic("exos: giving frame %u back: error %ld", first + done, (long)-r);
		done += (u32)r;
	}
	total_count -= done;
	return done;
}

/* Of the runs that were never used: from their ends. */
static u32 runs_surrender(u32 first, u32 last, u32 most)
{
	u32 done = 0;

	for (u32 i = 0; i < nruns && done < most;) {
		struct core_run *run = &runs[i];
		u32 end = run->first + run->count;
		u32 from = max(run->first, first), to = last < end ? last + 1 : end;

		if (from >= to || (to < end && nruns == CORE_RUNS)) {
			i++;
			continue;
		}
		u32 n = min(to - from, most - done);
		from = to - n;
		run->count = from - run->first;
		if (to < end)
			runs[nruns++] = (struct core_run){to, end - to};
		if (!run->count)
			*run = runs[--nruns];
		else
			i++;
		done += frames_return(from, n);
	}
	return done;
}

static u32 pool_surrender(u32 first, u32 last, u32 most)
{
	u32 done = 0;

	for (u32 i = 0; i < pool_count && done < most;) {
		u32 frame = pool[i];

		if (frame < first || frame > last) {
			i++;
			continue;
		}
		pool[i] = pool[--pool_count];
		*page_of(frame) = (struct page){.state = PAGE_ABSENT};
		done += frames_return(frame, 1);
	}
	return done;
}

/* A free block that is not wanted whole becomes two. */
static void block_halve(u32 frame, u32 order)
{
	list_del(frame_page(frame));
	block_insert(frame, order - 1);
	block_insert(frame + (1u << (order - 1)), order - 1);
}

/* Blocks that are to be given: unbound together, as each time all processors must drop what they know. */
#define LEAVING 128u
static struct {
	u32 n;
	struct aril_space_op op[LEAVING];
} leaving;

static void blocks_leave(void)
{
	u32 done = 0;

	while (done < leaving.n) {
		s64 r = aril_space_update(family.auth, family.domain->space, leaving.op + done,
					  leaving.n - done);

		if (r < 0 && r != -ARIL_E_AGAIN)
			exos_panic("exos: unbinding frame %u to give it back: error %ld",
				   leaving.op[done].frame, (long)-r);
		done += r > 0 ? (u32)r : 0;
	}
	for (u32 i = 0; i < leaving.n; i++)
		frames_return(leaving.op[i].frame, leaving.op[i].count);
	leaving.n = 0;
}

static u32 block_surrender(u32 frame, u32 order)
{
	u32 count = 1u << order;

	list_del(frame_page(frame));
	free_count -= count;
	for (u32 i = 0; i < count; i++)
		*page_of(frame + i) = (struct page){.state = PAGE_ABSENT};
	leaving.op[leaving.n++] = (struct aril_space_op){
		.va = (u64)frame_page(frame),
		.frame = frame,
		.count = count,
		.kind = ARIL_UNBIND,
		.auth = family.auth,
	};
	if (leaving.n == LEAVING)
		blocks_leave();
	return count;
}

static u32 blocks_surrender(u32 first, u32 last, u32 most)
{
	u32 done = 0;

	for (u32 order = ORDERS; order--;) {
		struct list *next;

		for (struct list *at = free_lists[order].next;
		     at != &free_lists[order] && done < most; at = next) {
			u32 frame = page_frame(at), end = frame + (1u << order) - 1;

			next = at->next;
			if (frame > last || end < first)
				continue;
			if (frame >= first && end <= last && 1u << order <= most - done)
				done += block_surrender(frame, order);
			else
				block_halve(frame, order); /* an order below: looked at next */
		}
	}
	blocks_leave();
	return done;
}

u32 pages_surrender(u32 first, u32 last, u32 most)
{
	u32 done = runs_surrender(first, last, most);

	loose_join();
	done += blocks_surrender(first, last, most - done);
	return done + pool_surrender(first, last, most - done);
}

/* Frames that are nobody's, as far as the account's limit goes: it may have given some, and may have them again. */
int frames_more(void)
{
	const struct core_domain *d = family.domain;
	struct core_want want = {.count = MORE};
	struct aril_guard guard = {.rights = ARIL_ALL, .len = d->cap.len};
	s64 first = -ARIL_E_FRAME;

	memcpy(guard.name, d->cap.name, d->cap.len);
	if (nruns == CORE_RUNS || !frames_due())
		return 0;
	for (; want.count >= 8 && first < 0; want.count /= 2)
		first = core_frames_take(family.auth, d->account, &want, &guard);
	if (first < 0)
		return 0;
	runs[nruns++] = (struct core_run){(u32)first, 2 * want.count};
	total_count += 2 * want.count;
	return 1;
}
