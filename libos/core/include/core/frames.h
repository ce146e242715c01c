/* SPDX-License-Identifier: MIT
 * Allocation by the library's own choice: which frames are free is in the kernel's exposed table; here they are looked
 * for by number, colour, run and alignment, and taken by frame_alloc. */
#ifndef CORE_FRAMES_H
#define CORE_FRAMES_H

#include <aril/cap.h>
#include <core/map.h>

/* count consecutive frames, the first of them f with f % align == 0, (f & colour_mask) == colour, from <= f and
 * f + count - 1 <= last. 0 in count and align means 1, in last: the machine's. */
struct core_want {
	u32 count;
	u32 align; /* a power of two */
	u32 colour_mask, colour;
	u32 from, last;
};

/* The first such run that is free now, by the exposed table; 0: there is none. */
u32 core_frames_find(const struct core_want *want);
/* Finds and takes them, charged to account and guarded so; looks on where another env was faster. The first; -E_FRAME:
 * there is no such run; or the kernel's refusal (QUOTA: the account's limit), nothing taken. */
s64 core_frames_take(u32 auth, u32 account, const struct core_want *want,
		     const struct aril_guard *guard);
/* Gives count frames back, whatever they are now; 0, or the kernel's refusal. */
s64 core_frames_free(u32 auth, u32 first, u32 count);
/* 512 frames from an aligned first on become one of 2 MiB; and back, unbound. 0 or the kernel's refusal. */
s64 core_frames_join(u32 auth, u32 first);
s64 core_frames_split(u32 auth, u32 first);
/* Binds frames of 2 MiB: count of them, `frame` the first of the first, at an aligned va; adds the tables of the upper
 * levels. Where a table of level 1 is in the place: -E_TABLE. Unbinds. */
s64 core_map_large(const struct core_space *space, u64 va, u32 frame, u32 count, u32 flags,
		   u32 auth);
s64 core_unmap_large(const struct core_space *space, u64 va, u32 count);

#endif
