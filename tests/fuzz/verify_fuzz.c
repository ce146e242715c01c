/* SPDX-License-Identifier: MIT
 * The verifier against programs that run: what it accepts never steps outside, never runs longer than was proved, never
 * has a register outside what was proved of it, and compiled does the same.
 * links: tests/fuzz/verify/program.c tests/fuzz/verify/functions.c tests/fuzz/verify/arguments.c tests/fuzz/verify/execute.c tests/fuzz/verify/generate.c tests/fuzz/verify/loops.c tests/fuzz/verify/pieces.c tests/fuzz/verify/pieces_call.c tests/fuzz/verify/pieces_more.c tests/fuzz/verify/locals.c tests/fuzz/verify/mutate.c ext/*.c
 * seeds: programs
 * inputs: 4000
 * fast: -O2 -fno-sanitize=address,undefined -fsanitize=bounds,shift,signed-integer-overflow
 * flags: -Iext -Itests/fuzz/verify */
#include "verify_fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, u64 bytes);
int LLVMFuzzerInitialize(int *argc, char ***argv);
u64 LLVMFuzzerCustomMutator(u8 *data, u64 bytes, u64 most, u32 seed);
u64 LLVMFuzzerCustomCrossOver(const u8 *a, u64 a_bytes, const u8 *b, u64 b_bytes, u8 *out, u64 most,
			      u32 seed);
u64 LLVMFuzzerMutate(u8 *data, u64 bytes, u64 most);

#define ARENA (24ul << 20)
#define STEPS 60000ul

static u64 tried, accepted, looping, pure, calling, importing, refused[EXT_WHYS];
static int is_shown;

void report(void)
{
	fprintf(stderr,
		"verified %lu, accepted %lu (%lu %%), of them with loops %lu, pure %lu, with calls "
		"within "
		"%lu, with functions or maps %lu; %lu runs, %lu to their end, %lu of them stopped; "
		"%lu "
		"compiled; %lu instructions\n",
		(unsigned long)tried, (unsigned long)accepted,
		(unsigned long)(tried ? accepted * 100 / tried : 0), (unsigned long)looping,
		(unsigned long)pure, (unsigned long)calling, (unsigned long)importing,
		(unsigned long)runs, (unsigned long)ended, (unsigned long)stopped,
		(unsigned long)compiled_runs, (unsigned long)instructions);
	for (u32 i = 1; i < EXT_WHYS; i++)
		if (refused[i])
			fprintf(stderr, "  refused: %s %lu\n", ext_why_name((enum ext_why)i),
				(unsigned long)refused[i]);
}

static u64 made_write(const struct made *m, u8 *data, u64 most);

static int generated(u32 count)
{
	static u8 input[MADE_HEAD + INSNS * 8];
	static struct made m;

	for (u32 n = 0; n < count; n++) {
		struct random r = {n * 77 + 1};

		generate(&r, &m);
		LLVMFuzzerTestOneInput(input, made_write(&m, input, sizeof(input)));
	}
	report();
	return 0;
}

/* A compiled case as the fuzzer has programs: its regions become those of the same kinds. */
static void convert(const char *name, const char *directory)
{
	static u8 file[1 << 18], memory[8 << 20];
	static const u8 to[] = {
		[EXT_RODATA] = CONSTANTS, [EXT_DATA] = DATA,	 [EXT_ARRAY] = ARRAY,
		[EXT_HASH] = HASH,	  [EXT_PERCPU] = PERCPU, [EXT_RING] = RING};
	struct ext_arena a = {memory, sizeof(memory), 0};
	const struct ext_interface *iface = &interface;
	struct ext_object *object;
	struct ext_program p;
	struct ext_refusal why;
	struct made m = {0};
	char path[600];
	FILE *f = fopen(name, "rb");
	u64 bytes = f ? fread(file, 1, sizeof(file), f) : 0;

	if (f)
		fclose(f);
	if (ext_object_open(&a, file, bytes, &object, &why) ||
	    ext_object_link(&a, object, 0, &iface, 1, &p, &why) || !p.attach || p.insns > INSNS)
		return;
	m.attach = (u8)(p.attach - interface.attach);
	m.insns = p.insns;
	memcpy(m.insn, p.insn, p.insns * sizeof(m.insn[0]));
	for (u32 i = 0; i < m.insns; i++) {
		struct ext_insn *insn = &m.insn[i];

		if (insn->code == EXT_LDDW && ext_src(insn))
			insn->imm = to[p.region[insn->imm].kind];
		else if (insn->code == (EXT_JMP | EXT_CALL) && ext_src(insn) == EXT_CALL_IMPORT)
			insn->imm = (s32)import_of(p.import[insn->imm].slot);
		i += insn->code == EXT_LDDW;
	}
	snprintf(path, sizeof(path), "%s/%s", directory, strrchr(name, '/') + 1);
	f = fopen(path, "wb");
	if (!f || fwrite(&m, MADE_HEAD + m.insns * 8ul, 1, f) != 1 || fclose(f))
		exit(2);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	interface_read();
	if (getenv("FUZZ_CONVERT")) {
		for (int i = 1; i < *argc; i++)
			convert((*argv)[i], getenv("FUZZ_CONVERT"));
		exit(0);
	}
	is_shown = getenv("FUZZ_SHOW") != 0;
	if (getenv("FUZZ_GENERATE")) /* what the generator makes, and what is said to it */
		exit(generated((u32)atoi(getenv("FUZZ_GENERATE"))));
	atexit(report);
	return 0;
}

static int made_read(const u8 *data, u64 bytes, struct made *m)
{
	if (bytes < MADE_HEAD + 8)
		return 0;
	memcpy(m, data, MADE_HEAD);
	m->insns = (u32)((bytes - MADE_HEAD) / 8);
	if (m->insns > INSNS)
		m->insns = INSNS;
	memcpy(m->insn, data + MADE_HEAD, m->insns * 8ul);
	return 1;
}

static u64 made_write(const struct made *m, u8 *data, u64 most)
{
	u64 bytes = MADE_HEAD + m->insns * 8ul;

	if (bytes > most)
		bytes = most / 8 * 8;
	memcpy(data, m, bytes);
	return bytes;
}

static void count(const struct ext_program *p)
{
	u32 loops = 0, calls = 0, imports = 0;

	for (u32 i = 0; i < p->insns; i++) {
		const struct ext_insn *insn = &p->insn[i];
		u32 class = EXT_CLASS(insn->code);

		if (insn->code == (EXT_JMP | EXT_CALL)) {
			calls += ext_src(insn) == EXT_CALL_LOCAL;
			imports += ext_src(insn) == EXT_CALL_IMPORT;
		} else {
			loops += (class == EXT_JMP || class == EXT_JMP32) && insn->off < 0;
		}
	}
	accepted++;
	looping += loops != 0;
	calling += calls != 0;
	importing += imports != 0;
	pure += p->attach->class == EXT_PURE;
}

int LLVMFuzzerTestOneInput(const u8 *data, u64 bytes)
{
	static u8 *memory;
	static struct made m;
	struct ext_program p;
	struct ext_verdict v;
	struct ext_refusal why;
	struct ext_arena a;
	char text[800];

	if (!made_read(data, bytes, &m))
		return 0;
	if (!memory)
		memory = malloc(ARENA);
	a = (struct ext_arena){memory, ARENA, 0};
	if (program_make(&a, &m, &p, &why))
		return 0;
	tried++;
	if (ext_verify(&a, &p, &interface, p.attach, STEPS, EXT_VERIFY_WATCH, &v, &why)) {
		refused[why.why % EXT_WHYS]++;
		if (is_shown) {
			program_show(&p, 0);
			ext_refusal_print(&why, text, sizeof(text));
			fprintf(stderr, "insn %u %s: %s\n", why.insn, ext_why_name(why.why), text);
		}
		return 0;
	}
	if (is_shown)
		program_show(&p, &v);
	count(&p);
	execute(&a, &m, &p, &v);
	return 0;
}

u64 LLVMFuzzerCustomMutator(u8 *data, u64 bytes, u64 most, u32 seed)
{
	static struct made m;
	struct random r = {seed * 0x9e3779b97f4a7c15ul + 1};

	if (most < MADE_HEAD + 8)
		return 0;
	if (below(&r, 100) < 50 || !made_read(data, bytes, &m))
		generate(&r, &m);
	else
		mutate(&r, &m, 0);
	return made_write(&m, data, most);
}

u64 LLVMFuzzerCustomCrossOver(const u8 *a, u64 a_bytes, const u8 *b, u64 b_bytes, u8 *out, u64 most,
			      u32 seed)
{
	static struct made m, other;
	struct random r = {seed * 0x9e3779b97f4a7c15ul + 7};

	if (!made_read(a, a_bytes, &m) || !made_read(b, b_bytes, &other))
		return 0;
	mutate(&r, &m, &other);
	return made_write(&m, out, most);
}
