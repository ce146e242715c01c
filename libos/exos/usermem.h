/* SPDX-License-Identifier: MIT
 * Where ExOS's own accesses to the program's memory may fault. */
#ifndef EXOS_USERMEM_H
#define EXOS_USERMEM_H

#include "exos.h"

/* Where code that faulted at rip goes on; 0: it must not fault. */
u64 fixup_find(u64 rip);
/* entry.S: copies between any two places. 0, or -1 at a fault that nothing resolves: part may be copied then. */
int user_copy(void *to, const void *from, u64 bytes);

#endif
