/* SPDX-License-Identifier: MIT
 * Made to be slow to verify: a function is walked at each of its calls, and each of these is called 8 times by the next. */
#include <aril/points.h>

#define EIGHT(s) s s s s s s s s
#define LEVEL(name, below)                               \
	static __attribute__((noinline)) u64 name(u64 n) \
	{                                                \
		u64 sum = n;                             \
                                                         \
		EIGHT(sum += below(sum);)                \
		return sum;                              \
	}

static __attribute__((noinline)) u64 level0(u64 n)
{
	return n * n + (n >> 3);
}
LEVEL(level1, level0)
LEVEL(level2, level1)
LEVEL(level3, level2)
LEVEL(level4, level3)
LEVEL(level5, level4)
LEVEL(level6, level5)

SEC("victim")
u64 slow(const struct aril_victim *event)
{
	return level6(event->wanted) & 1;
}
