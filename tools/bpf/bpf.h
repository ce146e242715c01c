/* SPDX-License-Identifier: MIT
 * aril-bpf: checks, runs and shows downloaded code on the host. What its files share. */
#ifndef BPF_H
#define BPF_H

#include <ext.h>

enum { OK = 0, REFUSED = 1, USAGE = 2, STOPPED = 3 };

struct options {
	const char *file, *entry, *attach, *interface, *memory, *memory_file;
	enum ext_class class;
	int raw, jit, unverified, running;
	u64 steps, arena, budget;
	u64 scalar[5];
	u32 scalars;
};

/* A program as the options ask for it, and what the verifier said. */
struct loaded {
	struct ext_arena arena;
	struct ext_interface builtin, given;
	struct ext_program program;
	struct ext_attach attach;
	struct ext_verdict verdict;
	int verified;
	double seconds; /* of verification */
	u8 *memory;	/* r1's, memory_bytes of it, for a program without an attach point */
	u64 memory_bytes;
};

/* One line on standard error, and the end. */
_Noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
double now(void);

/* Reads, links, verifies; ends with REFUSED and the refusal where there is one. */
void load(const struct options *o, struct loaded *l);
/* Interface and attach point by name; 0: none. */
const struct ext_attach *attach_find(const struct loaded *l, const char *name);

struct compiled {
	u8 *bytes; /* code, then the image's data */
	u64 mapped;
	struct ext_code code;
	double seconds;
};
void compile(struct loaded *l, struct compiled *c);
/* Runs it and returns r0; ends with STOPPED when it does not come to its end. */
u64 run(const struct options *o, struct loaded *l);

/* --- commands */
int command_verify(const struct options *o);
int command_run(const struct options *o);
int command_disasm(const struct options *o);
int command_stats(const struct options *o);

#endif
