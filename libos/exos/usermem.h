/* SPDX-License-Identifier: MIT
 * Where ExOS's own accesses to the program's memory may fault. */
#ifndef EXOS_USERMEM_H
#define EXOS_USERMEM_H

#include "exos.h"

/* Where code that faulted at rip goes on; 0: it must not fault. */
u64 fixup_find(u64 rip);

#endif
