/* SPDX-License-Identifier: MIT
 * Running a program on the host: interpreted, with every access checked, or compiled. */
#include "bpf.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <btf.h>
#include <checked.h>
#include <map.h>

#define SLOTS 256u
#define ENDLESS (1ull << 32) /* instructions after which an unverified program is given up */

static struct {
	struct ext_run run;
	void *function[SLOTS];
} with;

/* --- what programs may call here: the maps, and sections. The kernel's own nouns are not on the host. */
static u64 map_lookup(u64 map, u64 key, u64 c, u64 d, u64 e, struct ext_run *run)
{
	const struct ext_map *m = (const struct ext_map *)map;

	(void)c, (void)d, (void)e;
	return (u64)ext_map_lookup(m, ext_map_data(m), (const void *)key, run->cpu);
}

static u64 map_update(u64 map, u64 key, u64 value, u64 flags, u64 e, struct ext_run *run)
{
	const struct ext_map *m = (const struct ext_map *)map;

	(void)e;
	return (u64)ext_map_update(m, ext_map_data(m), (const void *)key, (const void *)value,
				   (u32)flags, run->cpu);
}

static u64 map_delete(u64 map, u64 key, u64 c, u64 d, u64 e, struct ext_run *run)
{
	const struct ext_map *m = (const struct ext_map *)map;

	(void)c, (void)d, (void)e, (void)run;
	return (u64)ext_map_delete(m, ext_map_data(m), (const void *)key);
}

static u64 ring_reserve(u64 map, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	const struct ext_map *m = (const struct ext_map *)map;

	(void)b, (void)c, (void)d, (void)e, (void)run;
	return (u64)ext_ring_reserve(m, ext_map_data(m));
}

static u64 ring_submit(u64 record, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)b, (void)c, (void)d, (void)e, (void)run;
	ext_ring_submit((void *)record);
	return 0;
}

static u64 ring_discard(u64 record, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)b, (void)c, (void)d, (void)e, (void)run;
	ext_ring_discard((void *)record);
	return 0;
}

static u64 section(u64 a, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)a, (void)b, (void)c, (void)d, (void)e;
	return (u64)run;
}

static const struct {
	const char *name;
	void *function;
} functions[] = {
	{"aril_map_lookup", (void *)map_lookup},   {"aril_map_update", (void *)map_update},
	{"aril_map_delete", (void *)map_delete},   {"aril_ring_reserve", (void *)ring_reserve},
	{"aril_ring_submit", (void *)ring_submit}, {"aril_ring_discard", (void *)ring_discard},
	{"aril_begin", (void *)section},	   {"aril_end", (void *)section},
};

static void *function_find(const char *name)
{
	for (u32 i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (!strcmp(functions[i].name, name))
			return functions[i].function;
	return 0;
}

static void functions_fill(const struct ext_program *p)
{
	for (u32 i = 0; i < p->imports; i++) {
		void *f = function_find(p->import[i].name);

		if (!f || p->import[i].slot >= SLOTS)
			fail(USAGE, "%s cannot be called on the host", p->import[i].name);
		with.function[p->import[i].slot] = f;
	}
}

/* --- arguments: memory and objects get buffers, the first of them the given memory's bytes */
static u64 argument_bytes(const struct loaded *l, const struct ext_arg *a)
{
	const struct ext_interface *in = l->program.interface;

	if (a->kind == EXT_ARG_OBJECT)
		return in && in->btf ? ext_btf_type(in->btf, a->type)->bytes : 0;
	return a->size_arg == 0xff ? a->bytes : l->memory_bytes;
}

/* What pointers in objects lead to cannot be given here. */
static int has_pointer(const struct ext_btf *btf, u32 type, u32 depth)
{
	const struct ext_btf_type *t = ext_btf_bare(btf, type);

	if (t->kind == EXT_BTF_ARRAY && depth < 8)
		return has_pointer(btf, t->type, depth + 1);
	if (t->kind != EXT_BTF_STRUCT && t->kind != EXT_BTF_UNION)
		return t->kind == EXT_BTF_PTR;
	for (u32 n = 0; n < t->count; n++)
		if (depth == 8 || has_pointer(btf, ext_btf_part(btf, t, n)->type, depth + 1))
			return 1;
	return 0;
}

static void arguments(const struct options *o, struct loaded *l, struct ext_check *check, u64 *arg)
{
	u32 scalars = 0, buffers = 0, which = 0;
	const char *wrong;

	for (u32 i = 0; i < l->attach.args; i++) {
		const struct ext_arg *a = &l->attach.arg[i];
		u64 bytes = argument_bytes(l, a);
		u8 *buffer;

		if (a->kind == EXT_ARG_SIZE) {
			arg[i] = l->memory_bytes;
		} else if (a->kind == EXT_ARG_SCALAR) {
			arg[i] = scalars < o->scalars ? o->scalar[scalars] : a->least;
			scalars++;
		} else {
			if (a->kind == EXT_ARG_OBJECT && bytes &&
			    has_pointer(l->program.interface->btf, a->type, 0))
				fail(USAGE, "argument %u: an object with pointers in it", i + 1);
			buffer = calloc(1, bytes + 8);
			if (!buffer)
				fail(USAGE, "no memory for argument %u", i + 1);
			if (!buffers++ && l->memory_bytes)
				memcpy(buffer, l->memory,
				       l->memory_bytes < bytes ? l->memory_bytes : bytes);
			arg[i] = (u64)buffer;
			if (bytes)
				ext_check_allow(check, arg[i], bytes, !(a->flags & EXT_ARG_CONST));
		}
		check->regs |= 2u << i;
	}
	wrong = ext_entry_wrong(&l->attach, arg, &which);
	if (wrong)
		fail(USAGE, "argument %u: %s", which + 1, wrong);
}

/* --- compiled */
void compile(struct loaded *l, struct compiled *c)
{
	u64 room = (ext_compile_room(&l->program) + 4095) / 4096 * 4096;
	struct ext_refusal why;
	char text[600];

	c->mapped = room + l->program.data_bytes;
	c->bytes = mmap(0, c->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->bytes == MAP_FAILED)
		fail(USAGE, "no memory for the code");
	double began = now();
	if (ext_compile(&l->arena, &l->program, l->verified ? &l->verdict : 0,
			(enum ext_class)l->attach.class, c->bytes, room, room, &c->code, &why)) {
		ext_refusal_print(&why, text, sizeof(text));
		fail(REFUSED, "%s", text);
	}
	c->seconds = now() - began;
	ext_image_fill(&l->program, c->bytes + room);
	/* from now on the code is not written, the data not executed */
	if (mprotect(c->bytes, room, PROT_READ | PROT_EXEC))
		fail(USAGE, "the host does not let new code be executed");
	if (l->program.rodata_bytes &&
	    mprotect(c->bytes + room, l->program.rodata_bytes, PROT_READ))
		fail(USAGE, "the host does not let data be read-only");
}

static void faulted(int signal)
{
	static const char text[] =
		"aril-bpf: the compiled program made an access that the host refuses\n";

	(void)signal;
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(STOPPED);
	_exit(STOPPED);
}

static u64 run_compiled(struct loaded *l, const u64 *arg)
{
	typedef u64 (*entry)(u64, u64, u64, u64, u64, struct ext_run *);
	struct compiled c;

	compile(l, &c);
	signal(SIGSEGV, faulted);
	signal(SIGBUS, faulted);
	signal(SIGILL, faulted);
	return ((entry)(void *)(c.bytes + c.code.entry))(arg[0], arg[1], arg[2], arg[3], arg[4],
							 &with.run);
}

static u64 run_interpreted(struct loaded *l, const u64 *arg, struct ext_check *check)
{
	u8 *data = aligned_alloc(4096, l->program.data_bytes + 4096);
	u64 r0;

	if (!data)
		fail(USAGE, "no memory for the program's data");
	ext_image_fill(&l->program, data);
	check->most = l->verified ? l->verdict.worst : ENDLESS;
	r0 = ext_interpret(&l->program, l->verified ? &l->verdict : 0, data, arg, &with.run, check);
	if (check->why == EXT_WHY_LENGTH && !l->verified)
		fail(STOPPED, "given up after %llu instructions", (unsigned long long)ENDLESS);
	if (check->why != EXT_OK)
		fail(STOPPED, "instruction %u: %s: %s", check->insn, ext_why_name(check->why),
		     check->text);
	return r0;
}

u64 run(const struct options *o, struct loaded *l)
{
	static struct ext_check check;
	u64 arg[5] = {0}, r0;

	functions_fill(&l->program);
	arguments(o, l, &check, arg);
	with.run.budget = (s64)o->budget - (l->verified ? (s64)l->verdict.entry_cost : 0);
	r0 = o->jit ? run_compiled(l, arg) : run_interpreted(l, arg, &check);
	if (with.run.stopped)
		fail(STOPPED, "stopped: the budget of %llu instructions is spent",
		     (unsigned long long)o->budget);
	return r0;
}
