/* SPDX-License-Identifier: MIT
 * The instruction set (RFC 9669): encoding and names of its parts. */
#ifndef EXT_INSN_H
#define EXT_INSN_H

#include <aril/types.h>

struct ext_insn {
	u8 code;
	u8 regs; /* destination: low 4 bits; source: high 4 bits */
	s16 off;
	s32 imm;
};
ARIL_ASSERT_SIZE(struct ext_insn, 8);

static inline u32 ext_dst(const struct ext_insn *i)
{
	return i->regs & 15;
}
static inline u32 ext_src(const struct ext_insn *i)
{
	return i->regs >> 4;
}

/* class: low 3 bits of code */
#define EXT_LD 0x00
#define EXT_LDX 0x01
#define EXT_ST 0x02
#define EXT_STX 0x03
#define EXT_ALU 0x04
#define EXT_JMP 0x05
#define EXT_JMP32 0x06
#define EXT_ALU64 0x07
#define EXT_CLASS(code) ((code)&7)

/* arithmetic and jumps: bit 3 the source (1: register), bits 4..7 the operation */
#define EXT_X 0x08
#define EXT_OP(code) ((code)&0xf0)
#define EXT_ADD 0x00
#define EXT_SUB 0x10
#define EXT_MUL 0x20
#define EXT_DIV 0x30 /* off 1: signed */
#define EXT_OR 0x40
#define EXT_AND 0x50
#define EXT_LSH 0x60
#define EXT_RSH 0x70
#define EXT_NEG 0x80
#define EXT_MOD 0x90 /* off 1: signed */
#define EXT_XOR 0xa0
#define EXT_MOV 0xb0 /* off 8, 16, 32: sign-extending */
#define EXT_ARSH 0xc0
#define EXT_END 0xd0 /* byte order; class ALU: to little or (bit 3) big endian; class ALU64: swap */

#define EXT_JA 0x00 /* class JMP: off; class JMP32: imm */
#define EXT_JEQ 0x10
#define EXT_JGT 0x20
#define EXT_JGE 0x30
#define EXT_JSET 0x40
#define EXT_JNE 0x50
#define EXT_JSGT 0x60
#define EXT_JSGE 0x70
#define EXT_CALL 0x80
#define EXT_EXIT 0x90
#define EXT_JLT 0xa0
#define EXT_JLE 0xb0
#define EXT_JSLT 0xc0
#define EXT_JSLE 0xd0

/* loads and stores: bits 3..4 the size, bits 5..7 the mode */
#define EXT_SIZE(code) ((code)&0x18)
#define EXT_W 0x00
#define EXT_H 0x08
#define EXT_B 0x10
#define EXT_DW 0x18
#define EXT_MODE(code) ((code)&0xe0)
#define EXT_IMM 0x00 /* LD | DW: LDDW, two instructions wide */
#define EXT_MEM 0x60
#define EXT_MEMSX 0x80
#define EXT_ATOMIC 0xc0 /* imm: ADD OR AND XOR, | FETCH; XCHG, CMPXCHG */
#define EXT_FETCH 0x01
#define EXT_XCHG 0xe1
#define EXT_CMPXCHG 0xf1
static inline u32 ext_bytes(u8 code)
{
	switch (EXT_SIZE(code)) {
	case EXT_W:
		return 4;
	case EXT_H:
		return 2;
	case EXT_B:
		return 1;
	default:
		return 8;
	}
}

#define EXT_LDDW 0x18
#define EXT_LD_REGION 1 /* src of LDDW: an address in a region */
#define EXT_LD_MAP 2	/* the region as a map */
#define EXT_CALL_IMPORT 0
#define EXT_CALL_LOCAL 1

#define EXT_REGS 11u /* r0..r10; r10 is the frame's end, read-only */

#endif
