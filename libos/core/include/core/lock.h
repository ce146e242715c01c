/* SPDX-License-Identifier: MIT
 * A spin lock for what contexts on several CPUs of one env share. Take it only for short stretches, with
 * END masked (core_async_off), so that its holder is not stopped while others spin. */
#ifndef CORE_LOCK_H
#define CORE_LOCK_H

#include <aril/types.h>

struct core_lock {
	u32 taken;
};

static inline void core_lock(struct core_lock *l)
{
	while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&l->taken, __ATOMIC_RELAXED))
			__builtin_ia32_pause();
}

static inline void core_unlock(struct core_lock *l)
{
	__atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

#endif
