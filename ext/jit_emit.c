/* SPDX-License-Identifier: MIT
 * Encoding of x86-64 instructions. Source: Intel's manual, volume 2, chapter 2. */
#include <jit.h>

void emit_byte(struct jit *j, u32 byte)
{
	if (j->at < j->room)
		j->out[j->at] = (u8)byte;
	j->at++;
}

void emit_word(struct jit *j, u32 word)
{
	for (u32 i = 0; i < 4; i++)
		emit_byte(j, word >> 8 * i);
}

static void rex(struct jit *j, int wide, u32 reg, u32 index, u32 base, int force)
{
	u32 bits = (wide ? 8u : 0) | (reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | (base >> 3 & 1);

	if (bits || force)
		emit_byte(j, 0x40 | bits);
}

static void opcode_bytes(struct jit *j, u32 opcode)
{
	if (opcode > 0xff)
		emit_byte(j, 0x0f);
	emit_byte(j, opcode & 0xff);
}

/* A register that an instruction may write. */
static void touch(struct jit *j, u32 reg)
{
	j->touched |= 1u << reg;
}

/* The field of the register is a part of the opcode. */
static int is_group(u32 opcode)
{
	return (opcode >= 0x80 && opcode <= 0x83) || opcode == 0xc0 || opcode == 0xc1 ||
	       opcode == 0xc6 || opcode == 0xc7 || (opcode >= 0xd0 && opcode <= 0xd3) ||
	       opcode == 0xf6 || opcode == 0xf7 || opcode == 0xfe || opcode == 0xff;
}

static void touch_both(struct jit *j, u32 opcode, u32 reg, u32 rm)
{
	touch(j, rm);
	if (!is_group(opcode))
		touch(j, reg);
}

void emit_rr(struct jit *j, int wide, u32 opcode, u32 reg, u32 rm)
{
	touch_both(j, opcode, reg, rm);
	rex(j, wide, reg, 0, rm, 0);
	opcode_bytes(j, opcode);
	emit_byte(j, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

void emit_byte_rr(struct jit *j, int wide, u32 opcode, u32 reg, u32 rm)
{
	touch_both(j, opcode, reg, rm);
	rex(j, wide, reg, 0, rm, rm >= RSP);
	opcode_bytes(j, opcode);
	emit_byte(j, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static void mem_operand(struct jit *j, u32 reg, const struct mem *m, u32 more)
{
	u32 field = (reg & 7) << 3, mod;
	s32 disp = (s32)m->disp;

	if (m->rip) {
		/* from the instruction's end: behind these five bytes and its immediate */
		emit_byte(j, field | 5);
		emit_word(j, (u32)(j->data_at + (u64)m->disp - (j->at + 4 + more)));
		return;
	}
	if (m->base == NONE) {
		emit_byte(j, field | 4);
		emit_byte(j, (u32)m->scale << 6 | (m->index == NONE ? 4u : m->index & 7u) << 3 | 5);
		emit_word(j, (u32)disp);
		return;
	}
	if (!disp && (m->base & 7) != RBP)
		mod = 0;
	else
		mod = disp == (s8)disp ? 1 : 2;
	if (m->index == NONE && (m->base & 7) != RSP) {
		emit_byte(j, mod << 6 | field | (m->base & 7));
	} else {
		emit_byte(j, mod << 6 | field | 4);
		emit_byte(j, (u32)m->scale << 6 | (m->index == NONE ? 4u : m->index & 7u) << 3 |
				     (m->base & 7));
	}
	if (mod == 1)
		emit_byte(j, (u32)disp);
	else if (mod == 2)
		emit_word(j, (u32)disp);
}

void emit_mem(struct jit *j, u32 prefix, int wide, u32 opcode, u32 reg, const struct mem *m,
	      int byte_reg, u32 more)
{
	if (!is_group(opcode))
		touch(j, reg);
	if (prefix)
		emit_byte(j, prefix);
	rex(j, wide, reg, m->rip || m->index == NONE ? 0 : m->index,
	    m->rip || m->base == NONE ? 0 : m->base, byte_reg && reg >= RSP);
	opcode_bytes(j, opcode);
	mem_operand(j, reg, m, more);
}

void emit_rm(struct jit *j, int wide, u32 opcode, u32 reg, const struct mem *m)
{
	emit_mem(j, 0, wide, opcode, reg, m, 0, 0);
}

/* What leaves the flags alone keeps what is known of them. */
static int flags_known(const struct jit *j)
{
	return j->flags_at == j->at;
}

static void flags_kept(struct jit *j, int known)
{
	if (known)
		j->flags_at = j->at;
}

void emit_move(struct jit *j, int wide, u32 to, u32 from)
{
	int known = flags_known(j);

	emit_rr(j, wide, 0x89, from, to);
	flags_kept(j, known);
}

void emit_lea(struct jit *j, int wide, u32 reg, const struct mem *m)
{
	int known = flags_known(j);

	emit_rm(j, wide, 0x8d, reg, m);
	flags_kept(j, known);
}

void emit_const(struct jit *j, u32 reg, u64 value)
{
	int known = flags_known(j);

	touch(j, reg);
	if (!value && !known) {
		emit_rr(j, 0, 0x31, reg, reg);
		return;
	}
	if (value == (u32)value) {
		rex(j, 0, 0, 0, reg, 0);
		emit_byte(j, 0xb8 | (reg & 7));
		emit_word(j, (u32)value);
	} else if ((s64)value == (s32)value) {
		emit_rr(j, 1, 0xc7, 0, reg);
		emit_word(j, (u32)value);
	} else {
		rex(j, 1, 0, 0, reg, 0);
		emit_byte(j, 0xb8 | (reg & 7));
		emit_word(j, (u32)value);
		emit_word(j, (u32)(value >> 32));
	}
	flags_kept(j, known);
}

void emit_alu_imm(struct jit *j, int wide, u32 op, u32 reg, s32 imm)
{
	int is_short = imm == (s8)imm;

	emit_rr(j, wide, is_short ? 0x83 : 0x81, op, reg);
	if (is_short)
		emit_byte(j, (u32)imm);
	else
		emit_word(j, (u32)imm);
}

void emit_shift_imm(struct jit *j, int wide, u32 op, u32 reg, u32 count)
{
	emit_rr(j, wide, 0xc1, op, reg);
	emit_byte(j, count);
}

void emit_push(struct jit *j, u32 reg)
{
	rex(j, 0, 0, 0, reg, 0);
	emit_byte(j, 0x50 | (reg & 7));
}

void emit_pop(struct jit *j, u32 reg)
{
	touch(j, reg);
	rex(j, 0, 0, 0, reg, 0);
	emit_byte(j, 0x58 | (reg & 7));
}

void emit_lfence(struct jit *j)
{
	emit_byte(j, 0x0f);
	emit_byte(j, 0xae);
	emit_byte(j, 0xe8);
}

u64 emit_skip(struct jit *j, u32 condition)
{
	emit_byte(j, condition == 0x100 ? 0xeb : 0x70 | condition);
	emit_byte(j, 0);
	return j->at;
}

void emit_land(struct jit *j, u64 skip)
{
	if (skip <= j->room)
		j->out[skip - 1] = (u8)(j->at - skip);
}
