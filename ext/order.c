/* SPDX-License-Identifier: MIT
 * Names and ordering. */
#include <order.h>

int ext_name_compare(const char *a, const char *b)
{
	if (a == b)
		return 0;
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

const char *ext_name_after(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return 0;
	return s;
}

u32 ext_lower(const void *table, u32 n, u64 (*place)(const void *, u32), u64 wanted)
{
	u32 low = 0, high = n;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (place(table, middle) < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Lets v[i] of a heap of n sink to its place: nobody's child must come behind it. */
static void sink(u32 *v, u32 i, u32 n, int (*before)(const void *, u32, u32), const void *context)
{
	u32 held = v[i];

	for (u64 child; (child = 2 * (u64)i + 1) < n; i = (u32)child) {
		if (child + 1 < n && before(context, v[child], v[child + 1]))
			child++;
		if (!before(context, held, v[child]))
			break;
		v[i] = v[child];
	}
	v[i] = held;
}

void ext_order(u32 *v, u32 n, int (*before)(const void *, u32, u32), const void *context)
{
	for (u32 i = n / 2; i-- > 0;)
		sink(v, i, n, before, context);
	while (n > 1) {
		u32 last = v[--n];

		v[n] = v[0];
		v[0] = last;
		sink(v, 0, n, before, context);
	}
}
