/* SPDX-License-Identifier: MIT
 * What unit tests are written with. A test is a function; a failed check is printed and fails its test. */
#ifndef HOST_TEST_H
#define HOST_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <aril/types.h>

extern int test_bad; /* checks that failed in the current test */
extern u64 test_seed;

#define CHECK(x) test_check(!!(x), __FILE__, __LINE__, #x)
/* Two numbers are equal; both are printed where not. */
#define SAME(got, expected) test_same((s64)(got), (s64)(expected), __FILE__, __LINE__, #got)

void test_check(int ok, const char *file, int line, const char *text);
void test_same(s64 got, s64 expected, const char *file, int line, const char *text);
/* Repeatable pseudo-random numbers: 64 bits; below n. */
u64 test_random(void);
u32 test_below(u32 n);

#define TEST_PANIC 3 /* a fake panic's exit status */
/* Whether f, in a process of its own, panics. */
int test_dies(void (*f)(void));

struct test {
	const char *name;
	void (*run)(void);
};
#define TEST(f)       \
	{             \
#f, f \
	}
/* Runs them all: a line each, then `N passed, N failed`. The value is main's. */
int test_main(const struct test *tests, int n);

#endif
