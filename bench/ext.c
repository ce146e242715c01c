// SPDX-License-Identifier: MIT
// Downloaded code against the machine's own: ten kernels, each verified and compiled by ext/ in this program and run here,
// and the same source compiled by clang. Lines: `kernel NAME jit scalar plain`, instructions of a run; `verify NAME
// instructions-of-the-program instructions-it-took bytes worst`; `counted NAME jit`: a writer whose budget does not cover
// its longest run, so that it is counted each time round; a kernel whose results differ says WRONG.
#include "bench.h"
#include "ext/data.h"
#include <core/map.h>
#include <map.h>

#define KERNELS(X)  \
	X(checksum) \
	X(parse) X(hash) X(bits) X(sort) X(search) X(crc) X(histogram) X(fold) X(product)
#define ARENA 4096u /* pages */
#define CODE_VA 0x540000000000ul

typedef u64 native(u8 *data, u64 n);
typedef u64 compiled(u64, u64, u64, u64, u64, struct ext_run *);

#define INCLUDED(symbol, file)                                                     \
	extern const u8 symbol[], symbol##_end[];                                  \
	__asm__(".section .rodata\n\t.globl " #symbol ", " #symbol "_end\n\t"      \
		".hidden " #symbol ", " #symbol "_end\n\t.balign 16\n" #symbol     \
		":\n\t.incbin \"" KERNEL_OBJECTS file ".o\"\n" #symbol "_end:\n\t" \
		".byte 0\n\t.text")
#define KERNEL(name)                        \
	INCLUDED(name##_object, #name);     \
	u64 name##_scalar(u8 *data, u64 n); \
	u64 name##_plain(u8 *data, u64 n);
KERNELS(KERNEL)
INCLUDED(interface_object, "interface");

static const struct kernel {
	const char *name;
	const u8 *object, *end;
	native *scalar, *plain;
} kernels[] = {
#define ROW(n) {#n, n##_object, n##_object_end, n##_scalar, n##_plain},
	KERNELS(ROW)};

static u8 *arena_memory;
static u8 data[DATA] __attribute__((aligned(64)));

static _Noreturn void fail(const char *name, const struct ext_refusal *why)
{
	char text[600];

	ext_refusal_print(why, text, sizeof(text));
	core_print("kernel %s refused: %s\n", name, text);
	core_exit(1);
}

#define COUNTED 20000u /* less than any writer's longest run */

/* Verified and compiled into pages that are executable behind it. budget: in place of the point's, for writers alone. */
static compiled *make(const struct kernel *k, u32 budget)
{
	static u32 frames, at;
	struct ext_arena arena = {arena_memory, ARENA * 4096ul, 0};
	struct ext_interface interface;
	struct ext_attach attach;
	const struct ext_interface *in[] = {&interface};
	struct ext_object *object;
	struct ext_program p;
	struct ext_verdict v;
	struct ext_code code;
	struct ext_refusal why;
	u8 *to = (u8 *)CODE_VA + at * 4096ul;

	if (!frames)
		frames = core_pool_take(&core_pool, 128);
	if (ext_interface_load(&arena, interface_object,
			       (u64)(interface_object_end - interface_object), &interface, &why) ||
	    ext_object_open(&arena, k->object, (u64)(k->end - k->object), &object, &why) ||
	    ext_object_link(&arena, object, 0, in, 1, &p, &why))
		fail(k->name, &why);
	attach = *p.attach;
	if (budget && attach.class == EXT_PURE)
		return NULL;
	attach.budget = budget ? budget : attach.budget;
	u64 began = bench_now();
	if (ext_verify(&arena, &p, &interface, &attach, 10000000, 0, &v, &why))
		fail(k->name, &why);
	u64 verified = bench_now() - began - bench_read;
	if (core_map(&core_self, (u64)to, frames + at, 4, ARIL_BIND_WRITE, core_auth))
		core_exit(2);
	began = bench_now();
	if (ext_compile(&arena, &p, &v, (enum ext_class)attach.class, to, 16384, 16384, &code,
			&why))
		fail(k->name, &why);
	u64 took = bench_now() - began - bench_read;
	if (core_map(&core_self, (u64)to, frames + at, 4, ARIL_BIND_EXEC, core_auth))
		core_exit(2);
	at += 4;
	if (!budget)
		core_print("verify %s %u %lu %lu %lu %lu\n", k->name, p.insns, verified, took,
			   code.size, v.worst);
	return (compiled *)(void *)(to + code.entry);
}

static u64 run_native(const struct kernel *k, native *f, u64 *took)
{
	data_fill(data, k->name);
	u64 began = bench_now(), result = f(data, DATA);

	*took = bench_now() - began - bench_read;
	return result;
}

static u64 run_compiled(const struct kernel *k, compiled *f, u64 *took)
{
	struct ext_run run = {.budget = 1000000000};

	data_fill(data, k->name);
	u64 began = bench_now(), result = f((u64)data, DATA, 0, 0, 0, &run);
	*took = bench_now() - began - bench_read;
	return run.stopped ? ~result : result;
}

int main(int argc, char **argv, char **envp)
{
	u64 jit, scalar, plain;

	(void)envp;
	bench_start(argc, argv);
	arena_memory = core_pages(ARENA, NULL);
	if (!arena_memory)
		return 1;
	for (u32 i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		const struct kernel *k = &kernels[i];
		compiled *f;
		u64 a, b, c;

		core_async_off();
		f = make(k, 0);
		a = run_compiled(k, f, &jit);
		b = run_native(k, k->scalar, &scalar);
		c = run_native(k, k->plain, &plain);
		core_async_on();
		core_print("kernel %s %lu %lu %lu%s\n", k->name, jit, scalar, plain,
			   a == b && b == c ? "" : " WRONG");
		f = make(k, COUNTED);
		if (!f)
			continue;
		core_async_off();
		a = run_compiled(k, f, &jit);
		core_async_on();
		core_print("counted %s %lu%s\n", k->name, jit, a == b ? "" : " WRONG");
	}
	return 0;
}
