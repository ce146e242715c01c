/* SPDX-License-Identifier: MIT
 * What --trace=summary counts: each call, those that failed, and by which way they came. Family lock. */
#include "exos.h"
#include "linux.h"
#include "syscalls.h"
#include "trace.h"
#include <core/print.h>

struct sum {
	u64 calls, errors, jumps;
};
static struct sum sums[SYSCALL_MAX + 1]; /* the last: numbers that are nobody's */

void trace_count(u32 number, int rewritten)
{
	struct sum *s = &sums[min(number, (u32)SYSCALL_MAX)];
	s->calls++;
	s->jumps += rewritten != 0;
}

void trace_count_result(u32 number, s64 result)
{
	/* an interrupted call that begins again is no error */
	if (result < 0 && result >= -4095 &&
	    (result > -ERESTARTSYS || result < -ERESTART_RESTARTBLOCK))
		sums[min(number, (u32)SYSCALL_MAX)].errors++;
}

static void line_send(const char *line)
{
	struct trace t;
	t.length = 0;
	trace_text(&t, line);
	trace_send(&t);
}

static void sum_line(const struct sum *s, const char *name)
{
	char line[128];
	core_format(line, sizeof(line), "%10lu %10lu %10lu %10lu  %s", s->calls, s->errors,
		    s->jumps, s->calls - s->jumps, name);
	line_send(line);
}

/* The most frequent first; each is forgotten as it is told. */
void trace_sums(void)
{
	struct sum all = {0, 0, 0};
	char number[24];
	line_send("     calls     errors    by jump  by kernel  call");
	for (;;) {
		u32 most = 0;
		for (u32 i = 1; i <= SYSCALL_MAX; i++)
			if (sums[i].calls > sums[most].calls)
				most = i;
		struct sum *s = &sums[most];
		if (!s->calls)
			break;
		const char *name = most < SYSCALL_MAX ? syscall_descs[most].name : "others";
		core_format(number, sizeof(number), "call %u", most);
		sum_line(s, name ? name : number);
		all.calls += s->calls, all.errors += s->errors, all.jumps += s->jumps;
		*s = (struct sum){0, 0, 0};
	}
	sum_line(&all, "total");
}
