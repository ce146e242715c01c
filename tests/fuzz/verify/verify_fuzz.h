/* SPDX-License-Identifier: MIT
 * Fuzzing the verifier: programs are made, changed, verified; what is accepted is run and held to what was proved. */
#ifndef VERIFY_FUZZ_H
#define VERIFY_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <btf.h>
#include <checked.h>
#include <ext.h>
#include <map.h>
#include <watch.h>

#define INSNS 400u

/* A program as the fuzzer's input has it: a head of 8 bytes, then instructions. */
struct made {
	u8 attach; /* of those that the interface has, modulo */
	u8 small;  /* an odd number: the budget of a handler is small */
	u8 spare[2];
	u32 seed; /* of arguments and memory */
	struct ext_insn insn[INSNS];
	u32 insns;
};
#define MADE_HEAD 8u

/* Regions that every program has. */
enum { CONSTANTS, DATA, ARRAY, HASH, PERCPU, RING, WORD, REGIONS };
#define CONSTANTS_BYTES 40u
#define DATA_BYTES 200u
#define ARRAY_VALUE 24u
#define ARRAY_ENTRIES 5u
#define HASH_KEY 8u
#define HASH_VALUE 16u
#define PERCPU_VALUE 8u
#define RING_VALUE 32u

/* Functions of the interface by slot. */
enum {
	F_NOW,
	F_DIGEST,
	F_FILL,
	F_LOCK,
	F_TRY_LOCK,
	F_UNLOCK,
	F_LOOK_UP,
	F_UPDATE,
	F_CHOOSE,
	F_SIGNED_CHOOSE,
	F_LOOK_AT,
	F_PERHAPS,
	F_NOTHING,
	F_RESERVE,
	F_SUBMIT,
	F_FORGET,
	F_DISCARD,
	F_FIND,
	F_COPY,
	F_LOOK_INSIDE,
	F_SLOW,
	F_CONSULT,
	F_COUNT
};

/* --- program.c: the interface, regions; a program out of what was made */
extern struct ext_interface interface;
void interface_read(void);
u32 import_of(u32 slot); /* its index in import[] */
int program_make(struct ext_arena *a, const struct made *m, struct ext_program *p,
		 struct ext_refusal *why);
const struct ext_attach *attach_of(const struct made *m);
void program_show(const struct ext_program *p, const struct ext_verdict *v);

/* --- generate.c, mutate.c */
struct random {
	u64 state;
};
u64 draw(struct random *r);
u32 below(struct random *r, u32 n);
u64 draw_number(struct random *r); /* edges more than others */
void generate(struct random *r, struct made *m);
void mutate(struct random *r, struct made *m, const struct made *other);

/* --- functions.c */
#define FUNCTION_SLOTS 24u
struct running {
	struct ext_run run;
	void *function[FUNCTION_SLOTS];
	u8 *data;
	u64 random;
	u32 locked; /* bits of references that are held: locks, from bit 8 on records */
	u64 record[8];
	u32 found; /* what find() gives may be read */
	struct ext_check *check;
};
extern struct running running;
/* The image's data as a run finds it: what is in the maps is determined by the seed. */
void functions_fill(const struct ext_program *p, u8 *data, u64 seed);
void functions_begin(u8 *data, u64 seed, s64 budget, struct ext_check *check);

/* --- arguments.c */
void arguments_make(const struct ext_attach *t, struct random *r, u64 *arg);
void arguments_allow(const struct ext_attach *t, struct ext_check *c);
/* What a program may have changed, kept and compared: 0, or what differs. */
void arguments_keep(void);
void arguments_restore(void);
const char *arguments_differ(void);
/* 1: what was given is as arguments_keep() had it. */
int arguments_untouched(void);
void arguments_keep_result(void);
/* Writes what others may write while a program runs. */
void arguments_disturb(struct random *r);

/* --- execute.c: runs what was accepted; ends the process with what is wrong */
void execute(struct ext_arena *a, const struct made *m, const struct ext_program *p,
	     const struct ext_verdict *v);
void report(void);
extern u64 runs, instructions, ended, stopped, compiled_runs;

#endif
