/* SPDX-License-Identifier: MIT
 * Arithmetic. Moves, additions and short shifts become descriptions where they can (jit_value.c); what is emitted follows
 * one order: the destination first into its place, to be changed there, then the operand, then one machine instruction
 * that reads both.
 * Shifts by a register go through CL, divisions through RAX and RDX; RAX, which is r0, is kept in RCX meanwhile. */
#include <jit.h>

/* Opcode of "op r/m, r", and the number of group 1. */
u32 jit_group(u32 op)
{
	switch (op) {
	case EXT_ADD:
		return 0;
	case EXT_OR:
		return 1;
	case EXT_AND:
		return 4;
	case EXT_SUB:
		return 5;
	default:
		return 6; /* XOR */
	}
}

static void flags_of(struct jit *j, u32 reg, int wide)
{
	j->flags_at = j->at;
	j->flags_reg = (u8)reg;
	j->flags_wide = (u8)wide;
}

static int lives_on(const struct jit *j, u32 reg)
{
	return j->next >> reg & 1;
}

static void set_const(struct jit *j, u32 dst, s64 number)
{
	struct value v = {.kind = CONST, .base = NONE, .index = NONE, .number = number};

	value_set(j, dst, &v);
}

/* --- moves */
static const u16 sign_opcode[] = {[1] = 0x1be, [2] = 0x1bf, [4] = 0x63};

static void sign_extend(struct jit *j, u32 dst, u32 src, int wide, u32 bits)
{
	u32 from = value_read(j, src, 0);

	value_define(j, dst);
	if (bits == 8)
		emit_byte_rr(j, wide, sign_opcode[1], machine(dst), from);
	else
		emit_rr(j, wide, sign_opcode[bits / 8], machine(dst), from);
}

static void zero_extend(struct jit *j, u32 dst, u32 src, u32 bits)
{
	u32 from = value_read(j, src, 0);

	value_define(j, dst);
	if (bits == 8)
		emit_byte_rr(j, 0, 0x1b6, machine(dst), from);
	else if (bits == 16)
		emit_rr(j, 0, 0x1b7, machine(dst), from);
	else
		emit_move(j, 0, machine(dst), from);
}

static void move(struct jit *j, u32 dst, u32 src, int wide)
{
	struct value v;

	if (j->value[src].kind == LOAD)
		value_place(j, src); /* it is read once */
	v = j->value[src];
	if (!wide && j->zero_high >> src & 1)
		wide = 1; /* the cut would change nothing */
	if (v.kind == PLACE)
		v = (struct value){.kind = SUM, .base = (u8)src, .index = NONE};
	if (v.kind == CONST && !wide)
		v.number = (u32)v.number;
	if (v.kind == ADDRESS && !wide) {
		value_place(j, src);
		v = (struct value){.kind = SUM, .base = (u8)src, .index = NONE};
	}
	if (v.kind == SUM && !wide)
		v.w = 1;
	if (src == dst && v.kind == SUM && v.base == dst && v.index == NONE && !v.number && !v.w)
		return;
	value_set(j, dst, &v);
}

/* --- additions */
static int add_lazily(struct jit *j, u32 dst, const struct value *b, int wide)
{
	struct value a, sum;

	if (j->value[dst].kind == ADDRESS && wide && b->base == NONE && b->index == NONE) {
		sum = j->value[dst];
		sum.number += b->number;
		if (sum.number != (s32)sum.number)
			return 0;
		value_set(j, dst, &sum);
		return 1;
	}
	/* one instruction in place is as good, and sets the flags */
	if (j->value[dst].kind == PLACE && b->index == NONE && (b->base == NONE || !wide))
		return 0;
	if (j->value[dst].kind == ADDRESS && wide)
		value_place(j, dst);
	if (!value_sum(j, dst, wide, &a) || !value_add(&a, b, &sum))
		return 0;
	sum.w = !wide;
	value_set(j, dst, &sum);
	return 1;
}

/* The jump that comes next asks what the flags at hand say, of another register. */
static int flags_wanted(const struct jit *j, u32 dst)
{
	const struct ext_insn *next = &j->p->insn[j->pc + 1];

	return j->flags_at == j->at && j->flags_reg != dst && j->pc + 1 < j->p->insns &&
	       !(j->mark[j->pc + 1] & MARK_TARGET) && jit_is_conditional(next) &&
	       !(next->code & EXT_X) && next->imm == 0 && ext_dst(next) == j->flags_reg;
}

static void add_imm(struct jit *j, u32 dst, s64 imm, int wide)
{
	struct value b = {.kind = SUM, .base = NONE, .index = NONE, .number = imm};

	if (j->value[dst].kind == CONST) {
		s64 sum = (s64)((u64)j->value[dst].number + (u64)imm);

		set_const(j, dst, wide ? sum : (s64)(u32)sum);
		return;
	}
	if (imm == (s32)imm && add_lazily(j, dst, &b, wide))
		return;
	u32 to = value_change(j, dst);
	struct mem sum = {(u8)to, NONE, 0, 0, imm};

	if (imm == (s32)imm && flags_wanted(j, dst)) {
		emit_lea(j, wide, to, &sum);
		return;
	}
	if (imm == (s32)imm) {
		emit_alu_imm(j, wide, 0, to, (s32)imm);
	} else { /* 2^31, of a subtraction */
		emit_alu_imm(j, wide, 5, to, (s32)-imm);
	}
	flags_of(j, dst, wide);
}

/* --- shifts */
static u32 shift_group(u32 op)
{
	return op == EXT_LSH ? 4 : op == EXT_RSH ? 5 : 7;
}

static void shift_imm(struct jit *j, u32 op, u32 dst, u32 count, int wide)
{
	struct value v;

	count &= wide ? 63 : 31;
	if (op == EXT_LSH && count && count <= 3 && wide && j->value[dst].kind == LOAD)
		value_place(j, dst);
	if (op == EXT_LSH && count && count <= 3 && value_sum(j, dst, wide, &v) &&
	    (v.base == NONE || v.index == NONE)) {
		u32 old = v.index == NONE ? 0 : v.scale;

		if (v.base != NONE)
			v.index = v.base;
		v.base = NONE;
		v.scale = (u8)(old + count);
		v.number = (s64)((u64)v.number << count);
		v.w = !wide;
		if (v.index != NONE && v.scale <= 3 && v.number == (s32)v.number) {
			value_set(j, dst, &v);
			return;
		}
	}
	u32 to = value_change(j, dst);

	if (count || !wide)
		emit_shift_imm(j, wide, shift_group(op), to, count);
	if (!count && !wide)
		emit_move(j, 0, to, to); /* the upper half becomes 0 */
	if (count)
		flags_of(j, dst, wide);
}

static void shift_reg(struct jit *j, u32 op, u32 dst, u32 src, int wide)
{
	u32 to = value_change(j, dst);

	emit_move(j, 0, RCX, value_read(j, src, 0));
	emit_rr(j, wide, 0xd3, shift_group(op), to);
	j->flags_at = ~0ull; /* by 0 the flags stay */
}

/* --- division */
static void divide_core(struct jit *j, int wide, int is_signed, u32 divisor)
{
	if (is_signed) {
		if (wide)
			emit_byte(j, 0x48);
		emit_byte(j, 0x99); /* cdq, cqo */
	} else {
		emit_rr(j, 0, 0x31, RDX, RDX);
	}
	emit_rr(j, wide, 0xf7, is_signed ? 7 : 6, divisor);
}

/* Quotient or remainder of `to` by the value in divisor (not RAX or RDX, and not `to`), into `to`. RAX is as before
 * unless it is `to` or dead. */
static void divide_into(struct jit *j, u32 to, u32 divisor, int wide, int is_signed, int wants_rest)
{
	int save = to != RAX && lives_on(j, 0);
	u32 result = wants_rest ? RDX : RAX;

	if (save)
		emit_move(j, 1, RCX, RAX);
	if (to != RAX)
		emit_move(j, wide, RAX, to);
	divide_core(j, wide, is_signed, divisor);
	if (to != result)
		emit_move(j, wide, to, result);
	if (save)
		emit_move(j, 1, RAX, RCX);
}

static void divide(struct jit *j, const struct ext_insn *i, int wide)
{
	int is_x = i->code & EXT_X, is_signed = i->off == 1, rest = EXT_OP(i->code) == EXT_MOD;
	u32 dst = ext_dst(i), to, divisor = R11;
	u64 zero = 0, minus = 0, done = 0, done2 = 0;

	value_flush(j, j->in | j->next);
	to = value_change(j, dst);
	if (!is_x && i->imm == 0) {
		if (!rest)
			emit_rr(j, 0, 0x31, to, to);
		else if (!wide)
			emit_move(j, 0, to, to);
		return;
	}
	if (!is_x && i->imm == -1 && is_signed) {
		if (rest)
			emit_rr(j, 0, 0x31, to, to);
		else
			emit_rr(j, wide, 0xf7, 3, to);
		return;
	}
	if (!is_x) {
		emit_const(j, R11, wide ? (u64)(s64)i->imm : (u32)i->imm);
	} else {
		u32 from = machine(ext_src(i));

		if (from == RAX || from == to)
			emit_move(j, wide, R11, from);
		else
			divisor = from;
		emit_rr(j, wide, 0x85, divisor, divisor);
		zero = emit_skip(j, CC_E);
		if (is_signed) {
			emit_alu_imm(j, wide, 7, divisor, -1);
			minus = emit_skip(j, CC_E);
		}
	}
	divide_into(j, to, divisor, wide, is_signed, rest);
	if (!is_x)
		return;
	if (rest && wide && !is_signed) { /* by 0: unchanged */
		emit_land(j, zero);
		return;
	}
	done = emit_skip(j, 0x100);
	if (is_signed) {
		emit_land(j, minus);
		if (rest)
			emit_rr(j, 0, 0x31, to, to);
		else
			emit_rr(j, wide, 0xf7, 3, to);
		done2 = emit_skip(j, 0x100);
	}
	emit_land(j, zero);
	if (!rest)
		emit_rr(j, 0, 0x31, to, to);
	else if (!wide)
		emit_move(j, 0, to, to);
	emit_land(j, done);
	if (done2)
		emit_land(j, done2);
}

/* --- byte order */
static void swap(struct jit *j, u32 dst, u32 bits)
{
	int is_short = j->value[dst].kind == LOAD && j->value[dst].bytes == 2;
	u32 to = value_change(j, dst);

	if (bits == 16) {
		emit_byte(j, 0x66);
		emit_rr(j, 0, 0xc1, 0, to); /* rol by 8 */
		emit_byte(j, 8);
		if (!is_short)
			emit_rr(j, 0, 0x1b7, to, to);
		return;
	}
	/* bswap: the register is in the opcode */
	j->touched |= 1u << to;
	if (bits == 64 || to >= R8)
		emit_byte(j, 0x40 | (bits == 64 ? 8 : 0) | (to >= R8));
	emit_byte(j, 0x0f);
	emit_byte(j, 0xc8 | (to & 7));
}

static void end(struct jit *j, const struct ext_insn *i)
{
	int is_swap = EXT_CLASS(i->code) == EXT_ALU64 || i->code & EXT_X;
	u32 dst = ext_dst(i);

	if ((i->imm != 16 && i->imm != 32 && i->imm != 64) ||
	    (EXT_CLASS(i->code) == EXT_ALU64 && i->code & EXT_X))
		jit_refuse(j, EXT_WHY_CODE, "no such byte order");
	else if (is_swap)
		swap(j, dst, (u32)i->imm);
	else if (i->imm == 16)
		zero_extend(j, dst, dst, 16);
	else if (i->imm == 32)
		move(j, dst, dst, 0);
}

/* --- the others */
static void multiply(struct jit *j, const struct ext_insn *i, int wide)
{
	u32 dst = ext_dst(i);
	s32 imm = i->imm;

	if (i->code & EXT_X && !value_is_imm(j, ext_src(i), wide, &imm)) {
		u32 to = value_change(j, dst);
		struct mem m;

		if (ext_src(i) != dst && value_is_mem(j, ext_src(i), wide ? 8 : 4, &m))
			emit_rm(j, wide, 0x1af, to, &m);
		else
			emit_rr(j, wide, 0x1af, to, value_read(j, ext_src(i), wide));
		return;
	}
	u32 from = value_read(j, dst, wide);

	value_define(j, dst);
	emit_rr(j, wide, imm == (s8)imm ? 0x6b : 0x69, machine(dst), from);
	if (imm == (s8)imm)
		emit_byte(j, (u32)imm);
	else
		emit_word(j, (u32)imm);
}

/* The low byte alone, which the next jump compares with a constant, and nobody else needs: it is compared as a byte. */
static int compares_byte(const struct jit *j, u32 op, u32 dst, s32 imm)
{
	u32 pc = j->pc + 1;
	const struct ext_insn *next = &j->p->insn[pc];

	if (op != EXT_AND || imm != 0xff || pc + 1 >= j->p->insns || j->mark[pc] & MARK_TARGET)
		return 0;
	if (j->fact && j->fact[j->pc].flags != EXT_FACT_LIVE)
		return 0;
	if (!jit_is_conditional(next) || next->code & EXT_X || ext_dst(next) != dst ||
	    next->imm < 0 || next->imm > 0xff)
		return 0;
	return !((j->live[pc + 1] | j->live[jit_target(j, pc)]) >> dst & 1);
}

static void logic_imm(struct jit *j, u32 op, u32 dst, s32 imm, int wide)
{
	if (compares_byte(j, op, dst, imm)) {
		j->byte_at = j->pc + 1;
		return;
	}
	if (op == EXT_AND && (imm == 0xff || imm == 0xffff) && j->value[dst].kind != PLACE) {
		zero_extend(j, dst, dst, imm == 0xff ? 8 : 16);
		return;
	}
	if (op == EXT_AND && imm >= 0)
		wide = 0; /* the upper half becomes 0, either way */
	emit_alu_imm(j, wide, jit_group(op), value_change(j, dst), imm);
	flags_of(j, dst, wide);
	if (op == EXT_AND && imm >= 0)
		j->flags_wide =
			2; /* the value is the low half: so it compares with 0, of either width, but for signs */
}

static void two(struct jit *j, const struct ext_insn *i, int wide)
{
	u32 op = EXT_OP(i->code), dst = ext_dst(i), src = ext_src(i);
	s32 imm = i->imm;

	if (op == EXT_XOR && i->code & EXT_X && src == dst) {
		set_const(j, dst, 0);
		return;
	}
	if (!(i->code & EXT_X) || value_is_imm(j, src, wide, &imm)) {
		if (op == EXT_ADD || op == EXT_SUB)
			add_imm(j, dst, op == EXT_ADD ? (s64)imm : -(s64)imm, wide);
		else
			logic_imm(j, op, dst, imm, wide);
		return;
	}
	struct value b;
	struct mem m;

	if (op == EXT_ADD && src != dst && value_sum(j, src, wide, &b)) {
		if (add_lazily(j, dst, &b, wide))
			return;
		value_place(j, src); /* three registers make no address, two do */
		if (value_sum(j, src, wide, &b) && add_lazily(j, dst, &b, wide))
			return;
	}
	u32 to = value_change(j, dst);

	if (src != dst && value_is_mem(j, src, wide ? 8 : 4, &m))
		emit_rm(j, wide, jit_group(op) * 8 + 3, to, &m);
	else
		emit_rr(j, wide, jit_group(op) * 8 + 1, value_read(j, src, wide), to);
	flags_of(j, dst, wide);
}

/* Shifts left and right by the same count: an extension. Without one returns 0. */
static int extends(struct jit *j, const struct ext_insn *i)
{
	const struct ext_insn *next = i + 1;
	u32 dst = ext_dst(i), op = EXT_OP(next->code);

	if (i->code != (EXT_ALU64 | EXT_LSH) || j->pc + 1 >= j->p->insns ||
	    j->mark[j->pc + 1] & MARK_TARGET)
		return 0;
	if (next->code != (EXT_ALU64 | op) || (op != EXT_RSH && op != EXT_ARSH) ||
	    ext_dst(next) != dst || next->imm != i->imm ||
	    (j->fact && j->fact[j->pc + 1].flags != EXT_FACT_LIVE))
		return 0;
	if (i->imm != 32 && i->imm != 48 && i->imm != 56)
		return 0;
	j->next = j->live[j->pc + 2];
	if (op == EXT_ARSH)
		sign_extend(j, dst, dst, 1, 64 - (u32)i->imm);
	else if (i->imm == 32)
		move(j, dst, dst, 0);
	else
		zero_extend(j, dst, dst, 64 - (u32)i->imm);
	return 1;
}

u32 jit_alu(struct jit *j, const struct ext_insn *i)
{
	int wide = EXT_CLASS(i->code) == EXT_ALU64, is_x = i->code & EXT_X;
	u32 op = EXT_OP(i->code), dst = ext_dst(i), src = ext_src(i);
	s32 imm;

	if (op == EXT_NEG && is_x) {
		jit_refuse(j, EXT_WHY_CODE, "no such instruction");
		return 1;
	}
	if (i->off && op != EXT_MOV && !((op == EXT_DIV || op == EXT_MOD) && i->off == 1)) {
		jit_refuse(j, EXT_WHY_CODE, "no such instruction");
		return 1;
	}
	value_free(j, dst, j->next);
	if (extends(j, i))
		return 2;
	switch (op) {
	case EXT_ADD:
	case EXT_SUB:
	case EXT_OR:
	case EXT_AND:
	case EXT_XOR:
		two(j, i, wide);
		break;
	case EXT_MUL:
		multiply(j, i, wide);
		break;
	case EXT_DIV:
	case EXT_MOD:
		divide(j, i, wide);
		break;
	case EXT_LSH:
	case EXT_RSH:
	case EXT_ARSH:
		if (!is_x)
			shift_imm(j, op, dst, (u32)i->imm, wide);
		else if (value_is_imm(j, src, 0, &imm))
			shift_imm(j, op, dst, (u32)imm, wide);
		else
			shift_reg(j, op, dst, src, wide);
		break;
	case EXT_NEG:
		emit_rr(j, wide, 0xf7, 3, value_change(j, dst));
		flags_of(j, dst, wide);
		break;
	case EXT_MOV:
		if (!is_x)
			set_const(j, dst, wide ? (s64)i->imm : (s64)(u32)i->imm);
		else if (!i->off)
			move(j, dst, src, wide);
		else if (i->off == 8 || i->off == 16 || (i->off == 32 && wide))
			sign_extend(j, dst, src, wide, (u32)i->off);
		else
			jit_refuse(j, EXT_WHY_CODE, "no such instruction");
		break;
	case EXT_END:
		end(j, i);
		break;
	default:
		jit_refuse(j, EXT_WHY_CODE, "no such instruction");
	}
	return 1;
}
