/* SPDX-License-Identifier: MIT
 * The compiler's edges: what it refuses, its room, the stack it says, stopping from any depth; and that the instrumented
 * interpreter sees each kind of violation.
 * links: ext/jit.c ext/jit_emit.c ext/jit_value.c ext/jit_alu.c ext/jit_mem.c ext/jit_flow.c ext/jit_live.c ext/interp.c ext/alu.c ext/map.c ext/image.c ext/arena.c ext/refusal.c ext/disasm.c */
#include "test.h"

#include "bpf_asm.h"
#include <checked.h>
#include <ext.h>
#include <map.h>

#include <sys/mman.h>

#define MOST 200u
#define CODE 65536u

static struct ext_insn insn[MOST];
static struct ext_function function[10];
static struct ext_program program;
static struct ext_contract contract;
static struct ext_import import;
static struct ext_region region;
static u8 arena_bytes[1 << 16];
static struct ext_refusal why;
static struct ext_code code;
static u8 *image;

/* bpf_asm.h has the form of the text. */
static void assemble(const char *text)
{

	memset(function, 0, sizeof(function));
	memset(insn, 0, sizeof(insn));
	program = (struct ext_program){.insn = insn, .function = function, .functions = 1};
	CHECK(asm_text(text, &program, insn));
}

static int compile_v(const struct ext_verdict *v, u64 room)
{
	struct ext_arena a = {arena_bytes, sizeof(arena_bytes), 0};
	int result;

	mprotect(image, CODE, PROT_READ | PROT_WRITE);
	result = ext_compile(&a, &program, v, EXT_HANDLER, image, room, CODE, &code, &why);
	mprotect(image, CODE, PROT_READ | PROT_EXEC);
	return result;
}

static int compile(void)
{
	return compile_v(0, CODE);
}

static int compile_text(const char *text)
{
	assemble(text);
	return compile();
}

/* --- refusals: one field wrong at a time */
static int changed(u32 at, struct ext_insn i)
{
	assemble("r0 = 0;r0 += r1;r0 = *(u32 *)(r1 + 0);exit");
	insn[at] = i;
	return compile();
}

static void codes(void)
{
	SAME(compile_text("r0 = 0;exit"), EXT_OK);
	SAME(changed(0, asm_make(EXT_ALU64 | EXT_MOV, 10, 0, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ALU64 | EXT_MOV, 11, 0, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ALU64 | EXT_MOV | EXT_X, 0, 11, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_LDX | EXT_MEM, 10, 1, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ALU64 | 0xe0, 0, 0, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ALU64 | EXT_NEG | EXT_X, 0, 0, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ALU64 | EXT_ADD, 0, 0, 1, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ALU64 | EXT_DIV, 0, 0, 2, 5)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ALU64 | EXT_MOV | EXT_X, 0, 1, 7, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ALU | EXT_MOV | EXT_X, 0, 1, 32, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ALU | EXT_END, 0, 0, 0, 8)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ALU64 | EXT_END | EXT_X, 0, 0, 0, 16)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_JMP | 0xe0, 0, 0, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_JMP32 | EXT_CALL, 0, 0, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_JMP | EXT_CALL, 0, 2, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_JMP | EXT_CALL, 0, 0, 0, 0)), EXT_WHY_CALL);
	SAME(changed(0, asm_make(EXT_LDX | EXT_MEMSX | EXT_DW, 0, 1, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_LDX | 0x20, 0, 1, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_ST | EXT_ATOMIC, 0, 1, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_STX | EXT_ATOMIC | EXT_B, 1, 2, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_STX | EXT_ATOMIC | EXT_W, 1, 2, 0, EXT_SUB)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_LD | 0x20, 0, 0, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_LDDW, 0, 3, 0, 0)), EXT_WHY_CODE);
	SAME(changed(0, asm_make(EXT_LDDW, 0, EXT_LD_REGION, 0, 0)), EXT_WHY_CODE);
	SAME(changed(3, asm_make(EXT_LDDW, 0, 0, 0, 0)), EXT_WHY_CODE);
	SAME(why.insn, 3);
}

static void flow(void)
{
	SAME(compile_text("goto +1;exit;exit"), EXT_OK);
	SAME(compile_text("goto +2;exit;exit"), EXT_WHY_FLOW);
	SAME(compile_text("goto -2;exit"), EXT_WHY_FLOW);
	SAME(compile_text("gotol 2147483647;exit"), EXT_WHY_FLOW);
	SAME(compile_text("if r1 == 0 goto +1;exit;fn;r0 = 0;exit"), EXT_WHY_FLOW);
	SAME(compile_text("call +1;exit;fn;r0 = 0;exit"), EXT_OK);
	SAME(compile_text("call +2;exit;fn;r0 = 0;exit"), EXT_WHY_FLOW);
	SAME(compile_text("call +100;exit"), EXT_WHY_FLOW);
	SAME(compile_text("call -2147483648;exit"), EXT_WHY_FLOW);
	assemble("r0 = 0;exit");
	function[0].count = 1;
	SAME(compile(), EXT_WHY_FLOW);
	function[0].count = 3;
	SAME(compile(), EXT_WHY_FLOW);
	function[0].first = 1;
	function[0].count = 1;
	SAME(compile(), EXT_WHY_FLOW);
	function[0] = (struct ext_function){.first = 0, .count = 0};
	SAME(compile(), EXT_WHY_FLOW);
	program.functions = 0;
	SAME(compile(), EXT_WHY_FLOW);
	assemble("exit;fn;r0 = 0;exit"); /* half of an instruction in each of two functions */
	insn[0] = asm_make(EXT_LDDW, 0, 0, 0, 0);
	SAME(compile(), EXT_WHY_CODE);
	assemble("r0 = 0;exit");
	program.functions = 3;
	SAME(compile(), EXT_WHY_LENGTH);
	assemble("r0 = 0;exit");
	program.insns = (1u << 20) + 1;
	SAME(compile(), EXT_WHY_LENGTH);
	assemble("r0 = 0;exit");
	program.data_bytes = 1ull << 40;
	SAME(compile(), EXT_WHY_LENGTH);
}

/* --- room: nothing is written behind it, whatever it is */
static void room(void)
{
	u64 size;

	assemble("r6 = 0x123456789abcdef ll;r7 = r6;r7 /= r1;*(u64 *)(r10 + -8) = r7;if r7 == 1 "
		 "goto +2;r7 += 5;call "
		 "+3;r0 += r7;r0 += r6;exit;fn;r0 = *(u8 *)(r1 + 0);w0 = fetch lock *(u32 *)(r1 + "
		 "4) ^= w0;exit");
	SAME(compile(), EXT_OK);
	size = code.size;
	CHECK(size > 60 && size <= ext_compile_room(&program));
	for (u64 r = 0; r <= size; r++) {
		mprotect(image, CODE, PROT_READ | PROT_WRITE);
		memset(image, 0xa5, CODE);
		SAME(compile_v(0, r), r < size ? EXT_WHY_MEMORY : EXT_OK);
		for (u64 i = r; i < size + 64; i++)
			CHECK(image[i] == 0xa5);
	}
	/* the arena is small */
	for (u64 n = 0; n < 2000; n += 40) {
		struct ext_arena a = {arena_bytes, n, 0};

		mprotect(image, CODE, PROT_READ | PROT_WRITE);
		int result =
			ext_compile(&a, &program, 0, EXT_HANDLER, image, CODE, CODE, &code, &why);
		CHECK(result == EXT_OK || result == EXT_WHY_MEMORY);
		CHECK(n || result == EXT_WHY_MEMORY);
	}
	/* no instruction takes more than ext_compile_room allows for */
	static const char *const wide[] = {
		"r1 s/= r2", "r0 = fetch lock *(u64 *)(r8 + 30000) ^= r9", "w3 s%= w4",
		"*(u64 *)(r9 + 30000) = -5", "if r1 s> 100000 goto +0"};
	for (u32 k = 0; k < 5; k++) {
		assemble(wide[k]);
		for (u32 i = 1; i < 100; i++)
			insn[i] = insn[0];
		insn[100] = asm_make(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
		program.insns = function[0].count = 101;
		SAME(compile(), EXT_OK);
		CHECK(code.size <= ext_compile_room(&program));
	}
}

/* --- checkpoints */
static struct ext_fact fact[MOST];
static struct {
	struct ext_run run;
	void *function[2];
} with;

static u64 run_code(u64 a, u64 b)
{
	u64 (*f)(u64, u64, u64, u64, u64, struct ext_run *) = (void *)(image + code.entry);

	return f(a, b, 3, 4, 5, &with.run);
}

/* Seven calls deep, a loop whose checkpoint stops the run: the caller's registers are as before (the compiler of this test
 * keeps what it needs in them), r0 is 0. */
static void stopping(void)
{
	struct ext_verdict v = {.fact = fact, .stack = 512};
	volatile u64 kept = 0x123;

	assemble("r6 = 1;call +2;r0 += r6;exit;"
		 "fn;r6 = 2;r7 = 3;*(u64 *)(r10 + -8) = r7;call +1;exit;"
		 "fn;r8 = 4;r9 = 5;call +1;exit;"
		 "fn;r6 = 10;r6 += -1;if r6 != 0 goto -2;r0 = 7;exit");
	for (u32 i = 0; i < program.insns; i++) {
		fact[i] = (struct ext_fact){EXT_FACT_LIVE, 0};
		if (insn[i].off < 0 && EXT_CLASS(insn[i].code) == EXT_JMP)
			fact[i] = (struct ext_fact){EXT_FACT_LIVE | EXT_FACT_CHECKPOINT, 3};
	}
	SAME(compile_v(&v, CODE), EXT_OK);
	memset(&with, 0, sizeof(with));
	for (s64 budget = 0; budget <= 31; budget++) {
		with.run.budget = budget;
		with.run.stopped = 0;
		u64 r0 = run_code(1, 2);

		SAME(r0, budget < 30 ? 0 : 8);
		SAME(with.run.stopped, budget < 30);
		SAME(kept, 0x123);
	}
	/* a cost beyond what an instruction's constant can be */
	for (u32 i = 0; i < program.insns; i++)
		if (fact[i].flags & EXT_FACT_CHECKPOINT)
			fact[i].cost = 0xfffffff0;
	SAME(compile_v(&v, CODE), EXT_OK);
	with.run.budget = 0x7fffffffffff;
	with.run.stopped = 0;
	SAME(run_code(1, 2), 8);
	SAME(with.run.budget, 0x7fffffffffff - 10 * 0xfffffff0ll);
}

/* --- the stack: what a run touches lies within what was said */
static u64 lowest;

static u64 deepest(u64 a, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	u64 here = (u64)__builtin_frame_address(0) + 8; /* behind the return address */

	(void)a, (void)b, (void)c, (void)d, (void)e, (void)run;
	lowest = here;
	CHECK((u64)__builtin_frame_address(0) % 16 == 0);
	return 0;
}

static void stack(void)
{
	static const char *const programs[] = {
		"call import;exit",
		"r6 = 1;call import;r0 += r6;exit",
		"r6 = 1;r7 = 2;*(u64 *)(r10 + -24) = r7;call import;r0 += r6;exit",
		"*(u8 *)(r10 + -1) = 1;r1 = r10;call import;exit",
		"r6 = 1;call +2;r0 += r6;exit;fn;r7 = 1;r8 = 2;*(u64 *)(r10 + -512) = r7;call "
		"+1;exit;fn;r9 = 1;call import;exit",
	};

	contract = (struct ext_contract){.name = "import", .ret = EXT_RET_SCALAR, .cost = 1};
	import = (struct ext_import){.name = "import", .slot = 1, .contract = &contract};
	for (u32 k = 0; k < sizeof(programs) / sizeof(programs[0]); k++) {
		char text[300], *call;

		snprintf(text, sizeof(text), "%s", programs[k]);
		while ((call = strstr(text, "call import")))
			memcpy(call, "call +99999", 11);
		assemble(text);
		for (u32 i = 0; i < program.insns; i++)
			if (insn[i].code == (EXT_JMP | EXT_CALL) && insn[i].imm == 99999)
				insn[i] = asm_make(EXT_JMP | EXT_CALL, 0, EXT_CALL_IMPORT, 0, 0);
		program.import = &import;
		program.imports = 1;
		SAME(compile(), EXT_OK);
		memset(&with, 0, sizeof(with));
		with.function[1] = (void *)deepest;
		/* from where the entry's return address will be */
		u64 before;
		__asm__ volatile("movq %%rsp, %0" : "=r"(before));
		run_code(1, 2);
		CHECK(before >= lowest);
		/* run_code's own frame lies between: so only an upper bound, and how it grows, are seen */
		CHECK(code.stack >= 16 && code.stack <= 1024 + 200);
	}
	/* exactly: an entry without anything but its import */
	assemble("exit");
	SAME(compile(), EXT_OK);
	SAME(code.stack, 16);
	assemble("r6 = 1;r7 = 1;r0 = 0;exit");
	SAME(compile(), EXT_OK);
	SAME(code.stack, 32);
	assemble("*(u64 *)(r10 + -40) = 1;r0 = 0;exit");
	SAME(compile(), EXT_OK);
	SAME(code.stack, 8 + 8 + 40 + 8);
	assemble("call +1;exit;fn;*(u64 *)(r10 + -512) = 1;r0 = 0;exit");
	SAME(compile(), EXT_OK);
	SAME(code.stack, 16 + 8 + 8 + 512 + 8);
}

/* --- barriers: on which sides of a branch, by how many are passed there */
static u32 fences_passed(u64 a)
{
	u32 passed = 0;

	mprotect(image, CODE, PROT_READ | PROT_WRITE | PROT_EXEC);
	for (u64 i = 0; i + 2 < code.size;
	     i++) /* each becomes `incq %r10`: r4's place, which these programs leave alone */
		if (image[i] == 0x0f && image[i + 1] == 0xae && image[i + 2] == 0xe8) {
			image[i] = 0x49;
			image[i + 1] = 0xff;
			image[i + 2] = 0xc2;
		}
	__asm__ volatile("xorl %%r10d, %%r10d; movq %%rsp, %%rbx; subq $256, %%rsp; andq $-16, "
			 "%%rsp; call *%2; movq %%rbx, %%rsp; movl %%r10d, %0"
			 : "=r"(passed), "+D"(a)
			 : "r"(image + code.entry)
			 : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory",
			   "cc");
	return passed;
}

static void barrier_case(const char *text, u32 at, u32 flags, u64 a, u32 expected)
{
	struct ext_verdict v = {.fact = fact, .stack = 64};

	assemble(text);
	for (u32 i = 0; i < program.insns; i++)
		fact[i] = (struct ext_fact){EXT_FACT_LIVE, 0};
	fact[at].flags |= flags;
	SAME(compile_v(&v, CODE), EXT_OK);
	u32 passed = fences_passed(a);

	if (passed != expected)
		printf("  %s\n", text);
	SAME(passed, expected);
}

static void barriers(void)
{
	static const char forward[] = "r0 = 1;if r1 == 0 goto +1;r0 = 2;exit";
	static const char back[] = "r1 += -1;if r1 != 0 goto -2;r0 = 0;exit";
	/* a jump to the head of a loop that goes round without a barrier */
	static const char head[] =
		"r2 = r1;if r1 == 3 goto +1;r2 += 0;r1 += -1;if r1 != 0 goto -2;r0 = 0;exit";
	static const char spill[] = "*(u64 *)(r10 + -8) = r1;r0 = *(u64 *)(r10 + -8);r0 += 1;exit";

	barrier_case(forward, 1, 0, 0, 0);
	barrier_case(forward, 1, EXT_FACT_BARRIER_NEXT, 0, 0);
	barrier_case(forward, 1, EXT_FACT_BARRIER_NEXT, 1, 1);
	barrier_case(forward, 1, EXT_FACT_BARRIER_TAKEN, 0, 1);
	barrier_case(back, 1, EXT_FACT_BARRIER_NEXT, 5, 1);
	barrier_case(back, 1, EXT_FACT_BARRIER_TAKEN, 5,
		     5); /* at the loop's head: 4 times round, and once in */
	barrier_case(head, 1, EXT_FACT_BARRIER_TAKEN, 3, 1); /* on a stub: not each time round */
	barrier_case(head, 1, EXT_FACT_BARRIER_TAKEN, 4, 0);
	barrier_case(spill, 1, EXT_FACT_BARRIER_LOAD, 4, 1);
	barrier_case(spill, 0, EXT_FACT_BARRIER_NEXT, 4, 1);
	mprotect(image, CODE, PROT_READ | PROT_WRITE);
}

/* --- dead code is a trap, and nothing falls out of a function */
static void dead(void)
{
	struct ext_verdict v = {.fact = fact};

	assemble("r0 = 1;if r0 == 1 goto +2;r0 = 2;r0 = 3;exit");
	for (u32 i = 0; i < program.insns; i++)
		fact[i] = (struct ext_fact){i == 2 || i == 3 ? 0 : EXT_FACT_LIVE, 0};
	SAME(compile_v(&v, CODE), EXT_OK);
	SAME(run_code(0, 0), 1);
	u32 traps = 0;
	for (u64 i = 0; i + 1 < code.size; i++)
		traps += image[i] == 0x0f && image[i + 1] == 0x0b;
	SAME(traps, 2); /* of the dead ones, and at the end */
}

/* --- the instrumented interpreter */
static u64 give(u64 a, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)a, (void)b, (void)c, (void)d, (void)e, (void)run;
	return 5;
}

static struct ext_check check;

static int checked(const char *text)
{
	static u64 memory[4];
	u64 arg[5] = {(u64)memory, 32};

	assemble(text);
	region = (struct ext_region){.name = "constants", .kind = EXT_RODATA, .bytes = 16};
	program.region = &region;
	program.regions = 1;
	program.import = &import;
	program.imports = 1;
	for (u32 i = 0; i < program.insns; i++) {
		if (insn[i].code == EXT_LDDW && insn[i].imm == 0x7e) /* stands for the region */
			insn[i] = asm_make(EXT_LDDW, ext_dst(&insn[i]), EXT_LD_REGION, 0, 0);
		if (insn[i].code == (EXT_JMP | EXT_CALL) && insn[i].imm == 99999)
			insn[i] = asm_make(EXT_JMP | EXT_CALL, 0, 0, 0, 0);
	}
	SAME(ext_layout(&program, &why), EXT_OK);
	mprotect(image, CODE, PROT_READ | PROT_WRITE);
	ext_image_fill(&program, image);
	memset(&check, 0, sizeof(check));
	check.most = 100;
	check.regs = 6;
	ext_check_allow(&check, (u64)memory, 32, 0);
	with.function[0] = (void *)give;
	import.slot = 0;
	contract.args = 1;
	ext_interpret(&program, 0, image, arg, &with.run, &check);
	return (int)check.why;
}

static void checks(void)
{
	SAME(checked("r0 = 0;exit"), EXT_OK);
	SAME(check.executed, 2);
	SAME(checked("exit"), EXT_OK); /* whether it must return something is not known here */
	SAME(checked("r0 = r3;exit"), EXT_WHY_UNSET);
	SAME(checked("r0 += 1;exit"), EXT_WHY_UNSET);
	SAME(checked("if r1 == r4 goto +0;r0 = 0;exit"), EXT_WHY_UNSET);
	SAME(checked("if r4 == 1 goto +0;r0 = 0;exit"), EXT_WHY_UNSET);
	SAME(checked("r0 = *(u64 *)(r3 + 0);exit"), EXT_WHY_UNSET);
	SAME(checked("*(u64 *)(r10 + -8) = r3;r0 = 0;exit"), EXT_WHY_UNSET);
	SAME(checked("r0 = *(u64 *)(r1 + 24);exit"), EXT_OK);
	SAME(checked("r0 = *(u64 *)(r1 + 25);exit"), EXT_WHY_BOUNDS);
	SAME(check.insn, 0);
	SAME(check.bytes, 8);
	SAME(checked("r0 = *(u8 *)(r1 + -1);exit"), EXT_WHY_BOUNDS);
	SAME(checked("r0 = *(u8 *)(r1 + 32);exit"), EXT_WHY_BOUNDS);
	SAME(checked("*(u8 *)(r1 + 0) = 1;r0 = 0;exit"), EXT_WHY_READONLY);
	SAME(checked("r1 = 0x7e ll;r0 = *(u8 *)(r1 + 15);exit"), EXT_OK);
	SAME(checked("r1 = 0x7e ll;r0 = *(u16 *)(r1 + 15);exit"), EXT_WHY_BOUNDS);
	SAME(checked("r1 = 0x7e ll;*(u8 *)(r1 + 0) = 1;r0 = 0;exit"), EXT_WHY_READONLY);
	SAME(checked("r0 = *(u8 *)(r10 + -1);exit"), EXT_WHY_UNSET);
	SAME(checked("*(u32 *)(r10 + -8) = 1;r0 = *(u64 *)(r10 + -8);exit"), EXT_WHY_UNSET);
	SAME(checked("*(u64 *)(r10 + -8) = 1;r0 = *(u16 *)(r10 + -3);exit"), EXT_OK);
	SAME(checked("*(u64 *)(r10 + -4) = 1;r0 = 0;exit"), EXT_WHY_BOUNDS);
	SAME(checked("*(u8 *)(r10 + 0) = 1;r0 = 0;exit"), EXT_WHY_BOUNDS);
	SAME(checked("*(u8 *)(r10 + -513) = 1;r0 = 0;exit"), EXT_WHY_BOUNDS);
	SAME(checked("*(u64 *)(r10 + -8) = 0;r2 = 1;lock *(u64 *)(r10 + -8) += r2;r0 = 0;exit"),
	     EXT_OK);
	SAME(checked("*(u64 *)(r10 + -8) = 0;r2 = 1;lock *(u32 *)(r10 + -6) += r2;r0 = 0;exit"),
	     EXT_WHY_ALIGN);
	SAME(checked("goto -1;exit"), EXT_WHY_LENGTH);
	SAME(check.executed, 101);
	SAME(checked("goto +1;exit"), EXT_WHY_FLOW);
	SAME(checked("call -1;exit"), EXT_WHY_STACK);
	SAME(checked("call +5;exit"), EXT_WHY_FLOW);
	SAME(checked("r0 = 1;call +99999;r0 = r1;exit"), EXT_WHY_UNSET); /* a call forgets r1..r5 */
	SAME(checked("r6 = 1;call +99999;r0 += r6;exit"), EXT_OK);
	SAME(checked("call +1;exit;fn;r0 = r6;exit"), EXT_WHY_UNSET); /* the callee's own */
	SAME(checked("call +2;r0 = r1;exit;fn;r0 = 1;exit"), EXT_WHY_UNSET);
	SAME(checked("call +2;r0 = r7;exit;fn;r7 = 1;r0 = 1;exit"), EXT_WHY_UNSET);
	SAME(checked("call +3;r1 = *(u8 *)(r0 + 0);r0 = 1;exit;fn;*(u8 *)(r10 + -1) = 1;r0 = "
		     "r10;r0 += -1;exit"),
	     EXT_WHY_BOUNDS); /* a frame that is gone */
	/* functions' costs count */
	contract.cost = 60;
	SAME(checked("r6 = 1;call +99999;exit"), EXT_OK);
	SAME(check.executed, 62);
	SAME(checked("r1 = 1;call +99999;r1 = 1;call +99999;exit"), EXT_WHY_LENGTH);
	contract.cost = 1;
	/* memories come and go */
	memset(&check, 0, sizeof(check));
	for (u32 i = 0; i < EXT_CHECK_MEMORIES; i++)
		SAME(ext_check_allow(&check, i * 16, 16, 0), 0);
	SAME(ext_check_allow(&check, 1, 1, 0), -1);
	ext_check_forbid(&check, 16);
	SAME(check.memories, EXT_CHECK_MEMORIES - 1);
	ext_check_forbid(&check, 16);
	SAME(check.memories, EXT_CHECK_MEMORIES - 1);
}

/* Which programs leave their first two arguments and the run where they are. */
static void keeping(void)
{
#define KEEPS(text, says)            \
	SAME(compile_text(text), 0); \
	SAME(code.keeps, says)
	KEEPS("r1 = *(u64 *)(r1 + 0);r0 = 1;if r1 == 14 goto +1;r0 = 0;exit", 1);
	KEEPS("r0 = r2;r0 += 7;exit", 1);
	KEEPS("r1 += 7;if r1 == 3 goto +1;r0 = r1;exit", 0);
	KEEPS("r2 = 5;if r1 == 3 goto +1;r0 = r2;exit", 0);
	KEEPS("r0 = r3;r0 += r3;exit", 0); /* r3 is where the run was */
	KEEPS("r1 = be32 r1;r0 = r1;exit", 0);
	KEEPS("r0 = 0;call +1;exit;fn;r2 = r1;r2 *= r1;r0 = r2;r1 = r0;if r2 == r1 goto +0;exit",
	      0);
}

int main(void)
{
	static const struct test tests[] = {TEST(codes),    TEST(flow),	   TEST(room),
					    TEST(stopping), TEST(keeping), TEST(stack),
					    TEST(barriers), TEST(dead),	   TEST(checks)};

	image = mmap(0, CODE + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	contract =
		(struct ext_contract){.name = "give", .args = 1, .ret = EXT_RET_SCALAR, .cost = 1};
	import = (struct ext_import){.name = "give", .contract = &contract};
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
