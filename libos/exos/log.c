/* SPDX-License-Identifier: MIT
 * ExOS's own messages: to the kernel's log, or, where the domain may not write there, to its console. */
#include "file.h"
#include "sched.h"
#include <aril_stubs.h>
#include <core/domain.h>
#include <core/print.h>
#include <core/string.h>

#define LINE 256
#define ONCE 64

static void line_out(char line[LINE])
{
	u32 n = (u32)strlen(line);

	if (!family.domain || family.domain->flags & CORE_DOMAIN_LOG) {
		aril_log(line, n);
		return;
	}
	line[n] = '\n';
	family_lock();
	console_trace(line, n + 1);
	family_unlock();
}

static void line_write(const char *format, __builtin_va_list args)
{
	char line[LINE];

	core_vformat(line, sizeof(line), format, args);
	line_out(line);
}

void exos_log(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	line_write(format, args);
	__builtin_va_end(args);
}

void exos_log_once(const char *format, ...)
{
	static u64 seen[ONCE]; /* hashes of lines */
	static u32 count;
	char line[LINE];
	u64 hash = 14695981039346656037ul;
	__builtin_va_list args;

	__builtin_va_start(args, format);
	core_vformat(line, sizeof(line), format, args);
	__builtin_va_end(args);
	for (const char *c = line; *c; c++)
		hash = (hash ^ (u8)*c) * 1099511628211ul;
	for (u32 i = 0; i < count; i++)
		if (seen[i] == hash)
			return;
	if (count == ONCE)
		return;
	seen[count++] = hash;
	line_out(line);
}

/* A line of the code's addresses from rip on, by the chain of frames that rbp heads: the host has names for them. */
#define TRACE_MOST 12u
static int traced;
void exos_trace_from(u64 rip, u64 rbp)
{
	char line[LINE];
	u64 low = (u64)__builtin_frame_address(0);
	int n = core_format(line, sizeof(line), "exos: trace");

	traced = 1;
	for (u32 i = 0; i < TRACE_MOST && rip >> 39 == EXOS_VA >> 39; i++) {
		n += core_format(line + n, sizeof(line) - (u32)n, " %lx", (unsigned long)rip);
		if (rbp <= low || rbp - low > EXOS_STACK || rbp % 8)
			break;
		low = rbp;
		rip = ((const u64 *)rbp)[1];
		rbp = ((const u64 *)rbp)[0];
	}
	aril_log(line, (u64)n);
}

_Noreturn void exos_panic(const char *format, ...)
{
	__builtin_va_list args;

	char line[LINE];
	__builtin_va_start(args, format);
	int n = core_vformat(line, sizeof(line), format, args);
	__builtin_va_end(args);
	aril_log(line,
		 n < LINE ? (u64)n : LINE - 1); /* nothing of ExOS's is relied upon any more */
	if (!traced)
		exos_trace_from((u64)__builtin_return_address(0),
				*(const u64 *)__builtin_frame_address(0));
	family_failed = 1;
	for (;;) /* the scheduler ends the family */
		aril_yield(0, 0);
}
