/* SPDX-License-Identifier: MIT
 * The log's parts that a panic needs: formatting from a va_list, and output that takes no lock. */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <aril/types.h>

/* Formats into text, at most bytes - 1 characters and a zero. Returns the length. */
usize format_text(char *text, usize bytes, const char *format, __builtin_va_list args);
/* From now on the log takes no lock: whoever holds it will not drop it any more. */
void log_break_lock(void);

#endif
