/* SPDX-License-Identifier: MIT
 * What RFC 9669 says of each instruction: the cases of tests/cases/ext/conform, by the interpreter and compiled, one-line
 * cases in many registers; and each instruction's text is read back as the same instruction.
 * links: ext/jit.c ext/jit_emit.c ext/jit_value.c ext/jit_alu.c ext/jit_mem.c ext/jit_flow.c ext/jit_live.c ext/interp.c ext/alu.c ext/map.c ext/arena.c ext/refusal.c ext/disasm.c */
#include "test.h"

#include "bpf_asm.h"
#include <checked.h>
#include <ext.h>

#include <sys/mman.h>

#define CASES "tests/cases/ext/conform/"
#define CODE 16384u
#define MOST 300u

static struct ext_insn insn[MOST];
static u32 used, ran;
static u8 memory[256], before[256];
static u64 memory_bytes;
static u8 *code;

static void add(struct ext_insn i)
{
	if (used < MOST)
		insn[used++] = i;
}

static void add_line(const char *line, const char *where)
{
	u32 n = used + 2 <= MOST ? asm_line(line, insn + used) : 0;

	if (!n) {
		printf("  %s: not understood: %s\n", where, line);
		CHECK(0);
	}
	used += n;
}

static void add_wide(u32 reg, u64 value)
{
	add(asm_make(EXT_LDDW, (int)reg, 0, 0, (s32)value));
	add(asm_make(0, 0, 0, 0, (s32)(value >> 32)));
}

/* --- running */
static void program_make(struct ext_program *p, struct ext_function *f)
{
	u8 begins[MOST] = {1};

	*p = (struct ext_program){.insn = insn, .insns = used, .function = f};
	for (u32 i = 0; i < used; i++) {
		if (insn[i].code == (EXT_JMP | EXT_CALL))
			begins[i + 1 + (u32)insn[i].imm] = 1;
		i += insn[i].code == EXT_LDDW;
	}
	for (u32 i = 0; i < used; i++) {
		if (begins[i])
			f[p->functions++] = (struct ext_function){.name = "f", .first = i};
		f[p->functions - 1].count++;
	}
}

/* Runs it both ways on the memory; each result must be as expected, the memory as `after` (0: any, but the same). */
static void expect(u64 expected, const u8 *after, const char *where)
{
	static u8 arena[65536], interpreted[sizeof(memory)];
	struct ext_arena a = {arena, sizeof(arena), 0};
	static struct ext_function f[MOST];
	struct ext_run run = {0};
	struct ext_check check;
	struct ext_program p;
	struct ext_refusal why;
	struct ext_code c;
	u64 arg[5] = {(u64)memory, memory_bytes}, got;
	int status;

	ran++;
	program_make(&p, f);
	memcpy(before, memory, sizeof(memory));
	memset(&check, 0, sizeof(check));
	check.regs = 6;
	check.most = 100000;
	ext_check_allow(&check, (u64)memory, memory_bytes, 1);
	got = ext_interpret(&p, 0, code, arg, &run, &check);
	if (check.why != EXT_OK || got != expected) {
		printf("  %s: interpreted %llx, expected %llx %s\n", where, (unsigned long long)got,
		       (unsigned long long)expected, check.why ? check.text : "");
		CHECK(0);
	}
	memcpy(interpreted, memory, sizeof(memory));
	memcpy(memory, before, sizeof(memory));
	mprotect(code, CODE, PROT_READ | PROT_WRITE);
	status = ext_compile(&a, &p, 0, EXT_HANDLER, code, CODE, CODE, &c, &why);
	mprotect(code, CODE, PROT_READ | PROT_EXEC);
	if (status != EXT_OK) {
		printf("  %s: %s\n", where, why.text);
		CHECK(0);
		return;
	}
	got = ((u64(*)(u64, u64, u64, u64, u64, struct ext_run *))(void *)code)(arg[0], arg[1], 0,
										0, 0, &run);
	if (got != expected) {
		printf("  %s: compiled %llx, expected %llx\n", where, (unsigned long long)got,
		       (unsigned long long)expected);
		CHECK(0);
	}
	CHECK(!memcmp(memory, interpreted, sizeof(memory)));
	CHECK(!after || !memcmp(memory, after, sizeof(memory)));
	memcpy(memory, before, sizeof(memory));
}

/* --- one-line cases: INSTRUCTION: r0 r1 -> r0, in other registers, too */
static void line_case(const char *text, u64 a, u64 b, u64 expected, const char *where)
{
	int is_jump = !strncmp(text, "if ", 3);
	char line[120];

	snprintf(line, sizeof(line), "%s%s", text, is_jump ? " goto +2" : "");
	for (u32 turn = 0; turn < 14; turn++) {
		u32 dst = turn ? test_below(10) : 0, src = turn ? test_below(10) : 1;
		struct ext_insn *i;

		if (dst == src || (turn > 10 && dst))
			continue;
		used = 0;
		add_wide(dst, a);
		add_wide(src, b);
		add_line(line, where);
		i = &insn[used - 1];
		i->regs = (u8)(ext_dst(i) ? src : dst);
		if (i->code & EXT_X &&
		    (is_jump || (EXT_OP(i->code) != EXT_END && EXT_OP(i->code) != EXT_NEG)))
			i->regs |= (u8)((strstr(text, "0 ") && strrchr(text, '0') ==
								       text + strlen(text) - 1
						 ? dst
						 : src)
					<< 4);
		if (is_jump) {
			add(asm_make(EXT_ALU64 | EXT_MOV, 0, 0, 0, 0));
			add(asm_make(EXT_JMP | EXT_EXIT, 0, 0, 0, 0));
			add(asm_make(EXT_ALU64 | EXT_MOV, 0, 0, 0, 1));
		} else {
			add(asm_make(EXT_ALU64 | EXT_MOV | EXT_X, 0, (int)dst, 0, 0));
		}
		add(asm_make(EXT_JMP | EXT_EXIT, 0, 0, 0, 0));
		expect(expected, 0, where);
	}
}

/* atomic INSTRUCTION: word r2 r0 -> word r2 r0, for each of the three */
static void atomic_case(const char *text, const u64 *in, const u64 *out, const char *where)
{
	u8 after[sizeof(memory)];

	for (u32 which = 0; which < 2; which++) {
		memset(memory, 0, sizeof(memory));
		memory_bytes = 16;
		memcpy(memory + 8, &in[0], 8);
		memcpy(after, memory, sizeof(memory));
		memcpy(after + 8, &out[0], 8);
		used = 0;
		add_wide(0, in[2]);
		add_wide(2, in[1]);
		add_line(text, where);
		if (which)
			add(asm_make(EXT_ALU64 | EXT_MOV | EXT_X, 0, 2, 0, 0));
		add(asm_make(EXT_JMP | EXT_EXIT, 0, 0, 0, 0));
		expect(out[2 - which], after, where);
	}
}

static void one_line(char *line, const char *where)
{
	char *colon = strchr(line, ':');
	unsigned long long n[6];

	*colon = 0;
	if (!strncmp(line, "atomic ", 7)) {
		u64 in[3], out[3];

		if (sscanf(colon + 1, "%llx %llx %llx -> %llx %llx %llx", &n[0], &n[1], &n[2],
			   &n[3], &n[4], &n[5]) != 6) {
			CHECK(!"an atomic case has three numbers before and behind");
			return;
		}
		for (u32 i = 0; i < 3; i++)
			in[i] = n[i], out[i] = n[3 + i];
		atomic_case(line + 7, in, out, where);
	} else if (sscanf(colon + 1, "%llx %llx -> %llx", &n[0], &n[1], &n[2]) == 3) {
		line_case(line, n[0], n[1], n[2], where);
	} else {
		CHECK(!"a case has two numbers before and one behind");
	}
}

static void set_memory(const char *hex)
{
	memset(memory, 0, sizeof(memory));
	memory_bytes = strlen(hex) / 2;
	for (u64 i = 0; i < memory_bytes; i++) {
		unsigned byte;

		CHECK(sscanf(hex + 2 * i, "%2x", &byte) == 1);
		memory[i] = (u8)byte;
	}
}

/* A file: `# remark`, one-line cases, and programs: `== name`, `memory HEX`, instructions, `-> HEX`. */
static void file(const char *name, u32 least)
{
	char path[100], line[200], where[300] = "";
	u32 number = 0;
	FILE *f;

	snprintf(path, sizeof(path), CASES "%s", name);
	f = fopen(path, "r");
	CHECK(f);
	if (!f)
		return;
	ran = 0;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		snprintf(where, sizeof(where), "%s:%u: %s", name, ++number, line);
		if (!*line || *line == '#')
			continue;
		if (!strncmp(line, "== ", 3)) {
			used = 0;
			memory_bytes = 0;
		} else if (!strncmp(line, "memory ", 7)) {
			set_memory(line + 7);
		} else if (!strncmp(line, "-> ", 3)) {
			expect(strtoull(line + 3, 0, 16), 0, where);
		} else if (strchr(line, ':')) {
			one_line(line, where);
		} else {
			add_line(line, where);
		}
	}
	fclose(f);
	CHECK(ran >= least);
}

static void arithmetic(void)
{
	file("arithmetic.txt", 3000);
}

static void extension(void)
{
	file("extension.txt", 700);
}

static void condition(void)
{
	file("condition.txt", 6000);
}

static void atomics(void)
{
	file("atomic.txt", 140);
}

static void memories(void)
{
	file("memory.txt", 35);
}

static void flow(void)
{
	file("flow.txt", 15);
}

/* Every one-byte code with plausible fields: what has a text is read back the same. */
static void text(void)
{
	struct ext_program p = {.insn = insn, .insns = 2};
	u32 understood = 0;

	for (u32 c = 0; c < 256; c++)
		for (u32 turn = 0; turn < 8; turn++) {
			static const s32 ops[] = {
				0, EXT_OR, EXT_AND | EXT_FETCH, EXT_XCHG, EXT_CMPXCHG, 16, 32, 64};
			static const s16 offs[] = {0, 1, 8, -16, 32, 300, 0, 1};
			struct ext_insn back[2];
			char line[200];

			memset(insn, 0, sizeof(insn));
			insn[0] = (struct ext_insn){(u8)c, 0x21, offs[turn], ops[turn]};
			insn[1].imm = -5;
			ext_disassemble(&p, 0, line, sizeof(line));
			CHECK(strlen(line) > 3);
			memset(back, 0, sizeof(back));
			if (!strncmp(line, "unknown", 7) || strchr(line, '?') ||
			    !asm_line(line, back))
				continue;
			understood++;
			CHECK(back[0].code == insn[0].code || !strncmp(line, "call", 4));
		}
	CHECK(understood > 900);
}

int main(void)
{
	static const struct test tests[] = {TEST(arithmetic), TEST(extension), TEST(condition),
					    TEST(atomics),    TEST(memories),  TEST(flow),
					    TEST(text)};

	code = mmap(0, CODE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
