/* SPDX-License-Identifier: MIT
 * The verifier's own context, shared by its files. */
#ifndef EXT_VERIFY_H
#define EXT_VERIFY_H

#include <flow.h>
#include <state.h>
#include <watch.h>

#define SHAPES_MOST 12u /* states kept apart at one place */
#define BASES_MOST 64u	/* symbols of the run's own: lengths */
#define OBJECTS_MOST 32u
#define HALVES_MOST 16u
#define PARTS_MOST 32u
#define KEPT_CLASSES 12u
#define CHANGED_MOST 64u

/* Offsets from a pointer so far cannot wrap around (EXT_MEMORY_MOST says where memory lies); farther ones are not compared. */
#define POINTER_REACH (1ul << 33)

/* A kind of object that pointers are to. */
struct object_kind {
	const struct ext_btf *btf;
	u32 type;
	u32 given; /* 0; or, if it is the same throughout the run, which one it is: 1 + argument, or of another's member */
};

/* A value of the run that does not change: a length that came with the entry's arguments. */
struct base {
	struct num num;
	u32 object, member; /* the member it is of a given object; else FLOW_NONE */
};

/* A way back, and a way out, of the loop that is being analysed. */
struct exit_list {
	struct exit_list *next;
	u32 block;
	struct state *states;
};
#define CANDIDATES_MOST 12u

/* What is guessed of one variable (register or slot) at a loop's head. */
enum var_class {
	VAR_SAME,   /* as at the entry */
	VAR_AFFINE, /* the entry's + step * n */
	VAR_OTHER,  /* a symbol of its own, within num */
	VAR_PLAIN,  /* a slot: bytes */
	VAR_NONE,   /* nothing to guess: not set, or the half of another */
};
struct loop_var {
	u16 key; /* a register; VAR_SLOT + slot's key */
	u8 class, bytes, untied, tries;
	u32 sym;
	u32 twin; /* 1 + an earlier variable that is the same number throughout: one symbol for both. 0: none */
	s64 step;
	struct num num;
	/* seen in the round, over all ways back */
	u8 seen, steady, fits, ranged, tied;
	s64 step_seen, tied_step, least, most;
	struct num num_seen;
};
#define VAR_SLOT 16u

/* A loop that is being analysed; one for each loop, used again. */
struct loop_run {
	struct loop_run *outer; /* of all that are open, those of calling functions too */
	u32 loop, n;		/* n: the symbol that counts how often control went back */
	int guessing; /* the round is for learning only: arithmetic is taken not to wrap */
	u64 most;     /* n is at most this */
	struct state *entry, *head, *back;
	struct exit_list *exits;
	struct form candidate[CANDIDATES_MOST]; /* facts that might hold at the head */
	u32 candidates, proposed; /* proposed: of them, the first so many are in use */
	struct loop_var *var;
	u32 vars, room;
	struct ext_watched *watched; /* for the fuzzer: as it was before the round */
	struct speculate *notes;     /* of its blocks' last instructions, as they were */
	u32 rose;		     /* nums were begun anew from the entry's */
	u32 hinted;		     /* var[] of the last success tell where to begin */
	int shrinking; /* no other bound was found: what ties a value to the head's is kept in sight */
};

struct verify {
	struct ext_arena *arena;
	const struct ext_program *p;
	const struct ext_interface *iface;
	const struct ext_attach *attach;
	struct ext_verdict *out;
	struct ext_refusal *why;
	u64 steps_most;
	struct flow flow;

	struct object_kind object[OBJECTS_MOST];
	u32 objects;
	struct base base[BASES_MOST]; /* of symbols 1.. */
	u32 bases;
	u32 next_sym, next_id;
	struct {
		struct form of;
		int is_signed;
		u32 sym;
	} half[HALVES_MOST]; /* symbols that are low halves, extended: the same one for the same form */
	u32 halves;
	struct {
		u32 sym, of;
	} part[PARTS_MOST]; /* sym has no bits but of's */
	u32 parts;
	u32 fuel; /* of the proof under way */

	struct state **pending; /* by block */
	struct state *returned; /* of the function being analysed */
	struct loop_run *run;	/* innermost loop of that function, or 0 */
	struct loop_run
		*runs; /* innermost loop of all functions on the way: refusals are held back */
	int failed;    /* a refusal is held back in `why`, or final */
	int stop;      /* it is final */
	struct state *w, *w2, *join, *scratch;
	struct state *kept[KEPT_CLASSES];
	u32 changed[CHANGED_MOST]; /* symbols that the branch under way narrowed */
	u32 changes;
	u32 changed_id;
	u32 open;		/* loops that are */
	struct loop_run **loop; /* by loop */
	u32 frame_function[EXT_FRAMES];
	u32 *frame_used;	     /* by function: bytes of its frame */
	struct speculate *speculate; /* by instruction */
	u8 *held; /* by instruction: bit 0: control goes back there with a reference held; 1: without */
};

/* Refuses. The first refusal counts; while a loop is being guessed at, it is held back. Returns -1 if the verifier is to
 * stop, else 0: go on as if it were right. */
int verify_refuse(struct verify *ver, enum ext_why why, u32 insn, s32 reg, const char *format, ...);
/* Adds what is known of a value, and what was needed. */
void verify_known(struct verify *ver, const struct state *s, s32 reg, const struct val *v);
void verify_needed(struct verify *ver, const char *format, ...);
u64 verify_print(struct verify *ver, const struct state *s, const struct val *v, char *out,
		 u64 size);

/* Steps on a working state: 0, 1: the path ends here, -1: stop. */
int verify_alu(struct verify *ver, struct state *s, u32 insn);
int verify_load(struct verify *ver, struct state *s, u32 insn);
int verify_store(struct verify *ver, struct state *s, u32 insn);
int verify_lddw(struct verify *ver, struct state *s, u32 insn);
int verify_import(struct verify *ver, struct state *s, u32 insn);
int verify_read(struct verify *ver, struct state *s, u32 insn, u32 reg);

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_ATOMIC };
/* Whether bytes (a form) at the pointer are inside. Stack, region, value, memory. 0, 1, -1. */
int verify_inside(struct verify *ver, struct state *s, u32 insn, u32 reg, const struct val *v,
		  const struct form *bytes, int is_write);
/* The stack under a function's argument: initialised for reading, or written (is_sure: all of it is). */
int verify_stack_range(struct verify *ver, struct state *s, u32 insn, u32 reg, const struct val *v,
		       u64 bytes, int is_write, int is_sure);
/* An access to an object's member. out: what a read gives. */
int verify_object(struct verify *ver, struct state *s, u32 insn, u32 reg, const struct val *v,
		  u32 bytes, enum access how, int is_signed, struct val *out);

/* The branch: narrows s for that edge. 1: it cannot go that way; 0; -1. */
int verify_edge(struct verify *ver, struct state *s, u32 insn, int taken);
/* Checks operands: 0, 1, -1. */
int verify_branch(struct verify *ver, struct state *s, u32 insn);
/* speculate.c. Behind verify_edge: s may go that way; or the way is not gone in some state. */
void verify_told(struct verify *ver, const struct state *s, u32 insn, u32 way);
void verify_not_gone(struct verify *ver, u32 insn, u32 way);
int verify_notes(struct verify *ver, struct loop_run *r, int back);
/* When all was walked and checkpoints are set: the barriers. */
int verify_speculation(struct verify *ver);

int verify_emit(struct verify *ver, const struct state *s, u32 from, u32 to);
int verify_scope(struct verify *ver, const u32 *block, u32 blocks, u32 loop);
int verify_loop(struct verify *ver, u32 loop, struct state *entry);
/* verify_facts.c: facts that may hold at a loop's head */
void loop_propose(struct loop_run *r, const struct form *fact);
/* A variable that goes up by least..most each time. */
void loop_propose_range(struct verify *ver, struct loop_run *r, const struct loop_var *v);
/* Those of the ways back, said for the next time round. */
void loop_collect(struct verify *ver, struct loop_run *r);
/* Drops what is not proved at the entry (s: r->entry), or on a way back. Returns how many were dropped. */
u32 loop_drop(struct verify *ver, struct loop_run *r, const struct state *s);
/* A register's or slot's value, by a variable's key; 0: it is none. */
const struct val *loop_value(const struct state *s, u32 key);
/* verify_guess.c: what holds at a loop's head */
int loop_prepare(struct verify *ver, struct loop_run *r);
struct state *loop_head(struct verify *ver, struct loop_run *r);
/* Looks at the ways back; 1: the guess holds. Else it was changed. */
int loop_check(struct verify *ver, struct loop_run *r);
int loop_is_phase(const struct verify *ver, const struct loop_run *r, const struct state *s);
/* verify_shrink.c: values that get smaller each time round */
/* t = x op y, which is no larger than x: what ties the two, while that is looked for. */
void verify_shrunk(struct verify *ver, struct state *s, const struct ext_insn *i,
		   const struct form *t, const struct form *x, const struct form *y);
/* The same of t = the low half of x. */
void verify_shrunk_half(struct verify *ver, struct state *s, const struct form *t,
			const struct form *x);
/* How often control can go back at most because some variable gets smaller each time; ~0: nothing tells. */
u64 loop_shrinks(struct verify *ver, const struct loop_run *r);
int verify_entry(struct verify *ver, struct state *s);
/* An argument as its contract says; size_sym: of the sizes' symbols. */
u32 verify_object_kind(struct verify *ver, const struct ext_btf *btf, u32 type, u32 given);
int verify_costs(struct verify *ver);
u64 cost_add(u64 a, u64 b);
u64 cost_mul(u64 a, u64 b);
u32 verify_cost(const struct verify *ver, u32 insn);
void verify_watch(struct verify *ver, const struct state *s, u32 insn);

#endif
