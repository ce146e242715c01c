/* SPDX-License-Identifier: MIT
 * Memory that is to stay. Family lock throughout. */
#ifndef EXOS_MLOCK_H
#define EXOS_MLOCK_H

#include "exos.h"

struct mm;
/* Whether so much more may be mapped by who has all locked that it maps, or asks for it (MAP_LOCKED). 0 or -EAGAIN. */
s64 mlock_check(const struct mm *mm, u64 bytes, int asked);
/* A range was mapped: it is locked, if it is to be. */
void mlock_mapped(struct mm *mm, u64 start, u64 end, int asked);

s64 sys_mlock(u64 addr, u64 bytes);
s64 sys_mlock2(u64 addr, u64 bytes, u64 flags);
s64 sys_munlock(u64 addr, u64 bytes);
s64 sys_mlockall(u64 flags);
s64 sys_munlockall(void);

#endif
