/* SPDX-License-Identifier: MIT
 * How refusals are made: text into fixed room, one root cause.
 * Formats know: %s (0: "?"), %u (u64), %d (s64), %x (u64, hexadecimal with 0x), %%. Every number is 64 bits wide: cast
 * what is narrower. */
#ifndef EXT_REFUSAL_H
#define EXT_REFUSAL_H

#include <stdarg.h>

#include <ext.h>

/* Writes at most size - 1 bytes and an end; returns how many there would be (as snprintf). Names from an object may hold
 * any byte: what is not printable ASCII becomes '?'. */
u64 ext_format(char *out, u64 size, const char *format, ...);
u64 ext_format_list(char *out, u64 size, const char *format, va_list list);

/* No refusal: every field empty, reg -1. */
void ext_refusal_clear(struct ext_refusal *r);
/* A loader's refusal, at a byte of the object. Clears all else; returns why. */
int ext_refuse(struct ext_refusal *r, enum ext_why why, u64 offset, const char *format, ...);
/* EXT_WHY_MEMORY: the arena is spent. */
int ext_refuse_memory(struct ext_refusal *r);

#endif
