/* SPDX-License-Identifier: MIT
 * What RFC 9669 says of arithmetic, byte order and conditions, on concrete values: for the interpreter, and for tests
 * that compare others with it. */
#ifndef EXT_ALU_H
#define EXT_ALU_H

#include <insn.h>

/* The result of an instruction of class ALU or ALU64 on the destination's and the operand's value (END: the operand is
 * the width in bits). *known is set to 0 when there is no such instruction, and is otherwise left alone. */
u64 ext_alu(u8 code, s16 off, u64 dst, u64 src, int *known);
/* Whether a conditional jump (class JMP or JMP32) is taken. */
int ext_condition(u8 code, u64 dst, u64 src, int *known);

#endif
