/* SPDX-License-Identifier: MIT
 * What a call gave, in a line that is the same on the host and on Aril. */
#ifndef TESTS_LINUX_SAY_H
#define TESTS_LINUX_SAY_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Its text, its result, and why it failed where that is -1. */
#define T(call)                                                                              \
	do {                                                                                 \
		errno = 0;                                                                   \
		long result = (long)(call);                                                  \
		printf("%s = %ld %s\n", #call, result, result == -1 ? strerror(errno) : ""); \
	} while (0)

#endif
