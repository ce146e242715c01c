/* SPDX-License-Identifier: MIT
 * Downloaded code on Linux: the kernels of bench/ext, from the same source, as BPF programs, verified and compiled by Linux, and run by
 * BPF_PROG_TEST_RUN, less what that takes for a program that does nothing. Only what loads is measured. */
#define _GNU_SOURCE
#include "unix.h"
#include <elf.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../ext/data.h"

#define BENCH_EXT_KERNEL_H /* the kernels' sources, for this machine: results are compared */
#define DATA_reader const u8 *
#define DATA_writer u8 *
#define KERNEL(class, name) static u64 name##_here(DATA_##class data, u64 n)
#define KERNELS(X)  \
	X(checksum) \
	X(parse) X(hash) X(bits) X(sort) X(search) X(crc) X(histogram) X(fold) X(product)
#include "../ext/bits.c"
#include "../ext/checksum.c"
#include "../ext/crc.c"
#include "../ext/fold.c"
#include "../ext/hash.c"
#include "../ext/histogram.c"
#include "../ext/parse.c"
#include "../ext/product.c"
#include "../ext/search.c"
#include "../ext/sort.c"

#define OBJECT(name)                                                                         \
	extern const u8 name##_bpf[], name##_bpf_end[];                                      \
	__asm__(".section .rodata\n\t.globl " #name "_bpf, " #name "_bpf_end\n\t"            \
		".balign 16\n" #name "_bpf:\n\t.incbin \"" EBPF_OBJECTS #name ".o\"\n" #name \
		"_bpf_end:\n\t.byte 0\n\t.text");
KERNELS(OBJECT)
OBJECT(nothing)

static long bpf(int command, union bpf_attr *a)
{
	return CALL(SYS_bpf, command, a, sizeof(*a));
}

/* An array of one value of DATA bytes. */
static long map_make(void)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_ARRAY};

	a.key_size = 4;
	a.value_size = DATA;
	a.max_entries = 1;
	return bpf(BPF_MAP_CREATE, &a);
}

/* The object's program with the map in the places that its relocations name. */
static u32 program_of(const u8 *object, int map, struct bpf_insn *to, u32 most)
{
	const Elf64_Ehdr *head = (const void *)object;
	const Elf64_Shdr *section = (const void *)(object + head->e_shoff), *text = 0;
	const char *names = (const char *)object + section[head->e_shstrndx].sh_offset;

	for (u32 i = 0; i < head->e_shnum; i++)
		if (!strcmp(names + section[i].sh_name, "socket"))
			text = &section[i];
	if (!text || text->sh_size > most * sizeof(*to))
		return 0;
	memcpy(to, object + text->sh_offset, text->sh_size);
	for (u32 i = 0; i < head->e_shnum; i++) {
		const Elf64_Rel *r = (const void *)(object + section[i].sh_offset);

		if (section[i].sh_type != SHT_REL || &section[section[i].sh_info] != text)
			continue;
		for (u64 j = 0; j < section[i].sh_size / sizeof(*r); j++) {
			to[r[j].r_offset / 8].src_reg = BPF_PSEUDO_MAP_FD;
			to[r[j].r_offset / 8].imm = map;
		}
	}
	return (u32)(text->sh_size / sizeof(*to));
}

static struct bpf_insn code[4096];

static long load(const u8 *object, int map)
{
	union bpf_attr a = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER};

	a.insn_cnt = program_of(object, map, code, sizeof(code) / sizeof(*code));
	a.insns = (u64)code;
	a.license = (u64) "GPL";
	return a.insn_cnt ? bpf(BPF_PROG_LOAD, &a) : -ENOEXEC;
}

/* What `repeat` runs take, the call included, and the last one's result. */
static s64 run(int program, u32 repeat, u32 *result)
{
	static char packet[64];
	union bpf_attr a = {0};

	a.test.prog_fd = (u32)program;
	a.test.data_in = (u64)packet;
	a.test.data_size_in = sizeof(packet);
	a.test.repeat = repeat;
	u64 began = bench_now();
	long error = bpf(BPF_PROG_TEST_RUN, &a);
	u64 took = bench_now() - began - bench_read;

	*result = a.test.retval;
	return error < 0 ? error : (s64)took;
}

struct kernel {
	const char *name;
	const u8 *object;
	u64 (*here)(u8 *data, u64 n);
};

static s64 kernel_run(const struct kernel *k)
{
	static u8 data[DATA] __attribute__((aligned(64)));
	static int map = -1, program = -1, nothing = -1;
	union bpf_attr a = {0};
	u32 zero = 0, said;

	if (map < 0) {
		long error = map_make();

		if (error < 0)
			return error;
		map = (int)error;
		error = load(nothing_bpf, map);
		nothing = (int)error;
		if (error >= 0)
			program = (int)(error = load(k->object, map));
		if (error < 0)
			return error;
	}
	data_fill(data, k->name);
	a.map_fd = (u32)map;
	a.key = (u64)&zero;
	a.value = (u64)data;
	if (bpf(BPF_MAP_UPDATE_ELEM, &a))
		return -EPROTO;
	s64 empty = run(nothing, 1, &said), took = run(program, 1, &said);

	if (empty < 0 || took < 0)
		return empty < 0 ? empty : took;
	return said == (u32)k->here(data, DATA) ? took - empty : -EPROTO;
}

static s64 kernel_load(const struct kernel *k)
{
	static int map = -1;

	if (map < 0)
		map = (int)map_make();
	if (map < 0)
		return map;
	u64 began = bench_now();
	long program = load(k->object, map);
	u64 took = bench_now() - began - bench_read;

	if (program < 0)
		return program;
	close((int)program);
	return (s64)took;
}

#define FUNCTIONS(n)                                                                        \
	static const struct kernel n##_kernel = {#n, n##_bpf, (u64(*)(u8 *, u64))n##_here}; \
	static s64 n##_run(u64 times)                                                       \
	{                                                                                   \
		(void)times;                                                                \
		return kernel_run(&n##_kernel);                                             \
	}                                                                                   \
	static s64 n##_load(u64 times)                                                      \
	{                                                                                   \
		(void)times;                                                                \
		return kernel_load(&n##_kernel);                                            \
	}
KERNELS(FUNCTIONS)

/* Twice as many runs in a call as in another: what is between them. */
static s64 nothing_run(u64 n)
{
	static long program = -1;
	u32 said;

	if (program < 0)
		program = load(nothing_bpf, -1);
	if (program < 0)
		return program;
	s64 few = run((int)program, (u32)n, &said), many = run((int)program, 2 * (u32)n, &said);

	return few < 0 ? few : many < 0 ? many : many - few;
}

/* What a program that says yes adds to a datagram: with it on the socket, less without. */
static s64 filtered(u64 n)
{
	static long program = -1;
	int plain[2], with[2];
	char byte = 1;

	if (program < 0)
		program = load(nothing_bpf, -1);
	if (program < 0)
		return program;
	int at = (int)program;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, plain) || socketpair(AF_UNIX, SOCK_DGRAM, 0, with) ||
	    setsockopt(with[1], SOL_SOCKET, SO_ATTACH_BPF, &at, sizeof(at)))
		return -errno;
	s64 without = BENCH_LOOP(n, {
		MUST(CALL(SYS_write, plain[0], &byte, 1));
		MUST(CALL(SYS_read, plain[1], &byte, 1));
	});
	s64 took = BENCH_LOOP(n, {
		MUST(CALL(SYS_write, with[0], &byte, 1));
		MUST(CALL(SYS_read, with[1], &byte, 1));
	});

	for (int i = 0; i < 2; i++)
		close(plain[i]), close(with[i]);
	return without < 0 ? without : took < 0 ? took : took > without ? took - without : 0;
}

const struct metric metrics_ebpf[] = {
	{"bpf_nothing", nothing_run, 1000, 21,
	 "a BPF program that does nothing, in Linux's loop that tests programs"},
	{"bpf_filtered", filtered, 200, 21, "what such a program on a socket adds to a datagram"},
#define ROW(n)                                                          \
	{"bpf_" #n, n##_run, 1, 11, "bench/ext/" #n ".c as a program"}, \
		{"bpf_load_" #n, n##_load, 1, 5, "verifying and compiling it"},
	KERNELS(ROW){0},
};
