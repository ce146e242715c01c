/* SPDX-License-Identifier: MIT
 * Code for the kernel in tests of sealing and running it: written by hand as the compiler of ext/ would, and sealed by the
 * test itself, which has the root capability. A blob is position independent; its data lies a page behind its first byte. */
#ifndef CODE_H
#define CODE_H

#include "../adversary/adversary.h"
#include <aril/code.h>
#include <aril/error.h>
#include <aril/ops.h>
#include <aril/points.h>
#include <core/ext.h>

#define CODE_VA 0x520000000000ul

/* A blob `name`, its bytes name .. name_end; DATA + n: the n-th byte of its data. */
#define BLOB(name, code)                                                                           \
	extern const u8 name[], name##_end[];                                                      \
	__asm__(".section .rodata\n\t.globl " #name ", " #name "_end\n\t.hidden " #name ", " #name \
		"_end\n\t.balign 16\n" #name ":\n\t" code "\n" #name "_end:\n\t.byte 0\n\t.text")
#define DATA(name, n) #name " + 4096 + " #n "(%rip)"
/* Calls function n of the kernel's, with the run in r9 */
#define CALL(n) "pushq %r9\n\tcall *64 + 8 * " #n "(%r9)\n\tpopq %r9\n\t"
/* What a compiled loop does: takes n from the budget, and stops the run where that is spent */
#define CHECKPOINT(n) \
	"subq $" #n ", (%r9)\n\tjns 771f\n\tmovq $1, 8(%r9)\n\txorl %eax, %eax\n\tret\n771:\n\t"

static u32 code_root;
static u32 code_keeps; /* what the next is said to keep */

struct code {
	u32 first, frames;
	volatile u64 *data; /* bound here */
	const volatile struct aril_code *book;
};

static inline struct aril_guard code_guard_of(u32 rights)
{
	struct aril_guard g = {.len = CORE_DOMAIN->cap.len, .rights = rights};

	memcpy(g.name, CORE_DOMAIN->cap.name, sizeof(g.name));
	return g;
}

/* What seals this blob in frames from `first` on, which hold it already. */
static inline struct aril_code_desc code_desc(u32 first, u32 point)
{
	struct aril_code_desc d = {.first = first,
				   .text = 1,
				   .data = 1,
				   .point = point,
				   .stack = 64,
				   .keeps = code_keeps,
				   .loader = core_auth,
				   .account = CORE_DOMAIN->account,
				   .name = "test"};

	if (point == ARIL_POINT_PREDICATE || point == ARIL_POINT_GUARD)
		d.worst = 100;
	else
		d.budget = 1000, d.entry_cost = 10;
	d.guard[0] = code_guard_of(ARIL_ALL);
	return d;
}

/* Three frames, the second with the blob. */
static inline u32 code_frames(const u8 *blob, const u8 *end)
{
	u32 first = core_pool_take(&core_pool, 3);

	if (core_map(&core_self, CODE_VA, first + 1, 1, ARIL_BIND_WRITE, core_auth))
		return 0;
	memset((void *)CODE_VA, 0xcc, ARIL_PAGE_SIZE);
	memcpy((void *)CODE_VA, blob, (u64)(end - blob));
	core_unmap(&core_self, CODE_VA, 1);
	return first;
}

static inline s64 code_make(struct code *c, u32 point, const u8 *blob, const u8 *end)
{
	static u64 va = CODE_VA + 0x100000;
	struct aril_code_desc d;

	if (!code_root)
		code_root = (u32)aril_cap_open(&CORE_DOMAIN->root_cap);
	*c = (struct code){.first = code_frames(blob, end), .frames = 3};
	d = code_desc(c->first, point);
	s64 error = aril_code_seal(code_root, &d);
	if (error)
		return error;
	error = core_map(&core_self, va, c->first, 1, 0, core_auth);
	if (!error)
		error = core_map(&core_self, va + 4096, c->first + 2, 1, ARIL_BIND_WRITE,
				 core_auth);
	c->book = (void *)va;
	c->data = (void *)(va + 4096);
	va += 8192;
	return error;
}

static inline u64 code_runs(const struct code *c)
{
	return core_ext_runs(c->book);
}

static inline u64 code_stops(const struct code *c)
{
	u64 n = 0;

	for (u32 i = 0; i < ARIL_MAX_CPUS; i++)
		n += c->book->cpu[i].stops;
	return n;
}

/* Attaches it to what it is for, under our own capability; at that order, behind that guard. */
static inline s64 code_use_at(const struct code *c, u32 point, u32 target, u32 order,
			      const struct code *guard)
{
	struct aril_code_attach d = {.code = c->first,
				     .point = point,
				     .target = target,
				     .space = core_auth,
				     .frames = core_auth,
				     .order = order,
				     .guard = guard ? guard->first : 0};

	return aril_code_attach(core_auth, &d);
}

static inline s64 code_use(const struct code *c, u32 point, u32 target)
{
	return code_use_at(c, point, target, 0, NULL);
}

static inline void expect(const char *what, u64 should, u64 is)
{
	if (should != is)
		core_log("%s: WRONG %s: %lu, not %lu", NAME, what, is, should);
}

#endif
