/* SPDX-License-Identifier: MIT
 * One instance of the code authority: serves one request and is no more. It runs in its loader's time, in frames that
 * its loader pays for; all that it can write was cleared by the kernel. What it reads of the loader's is read once, into
 * memory of its own, and looked at there. */
#include "job.h"
#include <aril/error.h>
#include <aril/points.h>
#include <aril_stubs.h>
#include <core/map.h>
#include <core/print.h>
#include <core/string.h>
#include <core/upcall.h>
#include <map.h>

#define STACK_BYTES 65536ul
#define STEPS 10000000ul
#define TABLES \
	16u /* frames that the instance's own page tables may take beside one pair for 2 MiB */

#define JOB ((const struct job *)JOB_VA)
#define REQUEST ((struct core_ext_request *)REQUEST_VA)

extern const u8 interface_image[], interface_image_end[];
static u8 stack[STACK_BYTES] __attribute__((aligned(4096), section(".bss.stack")));

static struct core_ext_request asked; /* the request as it was when it was read */
static struct core_run rest;
static struct core_pool pool;
static struct core_space space;
static struct ext_arena arena;
static struct ext_refusal why;
static u32 auth, loader;

u64 core_stack(u32 cpu)
{
	(void)cpu;
	return (u64)stack + STACK_BYTES;
}

/* Nothing more to do: the CPU goes back to who gave it. */
static _Noreturn void rest_in_peace(void)
{
	for (;;)
		if (core_yield(auth, JOB->loader) < 0)
			core_yield(0, 0);
}

static _Noreturn void answer(u32 how)
{
	__atomic_store_n(&REQUEST->done, how, __ATOMIC_RELEASE);
	rest_in_peace();
}

static _Noreturn void refuse(void)
{
	ext_refusal_print(&why, REQUEST->refusal, sizeof(REQUEST->refusal));
	REQUEST->missing = why.why == EXT_WHY_MEMORY;
	answer(2);
}

static _Noreturn void fail(const char *what, s64 error)
{
	core_format(REQUEST->refusal, sizeof(REQUEST->refusal), "%s: error %ld", what, -error);
	answer(2);
}

/* Reads the request and the object behind it, under the loader's own capability. Before that can be said to anybody,
 * there is nobody to tell. */
static const u8 *request_read(void)
{
	if (core_map(&space, REQUEST_VA, JOB->request, 1, 0, auth))
		rest_in_peace();
	asked = *REQUEST;
	s64 index = aril_cap_open(&asked.cap);
	if (index < 0 || core_map(&space, REQUEST_VA, JOB->request, 1, ARIL_BIND_WRITE, (u32)index))
		rest_in_peace();
	loader = (u32)index;
	asked.entry[sizeof(asked.entry) - 1] = 0;
	asked.name[sizeof(asked.name) - 1] = 0;
	if (!asked.bytes || asked.bytes > CORE_EXT_OBJECT_MOST)
		fail("the object's size", -ARIL_E_RANGE);
	u64 pages = (asked.bytes + ARIL_PAGE_SIZE - 1) >> ARIL_PAGE_SHIFT;
	s64 error =
		core_map(&space, REQUEST_VA + ARIL_PAGE_SIZE, JOB->request + 1, pages, 0, loader);
	if (error)
		fail("the object's frames", error);
	u8 *object = ext_alloc(&arena, asked.bytes);
	if (!object) {
		REQUEST->missing = 1;
		fail("no memory for the object", -ARIL_E_QUOTA);
	}
	memcpy(object, (const u8 *)REQUEST_VA + ARIL_PAGE_SIZE, asked.bytes);
	core_unmap(&space, REQUEST_VA + ARIL_PAGE_SIZE, pages);
	return object;
}

static void arena_make(void)
{
	u32 spare = TABLES + rest.count / 512 * 2 + (u32)(CORE_EXT_OBJECT_MOST >> 21) * 2 +
		    JOB->room / 512 * 2;
	u32 count = rest.count > spare ? rest.count - spare : 0;
	u32 first = count ? core_pool_take(&pool, count) : 0;

	if (!first || core_map(&space, ARENA_VA, first, count, ARIL_BIND_WRITE, auth))
		rest_in_peace();
	arena = (struct ext_arena){(u8 *)ARENA_VA, (u64)count << ARIL_PAGE_SHIFT, 0};
}

static u32 point_of(const char *name)
{
	static const char names[ARIL_POINTS][12] = {[ARIL_POINT_PREDICATE] = "predicate",
						    [ARIL_POINT_FAULT] = "fault",
						    [ARIL_POINT_VICTIM] = "victim",
						    [ARIL_POINT_GUARD] = "guard"};

	for (u32 i = 1; i < ARIL_POINTS; i++)
		if (!strcmp(names[i], name))
			return i;
	return 0;
}

static u32 pages_of(u64 bytes)
{
	return (u32)((bytes + ARIL_PAGE_SIZE - 1) >> ARIL_PAGE_SHIFT);
}

/* Twice: how long the code is, is known behind it; where its data lies, must be known before. */
static void compile(const struct ext_program *p, const struct ext_verdict *v, struct ext_code *code)
{
	u64 room = ext_compile_room(p), used;
	u8 *out = ext_alloc(&arena, room);

	if (!out) {
		why = (struct ext_refusal){.why = EXT_WHY_MEMORY, .reg = -1};
		refuse();
	}
	used = arena.used;
	if (ext_compile(&arena, p, v, (enum ext_class)p->attach->class, out, room,
			(u64)pages_of(room) << ARIL_PAGE_SHIFT, code, &why))
		refuse();
	arena.used = used;
	u64 data_at = (u64)pages_of(code->size) << ARIL_PAGE_SHIFT;
	if (ext_compile(&arena, p, v, (enum ext_class)p->attach->class, out, room, data_at, code,
			&why))
		refuse();
	if (code->size > data_at)
		fail("the compiler's lengths differ", -ARIL_E_STATE);
}

static void name_copy(char *to, const struct ext_program *p)
{
	core_copy_string(to, asked.name[0] ? asked.name : p->name, 32);
}

static void seal(const struct ext_program *p, const struct ext_verdict *v,
		 const struct ext_code *code)
{
	struct aril_code_desc d = {
		.first = JOB->first,
		.text = pages_of(code->size),
		.constants = pages_of(p->rodata_bytes),
		.data = pages_of(p->data_bytes - p->rodata_bytes),
		.point = point_of(p->attach->name),
		.entry = code->entry,
		.stack = code->stack,
		.keeps = code->keeps,
		.loader = loader,
		.account = JOB->account,
		.guard = {asked.guard[0], asked.guard[1]},
	};
	u32 frames = 1 + d.text + d.constants + d.data;

	if (!d.point)
		fail("no such attach point in the kernel", -ARIL_E_RANGE);
	if (p->attach->class == EXT_PURE) {
		d.worst = (u32)v->worst;
	} else {
		d.budget = p->attach->budget;
		d.entry_cost = v->entry_cost;
	}
	name_copy(d.name, p);
	if (frames > JOB->room) {
		REQUEST->more = frames;
		fail("frames for code and data", -ARIL_E_QUOTA);
	}
	s64 error = core_map(&space, OUT_VA, d.first, frames, ARIL_BIND_WRITE, auth);
	if (error)
		fail("frames for code and data", error);
	u8 *text = (u8 *)OUT_VA + ARIL_PAGE_SIZE, *data = text + ((u64)d.text << ARIL_PAGE_SHIFT);
	memset(text, 0xcc, (u64)d.text << ARIL_PAGE_SHIFT);
	memcpy(text, code->bytes, code->size);
	if (p->data_bytes)
		ext_image_fill(p, data);
	error = core_unmap(&space, OUT_VA, frames);
	if (!error)
		error = aril_code_seal(auth, &d);
	if (error)
		fail("the kernel does not seal it", error);
	REQUEST->code = d.first;
	REQUEST->text = d.text;
	REQUEST->constants = d.constants;
	REQUEST->data = d.data;
	REQUEST->point = d.point;
}

static void serve(void)
{
	static struct ext_interface interface;
	static struct ext_program program;
	static struct ext_verdict verdict;
	static struct ext_code code;
	const struct ext_interface *const in[] = {&interface};
	struct ext_object *object;
	const u8 *bytes = request_read();

	if (JOB->faults && !strcmp(asked.name, "fault"))
		__builtin_trap();
	if (ext_interface_load(&arena, interface_image,
			       (u64)(interface_image_end - interface_image), &interface, &why) ||
	    ext_object_open(&arena, bytes, asked.bytes, &object, &why) ||
	    ext_object_link(&arena, object, asked.entry[0] ? asked.entry : 0, in, 1, &program,
			    &why))
		refuse();
	if (!program.attach)
		fail("its section names no attach point", -ARIL_E_RANGE);
	if (ext_verify(&arena, &program, &interface, program.attach,
		       asked.steps ? asked.steps : STEPS, 0, &verdict, &why))
		refuse();
	compile(&program, &verdict, &code);
	seal(&program, &verdict, &code);
	REQUEST->worst = verdict.worst;
	REQUEST->verified = verdict.steps;
	REQUEST->insns = program.insns;
	REQUEST->room = (u32)code.size;
	answer(1);
}

_Noreturn void core_run(struct aril_context *context)
{
	(void)context;
	core_async_on();
	s64 index = aril_cap_open(&JOB->cap);
	auth = (u32)index;
	rest = (struct core_run){JOB->free, JOB->free_count};
	pool = (struct core_pool){.run = &rest, .nruns = 1};
	space = (struct core_space){.root = JOB->root, .auth = auth, .pool = &pool};
	if (index < 0)
		rest_in_peace();
	arena_make();
	serve();
	rest_in_peace();
}
