/* SPDX-License-Identifier: MIT
 * Which registers matter at a block's begin: those that are read later (live), and those whose value may get into an
 * address, a call or a comparison (reach: barriers against speculation are for these). Both are least fixpoints over the
 * whole program, callees included. */
#include <flow.h>

static u32 call_args(const struct flow *f, u32 insn, u32 *mask)
{
	const struct ext_insn *i = &f->p->insn[insn];
	u32 callee = f->block[f->at[insn]].callee, args = 0;

	if (ext_src(i) == EXT_CALL_LOCAL) {
		*mask = f->block[f->function[callee].block[0]].live & 0x3e;
		return f->block[f->function[callee].block[0]].reach & 0x3e;
	}
	if (f->p->import[i->imm].contract)
		args = f->p->import[i->imm].contract->args;
	*mask = ((1u << args) - 1) << 1;
	return *mask;
}

void flow_regs(const struct flow *f, u32 insn, u32 *reads, u32 *writes)
{
	const struct ext_insn *i = &f->p->insn[insn];
	u32 dst = 1u << ext_dst(i), src = i->code & EXT_X ? 1u << ext_src(i) : 0,
	    op = EXT_OP(i->code);

	*reads = *writes = 0;
	switch (EXT_CLASS(i->code)) {
	case EXT_ALU:
	case EXT_ALU64:
		if (op == EXT_END || op == EXT_NEG)
			src = 0;
		*reads = op == EXT_MOV ? src : dst | src;
		*writes = dst;
		return;
	case EXT_JMP:
	case EXT_JMP32:
		if (op == EXT_CALL) {
			call_args(f, insn, reads);
			*writes = 0x3f;
		} else if (op == EXT_EXIT) {
			*reads = 1;
		} else if (op != EXT_JA) {
			*reads = dst | src;
		}
		return;
	case EXT_LD:
		*writes = dst;
		return;
	case EXT_LDX:
		*reads = 1u << ext_src(i);
		*writes = dst;
		return;
	case EXT_ST:
		*reads = dst;
		return;
	default: /* STX */
		*reads = dst | 1u << ext_src(i);
		if (EXT_MODE(i->code) == EXT_ATOMIC && i->imm == EXT_CMPXCHG) {
			*reads |= 1;
			*writes = 1;
		} else if (EXT_MODE(i->code) == EXT_ATOMIC && i->imm & EXT_FETCH) {
			*writes = 1u << ext_src(i);
		}
	}
}

/* reach before the instruction, from reach after it */
static u32 reach_before(const struct flow *f, u32 insn, u32 after)
{
	const struct ext_insn *i = &f->p->insn[insn];
	u32 reads, writes, mask;

	flow_regs(f, insn, &reads, &writes);
	switch (EXT_CLASS(i->code)) {
	case EXT_ALU:
	case EXT_ALU64:
		return after & writes ? (after & ~writes) | reads : after;
	case EXT_JMP:
	case EXT_JMP32:
		if (EXT_OP(i->code) == EXT_CALL)
			return (after & ~writes) | call_args(f, insn, &mask);
		return after |
		       reads; /* what is compared may say something of what reaches an address */
	default:
		return (after & ~writes) | reads; /* a stored value may come back */
	}
}

static int block_update(struct flow *f, struct flow_block *b)
{
	u32 live = 0, reach = 0, changed, n = b->last;

	for (u32 k = 0; k < b->succs; k++) {
		live |= f->block[b->succ[k]].live;
		reach |= f->block[b->succ[k]].reach;
	}
	for (;; n--) {
		u32 reads, writes;

		/* backwards over a 64-bit load's second half */
		if (!f->p->insn[n].code)
			continue;
		flow_regs(f, n, &reads, &writes);
		reach = reach_before(f, n, reach);
		live = (live & ~writes) | reads;
		if (n == b->first)
			break;
	}
	changed = live != b->live || reach != b->reach;
	b->live = (u16)live;
	b->reach = (u16)reach;
	return (int)changed;
}

void flow_live(struct flow *f)
{
	int changed = 1;

	while (changed) { /* at most 22 bits a block grow */
		changed = 0;
		for (u32 n = f->p->functions; n-- > 0;)
			for (u32 k = f->function[n].blocks; k-- > 0;)
				changed |= block_update(f, &f->block[f->function[n].block[k]]);
	}
}
