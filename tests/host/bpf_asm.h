/* SPDX-License-Identifier: MIT
 * Instructions from the text that ext_disassemble makes of them: for tests. Wide constants take two. */
#ifndef HOST_BPF_ASM_H
#define HOST_BPF_ASM_H

#include <ext.h>
#include <insn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const asm_alu[] = {
	"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", 0, "%=", "^=", "=", "s>>="};
static const char *const asm_jump[] = {"",    "==", ">", ">=", "&",  "!=", "s>",
				       "s>=", 0,    0,	 "<",  "<=", "s<", "s<="};

static int asm_find(const char *const *names, u32 n, const char *name)
{
	for (u32 i = 0; i < n; i++)
		if (names[i] && !strcmp(names[i], name))
			return (int)i;
	return -1;
}

/* "r3" or "w3"; the letter goes to *width. -1: neither. */
static int asm_reg(const char *text, char *width)
{
	char *end;
	long n;

	if (*text != 'r' && *text != 'w')
		return -1;
	*width = *text;
	n = strtol(text + 1, &end, 10);
	return end == text + 1 || *end || n < 0 || n > 10 ? -1 : (int)n;
}

static int asm_size(const char *type)
{
	switch (atoi(type + 1)) {
	case 8:
		return EXT_B;
	case 16:
		return EXT_H;
	case 32:
		return EXT_W;
	case 64:
		return EXT_DW;
	}
	return -1;
}

static struct ext_insn asm_make(u32 code, int dst, int src, s32 off, s64 imm)
{
	return (struct ext_insn){(u8)code, (u8)(dst | src << 4), (s16)off, (s32)imm};
}

/* The right side of an ALU instruction or condition. */
static int asm_operand(const char *text, int *src, s64 *imm)
{
	char width, *end;

	*src = asm_reg(text, &width);
	*imm = 0;
	if (*src >= 0)
		return EXT_X;
	*src = 0;
	*imm = strtoll(text, &end, 0);
	return *end || end == text ? -1 : 0;
}

static u32 asm_atomic(const char *line, struct ext_insn *i)
{
	char reg[8], type[8], op[8], with[8], width;
	int base, off, alu, fetch = 0, src;

	if (sscanf(line, "%7s = xchg((%7s *)(r%d + %d), %7[rw0-9])", reg, type, &base, &off,
		   with) == 5)
		alu = EXT_XCHG;
	else if (sscanf(line, "%7s = cmpxchg((%7s *)(r%d + %d), %7[rw0-9], %7[rw0-9])", reg, type,
			&base, &off, op, with) == 6)
		alu = EXT_CMPXCHG;
	else if (sscanf(line, "%7s = fetch lock *(%7s *)(r%d + %d) %7s %7s", reg, type, &base, &off,
			op, with) == 6)
		fetch = EXT_FETCH, alu = asm_find(asm_alu, 13, op) << 4;
	else if (sscanf(line, "lock *(%7s *)(r%d + %d) %7s %7s", type, &base, &off, op, with) == 5)
		alu = asm_find(asm_alu, 13, op) << 4;
	else
		return 0;
	src = asm_reg(with, &width);
	if (alu < 0 || src < 0)
		return 0;
	*i = asm_make(EXT_STX | EXT_ATOMIC | (u32)asm_size(type), base, src, off, alu | fetch);
	return 1;
}

static u32 asm_memory(const char *line, struct ext_insn *i)
{
	char type[8], value[32];
	int dst, base, off, src, x;
	s64 imm;

	if (sscanf(line, "r%d = *(%7s *)(r%d + %d)", &dst, type, &base, &off) == 4) {
		*i = asm_make(EXT_LDX | (*type == 's' ? EXT_MEMSX : EXT_MEM) | (u32)asm_size(type),
			      dst, base, off, 0);
		return 1;
	}
	if (sscanf(line, "*(%7s *)(r%d + %d) = %31s", type, &base, &off, value) != 4)
		return 0;
	x = asm_operand(value, &src, &imm);
	if (x < 0)
		return 0;
	*i = asm_make((x ? EXT_STX : EXT_ST) | EXT_MEM | (u32)asm_size(type), base, src, off, imm);
	return 1;
}

static u32 asm_flow(const char *line, struct ext_insn *i)
{
	char left[8], op[8], right[32], width;
	int off, dst, src, x, n;
	s64 imm;

	if (!strcmp(line, "exit"))
		*i = asm_make(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
	else if (sscanf(line, "goto %d", &off) == 1)
		*i = asm_make(EXT_JMP | EXT_JA, 0, 0, off, 0);
	else if (sscanf(line, "gotol %d", &off) == 1)
		*i = asm_make(EXT_JMP32 | EXT_JA, 0, 0, 0, off);
	else if (sscanf(line, "call %d", &off) == 1)
		*i = asm_make(EXT_JMP | EXT_CALL, 0, EXT_CALL_LOCAL, 0, off);
	else if (sscanf(line, "if %7s %7s %31s goto %d", left, op, right, &off) == 4) {
		dst = asm_reg(left, &width);
		n = asm_find(asm_jump, 14, op);
		x = asm_operand(right, &src, &imm);
		if (dst < 0 || n < 0 || x < 0)
			return 0;
		*i = asm_make((width == 'r' ? EXT_JMP : EXT_JMP32) | (u32)n << 4 | (u32)x, dst, src,
			      off, imm);
	} else
		return 0;
	return 1;
}

static u32 asm_alu_line(const char *line, struct ext_insn *i)
{
	char left[8], op[8], right[40], tail[8] = "", width, other;
	int bits, dst, src, x, n, is_signed;
	u32 class;
	s64 imm;

	if (sscanf(line, "%7s %7s %39s %7s", left, op, right, tail) < 3)
		return 0;
	dst = asm_reg(left, &width);
	if (dst < 0)
		return 0;
	class = width == 'r' ? EXT_ALU64 : EXT_ALU;
	if (!strcmp(tail, "ll")) {
		u64 wide = strtoull(right, 0, 0);

		i[0] = asm_make(EXT_LDDW, dst, 0, 0, (s32)wide);
		i[1] = asm_make(0, 0, 0, 0, (s32)(wide >> 32));
		return 2;
	}
	if (sscanf(right, "le%d", &bits) == 1)
		*i = asm_make(EXT_ALU | EXT_END, dst, 0, 0, bits);
	else if (sscanf(right, "be%d", &bits) == 1)
		*i = asm_make(EXT_ALU | EXT_X | EXT_END, dst, 0, 0, bits);
	else if (sscanf(right, "bswap%d", &bits) == 1)
		*i = asm_make(EXT_ALU64 | EXT_END, dst, 0, 0, bits);
	else if (sscanf(right, "(s%d)%c%d", &bits, &other, &src) == 3)
		*i = asm_make(class | EXT_MOV | EXT_X, dst, src, bits, 0);
	else if (right[0] == '-' && (right[1] == 'r' || right[1] == 'w'))
		*i = asm_make(class | EXT_NEG, dst, 0, 0, 0);
	else {
		is_signed = !strcmp(op, "s/=") || !strcmp(op, "s%=");
		n = asm_find(asm_alu, 13, op + is_signed);
		x = asm_operand(right, &src, &imm);
		if (n < 0 || x < 0)
			return 0;
		*i = asm_make(class | (u32)n << 4 | (u32)x, dst, src, is_signed, imm);
	}
	return 1;
}

/* One line; how many instructions it took, 0: not understood. */
static inline u32 asm_line(const char *line, struct ext_insn *i)
{
	u32 n = asm_atomic(line, i);

	n = n ? n : asm_memory(line, i);
	n = n ? n : asm_flow(line, i);
	return n ? n : asm_alu_line(line, i);
}

/* Lines, separated by ';', into code, of which p's functions are parts; `fn` begins another. p: one function, nothing in it yet.
 * 0: a line was not understood, and is printed. */
static inline int asm_text(const char *text, struct ext_program *p, struct ext_insn *code)
{
	struct ext_function *f = (struct ext_function *)p->function;
	char line[100];

	while (*text) {
		u32 n = (u32)strcspn(text, ";");

		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		text += n + (text[n] == ';');
		if (!strcmp(line, "fn")) {
			f[p->functions - 1].count = p->insns - f[p->functions - 1].first;
			f[p->functions++].first = p->insns;
			continue;
		}
		n = asm_line(line, code + p->insns);
		if (!n) {
			printf("  not understood: %s\n", line);
			return 0;
		}
		p->insns += n;
	}
	f[p->functions - 1].count = p->insns - f[p->functions - 1].first;
	return 1;
}

#endif
