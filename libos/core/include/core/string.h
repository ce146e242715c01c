/* SPDX-License-Identifier: MIT
 * Memory and strings, freestanding: what compilers call by name, and the few more that a library needs. */
#ifndef CORE_STRING_H
#define CORE_STRING_H

#include <aril/types.h>

#ifndef NULL
#define NULL ((void *)0)
#endif

void *memcpy(void *to, const void *from, usize bytes);
void *memmove(void *to, const void *from, usize bytes);
void *memset(void *to, int byte, usize bytes);
int memcmp(const void *a, const void *b, usize bytes);
usize strlen(const char *s);
usize strnlen(const char *s, usize most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, usize most);
/* First and last place of c in s (0 finds the end), or NULL. */
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
/* Copies at most bytes - 1 characters and always ends `to`. Returns strlen(from). bytes > 0. */
usize core_copy_string(char *to, const char *from, usize bytes);

#endif
