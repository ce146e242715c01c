/* SPDX-License-Identifier: MIT
 * Runs a program that was accepted, some times with different arguments: interpreted, held to what was proved, and
 * compiled, held to what the interpreter did. */
#include "verify_fuzz.h"

#include <sys/mman.h>

#define CODE (256ul << 10)
/* Instructions of one run, at most: longer ones are left. One program in 8, and one in 64, is waited for longer. */
#define STEPS_MOST 6000u
#define STEPS_LONG 200000u
#define STEPS_LONGEST 2000000u
#define TIMES 4u
#define STACK 16384u

typedef u64 (*compiled)(u64, u64, u64, u64, u64, struct ext_run *);

static struct {
	const struct ext_program *p;
	const struct ext_verdict *v;
	struct random random;
	u64 since; /* executed before the last checkpoint */
	u64 paid;  /* most instructions from there to the next */
	u64 steps, steps_most;
	u64 seed;
	u64 granted; /* of the budget, the entry's part included */
	int is_disturbed;
} now;
static struct ext_check check;
static const char enough[] = "enough";
u64 runs, instructions, ended, stopped, compiled_runs;
static u8 *code; /* CODE bytes, then the image's data, between pages that are not there */
static u64 data_room;

static _Noreturn void finding(const char *what, u32 insn)
{
	program_show(now.p, now.v);
	fprintf(stderr, "FINDING: instruction %u: %s\n", insn, what);
	report();
	abort();
}

/* --- calls: the contract, from the values themselves */
static int on_stack(u64 at, u64 bytes, int is_write, u64 bottom, u32 depth)
{
	u64 from = at - bottom;
	u32 frame = (u32)(from / EXT_FRAME_BYTES), byte = from % EXT_FRAME_BYTES;

	if (from >= (depth + 1ul) * EXT_FRAME_BYTES || bytes > EXT_FRAME_BYTES - byte)
		return 0;
	for (u64 i = byte; i < byte + bytes; i++) {
		if (is_write)
			check.written[frame][i / 8] |= (u8)(1u << i % 8);
		else if (!(check.written[frame][i / 8] >> i % 8 & 1))
			return 0;
	}
	return 1;
}

static int is_allowed(u64 at, u64 bytes, int is_write, u64 bottom, u32 depth)
{
	if (!bytes || on_stack(at, bytes, is_write, bottom, depth))
		return 1;
	for (u32 i = 0; i < now.p->regions; i++) {
		const struct ext_region *r = &now.p->region[i];
		u64 from = at - (u64)running.data - r->offset;

		if (from >= r->bytes || bytes > r->bytes - from)
			continue;
		if (r->kind >= EXT_ARRAY)
			return ext_map_holds(ext_map_of(running.data, i), from, bytes);
		return !is_write || r->kind != EXT_RODATA;
	}
	for (u32 i = 0; i < check.memories; i++) {
		u64 from = at - check.memory[i].at;

		if (from < check.memory[i].bytes && bytes <= check.memory[i].bytes - from &&
		    (!is_write || check.memory[i].writable))
			return 1;
	}
	return 0;
}

static int within(u64 n, u64 least, u64 most)
{
	return least <= most ? n >= least && n <= most
			     : (s64)n >= (s64)least && (s64)n <= (s64)most;
}

static const char *argument(const struct ext_contract *k, u32 n, const u64 *reg, u32 depth,
			    const struct ext_map **map)
{
	const struct ext_arg *a = &k->arg[n];
	u64 value = reg[n + 1], bytes = a->bytes,
	    bottom = reg[10] - (depth + 1ul) * EXT_FRAME_BYTES;
	int is_const = a->flags & EXT_ARG_CONST;

	switch (a->kind) {
	case EXT_ARG_SCALAR:
	case EXT_ARG_SIZE:
		return within(value, a->least, a->most) ? 0 : "a number against the contract";
	case EXT_ARG_MAP:
		*map = (const struct ext_map *)value;
		for (u32 i = 0; i < now.p->regions; i++)
			if (now.p->region[i].kind >= EXT_ARRAY &&
			    *map == ext_map_of(running.data, i))
				return 0;
		return "an argument that is no map";
	case EXT_ARG_OBJECT:
		if (!value)
			return a->flags & EXT_ARG_NULLABLE ? 0 : "a null object";
		return is_allowed(value, 8, 0, bottom, depth) ? 0 : "an object that is not there";
	case EXT_ARG_KEY:
	case EXT_ARG_VALUE:
		is_const |= !(a->flags & EXT_ARG_RELEASE);
		bytes = *map ? (a->kind == EXT_ARG_KEY ? (*map)->key : (*map)->value) : RING_VALUE;
		break;
	case EXT_ARG_MEM:
		if (a->size_arg < k->args)
			bytes = reg[a->size_arg + 1];
		break;
	default:
		return "a contract that is not understood";
	}
	if (!value && a->flags & EXT_ARG_NULLABLE)
		return 0;
	return is_allowed(value, bytes, !is_const, bottom, depth) ? 0
								  : "memory against the contract";
}

/* Of a ring, the records that it holds alone. */
static int is_given_back(const struct ext_insn *i, const u64 *reg)
{
	const struct ext_region *r = &now.p->region[RING];
	u32 class = EXT_CLASS(i->code), base = class == EXT_LDX ? ext_src(i) : ext_dst(i);
	u64 at = reg[base] + (u64)(s64)i->off;

	if (class > EXT_STX || class == EXT_LD || at - (u64)running.data - r->offset >= r->bytes)
		return 0;
	for (u32 n = 0; n < 8; n++)
		if (running.locked >> (8 + n) & 1 && at - running.record[n] < RING_VALUE)
			return 0;
	return 1;
}

static const char *step(void *context, u32 insn, const u64 *reg, u32 written, u32 depth)
{
	const struct ext_insn *i = &now.p->insn[insn];
	const char *why = ext_watch_compare(now.v->watched, insn, reg, written);
	const struct ext_map *map = 0;

	(void)context;
	if (why)
		return why;
	if (++now.steps == now.steps_most)
		return enough;
	if (now.p->attach->class == EXT_HANDLER && now.v->fact[insn].flags & EXT_FACT_CHECKPOINT) {
		if (check.executed - now.since > now.paid)
			return "more instructions than were paid at the checkpoint before";
		now.since = check.executed;
		now.paid = now.v->fact[insn].cost;
	}
	if (now.is_disturbed && !below(&now.random, 4)) {
		u32 n = below(&now.random, 2) ? DATA : HASH + below(&now.random, REGIONS - HASH);
		const struct ext_region *r = &now.p->region[n];

		running.data[r->offset + below(&now.random, (u32)r->bytes)] ^=
			(u8)(1u << below(&now.random, 8));
		arguments_disturb(&now.random);
	}
	if (is_given_back(i, reg))
		return "a record of a ring that is not held";
	if (i->code != (EXT_JMP | EXT_CALL) || ext_src(i) != EXT_CALL_IMPORT)
		return 0;
	if (now.p->attach->class == EXT_PURE && !now.p->import[i->imm].contract->pure)
		return "a pure program calls what is not";
	for (u32 n = 0; !why && n < now.p->import[i->imm].contract->args; n++)
		why = argument(now.p->import[i->imm].contract, n, reg, depth, &map);
	return why;
}

/* --- one run interpreted; 1: it came to its end */
static int returns_nothing(void)
{
	u32 proto = now.p->attach->proto;

	return proto && !interface.btf->type[proto].type;
}

static void untouched(void)
{
	static u8 fresh[1 << 16] __attribute__((aligned(64)));

	functions_fill(now.p, fresh, now.seed);
	if (memcmp(fresh, running.data, now.p->data_bytes) || !arguments_untouched())
		finding("a pure program wrote something", 0);
}

/* What holds of a run that ended, or was stopped. */
static void ended_well(u64 r0)
{
	const struct ext_attach *t = now.p->attach;

	/* nobody is left waiting for what it holds, and nothing is half done: that is why there is no stop with a reference */
	if (running.locked)
		finding(running.run.stopped ? "is stopped with a reference held"
					    : "ends with a reference held",
			0);
	if (t->class == EXT_PURE && !now.is_disturbed)
		untouched();
	if (t->class == EXT_HANDLER &&
	    check.executed > (now.granted > now.v->entry_cost ? now.granted : now.v->entry_cost))
		finding("more instructions than the budget has", 0);
	if (running.run.stopped) {
		if (t->class != EXT_HANDLER)
			finding("is stopped, and is no handler", 0);
		return;
	}
	if (t->class == EXT_HANDLER && check.executed - now.since > now.paid)
		finding("more instructions to the end than were paid at the last checkpoint", 0);
	if (returns_nothing())
		return;
	if ((t->ret_least != 0 || t->ret_most != ~0ul) && !within(r0, t->ret_least, t->ret_most))
		finding("returns what the attach point does not allow", 0);
	if (!(check.regs & 1))
		finding("ends without a result", 0);
}

static int interpreted(u64 seed, const u64 *arg, s64 budget, u64 *r0)
{
	functions_begin(code + CODE, seed, budget, &check);
	check.most = now.v->worst;
	check.step = step;
	arguments_allow(now.p->attach, &check);
	now.since = now.steps = 0;
	now.paid = now.v->entry_cost;
	*r0 = ext_interpret(now.p, now.v, code + CODE, arg, &running.run, &check);
	runs++;
	instructions += now.steps;
	if (check.why != EXT_OK && check.text == enough)
		return 0;
	if (check.why != EXT_OK)
		finding(check.text, check.insn);
	ended_well(*r0);
	ended++;
	stopped += running.run.stopped;
	return 1;
}

/* --- and compiled */
static int calls_out(const struct ext_program *p)
{
	for (u32 i = 0; i < p->insns; i++)
		if (p->insn[i].code == (EXT_JMP | EXT_CALL) &&
		    ext_src(&p->insn[i]) == EXT_CALL_IMPORT)
			return 1;
	return 0;
}

/* Calls the entry on a stack of its own. */
u64 call_on(u64 entry, const u64 *arg, struct ext_run *run, u8 *top);
__asm__(".text\n"
	"call_on:\n"
	"push %rbp\n"
	"push %rbx\n"
	"push %r12\n"
	"push %r13\n"
	"push %r14\n"
	"push %r15\n"
	"mov %rsp, -8(%rcx)\n"
	"lea -16(%rcx), %rsp\n"
	"mov %rdx, %r9\n"
	"mov %rdi, %rax\n"
	"mov %rsi, %r10\n"
	"mov (%r10), %rdi\n"
	"mov 8(%r10), %rsi\n"
	"mov 16(%r10), %rdx\n"
	"mov 24(%r10), %rcx\n"
	"mov 32(%r10), %r8\n"
	"call *%rax\n"
	"mov 8(%rsp), %rsp\n"
	"pop %r15\n"
	"pop %r14\n"
	"pop %r13\n"
	"pop %r12\n"
	"pop %rbx\n"
	"pop %rbp\n"
	"ret\n");

static void compiled_too(const struct ext_code *c, u64 seed, const u64 *arg, s64 budget, u64 r0)
{
	static u8 kept[1 << 16], stack[STACK] __attribute__((aligned(64)));
	struct ext_run expected = running.run;
	u64 bytes = now.p->data_bytes, from = now.p->rodata_bytes, used = STACK - 16, got;
	u8 *data = code + CODE;
	int is_alone = !calls_out(now.p);

	compiled_runs++;
	memcpy(kept, data + from, bytes - from);
	arguments_keep_result();
	functions_fill(now.p, data, seed);
	arguments_restore();
	functions_begin(data, seed, budget, 0);
	if (mprotect(code, CODE, PROT_READ | PROT_EXEC) || mprotect(data, from, PROT_READ))
		abort();
	if (is_alone) {
		memset(stack, 0xa5, sizeof(stack));
		got = call_on((u64)code + c->entry, arg, &running.run, stack + STACK);
	} else {
		got = ((compiled)(void *)(code + c->entry))(arg[0], arg[1], arg[2], arg[3], arg[4],
							    &running.run);
	}
	if (mprotect(code, CODE, PROT_READ | PROT_WRITE) ||
	    mprotect(data, from, PROT_READ | PROT_WRITE))
		abort();
	if (is_alone) {
		for (used = 0; used < STACK && stack[used] == 0xa5; used++)
			;
		if (STACK - 16 - used > c->stack)
			finding("compiled code takes more stack than it says", 0);
	}
	if (running.run.stopped != expected.stopped)
		finding("compiled code is stopped and the interpreter's not, or the other way", 0);
	if (got != r0 && !returns_nothing())
		finding("compiled code returns something else", 0);
	if (running.run.budget != expected.budget)
		finding("compiled code leaves another budget", 0);
	if (running.locked)
		finding("compiled code leaves references held", 0);
	if (memcmp(kept, data + from, bytes - from))
		finding("the data is another after compiled code", 0);
	if (arguments_differ())
		finding(arguments_differ(), 0);
}

void execute(struct ext_arena *a, const struct made *m, const struct ext_program *p,
	     const struct ext_verdict *v)
{
	struct ext_refusal why;
	struct ext_code c;

	if (!code) {
		data_room = p->data_bytes;
		code = mmap(0, 4096 + CODE + data_room + 4096, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (code == MAP_FAILED || data_room > 1 << 16)
			abort();
		code += 4096;
		if (mprotect(code, CODE + data_room, PROT_READ | PROT_WRITE))
			abort();
	}
	now.p = p;
	now.v = v;
	now.steps_most = m->seed % 64 == 1 ? STEPS_LONGEST : m->seed % 8 ? STEPS_MOST : STEPS_LONG;
	if (p->attach->class == EXT_PURE && p->attach->worst_most &&
	    v->worst > p->attach->worst_most)
		finding("a pure program may take longer than its attach point allows", 0);
	now.random.state = m->seed;
	if (p->data_bytes != data_room)
		abort();
	if (ext_compile(a, p, v, (enum ext_class)p->attach->class, code, CODE, CODE, &c, &why) &&
	    why.why != EXT_WHY_MEMORY) {
		char text[600];

		ext_refusal_print(&why, text, sizeof(text));
		finding(text, 0);
	}
	for (u32 n = 0; n < TIMES; n++) {
		u64 arg[5], r0, seed = draw(&now.random);
		s64 budget =
			(s64)(m->small & 1 ? below(&now.random, below(&now.random, 3) ? 300 : 5000)
					   : p->attach->budget);
		int is_over;

		now.granted = (u64)budget;
		budget -= v->entry_cost;
		now.is_disturbed = n == TIMES - 1;
		arguments_make(p->attach, &now.random, arg);
		arguments_keep();
		now.seed = seed;
		functions_fill(p, code + CODE, seed);
		is_over = interpreted(seed, arg, budget, &r0);
		if (is_over && !now.is_disturbed)
			compiled_too(&c, seed, arg, budget, r0);
	}
}
