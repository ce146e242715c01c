/* SPDX-License-Identifier: MIT
 * Rules of the verifier for programs that no object leads to, as loader, linker and interface refuse them before: it
 * trusts none of these.
 * links: ext/verify.c ext/verify_alu.c ext/verify_mem.c ext/verify_object.c ext/verify_call.c ext/verify_branch.c ext/verify_loop.c ext/verify_guess.c ext/verify_facts.c ext/verify_shrink.c ext/verify_cost.c ext/verify_say.c ext/state.c ext/state_form.c ext/state_fact.c ext/state_join.c ext/flow.c ext/flow_code.c ext/flow_live.c ext/speculate.c ext/num.c ext/num_alu.c ext/num_bits.c ext/num_branch.c ext/num_divide.c ext/num_print.c ext/num_range.c ext/arena.c ext/refusal.c ext/disasm.c ext/btf.c ext/btf_check.c ext/btf_look.c ext/order.c */
#include "test.h"

#include <btf.h>
#include <ext.h>

#define ARENA (4u << 20)

static struct ext_insn code[96];
static u32 used;
static u8 arena_bytes[ARENA] __attribute__((aligned(8)));
static struct ext_attach attach;
static struct ext_contract contract;
static struct ext_import import;
static struct ext_region region[2];
static struct ext_function function[8];
static struct ext_program program;
static struct ext_verdict verdict;
static struct ext_refusal why;

static void put(u8 c, u32 dst, u32 src, s32 off, s32 imm)
{
	code[used++] = (struct ext_insn){c, (u8)(dst | src << 4), (s16)off, imm};
}

static void leave(void)
{
	put(EXT_ALU64 | EXT_MOV, 0, 0, 0, 0);
	put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
}

/* A handler with one function, that may call one imported function without arguments. */
static void begin(void)
{
	used = 0;
	memset(code, 0, sizeof(code));
	attach = (struct ext_attach){.name = "test", .class = EXT_HANDLER, .ret_most = ~0ul};
	contract = (struct ext_contract){
		.name = "import", .ret = EXT_RET_SCALAR, .ret_most = ~0ul, .cost = 1};
	import = (struct ext_import){.name = "import", .contract = &contract};
	region[0] = (struct ext_region){.name = "data", .kind = EXT_DATA, .bytes = 64};
	region[1] = (struct ext_region){
		.name = "map", .kind = EXT_ARRAY, .key = 4, .value = 8, .entries = 4};
	function[0] = (struct ext_function){.name = "f"};
	program = (struct ext_program){.name = "f",
				       .insn = code,
				       .function = function,
				       .functions = 1,
				       .region = region,
				       .regions = 2,
				       .import = &import,
				       .imports = 1};
}

static int verify(void)
{
	struct ext_arena a = {arena_bytes, ARENA, 0};

	program.insns = used;
	if (program.functions == 1)
		function[0].count = used;
	return ext_verify(&a, &program, 0, &attach, 10000, 0, &verdict, &why);
}

#define REFUSED(reason, part)                                                            \
	do {                                                                             \
		int got = verify();                                                      \
		if (got != (reason) || !strstr(why.text, part))                          \
			printf("  %s: %s\n", ext_why_name((enum ext_why)got), why.text); \
		CHECK(got == (reason) && why.why == (reason));                           \
		CHECK(strstr(why.text, part) != 0);                                      \
	} while (0)

static void call(void)
{
	put(EXT_JMP | EXT_CALL, 0, EXT_CALL_IMPORT, 0, 0);
	leave();
}

/* --- contracts */
static void entries(void)
{
	for (u32 kind = 0; kind < 9; kind++) {
		begin();
		attach.args = 1;
		attach.arg[0] = (struct ext_arg){
			.kind = (u8)kind, .size_arg = 0xff, .bytes = 8, .most = ~0ul};
		leave();
		if (kind == EXT_ARG_SCALAR || kind == EXT_ARG_SIZE || kind == EXT_ARG_MEM ||
		    kind == EXT_ARG_OBJECT)
			CHECK(verify() == EXT_OK);
		else
			REFUSED(EXT_WHY_CALL, "of a kind that no entry has");
	}
}

static void imports(void)
{
	begin();
	call();
	CHECK(verify() == EXT_OK);
	begin();
	import.contract = 0;
	call();
	REFUSED(EXT_WHY_CALL, "import has no contract");
	begin();
	contract.args = 1;
	contract.arg[0].kind = 77;
	put(EXT_ALU64 | EXT_MOV, 1, 0, 0, 0);
	call();
	REFUSED(EXT_WHY_CALL, "the contract of import is not understood");
	begin();
	contract.ret = 77;
	call();
	REFUSED(EXT_WHY_CALL, "the contract of import is not understood");
	begin();
	contract.ret = EXT_RET_VALUE;
	call();
	REFUSED(EXT_WHY_CALL, "is given no map");
	begin();
	contract.args = 1;
	contract.arg[0].kind = EXT_ARG_KEY;
	put(EXT_ALU64 | EXT_MOV | EXT_X, 1, 10, 0, 0);
	call();
	REFUSED(EXT_WHY_CALL, "belongs to a map");
	begin();
	put(EXT_JMP | EXT_CALL, 0, EXT_CALL_IMPORT, 0, 1);
	leave();
	REFUSED(EXT_WHY_CODE, "no such imported function");
	begin();
	program.imports = 0;
	call();
	REFUSED(EXT_WHY_CODE, "no such imported function");
}

/* --- functions and regions */
static void functions(void)
{
	static const u32 table[][5] = {/* first and count of two functions; how many there are */
				       {0, 2, 3, 1, 2}, {1, 3, 0, 0, 1}, {0, 0, 0, 4, 2},
				       {0, 2, 2, 3, 2}, {0, 2, 2, 0, 2}, {0, 2, 0, 4, 2},
				       {0, 2, 0, 0, 1}, {0, 0, 0, 0, 0}};

	for (u32 n = 0; n < sizeof(table) / sizeof(table[0]); n++) {
		begin();
		leave();
		leave();
		function[0].first = table[n][0];
		function[0].count = table[n][1];
		function[1] = (struct ext_function){
			.name = "g", .first = table[n][2], .count = table[n][3]};
		program.functions = table[n][4];
		program.insns = used;
		struct ext_arena a = {arena_bytes, ARENA, 0};
		CHECK(ext_verify(&a, &program, 0, &attach, 10000, 0, &verdict, &why) ==
		      EXT_WHY_FLOW);
	}
	begin();
	leave();
	leave();
	function[0].first = 1; /* as many instructions as there are, but not these */
	REFUSED(EXT_WHY_FLOW, "functions do not follow one another");
	begin();
	program.functions = 0;
	REFUSED(EXT_WHY_FLOW, "outside every function");
}

static void regions(void)
{
	static const struct {
		u32 src, imm, high;
		const char *text;
	} bad[] = {{EXT_LD_REGION, 2, 0, "no such region"},
		   {EXT_LD_MAP, 2, 0, "no such region"},
		   {EXT_LD_MAP, (u32)-1, 0, "no such region"},
		   {3, 0, 0, "no such 64-bit load"},
		   {EXT_LD_MAP, 1, 1, "the second half of a map's load is not 0"},
		   {EXT_LD_MAP, 0, 0, "a map where data is meant"},
		   {EXT_LD_REGION, 1, 0, "a map where data is meant"}};

	for (u32 n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		begin();
		put(EXT_LDDW, 1, bad[n].src, 0, (s32)bad[n].imm);
		put(0, 0, 0, 0, (s32)bad[n].high);
		leave();
		REFUSED(EXT_WHY_CODE, bad[n].text);
	}
}

/* --- instructions */
static void instructions(void)
{
	begin();
	put(EXT_JMP | EXT_CALL, 0, 2, 0, 1);
	put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
	function[0].count = used;
	function[1] = (struct ext_function){.name = "g", .first = used, .count = 2};
	program.functions = 2;
	leave();
	REFUSED(EXT_WHY_CODE, "no such call");
	code[0].regs = EXT_CALL_LOCAL << 4;
	CHECK(verify() == EXT_OK);
	begin();
	put(EXT_LD | 0x20, 0, 0, 0, 0);
	put(0, 0, 0, 0, 0);
	leave();
	REFUSED(EXT_WHY_CODE, "no such load");
	CHECK(why.insn == 0);
	begin();
	put(EXT_LDDW, 0, 0, 0, 0);
	REFUSED(EXT_WHY_CODE, "half a 64-bit load");
}

/* Loops in one another, in one function. */
static void nest(u32 depth)
{
	begin();
	for (u32 d = 0; d <= depth; d++) /* each a head but the first */
		put(EXT_ALU64 | EXT_MOV, 0, 0, 0, 0);
	for (u32 d = depth; d > 0; d--)
		put(EXT_JMP | EXT_JNE, 0, 0, (s32)d - (s32)used - 1, 0);
	leave();
}

static void nested(void)
{
	nest(4);
	CHECK(verify() == EXT_OK);
	nest(13);
	REFUSED(EXT_WHY_FLOW, "loops nested too deep");
}

/* --- what a refusal says, and what is final */
static void texts(void)
{
	begin();
	attach.args = 1;
	attach.arg[0] = (struct ext_arg){.kind = EXT_ARG_SCALAR, .size_arg = 0xff, .most = ~0ul};
	/* a pointer or a number in each of four registers: more kinds of states than are kept apart */
	for (u32 r = 2; r < 6; r++) {
		put(EXT_ALU64 | EXT_MOV, r, 0, 0, 0);
		put(EXT_JMP | EXT_JSET, 1, 0, 1, (s32)(1u << r));
		put(EXT_ALU64 | EXT_MOV | EXT_X, r, 10, 0, 0);
	}
	for (u32 r = 2; r < 6; r++)
		put(EXT_ALU64 | EXT_MOV | EXT_X, 6, r, 0, 0);
	leave();
	REFUSED(EXT_WHY_UNSET, " is not the same kind of value");
	begin();
	put(EXT_ALU64 | EXT_MOV | EXT_X, 0, 2, 0, 0);
	put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
	REFUSED(EXT_WHY_UNSET, "R2 was not written");
}

/* Functions with three loops in one another, each calling the next in the innermost. */
static void deep(u32 functions)
{
	u32 n;

	begin();
	for (n = 0; n < functions; n++) {
		struct ext_function *f = &function[n];

		*f = (struct ext_function){.name = "f", .first = used};
		for (u32 d = 9; d-- > 6;)
			put(EXT_ALU64 | EXT_MOV, d, 0, 0, 0);
		if (n + 1 < functions)
			put(EXT_JMP | EXT_CALL, 0, EXT_CALL_LOCAL, 0, 8);
		else
			put(EXT_ALU64 | EXT_MOV, 0, 0, 0, 0);
		for (u32 d = 6; d < 9; d++) {
			put(EXT_ALU64 | EXT_ADD, d, 0, 0, 1);
			put(EXT_JMP | EXT_JLT, d, 0, -3 - 3 * (s32)(d - 6), 3);
		}
		leave();
		f->count = used - f->first;
	}
	program.functions = functions;
}

static void loops(void)
{
	deep(2);
	CHECK(verify() == EXT_OK);
	deep(6);
	REFUSED(EXT_WHY_LOOP, "loops nested too deep, through calls");
}

int main(void)
{
	static const struct test tests[] = {TEST(entries), TEST(imports),      TEST(functions),
					    TEST(regions), TEST(instructions), TEST(nested),
					    TEST(texts),   TEST(loops)};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
