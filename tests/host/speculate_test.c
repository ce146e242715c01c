/* SPDX-License-Identifier: MIT
 * Barriers against speculation, where the verifier puts them: a jump that a secret could be read behind has its own; others
 * have theirs where the loop is left, or none. And checkpoints: none in what cannot spend its budget.
 * links: ext/verify.c ext/verify_alu.c ext/verify_mem.c ext/verify_object.c ext/verify_call.c ext/verify_branch.c ext/verify_loop.c ext/verify_guess.c ext/verify_facts.c ext/verify_shrink.c ext/verify_cost.c ext/verify_say.c ext/state.c ext/state_form.c ext/state_fact.c ext/state_join.c ext/flow.c ext/flow_code.c ext/flow_live.c ext/speculate.c ext/num.c ext/num_alu.c ext/num_bits.c ext/num_branch.c ext/num_divide.c ext/num_print.c ext/num_range.c ext/interp.c ext/alu.c ext/map.c ext/image.c ext/arena.c ext/refusal.c ext/disasm.c ext/btf.c ext/btf_check.c ext/btf_look.c ext/order.c */
#include "test.h"

#include "bpf_asm.h"
#include <ext.h>

#define MOST 100u
#define TAKEN EXT_FACT_BARRIER_TAKEN
#define NEXT EXT_FACT_BARRIER_NEXT
#define LOAD EXT_FACT_BARRIER_LOAD
#define STOP EXT_FACT_CHECKPOINT

static struct ext_insn insn[MOST];
static struct ext_function function[3];
static struct ext_program program;
static u8 arena_bytes[16 << 20];
static struct ext_verdict verdict;
static struct ext_refusal why;

/* bpf_asm.h has the form of the text. r1: 4096 bytes; r2, r3: at most 4096; r4: memory or null. */
static int verify(const char *text, u32 class, u32 budget)
{
	struct ext_arena a = {arena_bytes, sizeof(arena_bytes), 0};
	struct ext_attach attach = {
		.name = "test",
		.class = class,
		.args = 4,
		.arg = {{.kind = EXT_ARG_MEM, .bytes = 4096, .size_arg = 0xff},
			{.kind = EXT_ARG_SCALAR, .size_arg = 0xff, .most = 4096},
			{.kind = EXT_ARG_SCALAR, .size_arg = 0xff, .most = 4096},
			{.kind = EXT_ARG_MEM,
			 .flags = EXT_ARG_NULLABLE,
			 .bytes = 4096,
			 .size_arg = 0xff}},
		.ret_most = ~0ul,
		.worst_most = 1u << 30,
		.budget = budget,
	};
	int result;

	memset(function, 0, sizeof(function));
	memset(insn, 0, sizeof(insn));
	memset(arena_bytes, 0, sizeof(arena_bytes));
	program = (struct ext_program){.insn = insn, .function = function, .functions = 1};
	CHECK(asm_text(text, &program, insn));
	result = ext_verify(&a, &program, 0, &attach, 1000000, 0, &verdict, &why);
	if (result != EXT_OK) {
		char said[600];

		ext_refusal_print(&why, said, sizeof(said));
		printf("  %s\n", said);
	}
	return result;
}

/* What is asked for at the instruction. */
static void asks(u32 at, u32 flags)
{
	u32 is = verdict.fact[at].flags & (TAKEN | NEXT | LOAD | STOP);

	if (is != flags)
		printf("  instruction %u:\n", at);
	SAME(is, flags);
}

#define PURE(text) SAME(verify(text, EXT_PURE, 0), EXT_OK)
#define HANDLER(text, budget) SAME(verify(text, EXT_HANDLER, budget), EXT_OK)

/* for (r5 = 0; r5 < r2; r5++): r6 is the byte there; `then`, of which n instructions. Its test is at 6 + n. */
#define LOOP(then, back)                                                                \
	"r0 = 0;r5 = 0;if r2 == 0 goto +" back ";r6 = r1;r6 += r5;r6 = *(u8 *)(r6 + 0)" \
	";" then ";r5 += 1;if r5 < r2 goto -" back ";exit"

/* A sum of bytes tells nothing before it is returned. */
static void sum(void)
{
	PURE(LOOP("r0 += r6", "6"));
	asks(2, NEXT);
	asks(8, NEXT);
}

/* What transmits within the loop: an address, conditions, divisions; each with the barrier each time round. */
static void gadgets(void)
{
	PURE(LOOP("r7 = r1;r7 += r6;r0 = *(u8 *)(r7 + 0)", "8"));
	asks(10, TAKEN);
	PURE(LOOP("if r6 == 7 goto +0;r0 += r6", "7"));
	asks(9, TAKEN);
	PURE(LOOP("r7 = r6;if w7 s> w0 goto +0", "7"));
	asks(9, TAKEN);
	PURE(LOOP("r7 = 9;if r7 > r6 goto +0", "7"));
	asks(9, TAKEN);
	PURE(LOOP("r8 = 9;r8 /= r6", "7"));
	asks(9, TAKEN);
	PURE(LOOP("r6 %= 3", "6"));
	asks(8, TAKEN);
	PURE(LOOP("w6 /= 3", "6"));
	asks(8, TAKEN);
	PURE(LOOP("r0 *= r6", "6"));
	asks(8, NEXT);
	/* through copies and sums, and not where it was overwritten */
	PURE(LOOP("r7 = r6;r7 <<= 1;r8 = 5;r8 += r7;if r8 == 7 goto +0", "10"));
	asks(12, TAKEN);
	PURE(LOOP("r6 = 7;if r6 == 7 goto +0;r0 += r6", "8"));
	asks(10, NEXT);
	/* of the time before: it is in r7 where the loop begins again */
	PURE("r7 = 0;r0 = 0;r5 = 0;if r2 == 0 goto +7;if r7 == 5 goto +0;r6 = r1;r6 += r5;r7 = "
	     "*(u8 "
	     "*)(r6 + 0);r5 += 1;if r5 < r2 goto -6;r0 = 1;exit");
	asks(9, TAKEN);
	/* by a call */
	PURE("r6 = r1;r7 = r2;r8 = 0;if r7 == 0 goto +6;r1 = r6;r1 += r8;r1 = *(u8 *)(r1 + 0);call "
	     "+4;r8 += 1;if r8 < r7 goto -6;r0 = 0;exit;fn;r0 = r1;exit");
	asks(9, TAKEN);
}

/* Stores: a loop's may be anywhere, the run's budget included. */
static void stores(void)
{
	static const char clear[] = LOOP("r7 = r1;r7 += r5;*(u8 *)(r7 + 0) = r0", "8");

	HANDLER(clear, 1000000);
	asks(10, NEXT);
	HANDLER(clear, 1000);
	asks(10, TAKEN | STOP);
	HANDLER(LOOP("r7 = r1;r7 += r6;*(u8 *)(r7 + 0) = 5", "8"), 1000000);
	asks(10, TAKEN);
	HANDLER(LOOP("r7 = r1;r7 += r6;*(u8 *)(r7 + 0) = r5", "8"), 1000000);
	asks(10, TAKEN);
	/* a checkpoint alone tells nothing of what was loaded */
	HANDLER(LOOP("r0 += r6", "6"), 1000);
	asks(8, NEXT | STOP);
}

/* Loops within loops: out of both where nothing is told. */
static void nested(void)
{
	PURE("r0 = 0;r4 = 0;r5 = 0;r6 = r1;r6 += r5;r6 = *(u8 *)(r6 + 0);r0 += r6;r5 += 1;if r5 < "
	     "16 "
	     "goto -6;r4 += 1;if r4 != 16 goto -9;exit");
	asks(8, 0);
	asks(10, NEXT);
	/* the outer one asks what the inner one loaded */
	PURE("r0 = 0;r4 = 0;r5 = 0;r6 = r1;r6 += r5;r6 = *(u8 *)(r6 + 0);r0 += r6;r5 += 1;if r5 < "
	     "16 "
	     "goto -6;if r0 == 3 goto +0;r4 += 1;if r4 != 16 goto -10;exit");
	asks(8, NEXT);
}

/* What no access relies on needs no barrier; what one relies on by way of others does. */
static void reliance(void)
{
	/* two bytes compared */
	PURE("r0 = *(u8 *)(r1 + 0);r3 = *(u8 *)(r1 + 1);if r0 > r3 goto +1;r0 = *(u8 *)(r1 + "
	     "2);exit");
	asks(2, 0);
	/* how often, but not where */
	PURE("r0 = 0;r5 = 0;r6 = *(u8 *)(r1 + 0);r0 += r6;r5 += 1;if r5 < r2 goto -4;exit");
	asks(5, 0);
	/* r6 < r2, r3 <= 4000, and only then r2 <= r3: the last is what the access relies on, too */
	PURE("r0 = 0;r6 = *(u32 *)(r1 + 0);r2 = *(u64 *)(r1 + 8);r3 = *(u64 *)(r1 + 16);if r2 > "
	     "8000 "
	     "goto +8;if r3 > 8000 goto +7;if r6 >= r2 goto +6;if r3 > 4000 goto +5;if r2 > r3 "
	     "goto +4"
	     ";r1 += r6;r0 = *(u8 *)(r1 + 0);r0 += 1;r0 += 1;exit");
	asks(6, NEXT);
	asks(7, NEXT);
	asks(8, NEXT);
	/* through the stack */
	PURE("r0 = 0;*(u64 *)(r10 + -8) = r2;if r2 >= 4096 goto +3;r2 = *(u64 *)(r10 + -8);r1 += "
	     "r2;r0 = *(u8 *)(r1 + 0);exit");
	CHECK(verdict.fact[2].flags & NEXT);
	/* r3 goes to the stack and with it to where it is compared with what reaches the address */
	PURE("r0 = 0;r5 = *(u64 *)(r1 + 8);if r5 > 4000 goto +6;*(u64 *)(r10 + -8) = r5;r3 = *(u64 "
	     "*)(r10 + -8);if r2 >= r3 goto +3;r1 += r2;r0 = *(u8 *)(r1 + 0);r0 += 1;exit");
	CHECK(verdict.fact[2].flags & NEXT);
	CHECK(verdict.fact[5].flags & NEXT);
}

/* These stay where they are: nothing is known of what they say is so when they are wrong. */
static void staying(void)
{
	PURE("r0 = 0;if r4 == 0 goto +1;r0 = *(u8 *)(r4 + 0);exit");
	CHECK(verdict.fact[1].flags & NEXT);
	/* a way that is never gone, into what may be anything; also in a loop that tells nothing else */
	PURE("r0 = 0;r5 = 3;if r5 == 4 goto +1;exit;r0 = 1;exit");
	asks(2, TAKEN);
	PURE("r0 = 0;r5 = 0;r7 = 3;if r7 == 4 goto +0;r0 += r5;r5 += 1;if r5 != 9 goto -4;exit");
	CHECK(verdict.fact[3].flags & TAKEN);
	/* null in a loop that tells nothing else */
	PURE("r0 = 0;r5 = 0;r7 = r4;if r7 == 0 goto +2;r6 = *(u8 *)(r7 + 0);r0 += r6;r5 += 1;if r5 "
	     "< 9 "
	     "goto -5;exit");
	CHECK(verdict.fact[3].flags & NEXT);
	PURE("r0 = 0;r4 = r1;r2 = 0;r7 = r4;r6 = 0;r5 = *(u32 *)(r7 + 0);r0 += r5;r7 += 4;r6 += "
	     "1;if r6 == "
	     "16 goto +1;goto -6;r4 += 64;r2 += 1;if r2 == 16 goto +1;goto -12;exit");
	asks(9, 0);
	asks(13, TAKEN);
	/* the test of a loop is never a way not gone, though the first guess takes the counter for a constant */
	PURE("r0 = 0;r5 = 0;r0 += r5;r5 += 1;if r5 != 9 goto -3;exit");
	asks(4, 0);
}

/* Loads of spilled values: one barrier behind the stores is enough. */
static void spilled(void)
{
	HANDLER("*(u64 *)(r10 + -8) = r1;r1 = *(u64 *)(r10 + -8);r2 = *(u64 *)(r10 + -8);r0 = *(u8 "
		"*)(r1 + 0);r0 = *(u8 *)(r2 + 0);*(u64 *)(r10 + -16) = r2;r1 = *(u64 *)(r10 + "
		"-8);r3 = "
		"*(u64 *)(r10 + -16);r0 = *(u8 *)(r3 + 0);exit",
		1000);
	asks(1, LOAD);
	asks(2, 0);
	asks(6, 0);
	asks(7, LOAD);
	/* one way stores again */
	HANDLER("*(u64 *)(r10 + -8) = r1;r3 = *(u64 *)(r10 + -8);if r2 == 0 goto +1;*(u64 *)(r10 + "
		"-8) "
		"= r1;r1 = *(u64 *)(r10 + -8);r0 = *(u8 *)(r1 + 0);exit",
		1000);
	asks(4, LOAD);
	/* through another register; by a function; in a function */
	HANDLER("*(u64 *)(r10 + -8) = r1;r3 = *(u64 *)(r10 + -8);r5 = r10;r5 += -8;*(u64 *)(r5 + "
		"0) = "
		"r1;r1 = *(u64 *)(r10 + -8);r0 = *(u8 *)(r1 + 0);exit",
		1000);
	asks(5, LOAD);
	HANDLER("*(u64 *)(r10 + -8) = r1;r3 = *(u64 *)(r10 + -8);r1 = r10;call +3;r1 = *(u64 "
		"*)(r10 + "
		"-8);r0 = *(u8 *)(r1 + 0);exit;fn;*(u64 *)(r1 + -16) = 5;r0 = 0;exit",
		1000);
	asks(4, LOAD);
	HANDLER("*(u64 *)(r10 + -8) = r1;r1 = r10;call +1;exit;fn;r1 = *(u64 *)(r1 + -8);r0 = *(u8 "
		"*)(r1 + 0);exit",
		1000);
	asks(4, LOAD);
	/* what is loaded is told in the loop, and nothing stops it on the way */
	PURE("r0 = 0;r5 = 0;*(u64 *)(r10 + -8) = r1;r1 = *(u64 *)(r10 + -8);if r2 == 0 goto +8;r6 "
	     "= "
	     "*(u64 *)(r10 + -8);r6 += r5;r6 = *(u8 *)(r6 + 0);if r6 == 1 goto +0;r0 += r6;r5 += "
	     "1;if "
	     "r5 < r2 goto -7;r0 += 1;exit");
	asks(3, LOAD);
	asks(5, 0);
	asks(11, TAKEN);
}

/* A run that cannot spend its budget pays at its entry and is never stopped. */
static void budgets(void)
{
	static const char loop[] = "r0 = 0;r0 += 1;if r0 != 100 goto -2;exit";

	HANDLER(loop, 202);
	SAME(verdict.worst, 202);
	SAME(verdict.entry_cost, 202);
	asks(2, 0);
	HANDLER(loop, 201);
	CHECK(verdict.entry_cost < 10);
	asks(2, STOP);
	HANDLER(loop, 1000);
	SAME(verdict.entry_cost, 202);
}

int main(void)
{
	static const struct test tests[] = {TEST(sum),	   TEST(gadgets),  TEST(stores),
					    TEST(nested),  TEST(reliance), TEST(staying),
					    TEST(spilled), TEST(budgets)};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
