/* SPDX-License-Identifier: MIT
 * Every instruction exists, its unused fields are zero, and it does not leave its function.
 * Source: RFC 9669, sections 4 and 5. */
#include <flow.h>
#include <refusal.h>

/* One check each; the text of what is wrong, or 0. */
static const char *code_alu(const struct ext_insn *i)
{
	u32 op = EXT_OP(i->code), is_x = i->code & EXT_X, is_wide = EXT_CLASS(i->code) == EXT_ALU64;
	u32 is_unary = op == EXT_NEG || op == EXT_END;

	if (op > EXT_END)
		return "no such arithmetic instruction";
	if (ext_dst(i) >= EXT_REGS || ext_src(i) >= EXT_REGS)
		return "no such register";
	if (ext_dst(i) == 10)
		return "R10 cannot be written";
	if (op == EXT_NEG && is_x)
		return "a negation has no source register";
	if ((is_unary || !is_x) && ext_src(i))
		return "the source register's field is not 0";
	if (is_x && !is_unary && i->imm)
		return "the immediate is not 0";
	if (op == EXT_NEG && i->imm)
		return "the immediate is not 0";
	if (op == EXT_END && i->imm != 16 && i->imm != 32 && i->imm != 64)
		return "a byte swap of another width than 16, 32, 64";
	if (op == EXT_END && is_wide && is_x)
		return "no such byte swap";
	if (op == EXT_DIV || op == EXT_MOD)
		return i->off == 0 || i->off == 1 ? 0 : "the offset of a division is not 0 or 1";
	if (op == EXT_MOV && is_x && (i->off == 8 || i->off == 16 || (i->off == 32 && is_wide)))
		return 0;
	if (i->off)
		return "the offset is not 0";
	if (!is_x && !is_unary && (op == EXT_LSH || op == EXT_RSH || op == EXT_ARSH) &&
	    (u32)i->imm >= (is_wide ? 64u : 32u))
		return "a shift by its width or more";
	return 0;
}

static const char *code_jump(const struct ext_insn *i)
{
	u32 op = EXT_OP(i->code), is_x = i->code & EXT_X, is_wide = EXT_CLASS(i->code) == EXT_JMP;

	if (op > EXT_JSLE)
		return "no such jump";
	if (ext_dst(i) >= EXT_REGS)
		return "no such register";
	if (op == EXT_JA || op == EXT_CALL || op == EXT_EXIT) {
		if (is_x || (!is_wide && op != EXT_JA))
			return "no such jump";
		if (ext_dst(i))
			return "the destination register's field is not 0";
		if (op == EXT_CALL && ext_src(i) != EXT_CALL_IMPORT && ext_src(i) != EXT_CALL_LOCAL)
			return "no such call";
		if (op != EXT_CALL && ext_src(i))
			return "the source register's field is not 0";
		if ((op == EXT_EXIT || (op == EXT_JA && is_wide)) && i->imm)
			return "the immediate is not 0";
		if ((op != EXT_JA || !is_wide) && i->off)
			return "the offset is not 0";
		return 0;
	}
	if (ext_src(i) >= EXT_REGS)
		return "no such register";
	if (is_x && i->imm)
		return "the immediate is not 0";
	if (!is_x && ext_src(i))
		return "the source register's field is not 0";
	return 0;
}

static const char *code_atomic(const struct ext_insn *i)
{
	u32 op = (u32)i->imm & ~(u32)EXT_FETCH;

	if (ext_bytes(i->code) < 4)
		return "an atomic operation of less than 4 bytes";
	if (i->imm == EXT_XCHG || i->imm == EXT_CMPXCHG)
		return 0;
	if (op != EXT_ADD && op != EXT_OR && op != EXT_AND && op != EXT_XOR)
		return "no such atomic operation";
	return 0;
}

static const char *code_memory(const struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code), mode = EXT_MODE(i->code);

	if (ext_dst(i) >= EXT_REGS || ext_src(i) >= EXT_REGS)
		return "no such register";
	if (class == EXT_LDX && ext_dst(i) == 10)
		return "R10 cannot be written";
	if (class == EXT_STX && mode == EXT_ATOMIC)
		return code_atomic(i);
	if (mode != EXT_MEM && !(class == EXT_LDX && mode == EXT_MEMSX && ext_bytes(i->code) < 8))
		return "no such load or store";
	if (class != EXT_ST && i->imm)
		return "the immediate is not 0";
	if (class == EXT_ST && ext_src(i))
		return "the source register's field is not 0";
	return 0;
}

static const char *code_lddw(const struct ext_program *p, u32 n, u32 end)
{
	const struct ext_insn *i = &p->insn[n];

	if (i->code != EXT_LDDW)
		return "no such load";
	if (n + 1 >= end)
		return "half a 64-bit load";
	if (i[1].code || i[1].regs || i[1].off)
		return "the second half of a 64-bit load has fields that are not 0";
	if (ext_dst(i) >= EXT_REGS)
		return "no such register";
	if (ext_dst(i) == 10)
		return "R10 cannot be written";
	if (i->off)
		return "the offset is not 0";
	if (ext_src(i) == 0)
		return 0;
	if (ext_src(i) != EXT_LD_REGION && ext_src(i) != EXT_LD_MAP)
		return "no such 64-bit load";
	if ((u32)i->imm >= p->regions)
		return "no such region";
	if (ext_src(i) == EXT_LD_MAP && i[1].imm)
		return "the second half of a map's load is not 0";
	if ((p->region[i->imm].kind >= EXT_ARRAY) != (ext_src(i) == EXT_LD_MAP))
		return "a map where data is meant, or data where a map is";
	return 0;
}

static const char *code_call(const struct ext_program *p, u32 n)
{
	const struct ext_insn *i = &p->insn[n];

	if (ext_src(i) == EXT_CALL_IMPORT)
		return (u32)i->imm < p->imports ? 0 : "no such imported function";
	for (u32 f = 0; f < p->functions; f++)
		if ((s64)p->function[f].first == (s64)n + 1 + i->imm)
			return 0;
	return "calls what is not the begin of a function";
}

static const char *code_insn(const struct ext_program *p, u32 n, u32 end)
{
	const struct ext_insn *i = &p->insn[n];

	switch (EXT_CLASS(i->code)) {
	case EXT_ALU:
	case EXT_ALU64:
		return code_alu(i);
	case EXT_JMP:
	case EXT_JMP32:
		if (i->code == (EXT_JMP | EXT_CALL) && !code_jump(i))
			return code_call(p, n);
		return code_jump(i);
	case EXT_LD:
		return code_lddw(p, n, end);
	default:
		return code_memory(i);
	}
}

static int refuse(struct ext_refusal *why, u32 *insn, u32 n, enum ext_why what, const char *text)
{
	*insn = n;
	return ext_refuse(why, what, 0, "%s", text);
}

static int is_jump(const struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code);

	return (class == EXT_JMP || class == EXT_JMP32) && EXT_OP(i->code) != EXT_CALL &&
	       EXT_OP(i->code) != EXT_EXIT;
}

static int check_function(const struct ext_program *p, const struct ext_function *f,
			  struct ext_refusal *why, u32 *insn)
{
	u32 end = f->first + f->count, last = f->first;

	for (u32 n = f->first; n < end; n += p->insn[n].code == EXT_LDDW ? 2 : 1) {
		const char *text = code_insn(p, n, end);

		if (text)
			return refuse(why, insn, n, EXT_WHY_CODE, text);
		last = n;
	}
	for (u32 n = f->first; n < end; n += p->insn[n].code == EXT_LDDW ? 2 : 1) {
		const struct ext_insn *i = &p->insn[n];
		s64 to;

		if (!is_jump(i))
			continue;
		to = (s64)n + 1 + (i->code == (EXT_JMP32 | EXT_JA) ? i->imm : i->off);
		if (to < f->first || to >= end)
			return refuse(why, insn, n, EXT_WHY_FLOW, "a jump out of the function");
		/* a second half has code 0, which no instruction has */
		if (!p->insn[to].code)
			return refuse(why, insn, n, EXT_WHY_FLOW,
				      "a jump into the middle of a 64-bit load");
	}
	if (p->insn[last].code != (EXT_JMP | EXT_EXIT) &&
	    p->insn[last].code != (EXT_JMP | EXT_JA) && p->insn[last].code != (EXT_JMP32 | EXT_JA))
		return refuse(why, insn, last, EXT_WHY_FLOW,
			      "control falls off the function's end");
	return EXT_OK;
}

int flow_check(const struct ext_program *p, struct ext_refusal *why, u32 *insn)
{
	u32 next = 0;

	for (u32 f = 0; f < p->functions; f++) {
		const struct ext_function *g = &p->function[f];

		if (g->first != next || !g->count || g->count > p->insns - next)
			return refuse(why, insn, next < p->insns ? next : 0, EXT_WHY_FLOW,
				      "functions do not follow one another");
		next += g->count;
	}
	if (next != p->insns || !p->insns)
		return refuse(why, insn, 0, EXT_WHY_FLOW, "instructions outside every function");
	for (u32 f = 0; f < p->functions; f++) {
		int error = check_function(p, &p->function[f], why, insn);

		if (error)
			return error;
	}
	return EXT_OK;
}
