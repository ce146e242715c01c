/* SPDX-License-Identifier: MIT
 * Values that are computed only when they must be: copies, sums and constants stay descriptions (struct value in jit.h)
 * until something needs them in a register, and become parts of addresses, operands and immediates instead. Inside one
 * basic block alone; what is dead by then is never computed. */
#include <jit.h>

static const u8 machine_of[EXT_REGS] = {RAX, RDI, RSI, R9, R10, R8, RBX, R13, R14, R15, RBP};

u32 machine(u32 reg)
{
	return reg < EXT_REGS ? machine_of[reg] : NONE;
}

struct mem value_mem(const struct value *v)
{
	return (struct mem){(u8)machine(v->base), (u8)machine(v->index), v->scale,
			    v->kind == ADDRESS || (v->kind == LOAD && v->rip), v->number};
}

static int is_copy(const struct value *v)
{
	return v->kind == SUM && v->base != NONE && v->index == NONE && v->number == 0;
}

/* The machine register of reg has a value below 2^32. */
static int is_narrow(const struct jit *j, u32 reg)
{
	return j->value[reg].kind == PLACE && (j->zero_high >> reg & 1);
}

static int refers(const struct value *v, u32 reg)
{
	return (v->kind == SUM || (v->kind == LOAD && !v->rip)) &&
	       (v->base == reg || v->index == reg);
}

/* A copy of what reg's machine register has, put into its place, serves those that refer to it as well. */
static void value_inherit(struct jit *j, u32 reg, u32 keep)
{
	u32 heir = 0;

	while (heir < EXT_REGS && !(heir != reg && keep >> heir & 1 && is_copy(&j->value[heir]) &&
				    j->value[heir].base == reg && !j->value[heir].w))
		heir++;
	if (heir == EXT_REGS)
		return;
	value_place(j, heir);
	for (u32 r = 0; r < EXT_REGS; r++) {
		struct value *v = &j->value[r];

		if (r == reg || r == heir || !(keep >> r & 1) || !refers(v, reg))
			continue;
		if (v->base == reg)
			v->base = (u8)heir;
		if (v->index == reg)
			v->index = (u8)heir;
	}
}

void value_free(struct jit *j, u32 reg, u32 keep)
{
	value_inherit(j, reg, keep);
	for (u32 r = 0; r < EXT_REGS; r++)
		if (r != reg && keep >> r & 1 && refers(&j->value[r], reg))
			value_place(j, r);
}

/* What flags said of it is not so any more. */
static void flags_forget(struct jit *j, u32 reg)
{
	if (j->flags_reg == reg)
		j->flags_at = ~0ull;
}

static void load_emit(struct jit *j, const struct value *v, u32 to)
{
	struct mem m = value_mem(v);
	int known = j->flags_at == j->at;

	emit_rm(j, v->bytes == 8, v->bytes == 1 ? 0x1b6 : v->bytes == 2 ? 0x1b7 : 0x8b, to, &m);
	if (known) /* it leaves the flags alone */
		j->flags_at = j->at;
}

/* What v says into a machine register; reg: whose that is, or NONE. */
static void value_emit(struct jit *j, const struct value *v, u32 to, u32 reg)
{
	struct mem m = value_mem(v);

	if (v->kind == PLACE)
		emit_move(j, 1, to, machine(reg));
	else if (v->kind == CONST)
		emit_const(j, to, (u64)v->number);
	else if (v->kind == LOAD)
		load_emit(j, v, to);
	else if (v->kind == ADDRESS)
		emit_lea(j, 1, to, &m);
	else if (is_copy(v))
		emit_move(j, !v->w, to, m.base);
	else if (v->base == NONE && v->index == reg && v->number == 0 && machine(reg) == to)
		emit_shift_imm(j, !v->w, 4, to, v->scale);
	else
		emit_lea(j, !v->w, to, &m);
}

void value_place(struct jit *j, u32 reg)
{
	struct value v = j->value[reg];

	if (v.kind == PLACE)
		return;
	value_free(j, reg, j->in | j->next);
	flags_forget(j, reg);
	j->value[reg].kind = PLACE;
	value_emit(j, &v, machine(reg), reg);
}

void value_into(struct jit *j, u32 reg, u32 to)
{
	struct value v = j->value[reg];

	value_emit(j, &v, to, reg);
}

void value_define(struct jit *j, u32 reg)
{
	value_free(j, reg, j->next);
	flags_forget(j, reg);
	j->value[reg].kind = PLACE;
}

/* Whether v can wait to be reg's value: see struct value. */
static int may_wait(const struct jit *j, u32 reg, const struct value *v)
{
	u32 other = v->base == reg ? v->index : v->base;

	if (!refers(v, reg))
		return 1;
	return other == NONE || other == reg || j->value[other].kind == PLACE;
}

void value_set(struct jit *j, u32 reg, const struct value *v)
{
	struct value copy = *v;

	value_free(j, reg, j->next);
	flags_forget(j, reg);
	if (may_wait(j, reg, &copy) && !(is_copy(&copy) && copy.base == reg)) {
		j->value[reg] = copy;
		return;
	}
	j->value[reg].kind = PLACE;
	if (!is_copy(&copy) || copy.base != reg || copy.w)
		value_emit(j, &copy, machine(reg), reg);
}

int value_is_mem(struct jit *j, u32 reg, u32 bytes, struct mem *m)
{
	const struct value *v = &j->value[reg];

	if (v->kind != LOAD || v->bytes != bytes || j->next >> reg & 1)
		return 0;
	*m = value_mem(v);
	return 1;
}

void value_loads(struct jit *j)
{
	for (u32 r = 0; r < EXT_REGS; r++)
		if (j->value[r].kind == LOAD && (j->in | j->next) >> r & 1)
			value_place(j, r);
}

u32 value_read(struct jit *j, u32 reg, int wide)
{
	struct value *v = &j->value[reg];

	if (is_copy(v) && (!wide || !v->w || is_narrow(j, v->base)))
		return machine(v->base);
	value_place(j, reg);
	return machine(reg);
}

u32 value_change(struct jit *j, u32 reg)
{
	value_place(j, reg);
	value_free(j, reg, j->next);
	return machine(reg);
}

int value_is_imm(struct jit *j, u32 reg, int wide, s32 *imm)
{
	const struct value *v = &j->value[reg];

	if (v->kind != CONST || (wide && v->number != (s32)v->number))
		return 0;
	*imm = (s32)v->number;
	return 1;
}

int value_sum(struct jit *j, u32 reg, int wide, struct value *out)
{
	const struct value *v = &j->value[reg];

	*out = *v;
	switch (v->kind) {
	case PLACE:
		*out = (struct value){.kind = SUM, .base = (u8)reg, .index = NONE};
		return 1;
	case CONST:
		*out = (struct value){.kind = SUM, .base = NONE, .index = NONE};
		out->number = wide ? v->number : (s32)v->number;
		return out->number == (s32)out->number;
	case SUM:
		if (!v->w || !wide)
			return 1;
		out->w = 0;
		return is_copy(v) && is_narrow(j, v->base);
	}
	return 0;
}

/* One more register into a sum. */
static int value_with(struct value *v, u32 reg, u32 scale)
{
	if (reg == NONE)
		return 1;
	if (v->base == NONE && scale == 0) {
		v->base = (u8)reg;
		return 1;
	}
	if (v->index == NONE) {
		v->index = (u8)reg;
		v->scale = (u8)scale;
		return 1;
	}
	if (v->base == NONE && v->scale == 0) {
		v->base = v->index;
		v->index = (u8)reg;
		v->scale = (u8)scale;
		return 1;
	}
	return 0;
}

int value_add(const struct value *a, const struct value *b, struct value *out)
{
	*out = *a;
	out->number += b->number;
	return value_with(out, b->base, 0) && value_with(out, b->index, b->scale) &&
	       out->number == (s32)out->number;
}

struct value value_address(struct jit *j, u32 reg, s32 off)
{
	struct value v = j->value[reg];

	if (v.kind == ADDRESS || (v.kind != CONST && value_sum(j, reg, 1, &v))) {
		v.number += off;
		if (v.number == (s32)v.number)
			return v;
	}
	value_place(j, reg);
	return (struct value){.kind = SUM, .base = (u8)reg, .index = NONE, .number = off};
}

void value_flush(struct jit *j, u32 mask)
{
	for (u32 r = 0; r < EXT_REGS; r++)
		if (mask >> r & 1)
			value_place(j, r);
}
