/* SPDX-License-Identifier: MIT
 * From files to a program that is linked and verified. */
#include "bpf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The interface object made from abi/include/aril/extension.h. */
extern const u8 interface_begin[], interface_end[];
__asm__(".section .rodata\n"
	"interface_begin: .incbin \"" INTERFACE "\"\n"
	"interface_end:\n"
	".previous\n");

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void refuse(const struct options *o, const struct ext_refusal *why)
{
	char text[600];

	ext_refusal_print(why, text, sizeof(text));
	fail(REFUSED, "%s: %s", o->raw ? "standard input" : o->file, text);
}

static u8 *read_all(const char *name, FILE *f, u64 *bytes)
{
	u64 room = 4096, used = 0, got;
	u8 *data = malloc(room);

	if (!fseek(f, 0, SEEK_END)) { /* a file has an end: it is not read in vain */
		if (ftell(f) > (long)EXT_MEMORY_MOST)
			fail(USAGE, "%s: more than 1 GiB", name);
		rewind(f);
	}
	while (data && (got = fread(data + used, 1, room - used, f)) > 0) {
		used += got;
		if (used > EXT_MEMORY_MOST)
			fail(USAGE, "%s: more than 1 GiB", name);
		if (used == room) {
			u8 *more = realloc(data, room *= 2);

			if (!more)
				free(data);
			data = more;
		}
	}
	if (!data)
		fail(USAGE, "%s: no memory", name);
	if (ferror(f))
		fail(USAGE, "%s: cannot be read", name);
	*bytes = used;
	return data;
}

static u8 *read_file(const char *name, u64 *bytes)
{
	FILE *f = fopen(name, "rb");
	u8 *data;

	if (!f)
		fail(USAGE, "%s: cannot be opened", name);
	data = read_all(name, f, bytes);
	fclose(f);
	return data;
}

static int digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes in hexadecimal; blanks between them do not count. */
static u8 *from_hex(const char *what, const char *text, u64 length, u64 *bytes)
{
	u8 *out = malloc(length / 2 + 1);
	u64 digits = 0;

	for (u64 i = 0; out && i < length; i++) {
		int d = digit(text[i]);

		if (strchr(" \t\r\n", text[i]))
			continue;
		if (d < 0)
			fail(USAGE, "%s: byte %llu is no hexadecimal digit", what,
			     (unsigned long long)i);
		out[digits / 2] = (u8)(digits % 2 ? out[digits / 2] << 4 | d : d);
		digits++;
	}
	if (!out || digits % 2)
		fail(USAGE, "%s: %s", what,
		     out ? "an odd number of hexadecimal digits" : "no memory");
	*bytes = digits / 2;
	return out;
}

static void load_memory(const struct options *o, struct loaded *l)
{
	if (o->memory_file)
		l->memory = read_file(o->memory_file, &l->memory_bytes);
	else if (o->memory)
		l->memory = from_hex("the memory", o->memory, strlen(o->memory), &l->memory_bytes);
}

const struct ext_attach *attach_find(const struct loaded *l, const char *name)
{
	const struct ext_interface *in[] = {&l->given, &l->builtin};

	for (u32 k = 0; k < 2; k++)
		for (u32 i = 0; i < in[k]->attaches; i++)
			if (!strcmp(in[k]->attach[i].name, name))
				return &in[k]->attach[i];
	return 0;
}

/* Where no attach point says what a program is given: r1 the memory, r2 its length, any r0. A run's length is known. */
static void attach_make(const struct options *o, struct loaded *l, int is_run)
{
	struct ext_attach *a = &l->attach;

	memset(a, 0, sizeof(*a));
	a->name = "raw";
	a->class = o->class ? o->class : EXT_HANDLER;
	a->args = 2;
	a->ret_most = ~0ull;
	a->worst_most = ~0u;
	a->budget = ~0u;
	a->arg[0] = (struct ext_arg){.kind = EXT_ARG_MEM, .size_arg = 1};
	a->arg[1] = (struct ext_arg){.kind = EXT_ARG_SIZE, .size_arg = 0xff, .most = 1 << 20};
	if (a->class == EXT_PURE)
		a->arg[0].flags = EXT_ARG_CONST;
	if (is_run && l->memory_bytes) {
		a->arg[0].bytes = (u32)l->memory_bytes;
		a->arg[0].size_arg = 0xff;
		a->arg[1] = (struct ext_arg){.kind = EXT_ARG_SCALAR,
					     .size_arg = 0xff,
					     .least = l->memory_bytes,
					     .most = l->memory_bytes};
	} else if (is_run) {
		a->arg[0] = (struct ext_arg){.kind = EXT_ARG_SCALAR, .size_arg = 0xff};
		a->arg[1] = a->arg[0];
	}
}

static void attach_choose(const struct options *o, struct loaded *l, int is_run)
{
	const struct ext_attach *found = l->program.attach;

	if (o->attach) {
		found = attach_find(l, o->attach);
		if (!found)
			fail(USAGE, "no attach point is called %s", o->attach);
	}
	if (!found) {
		attach_make(o, l, is_run);
		return;
	}
	l->attach = *found;
	if (o->class)
		l->attach.class = o->class;
}

static void load_object(const struct options *o, struct loaded *l, struct ext_refusal *why)
{
	const struct ext_interface *in[2];
	struct ext_object *object;
	u64 bytes;
	u32 n = 0;
	u8 *file;

	if (ext_interface_load(&l->arena, interface_begin, (u64)(interface_end - interface_begin),
			       &l->builtin, why))
		refuse(&(struct options){.file = "the built-in interface"}, why);
	if (o->interface) {
		file = read_file(o->interface, &bytes);
		if (ext_interface_load(&l->arena, file, bytes, &l->given, why))
			refuse(&(struct options){.file = o->interface}, why);
		in[n++] = &l->given;
	}
	in[n++] = &l->builtin;
	file = read_file(o->file, &bytes);
	if (ext_object_open(&l->arena, file, bytes, &object, why) ||
	    ext_object_link(&l->arena, object, o->entry, in, n, &l->program, why))
		refuse(o, why);
}

static void load_raw(const struct options *o, struct loaded *l, struct ext_refusal *why)
{
	u64 length, bytes;
	u8 *text = read_all("standard input", stdin, &length);
	u8 *code = from_hex("standard input", (const char *)text, length, &bytes);

	if (ext_raw_program(&l->arena, code, bytes, &l->program, why))
		refuse(o, why);
}

static void verify(const struct options *o, struct loaded *l)
{
	struct ext_refusal why;

	if (ext_verify(&l->arena, &l->program,
		       l->program.interface ? l->program.interface : &l->builtin, &l->attach,
		       o->steps, 0, &l->verdict, &why))
		refuse(o, &why);
}

void load(const struct options *o, struct loaded *l)
{
	struct ext_refusal why;
	double began;

	memset(l, 0, sizeof(*l));
	l->arena = (struct ext_arena){malloc(o->arena), o->arena, 0};
	if (!l->arena.base)
		fail(USAGE, "no memory for an arena of %llu bytes", (unsigned long long)o->arena);
	load_memory(o, l);
	if (o->raw)
		load_raw(o, l, &why);
	else
		load_object(o, l, &why);
	attach_choose(o, l, o->running);
	if (o->unverified)
		return;
	began = now();
	verify(o, l);
	l->seconds = now() - began;
	l->verified = 1;
	if (!o->running || l->verdict.worst <= o->budget)
		return;
	/* it may spend what it gets here, though not what its point gives */
	l->attach.budget = 0;
	verify(o, l);
}
