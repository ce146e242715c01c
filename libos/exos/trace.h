/* SPDX-License-Identifier: MIT
 * Lines about system calls as strace prints them. */
#ifndef EXOS_TRACE_H
#define EXOS_TRACE_H

#include "exos.h"

#define TRACE_LINE 1000

/* A line in the making, from the call's entry to its end. */
struct trace {
	u32 number;
	u32 length;
	u32 next; /* argument to show next */
	u32 dead; /* the line went out already */
	u64 args[6];
	char line[TRACE_LINE];
};

/* Starts the line of a call: its arguments as far as they are known before it runs. Family lock, as all here:
 * strings of the program are read. */
void trace_begin(struct trace *t, u32 number, const struct user_regs *regs);
/* Finishes and sends it. */
void trace_end(struct trace *t, s64 result);

/* trace_sum.c: a call is made, by a jump or by the kernel; it returns; the table of all. */
void trace_count(u32 number, int rewritten);
void trace_count_result(u32 number, s64 result);
void trace_sums(void);

/* trace_text.c: appending to the line; what does not fit is cut. */
void trace_char(struct trace *t, char c);
void trace_text(struct trace *t, const char *text);
void trace_number(struct trace *t, u64 value, u32 base, int is_signed);
void trace_hex(struct trace *t, u64 value);
void trace_octal(struct trace *t, u64 value);
/* The program's bytes at addr in quotes, at most 32 (strings) shown; bytes ~0: up to its NUL. */
void trace_bytes(struct trace *t, u64 addr, u64 bytes);
/* value as NAME|NAME|0xrest. */
struct trace_flag {
	u64 bits;
	const char *name;
};
void trace_flags(struct trace *t, const struct trace_flag *flags, u32 count, u64 value,
		 const char *none);
/* SIGINT; and INT, as in a set. */
void trace_signal_name(struct trace *t, u64 sig);
void trace_signal_short(struct trace *t, u64 sig);
void trace_error(struct trace *t, s64 error);
void trace_send(struct trace *t);

#endif
