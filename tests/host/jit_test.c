/* SPDX-License-Identifier: MIT
 * Compiled code does what the interpreter does, bit for bit: random programs, with what a verifier might have found out of
 * them, on the same memory.
 * links: ext/jit.c ext/jit_emit.c ext/jit_value.c ext/jit_alu.c ext/jit_mem.c ext/jit_flow.c ext/jit_live.c ext/interp.c ext/alu.c ext/map.c ext/image.c ext/arena.c ext/refusal.c ext/disasm.c */
#include "jit_program.h"
#include "test.h"

#include <checked.h>
#include <ext.h>
#include <map.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- running */
static u64 mix(u64 a, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	/* what a called function leaves behind in registers that it may change */
	__asm__ volatile("" ::: "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
	return (a * 3 + b) ^ (c * 5 + d) ^ (e * 7) ^ run->env[0];
}

static struct {
	struct ext_run run;
	void *function[1];
} with;

static void fill(u8 *data)
{
	ext_image_fill(&program, data);
	for (u32 i = 0; i < BYTES; i++)
		data[region.offset + i] = (u8)(i * 37 + 11);
}

static void reset(s64 budget)
{
	memset(&with, 0, sizeof(with));
	with.run.budget = budget;
	with.run.env[0] = 0x123456789abcdef;
	with.function[0] = (void *)mix;
}

static void show(u64 seed)
{
	char text[160];

	printf("seed %llu\n", (unsigned long long)seed);
	for (u32 i = 0; i < used; i += insn[i].code == EXT_LDDW ? 2 : 1) {
		if (insn[i].code == (EXT_JMP | EXT_JA) && !insn[i].off)
			continue;
		ext_disassemble(&program, i, text, sizeof(text));
		printf("%4u: %s%s\n", i, text,
		       fact[i].flags & EXT_FACT_CHECKPOINT ? " [checkpoint]" : "");
	}
}

/* u64 enter(entry, arg, run, lost): calls it with every callee-saved register set, and says in lost[0] what became of them,
 * in lost[1] of RDI, RSI and R9: 0 is as it was. */
__asm__(".text\n"
	"enter: pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15; pushq "
	"%rcx\n"
	"movq %rdi, %rax; movq %rdx, %r9; movq %rsi, %r10\n"
	"movq 0(%r10), %rdi; movq 8(%r10), %rsi; movq 16(%r10), %rdx; movq 24(%r10), %rcx; movq "
	"32(%r10), %r8\n"
	"movl $1, %ebx; movl $2, %ebp; movl $3, %r12d; movl $4, %r13d; movl $5, %r14d; movl $6, "
	"%r15d\n"
	"pushq %rdi; pushq %rsi; pushq %r9; subq $8, %rsp\n"
	"call *%rax\n"
	"addq $8, %rsp; popq %rdx; xorq %rdx, %r9; popq %rdx; xorq %rdx, %rsi; popq %rdx; xorq "
	"%rdx, %rdi\n"
	"popq %rcx; orq %rsi, %rdi; orq %r9, %rdi; movq %rdi, 8(%rcx)\n"
	"xorq $1, %rbx; xorq $2, %rbp; xorq $3, %r12; xorq $4, %r13; xorq $5, %r14; xorq $6, %r15\n"
	"orq %rbp, %rbx; orq %r12, %rbx; orq %r13, %rbx; orq %r14, %rbx; orq %r15, %rbx; movq "
	"%rbx, (%rcx)\n"
	"popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx; ret\n");
u64 enter(void *entry, const u64 *arg, struct ext_run *run, u64 *lost);

static u64 keepers, changers; /* programs that were said to keep their arguments, that did not */

static u64 called(void *entry, const u64 *arg, u32 keeps)
{
	u64 lost[2], result = enter(entry, arg, &with.run, lost);

	SAME(lost[0], 0);
	if (keeps)
		SAME(lost[1], 0);
	keepers += keeps;
	changers += !!lost[1];
	return result;
}

static u64 compiled_bytes, programs, stops;

/* Runs the program in both; 0: the same. */
static int compare(u64 seed, int verified)
{
	struct ext_verdict v = {.fact = fact, .worst = ~0ull, .stack = EXT_FRAME_BYTES};
	struct ext_arena a = {arena_bytes, sizeof(arena_bytes), 0};
	struct ext_refusal why;
	struct ext_code c;
	static u8 after[BYTES];
	u64 arg[5], r0, result;
	s64 budget, left;

	test_seed = ~seed;
	for (u32 i = 0; i < 5; i++)
		arg[i] = interesting();
	budget = test_below(3) ? 1 << 30 : test_below(3000);
	SAME(mprotect(code, CODE, PROT_READ | PROT_WRITE), 0);
	int status = ext_compile(&a, &program, verified ? &v : 0, EXT_HANDLER, code, CODE, CODE, &c,
				 &why);
	if (status != EXT_OK) {
		printf("  seed %llu: %s\n", (unsigned long long)seed, why.text);
		return 2;
	}
	SAME(mprotect(code, CODE, PROT_READ | PROT_EXEC), 0);
	compiled_bytes += c.size;
	programs++;
	fill(code + CODE);
	reset(budget);
	static struct ext_check check;
	memset(&check, 0, sizeof(check));
	check.regs = 0x3e;
	r0 = ext_interpret(&program, verified ? &v : 0, code + CODE, arg, &with.run, &check);
	if (check.why != EXT_OK) {
		printf("  seed %llu: insn %u: %s\n", (unsigned long long)seed, check.insn,
		       check.text);
		return 2;
	}
	left = with.run.budget;
	u64 stopped = with.run.stopped;
	memcpy(after, code + CODE + region.offset, BYTES);
	fill(code + CODE);
	reset(budget);
	result = called(code + c.entry, arg, c.keeps);
	stops += stopped;
	if (result == r0 && with.run.budget == left && with.run.stopped == stopped &&
	    !memcmp(after, code + CODE + region.offset, BYTES))
		return 0;
	printf("  seed %llu: r0 %llx, interpreted %llx; budget %lld, %lld; stopped %llu, %llu%s\n",
	       (unsigned long long)seed, (unsigned long long)result, (unsigned long long)r0,
	       (long long)with.run.budget, (long long)left, (unsigned long long)with.run.stopped,
	       (unsigned long long)stopped,
	       memcmp(after, code + CODE + region.offset, BYTES) ? "; memory" : "");
	for (u32 i = 0; i < BYTES && getenv("SHOW"); i++)
		if (after[i] != code[CODE + region.offset + i])
			printf("  memory[%u] is %x, interpreted %x\n", i,
			       code[CODE + region.offset + i], after[i]);
	return 1;
}

/* For whoever looks for the reason: SHRINK=1 takes away what does not matter to the difference; SHOW=1 shows the rest. */
static void shrink(u64 seed, int verified)
{
	for (u32 i = 0; i < used; i++) {
		struct ext_insn old = insn[i];
		int status;

		if (old.code == EXT_LDDW) {
			i++;
			continue;
		}
		/* addresses of frames, which differ, stay where they are */
		if (ext_src(&old) == 10 || (i && ext_src(&insn[i - 1]) == 10) ||
		    (i > 1 && ext_src(&insn[i - 2]) == 10))
			continue;
		insn[i] = (struct ext_insn){EXT_JMP | EXT_JA, 0, 0, 0};
		fflush(stdout);
		pid_t pid = fork();
		if (!pid) {
			alarm(2);
			if (!freopen("/dev/null", "w", stdout) ||
			    !freopen("/dev/null", "w", stderr))
				_exit(0);
			_exit(compare(seed, verified) == 1 ? 7 : 0);
		}
		waitpid(pid, &status, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 7)
			insn[i] = old;
	}
}

static void setup(void)
{
	struct ext_refusal why;

	region = (struct ext_region){.name = "memory", .kind = EXT_DATA, .bytes = BYTES};
	contract =
		(struct ext_contract){.name = "mix", .args = 5, .ret = EXT_RET_SCALAR, .cost = 1};
	import = (struct ext_import){.name = "mix", .contract = &contract};
	program = (struct ext_program){.name = "random",
				       .function = function,
				       .functions = 3,
				       .region = &region,
				       .regions = 1,
				       .import = &import,
				       .imports = 1};
	SAME(ext_layout(&program, &why), EXT_OK);
	if (!code)
		code = mmap(0, CODE + 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
}

static void random_programs(void)
{
	u64 first = getenv("SEED") ? strtoull(getenv("SEED"), 0, 0) : 1;
	u64 count = getenv("SEED") ? 1 : getenv("COUNT") ? strtoull(getenv("COUNT"), 0, 0) : 4000;

	setup();
	for (u64 seed = first; seed < first + count && test_bad < 3; seed++) {
		test_seed = seed * 1000003;
		generate();
		int differs = compare(seed, (int)(seed & 1));

		CHECK(!differs);
		if (!differs || !getenv("SHOW"))
			continue;
		for (u32 turn = 0; turn < 3 && getenv("SHRINK"); turn++)
			shrink(seed, (int)(seed & 1));
		show(seed);
	}
	CHECK(programs == count || test_bad);
	CHECK(changers || test_bad);
	if (!getenv("SEED"))
		CHECK(stops > count / 50);
}

int main(void)
{
	static const struct test tests[] = {TEST(random_programs)};

	return test_main(tests, 1);
}
