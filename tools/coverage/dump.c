/* SPDX-License-Identifier: MIT
 * In a kernel built with COVERAGE=1: writes the compiler's counters to a debug port of their own when the machine ends.
 * Records: 'F', 16 bits of length, a .gcda file's name; 'D', length, a piece of its content. */
#include <aril/types.h>

#define PORT 0xeb

struct gcov_info;
void __gcov_info_to_gcda(const struct gcov_info *info, void (*file)(const char *, void *),
			 void (*dump)(const void *, unsigned, void *),
			 void *(*allocate)(unsigned, void *), void *arg);
void __gcov_merge_add(s64 *counters, unsigned n);
void coverage_dump(void);
extern const struct gcov_info *const gcov_info_start[], *const gcov_info_end[];

static void put(u8 byte)
{
	__asm__ volatile("outb %0, %w1" : : "a"(byte), "Nd"(PORT));
}

static void record(char kind, const u8 *from, u32 bytes)
{
	put((u8)kind);
	put((u8)bytes);
	put((u8)(bytes >> 8));
	while (bytes--)
		put(*from++);
}

static void file(const char *name, void *arg)
{
	u32 n = 0;

	(void)arg;
	while (name[n])
		n++;
	record('F', (const u8 *)name, n);
}

static void dump(const void *data, unsigned bytes, void *arg)
{
	const u8 *from = data;

	(void)arg;
	for (; bytes > 0xffff; bytes -= 0xffff, from += 0xffff)
		record('D', from, 0xffff);
	record('D', from, bytes);
}

/* For counters of values, of which there are none. */
static void *allocate(unsigned bytes, void *arg)
{
	(void)bytes;
	(void)arg;
	return 0;
}

/* Named by the counters; merging is the host's. */
void __gcov_merge_add(s64 *counters, unsigned n)
{
	(void)counters;
	(void)n;
}

/* What allocates for counters of values would want. */
void *mmap(void *at, u64 bytes, int protection, int flags, int from, s64 offset);
_Noreturn void abort(void);

void *mmap(void *at, u64 bytes, int protection, int flags, int from, s64 offset)
{
	(void)at, (void)bytes, (void)protection, (void)flags, (void)from, (void)offset;
	return (void *)-1;
}

void abort(void)
{
	__builtin_trap();
}

void coverage_dump(void)
{
	for (const struct gcov_info *const *i = gcov_info_start; i != gcov_info_end; i++)
		__gcov_info_to_gcda(*i, file, dump, allocate, 0);
}
