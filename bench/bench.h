/* SPDX-License-Identifier: MIT
 * What the benchmark programs share: batches of one operation between two reads of the time-stamp counter.
 *
 * Where QEMU counts instructions (-icount shift=0) the counter rises by one with each, so a difference is a
 * number of instructions. A batch is short against a slice, and END is masked while it runs; a timer interrupt
 * that falls into one shows in the maximum, not in the minimum or the median.
 * Output, one line a metric: `bench NAME minimum median`, in tenths of an instruction per operation. */
#ifndef BENCH_H
#define BENCH_H

#include <aril/error.h>
#include <aril/info.h>
#include <aril/upcall.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define BATCHES 41

/* The prefix has no effect: by it bench/explain/plugin.c tells these reads from others. */
static inline u64 bench_now(void)
{
	u64 now;

	__asm__ volatile("ds rdtsc\n\tshlq $32, %%rdx\n\torq %%rdx, %%rax"
			 : "=a"(now)::"rdx", "memory");
	return now;
}

/* Costs of the instrument, measured first: an empty loop's iteration, and two reads with nothing between. */
static u64 bench_loop, bench_read;
static char *
	*bench_names; /* only these, where any are given; "explain": the first of them, for ever */
static int bench_forever;

#define BENCH_LOOP(n, ...)                                        \
	({                                                        \
		u64 began_ = bench_now();                         \
		for (u64 i = 0; i < (n); i++) {                   \
			__VA_ARGS__;                              \
			__asm__ volatile("" : "+r"(i)::"memory"); \
		}                                                 \
		bench_now() - began_;                             \
	})

/* One half of a pair of opposite changes, n times: the other is not counted. Both tell a refusal, and it is the result. */
#define BENCH_HALF(n, counted, back)                                  \
	({                                                            \
		s64 took_ = 0, error_ = 0;                            \
		for (u64 i = 0; i < (n) && error_ >= 0; i++) {        \
			u64 began_ = bench_now();                     \
			error_ = (counted);                           \
			u64 ended_ = bench_now();                     \
			if (error_ >= 0)                              \
				error_ = (back);                      \
			took_ += (s64)(ended_ - began_ - bench_read); \
		}                                                     \
		error_ < 0 ? error_ : took_;                          \
	})

static inline int bench_wanted(const char *name)
{
	char **want = bench_names;

	if (!want || !*want)
		return 1;
	for (; *want; want++)
		if (!strcmp(*want, name))
			return 1;
	return 0;
}

/* Says the minimum and the median of totals, each of `operations`. */
static inline void bench_say(const char *name, u64 *total, u32 batches, u64 operations)
{
	for (u32 i = 1; i < batches; i++)
		for (u32 j = i; j && total[j - 1] > total[j]; j--) {
			u64 swap = total[j];

			total[j] = total[j - 1];
			total[j - 1] = swap;
		}
	core_print("bench %s %lu %lu\n", name, (total[0] * 10 + operations / 2) / operations,
		   (total[batches / 2] * 10 + operations / 2) / operations);
}

/* Where a batch begins, by an instruction without effect that nothing else has: bench/explain/plugin.c counts from one to the next. */
#define BENCH_MARK() __asm__ volatile("nopl 0x4c495241(%%rax)" ::: "memory")

/* Measures a batch: run(n) returns what n operations took, the instrument's own cost taken off. Negative: a
 * refusal, said as such. */
static inline void bench_batches(const char *name, s64 (*run)(u64 n), u64 n, u32 batches)
{
	u64 total[BATCHES];

	if (!bench_wanted(name))
		return;
	if (bench_forever)
		core_print("bench %s started %lu\n", name, n);
	for (u32 i = 0; i < batches || bench_forever; i++) {
		BENCH_MARK();
		core_async_off();
		s64 took = run(n);
		core_async_on();
		if (took < 0) {
			core_print("bench %s refused %ld\n", name, -took);
			return;
		}
		total[i % batches] = (u64)took;
	}
	bench_say(name, total, batches, n);
}

static inline void bench_run(const char *name, s64 (*run)(u64 n), u64 n)
{
	bench_batches(name, run, n, BATCHES);
}

/* For BENCH_LOOP's result. */
static inline s64 bench_net(u64 total, u64 n)
{
	u64 own = bench_read + n * bench_loop;

	return total > own ? (s64)(total - own) : 0;
}

static inline void bench_instrument(u64 *loop, u64 *read)
{
	u64 least_read = ~0ul, least = ~0ul;

	for (u32 i = 0; i < BATCHES; i++) {
		u64 a = bench_now(), b = bench_now();
		u64 total = BENCH_LOOP(1000, );

		least_read = b - a < least_read ? b - a : least_read;
		least = total < least ? total : least;
	}
	*read = least_read;
	*loop = (least - least_read) / 1000;
}

/* Arguments: names of metrics. ["explain"] first: that one for ever. */
static inline void bench_start(int argc, char **argv)
{
	bench_instrument(&bench_loop, &bench_read);
	bench_names = argv + (argc > 0);
	if (bench_names[0] && !strcmp(bench_names[0], "explain")) {
		bench_forever = 1;
		bench_names++;
	}
	if (bench_wanted("loop"))
		core_print("bench loop %lu %lu\n", bench_loop * 10, bench_loop * 10);
	if (bench_wanted("rdtsc"))
		core_print("bench rdtsc %lu %lu\n", bench_read * 10, bench_read * 10);
}

#endif
