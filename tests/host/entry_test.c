/* SPDX-License-Identifier: MIT
 * What is promised of an entry's arguments.
 * links: ext/entry.c */
#include "test.h"

#include <ext.h>

static struct ext_attach attach = {
	.args = 5,
	.arg = {{.kind = EXT_ARG_MEM, .size_arg = 1},
		{.kind = EXT_ARG_SIZE, .size_arg = 0xff, .most = ~0ul},
		{.kind = EXT_ARG_SCALAR, .size_arg = 0xff, .least = 3, .most = 9},
		{.kind = EXT_ARG_SCALAR, .size_arg = 0xff, .least = (u64)-4, .most = 4},
		{.kind = EXT_ARG_OBJECT, .size_arg = 0xff, .flags = EXT_ARG_NULLABLE}}};
static u64 arg[5];
static u32 which;

static void right(void)
{
	arg[0] = 4096;
	arg[1] = EXT_MEMORY_MOST;
	arg[2] = 3;
	arg[3] = (u64)-4;
	arg[4] = 0;
	CHECK(!ext_entry_wrong(&attach, arg, &which));
}

/* With one argument changed. */
static void wrong(u32 n, u64 value)
{
	right();
	arg[n] = value;
	CHECK(ext_entry_wrong(&attach, arg, &which) != 0);
	CHECK(which == n);
}

static void arguments(void)
{
	right();
	wrong(0, 0);
	right();
	arg[1] = EXT_MEMORY_MOST + 1;
	CHECK(ext_entry_wrong(&attach, arg, &which) != 0);
	CHECK(which == 0);
	wrong(0, ~0ul - 4096);
	wrong(0, ~0ul - (1ul << 34) - EXT_MEMORY_MOST + 1);
	wrong(2, 2);
	wrong(2, 10);
	wrong(3, 5);
	wrong(3, (u64)-5);
	wrong(4, ~0ul - 1);
	right();
	arg[2] = 9;
	arg[3] = 4;
	arg[4] = 4096;
	CHECK(!ext_entry_wrong(&attach, arg, &which));
}

int main(void)
{
	static const struct test tests[] = {TEST(arguments)};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
