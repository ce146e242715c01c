/* SPDX-License-Identifier: MIT
 * What the generated dispatch wraps around calls of kind `locked`. */
#ifndef KERNEL_CALL_H
#define KERNEL_CALL_H

#include "arch.h"
#include "lock.h"
#include "util.h"

/* The caller was ended: runs something else, without the lock. */
_Noreturn void call_abandon(void);

/* Takes the object lock for the current env; 0: somebody quiesces, and must be served first (call_again). */
static inline int call_enter(void)
{
	return likely(lock_try(&object_lock)) || smp_lock_try(&object_lock);
}

/* The call has not begun. The program makes it again when this CPU has served the others: which is done where it can be
 * stopped or ended with all that it had, and gone on with from there. Returns what the handler is to return. */
s64 call_again(u32 index, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);

/* Drops it; does not return if the call ended its caller. */
static inline void call_leave(void)
{
	lock_drop(&object_lock);
	if (unlikely(!this_cpu()->env))
		call_abandon();
}

#endif
