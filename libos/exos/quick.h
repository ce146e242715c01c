/* SPDX-License-Identifier: MIT
 * Quick calls: system calls that return at once, most of the time. entry.S gives such a function the call's arguments and
 * saves of the program's registers only what C does not keep.
 *
 * A quick function either does the whole call and returns its result, or has done nothing yet and returns QUICK_NO: then the
 * call takes the ordinary way. It neither sleeps nor waits for the family lock (family_try, sched.h), looks at no struct
 * user_regs, and asks for no restart. It may touch the program's memory by copy_in and copy_out. */
#ifndef EXOS_QUICK_H
#define EXOS_QUICK_H

#define QUICK_NO (-4096)

/* Numbers and names; the function is quick_NAME. */
#define EXOS_QUICK(QUICK)         \
	QUICK(0, read)            \
	QUICK(4, stat)            \
	QUICK(5, fstat)           \
	QUICK(6, lstat)           \
	QUICK(17, pread64)        \
	QUICK(21, access)         \
	QUICK(24, sched_yield)    \
	QUICK(39, getpid)         \
	QUICK(96, gettimeofday)   \
	QUICK(102, getuid)        \
	QUICK(104, getgid)        \
	QUICK(107, geteuid)       \
	QUICK(108, getegid)       \
	QUICK(110, getppid)       \
	QUICK(111, getpgrp)       \
	QUICK(186, gettid)        \
	QUICK(201, time)          \
	QUICK(228, clock_gettime) \
	QUICK(262, newfstatat)    \
	QUICK(269, faccessat)     \
	QUICK(332, statx)         \
	QUICK(439, faccessat2)

#ifndef __ASSEMBLER__
#include "exos.h"

typedef s64 (*quick_call)(u64, u64, u64, u64, u64, u64);
/* By number; NULL: it has none. */
extern const quick_call quick_calls[];

#define QUICK_DECLARE(number, name) s64 quick_##name(u64, u64, u64, u64, u64, u64);
EXOS_QUICK(QUICK_DECLARE)
#undef QUICK_DECLARE
#endif

#endif
