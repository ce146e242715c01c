/* SPDX-License-Identifier: MIT
 * What the files of the unix benchmark share: one static Linux program, the same bytes on Linux and on Aril.
 *
 * A metric is a function that does `n` operations and returns what they took by the time-stamp counter (which under QEMU's
 * -icount shift=0 counts instructions), or a negative errno where the system refuses. It runs in a process of its own, so
 * that what it maps, opens, or dies of is its own. */
#ifndef UNIX_H
#define UNIX_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define PAGE 4096ul

struct metric {
	const char *name;
	s64 (*run)(u64 n);
	u64 n; /* operations of a batch */
	unsigned batches;
	const char *what;
};

extern const struct metric metrics_calls[], metrics_memory[], metrics_processes[], metrics_files[],
	metrics_control[], metrics_uring[], metrics_userfault[], metrics_ebpf[];
extern u64 bench_loop,
	bench_read; /* what an empty iteration, and two reads with nothing between, take */
extern const char *bench_self; /* this program's path */

/* The prefix has no effect: by it bench/explain/plugin.c tells these reads from others. */
static inline u64 bench_now(void)
{
	u64 now;

	__asm__ volatile("ds rdtsc\n\tshlq $32, %%rdx\n\torq %%rdx, %%rax"
			 : "=a"(now)::"rdx", "memory");
	return now;
}

/* Where a batch begins, by an instruction without effect that nothing else has: bench/explain/plugin.c counts from one to the next. */
#define BENCH_MARK() __asm__ volatile("nopl 0x4c495241(%%rax)" ::: "memory")

/* Linux's system call by its instruction, no C function between; as many registers loaded as there are arguments. The number is
 * a constant loaded by the instruction before, as in the functions of C libraries. */
#define CALL_INSTRUCTION(nr, ...)                                    \
	({                                                           \
		long result_;                                        \
		__asm__ volatile("movl %1, %%eax\n\tsyscall"         \
				 : "=&a"(result_)                    \
				 : "i"(nr)__VA_OPT__(, ) __VA_ARGS__ \
				 : "rcx", "r11", "memory");          \
		result_;                                             \
	})
#define CALL0(nr) CALL_INSTRUCTION(nr)
#define CALL1(nr, a) CALL_INSTRUCTION(nr, "D"((long)(a)))
#define CALL2(nr, a, b) CALL_INSTRUCTION(nr, "D"((long)(a)), "S"((long)(b)))
#define CALL3(nr, a, b, c) CALL_INSTRUCTION(nr, "D"((long)(a)), "S"((long)(b)), "d"((long)(c)))
#define CALL4(nr, a, b, c, d)                                                                    \
	({                                                                                       \
		register long r10_ __asm__("r10") = (long)(d);                                   \
		CALL_INSTRUCTION(nr, "D"((long)(a)), "S"((long)(b)), "d"((long)(c)), "r"(r10_)); \
	})
#define CALL6(nr, a, b, c, d, e, f)                                                             \
	({                                                                                      \
		register long r10_ __asm__("r10") = (long)(d), r8_ __asm__("r8") = (long)(e);   \
		register long r9_ __asm__("r9") = (long)(f);                                    \
		CALL_INSTRUCTION(nr, "D"((long)(a)), "S"((long)(b)), "d"((long)(c)), "r"(r10_), \
				 "r"(r8_), "r"(r9_));                                           \
	})
#define CALL_COUNTED(nr, a, b, c, d, e, f, which, ...) which
#define CALL(...) \
	CALL_COUNTED(__VA_ARGS__, CALL6, CALL5, CALL4, CALL3, CALL2, CALL1, CALL0)(__VA_ARGS__)

/* n times the body, one after the other; the loop's own cost is taken off. The body may set `error_`: ends the loop. */
#define BENCH_LOOP(n, ...)                                        \
	({                                                        \
		s64 error_ = 0;                                   \
		u64 began_ = bench_now();                         \
		for (u64 i = 0; i < (n); i++) {                   \
			__VA_ARGS__;                              \
			__asm__ volatile("" : "+r"(i)::"memory"); \
		}                                                 \
		s64 took_ = (s64)(bench_now() - began_);          \
		took_ -= (s64)(bench_read + (n)*bench_loop);      \
		error_<0 ? error_ : took_> 0 ? took_ : 0;         \
	})

/* n times: the counted half of each round, between two halves that are not. */
#define BENCH_PART(n, before, counted)                                     \
	({                                                                 \
		s64 error_ = 0, took_ = 0;                                 \
		for (u64 i = 0; i < (n) && error_ >= 0; i++) {             \
			before;                                            \
			u64 began_ = bench_now();                          \
			counted;                                           \
			took_ += (s64)(bench_now() - began_ - bench_read); \
		}                                                          \
		error_ < 0 ? error_ : took_;                               \
	})

/* In a body: the call must not fail. */
#define MUST(call)                        \
	do {                              \
		long got_ = (long)(call); \
		if (got_ < 0)             \
			error_ = got_;    \
	} while (0)

#endif
