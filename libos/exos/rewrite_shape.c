/* SPDX-License-Identifier: MIT
 * Which system call sites may be rewritten: the part without a machine. */
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
