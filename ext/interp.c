/* SPDX-License-Identifier: MIT
 * The interpreter: the reference that compiled code is compared with. Clear before fast. Calls keep an explicit stack of
 * frames, so that the interpreter's own does not grow.
 * Without `check` it trusts the verifier as compiled code does; a program that was not verified needs `check`.
 * Source: RFC 9669. */
#include <alu.h>
#include <checked.h>
#include <ext.h>
#include <map.h>
#include "mem.h"

struct frame {
	u64 saved[4]; /* r6..r9 of the caller */
	u32 back;     /* the caller's next instruction */
	u32 regs;     /* check: its registers that were written */
};

struct machine {
	const struct ext_program *p;
	const struct ext_verdict *v;
	struct ext_run *run;
	struct ext_check *check;
	u8 *data;
	u64 reg[EXT_REGS];
	u32 pc;
	u32 depth;
	struct frame frame[EXT_FRAMES];
	u8 stack[EXT_FRAMES][EXT_FRAME_BYTES] __attribute__((aligned(16)));
};

/* --- checks: each returns 0, or records the violation and returns -1 */
static int bad(struct machine *m, enum ext_why why, const char *text)
{
	if (m->check) {
		m->check->why = why;
		m->check->insn = m->pc;
		m->check->text = text;
	}
	return -1;
}

static int spend(struct machine *m, u64 cost)
{
	struct ext_check *c = m->check;

	if (!c)
		return 0;
	c->executed += cost;
	if (c->most && c->executed > c->most)
		return bad(m, EXT_WHY_LENGTH, "runs longer than was proved");
	return 0;
}

static int reads(struct machine *m, u32 reg)
{
	if (m->check && !(m->check->regs >> reg & 1))
		return bad(m, EXT_WHY_UNSET, "reads a register that was not written");
	return 0;
}

static void writes(struct machine *m, u32 reg, u64 value)
{
	m->reg[reg] = value;
	if (m->check)
		m->check->regs |= 1u << reg;
}

static int on_stack(struct machine *m, u64 at, u64 bytes, int is_write, int *found)
{
	u64 from = at - (u64)m->stack;
	u32 frame = (u32)(from / EXT_FRAME_BYTES), byte = from % EXT_FRAME_BYTES;

	if (from >= (u64)(m->depth + 1) * EXT_FRAME_BYTES)
		return 0;
	*found = 1;
	if (bytes > EXT_FRAME_BYTES - byte)
		return bad(m, EXT_WHY_BOUNDS, "reaches from one frame into the next");
	for (u64 i = byte; i < byte + bytes; i++) {
		u8 *written = &m->check->written[frame][i / 8];
		u8 bit = (u8)(1u << i % 8);

		if (is_write)
			*written |= bit;
		else if (!(*written & bit))
			return bad(m, EXT_WHY_UNSET,
				   "reads bytes of the stack that were not written");
	}
	return 0;
}

static int in_region(struct machine *m, u64 at, u64 bytes, int is_write, int *found)
{
	for (u32 i = 0; i < m->p->regions; i++) {
		const struct ext_region *r = &m->p->region[i];
		u64 from = at - (u64)m->data - r->offset;

		if (from >= r->bytes)
			continue;
		*found = 1;
		if (bytes > r->bytes - from)
			return bad(m, EXT_WHY_BOUNDS, "reaches past the end of a region");
		if (r->kind >= EXT_ARRAY && !ext_map_holds(ext_map_of(m->data, i), from, bytes))
			return bad(m, EXT_WHY_BOUNDS, "an access in a map, outside its values");
		if (is_write && r->kind == EXT_RODATA)
			return bad(m, EXT_WHY_READONLY, "writes read-only data");
		return 0;
	}
	return 0;
}

static int in_memory(struct machine *m, u64 at, u64 bytes, int is_write, int *found)
{
	struct ext_check *c = m->check;

	for (u32 i = 0; i < c->memories; i++) {
		u64 from = at - c->memory[i].at;

		if (from >= c->memory[i].bytes || bytes > c->memory[i].bytes - from)
			continue;
		*found = 1;
		if (is_write && !c->memory[i].writable)
			return bad(m, EXT_WHY_READONLY, "writes memory that is only readable");
		return 0;
	}
	return 0;
}

static int access(struct machine *m, u64 at, u64 bytes, int is_write)
{
	int found = 0;

	if (!m->check)
		return 0;
	m->check->at = at;
	m->check->bytes = bytes;
	if (on_stack(m, at, bytes, is_write, &found) ||
	    (!found && in_region(m, at, bytes, is_write, &found)) ||
	    (!found && in_memory(m, at, bytes, is_write, &found)))
		return -1;
	return found ? 0 : bad(m, EXT_WHY_BOUNDS, "an access outside what the program was given");
}

int ext_check_allow(struct ext_check *c, u64 at, u64 bytes, int writable)
{
	if (c->memories == EXT_CHECK_MEMORIES)
		return -1;
	c->memory[c->memories++] = (struct ext_check_memory){at, bytes, (u64)writable};
	return 0;
}

void ext_check_forbid(struct ext_check *c, u64 at)
{
	for (u32 i = 0; i < c->memories; i++)
		if (c->memory[i].at == at) {
			c->memory[i] = c->memory[--c->memories];
			return;
		}
}

/* --- memory */
static u64 load(u64 at, u32 bytes)
{
	u64 value = 0;

	memcpy(&value, (const void *)at, bytes);
	return value;
}

static void store(u64 at, u64 value, u32 bytes)
{
	memcpy((void *)at, &value, bytes);
}

static u64 sign_extended(u64 value, u32 bytes)
{
	u32 shift = 64 - 8 * bytes;

	return (u64)((s64)(value << shift) >> shift);
}

/* One atomic operation on *at; the value from before. op: the imm without FETCH. */
#define ATOMIC(type)                                                                          \
	static u64 atomic_##type(type *at, s32 imm, u64 src, u64 expected, int *known)        \
	{                                                                                     \
		type old = (type)expected;                                                    \
                                                                                              \
		switch (imm) {                                                                \
		case EXT_XCHG:                                                                \
			return __atomic_exchange_n(at, (type)src, __ATOMIC_SEQ_CST);          \
		case EXT_CMPXCHG:                                                             \
			__atomic_compare_exchange_n(at, &old, (type)src, 0, __ATOMIC_SEQ_CST, \
						    __ATOMIC_SEQ_CST);                        \
			return old;                                                           \
		}                                                                             \
		switch (imm & ~EXT_FETCH) {                                                   \
		case EXT_ADD:                                                                 \
			return __atomic_fetch_add(at, (type)src, __ATOMIC_SEQ_CST);           \
		case EXT_OR:                                                                  \
			return __atomic_fetch_or(at, (type)src, __ATOMIC_SEQ_CST);            \
		case EXT_AND:                                                                 \
			return __atomic_fetch_and(at, (type)src, __ATOMIC_SEQ_CST);           \
		case EXT_XOR:                                                                 \
			return __atomic_fetch_xor(at, (type)src, __ATOMIC_SEQ_CST);           \
		}                                                                             \
		*known = 0;                                                                   \
		return 0;                                                                     \
	}
ATOMIC(u32)
ATOMIC(u64)

static int do_atomic(struct machine *m, const struct ext_insn *i, u64 at)
{
	u32 bytes = ext_bytes(i->code), src = ext_src(i);
	int known = bytes >= 4;
	u64 old = 0;

	if (reads(m, src) || (i->imm == EXT_CMPXCHG && reads(m, 0)))
		return -1;
	if (m->check && at % bytes)
		return bad(m, EXT_WHY_ALIGN, "an atomic operation that is not aligned");
	if (access(m, at, bytes, 0) || access(m, at, bytes, 1))
		return -1;
	if (bytes == 8)
		old = atomic_u64((u64 *)at, i->imm, m->reg[src], m->reg[0], &known);
	else if (bytes == 4)
		old = atomic_u32((u32 *)at, i->imm, m->reg[src], m->reg[0], &known);
	if (!known)
		return bad(m, EXT_WHY_CODE, "no such atomic operation");
	if (i->imm == EXT_CMPXCHG)
		writes(m, 0, old);
	else if (i->imm & EXT_FETCH)
		writes(m, src, old);
	return 0;
}

static int do_memory(struct machine *m, const struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code), mode = EXT_MODE(i->code), bytes = ext_bytes(i->code);
	u32 base = class == EXT_LDX ? ext_src(i) : ext_dst(i);
	u64 at = m->reg[base] + (u64)(s64)i->off;

	if (reads(m, base))
		return -1;
	if (class == EXT_LDX && (mode == EXT_MEM || (mode == EXT_MEMSX && bytes < 8))) {
		if (access(m, at, bytes, 0))
			return -1;
		u64 value = load(at, bytes);
		writes(m, ext_dst(i), mode == EXT_MEMSX ? sign_extended(value, bytes) : value);
		return 0;
	}
	if (class == EXT_STX && mode == EXT_ATOMIC)
		return do_atomic(m, i, at);
	if (class == EXT_LDX || mode != EXT_MEM)
		return bad(m, EXT_WHY_CODE, "no such instruction");
	if ((class == EXT_STX && reads(m, ext_src(i))) || access(m, at, bytes, 1))
		return -1;
	store(at, class == EXT_STX ? m->reg[ext_src(i)] : (u64)(s64)i->imm, bytes);
	return 0;
}

/* --- calls */
static int do_import(struct machine *m, const struct ext_insn *i)
{
	typedef u64 (*function)(u64, u64, u64, u64, u64, struct ext_run *);
	const struct ext_contract *k;

	if ((u32)i->imm >= m->p->imports)
		return bad(m, EXT_WHY_CALL, "calls a function that it does not import");
	k = m->p->import[i->imm].contract;
	/* the call itself counts as its function's cost */
	if (spend(m, k && k->cost > 1 ? k->cost - 1u : 0))
		return -1;
	for (u32 n = 0; k && n < k->args; n++)
		if (reads(m, 1 + n))
			return -1;
	function f = (function)m->run->function[m->p->import[i->imm].slot];
	u64 result = f(m->reg[1], m->reg[2], m->reg[3], m->reg[4], m->reg[5], m->run);

	if (m->check)
		m->check->regs &= ~0x3fu;
	if (!k || k->ret != EXT_RET_VOID)
		writes(m, 0, result);
	return 0;
}

static int do_call(struct machine *m, const struct ext_insn *i)
{
	struct frame *f = &m->frame[m->depth];
	s64 to = (s64)m->pc + 1 + i->imm;

	if (m->depth + 1 == EXT_FRAMES)
		return bad(m, EXT_WHY_STACK, "calls nested too deep");
	if (to < 0 || to >= m->p->insns)
		return bad(m, EXT_WHY_FLOW, "calls out of the program");
	memcpy(f->saved, &m->reg[6], sizeof(f->saved));
	f->back = m->pc + 1;
	m->depth++;
	m->reg[10] = (u64)m->stack[m->depth] + EXT_FRAME_BYTES;
	if (m->check) {
		f->regs = m->check->regs;
		memset(m->check->written[m->depth], 0, sizeof(m->check->written[0]));
		m->check->regs &= 0x43e; /* r1..r5 and r10: the callee's others are its own */
	}
	m->pc = (u32)to;
	return 0;
}

/* Returns 1 when the entry itself returned. */
static int do_exit(struct machine *m)
{
	/* a function that returns nothing need not have written r0: reading it is up to who called */
	if (!m->depth)
		return 1;
	m->depth--;
	memcpy(&m->reg[6], m->frame[m->depth].saved, sizeof(m->frame[0].saved));
	m->reg[10] = (u64)m->stack[m->depth] + EXT_FRAME_BYTES;
	if (m->check)
		m->check->regs = (m->frame[m->depth].regs & 0x7c0) |
				 (m->check->regs & 1); /* its r6..r10, and r0 */
	m->pc = m->frame[m->depth].back;
	return 0;
}

/* --- one instruction: 0, 1 at the program's end, -1 at a violation */
static int do_jump(struct machine *m, const struct ext_insn *i)
{
	u32 op = EXT_OP(i->code), is_x = i->code & EXT_X;
	int known = 1, taken;
	s64 distance = i->off;

	if (op == EXT_JA) {
		taken = 1;
		if (EXT_CLASS(i->code) == EXT_JMP32)
			distance = i->imm;
	} else {
		if (reads(m, ext_dst(i)) || (is_x && reads(m, ext_src(i))))
			return -1;
		taken = ext_condition(i->code, m->reg[ext_dst(i)],
				      is_x ? m->reg[ext_src(i)] : (u64)(s64)i->imm, &known);
	}
	if (!known)
		return bad(m, EXT_WHY_CODE, "no such instruction");
	m->pc = (u32)((s64)m->pc + 1 + (taken ? distance : 0));
	return 0;
}

static int do_alu(struct machine *m, const struct ext_insn *i)
{
	u32 dst = ext_dst(i), op = EXT_OP(i->code), is_x = i->code & EXT_X;
	int known = 1;
	u64 operand =
		is_x && op != EXT_END && op != EXT_NEG ? m->reg[ext_src(i)] : (u64)(s64)i->imm;

	if ((op != EXT_MOV && reads(m, dst)) ||
	    (is_x && op != EXT_END && op != EXT_NEG && reads(m, ext_src(i))))
		return -1;
	if (dst == 10)
		return bad(m, EXT_WHY_CODE, "writes R10");
	u64 result = ext_alu(i->code, i->off, m->reg[dst], operand, &known);
	if (!known)
		return bad(m, EXT_WHY_CODE, "no such instruction");
	writes(m, dst, result);
	return 0;
}

static int do_lddw(struct machine *m, const struct ext_insn *i)
{
	u64 low = (u32)i[0].imm, value;

	if (i->code != EXT_LDDW || m->pc + 1 >= m->p->insns)
		return bad(m, EXT_WHY_CODE, "no such instruction");
	u64 high = (u32)i[1].imm;

	if (ext_src(i) == 0)
		value = low | high << 32;
	else if (low >= m->p->regions)
		return bad(m, EXT_WHY_CODE, "no such region");
	else if (ext_src(i) == EXT_LD_REGION)
		value = (u64)m->data + m->p->region[low].offset + (u64)(s64)i[1].imm;
	else
		value = (u64)m->data + ext_map_at((u32)low);
	writes(m, ext_dst(i), value);
	m->pc += 2;
	return 0;
}

static int step(struct machine *m)
{
	const struct ext_insn *i = &m->p->insn[m->pc];
	int error;

	switch (EXT_CLASS(i->code)) {
	case EXT_JMP:
	case EXT_JMP32:
		if (i->code == (EXT_JMP | EXT_EXIT))
			return do_exit(m);
		if (i->code != (EXT_JMP | EXT_CALL))
			return do_jump(m, i);
		if (ext_src(i) == EXT_CALL_LOCAL)
			return do_call(m, i);
		error = do_import(m, i);
		break;
	case EXT_ALU:
	case EXT_ALU64:
		error = do_alu(m, i);
		break;
	case EXT_LD:
		return do_lddw(m, i);
	default:
		error = do_memory(m, i);
	}
	m->pc++;
	return error;
}

/* What comes before every instruction. */
static int before(struct machine *m)
{
	const struct ext_fact *f = m->v ? &m->v->fact[m->pc] : 0;

	if (f && f->flags & EXT_FACT_CHECKPOINT) {
		m->run->budget -= f->cost;
		if (m->run->budget < 0) {
			m->run->stopped = 1;
			return 1;
		}
	}
	if (!m->check)
		return 0;
	if (f && !(f->flags & EXT_FACT_LIVE))
		return bad(m, EXT_WHY_FLOW, "an instruction that nothing was proved to reach");
	if (m->check->step) {
		const char *why =
			m->check->step(m->check->context, m->pc, m->reg, m->check->regs, m->depth);

		if (why)
			return bad(m, EXT_WHY_TYPE, why);
	}
	return spend(m, 1);
}

u64 ext_interpret(const struct ext_program *p, const struct ext_verdict *v, u8 *data,
		  const u64 arg[5], struct ext_run *run, struct ext_check *check)
{
	struct machine m;

	m.p = p;
	m.v = v;
	m.run = run;
	m.check = check;
	m.data = data;
	m.pc = m.depth = 0;
	memset(m.reg, 0, sizeof(m.reg));
	memcpy(&m.reg[1], arg, 5 * sizeof(u64));
	m.reg[10] = (u64)m.stack[0] + EXT_FRAME_BYTES;
	run->stopped = 0;
	if (check) {
		check->executed = 0;
		check->why = EXT_OK;
		check->regs |= 0x400;
		memset(check->written, 0, sizeof(check->written));
	}
	for (;;) {
		int end;

		if (m.pc >= p->insns) {
			bad(&m, EXT_WHY_FLOW, "runs out of the program");
			return 0;
		}
		end = before(&m);
		if (!end)
			end = step(&m);
		else
			return 0;
		if (end)
			return end > 0 ? m.reg[0] : 0;
	}
}
