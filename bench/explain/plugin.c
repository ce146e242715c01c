// SPDX-License-Identifier: MIT
// QEMU's plugin behind ./aril bench --explain: counts each instruction of a batch by the function that it is in, and writes down in
// what order functions ran, how deep. A batch lies between two marks (an instruction without effect, BENCH_MARK); in it only what
// runs between the first and the second of each pair of reads of the counter (`ds rdtsc`, bench_now) is counted, as the benchmark itself counts.
//
// Words: file=THIS,out=FILE,symbols=FILE,skip=N. symbols: lines `address name`, sorted.
// out, when the batch is over: `total N`, `f INDEX INSTRUCTIONS CALLS`, `r INDEX INSTRUCTIONS DEPTH` in order, `cut` where no more fit.
//
// Depth is of calls within the batch: a return, or a return from the kernel, to where no call was waited for begins anew at 0, as when
// another process's stack goes on.
//
// The declarations are of QEMU's plugin interface, version 1: Debian has no package with its header.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define DEPTH 256u
#define RUNS (1u << 20)
#define KERNEL (1ull << 63)
#define MARK           \
	"\x0f\x1f\x80" \
	"ARIL"
#define CLOCK "\x3e\x0f\x31"

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { NO_REGISTERS };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*cb)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned, void *),
					    enum qemu_plugin_cb_flags flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

struct function {
	uint64_t address, instructions, calls;
};

/* One translated instruction; lives as long as QEMU, as its translation may. */
struct instruction {
	uint64_t address, next;
	uint32_t function;
	enum { PLAIN, CALL, RETURN, LEAVE } kind;
	bool entry, clock, mark;
};

static struct function *functions;
static uint32_t count, skip = 2;
static const char *out;
static bool batch, counting;
static uint64_t total;
static const struct instruction *previous;

static struct run {
	uint32_t function, instructions, depth;
} * runs;
static uint32_t run_count;
static uint64_t stack[DEPTH];
static uint32_t depth;

static uint32_t function_of(uint64_t address)
{
	uint32_t low = 0, high = count;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (functions[middle].address <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void push(uint64_t comes_back)
{
	if (depth < DEPTH)
		stack[depth] = comes_back;
	depth += depth < DEPTH;
}

static void pop(uint64_t to)
{
	while (depth)
		if (stack[--depth] == to)
			return;
}

static void follow(const struct instruction *now)
{
	if (!previous)
		return;
	if ((now->address & KERNEL) && !(previous->address & KERNEL))
		push(previous->next);
	else if (previous->kind == CALL && now->address != previous->next)
		push(previous->next);
	else if (previous->kind == RETURN || previous->kind == LEAVE)
		pop(now->address);
}

static void finish(void)
{
	char other[4096];
	snprintf(other, sizeof(other), "%s.new", out);
	FILE *to = fopen(other, "w");

	if (!to)
		return;
	fprintf(to, "total %lu\n", total);
	for (uint32_t i = 0; i < count; i++)
		if (functions[i].instructions)
			fprintf(to, "f %u %lu %lu\n", i, functions[i].instructions,
				functions[i].calls);
	for (uint32_t i = 0; i < run_count; i++)
		fprintf(to, "r %u %u %u\n", runs[i].function, runs[i].instructions, runs[i].depth);
	if (run_count == RUNS)
		fprintf(to, "cut\n");
	fclose(to);
	rename(other, out);
}

static void executed(unsigned cpu, void *data)
{
	const struct instruction *now = data;

	(void)cpu;
	if (now->mark) {
		if (batch)
			finish();
		batch = skip && !--skip;
		counting = false;
		return;
	}
	if (!batch)
		return;
	if (now->clock) {
		counting = !counting;
		previous = NULL;
		depth = 0;
		if (counting && run_count < RUNS)
			runs[run_count++] = (struct run){now->function, 0, 0};
		return;
	}
	if (!counting)
		return;
	follow(now);
	total++;
	functions[now->function].instructions++;
	functions[now->function].calls += now->entry;
	struct run *last = run_count ? &runs[run_count - 1] : NULL;

	if (last && last->function == now->function && last->depth == depth)
		last->instructions++;
	else if (run_count < RUNS)
		runs[run_count++] = (struct run){now->function, 1, depth};
	previous = now;
}

/* What may go elsewhere than to the next instruction or a jump's target, by its bytes behind prefixes. */
static int kind_of(const uint8_t *byte, size_t size)
{
	size_t i = 0;

	while (i + 1 < size && (byte[i] == 0xf2 || byte[i] == 0xf3 || byte[i] == 0x3e ||
				byte[i] == 0x66 || (byte[i] & 0xf0) == 0x40))
		i++;
	if (byte[i] == 0xe8 || (byte[i] == 0xff && i + 1 < size && (byte[i + 1] >> 3 & 7) == 2))
		return CALL;
	if (byte[i] == 0xc3 || byte[i] == 0xc2)
		return RETURN;
	if (byte[i] == 0xcf || (byte[i] == 0x0f && i + 1 < size && byte[i + 1] == 0x07))
		return LEAVE;
	return PLAIN;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *byte = qemu_plugin_insn_data(insn);
		size_t size = qemu_plugin_insn_size(insn);
		struct instruction *this = malloc(sizeof(*this));

		if (!this)
			abort();
		this->address = qemu_plugin_insn_vaddr(insn);
		this->next = this->address + size;
		this->function = function_of(this->address);
		this->entry = this->address == functions[this->function].address;
		this->kind = kind_of(byte, size);
		this->clock = size == sizeof(CLOCK) - 1 && !memcmp(byte, CLOCK, size);
		this->mark = size == sizeof(MARK) - 1 && !memcmp(byte, MARK, size);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, NO_REGISTERS, this);
	}
}

static bool symbols_read(const char *path)
{
	char line[4096];
	FILE *from = fopen(path, "r");

	if (!from)
		return false;
	while (fgets(line, sizeof(line), from)) {
		if (!(count & (count + 1))) {
			functions = realloc(functions, (2 * count + 2) * sizeof(*functions));
			if (!functions)
				abort();
		}
		struct function *f = &functions[count];

		memset(f, 0, sizeof(*f));
		if (sscanf(line, "%lx", &f->address) != 1)
			break;
		count++;
	}
	fclose(from);
	return count != 0;
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	const char *symbols = NULL;

	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = argv[i] + 4;
		if (!strncmp(argv[i], "symbols=", 8))
			symbols = argv[i] + 8;
		if (!strncmp(argv[i], "skip=", 5))
			skip = (uint32_t)atoi(argv[i] + 5);
	}
	runs = malloc(RUNS * sizeof(*runs));
	if (!out || !symbols || !runs || !symbols_read(symbols))
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
