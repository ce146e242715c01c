/* SPDX-License-Identifier: MIT
 * libos/exos/peek.h for unit tests: something may happen before each such read, and what is no memory of the test's cannot be
 * read. */
#ifndef EXOS_PEEK_H
#define EXOS_PEEK_H

#include <aril/types.h>

void peek_before(void);
int peek_can(const volatile void *at, usize bytes);

#define PEEK(to, from, label)                         \
	do {                                          \
		peek_before();                        \
		if (!peek_can(&(from), sizeof(from))) \
			goto label;                   \
		(to) = (from);                        \
	} while (0)

static inline int peek_swap(u64 *words, u64 first, u64 second, u64 to)
{
	peek_before();
	if (words[0] != first || words[1] != second)
		return 0;
	words[0] = to;
	return 1;
}

#endif
