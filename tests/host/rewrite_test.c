/* SPDX-License-Identifier: MIT
 * Which system call sites may be rewritten, and what a stub is.
 * links: libos/exos/rewrite_shape.c libos/exos/rewrite_stub.c */
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
	u8 stub[REWRITE_STUB_MOST];

	for (u32 i = 0; i < sizeof(places) / sizeof(*places); i++) {
		u64 at = places[i] + 40, back = places[i] + 0x5000007, target = places[i] + 4088;

		CHECK(rewrite_stub(stub, at, 0x1234, back, target) == 18);
		CHECK(stub[0] == 0xb8 && displacement(stub + 1) == 0x1234);
		CHECK(stub[5] == 0x48 && stub[6] == 0x8d && stub[7] == 0x0d);
		CHECK(at + 12 + displacement(stub + 8) == back);
		CHECK(stub[12] == 0xff && stub[13] == 0x25);
		CHECK(at + 18 + displacement(stub + 14) == target);
	}
}

/* Run as they are, on memory of which gs has nothing: only their bytes can be looked at here. */
static void answers(void)
{
	static const u8 word[] = {0x65, 0x8b, 0x04, 0x25},
			pointer[] = {0x65, 0x48, 0x8b, 0x04, 0x25};
	u64 at = 0x555555550028, back = 0x555555000007;
	u8 stub[REWRITE_STUB_MOST];

	CHECK(rewrite_stub_word(stub, at, 48, back) == 13);
	CHECK(!memcmp(stub, word, sizeof(word)) && displacement(stub + 4) == 48);
	CHECK(stub[8] == 0xe9 && at + 13 + displacement(stub + 9) == back);
	CHECK(rewrite_stub_field(stub, at, 40, 0x1234, back) == 20);
	CHECK(!memcmp(stub, pointer, sizeof(pointer)) && displacement(stub + 5) == 40);
	CHECK(stub[9] == 0x8b && stub[10] == 0x80 && displacement(stub + 11) == 0x1234);
	CHECK(stub[15] == 0xe9 && at + 20 + displacement(stub + 16) == back);
}

int main(void)
{
	static const struct test tests[] = {TEST(shapes), TEST(stubs), TEST(answers)};

	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
