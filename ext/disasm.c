/* SPDX-License-Identifier: MIT
 * Instructions as text, much as compilers write them: "r1 = *(u32 *)(r2 + 4)", "if w1 s< 7 goto +3". */
#include <ext.h>
#include <refusal.h>

static const char *const type_name[] = {"u32", "u16", "u8", "u64"};
static const char *const signed_name[] = {"s32", "s16", "s8", "s64"};

static const char *unsigned_type(u8 code)
{
	return type_name[EXT_SIZE(code) >> 3];
}

static u64 unknown(const struct ext_insn *i, char *out, u64 size)
{
	return ext_format(out, size, "unknown %x %x %d %d", (u64)i->code, (u64)i->regs, (s64)i->off,
			  (s64)i->imm);
}

static const char *alu_name(u32 op, int is_signed)
{
	switch (op) {
	case EXT_ADD:
		return "+=";
	case EXT_SUB:
		return "-=";
	case EXT_MUL:
		return "*=";
	case EXT_DIV:
		return is_signed ? "s/=" : "/=";
	case EXT_OR:
		return "|=";
	case EXT_AND:
		return "&=";
	case EXT_LSH:
		return "<<=";
	case EXT_RSH:
		return ">>=";
	case EXT_MOD:
		return is_signed ? "s%=" : "%=";
	case EXT_XOR:
		return "^=";
	case EXT_MOV:
		return "=";
	case EXT_ARSH:
		return "s>>=";
	}
	return 0;
}

static u64 alu(const struct ext_insn *i, char *out, u64 size)
{
	int is64 = EXT_CLASS(i->code) == EXT_ALU64;
	u32 op = EXT_OP(i->code);
	const char *name = alu_name(op, i->off == 1), *w = is64 ? "r" : "w";
	u64 dst = ext_dst(i), src = ext_src(i);

	if ((op == EXT_NEG && i->code & EXT_X) || (op == EXT_END && is64 && i->code & EXT_X))
		return unknown(i, out, size);
	if (op == EXT_NEG)
		return ext_format(out, size, "%s%u = -%s%u", w, dst, w, dst);
	if (op == EXT_END)
		return ext_format(out, size, "r%u = %s%u r%u", dst,
				  is64		    ? "bswap"
				  : i->code & EXT_X ? "be"
						    : "le",
				  (u64)(u32)i->imm, dst);
	if (!name)
		return unknown(i, out, size);
	if (!(i->code & EXT_X))
		return ext_format(out, size, "%s%u %s %d", w, dst, name, (s64)i->imm);
	if (op == EXT_MOV && i->off)
		return ext_format(out, size, "%s%u = (s%d)%s%u", w, dst, (s64)i->off, w, src);
	return ext_format(out, size, "%s%u %s %s%u", w, dst, name, w, src);
}

static const char *condition_name(u32 op)
{
	switch (op) {
	case EXT_JEQ:
		return "==";
	case EXT_JNE:
		return "!=";
	case EXT_JGT:
		return ">";
	case EXT_JGE:
		return ">=";
	case EXT_JLT:
		return "<";
	case EXT_JLE:
		return "<=";
	case EXT_JSET:
		return "&";
	case EXT_JSGT:
		return "s>";
	case EXT_JSGE:
		return "s>=";
	case EXT_JSLT:
		return "s<";
	case EXT_JSLE:
		return "s<=";
	}
	return 0;
}

static u64 call(const struct ext_program *p, const struct ext_insn *i, char *out, u64 size)
{
	if (ext_src(i) == EXT_CALL_LOCAL)
		return ext_format(out, size, "call %s%d", i->imm < 0 ? "" : "+", (s64)i->imm);
	if ((u32)i->imm < p->imports)
		return ext_format(out, size, "call %s", p->import[i->imm].name);
	return ext_format(out, size, "call ?%d", (s64)i->imm);
}

static u64 jump(const struct ext_program *p, const struct ext_insn *i, char *out, u64 size)
{
	u32 op = EXT_OP(i->code);
	const char *name = condition_name(op), *w = EXT_CLASS(i->code) == EXT_JMP ? "r" : "w";
	s64 off = op == EXT_JA && EXT_CLASS(i->code) == EXT_JMP32 ? i->imm : i->off;
	const char *plus = off < 0 ? "" : "+";

	if (i->code == (EXT_JMP | EXT_EXIT))
		return ext_format(out, size, "exit");
	if (i->code == (EXT_JMP | EXT_CALL))
		return call(p, i, out, size);
	if (op == EXT_JA && !(i->code & EXT_X))
		return ext_format(out, size, "%s %s%d",
				  EXT_CLASS(i->code) == EXT_JMP ? "goto" : "gotol", plus, off);
	if (!name)
		return unknown(i, out, size);
	if (i->code & EXT_X)
		return ext_format(out, size, "if %s%u %s %s%u goto %s%d", w, (u64)ext_dst(i), name,
				  w, (u64)ext_src(i), plus, off);
	return ext_format(out, size, "if %s%u %s %d goto %s%d", w, (u64)ext_dst(i), name,
			  (s64)i->imm, plus, off);
}

static u64 atomic(const struct ext_insn *i, char *out, u64 size)
{
	const char *w = EXT_SIZE(i->code) == EXT_DW ? "r" : "w", *type = unsigned_type(i->code),
		   *name;
	u64 dst = ext_dst(i), src = ext_src(i);
	s64 off = i->off;

	switch (i->imm) {
	case EXT_XCHG:
		return ext_format(out, size, "%s%u = xchg((%s *)(r%u + %d), %s%u)", w, src, type,
				  dst, off, w, src);
	case EXT_CMPXCHG:
		return ext_format(out, size, "%s0 = cmpxchg((%s *)(r%u + %d), %s0, %s%u)", w, type,
				  dst, off, w, w, src);
	}
	name = alu_name((u32)i->imm & ~EXT_FETCH, 0);
	if (!name)
		return unknown(i, out, size);
	if (i->imm & EXT_FETCH)
		return ext_format(out, size, "%s%u = fetch lock *(%s *)(r%u + %d) %s %s%u", w, src,
				  type, dst, off, name, w, src);
	return ext_format(out, size, "lock *(%s *)(r%u + %d) %s %s%u", type, dst, off, name, w,
			  src);
}

static u64 memory(const struct ext_insn *i, char *out, u64 size)
{
	u64 dst = ext_dst(i), src = ext_src(i);
	u32 mode = EXT_MODE(i->code), class = EXT_CLASS(i->code);
	s64 off = i->off;

	if (class == EXT_STX && mode == EXT_ATOMIC)
		return atomic(i, out, size);
	if (class == EXT_LDX && (mode == EXT_MEM || (mode == EXT_MEMSX && ext_bytes(i->code) < 8)))
		return ext_format(out, size, "r%u = *(%s *)(r%u + %d)", dst,
				  mode == EXT_MEM ? unsigned_type(i->code)
						  : signed_name[EXT_SIZE(i->code) >> 3],
				  src, off);
	if (class == EXT_STX && mode == EXT_MEM)
		return ext_format(out, size, "*(%s *)(r%u + %d) = r%u", unsigned_type(i->code), dst,
				  off, src);
	if (class == EXT_ST && mode == EXT_MEM)
		return ext_format(out, size, "*(%s *)(r%u + %d) = %d", unsigned_type(i->code), dst,
				  off, (s64)i->imm);
	return unknown(i, out, size);
}

static u64 wide(const struct ext_program *p, u32 at, char *out, u64 size)
{
	const struct ext_insn *i = &p->insn[at];
	u32 low = (u32)i->imm;
	s64 high;

	if (i->code != EXT_LDDW || at + 1 >= p->insns)
		return unknown(i, out, size);
	high = i[1].imm;
	if (!ext_src(i))
		return ext_format(out, size, "r%u = %x ll", (u64)ext_dst(i),
				  (u64)low | (u64)high << 32);
	if (low >= p->regions)
		return ext_format(out, size, "r%u = region ?%u", (u64)ext_dst(i), (u64)low);
	if (ext_src(i) == EXT_LD_REGION)
		return ext_format(out, size, "r%u = %s + %d", (u64)ext_dst(i), p->region[low].name,
				  high);
	return ext_format(out, size, "r%u = map %s", (u64)ext_dst(i), p->region[low].name);
}

u64 ext_disassemble(const struct ext_program *p, u32 insn, char *out, u64 size)
{
	const struct ext_insn *i = &p->insn[insn];

	switch (EXT_CLASS(i->code)) {
	case EXT_ALU:
	case EXT_ALU64:
		return alu(i, out, size);
	case EXT_JMP:
	case EXT_JMP32:
		return jump(p, i, out, size);
	case EXT_LD:
		return wide(p, insn, out, size);
	}
	return memory(i, out, size);
}
