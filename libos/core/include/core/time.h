/* SPDX-License-Identifier: MIT
 * The exposed clock, read without the kernel. */
#ifndef CORE_TIME_H
#define CORE_TIME_H

#include <aril/types.h>

/* Nanoseconds since the kernel started; the same on every CPU; what deadlines are given in. */
u64 core_now(void);
/* The same clock at a value of the TSC. */
u64 core_time_of(u64 tsc);

static inline u64 core_tsc(void)
{
	u32 low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

#endif
