/* SPDX-License-Identifier: MIT
 * Text: a small printf into memory, and lines into the kernel's log. */
#ifndef CORE_PRINT_H
#define CORE_PRINT_H

#include <aril/types.h>

/* Formats into to[bytes], always ended. Knows %d %u %x %X %o %c %s %p %% with flags 0 - + space #, width,
 * precision, * for both, and sizes hh h l ll z. Returns the length that the whole text has. bytes > 0. */
int core_vformat(char *to, usize bytes, const char *format, __builtin_va_list args);
int core_format(char *to, usize bytes, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes one line to the kernel's log, without newline; cut at 256 bytes; dropped in an env that may not
 * use the log. */
void core_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
