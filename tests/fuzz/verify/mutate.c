/* SPDX-License-Identifier: MIT
 * Changes of programs: instructions changed, added, left out, doubled, parts of another put in; jumps are kept right. */
#include "pieces.h"

static int is_jump(const struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code);

	return (class == EXT_JMP || class == EXT_JMP32) && i->code != (EXT_JMP | EXT_EXIT) &&
	       (i->code != (EXT_JMP | EXT_CALL) || ext_src(i) == EXT_CALL_LOCAL);
}

static int is_far(const struct ext_insn *i)
{
	return i->code == (EXT_JMP32 | EXT_JA) || i->code == (EXT_JMP | EXT_CALL);
}

/* Moves what lies from `at` on by `by` instructions (below 0: those before `at - by` go). */
static int shift(struct made *m, u32 at, s32 by)
{
	u32 gone = by < 0 ? (u32)-by : 0;

	if (at + gone > m->insns || m->insns + (by > 0 ? (u32)by : 0) > INSNS)
		return 0;
	for (u32 n = 0; n < m->insns; n++) {
		struct ext_insn *i = &m->insn[n];
		s64 to, from = n;

		if (!is_jump(i) || (n >= at && n < at + gone))
			continue;
		to = from + 1 + (is_far(i) ? i->imm : i->off);
		if (to > (s64)at)
			to = to - (s64)at <= gone && gone ? (s64)at : to + by;
		if (from >= (s64)at)
			from += by;
		if (is_far(i))
			i->imm = (s32)(to - from - 1);
		else
			i->off = (s16)(to - from - 1);
	}
	memmove(&m->insn[(s64)at + (by > 0 ? by : 0)], &m->insn[at + gone],
		(m->insns - at - gone) * sizeof(m->insn[0]));
	m->insns = (u32)((s32)m->insns + by);
	return 1;
}

static void tweak(struct random *r, struct ext_insn *i)
{
	static const s8 by[] = {1, -1, 1, -1, 2, -2, 4, 8, -8, 7};
	u32 class = EXT_CLASS(i->code);

	switch (below(r, 9)) {
	case 0:
	case 1:
		i->imm = (s32)((u32)i->imm + (u32)(s32)by[below(r, sizeof(by))]);
		break;
	case 2:
		i->imm = (s32)draw_number(r);
		break;
	case 3:
		i->off = (s16)(i->off + by[below(r, sizeof(by))]);
		break;
	case 4:
		i->regs = (u8)((i->regs & 0xf0) | below(r, 11));
		break;
	case 5:
		i->regs = (u8)((i->regs & 15) | below(r, 11) << 4);
		break;
	case 6: /* another operation or size */
		if (class >= EXT_ALU)
			i->code = (u8)((i->code & 15) | below(r, 14) << 4);
		else
			i->code = (u8)((i->code & ~0x18u) | below(r, 4) << 3);
		break;
	case 7: /* the other width */
		if (class == EXT_ALU || class == EXT_ALU64)
			i->code ^= EXT_ALU ^ EXT_ALU64;
		else if (class == EXT_JMP || class == EXT_JMP32)
			i->code ^= EXT_JMP ^ EXT_JMP32;
		else if (class == EXT_LDX)
			i->code ^= EXT_MEM ^ EXT_MEMSX;
		break;
	default:
		if (class >= EXT_ALU)
			i->code ^= EXT_X;
		else
			i->off = (s16)(i->off + (below(r, 2) ? 1 : -1));
	}
}

/* --- fields that nothing uses are zero, jumps stay inside: few would pass else */
static void repair_alu(struct ext_insn *i)
{
	u32 op = EXT_OP(i->code), is_wide = EXT_CLASS(i->code) == EXT_ALU64;
	u32 is_x = i->code & EXT_X;

	if (op > EXT_END)
		i->code = (u8)((i->code & 15) | EXT_ADD), op = EXT_ADD;
	if (op == EXT_NEG || (op == EXT_END && is_wide))
		i->code &= (u8)~EXT_X, is_x = 0;
	if (op == EXT_NEG || op == EXT_END || !is_x)
		i->regs &= 15;
	if (op == EXT_NEG || (is_x && op != EXT_END))
		i->imm = 0;
	if (op == EXT_END && i->imm != 16 && i->imm != 32)
		i->imm = 64;
	if (op == EXT_DIV || op == EXT_MOD)
		i->off &= 1;
	else if (op != EXT_MOV || !is_x ||
		 (i->off != 8 && i->off != 16 && (i->off != 32 || !is_wide)))
		i->off = 0;
	if ((op == EXT_LSH || op == EXT_RSH || op == EXT_ARSH) && !is_x)
		i->imm &= is_wide ? 63 : 31;
	if (ext_dst(i) >= 10)
		i->regs = (u8)((i->regs & 0xf0) | 9);
}

static void repair_jump(struct made *m, u32 n)
{
	struct ext_insn *i = &m->insn[n];
	u32 op = EXT_OP(i->code), is_wide = EXT_CLASS(i->code) == EXT_JMP;
	s64 to;

	if (op > EXT_JSLE || ((op == EXT_CALL || op == EXT_EXIT) && !is_wide))
		i->code = (u8)((i->code & 15) | EXT_JNE), op = EXT_JNE;
	if (op == EXT_JA || op == EXT_CALL || op == EXT_EXIT) {
		i->code &= (u8)~EXT_X;
		i->regs = op == EXT_CALL ? i->regs & 0x10 : 0;
		if (op == EXT_CALL && !i->regs)
			i->imm = (s32)((u32)i->imm % interface.functions);
		if (op != EXT_JA || !is_wide)
			i->off = 0;
		if (op == EXT_EXIT || (op == EXT_JA && is_wide))
			i->imm = 0;
	} else if (i->code & EXT_X) {
		i->imm = 0;
	} else {
		i->regs &= 15;
	}
	if (!is_jump(i))
		return;
	to = (s64)n + 1 + (is_far(i) ? i->imm : i->off);
	if (to >= 0 && to < m->insns && (!to || m->insn[to - 1].code != EXT_LDDW))
		return;
	if (is_far(i))
		i->imm = 0;
	else
		i->off = 0;
	if (i->code == (EXT_JMP | EXT_CALL)) {
		i->regs = 0;
		i->imm = (s32)import_of(F_NOW);
	}
}

static void repair_memory(struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code), mode = EXT_MODE(i->code);

	if (class == EXT_ST || (class == EXT_STX && mode != EXT_ATOMIC) ||
	    (class == EXT_LDX && mode != EXT_MEMSX))
		mode = EXT_MEM;
	if (class == EXT_LDX && EXT_SIZE(i->code) == EXT_DW)
		mode = EXT_MEM;
	i->code = (u8)((i->code & 0x1f) | mode);
	if (mode == EXT_ATOMIC && ext_bytes(i->code) < 4)
		i->code = (u8)((i->code & ~0x18u) | EXT_DW);
	if (mode == EXT_ATOMIC && i->imm != EXT_XCHG && i->imm != EXT_CMPXCHG) {
		i->imm &= 0xf1;
		if ((i->imm & 0xf0) != EXT_OR && (i->imm & 0xf0) != EXT_AND &&
		    (i->imm & 0xf0) != EXT_XOR)
			i->imm &= 1;
	} else if (mode != EXT_ATOMIC && class != EXT_ST) {
		i->imm = 0;
	}
	if (class == EXT_ST)
		i->regs &= 15;
	if (class == EXT_LDX && ext_dst(i) >= 10)
		i->regs &= 0xf0;
}

static void repair(struct made *m)
{
	for (u32 n = 0; n < m->insns; n++) {
		struct ext_insn *i = &m->insn[n];

		if (ext_dst(i) > 10 || ext_src(i) > 10)
			i->regs &= 0x77;
		switch (EXT_CLASS(i->code)) {
		case EXT_ALU:
		case EXT_ALU64:
			repair_alu(i);
			break;
		case EXT_JMP:
		case EXT_JMP32:
			repair_jump(m, n);
			break;
		case EXT_LD:
			if (i->code != EXT_LDDW || n + 1 == m->insns) {
				*i = (struct ext_insn){EXT_ALU64 | EXT_MOV, 0, 0, 1};
				break;
			}
			i->off = 0;
			if (ext_dst(i) > 9)
				i->regs &= 0xf0;
			if (ext_src(i))
				i->imm = (s32)((u32)i->imm % REGIONS);
			i[1] = (struct ext_insn){0, 0, 0, i[1].imm};
			n++;
			break;
		default:
			repair_memory(i);
		}
	}
	/* it ends */
	if (m->insns && m->insn[m->insns - 1].code != (EXT_JMP | EXT_EXIT) &&
	    m->insn[m->insns - 1].code != (EXT_JMP | EXT_JA)) {
		if (m->insns == INSNS)
			m->insns--;
		m->insn[m->insns++] = (struct ext_insn){EXT_JMP | EXT_EXIT, 0, 0, 0};
	}
}

/* A piece that needs nothing but numbers, in front of `at`. */
static void insert_piece(struct random *r, struct made *m, u32 at)
{
	static struct gen gen;
	static struct made piece;
	struct gen *g = &gen;

	memset(g, 0, sizeof(*g));
	memset(&piece, 0, sizeof(piece));
	g->m = &piece;
	g->r = r;
	g->locals = LOCALS; /* no calls within: they would have nowhere to go */
	g->current = LOCALS;
	g->is_pure = attach_of(m)->class == EXT_PURE;
	for (u32 i = 0; i < at && i < m->insns; i++)
		if (EXT_CLASS(m->insn[i].code) == EXT_ALU ||
		    EXT_CLASS(m->insn[i].code) == EXT_ALU64)
			if (ext_dst(&m->insn[i]) < 10)
				g->k.kind[ext_dst(&m->insn[i])] = K_NUM;
	pieces(g, 1);
	if (piece.insns && shift(m, at, (s32)piece.insns))
		memcpy(&m->insn[at], piece.insn, piece.insns * sizeof(m->insn[0]));
}

void mutate(struct random *r, struct made *m, const struct made *other)
{
	for (u32 n = 1 + (below(r, 4) == 0); n-- > 0 && m->insns;) {
		u32 at = below(r, m->insns), count = 1 + below(r, 4);

		if (other && other->insns && below(r, 2)) {
			u32 from = below(r, other->insns);

			count = 1 + below(r, other->insns - from > 12 ? 12 : other->insns - from);
			if (shift(m, at, (s32)count))
				memcpy(&m->insn[at], &other->insn[from],
				       count * sizeof(m->insn[0]));
			continue;
		}
		switch (below(r, 12)) {
		case 0:
			m->seed = (u32)draw(r);
			break;
		case 1:
			m->small ^= 1;
			break;
		case 2:
			shift(m, at, below(r, 2) ? -1 : -(s32)count);
			break;
		case 3: /* doubled */
			if (at + count <= m->insns && shift(m, at, (s32)count))
				memcpy(&m->insn[at], &m->insn[at + count],
				       count * sizeof(m->insn[0]));
			break;
		case 4:
		case 5:
			insert_piece(r, m, at);
			break;
		case 6: /* neighbours */
			if (at + 1 < m->insns && !is_jump(&m->insn[at]) &&
			    !is_jump(&m->insn[at + 1])) {
				struct ext_insn i = m->insn[at];

				m->insn[at] = m->insn[at + 1];
				m->insn[at + 1] = i;
			}
			break;
		default:
			tweak(r, &m->insn[at]);
		}
	}
	if (below(r, 50))
		repair(m);
}
