/* SPDX-License-Identifier: MIT
 * What the generated dispatch wraps around calls of kind `locked`. */
#ifndef KERNEL_CALL_H
#define KERNEL_CALL_H

#include "arch.h"
#include "lock.h"
#include "util.h"

/* The caller was ended: runs something else, without the lock. */
_Noreturn void call_abandon(int locked);

/* Takes the object lock for the current env; does not return if the env was ended meanwhile. */
static inline void call_enter(void)
{
	lock_take(&object_lock);
	if (unlikely(!this_cpu()->env))
		call_abandon(1);
}

/* Drops it; does not return if the call ended its caller. */
static inline void call_leave(void)
{
	lock_drop(&object_lock);
	if (unlikely(!this_cpu()->env))
		call_abandon(0);
}

#endif
