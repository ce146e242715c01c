/* SPDX-License-Identifier: MIT
 * Small things that every kernel file uses: memory, bits, assertions. */
#ifndef KERNEL_UTIL_H
#define KERNEL_UTIL_H

#include <aril/error.h>
#include <aril/types.h>

#define NULL ((void *)0)
#define array_count(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define read_once(x) (*(const volatile __typeof__(x) *)&(x))
#define write_once(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define compiler_barrier() __asm__ volatile("" ::: "memory")

void *memset(void *to, int byte, usize bytes);
void *memcpy(void *to, const void *from, usize bytes);
int memcmp(const void *a, const void *b, usize bytes);

/* The decimal number after the word that begins with name (`word=`) in a command line; otherwise, where there is no
 * such word or no number follows. More than 9 digits: otherwise. */
u64 option_number(const char *line, const char *name, u64 otherwise);

/* Clears one 4096-byte page, by 8-byte stores. */
void page_clear(void *page);

/* Ends the machine with file:line, registers, a backtrace with names, and a status of its own. */
_Noreturn void panic_at(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define panic(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)
#define assert(x)                                                                 \
	do {                                                                      \
		if (unlikely(!(x)))                                               \
			panic_at(__FILE__, __LINE__, "assertion failed: %s", #x); \
	} while (0)

/* Kernel log: one line to debugcon, or to the UART while no library has it. %s %c %d %u %x %lx %lu %p
 * with widths. Newline included by the caller. */
void kprint(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Raw bytes, for the log call; serialised against other CPUs. */
void kprint_bytes(const char *text, usize bytes);

#endif
