/* SPDX-License-Identifier: MIT
 * Pieces that call functions, and those that use what these give. */
#include "pieces.h"

/* --- calls */
void clobber(struct gen *g)
{
	for (u32 r = 0; r < 6; r++)
		set_kind(g, r, K_UNSET);
}

void call(struct gen *g, u32 slot)
{
	emit(g, EXT_JMP | EXT_CALL, 0, EXT_CALL_IMPORT, 0, import_of(slot));
	clobber(g);
}

static int low_kept(const struct gen *g)
{
	return (g->kept & 0x3f) != 0;
}

void piece_map(struct gen *g)
{
	static const u8 maps[] = {ARRAY, HASH, PERCPU};
	u32 map = maps[below(g->r, 3)], reg = below(g->r, 3) ? 6 + below(g->r, 4) : below(g->r, 6);
	u32 value = map == ARRAY ? ARRAY_VALUE : map == HASH ? HASH_VALUE : PERCPU_VALUE, jump;
	struct kinds then;

	if (low_kept(g) || g->kept >> reg & 1)
		return;
	buffer_write(g);
	jump = number(g);
	if (chance(g, 50))
		emit(g, EXT_STX | EXT_MEM | EXT_W, FP, jump, -128, 0);
	else
		emit(g, EXT_ST | EXT_MEM | EXT_DW, FP, 0, -128, below(g->r, chance(g, 50) ? 2 : 6));
	emit_wide(g, 1, EXT_LD_MAP, map);
	emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 2, FP, 0, 0);
	emit(g, EXT_ALU64 | EXT_ADD, 2, 0, 0, -128);
	if (chance(g, 30) && !g->is_pure) {
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 3, FP, 0, 0);
		emit(g, EXT_ALU64 | EXT_ADD, 3, 0, 0, -120);
		call(g, map == HASH && chance(g, 30) ? F_FORGET : F_UPDATE);
		set_kind(g, 0, K_NUM);
		return;
	}
	call(g, g->is_pure || chance(g, 20) ? F_CONSULT : F_LOOK_UP);
	if (reg)
		move(g, reg, 0);
	set_kind(g, reg, K_UNSET);
	then = g->k;
	then.kind[0] = K_UNSET;
	if (chance(g, 78)) {
		jump = emit(g, EXT_JMP | EXT_JEQ, chance(g, 50) ? 0 : reg, 0, 0, 0);
	} else if (chance(g, 40)) {
		u32 over = emit(g, EXT_JMP | EXT_JNE, reg, 0, 0, 0);

		jump = emit(g, EXT_JMP | EXT_JA, 0, 0, 0, 0);
		land(g, over);
	} else { /* of something else */
		jump = condition(g);
	}
	g->k.kind[reg] = K_FIXED;
	g->k.limit[reg] = value;
	g->k.writable[reg] = !g->is_pure || chance(g, 3);
	if (chance(g, 60)) {
		u32 kept = g->kept;

		g->kept |= 1u << reg;
		piece_access(g, reg, 4, (s32)below(g->r, value - 3) + (chance(g, 12) ? 8 : slip(g)),
			     chance(g, 40) && g->k.writable[reg]);
		g->kept = kept;
	}
	if (g->level < 3)
		pieces(g, 1 + below(g->r, 3));
	fail_jumps(g, &jump, 1, &then);
}

/* Memory of some size, from 1 to 64 bytes. */
static void size_pair(struct gen *g, u32 slot)
{
	u32 jumps[8], n = 0, from = number(g), jump = 0;
	u32 start = below(g->r, 60), most = 64 - start + (chance(g, 40) ? below(g->r, 100) : 0);
	struct kinds then = g->k;
	int is_memory = chance(g, 40) && find_kind(g, K_MEMORY) >= 6 && find_kind(g, K_SIZE) >= 6;

	if (is_memory) {
		int mem = find_kind(g, K_MEMORY), size = find_kind(g, K_SIZE);

		if (slot == F_FILL && !g->k.writable[mem])
			return;
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 1, (u32)mem, 0, 0);
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 2, (u32)size, 0, 0);
		for (u32 r = 1; r < 3; r++)
			set_kind(g, r, K_UNSET);
		then = g->k;
		if (slot == F_DIGEST && chance(g, 95)) {
			jumps[n++] = emit(g, EXT_JMP | EXT_JGT, 2, 0, 0, 64);
			jumps[n++] = emit(g, EXT_JMP | EXT_JEQ, 2, 0, 0, 0);
		} else if (slot == F_FILL && chance(g, 50)) {
			jumps[n++] = emit(g, EXT_JMP | EXT_JLT, 2, 0, 0, 5);
			emit(g, EXT_ALU64 | EXT_SUB, 2, 0, 0, 5);
			emit(g, EXT_ALU64 | EXT_ADD, 1, 0, 0, 5 + slip(g));
		}
	} else {
		if (from > 5 || from == 0)
			emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 2, from, 0, 0);
		else
			emit(g, EXT_ALU64 | EXT_MOV, 2, 0, 0, (s64)below(g->r, 64));
		set_kind(g, 2, K_NUM);
		g->kept |= 4;
		if (slot == F_FILL)
			most += 64;
		else if (most > 64)
			most = 64;
		if (chance(g, 50))
			emit(g, EXT_ALU64 | EXT_MOD, 2, 0, 0, (s64)most + 1);
		else
			n = bound(g, 2, most, jumps);
		if (slot == F_DIGEST && chance(g, 95))
			jumps[n++] = emit(g, EXT_JMP | EXT_JLT, 2, 0, 0, 1);
		then = g->k;
		then.kind[2] = K_UNSET;
		jump = g->k.buffer;
		buffer_write(g);
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 1, FP, 0, 0);
		emit(g, EXT_ALU64 | EXT_ADD, 1, 0, 0, (s32)start - 128);
		g->kept &= ~4u;
		then.buffer = (u8)jump;
	}
	call(g, slot);
	set_kind(g, 0, K_NUM);
	for (u32 r = 0; r < 6; r++)
		then.kind[r] = K_UNSET;
	fail_jumps(g, jumps, n, &then);
}

/* A reference, with something while it is held: perhaps a loop, perhaps spilled, perhaps given back by another function. */
static void piece_lock(struct gen *g)
{
	u32 kept = g->kept, jump, is_spilled = chance(g, 25), slot = below(g->r, SLOTS);
	struct kinds then;

	if (g->held >= 3 || g->kept >> 9 & 1 || g->k.slot[slot] == K_LOCK)
		return;
	g->held++;
	call(g, chance(g, 50) ? F_LOCK : F_TRY_LOCK);
	move(g, 9, 0);
	set_kind(g, 9, K_LOCK);
	g->kept |= 1u << 9;
	if (is_spilled) {
		emit(g, EXT_STX | EXT_MEM | EXT_DW, FP, 9, -8 * (s32)(slot + 1), 0);
		g->k.slot[slot] = K_LOCK;
	}
	jump = emit(g, EXT_JMP | EXT_JEQ, chance(g, 50) ? 9 : 0, 0, 0, 0);
	then = g->k;
	set_kind(g, 0, K_UNSET);
	then.kind[0] = then.kind[9] = K_UNSET;
	if (chance(g, 30))
		piece_access(g, 9, 8, 0, 0);
	if (g->level < 3)
		pieces(g, below(g->r, 4));
	if (is_spilled)
		emit(g, EXT_LDX | EXT_MEM | EXT_DW, 1, FP, -8 * (s32)(slot + 1), 0);
	else
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 1, 9, 0, 0);
	if (chance(g, 96) && (!chance(g, 20) || !call_unlock(g)))
		call(g, F_UNLOCK);
	if (chance(g, 20)) /* what it was is gone */
		emit(g, EXT_LDX | EXT_MEM | EXT_DW, 0, 9, 0, 0);
	g->kept = kept;
	g->held--;
	clobber(g);
	set_kind(g, 9, K_UNSET);
	g->k.slot[slot] = is_spilled ? K_UNSET : g->k.slot[slot];
	land(g, jump);
	merge(g, &then);
}

/* A record of the ring: filled, submitted or thrown away. */
static void piece_record(struct gen *g)
{
	u32 kept = g->kept, jump, reg = 6 + below(g->r, 4);
	struct kinds then;

	if (g->held >= 3 || g->kept >> reg & 1)
		return;
	g->held++;
	emit_wide(g, 1, EXT_LD_MAP, chance(g, 98) ? RING : HASH);
	call(g, F_RESERVE);
	move(g, reg, 0);
	set_kind(g, reg, K_UNSET);
	then = g->k;
	jump = emit(g, EXT_JMP | EXT_JEQ, reg, 0, 0, 0);
	g->kept |= 1u << reg;
	for (u32 i = below(g->r, 4); i-- > 0;)
		emit(g, EXT_ST | EXT_MEM | EXT_W, reg, 0, (s32)below(g->r, 29) + slip(g), 5);
	if (chance(g, 40) && g->level < 3)
		pieces(g, 1 + below(g->r, 2));
	emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 1, reg, 0, 0);
	if (chance(g, 4))
		emit(g, EXT_ALU64 | EXT_ADD, 1, 0, 0, 8);
	if (chance(g, 97))
		call(g, chance(g, 70) ? F_SUBMIT : F_DISCARD);
	if (chance(g, 5))
		emit(g, EXT_ST | EXT_MEM | EXT_W, reg, 0, 0, 5);
	g->kept = kept;
	g->held--;
	clobber(g);
	set_kind(g, reg, K_UNSET);
	land(g, jump);
	merge(g, &then);
}

void piece_call(struct gen *g)
{
	if (low_kept(g))
		return;
	if (chance(g, 12)) {
		piece_perhaps(g);
		return;
	}
	switch (below(g->r, g->is_pure ? 2 : 13)) {
	case 0:
		call(g, F_NOW);
		break;
	case 1:
		size_pair(g, F_DIGEST);
		break;
	case 2:
	case 7:
		size_pair(g, F_FILL);
		break;
	case 3:
		if (chance(g, 50)) {
			emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 1, number(g), 0, 0);
			emit(g, EXT_ALU64 | EXT_AND, 1, 0, 0, 7);
		} else {
			move_imm(g, 1, (s32)below(g->r, 8) + slip(g));
		}
		call(g, F_CHOOSE);
		break;
	case 4:
		move_imm(g, 1, (s32)below(g->r, 9) - 4);
		call(g, F_SIGNED_CHOOSE);
		break;
	case 5:
		piece_lock(g);
		return;
	case 6:
		piece_record(g);
		return;
	case 8:
		piece_give(g);
		return;
	case 9:
		piece_found(g);
		return;
	case 10:
		piece_offer(g);
		return;
	default:
		call(g, chance(g, 90) ? F_NOW : F_SLOW);
	}
	set_kind(g, 0, K_NUM);
}

void piece_atomic(struct gen *g)
{
	static const u8 ops[] = {EXT_ADD,
				 EXT_AND,
				 EXT_OR,
				 EXT_XOR,
				 EXT_ADD | EXT_FETCH,
				 EXT_AND | EXT_FETCH,
				 EXT_OR | EXT_FETCH,
				 EXT_XOR | EXT_FETCH,
				 EXT_XCHG,
				 EXT_CMPXCHG};
	u32 base, limit, src, op = ops[below(g->r, sizeof(ops))], bytes = chance(g, 50) ? 4 : 8;

	if (!pointer(g, &base, &limit, 1) || limit < 8)
		return;
	if (base == 0 || (op == EXT_CMPXCHG && g->kept & 1))
		return;
	g->kept |= 1u << base;
	src = scratch(g);
	g->kept &= ~(1u << base);
	if (chance(g, 50))
		move_imm(g, src, (s32)draw_number(g->r));
	else
		emit_wide(g, src, 0, draw_number(g->r));
	if (op == EXT_CMPXCHG)
		move_imm(g, 0, (s32)below(g->r, 4));
	emit(g, EXT_STX | EXT_ATOMIC | (bytes == 8 ? EXT_DW : EXT_W), base, src,
	     (s32)(below(g->r, limit / bytes) * bytes) + slip(g), op);
	set_kind(g, src, K_NUM);
}

void piece_object(struct gen *g)
{
	static const struct {
		u8 off, bytes, is_pointer;
	} member[] = {{0, 8, 0},  {8, 4, 0},  {12, 4, 0}, {16, 4, 0}, {24, 4, 0},
		      {28, 4, 0}, {32, 4, 0}, {48, 4, 0}, {56, 8, 1}, {64, 4, 0},
		      {72, 8, 2}, {80, 8, 3}, {88, 8, 4}, {96, 8, 5}};
	int o = find_kind(g, K_OBJECT);
	u32 n = below(g->r, sizeof(member) / 3), reg, size, jumps[4], k = 0;
	struct kinds then;

	if (o < 0)
		return;
	if (member[n].is_pointer != 1 && member[n].is_pointer != 2) {
		if (!chance(g, 30))
			piece_access(g, (u32)o, member[n].bytes, member[n].off, 0);
		else
			piece_access(g, (u32)o, 4, 8, 1);
		if (member[n].is_pointer == 3 && chance(g, 80)) {
			reg = (u32)(g->m->insn[g->m->insns - 1].regs & 15);
			if (g->m->insn[g->m->insns - 1].code == (EXT_LDX | EXT_MEM | EXT_DW))
				piece_access(g, reg, 4, 4, 0);
			if (reg < 10)
				set_kind(g, reg, K_UNSET);
		}
		return;
	}
	g->kept |= 1u << o;
	reg = scratch(g);
	g->kept |= 1u << reg;
	size = scratch(g);
	then = g->k;
	then.kind[reg] = then.kind[size] = K_UNSET;
	emit(g, EXT_LDX | EXT_MEM | EXT_DW, reg, (u32)o, member[n].off, 0);
	emit(g, EXT_LDX | EXT_MEM | EXT_W, size, (u32)o, member[n].is_pointer == 1 ? 48 : 64, 0);
	set_kind(g, reg, K_MEMORY);
	set_kind(g, size, K_SIZE);
	g->k.writable[reg] = member[n].is_pointer == 2;
	g->kept &= ~(1u << o | 1u << reg);
	jumps[k++] = emit(g, EXT_JMP | EXT_JLT, size, 0, 0, 8);
	piece_access(g, reg, 8, slip(g) > 0 ? 1 : 0, (int)g->k.writable[reg] && chance(g, 50));
	if (g->level < 3)
		pieces(g, 2);
	fail_jumps(g, jumps, k, &then);
}

void piece_junk(struct gen *g)
{
	u64 x = draw(g->r), y = draw_number(g->r);
	struct ext_insn i;

	memcpy(&i, &x, 8);
	i.regs = (u8)(below(g->r, 11) | below(g->r, 11) << 4);
	if (chance(g, 70))
		i.off = (s16)below(g->r, 3);
	i.imm = (s32)y;
	emit(g, i.code, i.regs & 15, i.regs >> 4, i.off, i.imm);
}
