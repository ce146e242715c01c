/* SPDX-License-Identifier: MIT
 * The compiler for x86-64.
 *
 * Registers: r0 RAX, r1..r5 RDI RSI R9 R10 R8, r6..r9 RBX R13 R14 R15, r10 RBP; R12 the run; RCX, RDX and R11 free inside
 * one instruction: x86 wants RCX for shifts, RDX for divisions. All but r3 and r4 lie where the System V convention has
 * arguments. Baseline x86-64: no instruction needs a newer CPU.
 *
 * One walk over the instructions emits code; copies, sums and constants wait as descriptions inside a basic block
 * (jit_value.c). The walk is repeated with what the last one found out of distances until no further jump becomes short:
 * jumps only shrink, so distances do, and a jump once found short stays right. A walk depends on the last one in
 * nothing else, so the last but one and the last place every instruction alike.
 *
 * 1. Nothing is written at or behind out + room: the walk counts on, and the size is compared at the end.
 * 2. What the verifier proved dead becomes a trap, and so does a function's end that does not return.
 * 3. Barriers: behind a branch that a later access relies on, an LFENCE comes before any instruction of that side
 *    (EXT_FACT_BARRIER_*). On the taken side it stands at the target, where others may pass it, too; in front of a loop's
 *    head, on a stub of its own. On any other instruction BARRIER_NEXT asks for one behind it, BARRIER_LOAD
 *    for one before it.
 * 4. A checkpoint stands before its instruction; or before the arithmetic in front of it, whose flags it would spoil. */
#include <jit.h>
#include "mem.h"
#include <refusal.h>

#define INSNS_MOST (1u << 20)
#define CODE_MOST (1ull << 30)
#define INSN_BYTES 128u /* most code of one instruction, with all that comes before it */
#define FUNCTION_BYTES 96u
#define PASSES 8u

int jit_refuse(struct jit *j, enum ext_why why, const char *text)
{
	if (j->error)
		return j->error;
	ext_refuse(j->why, why, 0, "%s", text);
	if (j->why)
		j->why->insn = j->pc;
	j->error = (int)why;
	return j->error;
}

/* --- what must hold for the compiler's own sake, of programs that were not verified, too */
static int decode_registers(const struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code);
	int writes = class == EXT_LD || class == EXT_LDX || class == EXT_ALU || class == EXT_ALU64;

	return ext_dst(i) < EXT_REGS - (u32)writes && ext_src(i) < EXT_REGS;
}

/* The function that begins there; functions: none. They ascend. */
static u32 function_at(const struct ext_program *p, u32 at)
{
	u32 low = 0, high = p->functions;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (p->function[middle].first < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->functions && p->function[low].first == at ? low : p->functions;
}

static int decode_insn(struct jit *j, u32 pc, u32 first, u32 end)
{
	const struct ext_insn *i = &j->p->insn[pc];

	j->pc = pc;
	if (!decode_registers(i))
		return jit_refuse(j, EXT_WHY_CODE, "no such register");
	if (jit_is_jump(i)) {
		u32 target = jit_target(j, pc);

		if (target < first || target >= end)
			return jit_refuse(j, EXT_WHY_FLOW, "a jump out of the function");
		j->mark[target] |= MARK_TARGET | (target <= pc ? MARK_BACK : 0);
	}
	if (i->code == (EXT_JMP | EXT_CALL)) {
		if (ext_src(i) > EXT_CALL_LOCAL)
			return jit_refuse(j, EXT_WHY_CODE, "no such call");
		if (ext_src(i) == EXT_CALL_LOCAL &&
		    function_at(j->p, jit_target(j, pc)) == j->p->functions)
			return jit_refuse(j, EXT_WHY_FLOW,
					  "a call that goes to no function's begin");
	}
	if (i->code == EXT_LDDW && pc + 1 >= end)
		return jit_refuse(j, EXT_WHY_CODE, "no such instruction");
	return EXT_OK;
}

static int decode(struct jit *j)
{
	u32 next = 0;

	for (u32 f = 0; f < j->p->functions; f++) {
		const struct ext_function *g = &j->p->function[f];
		u32 end = g->first + g->count;

		if (g->first != next || !g->count || end < next || end > j->p->insns)
			return jit_refuse(j, EXT_WHY_FLOW,
					  "functions that do not follow one another");
		for (u32 pc = next; pc < end; pc += j->p->insn[pc].code == EXT_LDDW ? 2 : 1)
			if (decode_insn(j, pc, next, end) != EXT_OK)
				return j->error;
		j->mark[g->first] |= MARK_TARGET;
		next = end;
	}
	if (next != j->p->insns || !next)
		return jit_refuse(j, EXT_WHY_FLOW, "instructions that are in no function");
	return EXT_OK;
}

/* --- functions: what they save, their frames */
static void function_frame(const struct jit *j, const struct ext_verdict *v, struct jit_function *f,
			   const struct ext_function *g)
{
	u32 bytes = 0, all = EXT_FRAME_BYTES;

	if (v && j->p->functions == 1 && v->stack < all)
		all = v->stack;
	for (u32 pc = g->first; pc < g->first + g->count; pc++) {
		const struct ext_insn *i = &j->p->insn[pc];
		u32 class = EXT_CLASS(i->code);
		u32 base = class == EXT_LDX ? ext_src(i) : ext_dst(i), least;

		if (i->code == EXT_LDDW)
			pc++;
		if (i->code == EXT_LDDW || !(live_reads(j, i) >> 10 & 1))
			continue;
		least = all; /* its address goes anywhere */
		if ((class == EXT_LDX || class == EXT_ST ||
		     (class == EXT_STX && ext_src(i) != 10)) &&
		    base == 10)
			least = i->off < 0 ? (u32)-i->off : 0;
		f->has_frame = 1;
		bytes = least > bytes ? least : bytes;
	}
	f->frame = (bytes + 7) / 8 * 8;
}

static void function_describe(struct jit *j, const struct ext_verdict *v, u32 n)
{
	struct jit_function *f = &j->function[n];
	const struct ext_function *g = &j->p->function[n];
	u32 pushes = 0, defined = 0;

	for (u32 pc = g->first; pc < g->first + g->count; pc++) {
		const struct ext_insn *i = &j->p->insn[pc];

		defined |= live_defined(i);
		f->calls |= i->code == (EXT_JMP | EXT_CALL);
		if (i->code == EXT_LDDW)
			pc++;
	}
	for (u32 r = 6; r <= 9; r++)
		if (defined >> r & 1)
			f->saved |= 1u << machine(r);
	function_frame(j, v, f, g);
	if (n == 0 && j->needs_run)
		f->saved |= 1u << R12;
	if (n == 0 && j->stops && j->p->functions > 1) { /* whatever the others may have changed */
		f->saved |= 1u << RBX | 1u << R13 | 1u << R14 | 1u << R15;
		f->has_frame = 1;
	}
	for (u32 r = 0; r < 16; r++)
		pushes += f->saved >> r & 1;
	f->bytes = 8 + 8 * pushes + 8 * f->has_frame + f->frame;
	if (f->calls && f->bytes % 16) {
		f->frame += 8;
		f->bytes += 8;
	}
}

/* Most bytes of the stack from the entry on. */
static u32 stack_bytes(struct jit *j)
{
	u32 *most = j->old_place; /* of each function with all that it calls; not in use any more */
	u32 n = j->p->functions;

	for (u32 f = 0; f < n; f++)
		most[f] = j->function[f].bytes + 8; /* an imported function's return address */
	for (u32 round = 0; round < EXT_FRAMES; round++)
		for (u32 f = 0; f < n; f++)
			for (u32 pc = j->p->function[f].first, k = j->p->function[f].count; k;
			     k--, pc++) {
				const struct ext_insn *i = &j->p->insn[pc];
				u32 callee, sum;

				if (i->code != (EXT_JMP | EXT_CALL) || ext_src(i) != EXT_CALL_LOCAL)
					continue;
				callee = function_at(j->p, jit_target(j, pc));
				sum = j->function[f].bytes + most[callee];
				most[f] = sum > most[f] ? sum : most[f];
			}
	return most[0];
}

/* --- facts that concern the whole */
static void barrier_at(struct jit *j, u32 from, u32 target)
{
	if (target <= from || !(j->mark[target] & MARK_BACK))
		j->mark[target] |= MARK_BARRIER;
}

static void survey(struct jit *j)
{
	for (u32 pc = 0; pc < j->p->insns; pc += j->p->insn[pc].code == EXT_LDDW ? 2 : 1) {
		const struct ext_insn *i = &j->p->insn[pc];
		u32 flags = j->fact ? j->fact[pc].flags : 0;

		if (flags & EXT_FACT_CHECKPOINT)
			j->stops = j->needs_run = 1;
		if (i->code == (EXT_JMP | EXT_CALL) && ext_src(i) == EXT_CALL_IMPORT)
			j->needs_run = 1;
		if (!jit_is_conditional(i))
			continue;
		if (flags & EXT_FACT_BARRIER_TAKEN)
			barrier_at(j, pc, jit_target(j, pc));
		if (flags & EXT_FACT_BARRIER_NEXT && jit_jumps_over(j, pc))
			barrier_at(j, pc, jit_target(j, pc + 1)); /* it may become one jump */
	}
}

/* --- one walk */
static void trap(struct jit *j)
{
	emit_byte(j, 0x0f);
	emit_byte(j, 0x0b);
}

static u32 insn_emit(struct jit *j, u32 pc)
{
	const struct ext_insn *i = &j->p->insn[pc];
	u32 flags = j->fact ? j->fact[pc].flags : EXT_FACT_LIVE, class = EXT_CLASS(i->code), used;

	if (!(flags & EXT_FACT_LIVE)) {
		if (!pc || j->fact[pc - 1].flags & EXT_FACT_LIVE || j->mark[pc] & MARK_TARGET)
			trap(j);
		return i->code == EXT_LDDW ? 2 : 1;
	}
	if (flags & EXT_FACT_CHECKPOINT && j->checked != pc + 1 &&
	    (!jit_is_jump(i) || jit_is_conditional(i))) /* a jump sees to its own */
		jit_checkpoint(j, pc);
	if ((class == EXT_ALU || class == EXT_ALU64) && j->fact && pc + 1 < j->p->insns &&
	    j->fact[pc + 1].flags & EXT_FACT_CHECKPOINT && !(j->mark[pc + 1] & MARK_TARGET) &&
	    jit_is_conditional(i + 1))
		jit_checkpoint(j, pc + 1);
	j->in = j->live[pc];
	j->next = j->live[pc + (i->code == EXT_LDDW ? 2 : 1)];
	if (jit_is_jump(i))
		j->next |= j->live[jit_target(j, pc)];
	j->zero_high = j->narrow[pc];
	for (u32 r = 0; r < EXT_REGS; r++)
		if (!(j->in >> r & 1))
			j->value[r].kind = PLACE; /* dead */
	if (flags & EXT_FACT_BARRIER_LOAD)
		emit_lfence(j);
	if (class == EXT_ALU || class == EXT_ALU64)
		used = jit_alu(j, i);
	else if (class == EXT_JMP || class == EXT_JMP32)
		used = jit_flow(j, i);
	else
		used = jit_memory(j, i);
	if (flags & EXT_FACT_BARRIER_NEXT && !(used == 2 && jit_is_conditional(i)))
		emit_lfence(j);
	return used;
}

static void walk(struct jit *j)
{
	u32 function = 0, used;

	j->at = 0;
	j->checked = j->byte_at = 0;
	for (u32 pc = 0; pc < j->p->insns && !j->error; pc += used) {
		const struct ext_function *g = &j->p->function[function];

		j->pc = pc;
		if (j->mark[pc] & MARK_TARGET) {
			/* the only way in that is not a jump comes with everything in its place */
			j->in = j->next = j->live[pc];
			if (pc > g->first)
				value_flush(j, j->live[pc]);
			for (u32 r = 0; r < EXT_REGS; r++)
				j->value[r].kind = PLACE;
			j->flags_at = ~0ull;
		}
		j->place[pc] = (u32)j->at;
		if (pc == g->first) {
			j->f = &j->function[function];
			jit_prologue(j, function);
		}
		if (j->mark[pc] & MARK_BARRIER)
			emit_lfence(j);
		used = insn_emit(j, pc);
		if (pc + used >= g->first + g->count) {
			trap(j);
			function++;
		}
	}
	jit_stop(j);
}

/* Marks jumps that the last walk's distances make short; how many. */
static u32 shorten(struct jit *j)
{
	u32 changed = 0;

	for (u32 pc = 0; pc < j->p->insns; pc += j->p->insn[pc].code == EXT_LDDW ? 2 : 1) {
		s32 distance;

		if (!jit_is_jump(&j->p->insn[pc]) || j->mark[pc] & MARK_SHORT)
			continue;
		distance = (s32)(j->old_place[jit_target(j, pc)] - j->old_jump[pc]);
		if (distance != (s8)distance)
			continue;
		j->mark[pc] |= MARK_SHORT;
		changed++;
	}
	return changed;
}

static void turn(struct jit *j)
{
	u32 *place = j->place, *jump = j->jump;

	j->place = j->old_place;
	j->old_place = place;
	j->jump = j->old_jump;
	j->old_jump = jump;
	j->old_stop = j->stop;
}

static void walks(struct jit *j)
{
	u32 pass = 0;

	do {
		walk(j);
		turn(j);
	} while (!j->error && ++pass < PASSES && shorten(j));
	for (u32 i = 0; i < 2 && !j->error;
	     i++) { /* places as they are now; then with right distances */
		walk(j);
		turn(j);
	}
}

/* What `keeps` says of; an imported function may change all. */
#define KEPT (1u << RDI | 1u << RSI | 1u << R9)

/* --- */
static int prepare(struct jit *j, struct ext_arena *a)
{
	u32 n = j->p->insns + 2;

	j->place = ext_alloc(a, 4ull * n);
	j->old_place = ext_alloc(a, 4ull * n);
	j->jump = ext_alloc(a, 4ull * n);
	j->old_jump = ext_alloc(a, 4ull * n);
	j->live = ext_alloc(a, 2ull * n);
	j->narrow = ext_alloc(a, 2ull * n);
	j->bytes = ext_alloc(a, 2ull * n);
	j->mark = ext_alloc(a, n);
	j->function = ext_alloc(a, sizeof(*j->function) * j->p->functions);
	return j->place && j->old_place && j->jump && j->old_jump && j->live && j->narrow &&
	       j->bytes && j->mark && j->function;
}

u64 ext_compile_room(const struct ext_program *p)
{
	return (u64)p->insns * INSN_BYTES + (u64)p->functions * FUNCTION_BYTES + FUNCTION_BYTES;
}

int ext_compile(struct ext_arena *a, const struct ext_program *p, const struct ext_verdict *v,
		enum ext_class class, u8 *out, u64 room, u64 data_at, struct ext_code *code,
		struct ext_refusal *why)
{
	struct jit j;

	memset(&j, 0, sizeof(j));
	j.p = p;
	j.fact = v ? v->fact : 0;
	j.out = out;
	j.room = room;
	j.data_at = data_at;
	j.why = why;
	(void)class;
	if (p->insns > INSNS_MOST || p->functions > p->insns)
		return jit_refuse(&j, EXT_WHY_LENGTH, "too many instructions");
	if (data_at > CODE_MOST || p->data_bytes > CODE_MOST)
		return jit_refuse(&j, EXT_WHY_LENGTH, "too much data");
	if (!prepare(&j, a))
		return jit_refuse(&j, EXT_WHY_MEMORY, "no memory for the compiler");
	if (decode(&j) != EXT_OK)
		return j.error;
	survey(&j);
	live_analyse(&j);
	for (u32 f = 0; f < p->functions; f++)
		function_describe(&j, v, f);
	walks(&j);
	if (j.error)
		return j.error;
	if (j.at > room || j.at > data_at)
		return jit_refuse(&j, EXT_WHY_MEMORY, "no room for the code");
	*code = (struct ext_code){
		out, j.at, data_at, 0, stack_bytes(&j), !j.needs_run && !(j.touched & KEPT)};
	return EXT_OK;
}
