/* SPDX-License-Identifier: MIT
 * Downloaded code: what a caller of the engine sees. An object (ELF, as clang and gcc emit eBPF) is loaded, linked
 * against interfaces, verified, and run by the interpreter or compiled for x86-64. Freestanding C: the same code is
 * linked into the host's aril-bpf and into the code authority; no kernel header is used.
 *
 * 1. All memory comes from an arena that the caller gives; nothing is freed but the whole. When it is spent, the
 *    refusal says so (EXT_WHY_MEMORY).
 * 2. A program that was not verified without a refusal is never compiled for the kernel.
 * 3. The object's bytes are read by the loader alone, and bounded there; whoever can change them while it reads
 *    (a sharer of the memory) is kept out by copying first.
 * Sources: RFC 9669 (instruction set); Linux's BTF format (Documentation/bpf/btf.rst). */
#ifndef EXT_EXT_H
#define EXT_EXT_H

#include <aril/types.h>
#include <insn.h>

/* --- memory */
struct ext_arena {
	u8 *base;
	u64 size, used;
};
/* bytes of zeros, aligned to 8; 0 when the arena is spent. */
void *ext_alloc(struct ext_arena *a, u64 bytes);

/* --- refusals: one root cause */
enum ext_why {
	EXT_OK = 0,
	EXT_WHY_MEMORY, /* the arena is spent */
	EXT_WHY_STEPS,	/* the verifier's steps are spent */
	/* loader: `offset` is the place in the object */
	EXT_WHY_OBJECT, /* malformed or not supported */
	EXT_WHY_BTF,
	EXT_WHY_SECTION, /* no such section or function */
	EXT_WHY_MAP,
	EXT_WHY_LINK, /* an undefined name, or types that do not match */
	/* verifier: `insn`, `reg` */
	EXT_WHY_CODE, /* an instruction that does not exist, or fields not zero */
	EXT_WHY_FLOW, /* a jump out of the function, a fall off its end, code that nothing reaches */
	EXT_WHY_UNSET, /* reads a register or stack bytes that were not written */
	EXT_WHY_TYPE, /* not of the type that is needed (a scalar as a pointer, arithmetic on a pointer, ...) */
	EXT_WHY_BOUNDS, /* an access outside */
	EXT_WHY_ALIGN, /* an access not aligned where it must be (atomics, pointers on the stack) */
	EXT_WHY_NULL,  /* may be null */
	EXT_WHY_READONLY, /* a write where only reading is allowed */
	EXT_WHY_LEAK, /* a pointer would get where a scalar must be: memory, return value, comparison */
	EXT_WHY_LOOP,	   /* no bound proved */
	EXT_WHY_STACK,	   /* frames too deep, recursion */
	EXT_WHY_CALL,	   /* an argument against its contract */
	EXT_WHY_REFERENCE, /* acquired and not released, or released twice */
	EXT_WHY_CLASS,	   /* not allowed in this class */
	EXT_WHY_LENGTH, /* worst case above what the attach point allows; too many instructions */
	EXT_WHYS
};
const char *ext_why_name(enum ext_why why); /* "bounds", ... */

struct ext_refusal {
	enum ext_why why;
	u64 offset;	   /* in the object: loader's refusals */
	u32 insn;	   /* in the program: verifier's */
	u32 line;	   /* of the source; 0: not known */
	s32 reg;	   /* -1: none */
	char file[96];	   /* of the source, or "" */
	char function[64]; /* or "" */
	char text[160];	   /* what is wrong: "R2 may be up to 64 bytes past the end of data[32]" */
	char known[96];	   /* of the register: "R2 = scalar 0..255"; or "" */
	char needed[96];   /* "0..31"; or "" */
};
/* One line without its end: function, line, text, known, needed. Returns bytes written, as snprintf. */
u64 ext_refusal_print(const struct ext_refusal *r, char *out, u64 size);

/* --- a program */
enum ext_class {
	EXT_PURE = 1,	 /* no side effect, bounded statically, deterministic */
	EXT_HANDLER = 2, /* side effects through typed functions and its own data; under a budget */
};

enum ext_region_kind { EXT_RODATA = 1, EXT_DATA, EXT_ARRAY, EXT_HASH, EXT_PERCPU, EXT_RING };
/* What a program can address besides its stack and arguments. Regions lie one after another in the image's data
 * part: [rodata ...][writable ...], each part beginning on a page, each region aligned to 64 bytes at least. */
struct ext_region {
	const char *name;
	u32 kind;
	u32 key, value, entries; /* maps: bytes, bytes, count; others: 0, 0, 0 */
	u64 offset;		 /* in the image's data */
	u64 bytes;
	const u8 *init; /* init_bytes of it; the rest is zeros */
	u64 init_bytes;
	u32 btf_key, btf_value; /* types, 0: none */
};

/* A function of an interface that the program calls. */
struct ext_import {
	const char *name;
	u32 slot; /* in the function table: see ext_interface */
	u32 proto; /* FUNC_PROTO in the program's BTF (equal to the interface's, by the linker's check) */
	const struct ext_contract *contract;
};

struct ext_function {
	const char *name;
	u32 first, count; /* instructions */
	u32 proto;	  /* FUNC_PROTO in the BTF, 0: unknown */
};

struct ext_line {
	u32 insn; /* from this instruction on */
	u32 line;
	const char *file;
};

/* Loaded and linked. Instructions are those of one entry and of all that it calls; function[0] is the entry.
 *  LDDW with src 1 (EXT_LD_REGION): imm = region, next imm = offset in it: an address; with src 2: the region itself
 *       as a map argument: the address of its descriptor (map.h).
 *  CALL with src 0 (EXT_CALL_IMPORT): imm = index in import[]; src 1: imm = distance in instructions (RFC 9669). */
struct ext_program {
	const char *name;
	struct ext_insn *insn;
	u32 insns;
	struct ext_function *function;
	u32 functions;
	struct ext_region *region;
	u32 regions;
	u64 data_bytes,
		rodata_bytes; /* of the image: rodata first, a multiple of 4096, then the rest */
	struct ext_import *import;
	u32 imports;
	struct ext_line *line; /* ascending by insn */
	u32 lines;
	const struct ext_btf *btf; /* 0: none */
	/* What it was linked against: the interface that its imports and attach point are of; the attach point whose name
	 * the entry's section has ("NAME" or "NAME/anything") and whose type the entry has. 0: none. */
	const struct ext_interface *interface;
	const struct ext_attach *attach;
};

/* --- interfaces and contracts (typed linking) */
enum ext_arg_kind {
	EXT_ARG_SCALAR = 1,
	EXT_ARG_MEM,   /* a pointer to memory of `bytes`, or of as many as argument size_arg says */
	EXT_ARG_MAP,   /* a region that is a map */
	EXT_ARG_KEY,   /* memory of the map's key size */
	EXT_ARG_VALUE, /* memory of the map's value size */
	EXT_ARG_OBJECT, /* a pointer to BTF struct `type`, as given to the program or returned by a function */
	EXT_ARG_SIZE, /* a scalar that is the size of the memory argument before it */
};
#define EXT_ARG_NULLABLE 1u
#define EXT_ARG_CONST 2u   /* memory is only read: may be rodata; must be initialised */
#define EXT_ARG_RELEASE 4u /* gives the reference back */
struct ext_arg {
	u8 kind, flags,
		size_arg; /* size_arg: index of the argument that has the size; 0xff: none */
	u32 bytes;
	u32 type;	 /* struct in the interface's BTF */
	u64 least, most; /* of a scalar or size: what is allowed; least > most: a signed range */
};
enum ext_ret_kind {
	EXT_RET_VOID = 1,
	EXT_RET_SCALAR,
	EXT_RET_VALUE /* map value, nullable */,
	EXT_RET_OBJECT
};
#define EXT_RET_NULLABLE 1u
#define EXT_RET_ACQUIRE 2u
struct ext_contract {
	const char *name;
	u32 slot, args;
	struct ext_arg arg[5];
	u8 ret, ret_flags;
	u8 pure;  /* may be called by EXT_PURE */
	u16 cost; /* in instructions, charged to the budget and the worst case, at least 1 */
	u32 ret_type;
	u64 ret_least, ret_most; /* of a scalar; least > most: a signed range */
	u32 proto;		 /* in the interface's BTF */
};

/* What an attach point gives: the entry's arguments, what it may return, its class. In the interface object an entry
 * of this kind is a FUNC with the declaration tag "attach". */
struct ext_attach {
	const char *name; /* "fault", "predicate", "victim", ...: the section's name, too */
	u32 class, args;
	struct ext_arg arg[5];
	u64 ret_least, ret_most; /* of r0; least > most: a signed range */
	u32 worst_most;		 /* EXT_PURE: largest worst case allowed */
	u32 budget;		 /* EXT_HANDLER: instructions */
	u32 proto;
};

/* Read from an object's BTF and declaration tags (btf_decl_tag) by ext_interface_load. */
struct ext_interface {
	const struct ext_btf *btf;
	struct ext_contract *function;
	u32 functions;
	struct ext_attach *attach;
	u32 attaches;
};

/* --- the steps. Each returns EXT_OK or the refusal's why; out is written only on success. */
int ext_interface_load(struct ext_arena *a, const u8 *object, u64 bytes, struct ext_interface *out,
		       struct ext_refusal *why);
struct ext_object;
int ext_object_open(struct ext_arena *a, const u8 *object, u64 bytes, struct ext_object **out,
		    struct ext_refusal *why);
/* The entries an object has: name and section of the n-th; 0 behind the last. */
const char *ext_object_entry(const struct ext_object *o, u32 n, const char **section);
/* The entry by its function's or section's name (0: the only one), linked against interfaces (0..n-1). All that it
 * imports, and its attach point, are of one of them. */
int ext_object_link(struct ext_arena *a, struct ext_object *o, const char *entry,
		    const struct ext_interface *const *interface, u32 n, struct ext_program *out,
		    struct ext_refusal *why);
/* A raw program: no object, no BTF. */
int ext_raw_program(struct ext_arena *a, const u8 *bytes, u64 count, struct ext_program *out,
		    struct ext_refusal *why);

/* What the verifier found out, for compiler, interpreter and user; per instruction in facts[insns]. */
#define EXT_FACT_LIVE 1u /* some state reaches it (an LDDW's second half: as its first) */
#define EXT_FACT_BARRIER_TAKEN \
	2u /* a conditional jump: no speculation beyond it, where it is taken */
#define EXT_FACT_BARRIER_NEXT 4u /* ... where it is not taken */
#define EXT_FACT_CHECKPOINT \
	8u /* EXT_HANDLER: `cost` is taken from the budget before it; may stop there */
/* A load of a spilled value from the stack: no speculation beyond the stores before it (a stale pointer or bound would be
 * used): the JIT puts the barrier before the load. */
#define EXT_FACT_BARRIER_LOAD 16u
struct ext_fact {
	u32 flags;
	u32 cost; /* most instructions from this checkpoint to the next */
};
struct ext_verdict {
	struct ext_fact *fact;
	u64 worst; /* most instructions that one run executes, functions' costs included; saturates at 2^63-1 */
	/* EXT_HANDLER: most instructions from the entry to the first checkpoint. Who runs it takes them from the budget
	 * beforehand: run.budget = budget - entry_cost. */
	u32 entry_cost;
	u32 stack;  /* bytes, all frames of the deepest chain */
	u32 depth;  /* most frames */
	u64 steps;  /* instructions the verifier walked */
	u64 states; /* abstract states it kept */
	u64 memory; /* bytes of the arena it used */
	struct ext_states
		*watched; /* with EXT_VERIFY_WATCH: what each register was proved to be (watch.h) */
};
#define EXT_VERIFY_WATCH 1u
/* What who runs programs keeps to: memory given with the entry's arguments, by them or through an object's members, is at
 * most EXT_MEMORY_MOST bytes long; it and the image end below 2^64 - 2^34; what objects given with the arguments hold
 * does not change during the run, but for members tagged "write". The stack may lie anywhere. */
#define EXT_MEMORY_MOST (1ul << 30)
/* Whether a run's arguments are as the attach point says and the verifier took for granted: 0, or a text that says what
 * argument `which` (from 0) is. What objects hold is not looked at. */
const char *ext_entry_wrong(const struct ext_attach *attach, const u64 arg[5], u32 *which);
/* steps: most instructions to walk. attach: argument types, class, limits. */
int ext_verify(struct ext_arena *a, const struct ext_program *p, const struct ext_interface *iface,
	       const struct ext_attach *attach, u64 steps, u32 flags, struct ext_verdict *out,
	       struct ext_refusal *why);

/* --- running */
#define EXT_FRAME_BYTES 512u /* of stack, each function */
#define EXT_FRAMES 8u	     /* most, nested */

/* What a run has besides its arguments: the sixth argument (r9) of compiled code, which keeps it in r12 when it needs
 * it. Offsets are part of the contract between jit.c and who calls compiled code. */
struct ext_run {
	s64 budget;  /* instructions left; below 0: stop */
	u64 stopped; /* out: 1: the budget was spent, r0 is no result */
	u64 stop_sp; /* the compiled code's own: where to return to when it stops */
	u64 cpu;
	u64 env[4];	  /* the attach point's, for its functions */
	void *function[]; /* by slot; called as the entry: r1..r5 and run */
};

/* Compiled: position independent; the image's data lies at code + data_at. The entry is a function of the System V
 * convention, u64 entry(r1, r2, r3, r4, r5, struct ext_run *): r1..r5 in rdi rsi rdx rcx r8, run in r9, r0 in rax. */
struct ext_code {
	u8 *bytes;
	u64 size;    /* bytes of code */
	u64 data_at; /* distance from the code's start to the image's data */
	u32 entry;   /* offset */
	u32 stack; /* most bytes of the machine's stack that a run takes, the entry's return address included, imported
		      * functions' own not */
	u32 keeps; /* 1: where it returns, RDI, RSI and R9 are what they were */
};
/* The most bytes that the program's code can take. */
u64 ext_compile_room(const struct ext_program *p);
/* room: as many bytes as may be written at out; less than the code takes: EXT_WHY_MEMORY. data_at: a multiple of 4096, at
 * least code->size. v 0: not verified, for tests on the host alone. An EXT_HANDLER counts its budget in run->budget and
 * returns 0 with run->stopped set when that gets below 0 at a checkpoint (whoever runs it clears stopped). */
int ext_compile(struct ext_arena *a, const struct ext_program *p, const struct ext_verdict *v,
		enum ext_class class, u8 *out, u64 room, u64 data_at, struct ext_code *code,
		struct ext_refusal *why);

/* The reference. data: the image's data; run: as compiled code has it. Returns r0. Never faults on its own account for
 * a verified program; with `check` every access is checked (checked.h) and a violation is reported there. */
struct ext_check;
u64 ext_interpret(const struct ext_program *p, const struct ext_verdict *v, u8 *data,
		  const u64 arg[5], struct ext_run *run, struct ext_check *check);

/* One instruction as text; returns bytes as snprintf. */
u64 ext_disassemble(const struct ext_program *p, u32 insn, char *out, u64 size);

#endif
