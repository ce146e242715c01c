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

/* rcx is what `syscall` itself would have left there. */
u32 rewrite_stub(u8 *stub, u64 at, u32 number, u64 back, u64 target)
{
	stub[0] = 0xb8; /* mov $number, %eax */
	put32(stub + 1, number);
	stub[5] = 0x48; /* lea back(%rip), %rcx */
	stub[6] = 0x8d;
	stub[7] = 0x0d;
	put32(stub + 8, back - (at + 12));
	stub[12] = 0xff; /* jmp *target(%rip) */
	stub[13] = 0x25;
	put32(stub + 14, target - (at + 18));
	return 18;
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
	if (stub[0] == 0xb8)
		return at_displacement(stub + 8, at + 12);
	return stub[1] == 0x8b ? at_displacement(stub + 9, at + 13)
			       : at_displacement(stub + 16, at + 20);
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
	for (u32 i = 0; i < bytes; i++)
		stub[REWRITE_BARE_NEXT + i] = next[i];
	u32 n = REWRITE_BARE_NEXT + bytes;
	n += stub_jump(stub + n, at + n, site + 2 + bytes);
	stub[REWRITE_BARE_STEP - 1] = (u8)bytes;
	return n;
}

u64 rewrite_bare_shown(const u8 *stub, u64 at, u32 offset)
{
	u32 bytes = stub[REWRITE_BARE_STEP - 1], jump = REWRITE_BARE_NEXT + bytes;
	u64 behind = at_displacement(stub + jump + 1, at + jump + 5);

	if (offset >= jump)
		return behind;
	return behind - bytes - (offset < REWRITE_BARE_NEXT ? 2 : 0);
}
