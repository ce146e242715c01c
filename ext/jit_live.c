/* SPDX-License-Identifier: MIT
 * What the compiler knows before it emits: which registers are read later, which have a zero upper half, which a byte. By
 * iteration over the whole program until nothing changes; after ROUNDS nothing is known. */
#include <jit.h>

#define ROUNDS 64u
#define ALL 0x7ffu

static int is_atomic(const struct ext_insn *i)
{
	return EXT_CLASS(i->code) == EXT_STX && EXT_MODE(i->code) == EXT_ATOMIC;
}

/* --- what an instruction reads and writes: bits of registers */
u32 live_defined(const struct ext_insn *i)
{
	switch (EXT_CLASS(i->code)) {
	case EXT_LD:
	case EXT_LDX:
	case EXT_ALU:
	case EXT_ALU64:
		return 1u << ext_dst(i);
	case EXT_JMP:
		return i->code == (EXT_JMP | EXT_CALL) ? 0x3f : 0;
	}
	if (is_atomic(i) && i->imm == EXT_CMPXCHG)
		return 1;
	if (is_atomic(i) && i->imm & EXT_FETCH)
		return 1u << ext_src(i);
	return 0;
}

static u32 call_reads(const struct jit *j, const struct ext_insn *i)
{
	const struct ext_contract *k;

	if (ext_src(i) == EXT_CALL_LOCAL)
		return j->live[jit_target(j, (u32)(i - j->p->insn))] & 0x3e;
	k = (u32)i->imm < j->p->imports ? j->p->import[i->imm].contract : 0;
	return k && k->args <= 5 ? (2u << k->args) - 2 : 0x3e;
}

u32 live_reads(const struct jit *j, const struct ext_insn *i)
{
	u32 op = EXT_OP(i->code), dst = 1u << ext_dst(i), src = 1u << ext_src(i);

	switch (EXT_CLASS(i->code)) {
	case EXT_LD:
		return 0;
	case EXT_LDX:
		return src;
	case EXT_ST:
		return dst;
	case EXT_STX:
		return dst | src | (is_atomic(i) && i->imm == EXT_CMPXCHG);
	case EXT_ALU:
	case EXT_ALU64:
		if (op == EXT_MOV)
			return i->code & EXT_X ? src : 0;
		return dst | (i->code & EXT_X && op != EXT_END && op != EXT_NEG ? src : 0);
	}
	if (i->code == (EXT_JMP | EXT_EXIT))
		return 1;
	if (i->code == (EXT_JMP | EXT_CALL))
		return call_reads(j, i);
	if (op == EXT_JA)
		return 0;
	return dst | (i->code & EXT_X ? src : 0);
}

/* --- registers with a zero upper half, behind an instruction that finds `narrow` */
static int wide_result(const struct ext_insn *i, u16 narrow)
{
	u32 dst = narrow >> ext_dst(i) & 1, src = narrow >> ext_src(i) & 1;
	int is_x = i->code & EXT_X;

	switch (EXT_OP(i->code)) {
	case EXT_MOV:
		return is_x ? !i->off && src : i->imm >= 0;
	case EXT_AND:
		return dst || (is_x ? src : i->imm >= 0);
	case EXT_OR:
	case EXT_XOR:
		return dst && (is_x ? src : i->imm >= 0);
	case EXT_RSH:
		return dst || (!is_x && (i->imm & 63) >= 32);
	case EXT_ARSH:
		return (int)dst;
	case EXT_DIV:
	case EXT_MOD:
		return dst && !i->off;
	case EXT_END:
		return i->imm != 64;
	}
	return 0;
}

u16 live_narrow(const struct jit *j, u32 pc, u16 narrow)
{
	const struct ext_insn *i = &j->p->insn[pc];
	u32 defined = live_defined(i);
	int is_narrow = 0;

	switch (EXT_CLASS(i->code)) {
	case EXT_ALU:
		is_narrow = EXT_OP(i->code) != EXT_END || i->imm != 64;
		if (EXT_OP(i->code) == EXT_END && i->imm == 64 && !(i->code & EXT_X))
			return narrow;
		break;
	case EXT_ALU64:
		is_narrow = wide_result(i, narrow);
		break;
	case EXT_LDX:
		is_narrow = EXT_MODE(i->code) == EXT_MEM && EXT_SIZE(i->code) != EXT_DW;
		break;
	case EXT_LD:
		is_narrow = ext_src(i) == 0 && i[1].imm == 0;
		break;
	case EXT_STX:
		is_narrow = EXT_SIZE(i->code) != EXT_DW;
		break;
	}
	return (u16)(is_narrow ? narrow | defined : narrow & ~defined);
}

/* --- registers with values below 256 */
static int byte_result(const struct ext_insn *i, u16 bytes)
{
	u32 dst = bytes >> ext_dst(i) & 1, src = bytes >> ext_src(i) & 1;

	if (!(i->code & EXT_X))
		src = i->imm >= 0 && i->imm <= 0xff;
	switch (EXT_OP(i->code)) {
	case EXT_MOV:
		return src && !i->off;
	case EXT_AND:
		return dst || src;
	case EXT_OR:
	case EXT_XOR:
		return dst && src;
	case EXT_RSH:
		return (int)dst;
	}
	return 0;
}

static u16 live_bytes(const struct jit *j, u32 pc, u16 bytes)
{
	const struct ext_insn *i = &j->p->insn[pc];
	u32 class = EXT_CLASS(i->code), defined = live_defined(i);
	int is_byte = 0;

	if (class == EXT_ALU || class == EXT_ALU64)
		is_byte = byte_result(i, bytes);
	else if (class == EXT_LDX)
		is_byte = EXT_MODE(i->code) == EXT_MEM && EXT_SIZE(i->code) == EXT_B;
	return (u16)(is_byte ? bytes | defined : bytes & ~defined);
}

/* --- iteration */
static int is_live(const struct jit *j, u32 pc)
{
	return !j->fact || j->fact[pc].flags & EXT_FACT_LIVE;
}

static int falls(const struct ext_insn *i)
{
	return i->code != (EXT_JMP | EXT_EXIT) && (!jit_is_jump(i) || jit_is_conditional(i));
}

static u32 step(const struct jit *j, u32 pc)
{
	return j->p->insn[pc].code == EXT_LDDW ? 2 : 1;
}

static int live_round(struct jit *j)
{
	int changed = 0;

	for (u32 pc = j->p->insns; pc--;) {
		const struct ext_insn *i = &j->p->insn[pc];
		u32 out = 0, in;

		if (!is_live(j, pc))
			continue;
		if (falls(i))
			out |= j->live[pc + step(j, pc)];
		if (jit_is_jump(i))
			out |= j->live[jit_target(j, pc)];
		in = (out & ~live_defined(i)) | live_reads(j, i);
		changed |= in != j->live[pc];
		j->live[pc] = (u16)in;
	}
	return changed;
}

/* Sets of registers of which something holds, by instruction; behind: after one. */
typedef u16 behind(const struct jit *j, u32 pc, u16 set);

static int small_meet(u16 *at, u16 set)
{
	u16 old = *at;

	*at &= set;
	return *at != old;
}

static int small_round(struct jit *j, u16 *at, behind *f)
{
	int changed = 0;

	for (u32 pc = 0; pc < j->p->insns; pc += step(j, pc)) {
		const struct ext_insn *i = &j->p->insn[pc];
		u16 out = f(j, pc, at[pc]);

		if (falls(i))
			changed |= small_meet(&at[pc + step(j, pc)], out);
		if (jit_is_jump(i))
			changed |= small_meet(&at[jit_target(j, pc)], out);
	}
	return changed;
}

static void small_analyse(struct jit *j, u16 *at, behind *f)
{
	u32 n = j->p->insns, rounds;

	for (u32 i = 0; i < n; i++)
		at[i] = ALL;
	for (u32 i = 0; i < j->p->functions; i++)
		at[j->p->function[i].first] = 0;
	for (rounds = 0; small_round(j, at, f); rounds++)
		if (rounds == ROUNDS) {
			for (u32 i = 0; i < n; i++)
				at[i] = 0;
			break;
		}
}

void live_analyse(struct jit *j)
{
	u32 n = j->p->insns, rounds;

	for (rounds = 0; live_round(j); rounds++)
		if (rounds == ROUNDS) {
			for (u32 i = 0; i < n; i++)
				j->live[i] = ALL;
			break;
		}
	small_analyse(j, j->narrow, live_narrow);
	small_analyse(j, j->bytes, live_bytes);
}
