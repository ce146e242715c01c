/* SPDX-License-Identifier: MIT
 * Little things that the loader's parts share: fields of a foreign file, names, ordering. */
#ifndef EXT_ORDER_H
#define EXT_ORDER_H

#include <aril/types.h>

/* Fields of any alignment, little endian as the machine is. */
static inline u16 ext_get16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}
static inline u32 ext_get32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}
static inline u64 ext_get64(const u8 *p)
{
	return ext_get32(p) | (u64)ext_get32(p + 4) << 32;
}

/* <0, 0, >0 as names are ordered. */
int ext_name_compare(const char *a, const char *b);
static inline int ext_name_equal(const char *a, const char *b)
{
	return !ext_name_compare(a, b);
}
/* What of s follows prefix, or 0. */
const char *ext_name_after(const char *s, const char *prefix);

/* The first of a table's n entries whose place is not before `wanted`; the entry i is at place(table, i), ascending. log n */
u32 ext_lower(const void *table, u32 n, u64 (*place)(const void *, u32), u64 wanted);

/* Orders v[0..n-1] so that nothing stands before what must precede it (`before`: a strict order; equal ones come in no
 * particular order). n log n comparisons, no memory. */
void ext_order(u32 *v, u32 n, int (*before)(const void *context, u32 a, u32 b),
	       const void *context);

#endif
