/* SPDX-License-Identifier: MIT
 * Pieces with more than one pointer: memory given to a function beside another, objects that a function gives, stores into
 * the stack at places that are not known. */
#include "pieces.h"

static void frame_pointer(struct gen *g, u32 reg, s32 at)
{
	emit(g, EXT_ALU64 | EXT_MOV | EXT_X, reg, FP, 0, 0);
	emit(g, EXT_ALU64 | EXT_ADD, reg, 0, 0, at);
}

/* Registers that the bound took are not relied on where it is left. */
static void unrely(const struct gen *g, struct kinds *then)
{
	for (u32 r = 0; r < 10; r++)
		if (g->k.kind[r] != then->kind[r])
			then->kind[r] = K_UNSET;
}

/* copy(to, room, from, size): two pairs. */
void piece_give(struct gen *g)
{
	u32 room = below(g->r, 65), most = below(g->r, 33), size, jumps[8], n = 0;
	u32 end = chance(g, 15) && room < most ? room : most; /* the other pair's size, at times */
	struct kinds then;

	if (g->kept & 0x3f || g->is_pure)
		return;
	buffer_write(g);
	size = number(g);
	emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 4, size, 0, 0);
	for (u32 r = 1; r < 4; r++)
		set_kind(g, r, K_UNSET);
	set_kind(g, 4, K_NUM);
	g->kept |= 0x1e;
	then = g->k;
	n = bound(g, 4, most, jumps);
	unrely(g, &then);
	g->kept &= ~0x1eu;
	set_kind(g, 4, K_UNSET);
	if (chance(g, 50)) {
		frame_pointer(g, 1, -128 + (s32)(64 - room) + slip(g));
	} else {
		emit_wide(g, 1, EXT_LD_REGION, DATA);
		emit(g, EXT_ALU64 | EXT_ADD, 1, 0, 0, below(g->r, DATA_BYTES - room + 1) + slip(g));
	}
	emit(g, EXT_ALU64 | EXT_MOV, 2, 0, 0, room);
	if (chance(g, 50)) {
		frame_pointer(g, 3, -64 - (s32)end + slip(g));
	} else {
		emit_wide(g, 3, EXT_LD_REGION, CONSTANTS);
		emit(g, EXT_ALU64 | EXT_ADD, 3, 0, 0, CONSTANTS_BYTES - end + slip(g));
	}
	call(g, F_COPY);
	set_kind(g, 0, K_NUM);
	for (u32 r = 0; r < 6; r++)
		then.kind[r] = K_UNSET;
	fail_jumps(g, jumps, n, &then);
}

/* An object that a function gives, without a reference. */
void piece_found(struct gen *g)
{
	u32 jump, reg = below(g->r, 2) ? 0 : 6 + below(g->r, 4), to;
	struct kinds then;

	if (g->kept & 0x3f || g->kept >> reg & 1 || g->is_pure)
		return;
	move_imm(g, 1, (s32)draw_number(g->r));
	call(g, F_FIND);
	if (reg)
		move(g, reg, 0);
	set_kind(g, reg, K_UNSET);
	then = g->k;
	if (chance(g, 30)) {
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 1, reg, 0, 0);
		call(g, F_LOOK_INSIDE);
		set_kind(g, 0, K_NUM);
		if (!reg)
			return;
		then = g->k;
	}
	jump = emit(g, EXT_JMP | (chance(g, 90) ? EXT_JEQ : EXT_JNE), reg, 0, 0, 0);
	g->kept |= 1u << reg;
	to = scratch(g);
	g->kept &= ~(1u << reg);
	emit(g, EXT_LDX | EXT_MEM | EXT_W, to, reg, (s32)below(g->r, 2) * 4 + slip(g), 0);
	set_kind(g, to, K_NUM);
	if (g->level < 3)
		pieces(g, below(g->r, 3));
	set_kind(g, reg, K_UNSET);
	fail_jumps(g, &jump, 1, &then);
}

/* Somewhere in the slots: what was spilled there may be gone. */
void piece_stack_index(struct gen *g)
{
	u32 from = number(g), t, p, bytes = 1u << below(g->r, 4), jumps[8], n, kept = g->kept;
	int is_write = chance(g, 70);
	struct kinds then;

	for (u32 i = 0; i < SLOTS; i++) {
		if (g->k.slot[i] == K_LOCK)
			return;
		if (g->k.slot[i] == K_UNSET) {
			emit(g, EXT_ST | EXT_MEM | EXT_DW, FP, 0, -8 * (s32)(i + 1),
			     below(g->r, 7));
			g->k.slot[i] = K_NUM;
		}
	}
	t = scratch(g);
	if (t != from)
		move(g, t, from);
	g->kept |= 1u << t;
	p = scratch(g);
	g->kept = kept;
	then = g->k;
	n = bound(g, t, 8 * SLOTS - bytes, jumps);
	unrely(g, &then);
	frame_pointer(g, p, -8 * (s32)SLOTS);
	emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, t, 0, 0);
	set_kind(g, p, K_UNSET);
	then.kind[p] = then.kind[t] = K_UNSET;
	g->kept |= 1u << p;
	piece_access(g, p, bytes, 0, is_write);
	g->kept = kept;
	set_kind(g, t, K_UNSET);
	/* the program goes on as if spilled pointers were there still, at times */
	for (u32 i = 0; i < SLOTS; i++)
		if (is_write && g->k.slot[i] != K_NUM && chance(g, 90))
			g->k.slot[i] = K_UNSET;
	fail_jumps(g, jumps, n, &then);
}

static void looked_up(struct gen *g, u32 reg, u32 map)
{
	emit(g, EXT_ST | EXT_MEM | EXT_DW, FP, 0, -128, below(g->r, 4));
	emit_wide(g, 1, EXT_LD_MAP, map);
	frame_pointer(g, 2, -128);
	call(g, g->is_pure ? F_CONSULT : F_LOOK_UP);
	move(g, reg, 0);
}

/* A value or null, as two ways have it; tested by a copy, or against a zero in a register; used by the other. */
void piece_perhaps(struct gen *g)
{
	u32 reg = 6 + below(g->r, 4), copy = 10, jump, over, slot = below(g->r, SLOTS), zero;
	struct kinds then;

	if (g->kept & 0x3f || g->kept >> reg & 1 || g->k.slot[slot] == K_LOCK)
		return;
	set_kind(g, reg, K_UNSET);
	buffer_write(g);
	jump = condition(g);
	looked_up(g, reg, ARRAY);
	over = emit(g, EXT_JMP | EXT_JA, 0, 0, 0, 0);
	land(g, jump);
	if (chance(g, 25))
		move_imm(g, reg, 0);
	else
		looked_up(g, reg, chance(g, 85) ? ARRAY : PERCPU);
	land(g, over);
	clobber(g);
	set_kind(g, reg, K_UNSET);
	if (chance(g, 50)) {
		copy = slot;
		emit(g, EXT_STX | EXT_MEM | EXT_DW, FP, reg, -8 * (s32)(slot + 1), 0);
		g->k.slot[slot] = K_UNSET;
	}
	then = g->k;
	if (chance(g, 30)) {
		zero = below(g->r, 2) ? 1 : 5;
		emit(g, EXT_ALU64 | EXT_MOV, zero, 0, 0, slip(g));
		jump = chance(g, 50) ? emit(g, EXT_JMP | EXT_JEQ | EXT_X, zero, reg, 0, 0)
				     : emit(g, EXT_JMP | EXT_JEQ | EXT_X, reg, zero, 0, 0);
	} else {
		jump = emit(g, EXT_JMP | EXT_JEQ, reg, 0, 0, 0);
	}
	g->k.kind[reg] = K_FIXED;
	g->k.limit[reg] = PERCPU_VALUE;
	g->k.writable[reg] = !g->is_pure;
	if (copy < 10) {
		emit(g, EXT_LDX | EXT_MEM | EXT_DW, 0, FP, -8 * (s32)(slot + 1), 0);
		emit(g, EXT_LDX | EXT_MEM | EXT_W, 0, 0, 4, 0);
		set_kind(g, 0, K_NUM);
	}
	g->kept |= 1u << reg;
	piece_access(g, reg, 4, (s32)below(g->r, 5) + slip(g), chance(g, 40) && !g->is_pure);
	g->kept &= ~(1u << reg);
	set_kind(g, reg, K_UNSET);
	fail_jumps(g, &jump, 1, &then);
}

/* Functions that take an object, or memory or null. */
void piece_offer(struct gen *g)
{
	int o = find_kind(g, K_OBJECT), have = find_kind(g, K_FIXED);

	if (g->kept & 0x3f || g->is_pure)
		return;
	if (o >= 0 && chance(g, 50)) {
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 1, (u32)o, 0, 0);
		if (chance(g, 3))
			emit(g, EXT_ALU64 | EXT_ADD, 1, 0, 0, 8);
		call(g, F_LOOK_AT);
	} else if (have >= 0 && g->k.limit[have] >= 8 && chance(g, 60)) {
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 1, (u32)have, 0, 0);
		emit(g, EXT_ALU64 | EXT_ADD, 1, 0, 0, below(g->r, g->k.limit[have] - 7) + slip(g));
		call(g, F_PERHAPS);
	} else {
		move_imm(g, 1, chance(g, 95) ? 0 : 1);
		call(g, F_PERHAPS);
	}
	set_kind(g, 0, K_NUM);
}

/* Distances: a place from numbers that are bounded, and back. */
void piece_pointer(struct gen *g)
{
	u32 base, limit, t, p, from, jumps[16], n = 0, kept = g->kept, bytes = 1u << below(g->r, 4);
	u32 parts = 1 + below(g->r, 3);
	struct kinds then;

	if (!pointer(g, &base, &limit, 0) || limit < 32)
		return;
	g->kept |= 1u << base;
	p = scratch(g);
	g->kept |= 1u << p;
	t = scratch(g);
	g->kept |= 1u << t;
	then = g->k;
	then.kind[p] = then.kind[t] = K_UNSET;
	move(g, p, base);
	set_kind(g, p, K_UNSET);
	for (u32 i = 0; i < parts; i++) {
		from = number(g);
		if (from == t || from == p)
			move_imm(g, t, (s32)below(g->r, 9));
		else
			move(g, t, from);
		set_kind(g, t, K_NUM);
		n += bound(g, t, (limit - bytes) / 4, jumps + n);
		unrely(g, &then);
		if (chance(g, 25))
			emit(g, EXT_ALU64 | EXT_LSH, t, 0, 0, 1);
		emit(g, EXT_ALU64 | (chance(g, 90) ? EXT_ADD : EXT_SUB) | EXT_X, p, t, 0, 0);
		if (n > 10)
			break;
	}
	if (chance(g, 30)) /* from the end */
		emit(g, EXT_ALU64 | EXT_SUB, p, 0, 0, (s64)below(g->r, 8));
	if (chance(g, 70))
		piece_access(g, p, bytes, 0, g->k.writable[base] && chance(g, 30));
	if (chance(g, 50)) { /* how far it is from the begin is a number */
		emit(g, EXT_ALU64 | EXT_SUB | EXT_X, p, base, 0, 0);
		move(g, t, base);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, t, p, 0, 0);
		set_kind(g, t, K_UNSET);
		piece_access(g, t, bytes, slip(g), 0);
	} else { /* as far as the end */
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, t, base, 0, 0);
		emit(g, EXT_ALU64 | EXT_ADD, t, 0, 0, (s64)limit - bytes + slip(g));
		jumps[n++] =
			emit(g, EXT_JMP | (chance(g, 70) ? EXT_JGT : EXT_JGE) | EXT_X, p, t, 0, 0);
		piece_access(g, p, bytes, 0, 0);
	}
	g->kept = kept;
	set_kind(g, t, K_UNSET);
	set_kind(g, p, K_UNSET);
	fail_jumps(g, jumps, n, &then);
}

/* Numbers tied to one another: one at most the other, what is between them, parts of that; wide as they are. */
void piece_relation(struct gen *g)
{
	static const u8 op[] = {EXT_JGT, EXT_JGE, EXT_JSGT, EXT_JNE, EXT_JLT, EXT_JSLE};
	u32 a = number(g), b, t, jumps[4], n = 0, kept = g->kept;
	struct kinds then;

	g->kept |= 1u << a;
	b = number(g);
	if (a == b) {
		g->kept = kept;
		return;
	}
	g->kept |= 1u << b;
	t = scratch(g);
	g->kept = kept;
	set_kind(g, t, K_UNSET);
	then = g->k;
	then.kind[t] = K_UNSET;
	if (chance(g, 30))
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, t, b, 32, 0);
	else
		move(g, t, b);
	set_kind(g, t, K_NUM);
	if (chance(g, 40))
		emit(g, EXT_ALU64 | EXT_RSH, t, 0, 0, below(g->r, 4));
	if (chance(g, 80))
		jumps[n++] =
			emit(g, (chance(g, 85) ? EXT_JMP : EXT_JMP32) | op[below(g->r, 6)] | EXT_X,
			     a, chance(g, 60) ? t : b, 0, 0);
	for (u32 i = 1 + below(g->r, 4); i-- > 0;) {
		u32 with = chance(g, 70) ? a : b;

		switch (below(g->r, 9)) {
		case 0:
		case 1:
			emit(g, EXT_ALU64 | EXT_SUB | EXT_X, t, with, 0, 0);
			break;
		case 2:
			emit(g, EXT_ALU64 | EXT_ADD | EXT_X, t, with, 0, 0);
			break;
		case 3:
			emit(g, EXT_ALU64 | (chance(g, 70) ? EXT_RSH : EXT_ARSH), t, 0, 0,
			     1 + below(g->r, 5));
			break;
		case 4:
			emit(g, EXT_ALU64 | (chance(g, 50) ? EXT_DIV : EXT_MOD) | EXT_X, t, with, 0,
			     0);
			break;
		case 5:
			emit(g, EXT_ALU64 | EXT_AND | EXT_X, t, with, 0, 0);
			break;
		case 6:
			emit(g, EXT_ALU64 | (chance(g, 50) ? EXT_MUL : EXT_DIV), t, 0, 0,
			     1 + below(g->r, 12));
			break;
		case 7:
			emit(g, EXT_ALU64 | EXT_ADD, t, 0, 0, (s64)below(g->r, 9) - 4);
			break;
		default:
			if (n == 4)
				break;
			if (chance(g, 60))
				jumps[n++] = emit(g, EXT_JMP | op[below(g->r, 6)] | EXT_X, t, with,
						  0, 0);
			else
				jumps[n++] = emit(g, EXT_JMP | op[below(g->r, 6)], t, 0, 0,
						  (s32)draw_number(g->r));
		}
	}
	if (chance(g, 40)) /* what is left of it shows */
		emit(g, EXT_ALU64 | EXT_RSH, t, 0, 0, below(g->r, 64));
	fail_jumps(g, jumps, n, &then);
}
