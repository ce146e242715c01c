/* SPDX-License-Identifier: MIT
 * Reading a newc cpio archive in memory, one entry after the other, trusting nothing in it. */
#ifndef CORE_CPIO_H
#define CORE_CPIO_H

#include <aril/types.h>

struct core_cpio_entry {
	const char *name; /* ended within the archive; without leading "/" and "./" */
	u64 offset;	  /* of the data, in the archive */
	u64 bytes;
	u32 ino, mode, uid, gid, nlink, mtime, rdev_major, rdev_minor;
};

/* How much of the archive from `at` on core_cpio_next may read (the data is not touched). */
#define CORE_CPIO_WINDOW 8192

/* The entry at *at (0 at first), which moves on. 1; 0 at the archive's end mark; -1 where it is malformed or
 * cut short: *at then says where. */
int core_cpio_next(const void *archive, u64 bytes, u64 *at, struct core_cpio_entry *entry);

#endif
