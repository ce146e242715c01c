/* SPDX-License-Identifier: MIT
 * Jumps, calls, the ends of functions, checkpoints, barriers.
 *
 * Inside the program the third and fourth argument lie in R9 and R10.
 * A function pushes those of RBX, R13, R14, R15 that it writes; where it uses its frame, RBP, which then is R10. The
 * entry keeps the run in R12 where checkpoints or imported functions need it, and, where a run may be stopped, its own
 * stack pointer in the run: stopping goes back there from any depth, and the entry then restores what any function may
 * have changed. At every call RSP is a multiple of 16. */
#include <jit.h>

#define RUN_BUDGET __builtin_offsetof(struct ext_run, budget)
#define RUN_STOPPED __builtin_offsetof(struct ext_run, stopped)
#define RUN_STOP_SP __builtin_offsetof(struct ext_run, stop_sp)
#define RUN_FUNCTION __builtin_offsetof(struct ext_run, function)

static const u8 saves[] = {RBX, R13, R14, R15, R12};

int jit_is_conditional(const struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code), op = EXT_OP(i->code);

	return (class == EXT_JMP || class == EXT_JMP32) && op != EXT_JA && op != EXT_CALL &&
	       op != EXT_EXIT;
}

int jit_is_jump(const struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code);

	return jit_is_conditional(i) ||
	       ((class == EXT_JMP || class == EXT_JMP32) && EXT_OP(i->code) == EXT_JA);
}

u32 jit_target(const struct jit *j, u32 pc)
{
	const struct ext_insn *i = &j->p->insn[pc];

	if (i->code == (EXT_JMP32 | EXT_JA) || i->code == (EXT_JMP | EXT_CALL))
		return pc + 1 + (u32)i->imm;
	return pc + 1 + (u32)(s32)i->off;
}

/* --- jumps to instructions */
static void jump_to(struct jit *j, u32 opcode_short, u32 opcode_long, u32 target)
{
	u32 length = opcode_long > 0xff ? 6 : 5;

	if (j->mark[j->pc] & MARK_SHORT) {
		emit_byte(j, opcode_short);
		emit_byte(j, j->old_place[target] - (u32)(j->at + 1));
		j->jump[j->pc] = (u32)j->at;
		return;
	}
	u64 end = j->at + length;

	if (length == 6)
		emit_byte(j, 0x0f);
	emit_byte(j, opcode_long & 0xff);
	emit_word(j, j->old_place[target] - (u32)end);
	j->jump[j->pc] = (u32)j->at;
}

/* The condition's code; 0 when there is no such jump. swapped: as it is when the operands are. */
static u32 condition_of(u32 op)
{
	switch (op) {
	case EXT_JEQ:
		return CC_E;
	case EXT_JNE:
	case EXT_JSET:
		return CC_NE;
	case EXT_JGT:
		return CC_A;
	case EXT_JGE:
		return CC_AE;
	case EXT_JLT:
		return CC_B;
	case EXT_JLE:
		return CC_BE;
	case EXT_JSGT:
		return CC_G;
	case EXT_JSGE:
		return CC_GE;
	case EXT_JSLT:
		return CC_L;
	case EXT_JSLE:
		return CC_LE;
	}
	return 0;
}

/* Whether the flags at hand say it already. */
static int flags_say(const struct jit *j, u32 reg, int wide, u32 *condition)
{
	int is_sign = *condition == CC_S || *condition == CC_NS;

	if (j->flags_at != j->at || j->flags_reg != reg || j->value[reg].kind != PLACE)
		return 0;
	if (j->flags_wide == 2)
		return 1;
	return is_sign ? j->flags_wide == wide : wide || !j->flags_wide;
}

/* Operands of equal sign compare as unsigned ones do. */
static u32 unsigned_of(u32 condition)
{
	switch (condition) {
	case CC_L:
		return CC_B;
	case CC_GE:
		return CC_AE;
	case CC_LE:
		return CC_BE;
	case CC_G:
		return CC_A;
	}
	return condition;
}

/* A value that waits in memory with a constant, there. It is zero-extended: of one or two bytes it compares in its own
 * size with what fits them; so does one of four with a 64-bit constant that fits. */
static int compare_mem_imm(struct jit *j, const struct ext_insn *i, int wide, s32 imm,
			   u32 *condition)
{
	u32 bytes = j->value[ext_dst(i)].bytes, is_test = EXT_OP(i->code) == EXT_JSET;
	int is_narrow = bytes < (wide ? 8u : 4u);
	struct mem m;

	if (is_narrow && (imm < 0 || (bytes < 4 && imm >> 8 * bytes)))
		return 0;
	if ((is_test && bytes == 2) || !value_is_mem(j, ext_dst(i), bytes, &m))
		return 0;
	if (bytes == 8 && !wide)
		bytes = 4; /* its low half */
	if (is_narrow)
		*condition = unsigned_of(*condition);
	u32 size = bytes == 1 || (imm == (s8)imm && !is_test) ? 1 : bytes == 2 ? 2 : 4;
	u32 opcode = bytes == 1 ? 0x80 : size == 1 ? 0x83 : 0x81;

	if (is_test)
		opcode = bytes == 1 ? 0xf6 : 0xf7;
	emit_mem(j, bytes == 2 ? 0x66 : 0, bytes == 8, opcode, is_test ? 0 : 7, &m, 0, size);
	for (u32 n = 0; n < size; n++)
		emit_byte(j, (u32)imm >> 8 * n);
	return 1;
}

static void compare_imm(struct jit *j, const struct ext_insn *i, int wide, s32 imm, u32 *condition)
{
	u32 op = EXT_OP(i->code), dst = ext_dst(i), reg;

	if (j->byte_at && j->byte_at == j->pc) {
		emit_byte_rr(j, 0, op == EXT_JSET ? 0xf6 : 0x80, op == EXT_JSET ? 0 : 7,
			     value_read(j, dst, 0));
		emit_byte(j, (u32)imm);
		*condition = unsigned_of(*condition);
		return;
	}
	if (j->value[dst].kind == LOAD && compare_mem_imm(j, i, wide, imm, condition))
		return;
	if (op == EXT_JSET) {
		reg = value_read(j, dst, wide);
		emit_rr(j, imm < 0 && wide, 0xf7, 0, reg);
		emit_word(j, (u32)imm);
		return;
	}
	if (imm == 0) { /* what the flags of a result say, too */
		if (op == EXT_JGT)
			*condition = CC_NE;
		else if (op == EXT_JLE)
			*condition = CC_E;
		else if (op == EXT_JSLT)
			*condition = CC_S;
		else if (op == EXT_JSGE)
			*condition = CC_NS;
		if ((*condition == CC_NE || *condition == CC_E || *condition == CC_S ||
		     *condition == CC_NS) &&
		    flags_say(j, dst, wide, condition))
			return;
		reg = value_read(j, dst, wide);
		emit_rr(j, wide, 0x85, reg, reg);
		return;
	}
	emit_alu_imm(j, wide, 7, value_read(j, dst, wide), imm);
}

/* Two values below 256, of which one waits in memory, compare as bytes there. */
static int compare_bytes(struct jit *j, const struct ext_insn *i, u32 *condition)
{
	int is_test = EXT_OP(i->code) == EXT_JSET;
	u32 dst = ext_dst(i), src = ext_src(i), mem = dst, other = src, reg;
	struct mem m;

	if (dst == src)
		return 0;
	if (!value_is_mem(j, mem, 1, &m)) {
		mem = src;
		other = dst;
	}
	if (!value_is_mem(j, mem, 1, &m))
		return 0;
	if (!(j->bytes[j->pc] >> other & 1))
		return 0;
	reg = value_read(j, other, 0); /* which may put the one that waits into its place */
	if (!value_is_mem(j, mem, 1, &m))
		return 0;
	*condition = unsigned_of(*condition);
	emit_mem(j, 0, 0, is_test ? 0x84 : mem == dst ? 0x38 : 0x3a, reg, &m, 1, 0);
	return 1;
}

static void compare(struct jit *j, const struct ext_insn *i, int wide, u32 *condition)
{
	int is_test = EXT_OP(i->code) == EXT_JSET;
	u32 dst = ext_dst(i), src = ext_src(i), bytes = wide ? 8 : 4, reg;
	struct mem m;

	if (compare_bytes(j, i, condition))
		return;

	if (dst != src && value_is_mem(j, src, bytes, &m)) {
		reg = value_read(j, dst, wide); /* which may put src into its place */
		if (value_is_mem(j, src, bytes, &m)) {
			emit_rm(j, wide, is_test ? 0x85 : 0x3b, reg, &m);
			return;
		}
	}
	if (dst != src && value_is_mem(j, dst, bytes, &m)) {
		reg = value_read(j, src, wide);
		if (value_is_mem(j, dst, bytes, &m)) {
			emit_rm(j, wide, is_test ? 0x85 : 0x39, reg, &m);
			return;
		}
	}
	value_read(j, dst, wide); /* twice: see store() in jit_mem.c */
	reg = value_read(j, src, wide);
	emit_rr(j, wide, is_test ? 0x85 : 0x39, reg, value_read(j, dst, wide));
}

/* A conditional jump over a jump: compilers turn conditions round so. One jump the other way does, where the barriers of
 * both sides stand at their targets. */
int jit_jumps_over(const struct jit *j, u32 pc)
{
	const struct ext_insn *next = &j->p->insn[pc + 1];

	if (!jit_is_conditional(&j->p->insn[pc]) || jit_target(j, pc) != pc + 2)
		return 0;
	if (!jit_is_jump(next) || jit_is_conditional(next) || j->mark[pc + 1] & MARK_TARGET)
		return 0;
	return !j->fact || j->fact[pc + 1].flags == EXT_FACT_LIVE;
}

static int turns(const struct jit *j, u32 pc)
{
	u32 flags = j->fact ? j->fact[pc].flags : 0;

	return jit_jumps_over(j, pc) &&
	       (!(flags & EXT_FACT_BARRIER_TAKEN) || j->mark[pc + 2] & MARK_BARRIER) &&
	       (!(flags & EXT_FACT_BARRIER_NEXT) || j->mark[jit_target(j, pc + 1)] & MARK_BARRIER);
}

static u32 conditional(struct jit *j, const struct ext_insn *i)
{
	int wide = EXT_CLASS(i->code) == EXT_JMP, over = turns(j, j->pc);
	u32 condition = condition_of(EXT_OP(i->code));
	u32 target = jit_target(j, j->pc + (u32)over);
	s32 imm = i->imm;

	if (!condition) {
		jit_refuse(j, EXT_WHY_CODE, "no such jump");
		return 1;
	}
	value_flush(j, j->live[target]);
	if (!(i->code & EXT_X) || value_is_imm(j, ext_src(i), wide, &imm))
		compare_imm(j, i, wide, imm, &condition);
	else
		compare(j, i, wide, &condition);
	if (over) {
		j->pc++; /* it is the second one's jump */
		jump_to(j, 0x70 | (condition ^ 1), 0x180 | (condition ^ 1), target);
		return 2;
	}
	if (j->fact && j->fact[j->pc].flags & EXT_FACT_BARRIER_TAKEN &&
	    !(j->mark[target] & MARK_BARRIER)) {
		u64 skip = emit_skip(j, condition ^ 1);

		emit_lfence(j);
		jump_to(j, 0xeb, 0xe9, target);
		emit_land(j, skip);
	} else {
		jump_to(j, 0x70 | condition, 0x180 | condition, target);
	}
	return 1;
}

/* --- calls */
static void import(struct jit *j, const struct ext_insn *i)
{
	struct mem m = {R12, NONE, 0, 0, 0};
	u32 reads = live_reads(j, i);

	value_flush(j, (j->in | j->next) & ~0x18u);
	if ((u32)i->imm >= j->p->imports) {
		jit_refuse(j, EXT_WHY_CALL, "calls a function that it does not import");
		return;
	}
	if (reads >> 3 & 1)
		value_into(j, 3, RDX);
	if (reads >> 4 & 1)
		value_into(j, 4, RCX);
	m.disp = (s64)RUN_FUNCTION + 8 * (s64)j->p->import[i->imm].slot;
	emit_move(j, 1, R9, R12);
	emit_rm(j, 0, 0xff, 2, &m);
}

static void call(struct jit *j, const struct ext_insn *i)
{
	if (ext_src(i) == EXT_CALL_IMPORT) {
		import(j, i);
	} else {
		value_flush(j, j->in | j->next);
		u32 target = jit_target(j, j->pc);

		emit_byte(j, 0xe8);
		emit_word(j, j->old_place[target] - (u32)(j->at + 4));
	}
	for (u32 r = 0; r <= 5; r++)
		j->value[r].kind = PLACE;
}

/* --- ends of functions */
static void pops(struct jit *j, const struct jit_function *f)
{
	for (u32 n = sizeof(saves); n--;)
		if (f->saved >> saves[n] & 1)
			emit_pop(j, saves[n]);
	emit_byte(j, 0xc3);
}

static void leave(struct jit *j)
{
	const struct jit_function *f = j->f;

	value_place(j, 0);
	if (f->has_frame && f->frame) {
		emit_byte(j, 0xc9); /* RSP = RBP, pop RBP */
	} else if (f->has_frame) {
		emit_pop(j, RBP);
	} else if (f->frame) {
		emit_alu_imm(j, 1, 0, RSP, (s32)f->frame);
	}
	pops(j, f);
}

void jit_prologue(struct jit *j, u32 function)
{
	const struct jit_function *f = &j->function[function];
	struct mem stop_sp = {R12, NONE, 0, 0, RUN_STOP_SP};

	for (u32 n = 0; n < sizeof(saves); n++)
		if (f->saved >> saves[n] & 1)
			emit_push(j, saves[n]);
	if (f->has_frame) {
		emit_push(j, RBP);
		emit_move(j, 1, RBP, RSP);
	}
	if (f->frame)
		emit_alu_imm(j, 1, 5, RSP, (s32)f->frame);
	if (function)
		return;
	if (j->needs_run)
		emit_move(j, 1, R12, R9);
	if (j->stops)
		emit_rm(j, 1, 0x89, RSP, &stop_sp);
	/* the third and fourth argument to where r3 and r4 are; so that RDX and RCX are free */
	if (j->live[0] >> 3 & 1)
		emit_move(j, 1, machine(3), RDX);
	if (j->live[0] >> 4 & 1)
		emit_move(j, 1, machine(4), RCX);
}

/* --- stopping */
static void spend(struct jit *j, u32 pc)
{
	struct mem budget = {R12, NONE, 0, 0, RUN_BUDGET};
	u32 cost = j->fact[pc].cost;

	j->checked = pc + 1;
	if (cost < 128) {
		emit_mem(j, 0, 1, 0x83, 5, &budget, 0, 1);
		emit_byte(j, cost);
	} else if (cost <= 0x7fffffff) {
		emit_mem(j, 0, 1, 0x81, 5, &budget, 0, 4);
		emit_word(j, cost);
	} else {
		emit_const(j, R11, cost);
		emit_rm(j, 1, 0x29, R11, &budget);
	}
}

static void stop_if(struct jit *j, u32 opcode)
{
	if (opcode > 0xff)
		emit_byte(j, 0x0f);
	emit_byte(j, opcode & 0xff);
	emit_word(j, j->old_stop - (u32)(j->at + 4));
}

void jit_checkpoint(struct jit *j, u32 pc)
{
	spend(j, pc);
	stop_if(j, 0x180 | CC_S);
}

/* Where checkpoints go when the budget is spent. */
void jit_stop(struct jit *j)
{
	const struct jit_function *f = &j->function[0];
	struct mem stop_sp = {R12, NONE, 0, 0, RUN_STOP_SP},
		   stopped = {R12, NONE, 0, 0, RUN_STOPPED};

	j->stop = (u32)j->at;
	if (!j->stops)
		return;
	emit_lfence(j); /* what a jump without barrier let be loaded is not for the caller */
	emit_rm(j, 1, 0x8b, RSP, &stop_sp);
	emit_mem(j, 0, 1, 0xc7, 0, &stopped, 0, 4);
	emit_word(j, 1);
	emit_rr(j, 0, 0x31, RAX, RAX);
	if (f->frame)
		emit_alu_imm(j, 1, 0, RSP, (s32)f->frame);
	if (f->has_frame)
		emit_pop(j, RBP);
	pops(j, f);
}

/* A jump with a checkpoint goes where the budget is not spent, and else falls into the way to the end. */
static void jump(struct jit *j)
{
	u32 target = jit_target(j, j->pc);

	value_flush(j, j->live[target]);
	if (j->fact && j->fact[j->pc].flags & EXT_FACT_CHECKPOINT) {
		spend(j, j->pc);
		jump_to(j, 0x70 | CC_NS, 0x180 | CC_NS, target);
		stop_if(j, 0xe9);
	} else if (target != j->pc + 1) {
		jump_to(j, 0xeb, 0xe9, target);
	}
}

/* Nothing comes here from the instruction before. */
static void forget(struct jit *j)
{
	for (u32 r = 0; r < EXT_REGS; r++)
		j->value[r].kind = PLACE;
}

u32 jit_flow(struct jit *j, const struct ext_insn *i)
{
	if (i->code == (EXT_JMP | EXT_EXIT)) {
		leave(j);
		forget(j);
	} else if (i->code == (EXT_JMP | EXT_CALL)) {
		call(j, i);
	} else if (i->code == (EXT_JMP | EXT_JA) || i->code == (EXT_JMP32 | EXT_JA)) {
		jump(j);
		forget(j);
	} else if (jit_is_conditional(i)) {
		return conditional(j, i);
	} else {
		jit_refuse(j, EXT_WHY_CODE, "no such instruction");
	}
	return 1;
}
