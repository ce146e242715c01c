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
	u8 stub[REWRITE_STUB_STEP] = {0};

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
	u8 stub[REWRITE_STUB_STEP] = {0};

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
	static const u8 back[] = {0xeb, 0xf8}, on[] = {0xeb, 0x10};
	CHECK(rewrite_stub_bare(stub, at, site, back, REWRITE_SHORT, target) == 25);
	CHECK(stub[15] == 0xe9 && at + 20 + displacement(stub + 16) == site + 4 - 8);
	CHECK(stub[20] == 0xe9 && at + 25 + displacement(stub + 21) == site + 4);
	CHECK(rewrite_bare_shown(stub, at, 0) == site);
	CHECK(rewrite_bare_shown(stub, at, 13) == site);
	CHECK(rewrite_bare_shown(stub, at, 15) == site + 2);
	rewrite_stub_bare(stub, at, site, on, REWRITE_SHORT, target);
	CHECK(stub[15] == 0xe9 && at + 20 + displacement(stub + 16) == site + 4 + 16);
}

/* Code that ends with a `syscall`, behind nops. */
static u32 between_of(const u8 *code, u32 bytes, u64 number)
{
	u8 all[REWRITE_BEFORE];

	memset(all, 0x90, sizeof(all));
	all[REWRITE_BEFORE - 2] = 0x0f;
	all[REWRITE_BEFORE - 1] = 0x05;
	memcpy(all + REWRITE_BEFORE - 2 - bytes, code, bytes);
	return rewrite_between(all, number);
}
#define BETWEEN(number, ...) \
	between_of((const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}), number)
#define MOV39 0xb8, 39, 0, 0, 0

static void between(void)
{
	CHECK(BETWEEN(39, MOV39, 0x48, 0x8d, 0xb3, 0xf0, 8, 0, 0) == 7); /* lea 2288(%rbx),%rsi */
	CHECK(BETWEEN(39, MOV39, 0x48, 0x8d, 0x35, 1, 2, 3, 4) == 7);	 /* lea (%rip),%rsi */
	CHECK(BETWEEN(39, MOV39, 0x48, 0x8d, 0x74, 0x24, 8) == 5);	 /* lea 8(%rsp),%rsi */
	CHECK(BETWEEN(39, MOV39, 0x48, 0x8d, 0x34, 0x24) == 4);		 /* lea (%rsp),%rsi */
	CHECK(BETWEEN(39, MOV39, 0x48, 0x8d, 0x34, 0x25, 1, 0, 0, 0) == 8); /* lea 1,%rsi */
	CHECK(BETWEEN(39, MOV39, 0x4c, 0x8d, 0x47, 1) == 4);		    /* lea 1(%rdi),%r8 */
	CHECK(BETWEEN(39, MOV39, 0x89, 0xdf) == 2);			    /* mov %ebx,%edi */
	CHECK(BETWEEN(39, MOV39, 0x49, 0x8b, 0xf4) == 3);		    /* mov %r12,%rsi */
	CHECK(BETWEEN(39, MOV39, 0x31, 0xd2) == 2);			    /* xor %edx,%edx */
	CHECK(BETWEEN(39, MOV39, 0x45, 0x33, 0xc0) == 3);		    /* xor %r8d,%r8d */
	CHECK(BETWEEN(39, MOV39, 0xbf, 1, 0, 0, 0) == 5);		    /* mov $1,%edi */
	CHECK(BETWEEN(39, MOV39, 0x41, 0xb8, 8, 0, 0, 0) == 6);		    /* mov $8,%r8d */
	CHECK(BETWEEN(39, MOV39, 0x31, 0xd2, 0x48, 0x8d, 0x34, 0x24) == 6); /* two of them */
	CHECK(BETWEEN(39, MOV39, 0x31, 0xd2, 0x89, 0xdf, 0x48, 0x8d, 0x34, 0x25, 1, 0, 0, 0) == 12);
	CHECK(!BETWEEN(40, MOV39, 0x31, 0xd2));		  /* eax was another */
	CHECK(!BETWEEN(39, MOV39));			  /* nothing between */
	CHECK(!BETWEEN(39, MOV39, 0x31, 0xc0));		  /* eax is written to */
	CHECK(!BETWEEN(39, MOV39, 0x89, 0xd8));		  /* the same: mov %ebx,%eax */
	CHECK(!BETWEEN(39, MOV39, 0x8b, 0xc3));		  /* in the other form */
	CHECK(!BETWEEN(39, MOV39, 0x33, 0xc3));		  /* xor %ebx,%eax */
	CHECK(!BETWEEN(39, MOV39, 0x48, 0x8d, 0x43, 1));  /* lea 1(%rbx),%rax */
	CHECK(!BETWEEN(39, MOV39, 0xb8, 40, 0, 0, 0));	  /* mov $40,%eax */
	CHECK(BETWEEN(39, MOV39, 0x49, 0x89, 0xd8) == 3); /* mov %rbx,%r8: no rax */
	CHECK(!BETWEEN(39, MOV39, 0x48, 0xbf, 1, 2, 3, 4, 5, 6, 7, 8)); /* movabs */
	CHECK(!BETWEEN(39, MOV39, 0x48, 0x8b, 0x3b));			/* mov (%rbx),%rdi */
	CHECK(!BETWEEN(39, MOV39, 0x31, 0x13));				/* xor %edx,(%rbx) */
	CHECK(!BETWEEN(39, MOV39, 0x8d, 0xf8));				/* no lea */
	CHECK(!BETWEEN(39, MOV39, 0x01, 0xd7));				/* add: not known */
	CHECK(!BETWEEN(39, MOV39, 0x48));				/* it ends too late */
	CHECK(!BETWEEN(39, MOV39, 0x31, 0xd2, 0xbf, 1, 0));		/* so does the second */
	CHECK(!BETWEEN(39, 0x41, MOV39, 0x31, 0xd2));			/* mov $39,%r8d */
	CHECK(!BETWEEN(39, 0x81, 0x7d, MOV39, 0x31, 0xd2));		/* cmpl $39,-72(%rbp) */
	CHECK(!BETWEEN(39, 0x81, 0x7c, 0x24, MOV39, 0x31, 0xd2));	/* cmpl $39,-72(%rsp) */
	CHECK(!BETWEEN(39, 0x69, 0x7d, MOV39, 0x31, 0xd2));	  /* imul $39,-72(%rbp),%edi */
	CHECK(!BETWEEN(39, 0xc7, 0x44, 0x24, MOV39, 0x31, 0xd2)); /* movl $39,-72(%rsp) */
	CHECK(!rewrite_between_next((const u8[]){0x31, 0xd2}, 1));
}

static void between_stub(void)
{
	static const u8 code[] = {0x31, 0xd2, 0x48, 0x8d, 0x35, 0, 1, 0, 0, 0x89, 0xdf};
	u64 at = 0x555555550020, back = 0x555555600123, target = 0x555555550ff8;
	u64 text = back - 2 - sizeof(code);
	u8 stub[REWRITE_STUB_STEP] = {0};

	CHECK(rewrite_stub_between(stub, at, 0x1234, code, sizeof(code), back, target) == 29);
	CHECK(stub[0] == 0xb8 && displacement(stub + 1) == 0x1234);
	CHECK(!memcmp(stub + 5, code, 5) && !memcmp(stub + 14, code + 9, 2));
	/* what is relative to rip says the same place */
	CHECK(at + 14 + displacement(stub + 10) == text + 9 + 0x100);
	CHECK(stub[16] == 0x48 && stub[17] == 0x8d && stub[18] == 0x0d);
	CHECK(at + 23 + displacement(stub + 19) == back);
	CHECK(stub[23] == 0xff && stub[24] == 0x25 && at + 29 + displacement(stub + 25) == target);
	CHECK(rewrite_stub_back(stub, at) == back);
	CHECK(rewrite_between_shown(stub, at, 0) == text - 5);
	CHECK(rewrite_between_shown(stub, at, 5) == text);
	CHECK(rewrite_between_shown(stub, at, 7) == text + 2);
	CHECK(rewrite_between_shown(stub, at, 14) == text + 9);
	CHECK(rewrite_between_shown(stub, at, 16) == back - 2);
	CHECK(rewrite_between_shown(stub, at, 23) == back - 2);
	/* a place that is too far from the stub */
	static const u8 far[] = {0x48, 0x8d, 0x35, 0, 0, 0, 0x7f};
	CHECK(rewrite_stub_between(stub, at, 1, far, sizeof(far), back, target));
	CHECK(!rewrite_stub_between(stub, at, 1, far, sizeof(far), at + 0x7f000000, target));
}

int main(void)
{
	static const struct test tests[] = {TEST(shapes),  TEST(wide),	      TEST(stubs),
					    TEST(answers), TEST(moved),	      TEST(bare),
					    TEST(between), TEST(between_stub)};

	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
