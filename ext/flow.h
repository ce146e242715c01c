/* SPDX-License-Identifier: MIT
 * The program's control flow: blocks, loops, and which registers matter where. */
#ifndef EXT_FLOW_H
#define EXT_FLOW_H

#include <ext.h>

#define FLOW_NONE 0xffffffffu
#define LOOP_DEPTH_MOST 12u

struct flow_block {
	u32 first, last; /* instructions; an LDDW's second half is not counted as one */
	u32 succ[2];	 /* [0]: what follows, [1]: where a jump goes */
	u32 succs;
	u32 function;
	u32 loop;  /* the innermost that it is in, or FLOW_NONE */
	u32 order; /* place in reverse postorder, within its function */
	u32 idom;
	u16 live;   /* registers that are read later, at its begin */
	u16 reach;  /* registers that may reach an address later: flow_reach */
	u32 callee; /* it ends in a call of that function, or FLOW_NONE */
};

struct flow_loop {
	u32 head, parent, depth;
	u16 written; /* registers, by its instructions */
	u16 shrinks; /* it has an instruction that may make a value smaller each time round: verify_shrink.c */
	u32 *block; /* its blocks and those of loops within, in reverse postorder */
	u32 blocks;
	u64 trips; /* most times that control went back in one activation: the verifier fills it in */
	u32 kept; /* hint: registers that are neither constant nor affine */
};

struct flow_function {
	u32 *block; /* in reverse postorder; [0] is the entry */
	u32 blocks;
	u32 rank; /* 1 + the greatest of its callees */
};

struct flow {
	const struct ext_program *p;
	struct flow_block *block;
	u32 blocks;
	u32 *at; /* block of an instruction */
	struct flow_loop *loop;
	u32 loops;
	struct flow_function *function;
};

/* What was seen of an instruction while states were walked over it: speculate.c. Bits of registers; SPECULATE_SLOT: a spilled
 * value. Of a conditional jump, [1]: where it is taken; bits of ways: 1 << way. */
#define SPECULATE_SLOT (1u << 11)
struct speculate {
	u16 told[2]; /* the way tells something of these */
	u16 tied;    /* a jump: to its operands; a store to the stack: SPECULATE_SLOT */
	u8 stays;    /* ways whose barrier is not moved */
	u8 may_move, moved;
};

/* Checks every instruction's encoding, then blocks, loops, liveness. */
int flow_check(const struct ext_program *p, struct ext_refusal *why, u32 *insn);
int flow_make(struct ext_arena *a, const struct ext_program *p, struct flow *out,
	      struct ext_refusal *why, u32 *insn);
void flow_live(struct flow *f);
/* note: by instruction; has_result: what the entry returns is relied on. */
void flow_reach(struct flow *f, const struct speculate *note, int has_result);
/* Registers read and written by the instruction; bits. callee: of its block. */
void flow_regs(const struct flow *f, u32 insn, u32 *reads, u32 *writes);
static inline int flow_in_loop(const struct flow *f, u32 block, u32 loop)
{
	u32 l = f->block[block].loop;

	while (l != FLOW_NONE && l != loop)
		l = f->loop[l].parent;
	return l == loop;
}

#endif
