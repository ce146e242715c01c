/* SPDX-License-Identifier: MIT
 * What the generator is made of. It knows the kind of what each register holds, and mostly keeps to the rules; one time in
 * some it slips: a bound that is off by one, a check left out. */
#ifndef PIECES_H
#define PIECES_H

#include "verify_fuzz.h"

enum kind { K_UNSET, K_NUM, K_SIZE, K_MEMORY, K_FIXED, K_OBJECT, K_LOCK };
#define SLOTS 6u /* of 8 bytes, below R10 */
#define LOCALS 9u

struct kinds {
	u8 kind[10];
	u8 writable[10];
	u32 limit[10]; /* K_FIXED: bytes */
	u8 slot[SLOTS];
	u8 slot_writable[SLOTS];
	u32 slot_limit[SLOTS];
	u8 buffer; /* 64 bytes at R10 - 128 are written */
};

/* A function of the program's own. */
struct local {
	struct kinds at;
	u32 call[4], calls;
	u8 is_unlock; /* gives the reference in R1 back, and ends */
	u8 returns;   /* K_NUM, K_FIXED: of its caller's kinds, or the program's data */
};

struct gen {
	struct made *m;
	struct random *r;
	struct kinds k;
	u32 kept; /* bits of registers that are not to be changed */
	int is_pure, refs;
	u32 depth, held;
	struct local local[LOCALS];
	u32 locals, level;
	s32 current; /* the one that is being made; -1: the entry */
	u32 chain;   /* so many call one another */
};

#define FP 10u
u32 chance(struct gen *g, u32 percent);
s32 slip(struct gen *g);
u32 emit(struct gen *g, u32 code, u32 dst, u32 src, s32 off, s64 imm);
void emit_wide(struct gen *g, u32 dst, u32 src, u64 value);
void land(struct gen *g, u32 jump);	       /* the jump goes here */
void jump_to(struct gen *g, u32 jump, u32 to); /* ... there */
void move(struct gen *g, u32 dst, u32 src);
void move_imm(struct gen *g, u32 dst, s32 imm);
void set_kind(struct gen *g, u32 reg, u32 kind);
u32 scratch(struct gen *g); /* a register that may be overwritten, made a number's */
u32 number(struct gen *g);  /* a register that holds a number */
int pointer(struct gen *g, u32 *reg, u32 *limit, int is_write); /* 0: none */
int find_kind(struct gen *g, u32 kind);
void clobber(struct gen *g); /* a call */

void piece_number(struct gen *g);
void piece_alu(struct gen *g);
void piece_index(struct gen *g);
void piece_memory(struct gen *g);
void piece_stack(struct gen *g);
void piece_spill(struct gen *g);
void piece_map(struct gen *g);
void piece_call(struct gen *g);
void piece_atomic(struct gen *g);
void piece_object(struct gen *g);
void piece_junk(struct gen *g);
void piece_give(struct gen *g); /* memory given to functions with more than one */
void piece_found(struct gen *g);
void piece_perhaps(struct gen *g);
void piece_offer(struct gen *g);
void piece_relation(struct gen *g);
void piece_pointer(struct gen *g);
void piece_stack_index(struct gen *g);
void piece_access(struct gen *g, u32 reg, u32 bytes, s32 off, int is_write);
u32 size_code(u32 bytes);
/* Bounds the number in reg to 0..most by one of many ways; jumps that leave are returned. */
u32 bound(struct gen *g, u32 reg, u64 most, u32 *jumps);

/* The kinds are what they are on both ways. */
void merge(struct gen *g, const struct kinds *other);
u32 condition(struct gen *g); /* a jump by numbers */
void piece_loop(struct gen *g);
void buffer_write(struct gen *g); /* 64 bytes at R10 - 128 */
/* The jumps land here; what the other way does not have is not there. */
void fail_jumps(struct gen *g, const u32 *jumps, u32 n, const struct kinds *then);
void pieces(struct gen *g, u32 n);
void call(struct gen *g, u32 slot);
/* locals.c */
void piece_local(struct gen *g);
int call_unlock(
	struct gen
		*g); /* R1 is given back by a function of the program's own; 0: there is no room */
void locals_emit(struct gen *g, const struct ext_attach *t);
void finish(struct gen *g, const struct ext_attach *t, int is_entry);
#endif
