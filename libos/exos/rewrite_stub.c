/* SPDX-License-Identifier: MIT
 * What stubs are, byte by byte: the part without a machine.
 *
 * No stub touches the stack: the program's red zone, and programs that keep something else in rsp, stay whole. None but the
 * call itself changes flags. */
#include "rewrite.h"

static void put32(u8 *to, u64 value)
{
	for (int i = 0; i < 4; i++)
		to[i] = value >> (8 * i);
}

/* The end of a call's stub: rcx is what `syscall` itself would have left there. */
static u32 stub_enter(u8 *stub, u64 at, u64 back, u64 target)
{
	stub[0] = 0x48; /* lea back(%rip), %rcx */
	stub[1] = 0x8d;
	stub[2] = 0x0d;
	put32(stub + 3, back - (at + 7));
	stub[7] = 0xff; /* jmp *target(%rip) */
	stub[8] = 0x25;
	put32(stub + 9, target - (at + 13));
	return 13;
}

u32 rewrite_stub(u8 *stub, u64 at, u32 number, u64 back, u64 target)
{
	stub[0] = 0xb8; /* mov $number, %eax */
	put32(stub + 1, number);
	return 5 + stub_enter(stub + 5, at + 5, back, target);
}

static u32 stub_jump(u8 *stub, u64 at, u64 to)
{
	stub[0] = 0xe9; /* jmp to */
	put32(stub + 1, to - (at + 5));
	return 5;
}

u32 rewrite_stub_word(u8 *stub, u64 at, u32 word, u64 back)
{
	stub[0] = 0x65; /* mov %gs:word, %eax */
	stub[1] = 0x8b;
	stub[2] = 0x04;
	stub[3] = 0x25;
	put32(stub + 4, word);
	return 8 + stub_jump(stub + 8, at + 8, back);
}

u32 rewrite_stub_field(u8 *stub, u64 at, u32 pointer, u32 field, u64 back)
{
	stub[0] = 0x65; /* mov %gs:pointer, %rax */
	stub[1] = 0x48;
	stub[2] = 0x8b;
	stub[3] = 0x04;
	stub[4] = 0x25;
	put32(stub + 5, pointer);
	stub[9] = 0x8b; /* mov field(%rax), %eax */
	stub[10] = 0x80;
	put32(stub + 11, field);
	return 15 + stub_jump(stub + 15, at + 15, back);
}

static u64 at_displacement(const u8 *to, u64 end)
{
	u32 distance = to[0] | to[1] << 8 | to[2] << 16 | (u32)to[3] << 24;

	return end + (u64)(s64)(s32)distance;
}

u64 rewrite_stub_back(const u8 *stub, u64 at)
{
	u32 between = stub[REWRITE_STUB_STEP - 1];

	if (stub[0] == 0xb8)
		return at_displacement(stub + 8 + between, at + 12 + between);
	return stub[1] == 0x8b ? at_displacement(stub + 9, at + 13)
			       : at_displacement(stub + 16, at + 20);
}

/* What is relative to an instruction's place is so to its end, and stands there: a lea of rip, which no longer is where it was. */
static int between_moved(u8 *code, u32 bytes, u64 by)
{
	u32 rex = (code[0] & 0xf0) == 0x40;

	if (code[rex] != 0x8d || (code[rex + 1] & 0xc7) != 5)
		return 1;
	u64 distance = at_displacement(code + bytes - 4, 0) - by;
	put32(code + bytes - 4, distance);
	return (u64)(s64)(s32)distance == distance;
}

u32 rewrite_stub_between(u8 *stub, u64 at, u32 number, const u8 *between, u32 bytes, u64 back,
			 u64 target)
{
	u8 code[REWRITE_BETWEEN_MOST];

	for (u32 i = 0; i < bytes; i++)
		code[i] = between[i];
	for (u32 i = 0, n; i < bytes; i += n) {
		n = rewrite_between_next(code + i, bytes - i);
		if (!n || !between_moved(code + i, n, at + 5 - (back - 2 - bytes)))
			return 0;
	}
	stub[0] = 0xb8; /* mov $number, %eax */
	put32(stub + 1, number);
	for (u32 i = 0; i < bytes; i++)
		stub[5 + i] = code[i];
	stub[REWRITE_STUB_STEP - 1] = (u8)bytes;
	return 5 + bytes + stub_enter(stub + 5 + bytes, at + 5 + bytes, back, target);
}

u64 rewrite_between_shown(const u8 *stub, u64 at, u32 offset)
{
	u32 bytes = stub[REWRITE_STUB_STEP - 1];
	u64 call = rewrite_stub_back(stub, at) - 2;

	if (offset < 5)
		return call - bytes - 5;
	return offset < 5 + bytes ? call - bytes + (offset - 5) : call;
}

/* How many bytes the instruction behind the `syscall` has in the stub: a short jump becomes one of 5. */
static u32 bare_moved(u32 bytes)
{
	return bytes == REWRITE_SHORT ? 5 : bytes;
}

u32 rewrite_stub_bare(u8 *stub, u64 at, u64 site, const u8 *next, u32 bytes, u64 target)
{
	stub[0] = 0x48; /* lea next(%rip), %rcx */
	stub[1] = 0x8d;
	stub[2] = 0x0d;
	put32(stub + 3, REWRITE_BARE_NEXT - 7);
	stub[7] = 0xff; /* jmp *target(%rip) */
	stub[8] = 0x25;
	put32(stub + 9, target - (at + 13));
	stub[13] = 0x0f; /* syscall: where the call begins anew */
	stub[14] = 0x05;
	u32 n = REWRITE_BARE_NEXT + bare_moved(bytes);
	if (bytes == REWRITE_SHORT)
		stub_jump(stub + REWRITE_BARE_NEXT, at + REWRITE_BARE_NEXT,
			  site + 2 + REWRITE_SHORT + (u64)(s64)(s8)next[1]);
	for (u32 i = 0; i < bytes && bytes != REWRITE_SHORT; i++)
		stub[REWRITE_BARE_NEXT + i] = next[i];
	n += stub_jump(stub + n, at + n, site + 2 + bytes);
	stub[REWRITE_BARE_STEP - 1] = (u8)bytes;
	return n;
}

u64 rewrite_bare_shown(const u8 *stub, u64 at, u32 offset)
{
	u32 bytes = stub[REWRITE_BARE_STEP - 1], jump = REWRITE_BARE_NEXT + bare_moved(bytes);
	u64 behind = at_displacement(stub + jump + 1, at + jump + 5);

	if (offset >= jump)
		return behind;
	return behind - bytes - (offset < REWRITE_BARE_NEXT ? 2 : 0);
}
