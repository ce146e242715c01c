/* SPDX-License-Identifier: MIT
 * The verifier's limits: programs that are made to be slow to verify, or to need much memory, are refused for just that,
 * within the steps and the memory given; whichever piece of memory is not to be had, that is what the refusal says.
 * links: ext/verify.c ext/verify_alu.c ext/verify_mem.c ext/verify_object.c ext/verify_call.c ext/verify_branch.c ext/verify_loop.c ext/verify_guess.c ext/verify_facts.c ext/verify_shrink.c ext/verify_cost.c ext/verify_say.c ext/state.c ext/state_form.c ext/state_fact.c ext/state_join.c ext/flow.c ext/flow_code.c ext/flow_live.c ext/speculate.c ext/num.c ext/num_alu.c ext/num_bits.c ext/num_branch.c ext/num_divide.c ext/num_print.c ext/num_range.c ext/arena.c ext/refusal.c ext/disasm.c ext/btf.c ext/btf_check.c ext/btf_look.c ext/order.c */
#include "test.h"

#include <sys/resource.h>

#include <ext.h>

#define MOST 8192u
#define ARENA (32u << 20)

static struct ext_insn code[MOST];
static u32 used;
static u8 arena_bytes[ARENA] __attribute__((aligned(8)));
static struct ext_attach attach = {
	.name = "test",
	.class = EXT_HANDLER,
	.args = 3,
	.arg = {{.kind = EXT_ARG_MEM, .size_arg = 1},
		{.kind = EXT_ARG_SIZE, .size_arg = 0xff, .most = ~0ul},
		{.kind = EXT_ARG_SCALAR, .size_arg = 0xff, .most = ~0ul}},
	.ret_most = ~0ul,
};
static struct ext_function function[16];
static struct ext_program program = {.name = "f", .insn = code, .function = function};
static struct ext_verdict verdict;
static struct ext_refusal why;
static u64 taken; /* of the arena */

static void put(u8 c, u32 dst, u32 src, s32 off, s32 imm)
{
	if (used < MOST)
		code[used++] = (struct ext_insn){c, (u8)(dst | src << 4), (s16)off, imm};
}

static void begin(void)
{
	used = 0;
	program.functions = 1;
	function[0] = (struct ext_function){.name = "f"};
}

/* The function that is being written ends here, and another begins. */
static void next(void)
{
	struct ext_function *f = &function[program.functions - 1];

	f->count = used - f->first;
	function[program.functions++] = (struct ext_function){.name = "g", .first = used};
}

static int verify(u64 steps, u64 memory, u32 flags)
{
	struct ext_arena a = {arena_bytes, memory, 0};
	struct ext_function *f = &function[program.functions - 1];
	int error;

	f->count = used - f->first;
	program.insns = used;
	error = ext_verify(&a, &program, 0, &attach, steps, flags, &verdict, &why);
	taken = a.used;
	return error;
}

/* --- programs */
/* Loops in one another, each of `turns` turns; the innermost's end depends on all of the others' counters. */
static void nest(u32 depth, s32 turns)
{
	u32 head[16];

	begin();
	put(EXT_ALU64 | EXT_MOV, 0, 0, 0, 0);
	for (u32 d = 0; d < depth; d++) {
		put(EXT_ST | EXT_MEM | EXT_DW, 10, 0, -(s32)(8 * (d + 1)), 0);
		head[d] = used;
	}
	put(EXT_ALU64 | EXT_ADD, 0, 0, 0, 1);
	for (u32 d = depth; d-- > 0;) {
		put(EXT_LDX | EXT_MEM | EXT_DW, 1, 10, -(s32)(8 * (d + 1)), 0);
		put(EXT_ALU64 | EXT_ADD, 1, 0, 0, 1);
		put(EXT_STX | EXT_MEM | EXT_DW, 10, 1, -(s32)(8 * (d + 1)), 0);
		put(EXT_JMP | EXT_JLT, 1, 0, (s32)head[d] - (s32)used - 1, turns);
	}
	put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
}

/* Ways that part and meet again, a pointer or a number on each: what reaches the next is of many shapes. */
static void branches(u32 count)
{
	begin();
	put(EXT_ALU64 | EXT_MOV | EXT_X, 6, 1, 0, 0);
	put(EXT_ALU64 | EXT_MOV | EXT_X, 7, 3, 0, 0);
	for (u32 k = 1; k <= 60; k++)
		put(EXT_ST | EXT_MEM | EXT_DW, 10, 0, -(s32)(8 * k), 0);
	for (u32 n = 0; n < count; n++) {
		s32 at = -(s32)(8 * (1 + n % 60));

		put(EXT_JMP | EXT_JSET, 7, 0, 2, (s32)(1u << n % 31));
		put(EXT_STX | EXT_MEM | EXT_DW, 10, 6, at, 0);
		put(EXT_JMP | EXT_JA, 0, 0, 1, 0);
		put(EXT_STX | EXT_MEM | EXT_DW, 10, 7, at, 0);
	}
	put(EXT_ALU64 | EXT_MOV, 0, 0, 0, 0);
	put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
}

/* Functions that call the next one `calls` times each. */
static void chain(u32 depth, u32 calls)
{
	u32 at[16][64];

	begin();
	for (u32 d = 0; d < depth; d++) {
		for (u32 n = 0; d + 1 < depth && n < calls; n++) {
			at[d][n] = used;
			put(EXT_JMP | EXT_CALL, 0, EXT_CALL_LOCAL, 0, 0);
		}
		put(EXT_ALU64 | EXT_MOV, 0, 0, 0, 0);
		put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
		if (d + 1 < depth)
			next();
	}
	for (u32 d = 0; d + 1 < depth; d++)
		for (u32 n = 0; n < calls; n++)
			code[at[d][n]].imm = (s32)(function[d + 1].first - at[d][n] - 1);
}

/* A bit of all: a loop over memory with two ways out and one that ends by halving, in a function that is called. */
static void mixed(void)
{
	begin();
	put(EXT_ALU64 | EXT_MOV | EXT_X, 6, 1, 0, 0);
	put(EXT_ALU64 | EXT_MOV | EXT_X, 7, 2, 0, 0);
	put(EXT_ALU64 | EXT_MOV, 8, 0, 0, 0);
	put(EXT_JMP | EXT_JGE | EXT_X, 8, 7, 6, 0);
	put(EXT_ALU64 | EXT_MOV | EXT_X, 1, 6, 0, 0);
	put(EXT_ALU64 | EXT_ADD | EXT_X, 1, 8, 0, 0);
	put(EXT_LDX | EXT_MEM | EXT_B, 1, 1, 0, 0);
	put(EXT_JMP | EXT_CALL, 0, EXT_CALL_LOCAL, 0, 4);
	put(EXT_ALU64 | EXT_ADD, 8, 0, 0, 1);
	put(EXT_JMP | EXT_JNE, 0, 0, -7, 5);
	put(EXT_ALU64 | EXT_MOV, 0, 0, 0, 0);
	put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
	next();
	put(EXT_ALU64 | EXT_MOV, 0, 0, 0, 0);
	put(EXT_JMP | EXT_JEQ, 1, 0, 3, 0);
	put(EXT_ALU64 | EXT_RSH, 1, 0, 0, 1);
	put(EXT_ALU64 | EXT_ADD, 0, 0, 0, 1);
	put(EXT_JMP | EXT_JA, 0, 0, -4, 0);
	put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
}

/* --- */
static double now(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_utime.tv_sec + (double)r.ru_utime.tv_usec / 1e6;
}

/* Refused for its steps, whatever they are; and it takes no longer than they say. */
static void slow(const char *name, u64 memory)
{
	for (u64 steps = 1; steps <= 64000; steps = steps * 3 + 1) {
		double began = now();
		int error = verify(steps, memory, 0);
		double each = (now() - began) / (double)steps;

		if (error != EXT_WHY_STEPS)
			printf("%s: %lu steps: %s: %s\n", name, (unsigned long)steps,
			       ext_why_name((enum ext_why)error), why.text);
		CHECK(error == EXT_WHY_STEPS);
		CHECK(why.why == EXT_WHY_STEPS);
		/* sanitizers slow it down some ten times; a step that is not bounded is far beyond */
		CHECK(steps < 1000 || each < 0.002);
	}
}

static void steps_nest(void)
{
	nest(10, 1000000);
	slow("nest", ARENA);
}

static void steps_chain(void)
{
	chain(8, 40);
	slow("chain", ARENA);
}

static void steps_branches(void)
{
	branches(1900);
	slow("branches", ARENA);
}

/* Without the pieces of memory, from the last to the first: each is missed once. */
static void pieces(void)
{
	for (u32 flags = 0; flags <= EXT_VERIFY_WATCH; flags += EXT_VERIFY_WATCH) {
		u32 missed = 0;

		if (verify(1000000, ARENA, flags))
			printf("%s\n", why.text);
		CHECK(verify(1000000, ARENA, flags) == EXT_OK);
		while (taken) {
			int error = verify(1000000, taken - 1, flags);

			CHECK(error == EXT_WHY_MEMORY);
			CHECK(why.why == EXT_WHY_MEMORY);
			CHECK(why.text[0] != 0);
			if (error != EXT_WHY_MEMORY)
				return;
			missed++;
		}
		CHECK(missed > 12);
	}
}

static void memory_mixed(void)
{
	mixed();
	pieces();
}

static void memory_nest(void)
{
	nest(3, 10);
	pieces();
}

static void memory_chain(void)
{
	chain(4, 2);
	pieces();
}

static void memory_branches(void)
{
	branches(40);
	pieces();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(steps_nest),  TEST(steps_chain),  TEST(steps_branches), TEST(memory_mixed),
		TEST(memory_nest), TEST(memory_chain), TEST(memory_branches)};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
