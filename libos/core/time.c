/* SPDX-License-Identifier: MIT
 * The exposed clock: ns = ns0 + ((tsc - tsc0) * mult >> shift), under a sequence counter. */
#include <aril/info.h>
#include <core/time.h>

static u64 convert(u64 tsc, int now)
{
	const volatile struct aril_clock *c = &ARIL_INFO->clock;

	for (;;) {
		u32 seq = __atomic_load_n(&c->seq, __ATOMIC_ACQUIRE);
		u64 at = now ? core_tsc() : tsc;
		u64 since = at - c->tsc0, mult = c->mult, ns0 = c->ns0;
		u32 shift = c->shift;

		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(seq & 1) && seq == c->seq)
			return ns0 + (u64)((unsigned __int128)since * mult >> shift);
		__builtin_ia32_pause();
	}
}

u64 core_now(void)
{
	return convert(0, 1);
}

u64 core_time_of(u64 tsc)
{
	return convert(tsc, 0);
}
