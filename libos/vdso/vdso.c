/* SPDX-License-Identifier: MIT
 * The library that every Linux program finds in its memory (AT_SYSINFO_EHDR): clocks without a system call. One page, the
 * same for all programs of a family; libos/exos/vdso.c puts it there.
 *
 * It reads the clock that the kernel exposes, and of ExOS's memory what the program could read as well. */
#include "vdso.h"
#include <aril/info.h>

#define SECOND 1000000000ul

struct timespec {
	s64 sec, nsec;
};
struct timeval {
	s64 sec, usec;
};

/* As Linux's: 0 or a negative error, the time where it can be had without a system call; what a program may not write to
 * faults. */
#pragma GCC visibility push(default)
int __vdso_clock_gettime(u32 clock, struct timespec *to);
int __vdso_clock_getres(u32 clock, struct timespec *to);
int __vdso_gettimeofday(struct timeval *to, u32 zone[2]);
s64 __vdso_time(s64 *to);
s64 __vdso_getcpu(u32 *cpu, u32 *node, void *unused);
#pragma GCC visibility pop

/* The page's last word, which ExOS fills in: where what is to be added to the exposed clock for the time of day lies. */
extern const s64 *const volatile vdso_realtime __attribute__((visibility("hidden")));

#define CLOCK_EXPOSED 0xd2u /* a bit for each clock: 1, 4, 6, 7 */
#define CLOCK_DAY 0x21u	    /* 0, 5 */

static inline u64 now(void)
{
	const volatile struct aril_clock *c = &ARIL_INFO->clock;
	u32 seq, low, high;
	u64 ns;

	do {
		seq = c->seq;
		__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
		ns = ((u64)high << 32 | low) - c->tsc0;
		ns = (u64)((unsigned __int128)ns * c->mult >> (c->shift & 63)) + c->ns0;
	} while (__builtin_expect(seq & 1 || seq != c->seq, 0));
	return ns;
}

static inline u64 day(void)
{
	return now() + (u64)*vdso_realtime;
}

static s64 system_call(s64 number, u64 a, u64 b)
{
	s64 result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return result;
}

int __vdso_clock_gettime(u32 clock, struct timespec *to)
{
	u64 ns;

	if (clock > 7)
		return (int)system_call(228, clock, (u64)to);
	if (CLOCK_EXPOSED >> clock & 1)
		ns = now();
	else if (CLOCK_DAY >> clock & 1)
		ns = day();
	else
		return (int)system_call(228, clock, (u64)to);
	to->sec = (s64)(ns / SECOND);
	to->nsec = (s64)(ns % SECOND);
	return 0;
}

int __vdso_clock_getres(u32 clock, struct timespec *to)
{
	if (clock > 7 || !((CLOCK_EXPOSED | CLOCK_DAY) >> clock & 1))
		return (int)system_call(229, clock, (u64)to);
	if (to) {
		to->sec = 0;
		to->nsec = 1;
	}
	return 0;
}

int __vdso_gettimeofday(struct timeval *to, u32 zone[2])
{
	if (to) {
		u64 ns = day();

		to->sec = (s64)(ns / SECOND);
		to->usec = (s64)(ns % SECOND / 1000);
	}
	if (zone)
		zone[0] = zone[1] = 0;
	return 0;
}

s64 __vdso_time(s64 *to)
{
	s64 seconds = (s64)(day() / SECOND);

	if (to)
		*to = seconds;
	return seconds;
}

s64 __vdso_getcpu(u32 *cpu, u32 *node, void *unused)
{
	const u8 *context;

	(void)unused;
	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(context) : "i"(VDSO_CONTEXT));
	if (cpu)
		*cpu = *(const volatile u32 *)(context + VDSO_CPU);
	if (node)
		*node = 0;
	return 0;
}

#define ALIAS(name) __attribute__((weak, visibility("default"), alias("__vdso_" #name)))
ALIAS(clock_gettime) int clock_gettime(u32 clock, struct timespec *to);
ALIAS(clock_getres) int clock_getres(u32 clock, struct timespec *to);
ALIAS(gettimeofday) int gettimeofday(struct timeval *to, u32 zone[2]);
ALIAS(time) s64 time(s64 *to);
ALIAS(getcpu) s64 getcpu(u32 *cpu, u32 *node, void *unused);
