/* SPDX-License-Identifier: MIT
 * The table of quick calls, and those that only look at the process. */
#include "quick.h"
#include "syscalls.h"

#define QUICK_ENTRY(number, name) [number] = quick_##name,
const quick_call quick_calls[SYSCALL_MAX] = {EXOS_QUICK(QUICK_ENTRY)};

/* Arguments that a call does not have are in registers all the same. */
#define QUICK_VALUE(name, value)                                      \
	s64 quick_##name(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)    \
	{                                                             \
		(void)a, (void)b, (void)c, (void)d, (void)e, (void)f; \
		return value;                                         \
	}
QUICK_VALUE(getpid, current()->proc->pid)
QUICK_VALUE(getppid, current()->proc->ppid)
QUICK_VALUE(getpgrp, current()->proc->pgid)
QUICK_VALUE(gettid, current()->tid)
QUICK_VALUE(getuid, current()->proc->uid)
QUICK_VALUE(getgid, current()->proc->gid)
QUICK_VALUE(geteuid, current()->proc->euid)
QUICK_VALUE(getegid, current()->proc->egid)
