/* SPDX-License-Identifier: MIT
 * Counting and printing for the unit tests. */
#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

int test_bad;
u64 test_seed = 1;

void test_check(int ok, const char *file, int line, const char *text)
{
	if (ok)
		return;
	if (test_bad++ < 5)
		printf("  %s:%d: %s\n", file, line, text);
}

void test_same(s64 got, s64 expected, const char *file, int line, const char *text)
{
	if (got == expected)
		return;
	if (test_bad++ < 5)
		printf("  %s:%d: %s is %lld, expected %lld\n", file, line, text, (long long)got,
		       (long long)expected);
}

u64 test_random(void)
{
	u64 x = test_seed += 0x9e3779b97f4a7c15; /* a counter, mixed: splitmix64 */

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

u32 test_below(u32 n)
{
	return (u32)(test_random() % n);
}

int test_dies(void (*f)(void))
{
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(0);
		f();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == TEST_PANIC;
}

int test_main(const struct test *tests, int n)
{
	int failed = 0;

	for (int i = 0; i < n; i++) {
		test_bad = 0;
		test_seed = 1;
		tests[i].run();
		printf("%s %s\n", test_bad ? "FAIL" : "ok  ", tests[i].name);
		fflush(stdout);
		failed += !!test_bad;
	}
	printf("%d passed, %d failed\n", n - failed, failed);
	return failed != 0;
}
