/* SPDX-License-Identifier: MIT
 * What the engine needs of its environment (host libc, library, kernel): the four functions that compilers call anyway. */
#ifndef EXT_MEM_H
#define EXT_MEM_H

#include <aril/types.h>

void *memcpy(void *to, const void *from, usize bytes);
void *memmove(void *to, const void *from, usize bytes);
void *memset(void *to, int byte, usize bytes);
int memcmp(const void *a, const void *b, usize bytes);

#endif
