/* SPDX-License-Identifier: MIT
 * Pieces of programs without loops or branches of their own. */
#include "pieces.h"

u32 chance(struct gen *g, u32 percent)
{
	return below(g->r, 100) < percent;
}

s32 slip(struct gen *g)
{
	static const s8 by[] = {1, -1, 1, 2, -1, 8, 4};

	return below(g->r, 11) ? 0 : by[below(g->r, sizeof(by))];
}

u32 emit(struct gen *g, u32 code, u32 dst, u32 src, s32 off, s64 imm)
{
	u32 n = g->m->insns;

	if (n == INSNS)
		return n - 1;
	g->m->insn[n] = (struct ext_insn){(u8)code, (u8)(dst | src << 4), (s16)off, (s32)imm};
	return g->m->insns++;
}

void emit_wide(struct gen *g, u32 dst, u32 src, u64 value)
{
	if (g->m->insns + 2 > INSNS)
		return;
	emit(g, EXT_LDDW, dst, src, 0, (s32)value);
	emit(g, 0, 0, 0, 0, (s32)(value >> 32));
}

void jump_to(struct gen *g, u32 jump, u32 to)
{
	struct ext_insn *i = &g->m->insn[jump];
	s32 distance = (s32)to - (s32)jump - 1;

	if (i->code == (EXT_JMP32 | EXT_JA) || i->code == (EXT_JMP | EXT_CALL))
		i->imm = distance;
	else
		i->off = (s16)distance;
}

void land(struct gen *g, u32 jump)
{
	jump_to(g, jump, g->m->insns);
}

void set_kind(struct gen *g, u32 reg, u32 kind)
{
	if (reg < 10)
		g->k.kind[reg] = (u8)kind;
}

void move(struct gen *g, u32 dst, u32 src)
{
	emit(g, EXT_ALU64 | EXT_MOV | EXT_X, dst, src, 0, 0);
	if (src < 10) {
		g->k.kind[dst] = g->k.kind[src];
		g->k.limit[dst] = g->k.limit[src];
		g->k.writable[dst] = g->k.writable[src];
	}
}

void move_imm(struct gen *g, u32 dst, s32 imm)
{
	emit(g, EXT_ALU64 | EXT_MOV, dst, 0, 0, imm);
	set_kind(g, dst, K_NUM);
}

u32 scratch(struct gen *g)
{
	for (u32 tries = 0;; tries++) {
		u32 reg = below(g->r, 10), kind = g->k.kind[reg];

		if (g->kept >> reg & 1 && tries < 200)
			continue;
		if (tries < 12 && (kind > K_NUM || (kind == K_NUM && tries < 4)))
			continue;
		if (tries < 40 && kind == K_LOCK)
			continue;
		set_kind(g, reg, K_NUM);
		return reg;
	}
}

u32 number(struct gen *g)
{
	u32 start = below(g->r, 10), reg;

	for (u32 i = 0; i < 10; i++) {
		reg = (start + i) % 10;
		if (g->k.kind[reg] == K_NUM || g->k.kind[reg] == K_SIZE)
			return reg;
	}
	reg = scratch(g);
	move_imm(g, reg, (s32)draw_number(g->r));
	return reg;
}

int find_kind(struct gen *g, u32 kind)
{
	u32 start = below(g->r, 10);

	for (u32 i = 0; i < 10; i++)
		if (g->k.kind[(start + i) % 10] == kind)
			return (int)((start + i) % 10);
	return -1;
}

void buffer_write(struct gen *g)
{
	if (g->k.buffer)
		return;
	for (s32 at = -128; at < -64; at += 8)
		emit(g, EXT_ST | EXT_MEM | EXT_DW, FP, 0, at, (s64)draw_number(g->r) & 0xff);
	g->k.buffer = 1;
}

int pointer(struct gen *g, u32 *reg, u32 *limit, int is_write)
{
	int have = chance(g, 60) ? find_kind(g, K_FIXED) : -1;

	if (have >= 0 && (!is_write || g->k.writable[have])) {
		*reg = (u32)have;
		*limit = g->k.limit[have];
		return 1;
	}
	*reg = scratch(g);
	set_kind(g, *reg, K_FIXED);
	if (g->is_pure ? is_write || chance(g, 50) : chance(g, 35)) {
		buffer_write(g);
		move(g, *reg, FP);
		emit(g, EXT_ALU64 | EXT_ADD, *reg, 0, 0, -128);
		*limit = 64;
	} else if (!is_write && chance(g, 30)) {
		emit_wide(g, *reg, EXT_LD_REGION, CONSTANTS);
		*limit = CONSTANTS_BYTES;
	} else {
		emit_wide(g, *reg, EXT_LD_REGION, DATA);
		*limit = DATA_BYTES;
	}
	g->k.limit[*reg] = *limit;
	g->k.writable[*reg] = *limit != CONSTANTS_BYTES;
	set_kind(g, *reg, K_FIXED);
	return 1;
}

u32 size_code(u32 bytes)
{
	return bytes == 1 ? EXT_B : bytes == 2 ? EXT_H : bytes == 4 ? EXT_W : EXT_DW;
}

void piece_access(struct gen *g, u32 reg, u32 bytes, s32 off, int is_write)
{
	u32 with;

	if (!is_write) {
		with = scratch(g);
		emit(g,
		     EXT_LDX | (chance(g, 20) && bytes < 8 ? EXT_MEMSX : EXT_MEM) |
			     size_code(bytes),
		     with, reg, off, 0);
		set_kind(g, with, K_NUM);
	} else if (chance(g, 40)) {
		emit(g, EXT_ST | EXT_MEM | size_code(bytes), reg, 0, off, (s64)draw_number(g->r));
	} else {
		with = number(g);
		emit(g, EXT_STX | EXT_MEM | size_code(bytes), reg, with, off, 0);
	}
}

/* --- numbers */
void piece_number(struct gen *g)
{
	u32 reg = scratch(g), from, limit, bytes = 1u << below(g->r, 4);

	switch (below(g->r, 5)) {
	case 0:
		move_imm(g, reg, (s32)draw_number(g->r));
		break;
	case 1:
		emit_wide(g, reg, 0, draw_number(g->r));
		break;
	case 2:
		from = number(g);
		if (from == reg)
			move_imm(g, reg, 3);
		else
			move(g, reg, from);
		set_kind(g, reg, K_NUM);
		break;
	default:
		set_kind(g, reg, K_UNSET);
		if (pointer(g, &from, &limit, 0) && limit >= bytes)
			piece_access(g, from, bytes, (s32)below(g->r, limit - bytes + 1), 0);
	}
}

void piece_alu(struct gen *g)
{
	static const u8 op[] = {EXT_ADD,  EXT_SUB, EXT_MUL, EXT_DIV, EXT_OR,  EXT_AND,
				EXT_LSH,  EXT_RSH, EXT_NEG, EXT_MOD, EXT_XOR, EXT_MOV,
				EXT_ARSH, EXT_END, EXT_AND, EXT_ADD, EXT_RSH};
	u32 a = op[below(g->r, sizeof(op))], dst = number(g), src = number(g);
	u32 class = chance(g, 60) ? EXT_ALU64 : EXT_ALU, width = class == EXT_ALU64 ? 64 : 32;
	s64 imm = (s64)draw_number(g->r);
	s32 off = 0;

	if (g->kept >> dst & 1 || g->k.kind[dst] == K_SIZE) {
		src = dst;
		dst = scratch(g);
		move(g, dst, src);
		set_kind(g, dst, K_NUM);
	}
	if (a == EXT_NEG) {
		emit(g, class | a, dst, 0, 0, 0);
		return;
	}
	if (a == EXT_END) {
		emit(g, class | a | (class == EXT_ALU && chance(g, 50) ? EXT_X : 0), dst, 0, 0,
		     16 << below(g->r, 3));
		return;
	}
	if ((a == EXT_DIV || a == EXT_MOD) && chance(g, 40))
		off = 1;
	if (a == EXT_LSH || a == EXT_RSH || a == EXT_ARSH)
		imm = below(g->r, chance(g, 40) ? 5 : width);
	if (chance(g, 45)) {
		if (a == EXT_MOV && chance(g, 60))
			off = class == EXT_ALU64 ? 8 << below(g->r, 3) : 8 << below(g->r, 2);
		emit(g, class | a | EXT_X, dst, src, off, 0);
	} else {
		emit(g, class | a, dst, 0, off, imm);
	}
}

static u32 jump_if(struct gen *g, u32 class, u32 op, u32 reg, u64 imm)
{
	u32 with;

	if (chance(g, 75) && imm < 0x80000000)
		return emit(g, class | op, reg, 0, 0, (s64)imm);
	with = scratch(g);
	if (with == reg)
		return emit(g, class | op, reg, 0, 0, (s64)imm);
	emit_wide(g, with, 0, imm);
	return emit(g, class | op | EXT_X, reg, with, 0, 0);
}

u32 bound(struct gen *g, u32 reg, u64 most, u32 *jumps)
{
	u32 kept = g->kept, n = 0, other;
	u64 mask = 1;

	g->kept |= 1u << reg;
	while ((mask << 1 | 1) <= most)
		mask = mask << 1 | 1;
	mask = most ? mask : 0;
	most += (u64)(s64)slip(g);
	switch (below(g->r, 14)) {
	case 0:
		emit(g, EXT_ALU64 | EXT_AND, reg, 0, 0, (s64)mask + slip(g));
		break;
	case 1:
		jumps[n++] = jump_if(g, EXT_JMP, EXT_JGT, reg, most);
		break;
	case 2:
		jumps[n++] = jump_if(g, EXT_JMP, EXT_JGE, reg, most + 1);
		break;
	case 3:
		if (chance(g, 50))
			emit(g, EXT_ALU | EXT_MOV | EXT_X, reg, reg, 0, 0);
		jumps[n++] = jump_if(g, EXT_JMP32, chance(g, 50) ? EXT_JGT : EXT_JSGT, reg, most);
		if (chance(g, 80))
			emit(g, EXT_ALU | EXT_MOV | EXT_X, reg, reg, 0, 0);
		break;
	case 4:
		emit(g, (chance(g, 70) ? EXT_ALU64 : EXT_ALU) | EXT_MOD, reg, 0, chance(g, 10),
		     (s64)most + 1);
		break;
	case 5:
	case 6:
		other = chance(g, 50);
		for (u32 i = 0; i < 2; i++) {
			if (i == other)
				jumps[n++] = jump_if(g, EXT_JMP, EXT_JSGT, reg, most);
			else if (chance(g, 92))
				jumps[n++] = jump_if(g, EXT_JMP, EXT_JSLT, reg, 0);
		}
		break;
	case 7:
		for (other = 64; other > 1 && mask; other--)
			mask >>= 1;
		mask = most;
		for (other = 64; mask > 1; mask >>= 1)
			other--;
		emit(g, EXT_ALU64 | EXT_RSH, reg, 0, 0, (s64)(other & 63));
		break;
	case 8:
		jumps[n++] = jump_if(g, EXT_JMP, EXT_JSET, reg, ~mask);
		break;
	case 9:
		other = number(g);
		if (other == reg || g->kept >> other & 1)
			break;
		jumps[n++] = jump_if(g, EXT_JMP, EXT_JGT, other, most);
		jumps[n++] = emit(g, EXT_JMP | (chance(g, 85) ? EXT_JGT : EXT_JGE) | EXT_X, reg,
				  other, 0, 0);
		break;
	case 10:
		emit(g, EXT_ALU | EXT_AND, reg, 0, 0, (s64)mask);
		break;
	case 11: /* a jump over a jump */
		other = jump_if(g, EXT_JMP, chance(g, 60) ? EXT_JLE : EXT_JLT, reg, most);
		jumps[n++] =
			emit(g, chance(g, 70) ? EXT_JMP | EXT_JA : EXT_JMP32 | EXT_JA, 0, 0, 0, 0);
		land(g, other);
		break;
	case 12: /* saturates */
		other = jump_if(g, EXT_JMP, EXT_JLE, reg, most);
		emit(g, EXT_ALU64 | EXT_MOV, reg, 0, 0, (s64)most);
		land(g, other);
		break;
	default:
		emit(g, EXT_ALU | EXT_RSH, reg, 0, 0, below(g->r, 8) + 24);
		jumps[n++] = jump_if(g, EXT_JMP, EXT_JGT, reg, most);
	}
	g->kept = kept;
	return n;
}

void fail_jumps(struct gen *g, const u32 *jumps, u32 n, const struct kinds *then)
{
	for (u32 i = 0; i < n; i++)
		land(g, jumps[i]);
	/* what the other way did not get is not there */
	for (u32 r = 0; n && r < 10; r++)
		if (g->k.kind[r] != then->kind[r] || g->k.limit[r] != then->limit[r] ||
		    g->k.writable[r] != then->writable[r])
			set_kind(g, r, K_UNSET);
	if (n)
		g->k.buffer &= then->buffer;
	for (u32 i = 0; n && i < SLOTS; i++)
		if (g->k.slot[i] != then->slot[i] || g->k.slot_limit[i] != then->slot_limit[i])
			g->k.slot[i] = K_UNSET;
}

/* A number becomes an index into something of known size. */
void piece_index(struct gen *g)
{
	u32 base, limit, t, p, from, jumps[8], n = 0, kept = g->kept;
	u32 bytes = 1u << below(g->r, 4), scale = below(g->r, 4);
	int is_write = chance(g, 40);
	s32 shift = 0;
	u64 most;
	struct kinds then;

	if (!pointer(g, &base, &limit, is_write) || limit < bytes)
		return;
	g->kept |= 1u << base;
	from = number(g);
	t = scratch(g);
	if (t != from)
		move(g, t, from);
	set_kind(g, t, K_NUM);
	g->kept |= 1u << t;
	most = (limit - bytes) >> scale;
	if (chance(g, 20) && most > 6) {
		shift = (s32)below(g->r, (u32)(most / 2) + 1);
		most -= (u64)shift;
	}
	then = g->k;
	n = bound(g, t, most, jumps);
	/* scratch registers of the bound are not relied on */
	for (u32 r = 0; r < 10; r++)
		if (g->k.kind[r] != then.kind[r])
			then.kind[r] = K_UNSET;
	for (u32 i = below(g->r, 4); i == 0; i = 1) {
		switch (below(g->r, 6)) {
		case 0:
			emit(g, EXT_ALU64 | EXT_XOR, t, 0, 0, (s64)(below(g->r, 8) & most));
			break;
		case 1: /* most - t */
			emit(g, EXT_ALU64 | EXT_NEG, t, 0, 0, 0);
			emit(g, EXT_ALU64 | EXT_ADD, t, 0, 0, (s64)most + slip(g));
			break;
		case 2:
			emit(g, EXT_ALU64 | EXT_MOV | EXT_X, t, t, 8 << below(g->r, 3), 0);
			break;
		case 3:
			emit(g, EXT_ALU64 | EXT_RSH, t, 0, 0, below(g->r, 3));
			break;
		case 4:
			emit(g, EXT_ALU64 | EXT_AND, t, 0, 0, (s64)draw_number(g->r));
			break;
		default:
			emit(g, EXT_ALU | EXT_MOV | EXT_X, t, t, 0, 0);
		}
	}
	if (shift)
		emit(g, EXT_ALU64 | EXT_ADD, t, 0, 0, shift + slip(g));
	if (scale) {
		if (chance(g, 70))
			emit(g, (chance(g, 80) ? EXT_ALU64 : EXT_ALU) | EXT_LSH, t, 0, 0, scale);
		else
			emit(g, EXT_ALU64 | EXT_MUL, t, 0, 0, 1 << scale);
	}
	if (chance(g, 50)) {
		p = scratch(g);
		move(g, p, base);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, t, 0, 0);
	} else {
		p = t;
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, base, 0, 0);
	}
	set_kind(g, p, K_UNSET);
	g->kept |= 1u << p;
	piece_access(g, p, bytes, shift && chance(g, 30) ? -1 : 0, is_write);
	g->kept = kept;
	set_kind(g, t, K_UNSET);
	then.kind[t] = K_UNSET;
	fail_jumps(g, jumps, n, &then);
}

/* The entry's memory, of a size that is not known. */
void piece_memory(struct gen *g)
{
	int mem = find_kind(g, K_MEMORY), size = find_kind(g, K_SIZE);
	u32 bytes = 1u << below(g->r, 4), t, u, p, from, jumps[8], n = 0, kept = g->kept, off = 0;
	struct kinds then = g->k;
	int is_write;

	if (mem < 0 || size < 0)
		return;
	is_write = g->k.writable[mem] && chance(g, 50);
	g->kept |= 1u << mem | 1u << size;
	from = number(g);
	g->kept |= 1u << from;
	t = scratch(g);
	g->kept |= 1u << t;
	u = scratch(g);
	g->kept |= 1u << u;
	p = scratch(g);
	g->kept = kept | 1u << mem | 1u << size | 1u << p;
	set_kind(g, p, K_UNSET);
	then = g->k;
	then.kind[t] = then.kind[u] = then.kind[p] = K_UNSET;
	move(g, t, from);
	switch (below(g->r, 6)) {
	case 0: /* a place that is known */
		off = below(g->r, 40);
		jumps[n++] = emit(g, EXT_JMP | (chance(g, 80) ? EXT_JLT : EXT_JSLT), (u32)size, 0,
				  0, (s64)(off + bytes) + slip(g));
		move(g, p, (u32)mem);
		break;
	case 1: /* t + bytes <= size */
		emit(g, EXT_ALU64 | EXT_AND, t, 0, 0, 0xffff);
		move(g, u, t);
		emit(g, EXT_ALU64 | EXT_ADD, u, 0, 0, (s32)bytes + slip(g));
		jumps[n++] = emit(g, EXT_JMP | (chance(g, 80) ? EXT_JGT : EXT_JSGT) | EXT_X, u,
				  (u32)size, 0, 0);
		move(g, p, (u32)mem);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, t, 0, 0);
		break;
	case 2: /* t <= size - bytes, size >= bytes */
		if (chance(g, 90))
			jumps[n++] = emit(g, EXT_JMP | EXT_JLT, (u32)size, 0, 0, bytes);
		move(g, u, (u32)size);
		emit(g, EXT_ALU64 | EXT_SUB, u, 0, 0, (s32)bytes + slip(g));
		jumps[n++] = emit(g, EXT_JMP | EXT_JGT | EXT_X, t, u, 0, 0);
		move(g, p, (u32)mem);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, t, 0, 0);
		break;
	case 3: /* the end as a pointer */
		emit(g, EXT_ALU64 | EXT_AND, t, 0, 0, chance(g, 50) ? 0xff : 0x7fffffff);
		move(g, u, (u32)mem);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, u, (u32)size, 0, 0);
		move(g, p, (u32)mem);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, t, 0, 0);
		move(g, t, p);
		emit(g, EXT_ALU64 | EXT_ADD, t, 0, 0, (s32)bytes + slip(g));
		jumps[n++] = emit(g, EXT_JMP | EXT_JGT | EXT_X, t, u, 0, 0);
		break;
	case 4: /* one byte, t < size */
		bytes = chance(g, 90) ? 1 : bytes;
		jumps[n++] = emit(g,
				  (chance(g, 85) ? EXT_JMP : EXT_JMP32) |
					  (chance(g, 88) ? EXT_JGE : EXT_JGT) | EXT_X,
				  t, (u32)size, 0, 0);
		move(g, p, (u32)mem);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, t, 0, 0);
		break;
	default: /* the last bytes */
		jumps[n++] = emit(g, EXT_JMP | EXT_JLT, (u32)size, 0, 0, (s32)bytes + slip(g));
		move(g, p, (u32)mem);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, (u32)size, 0, 0);
		off = (u32) - (s32)bytes;
	}
	set_kind(g, t, K_UNSET);
	set_kind(g, u, K_UNSET);
	set_kind(g, p, K_UNSET);
	piece_access(g, p, bytes, (s32)off, is_write);
	g->kept = kept;
	fail_jumps(g, jumps, n, &then);
}

/* --- the stack */
void piece_stack(struct gen *g)
{
	u32 bytes = 1u << below(g->r, 4), reg, slot = below(g->r, SLOTS);
	s32 at = -8 * (s32)(slot + 1);

	if (g->k.slot[slot] == K_UNSET || chance(g, 40)) {
		reg = number(g);
		if (g->k.slot[slot] == K_LOCK)
			return;
		if (g->k.slot[slot] == K_UNSET) {
			if (chance(g, 50))
				emit(g, EXT_ST | EXT_MEM | EXT_DW, FP, 0, at, below(g->r, 90));
			else
				emit(g, EXT_STX | EXT_MEM | EXT_DW, FP, reg, at, 0);
			g->k.slot[slot] = K_NUM;
			if (chance(g, 60))
				return;
			bytes = chance(g, 50) ? 4 : bytes;
			emit(g, EXT_STX | EXT_MEM | size_code(bytes), FP, reg,
			     at + (s32)(below(g->r, 2) ? 8 - bytes : 0), 0);
			reg = scratch(g);
			emit(g, EXT_LDX | EXT_MEM | EXT_DW, reg, FP, at, 0);
		} else { /* a part of it */
			emit(g, EXT_STX | EXT_MEM | size_code(bytes), FP, reg,
			     at + (s32)(chance(g, 50) ? 8 - bytes : below(g->r, 9 - bytes)), 0);
			if (g->k.slot[slot] == K_NUM && chance(g, 50)) {
				reg = scratch(g);
				emit(g, EXT_LDX | EXT_MEM | EXT_DW, reg, FP, at, 0);
			}
			if (g->k.slot[slot] != K_NUM)
				g->k.slot[slot] = bytes == 8 ? K_NUM : K_UNSET;
		}
	} else if (g->k.slot[slot] == K_NUM) {
		reg = scratch(g);
		emit(g,
		     EXT_LDX | (chance(g, 30) && bytes < 8 ? EXT_MEMSX : EXT_MEM) |
			     size_code(bytes),
		     reg, FP, at + (s32)(chance(g, 50) ? 0 : below(g->r, 9 - bytes)), 0);
	}
}

/* A value goes to the stack and comes back. */
void piece_spill(struct gen *g)
{
	u32 slot = below(g->r, SLOTS), reg = below(g->r, 10);
	s32 at = -8 * (s32)(slot + 1);

	if (g->k.slot[slot] != K_UNSET && chance(g, 60)) {
		reg = scratch(g);
		emit(g, EXT_LDX | EXT_MEM | EXT_DW, reg, FP, at, 0);
		g->k.kind[reg] = g->k.slot[slot] == K_SIZE ? K_SIZE : g->k.slot[slot];
		g->k.limit[reg] = g->k.slot_limit[slot];
		g->k.writable[reg] = g->k.slot_writable[slot];
	} else if (g->k.kind[reg] != K_UNSET && g->k.slot[slot] != K_LOCK && !g->depth) {
		emit(g, EXT_STX | EXT_MEM | EXT_DW, FP, reg, at, 0);
		g->k.slot[slot] = g->k.kind[reg];
		g->k.slot_limit[slot] = g->k.limit[reg];
		g->k.slot_writable[slot] = g->k.writable[reg];
	}
}
