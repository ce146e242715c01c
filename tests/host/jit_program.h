/* SPDX-License-Identifier: MIT
 * Random programs for jit_test.c, with what a verifier might have found out of them: generate() makes one in `program`. */
#ifndef JIT_PROGRAM_H
#define JIT_PROGRAM_H

#include "../edges.h"
#include "test.h"

#include <ext.h>
#include <map.h>

#define MOST 4000u
#define BYTES 1024u /* of the data region */
#define STACK 64u   /* of the frame, written at the beginning */
#define CODE (1u << 20)

static struct ext_insn insn[MOST];
static u32 used;
static struct ext_fact fact[MOST];
static struct ext_function function[4];
static struct ext_region region;
static struct ext_import import;
static struct ext_contract contract;
static struct ext_program program;
static u8 arena_bytes[1 << 20];
static u8 *code; /* CODE bytes, then the image's data */

static void put(u32 op, u32 dst, u32 src, s32 off, s32 imm)
{
	insn[used++] = (struct ext_insn){(u8)op, (u8)(dst | src << 4), (s16)off, imm};
}

static u64 interesting(void)
{
	return test_below(3) ? edges[test_below(sizeof(edges) / 8)]
			     : test_random() >> test_below(64);
}

static void put_wide(u32 dst, u64 value)
{
	put(EXT_LDDW, dst, 0, 0, (s32)value);
	put(0, 0, 0, 0, (s32)(value >> 32));
}

/* --- gadgets; r9 is the memory, r8 counts a loop while `kept` has it */
static u32 kept;

static u32 any_dst(void)
{
	for (;;) {
		u32 r = test_below(9);

		if (!(kept >> r & 1))
			return r;
	}
}

static u32 any(void)
{
	return test_below(9);
}

static void arithmetic(void)
{
	static const u8 ops[] = {EXT_ADD, EXT_ADD, EXT_ADD, EXT_SUB, EXT_MUL, EXT_DIV, EXT_OR,
				 EXT_AND, EXT_AND, EXT_LSH, EXT_LSH, EXT_RSH, EXT_NEG, EXT_MOD,
				 EXT_XOR, EXT_MOV, EXT_MOV, EXT_MOV, EXT_MOV, EXT_ARSH};
	u32 op = ops[test_below(sizeof(ops))], class = test_below(2) ? EXT_ALU64 : EXT_ALU, off = 0,
	    src = 0;
	s32 imm = 0;
	u32 x = op != EXT_NEG && test_below(2) ? EXT_X : 0;

	if (op == EXT_DIV || op == EXT_MOD)
		off = test_below(2);
	if (op == EXT_MOV && x && !test_below(4))
		off = 8u << test_below(class == EXT_ALU64 ? 3 : 2);
	if (x)
		src = any();
	else if (op == EXT_LSH || op == EXT_RSH || op == EXT_ARSH)
		imm = (s32)test_below(test_below(2) ? 4 : class == EXT_ALU64 ? 64 : 32);
	else if (op != EXT_NEG)
		imm = (s32)interesting();
	put(class | op | x, any_dst(), src, (s32)off, imm);
}

static void byte_order(void)
{
	static const s32 bits[] = {16, 32, 64};

	put((test_below(2) ? EXT_ALU : EXT_ALU64) | EXT_END, any_dst(), 0, 0, bits[test_below(3)]);
	if (EXT_CLASS(insn[used - 1].code) == EXT_ALU && test_below(2))
		insn[used - 1].code |= EXT_X;
}

static void halves(void)
{
	u32 dst = any_dst(), count = 32 + 8 * test_below(4);

	put(EXT_ALU64 | EXT_LSH, dst, 0, 0, (s32)count);
	put(EXT_ALU64 | (test_below(2) ? EXT_RSH : EXT_ARSH), dst, 0, 0, (s32)count);
}

static void atomic(u32 base, u32 off)
{
	static const s32 ops[] = {EXT_ADD,
				  EXT_OR,
				  EXT_AND,
				  EXT_XOR,
				  EXT_ADD | EXT_FETCH,
				  EXT_OR | EXT_FETCH,
				  EXT_AND | EXT_FETCH,
				  EXT_XOR | EXT_FETCH,
				  EXT_XCHG,
				  EXT_CMPXCHG};
	s32 op = ops[test_below(10)];
	u32 src = any();

	if (op & EXT_FETCH && op != EXT_CMPXCHG)
		src = any_dst();
	if (op == EXT_CMPXCHG && kept & 1)
		return;
	if (op == EXT_CMPXCHG && test_below(2)) /* so that it is often equal */
		put(EXT_LDX | EXT_MEM | EXT_DW, 0, base, (s32)off, 0);
	put(EXT_STX | EXT_ATOMIC | (test_below(2) ? EXT_W : EXT_DW), base, src, (s32)off, op);
}

static void touch(u32 base, u32 off)
{
	static const u8 sizes[] = {EXT_B, EXT_H, EXT_W, EXT_DW};
	u32 size = sizes[test_below(4)];

	switch (test_below(6)) {
	case 0:
		put(EXT_ST | EXT_MEM | size, base, 0, (s32)off, (s32)interesting());
		break;
	case 1:
	case 2:
		put(EXT_STX | EXT_MEM | size, base, any(), (s32)off, 0);
		break;
	case 3:
		if (size != EXT_DW) {
			put(EXT_LDX | EXT_MEMSX | size, any_dst(), base, (s32)off, 0);
			break;
		} /* fall through */
	default:
		put(EXT_LDX | EXT_MEM | size, any_dst(), base, (s32)off, 0);
	}
}

/* base + (index masked, shifted) + constant, in one of the ways compilers write it */
static void indexed(void)
{
	u32 index = any_dst(), base = any_dst(), shift = test_below(5),
	    wide = test_below(2) ? EXT_ALU64 : EXT_ALU;

	if (base == index)
		return;
	put(wide | EXT_MOV | EXT_X, index, any(), 0, 0);
	put(EXT_ALU64 | EXT_AND, index, 0, 0, 15);
	put(EXT_ALU64 | EXT_LSH, index, 0, 0, (s32)shift);
	if (test_below(2)) {
		put(EXT_ALU64 | EXT_MOV | EXT_X, base, 9, 0, 0);
		put(EXT_ALU64 | EXT_ADD | EXT_X, base, index, 0, 0);
	} else {
		put(EXT_ALU64 | EXT_MOV | EXT_X, base, index, 0, 0);
		put(EXT_ALU64 | EXT_ADD | EXT_X, base, 9, 0, 0);
	}
	if (test_below(2))
		put(EXT_ALU64 | EXT_ADD, base, 0, 0, (s32)test_below(16) * 8);
	kept |= 1u << base;
	if (!test_below(3))
		touch(base, 8 * test_below(8));
	if (!test_below(4))
		put(EXT_LDX | EXT_MEM | EXT_DW, index, 9, 0,
		    0); /* what the sum refers to, changed */
	if (shift == 3 && test_below(2))
		atomic(base, 8 * test_below(8));
	else
		touch(base, 8 * test_below(8));
	kept &= ~(1u << base);
}

/* The frame, also through a copy; an address of it does not stay (it differs from run to run). */
static void stack(void)
{
	u32 r = any_dst(), at = 8 * (1 + test_below(STACK / 8));

	touch(10, -at);
	put(EXT_ALU64 | EXT_MOV | EXT_X, r, 10, 0, 0);
	put(EXT_ALU64 | EXT_ADD, r, 0, 0, -(s32)at);
	put(EXT_LDX | EXT_MEM | EXT_DW, r, r, 0, 0);
}

static void import_call(void)
{
	if (kept & 1)
		return;
	put(EXT_JMP | EXT_CALL, 0, 0, 0, 0);
	for (u32 r = 1; r <= 5; r++)
		if (test_below(2))
			put_wide(r, interesting());
		else
			put(EXT_ALU64 | EXT_MOV | EXT_X, r, 0, 0, 0);
}

static void local_call(u32 depth)
{
	if (kept & 1 || depth >= 2)
		return;
	put(EXT_JMP | EXT_CALL, 0, EXT_CALL_LOCAL, (s32)depth + 1,
	    0); /* off: the function; imm follows */
	for (u32 r = 1; r <= 5; r++)
		put(EXT_ALU64 | EXT_MOV, r, 0, 0, (s32)interesting());
}

static void block(u32 depth, u32 nesting, u32 gadgets);

static const u8 ops[] = {EXT_JEQ,  EXT_JGT, EXT_JGE, EXT_JSET, EXT_JNE, EXT_JSGT,
			 EXT_JSGE, EXT_JLT, EXT_JLE, EXT_JSLT, EXT_JSLE};

/* Bytes that are compared; the low byte of a value that nobody needs behind; a count with other things before its test. */
static void bytes(void)
{
	u32 class = test_below(2) ? EXT_JMP : EXT_JMP32, op = ops[test_below(11)];
	u32 wide = test_below(2) ? EXT_ALU64 : EXT_ALU, a = any_dst(), b = any_dst();

	if (a == b)
		return;
	switch (test_below(3)) {
	case 0:
		put(EXT_LDX | EXT_MEM | EXT_B, a, 9, (s32)test_below(100), 0);
		if (test_below(2))
			put(EXT_LDX | EXT_MEM | EXT_B, b, 9, (s32)test_below(100), 0);
		else
			put(wide | EXT_AND, b, 0, 0, test_below(2) ? 0xff : 0x1ff);
		put(class | op | EXT_X, test_below(2) ? a : b, test_below(2) ? a : b, 1, 0);
		break;
	case 1:
		put(wide | EXT_ADD, a, 0, 0, -65);
		put(wide | EXT_AND, a, 0, 0, 0xff);
		put(class | op, a, 0, 2, (s32)test_below(300));
		put(EXT_ALU64 | EXT_ADD, b, 0, 0, 1);
		put(EXT_ALU64 | EXT_MOV, a, 0, 0, 5);
		put(EXT_ALU64 | EXT_MOV, a, 0, 0, 6);
		return;
	default:
		put(wide | EXT_ADD, a, 0, 0, test_below(2) ? -1 : -5);
		if (test_below(2))
			touch(9, 8 * test_below(100));
		put((test_below(2) ? EXT_ALU64 : EXT_ALU) | EXT_ADD, b, 0, 0, (s32)interesting());
		put(class | op, a, 0, 1, 0);
	}
	put(EXT_ALU64 | EXT_ADD, b, 0, 0, 7);
}

static void jump(u32 *from)
{
	u32 class = test_below(2) ? EXT_JMP : EXT_JMP32, x = test_below(2) ? EXT_X : 0, dst = any();

	/* often on what was just computed */
	if (test_below(2) && used && (EXT_CLASS(insn[used - 1].code) & 3) != 1 &&
	    ext_dst(&insn[used - 1]) < 9)
		dst = ext_dst(&insn[used - 1]);
	*from = used;
	if (!test_below(12))
		put(test_below(2) ? EXT_JMP : EXT_JMP32, 0, 0, 0, 0);
	else
		put(class | ops[test_below(11)] | x, dst, x ? any() : 0, 0,
		    x		    ? 0
		    : test_below(2) ? 0
				    : (s32)interesting());
}

static void land(u32 from)
{
	if (insn[from].code == (EXT_JMP32 | EXT_JA))
		insn[from].imm = (s32)(used - from - 1);
	else
		insn[from].off = (s16)(used - from - 1);
}

static int jump_can(u32 from)
{
	return EXT_OP(insn[from].code) != EXT_JA;
}

static void branch(u32 depth, u32 nesting)
{
	u32 from, over;

	jump(&from);
	if (!test_below(3) && jump_can(from)) {
		insn[from].off = 1;
		from = used;
		put(EXT_JMP | EXT_JA, 0, 0, 0, 0);
	}
	block(depth, nesting + 1, 1 + test_below(6));
	if (test_below(2)) {
		land(from);
		return;
	}
	over = used;
	put(EXT_JMP | EXT_JA, 0, 0, 0, 0);
	land(from);
	block(depth, nesting + 1, 1 + test_below(6));
	land(over);
}

static void loop(u32 depth, u32 nesting)
{
	u32 head, counter = 6 + test_below(3);

	if (kept >> counter & 1)
		return;
	put(EXT_ALU64 | EXT_MOV, counter, 0, 0, 1 + (s32)test_below(4));
	head = used;
	kept |= 1u << counter;
	block(depth, nesting + 1, 1 + test_below(5));
	put((test_below(2) ? EXT_ALU : EXT_ALU64) | EXT_ADD, counter, 0, 0, -1);
	if (!test_below(3)) { /* as compilers write it when they turn a condition round */
		put(EXT_JMP | EXT_JEQ, counter, 0, 1, 0);
		put(EXT_JMP | EXT_JA, 0, 0, (s32)(head - used) - 1, 0);
	} else if (test_below(2))
		put(EXT_JMP | EXT_JNE, counter, 0, (s32)(head - used) - 1, 0);
	else
		put(EXT_JMP | EXT_JSGT, counter, 0, (s32)(head - used) - 1, 0);
	kept &= ~(1u << counter);
}

static void block(u32 depth, u32 nesting, u32 gadgets)
{
	for (u32 i = 0; i < gadgets && used < MOST / 2; i++)
		switch (test_below(nesting < 3 ? 18 : 14)) {
		case 0:
			byte_order();
			break;
		case 9:
			bytes();
			break;
		case 1:
			halves();
			break;
		case 2:
			touch(9, 8 * test_below(100));
			break;
		case 3:
		case 4:
		case 5:
			indexed();
			break;
		case 6:
			atomic(9, 8 * test_below(100));
			break;
		case 7:
			stack();
			break;
		case 8:
			if (!test_below(4))
				import_call();
			break;
		case 14:
		case 15:
			branch(depth, nesting);
			break;
		case 16:
			loop(depth, nesting);
			break;
		case 17:
			local_call(depth);
			break;
		default:
			arithmetic();
		}
}

/* r0 of all registers. */
static void finish(void)
{
	for (u32 r = 1; r <= 8; r++) {
		put(EXT_ALU64 | EXT_MUL, 0, 0, 0, 0x01000193);
		put(EXT_ALU64 | EXT_XOR | EXT_X, 0, r, 0, 0);
	}
	put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
}

static void begin(u32 depth)
{
	put_wide(0, interesting());
	for (u32 r = 6; r <= 8; r++)
		put_wide(r, interesting());
	put(EXT_LDDW, 9, EXT_LD_REGION, 0, 0);
	put(0, 0, 0, 0, 0);
	if (depth && test_below(3) == 0)
		return; /* no frame: then stack() must not come, which reads it */
	for (u32 at = 8; at <= STACK; at += 8)
		put(EXT_STX | EXT_MEM | EXT_DW, 10, any(), -(s32)at, 0);
}

static void generate(void)
{
	used = kept = 0;
	for (u32 f = 0; f < 3; f++) {
		function[f].first = used;
		begin(0);
		block(f, 0, 5 + test_below(30));
		finish();
		function[f].count = used - function[f].first;
	}
	for (u32 i = 0; i < used; i++)
		if (insn[i].code == (EXT_JMP | EXT_CALL) && ext_src(&insn[i])) {
			insn[i].imm = (s32)(function[insn[i].off].first - i - 1);
			insn[i].off = 0;
		}
	for (u32 i = 0; i < used; i++) {
		int is_jump =
			EXT_CLASS(insn[i].code) == EXT_JMP || EXT_CLASS(insn[i].code) == EXT_JMP32;

		fact[i] = (struct ext_fact){EXT_FACT_LIVE, 0};
		if (is_jump && insn[i].off < 0 && insn[i].code != (EXT_JMP | EXT_CALL))
			fact[i] = (struct ext_fact){EXT_FACT_LIVE | EXT_FACT_CHECKPOINT,
						    test_below(300)};
		if (!test_below(10) && is_jump)
			fact[i].flags |= EXT_FACT_BARRIER_NEXT;
		if (!test_below(10) && is_jump)
			fact[i].flags |= EXT_FACT_BARRIER_TAKEN;
		if (!test_below(10) && EXT_CLASS(insn[i].code) == EXT_LDX)
			fact[i].flags |= EXT_FACT_BARRIER_LOAD;
		if (!test_below(50))
			fact[i].flags |= EXT_FACT_BARRIER_NEXT;
		if (insn[i].code == EXT_LDDW) {
			fact[i].flags = EXT_FACT_LIVE;
			fact[++i] = (struct ext_fact){EXT_FACT_LIVE, 0};
		}
	}
	program.insn = insn;
	program.insns = used;
}

#endif
