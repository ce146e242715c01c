/* SPDX-License-Identifier: MIT
 * The verifier against the interpreter that checks every access: whatever is accepted, of random programs and of accepted
 * ones with one instruction changed, stays within what it was given, within its time, and within what was claimed of its
 * registers, on random inputs.
 * links: ext/verify.c ext/verify_alu.c ext/verify_mem.c ext/verify_object.c ext/verify_call.c ext/verify_branch.c ext/verify_loop.c ext/verify_guess.c ext/verify_facts.c ext/verify_shrink.c ext/verify_cost.c ext/verify_say.c ext/state.c ext/state_form.c ext/state_fact.c ext/state_join.c ext/flow.c ext/flow_code.c ext/flow_live.c ext/speculate.c ext/num.c ext/num_alu.c ext/num_bits.c ext/num_branch.c ext/num_divide.c ext/num_print.c ext/num_range.c ext/interp.c ext/alu.c ext/map.c ext/image.c ext/arena.c ext/refusal.c ext/disasm.c ext/btf.c ext/btf_check.c ext/btf_look.c ext/order.c */
#include "test.h"

#include <checked.h>
#include <ext.h>
#include <watch.h>

#define MOST 128u
#define FUNCTIONS 3u
#define MEMORY 40u
#define DATA 64u
#define ARENA (24u << 20)

static struct ext_insn code[MOST];
static u32 used;
static u8 arena_bytes[ARENA];
static struct ext_attach attach = {
	.name = "test",
	.class = EXT_HANDLER,
	.args = 3,
	.arg = {{.kind = EXT_ARG_MEM, .size_arg = 1},
		{.kind = EXT_ARG_SIZE, .size_arg = 0xff, .most = ~0ul},
		{.kind = EXT_ARG_SCALAR, .size_arg = 0xff, .most = ~0ul}},
	.ret_most = ~0ul,
	.budget = 0,
};
static struct ext_region region = {.name = "data", .kind = EXT_DATA, .bytes = DATA};
static struct ext_function function[FUNCTIONS] = {{.name = "f"}, {.name = "g"}, {.name = "h"}};
static u32 calls[MOST], call_count; /* where it calls its own functions; off: which */
static struct ext_program program = {.name = "f",
				     .insn = code,
				     .function = function,
				     .functions = 1,
				     .region = &region,
				     .regions = 1,
				     .data_bytes = 4096};
static u8 data[4096] __attribute__((aligned(64)));
static u8 memory[MEMORY] __attribute__((aligned(8)));
static struct ext_verdict verdict;
static struct ext_refusal why;

static void put(u8 c, u32 dst, u32 src, s32 off, s32 imm)
{
	if (used < MOST)
		code[used++] = (struct ext_insn){c, (u8)(dst | src << 4), (s16)off, imm};
}

static int verify(void)
{
	struct ext_arena a = {arena_bytes, ARENA, 0};

	program.insns = used;
	function[program.functions - 1].count = used - function[program.functions - 1].first;
	return ext_verify(&a, &program, 0, &attach, 200000, EXT_VERIFY_WATCH, &verdict, &why);
}

static const char *compare(void *context, u32 insn, const u64 *reg, u32 written, u32 depth)
{
	(void)context;
	(void)depth;
	return ext_watch_compare(verdict.watched, insn, reg, written);
}

static void show(const struct ext_check *c)
{
	char line[120];

	printf("seed %lu: instruction %u: %s\n", (unsigned long)test_seed, c->insn,
	       c->text ? c->text : "?");
	for (u32 n = 0; n < used; n++) {
		ext_disassemble(&program, n, line, sizeof(line));
		printf("%3u  %s\n", n, line);
	}
}

static u64 number(void)
{
	static const u64 odd[] = {
		0,	   1,	      2,	 7,	 8,	     15,	 16,
		31,	   32,	      40,	 63,	 64,	     127,	 128,
		255,	   256,	      0x7fff,	 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		1ul << 32, 1ul << 63, ~0ul >> 1, ~0ul,	 ~0ul - 7};

	return test_below(3) ? odd[test_below(sizeof(odd) / sizeof(odd[0]))] + test_below(3) - 1
			     : test_random() >> test_below(64);
}

/* Runs what was accepted. Returns 0 if it broke a promise. */
static int run_once(void)
{
	static struct ext_check check;
	static struct {
		struct ext_run run;
		void *function[1];
	} r;
	u64 size = test_below(MEMORY + 1),
	    arg[5] = {(u64)memory, size, number(), number(), number()};

	memset(&check, 0, sizeof(check));
	memset(&r, 0, sizeof(r));
	for (u32 i = 0; i < MEMORY; i++)
		memory[i] = test_below(2) ? (u8)test_below(16) : (u8)number();
	for (u32 i = 0; i < DATA; i++)
		data[i] = test_below(2) ? (u8)test_below(16) : (u8)number();
	region.offset = 0;
	r.run.budget = (s64)test_below(2) ? 1l << 40 : (s64)test_below(3000);
	check.most = verdict.worst < 200000 ? verdict.worst : 200000;
	check.regs = 0xe;
	check.step = compare;
	ext_check_allow(&check, (u64)memory, size, 1);
	ext_interpret(&program, &verdict, data, arg, &r.run, &check);
	if (check.why == EXT_WHY_LENGTH && verdict.worst > 200000)
		check.why = EXT_OK; /* it was only not waited for */
	if (check.why)
		show(&check);
	return check.why == EXT_OK;
}

/* --- programs */
static u32 any_reg(void)
{
	return test_below(10);
}

static u32 number_reg(void)
{
	static const u8 likely[] = {0, 2, 3, 7, 8, 9};

	return test_below(8) ? likely[test_below(6)] : any_reg();
}

static s32 small(void)
{
	return test_below(6) ? (s32)test_below(24) - 4 : (s32)number();
}

static void make_alu(void)
{
	static const u8 op[] = {EXT_ADD, EXT_ADD, EXT_SUB, EXT_MUL, EXT_DIV, EXT_OR,
				EXT_AND, EXT_AND, EXT_LSH, EXT_RSH, EXT_NEG, EXT_MOD,
				EXT_XOR, EXT_MOV, EXT_MOV, EXT_ARSH};
	u8 o = op[test_below(sizeof(op))], class = test_below(2) ? EXT_ALU64 : EXT_ALU;
	u32 is_x = o != EXT_NEG && test_below(2);
	s32 imm = small(), off = 0;

	if (o == EXT_LSH || o == EXT_RSH || o == EXT_ARSH)
		imm = (s32)test_below(class == EXT_ALU ? 32 : 64);
	if ((o == EXT_DIV || o == EXT_MOD) && !test_below(3))
		off = 1;
	if (o == EXT_MOV && is_x && !test_below(3))
		off = 8 << test_below(2);
	if (!test_below(20)) {
		put(EXT_ALU | EXT_END | (test_below(2) ? EXT_X : 0), number_reg(), 0, 0,
		    16 << test_below(3));
		return;
	}
	put((u8)(class | o | (is_x ? EXT_X : 0)), number_reg(), is_x ? number_reg() : 0, off,
	    is_x || o == EXT_NEG ? 0 : imm);
}

static void make_jump(s32 off)
{
	static const u8 op[] = {EXT_JEQ,  EXT_JGT, EXT_JGE, EXT_JSET, EXT_JNE, EXT_JSGT,
				EXT_JSGE, EXT_JLT, EXT_JLE, EXT_JSLT, EXT_JSLE};
	u32 is_x = test_below(2);
	u8 class = test_below(3) ? EXT_JMP : EXT_JMP32;

	put((u8)(class | op[test_below(sizeof(op))] | (is_x ? EXT_X : 0)), number_reg(),
	    is_x ? number_reg() : 0, off, is_x ? 0 : small());
}

/* An access through a pointer (r6 memory, r1 data, r10 stack), perhaps with an index. */
static void make_access(void)
{
	static const u8 base[] = {6, 1, 10};
	u32 b = base[test_below(3)], dst = number_reg(), index = number_reg();
	u8 size = (u8)(test_below(4) << 3);
	s32 off =
		b == 10 ? -(s32)(8 * (1 + test_below(6))) + (s32)(test_below(4) ? 0 : test_below(8))
			: (s32)test_below(12);

	if (test_below(2)) {
		put(EXT_ALU64 | EXT_MOV | EXT_X, 4, b, 0, 0);
		if (test_below(2))
			put(EXT_ALU64 | EXT_AND, index, 0, 0, test_below(2) ? 7 : 31);
		if (!test_below(3))
			put(EXT_ALU64 | EXT_LSH, index, 0, 0, 2);
		put(EXT_ALU64 | EXT_ADD | EXT_X, 4, index, 0, 0);
		b = 4;
	}
	switch (test_below(5)) {
	case 0:
	case 1:
		put(EXT_LDX | EXT_MEM | size, dst, b, off, 0);
		return;
	case 2:
		if (size != EXT_DW) {
			put(EXT_LDX | EXT_MEMSX | size, dst, b, off, 0);
			return;
		}
		/* fall through */
	case 3:
		put(EXT_STX | EXT_MEM | size, b, test_below(8) ? dst : any_reg(), off, 0);
		return;
	default:
		if (!test_below(3))
			put((u8)(EXT_STX | EXT_ATOMIC | (test_below(2) ? EXT_DW : EXT_W)), b, dst,
			    off & ~7, test_below(2) ? EXT_ADD | EXT_FETCH : EXT_CMPXCHG);
		else
			put(EXT_ST | EXT_MEM | size, b, 0, off, small());
	}
}

static void make_body(u32 count, u32 depth);

/* Halved, or bits taken away one by one. */
static void make_shrinking(u32 depth)
{
	u32 counter = 7 + test_below(3), other = counter == 7 ? 8 : 7, head;
	u8 alu = test_below(3) ? EXT_ALU64 : EXT_ALU, class = alu == EXT_ALU ? EXT_JMP32 : EXT_JMP;

	put(EXT_ALU64 | EXT_MOV | EXT_X, counter, 3, 0, 0);
	put(EXT_JMP | EXT_JEQ, counter, 0, 1, 0);
	head = used;
	make_body(1 + test_below(3), depth + 1);
	if (test_below(3)) {
		static const u8 op[] = {EXT_RSH, EXT_RSH, EXT_DIV, EXT_ARSH};
		u8 o = op[test_below(4)];

		put(alu | o, counter, 0, 0,
		    (o == EXT_DIV) + (test_below(12) ? 1 + (s32)test_below(4) : 0));
	} else {
		put(EXT_ALU64 | EXT_MOV | EXT_X, other, counter, 0, 0);
		put(EXT_ALU64 | EXT_ADD, other, 0, 0, test_below(9) ? -1 : 1);
		put(alu | EXT_AND | EXT_X, counter, other, 0, 0);
	}
	put(class | (test_below(5) ? EXT_JNE : EXT_JSGT), counter, 0, (s32)head - (s32)used - 1, 0);
}

/* A function of its own, given the memory; R2 and the data come back into their registers. */
static void make_call(void)
{
	u32 to = 1 + test_below(FUNCTIONS - 1);

	put(EXT_ALU64 | EXT_MOV | EXT_X, 9, 2, 0, 0);
	if (test_below(3)) {
		put(EXT_ALU64 | EXT_MOV | EXT_X, 1, 6, 0, 0);
	} else { /* the caller's stack */
		put(EXT_ALU64 | EXT_MOV | EXT_X, 1, 10, 0, 0);
		put(EXT_ALU64 | EXT_ADD, 1, 0, 0, -48);
	}
	if (used < MOST)
		calls[call_count++] = used;
	put(EXT_JMP | EXT_CALL, 0, EXT_CALL_LOCAL, (s32)to, 0);
	put(EXT_ALU64 | EXT_MOV | EXT_X, 2, 9, 0, 0);
	put(EXT_LDDW, 1, EXT_LD_REGION, 0, 0);
	put(0, 0, 0, 0, 0);
	put(EXT_ALU64 | EXT_MOV, 3, 0, 0, (s32)test_below(40));
}

/* A counter up or down, perhaps with an end that is not constant. */
static void make_loop(u32 depth)
{
	u32 counter = 7 + test_below(3), head;
	static const u8 up[] = {EXT_JLT, EXT_JNE, EXT_JLE, EXT_JSLT},
			down[] = {EXT_JNE, EXT_JGT, EXT_JSGT};
	u8 class = test_below(2) ? EXT_JMP : EXT_JMP32,
	   alu = class == EXT_JMP ? EXT_ALU64 : EXT_ALU;
	s32 step = 1 + (s32)(test_below(3) ? 0 : test_below(4));

	if (test_below(2)) {
		put(EXT_ALU64 | EXT_MOV, counter, 0, 0, (s32)test_below(3));
		head = used;
		make_body(1 + test_below(4), depth + 1);
		put(alu | EXT_ADD, counter, 0, 0, step);
		if (test_below(2))
			put((u8)(class | up[test_below(4)]), counter, 0, (s32)head - (s32)used - 1,
			    step * (s32)(4 + test_below(12)));
		else
			put((u8)(class | up[test_below(4)] | EXT_X), counter, 2,
			    (s32)head - (s32)used - 1, 0);
	} else {
		put(EXT_ALU64 | EXT_MOV, counter, 0, 0, step * (s32)(1 + test_below(12)));
		if (!test_below(3)) {
			put(EXT_ALU64 | EXT_MOV | EXT_X, counter, 2, 0, 0);
			put(EXT_JMP | EXT_JEQ, counter, 0, 2,
			    0); /* roughly: over the loop's begin */
		}
		head = used;
		make_body(1 + test_below(4), depth + 1);
		put(alu | EXT_ADD, counter, 0, 0, -step);
		put((u8)(class | down[test_below(3)]), counter, 0, (s32)head - (s32)used - 1, 0);
	}
}

static u32 making; /* the function */

/* A value that gets smaller, or nearly: by a shift, a division, a remainder, a bit. Then the body, and perhaps a test too
 * late, or of another register, or of another value than 0. */
static void make_shrink(u32 depth)
{
	static const u8 op[] = {EXT_RSH, EXT_RSH, EXT_ARSH, EXT_DIV, EXT_MOD};
	u32 v = 7 + test_below(3), head, sort = test_below(8),
	    tested = test_below(8) ? v : number_reg();
	u8 class = test_below(3) ? EXT_ALU64 : EXT_ALU, o = op[test_below(5)];
	u8 jump = class == EXT_ALU64 || !test_below(4) ? EXT_JMP : EXT_JMP32;
	u32 is_x = !test_below(4);

	put(EXT_ALU64 | EXT_MOV | EXT_X, v, test_below(2) ? 2 : 3, 0, 0);
	if (!test_below(3))
		put(EXT_ALU64 | EXT_AND, v, 0, 0, small());
	put(EXT_JMP | EXT_JEQ, v, 0, 1, 0); /* roughly: over the loop's begin */
	head = used;
	if (test_below(2))
		make_body(1 + test_below(2), depth + 1);
	if (sort < 4) {
		put((u8)(class | o | (is_x ? EXT_X : 0)), v, is_x ? number_reg() : 0, 0,
		    is_x ? 0 : (s32)test_below(o == EXT_DIV ? 12 : 5));
	} else {
		put((u8)(class | EXT_MOV | EXT_X), 4, v, 0, 0);
		put((u8)(class | EXT_ADD), 4, 0, 0, test_below(8) ? -1 : small());
		put((u8)(class | EXT_AND | EXT_X), v, 4, 0, 0);
	}
	if (!test_below(6))
		make_alu();
	put((u8)(jump | (test_below(4) ? EXT_JNE : EXT_JGT)), tested, 0, (s32)head - (s32)used - 1,
	    test_below(4) ? 0 : (s32)test_below(3));
}

static void make_body(u32 count, u32 depth)
{
	while (count-- && used < MOST - 24) {
		u32 sort = test_below(12), at = used;

		if (sort < 4) {
			make_alu();
		} else if (sort < 8) {
			make_access();
		} else if (sort < 10) {
			make_jump(0);
			make_body(1 + test_below(3), depth + 1);
			if (used > at)
				code[at].off = (s16)(used - at - 1);
		} else if (depth < 3 && test_below(5)) {
			test_below(3)	? make_loop(depth)
			: test_below(2) ? make_shrink(depth)
					: make_shrinking(depth);
		} else if (depth < 2 && making < FUNCTIONS - 1) {
			make_call();
		}
	}
}

static void make_function(void)
{
	put(EXT_ALU64 | EXT_MOV | EXT_X, 6, 1, 0, 0);
	put(EXT_LDDW, 1, EXT_LD_REGION, 0, 0);
	put(0, 0, 0, 0, 0);
	for (u32 r = 0; r < 10; r++)
		if (r == 0 || r >= 7)
			put(EXT_ALU64 | EXT_MOV | (r == 8 ? EXT_X : 0), r, r == 8 ? 3 : 0, 0,
			    r == 8 ? 0 : (s32)test_below(4));
	for (u32 k = 1; k <= 6; k++)
		if (test_below(4))
			put(EXT_STX | EXT_MEM | EXT_DW, 10, 7, -(s32)(8 * k), 0);
	if (test_below(2))
		put(EXT_JMP | EXT_JGT, 2, 0, 1, (s32)test_below(48));
	else
		put(EXT_JMP | EXT_JLT, 2, 0, 1, (s32)test_below(24));
	put(EXT_JMP | EXT_JA, 0, 0, 1, 0);
	put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
	make_body(3 + test_below(10) / (making + 1), 0);
	put(EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
}

/* Calls go to functions behind the caller, if they were made; else to none. */
static void make_program(void)
{
	u32 made = 0;

	used = call_count = 0;
	for (making = 0; making < FUNCTIONS && (!making || call_count) && used < MOST - 40;
	     making++) {
		function[making].first = used;
		make_function();
		function[making].count = used - function[making].first;
		made++;
	}
	program.functions = made;
	for (u32 i = 0; i < call_count; i++) {
		struct ext_insn *insn = &code[calls[i]];
		u32 to = (u32)insn->off, from = 0;

		while (from + 1 < made && calls[i] >= function[from + 1].first)
			from++;
		if (to >= made)
			to = made - 1;
		insn->off = 0;
		if (to <= from)
			*insn = (struct ext_insn){EXT_ALU64 | EXT_MOV, 0, 0, 1};
		else
			insn->imm = (s32)function[to].first - (s32)calls[i] - 1;
	}
}

/* Fields that must be 0 are: what is tried is mostly a program. */
static void repair(struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code), op = EXT_OP(i->code), is_x = i->code & EXT_X;
	u32 dst = ext_dst(i) % 11, src = ext_src(i) % 11;

	switch (class) {
	case EXT_ALU:
	case EXT_ALU64:
		if (op != EXT_DIV && op != EXT_MOD && !(op == EXT_MOV && is_x))
			i->off = 0;
		else if (op != EXT_MOV)
			i->off &= 1;
		if (op == EXT_NEG)
			i->code &= (u8)~EXT_X;
		if (op == EXT_END)
			i->imm = 16 << (i->imm & 1);
		else if (is_x || op == EXT_NEG)
			i->imm = 0;
		if (!is_x || op == EXT_NEG || op == EXT_END)
			src = 0;
		if (!is_x && (op == EXT_LSH || op == EXT_RSH || op == EXT_ARSH))
			i->imm &= 31;
		break;
	case EXT_JMP:
	case EXT_JMP32:
		if (op == EXT_JA || op == EXT_EXIT || op == EXT_CALL)
			return;
		if (is_x)
			i->imm = 0;
		else
			src = 0;
		break;
	case EXT_LD:
		return;
	case EXT_ST:
		src = 0;
		break;
	default:
		if (EXT_MODE(i->code) == EXT_MEM || EXT_MODE(i->code) == EXT_MEMSX)
			i->imm = 0;
	}
	i->regs = (u8)(dst | src << 4);
}

static void change_one(void)
{
	u32 n = test_below(used);
	struct ext_insn *i = &code[n];

	switch (test_below(6)) {
	case 0:
		i->imm = (s32)((u32)i->imm + test_below(3) - 1);
		return;
	case 1:
		i->imm = small();
		return;
	case 2:
		i->off = (s16)(i->off + (s32)test_below(3) - 1);
		return;
	case 3:
		i->code ^= (u8)(1u << (3 + test_below(5)));
		return;
	case 4:
		i->regs ^= (u8)(1u << test_below(8));
		return;
	default:
		*i = code[test_below(used)];
	}
}

static void change(void)
{
	change_one();
	for (u32 n = 0; n < used; n++)
		repair(&code[n]);
}

static void random_programs(void)
{
	const char *turns = getenv("VERIFY_TURNS");
	u64 count = turns ? strtoul(turns, 0, 0) : 1500, accepted = 0, looped = 0, called = 0;
	int good = 1;

	if (getenv("VERIFY_SEED"))
		test_seed = strtoul(getenv("VERIFY_SEED"), 0, 0);
	for (u64 n = 0; n < count && good; n++) {
		static struct ext_insn kept[MOST];
		u32 kept_used;

		make_program();
		for (u32 tries = 0; tries < 6 && verify(); tries++)
			change();
		memcpy(kept, code, sizeof(code));
		kept_used = used;
		for (u32 k = 0; k < 6 && good; k++) {
			memcpy(code, kept, sizeof(code));
			used = kept_used;
			if (k)
				change();
			if (verify())
				continue;
			accepted++;
			called += program.functions > 1;
			for (u32 i = 0; i + 1 < used; i++)
				if ((code[i].code & 7) >= EXT_JMP && code[i].off < 0) {
					looped++;
					break;
				}
			for (u32 t = 0; t < 10 && good; t++)
				good = run_once();
		}
	}
	if (getenv("VERIFY_TURNS"))
		printf("%lu accepted, %lu with a loop, %lu with functions of their own\n",
		       (unsigned long)accepted, (unsigned long)looped, (unsigned long)called);
	CHECK(good);
	CHECK(accepted > count / 20);
	CHECK(looped > count / 100);
	CHECK(called > count / 100);
}

int main(void)
{
	static const struct test tests[] = {TEST(random_programs)};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
