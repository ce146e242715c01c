/* SPDX-License-Identifier: MIT
 * The kernel-call fuzzer's parts. Two sides, A and B, hold sub-names of this domain's name; each has three fuzzers,
 * threads with an env each, that make random calls. The supervisor, one thread a CPU, holds the domain's name and root:
 * it gives the CPUs to fuzzers, ends and rebuilds them, binds and hands out again what they lost, and audits. */
#ifndef FUZZ_H
#define FUZZ_H

#include <aril/info.h>
#include <aril/upcall.h>
#include <aril_call_desc.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/rpc.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define SIDES 2
#define FUZZERS 6
#define LEAVES 32  /* envs that fuzzers made, by slot modulo */
#define POOL 192   /* frames of a side */
#define SHARED 16  /* frames that both sides open: guard[0] A's, guard[1] B's */
#define BIG 512	   /* and as many more, aligned, to join into one of 2 MiB */
#define PAGES 8	   /* the first frames of a side's pool: bound in the windows, contexts of leaves */
#define CANARIES 8 /* frames of the supervisor alone */
#define GRANTS 2   /* of a side: a line and ports */
#define SCRATCH 16384 /* bytes of a fuzzer's argument memory */
#define STACK 16384
#define PAST 24	   /* calls that succeeded, kept by a fuzzer */
#define RECORD 320 /* bytes of argument memory kept with them */
#define VA 0x400000000000ul
#define PATTERN 0x5ea1f00d0ddba115ul

/* One call: what was passed, and the bytes that its pointer argument pointed to. */
struct past {
	u32 call; /* index in aril_call_desc */
	u32 bytes;
	u64 arg[6];
	u8 record[RECORD];
};

/* A sequence of calls that a fuzzer is in the middle of: see plan.c. */
struct plan {
	u32 kind, going, step, failed;
	u32 space, level, env, account, cpu, position;
	u32 frame[8];
	u64 va, bound;
};

struct fuzzer {
	struct core_cpu cpu; /* first: the context's cookie points here */
	u64 random;
	u32 number, side, on_cpu, leaf;
	u32 env, frame, context_frame, lives;
	struct aril_context *context;
	u8 *stack, *scratch;
	u32 auth, weak,
		closed; /* opened: all its side's rights; a longer name; an index that was closed */
	u32 at, npast, recent; /* in scratch; past calls */
	u32 *volatile hot; /* word of an argument that others are to change while the kernel reads it */
	struct plan plan;
	u64 steps;
	struct past past[PAST];
};

struct side {
	struct aril_cap cap, weak;
	struct aril_guard guard;
	u32 account, space; /* the supervisor's tables under a root that this side may RUN in */
	u32 first;	    /* of POOL frames */
	volatile u32 grant[GRANTS];
	u8 *window; /* PAGES pages of the pool */
};

extern struct side sides[SIDES];
extern struct fuzzer fuzzers[FUZZERS], leaves[LEAVES];
extern u32 shared_first, big_first, canary_first;
#define ERRORS 20
extern u64 made[ARIL_CALLS], worked[ARIL_CALLS], refused[ARIL_CALLS][ERRORS];
extern volatile u32 stopping;
extern const u64 fuzzers_bytes;

static inline const volatile struct aril_frame *frame_info(u32 frame)
{
	return (const volatile struct aril_frame *)ARIL_INFO->frames_va + frame;
}

static inline const volatile struct aril_env_info *env_info(u32 env)
{
	return (const volatile struct aril_env_info *)ARIL_INFO->envs_va + (env & 0xffff);
}

static inline const volatile struct aril_account *account_info(u32 account)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va + (account & 0xff);
}

/* A number below n (not 0) of the fuzzer's own sequence. */
static inline u32 below(struct fuzzer *f, u32 n)
{
	u64 x = f->random += 0x9e3779b97f4a7c15ul;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ul;
	x = (x ^ x >> 27) * 0x94d049bb133111ebul;
	return (u32)((x ^ x >> 31) >> 33) % n;
}

static inline int one_in(struct fuzzer *f, u32 n)
{
	return !below(f, n);
}

/* make.c: fills in the arguments of call number `call` of the table. */
void call_make(struct fuzzer *f, u32 call, struct past *to);
/* Changes something about it. */
void call_mutate(struct fuzzer *f, struct past *call);
u32 pick_env(struct fuzzer *f);
u64 pick_va(struct fuzzer *f);
/* One of n frames from first on in that state (NORMAL: idle); 0: none. */
u32 find_frame(struct fuzzer *f, u32 first, u32 n, u32 state);
/* n consecutive idle frames of the side. */
u32 pick_run(struct fuzzer *f, u32 n);
/* A position of that CPU that the side has; if there is none, any. */
u32 own_position(struct fuzzer *f, u32 cpu);
/* Memory for an argument. */
u8 *room(struct fuzzer *f, u32 bytes);

/* code.c: seals pieces of code for both sides; takes one back and seals it again. */
void code_start(void);
void code_again(u32 n);
/* Writes something else into the data of one. */
void code_disturb(struct fuzzer *random);
/* The record of a call about code. */
u32 code_record(struct fuzzer *f, u32 kind, u8 *to);
u32 pick_account(struct fuzzer *f, int below_own);
u32 pick_auth(struct fuzzer *f);

/* plan.c: the next call of a fuzzer's sequence, or the first of a new one; 0: it has none to make. */
int plan_next(struct fuzzer *f, struct past *to);
/* What came of it. */
void plan_made(struct fuzzer *f, const struct past *call, s64 result);

/* main.c: something is wrong: counted, and said. */
void fuzz_finding(const char *what, u64 a, u64 b);

/* main.c: what the supervisor needs to be able to do; without it there is nothing to fuzz. */
s64 must(const char *what, s64 result);

/* check.c, by the supervisor, who has root. The kernel's own audit; frames that nobody may touch; a page of two frames in
 * turn, changed by one CPU and read by others, who must not see what was before; a binding that must go with its guard. */
extern u32 root, audits, audited;
void checks_start(void);
void audit(void), canaries(void), probe_change(void), probe_guard(void);
void probe_read(struct fuzzer *random, u32 cpu);

/* step.c: changes a word of what fuzzers on other CPUs pass, for moments. */
void disturb_others(struct fuzzer *random, u32 cpu);
/* Makes one call, by chance a new one or one that succeeded before, changed. */
void fuzz_step(struct fuzzer *f);
/* The fuzzers' thread; what envs made by fuzzers do at each upcall. */
void fuzz_run(void);
void fuzz_entry(void), fuzz_gate_entry(void);
void fuzz_leaf_entry(void), fuzz_leaf_gate(void);
s64 fuzz_gate(u32 caller, struct core_message *message);

#endif
