/* SPDX-License-Identifier: MIT
 * Which system call sites may be rewritten, and what may be moved: the part without a machine. */
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

/* ModRM names two registers. */
static int of_registers(u8 modrm)
{
	return modrm >> 6 == 3;
}

u32 rewrite_next(const u8 *code)
{
	u32 rex = (code[0] & 0xf0) == 0x40, bytes = 0;
	u8 operation = code[rex], modrm = code[rex + 1];

	if (operation == 0x3d || (operation >= 0xb8 && operation <= 0xbf && !(code[0] & 8 && rex)))
		bytes = 5; /* cmp, mov: an immediate of 32 bits */
	else if (!of_registers(modrm))
		return 0;
	else if (operation == 0x83)
		bytes = 3; /* add to cmp: an immediate of 8 bits */
	else if (operation == 0x81 || (operation == 0xc7 && !(modrm & 0x38)))
		bytes = 6; /* the same, and mov, of 32 bits */
	else if (operation == 0x85 || operation == 0x89 || operation == 0x8b ||
		 (operation < 0x40 && ((operation & 7) == 1 || (operation & 7) == 3)))
		bytes = 2; /* test, mov, add to cmp */
	return bytes + rex >= 3 && bytes ? bytes + rex : 0;
}

#define BIT(byte) (1ul << ((byte) % 64))
int rewrite_traps(u8 byte)
{
	static const u64 none[4] = {
		BIT(0x06) | BIT(0x07) | BIT(0x0e) | BIT(0x16) | BIT(0x17) | BIT(0x1e) | BIT(0x1f) |
			BIT(0x27) | BIT(0x2f) | BIT(0x37) | BIT(0x3f),
		BIT(0x60) | BIT(0x61),
		0,
		BIT(0xcc) | BIT(0xce) | BIT(0xea),
	};

	return none[byte / 64] >> byte % 64 & 1;
}

/* The other shape, `48 c7 c0 nr nr nr nr 0f 05`, is what C libraries return from a signal's handler by; unwinders know it by
 * these bytes where they find no description of it. A call whose number is in rax ended with these bytes: an instruction
 * that had some of them behind its own opcode would be one of those above, or `mov $number, %eax` in six bytes (c7 c0),
 * which no assembler makes, behind an instruction that ends with 48. */
int rewrite_shape_wide(const u8 code[9], u64 number)
{
	u32 immediate = code[3] | code[4] << 8 | code[5] << 16 | (u32)code[6] << 24;

	if (code[7] != 0x0f || code[8] != 0x05)
		return 0;
	if (code[0] != 0x48 || code[1] != 0xc7 || code[2] != 0xc0)
		return 0;
	return immediate == number && number <= 0xffff;
}

/* lea, mov of a register or of 32 bits, xor. */
u32 rewrite_between_next(const u8 *code, u32 room)
{
	u32 rex = (code[0] & 0xf0) == 0x40, bytes = rex + 2;

	if (room < bytes)
		return 0;
	u8 prefix = rex ? code[0] : 0, operation = code[rex], modrm = code[rex + 1];
	u32 reg = (modrm >> 3 & 7) | (prefix & 4) << 1, rm = (modrm & 7) | (prefix & 1) << 3;
	u32 to = reg;

	if (operation >= 0xb8 && operation <= 0xbf && !(prefix & 8)) {
		to = (operation & 7) | (prefix & 1) << 3;
		bytes += 3;
	} else if (operation == 0x8d && !of_registers(modrm)) {
		u32 base = modrm & 7;

		if (base == 4) {
			base = code[rex + 2] & 7;
			bytes++;
		}
		if (modrm >> 6 == 1)
			bytes++;
		else if (modrm >> 6 == 2 || base == 5)
			bytes += 4;
	} else if (!of_registers(modrm)) {
		return 0;
	} else if (operation == 0x89 || operation == 0x31) {
		to = rm;
	} else if (operation != 0x8b && operation != 0x33) {
		return 0;
	}
	return to && bytes <= room ? bytes : 0;
}

/* An instruction with an immediate of 32 bits at its end, whose operand's bytes may be anything: 69, 81, c7. */
static int immediate_ends(u8 byte)
{
	return byte == 0x69 || byte == 0x81 || byte == 0xc7;
}

/* The mov is the same as of rewrite_shape, but that what is behind it makes less sure that it is one: it must not be the end of an
 * instruction with an immediate either. */
u32 rewrite_between(const u8 code[REWRITE_BEFORE], u64 number)
{
	const u32 end = REWRITE_BEFORE - 2;

	for (u32 bytes = 2; bytes <= REWRITE_BETWEEN_MOST; bytes++) {
		u32 at = end - bytes, one = 1;
		u8 like[8] = {code[at - 6], code[at - 5], code[at - 4], code[at - 3],
			      code[at - 2], code[at - 1], code[end],	code[end + 1]};

		if (!rewrite_shape(like, number))
			continue;
		if (immediate_ends(code[at - 7]) || immediate_ends(code[at - 8]))
			continue;
		while (at < end && one) {
			one = rewrite_between_next(code + at, end - at);
			at += one;
		}
		if (at == end)
			return bytes;
	}
	return 0;
}
