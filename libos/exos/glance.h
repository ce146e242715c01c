/* SPDX-License-Identifier: MIT
 * Glances: files and names are read without the family lock.
 *
 * Who changes what glances go by does so with the family lock, and counts it: a descriptor that leaves its table
 * (files->changes), pages that leave their file (inode->changes), names and who may pass through directories (tree_changes).
 * A count is odd while a change is under way. A glance reads the counts, then all that it needs, then the counts again: were
 * they even and are they the same, all of it was there at once; else it has MISSED, and its caller does the call with the lock.
 * What it reads may be given back meanwhile and be anything, or nothing: so every such word is read by PEEK, and bytes by
 * user_copy, which a fault ends.
 *
 * A glance waits for nobody, and all that it writes for others to see is an offset, at its very end and at once, if that is still
 * where it began: who is stopped or ended in one hinders nobody. */
#ifndef EXOS_GLANCE_H
#define EXOS_GLANCE_H

#include "inode.h"
#include "quick.h"
#include <peek.h>

/* No error of Linux's: quick calls that miss (quick.h) are made again with the lock. */
#define GLANCE_MISSED ((s64)QUICK_NO)

/* Family lock. One that was ended in the middle of a change left the count odd: the next change makes it even. Changes of one
 * count are not made within each other. */
static inline void change_begin(u32 *count)
{
	__atomic_store_n(count, *count | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQ_REL);
}
static inline void change_end(u32 *count)
{
	__atomic_thread_fence(__ATOMIC_ACQ_REL);
	__atomic_store_n(count, (*count | 1) + 1, __ATOMIC_RELAXED);
}
/* The same for names, which change within a larger change, too: what begins it is given to what ends it. */
static inline u32 tree_change_begin(void)
{
	u32 within = tree_changes & 1;
	change_begin(&tree_changes);
	return within;
}
static inline void tree_change_end(u32 within)
{
	if (!within)
		change_end(&tree_changes);
}
/* What a count is now, and whether it still is. */
static inline u32 glance_begin(const u32 *count)
{
	return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}
static inline int glance_holds(const u32 *count, u32 began)
{
	__atomic_thread_fence(__ATOMIC_ACQ_REL);
	return !(began & 1) && __atomic_load_n(count, __ATOMIC_RELAXED) == began;
}

/* Calls of the current process without the lock, on regular files and (glance_list, lseek) directories: their results, or
 * GLANCE_MISSED. */
s64 glance_read(u32 fd, u64 to, u64 bytes);
s64 glance_readv(u32 fd, u64 vec, u64 count);
s64 glance_preadv(u32 fd, u64 vec, u64 count, u64 offset);
s64 glance_list(u32 fd, u64 to, u64 bytes); /* getdents64 */
s64 glance_lseek(u32 fd, u64 offset, u32 whence);

/* What a walk went by. */
struct glance {
	const struct files *files; /* NULL: it began at no descriptor */
	u32 files_began, tree_began;
};
/* walk_user without the lock: 0, -E or GLANCE_MISSED, and it is so if glance_walk_holds says so afterwards. Nothing in w is
 * referenced: there is no walk_done. */
s64 glance_walk(struct walk *w, struct glance *g, s32 dir, u64 path, u32 flags);
int glance_walk_holds(const struct glance *g);

#endif
