/* SPDX-License-Identifier: MIT
 * Which system call sites may be rewritten, and what a stub is: the parts without a machine. */
#include "rewrite.h"

/* The site is `b8 nr nr nr nr 0f 05`. It is only ours if the b8 begins an instruction. The bytes say so, but for
 * these: a REX prefix (mov to r8d, or the tail of a movabs) or 66 before it; and b8 as the ModRM of an
 * instruction with a 32-bit displacement that touches no memory (lea, the long nop): one that does would have
 * read [rax + displacement] with rax = displacement = a system call number, where no program has memory. */
int rewrite_shape(const u8 code[8], u64 number)
{
	u8 before = code[0];
	u32 immediate;

	if (code[6] != 0x0f || code[7] != 0x05 || code[1] != 0xb8)
		return 0;
	immediate = code[2] | code[3] << 8 | code[4] << 16 | (u32)code[5] << 24;
	if (immediate != number || number > 0xffff)
		return 0;
	if ((before & 0xf0) == 0x40 || before == 0x66 || before == 0x8d || before == 0x1f)
		return 0;
	return 1;
}

static void put32(u8 *to, u64 value)
{
	for (int i = 0; i < 4; i++)
		to[i] = value >> (8 * i);
}

/* No stack is touched: the program's red zone, and programs that keep something else in rsp, stay whole. rcx is
 * what `syscall` itself would have left there. */
void rewrite_stub(u8 stub[REWRITE_STUB_BYTES], u64 at, u32 number, u64 back, u64 target)
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
}
