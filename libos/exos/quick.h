/* SPDX-License-Identifier: MIT
 * Quick calls: system calls that return at once, most of the time. entry.S gives such a function the call's arguments and
 * saves of the program's registers only what C does not keep.
 *
 * A quick function either does the whole call and returns its result, or has done nothing yet and returns QUICK_NO: then the
 * call takes the ordinary way. It does not wait for the family lock (family_try, sched.h) and looks at no struct user_regs,
 * which has nothing of what C keeps. It may touch the program's memory by copy_in and copy_out. With the lock it may sleep
 * (sleep_on), and where a signal ended that it may ask for a restart: it is masked then, and takes the long way out. */
#ifndef EXOS_QUICK_H
#define EXOS_QUICK_H

#define QUICK_NO (-4096)

/* Numbers and names; the function is quick_NAME. */
#define EXOS_QUICK(QUICK)           \
	QUICK(0, read)              \
	QUICK(1, write)             \
	QUICK(2, open)              \
	QUICK(3, close)             \
	QUICK(4, stat)              \
	QUICK(5, fstat)             \
	QUICK(6, lstat)             \
	QUICK(7, poll)              \
	QUICK(8, lseek)             \
	QUICK(9, mmap)              \
	QUICK(10, mprotect)         \
	QUICK(11, munmap)           \
	QUICK(12, brk)              \
	QUICK(14, rt_sigprocmask)   \
	QUICK(17, pread64)          \
	QUICK(18, pwrite64)         \
	QUICK(19, readv)            \
	QUICK(20, writev)           \
	QUICK(21, access)           \
	QUICK(24, sched_yield)      \
	QUICK(28, madvise)          \
	QUICK(39, getpid)           \
	QUICK(44, sendto)           \
	QUICK(45, recvfrom)         \
	QUICK(46, sendmsg)          \
	QUICK(47, recvmsg)          \
	QUICK(60, thread_exit)      \
	QUICK(72, fcntl)            \
	QUICK(87, unlink)           \
	QUICK(89, readlink)         \
	QUICK(96, gettimeofday)     \
	QUICK(102, getuid)          \
	QUICK(104, getgid)          \
	QUICK(107, geteuid)         \
	QUICK(108, getegid)         \
	QUICK(110, getppid)         \
	QUICK(111, getpgrp)         \
	QUICK(186, gettid)          \
	QUICK(201, time)            \
	QUICK(202, futex)           \
	QUICK(217, getdents64)      \
	QUICK(228, clock_gettime)   \
	QUICK(232, epoll_wait)      \
	QUICK(257, openat)          \
	QUICK(262, newfstatat)      \
	QUICK(267, readlinkat)      \
	QUICK(269, faccessat)       \
	QUICK(273, set_robust_list) \
	QUICK(295, preadv)          \
	QUICK(332, statx)           \
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
