/* SPDX-License-Identifier: MIT
 * Which registers matter at a block's begin: those that are read later (live), and, when the program was walked, those whose
 * value may get into an address, a call, or a comparison that tells something of such a one (reach: barriers against
 * speculation are for these). Both are least fixpoints over the whole program, callees included. */
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

/* --- iteration, block by block from behind */
static u32 step_back(const struct flow *f, u32 insn)
{
	insn--;
	/* backwards over a 64-bit load's second half */
	return f->p->insn[insn].code ? insn : insn - 1;
}

static int live_update(struct flow *f, struct flow_block *b)
{
	u32 live = 0, changed, n = b->last;

	for (u32 k = 0; k < b->succs; k++)
		live |= f->block[b->succ[k]].live;
	if (!f->p->insn[n].code)
		n--;
	for (;; n = step_back(f, n)) {
		u32 reads, writes;

		flow_regs(f, n, &reads, &writes);
		live = (live & ~writes) | reads;
		if (n == b->first)
			break;
	}
	changed = live != b->live;
	b->live = (u16)live;
	return (int)changed;
}

void flow_live(struct flow *f)
{
	int changed = 1;

	while (changed) { /* at most 11 bits a block grow */
		changed = 0;
		for (u32 n = f->p->functions; n-- > 0;)
			for (u32 k = f->function[n].blocks; k-- > 0;)
				changed |= live_update(f, &f->block[f->function[n].block[k]]);
	}
}

/* --- reach */
struct reaching {
	struct flow *f;
	const struct speculate *note;
	int has_result; /* something was promised of what the entry returns */
};

/* before the instruction, from reach after it */
static u32 reach_before(const struct reaching *r, u32 insn, u32 after)
{
	const struct ext_insn *i = &r->f->p->insn[insn];
	u32 reads, writes, mask, tied = r->note[insn].tied;

	flow_regs(r->f, insn, &reads, &writes);
	switch (EXT_CLASS(i->code)) {
	case EXT_ALU:
	case EXT_ALU64:
		return after & writes ? (after & ~writes) | reads : after;
	case EXT_JMP:
	case EXT_JMP32:
		if (EXT_OP(i->code) == EXT_CALL)
			return (after & ~writes) | call_args(r->f, insn, &mask);
		if (EXT_OP(i->code) == EXT_EXIT)
			return r->f->block[r->f->at[insn]].function || r->has_result ? reads : 0;
		/* what is compared may say something of what reaches an address */
		return tied & (after | SPECULATE_SLOT) ? after | reads : after;
	case EXT_STX:
		/* a value that is stored to the stack may come back */
		if (EXT_MODE(i->code) == EXT_MEM && !(tied & SPECULATE_SLOT))
			return after | 1u << ext_dst(i);
		return (after & ~writes) | reads;
	default:
		return (after & ~writes) | reads;
	}
}

static int reach_update(const struct reaching *r, struct flow_block *b)
{
	const struct flow *f = r->f;
	u32 reach = 0, changed, n = b->last;

	for (u32 k = 0; k < b->succs; k++)
		reach |= f->block[b->succ[k]].reach;
	if (!f->p->insn[n].code)
		n--;
	for (;; n = step_back(f, n)) {
		reach = reach_before(r, n, reach);
		if (n == b->first)
			break;
	}
	changed = reach != b->reach;
	b->reach = (u16)reach;
	return (int)changed;
}

void flow_reach(struct flow *f, const struct speculate *note, int has_result)
{
	struct reaching r = {f, note, has_result};
	int changed = 1;

	while (changed) { /* at most 11 bits a block grow */
		changed = 0;
		for (u32 n = f->p->functions; n-- > 0;)
			for (u32 k = f->function[n].blocks; k-- > 0;)
				changed |= reach_update(&r, &f->block[f->function[n].block[k]]);
	}
}
