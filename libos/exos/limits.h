/* SPDX-License-Identifier: MIT
 * Resource limits that are looked at now and then. Family lock throughout. */
#ifndef EXOS_LIMITS_H
#define EXOS_LIMITS_H

#include "exos.h"

struct mm;
/* Whether the current process may map so much more (RLIMIT_AS), at start or anywhere (0). 0 or -ENOMEM. */
s64 limit_memory(const struct mm *mm, u64 start, u64 bytes);
/* Whether its user may have one more process or thread (RLIMIT_NPROC). 0 or -EAGAIN. */
s64 limit_processes(void);
/* Some process has a limit of processor time (RLIMIT_CPU) from now on: signals come when it is used up. */
void limit_time_begin(void);

#endif
