/* SPDX-License-Identifier: MIT
 * Inside the compiler for x86-64: what its files share. jit.c tells how it works as a whole. */
#ifndef EXT_JIT_H
#define EXT_JIT_H

#include <ext.h>

enum machine_reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
#define NONE 0xffu

/* x86 condition codes; the lowest bit inverts. */
enum condition {
	CC_B = 2,
	CC_AE,
	CC_E,
	CC_NE,
	CC_BE,
	CC_A,
	CC_S,
	CC_NS,
	CC_L = 12,
	CC_GE,
	CC_LE,
	CC_G
};

/* An address or a sum: base + index * 2^scale + disp; machine registers. rip: disp is a place in the image instead. */
struct mem {
	u8 base, index, scale, rip;
	s64 disp;
};

/* Where a register's value is. PLACE: in its machine register. SUM: base + index * 2^scale + disp of what is in the
 * machine registers of eBPF registers base and index (NONE: not there), w: cut to 32 bits. CONST: value.
 * ADDRESS: value is a place in the image's data. LOAD: as many bytes as it says at that sum, or place (rip), zero-extended;
 * read at the latest before anything is written to memory, and once only.
 * A SUM or LOAD may refer to its own register: to what the machine register still has. Others may refer to that too, by
 * copies of it; so whoever is put into its place has those that refer to it put into theirs before (value_free). That
 * ends: a value that refers to itself was made when whatever else it refers to was in PLACE, and is itself put into its
 * place before that becomes something else. */
enum { PLACE, SUM, CONST, ADDRESS, LOAD };
struct value {
	u8 kind, base, index, scale, w, rip, bytes;
	s64 number; /* disp, value */
};

#define MARK_TARGET 1u	/* a jump or call goes there */
#define MARK_BARRIER 2u /* an lfence at its begin */
#define MARK_SHORT 4u	/* its jump is short */
#define MARK_BACK 8u	/* a jump from behind goes there */

struct jit_function {
	u32 saved; /* bits of machine registers that it pushes, without RBP */
	u32 frame; /* bytes below RBP, the last for alignment */
	u32 bytes; /* of the machine's stack, with return address */
	u8 has_frame, calls;
};

struct jit {
	const struct ext_program *p;
	const struct ext_fact *fact; /* 0: none */
	struct jit_function *function;
	struct jit_function *f; /* of the current instruction */
	u8 *out;
	u64 room, at;
	u64 data_at;
	u32 *place, *old_place; /* of each instruction's begin, in this pass and in the last */
	u32 *jump, *old_jump;	/* of the end of its jump */
	u16 *live;		/* registers that are read later, before each instruction */
	u16 *narrow;		/* registers whose upper half is zero, before each instruction */
	u16 *bytes;		/* registers whose value is below 256, before each instruction */
	u8 *mark;
	u32 stop, old_stop; /* place of the code that ends a stopped run */
	u8 needs_run;	    /* r12 holds the run */
	u8 stops;	    /* there are checkpoints */

	/* the current instruction */
	u32 pc;
	u16 in, next; /* live before and behind it */
	u16 zero_high;
	struct value value[EXT_REGS];
	u64 flags_at; /* the place behind an instruction whose flags say how flags_reg compares with 0 */
	u8 flags_reg, flags_wide;
	u32 byte_at; /* the jump that compares the low byte of its operand alone; 0: none */
	u32 checked; /* the instruction whose checkpoint was emitted already, + 1 */

	u32 touched; /* registers that some instruction may write: more rather than less */
	struct ext_refusal *why;
	int error;
};

/* --- jit_emit.c: encoding. `wide`: 64 bits, else 32. An opcode above 0xff has 0x0f before its low byte. */
void emit_byte(struct jit *j, u32 byte);
void emit_word(struct jit *j, u32 word);
void emit_rr(struct jit *j, int wide, u32 opcode, u32 reg, u32 rm);
void emit_rm(struct jit *j, int wide, u32 opcode, u32 reg, const struct mem *m);
/* As emit_rr, emit_rm with operands of one byte, or of two (prefix 0x66). more: bytes of an immediate that follow. */
void emit_mem(struct jit *j, u32 prefix, int wide, u32 opcode, u32 reg, const struct mem *m,
	      int byte_reg, u32 more);
void emit_byte_rr(struct jit *j, int wide, u32 opcode, u32 reg, u32 rm);
void emit_move(struct jit *j, int wide, u32 to, u32 from);
void emit_const(struct jit *j, u32 reg, u64 value);
/* op 0..7 of group 1: add or adc sbb and sub xor cmp. */
void emit_alu_imm(struct jit *j, int wide, u32 op, u32 reg, s32 imm);
void emit_shift_imm(struct jit *j, int wide, u32 op, u32 reg, u32 count);
void emit_lea(struct jit *j, int wide, u32 reg, const struct mem *m);
void emit_push(struct jit *j, u32 reg);
void emit_pop(struct jit *j, u32 reg);
void emit_lfence(struct jit *j);
/* A short jump forward inside an instruction; 0x100: unconditional. Land: where it goes. */
u64 emit_skip(struct jit *j, u32 condition);
void emit_land(struct jit *j, u64 skip);

/* --- jit_value.c: what is not computed yet */
u32 machine(u32 reg);
/* Puts it into its place, and before it whoever refers to what is there now and is needed in the instruction or later. */
void value_place(struct jit *j, u32 reg);
/* Before reg's machine register is overwritten: whoever among keep refers to it is put into its place. keep without the
 * instruction's operands: when its last machine instruction reads them and overwrites reg at once. */
void value_free(struct jit *j, u32 reg, u32 keep);
/* The instruction writes reg's machine register itself. */
void value_define(struct jit *j, u32 reg);
/* v was made after value_free(reg, next): else that may change what v refers to. */
void value_set(struct jit *j, u32 reg, const struct value *v);
/* Machine register that has the value (its low half): for reading in one machine instruction. */
u32 value_read(struct jit *j, u32 reg, int wide);
/* In its own machine register, to be changed there. */
u32 value_change(struct jit *j, u32 reg);
/* Memory that has the value, if it waits to be read with so many bytes, and is not needed behind the instruction. */
int value_is_mem(struct jit *j, u32 reg, u32 bytes, struct mem *m);
/* Before memory is written. */
void value_loads(struct jit *j);
/* The value into any machine register, where the register itself is not needed any more. */
void value_into(struct jit *j, u32 reg, u32 to);
int value_is_imm(struct jit *j, u32 reg, int wide, s32 *imm);
/* As a sum, if it is one (of the low halves: not wide). */
int value_sum(struct jit *j, u32 reg, int wide, struct value *out);
int value_add(const struct value *a, const struct value *b, struct value *out);
struct mem value_mem(const struct value *v);
/* Where reg + off is: a SUM or an ADDRESS. */
struct value value_address(struct jit *j, u32 reg, s32 off);
void value_flush(struct jit *j, u32 mask);

/* --- jit_live.c: before code is made */
void live_analyse(struct jit *j);
u16 live_narrow(const struct jit *j, u32 pc, u16 narrow);
u32 live_defined(const struct ext_insn *i);
u32 live_reads(const struct jit *j, const struct ext_insn *i);

/* --- jit_alu.c, jit_mem.c, jit_flow.c: one instruction; how many were consumed */
/* An operation's number in group 1 of x86's arithmetic; times 8, its opcode. */
u32 jit_group(u32 op);
u32 jit_alu(struct jit *j, const struct ext_insn *i);
u32 jit_memory(struct jit *j, const struct ext_insn *i);
u32 jit_flow(struct jit *j, const struct ext_insn *i);
void jit_prologue(struct jit *j, u32 function);
void jit_stop(struct jit *j);
void jit_checkpoint(struct jit *j, u32 pc);
int jit_refuse(struct jit *j, enum ext_why why, const char *text);
/* The instruction a jump goes to. */
u32 jit_target(const struct jit *j, u32 pc);
int jit_is_jump(const struct ext_insn *i); /* with a target: JA, conditional */
int jit_is_conditional(const struct ext_insn *i);
int jit_jumps_over(const struct jit *j, u32 pc);

#endif
