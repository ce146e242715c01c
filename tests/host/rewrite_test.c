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

/* What may be moved, its length, and that nothing else is taken for it: checked against what the bytes are by name. */
static void moved(void)
{
	static const struct {
		u8 code[8];
		u32 bytes;
	} next[] = {
		{{0x48, 0x3d, 1, 0xf0, 0xff, 0xff}, 6}, /* cmp $-4095,%rax */
		{{0x3d, 1, 0xf0, 0xff, 0xff}, 5},	/* cmp $-4095,%eax */
		{{0x48, 0x83, 0xf8, 0xff}, 4},		/* cmp $-1,%rax */
		{{0x83, 0xc0, 3}, 3},			/* add $3,%eax */
		{{0x48, 0x81, 0xc0, 9, 0, 0, 0}, 7},	/* add $9,%rax */
		{{0x48, 0x89, 0xc2}, 3},		/* mov %rax,%rdx */
		{{0x41, 0x89, 0xc4}, 3},		/* mov %eax,%r12d */
		{{0x4c, 0x8b, 0xc0}, 3},		/* mov %rax,%r8 */
		{{0x48, 0x85, 0xc0}, 3},		/* test %rax,%rax */
		{{0x48, 0x39, 0xc2}, 3},		/* cmp %rax,%rdx */
		{{0x48, 0x31, 0xd2}, 3},		/* xor %rdx,%rdx */
		{{0xbf, 1, 0, 0, 0}, 5},		/* mov $1,%edi */
		{{0x41, 0xb8, 1, 0, 0, 0}, 6},		/* mov $1,%r8d */
		{{0x48, 0xc7, 0xc0, 1, 0, 0, 0}, 7},	/* mov $1,%rax */
		{{0x48, 0xb8, 1, 2, 3, 4, 5}, 0},	/* movabs: longer than it looks */
		{{0x89, 0xc2}, 0},			/* mov %eax,%edx: too short */
		{{0x85, 0xc0}, 0},			/* test %eax,%eax */
		{{0xc3}, 0},				/* ret */
		{{0xeb, 5}, 0},				/* jmp */
		{{0xe8, 0, 0, 0, 0}, 0},		/* call */
		{{0x0f, 0x1f, 0x80, 0, 0, 0, 0}, 0},	/* nopl */
		{{0x48, 0x8b, 0x05, 0, 0, 0, 0}, 0},	/* mov 0(%rip),%rax */
		{{0x48, 0x8b, 0x44, 0x24, 8}, 0},	/* mov 8(%rsp),%rax */
		{{0x83, 0x3d, 0, 0, 0, 0, 1}, 0},	/* cmpl $1,0(%rip) */
		{{0x48, 0x8d, 0x15, 0, 0, 0, 0}, 0},	/* lea 0(%rip),%rdx */
		{{0x66, 0x89, 0xc2}, 0},		/* a prefix */
		{{0x48, 0xc7, 0xf8, 0, 0, 0, 0}, 0},	/* xbegin: a jump */
		{{0x41, 0xff, 0xe4}, 0},		/* jmp *%r12 */
	};

	for (u32 i = 0; i < sizeof(next) / sizeof(*next); i++)
		CHECK(rewrite_next(next[i].code) == next[i].bytes);
	for (u32 byte = 0; byte < 256; byte++) /* a prefix, or what is an instruction, is no trap */
		if ((byte >= 0x40 && byte < 0x60) || (byte >= 0x62 && byte < 0xcc) ||
		    byte >= 0xeb || (byte < 0x40 && (byte & 7) < 6))
			CHECK(!rewrite_traps(byte));
	CHECK(rewrite_traps(0xcc) && rewrite_traps(0x06) && rewrite_traps(0x3f));
}

static void wide(void)
{
	static const u8 restorer[9] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05};
	static const int matters[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

	CHECK(rewrite_shape_wide(restorer, 15));
	CHECK(!rewrite_shape_wide(restorer, 16));
	for (u32 i = 0; i < sizeof(matters) / sizeof(*matters); i++) {
		u8 code[9];

		for (int j = 0; j < 9; j++)
			code[j] = restorer[j] ^ (j == matters[i] ? 0x10 : 0);
		CHECK(!rewrite_shape_wide(code, 15));
	}
	u8 large[9] = {0x48, 0xc7, 0xc0, 0, 0, 1, 0, 0x0f, 0x05};
	CHECK(!rewrite_shape_wide(large, 0x10000));
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
	CHECK(rewrite_stub_back(stub, at) == back);
	rewrite_stub_word(stub, at, 48, back);
	CHECK(rewrite_stub_back(stub, at) == back);
	rewrite_stub(stub, at, 39, back, at + 0x1000);
	CHECK(rewrite_stub_back(stub, at) == back);
}

static void bare(void)
{
	static const u8 next[] = {0x48, 0x3d, 1, 0xf0, 0xff, 0xff};
	u64 at = 0x555555550020, site = 0x555555600123, target = 0x555555550ff8;
	u8 stub[REWRITE_BARE_STEP];

	CHECK(rewrite_stub_bare(stub, at, site, next, 6, target) == 26);
	CHECK(stub[0] == 0x48 && stub[1] == 0x8d && stub[2] == 0x0d);
	CHECK(7 + displacement(stub + 3) == REWRITE_BARE_NEXT);
	CHECK(stub[7] == 0xff && stub[8] == 0x25 && at + 13 + displacement(stub + 9) == target);
	CHECK(stub[13] == 0x0f && stub[14] == 0x05); /* two bytes before where it goes on */
	CHECK(!memcmp(stub + REWRITE_BARE_NEXT, next, 6));
	CHECK(stub[21] == 0xe9 && at + 26 + displacement(stub + 22) == site + 8);
	CHECK(rewrite_bare_shown(stub, at, 0) == site);
	CHECK(rewrite_bare_shown(stub, at, 13) == site);
	CHECK(rewrite_bare_shown(stub, at, 15) == site + 2);
	CHECK(rewrite_bare_shown(stub, at, 21) == site + 8);
}

int main(void)
{
	static const struct test tests[] = {TEST(shapes),  TEST(wide),	TEST(stubs),
					    TEST(answers), TEST(moved), TEST(bare)};

	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
