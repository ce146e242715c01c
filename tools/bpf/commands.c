/* SPDX-License-Identifier: MIT
 * What aril-bpf does. */
#include "bpf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int command_verify(const struct options *o)
{
	struct loaded l;

	load(o, &l);
	return OK;
}

int command_run(const struct options *o)
{
	struct options running = *o;
	struct loaded l;

	running.running = 1;
	load(&running, &l);
	printf("%llx\n", (unsigned long long)run(&running, &l));
	return OK;
}

/* --- disasm */
static const char *function_at(const struct ext_program *p, u32 insn)
{
	for (u32 i = 0; i < p->functions; i++)
		if (p->function[i].first == insn)
			return p->function[i].name;
	return 0;
}

static void line_show(const struct ext_program *p, u32 insn)
{
	for (u32 i = 0; i < p->lines; i++)
		if (p->line[i].insn == insn)
			printf("; %s:%u\n", p->line[i].file, p->line[i].line);
}

static void show_program(const struct loaded *l)
{
	const struct ext_program *p = &l->program;
	char text[200];

	for (u32 i = 0; i < p->insns; i++) {
		u32 flags = l->verified ? l->verdict.fact[i].flags : EXT_FACT_LIVE;

		if (function_at(p, i))
			printf("%s:\n", function_at(p, i));
		line_show(p, i);
		ext_disassemble(p, i, text, sizeof(text));
		printf("%6u: %s", i, text);
		if (flags & EXT_FACT_CHECKPOINT)
			printf(" [checkpoint, %u]", l->verdict.fact[i].cost);
		if (flags & EXT_FACT_BARRIER_TAKEN)
			printf(" [barrier where taken]");
		if (flags & EXT_FACT_BARRIER_NEXT)
			printf(" [barrier behind]");
		printf("\n");
		if (p->insn[i].code == EXT_LDDW)
			i++;
	}
}

static void show_code(struct loaded *l)
{
	char name[] = "/tmp/aril-bpf.XXXXXX", command[200];
	struct compiled c;
	int file = mkstemp(name);

	compile(l, &c);
	if (file < 0 || write(file, c.bytes, c.code.size) != (ssize_t)c.code.size)
		fail(USAGE, "%s cannot be written", name);
	snprintf(command, sizeof(command),
		 "objdump -D -b binary -m i386:x86-64 -M att --no-show-raw-insn %s | sed "
		 "'1,/<.data>:/d'",
		 name);
	if (system(command))
		fprintf(stderr, "aril-bpf: objdump (package binutils) failed\n");
	unlink(name);
}

int command_disasm(const struct options *o)
{
	struct loaded l;

	load(o, &l);
	if (o->jit)
		show_code(&l);
	else
		show_program(&l);
	return OK;
}

/* --- stats */
int command_stats(const struct options *o)
{
	struct loaded l;
	struct compiled c;

	if (o->unverified)
		fail(USAGE, "stats: --unverified leaves nothing to say");
	load(o, &l);
	compile(&l, &c);
	printf("instructions       %u\n", l.program.insns);
	printf("functions          %u\n", l.program.functions);
	printf("data               %llu bytes, of these %llu read-only\n",
	       (unsigned long long)l.program.data_bytes,
	       (unsigned long long)l.program.rodata_bytes);
	printf("verifier's steps   %llu\n", (unsigned long long)l.verdict.steps);
	printf("verifier's states  %llu\n", (unsigned long long)l.verdict.states);
	printf("verifier's memory  %llu bytes\n", (unsigned long long)l.verdict.memory);
	printf("verifier's time    %.0f us\n", l.seconds * 1e6);
	printf("worst case         %llu instructions\n", (unsigned long long)l.verdict.worst);
	printf("first checkpoint   after at most %u instructions\n", l.verdict.entry_cost);
	printf("frames             %u, %u bytes\n", l.verdict.depth, l.verdict.stack);
	printf("compiled           %llu bytes in %.0f us\n", (unsigned long long)c.code.size,
	       c.seconds * 1e6);
	printf("machine's stack    %u bytes\n", c.code.stack);
	return OK;
}
