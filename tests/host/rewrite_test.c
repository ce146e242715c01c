/* SPDX-License-Identifier: MIT
 * Which system call sites may be rewritten, and what a stub is.
 * links: libos/exos/rewrite_shape.c */
#include "test.h"
#include "rewrite.h"

static const u8 site[8] = {0x90, 0xb8, 39, 0, 0, 0, 0x0f, 0x05};

static int shape_with(int at, u8 byte, u64 number)
{
	u8 code[8];

	for (int i = 0; i < 8; i++)
		code[i] = i == at ? byte : site[i];
	return rewrite_shape(code, number);
}

static void shapes(void)
{
	CHECK(rewrite_shape(site, 39));
	CHECK(!rewrite_shape(site,
			     40)); /* eax was changed in between, or the bytes are not a mov */
	CHECK(!shape_with(6, 0xcd, 39));
	CHECK(!shape_with(7, 0x80, 39));
	CHECK(!shape_with(1, 0xb9, 39));
	for (int rex = 0x40; rex < 0x50; rex++)
		CHECK(!shape_with(0, rex, 39));
	CHECK(!shape_with(0, 0x66, 39));
	CHECK(!shape_with(0, 0x8d, 39));
	CHECK(!shape_with(0, 0x1f, 39));
	CHECK(shape_with(0, 0xc3, 39));
	u8 large[8] = {0x90, 0xb8, 0, 0, 0, 0x80, 0x0f, 0x05};
	CHECK(!rewrite_shape(large, 0x80000000));
}

static u64 displacement(const u8 *at)
{
	return (u64)(s64)(s32)(at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24);
}

static void stubs(void)
{
	static const u64 places[] = {0x10000, 0x400000 - 4096, 0x555555550000, 0x7c0000000000};
	u8 stub[REWRITE_STUB_BYTES];

	for (u32 i = 0; i < sizeof(places) / sizeof(*places); i++) {
		u64 at = places[i] + 40, back = places[i] + 0x5000007, target = places[i] + 4088;

		rewrite_stub(stub, at, 0x1234, back, target);
		CHECK(stub[0] == 0xb8 && displacement(stub + 1) == 0x1234);
		CHECK(stub[5] == 0x48 && stub[6] == 0x8d && stub[7] == 0x0d);
		CHECK(at + 12 + displacement(stub + 8) == back);
		CHECK(stub[12] == 0xff && stub[13] == 0x25);
		CHECK(at + 18 + displacement(stub + 14) == target);
	}
}

int main(void)
{
	static const struct test tests[] = {TEST(shapes), TEST(stubs)};

	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
