/* SPDX-License-Identifier: MIT
 * Arithmetic of RFC 9669, sections 4.1 and 4.2, as C says it most plainly. */
#include <alu.h>

static u64 swap(u64 x, u32 bits, int *known)
{
	switch (bits) {
	case 16:
		return __builtin_bswap16((u16)x);
	case 32:
		return __builtin_bswap32((u32)x);
	case 64:
		return __builtin_bswap64(x);
	}
	*known = 0;
	return 0;
}

static u64 cut(u64 x, u32 bits, int *known)
{
	switch (bits) {
	case 16:
		return (u16)x;
	case 32:
		return (u32)x;
	case 64:
		return x;
	}
	*known = 0;
	return 0;
}

/* Division by 0 gives 0, the remainder then is the dividend; the most negative number by -1 wraps. */
static u64 divide(u64 a, u64 b, int wants_rest)
{
	if (!b)
		return wants_rest ? a : 0;
	return wants_rest ? a % b : a / b;
}

static u64 divide_signed(s64 a, s64 b, int wants_rest)
{
	if (!b)
		return wants_rest ? (u64)a : 0;
	if (b == -1)
		return wants_rest ? 0 : -(u64)a;
	return (u64)(wants_rest ? a % b : a / b);
}

static u64 extend(u64 x, s16 off, int is64, int *known)
{
	if (off == 0)
		return x;
	if (off == 8)
		return (u64)(s64)(s8)x;
	if (off == 16)
		return (u64)(s64)(s16)x;
	if (off == 32 && is64)
		return (u64)(s64)(s32)x;
	*known = 0;
	return 0;
}

u64 ext_alu(u8 code, s16 off, u64 dst, u64 src, int *known)
{
	int is64 = EXT_CLASS(code) == EXT_ALU64, is_signed = off == 1;
	u32 op = EXT_OP(code), shift = (u32)src & (is64 ? 63 : 31);
	u64 result;

	if (code & EXT_X && (op == EXT_NEG || (op == EXT_END && is64))) {
		*known = 0;
		return 0;
	}
	if (op == EXT_END) {
		if (is64 || (code & EXT_X))
			return swap(dst, (u32)src, known);
		return cut(dst, (u32)src, known);
	}
	if (!is64) {
		dst = (u32)dst;
		src = (u32)src;
	}
	if (off && op != EXT_MOV && (op != EXT_DIV || off != 1) && (op != EXT_MOD || off != 1)) {
		*known = 0;
		return 0;
	}
	switch (op) {
	case EXT_ADD:
		result = dst + src;
		break;
	case EXT_SUB:
		result = dst - src;
		break;
	case EXT_MUL:
		result = dst * src;
		break;
	case EXT_OR:
		result = dst | src;
		break;
	case EXT_AND:
		result = dst & src;
		break;
	case EXT_XOR:
		result = dst ^ src;
		break;
	case EXT_LSH:
		result = dst << shift;
		break;
	case EXT_RSH:
		result = dst >> shift;
		break;
	case EXT_ARSH:
		result = is64 ? (u64)((s64)dst >> shift) : (u64)((s32)dst >> shift);
		break;
	case EXT_NEG:
		result = -dst;
		break;
	case EXT_MOV:
		result = extend(src, off, is64, known);
		break;
	case EXT_DIV:
	case EXT_MOD:
		if (!is_signed)
			result = divide(dst, src, op == EXT_MOD);
		else if (is64)
			result = divide_signed((s64)dst, (s64)src, op == EXT_MOD);
		else
			result = divide_signed((s32)dst, (s32)src, op == EXT_MOD);
		break;
	default:
		*known = 0;
		return 0;
	}
	return is64 ? result : (u32)result;
}

int ext_condition(u8 code, u64 dst, u64 src, int *known)
{
	int is64 = EXT_CLASS(code) == EXT_JMP;
	s64 a = is64 ? (s64)dst : (s32)dst, b = is64 ? (s64)src : (s32)src;

	if (!is64) {
		dst = (u32)dst;
		src = (u32)src;
	}
	switch (EXT_OP(code)) {
	case EXT_JEQ:
		return dst == src;
	case EXT_JNE:
		return dst != src;
	case EXT_JGT:
		return dst > src;
	case EXT_JGE:
		return dst >= src;
	case EXT_JLT:
		return dst < src;
	case EXT_JLE:
		return dst <= src;
	case EXT_JSET:
		return (dst & src) != 0;
	case EXT_JSGT:
		return a > b;
	case EXT_JSGE:
		return a >= b;
	case EXT_JSLT:
		return a < b;
	case EXT_JSLE:
		return a <= b;
	}
	*known = 0;
	return 0;
}
