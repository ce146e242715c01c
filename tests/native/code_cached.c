// SPDX-License-Identifier: MIT
// A handler of faults in an env whose space has a cached part: what the software TLB serves the handler does not see; what it
// does not, goes to the handler, and then to the library.
// with:
// root: yes
// expect: code_cached: [0-9]+ served, [0-9]+ asked
// expect: code_cached: done
// forbid: code_cached: WRONG
#include "code.h"
#include <core/linear.h>

#define VA 0x100000000000ul
#define LOOK_VA 0x300000000000ul
#define PAGES 64ul
#define STRIDE 512ul /* pages: each under a page table of its own */

/* Counts in data[0], and leaves it to the next: a guard lets page faults to it. */
BLOB(counts, "incq " DATA(counts, 0) "\n\txorl %eax, %eax\n\tret");
BLOB(paged, "cmpq $14, (%rdi)\n\tsete %al\n\tmovzbl %al, %eax\n\tret");

static struct core_linear linear;
static struct core_cached cached;
static struct code counting, guard;
static volatile u32 upcalls;

static int on_exception(struct core_frame *f)
{
	if (f->save.vector != 14)
		return f->save.vector == 3;
	upcalls++;
	return core_cached_fault(&cached, f->save.addr, f->save.error);
}

static void touch_all(void)
{
	for (u64 i = 0; i < PAGES; i++)
		*(volatile u64 *)(VA + i * STRIDE * ARIL_PAGE_SIZE) = i;
}

int main(int argc, char **argv, char **envp)
{
	u32 first = core_pool_take(&core_pool, PAGES);

	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	cached.space = &core_self;
	cached.auth = core_auth;
	linear.va = VA;
	linear.npages = PAGES * STRIDE;
	linear.word = core_pages(linear.npages * 8 / ARIL_PAGE_SIZE + 1, NULL);
	for (u64 i = 0; i < PAGES; i++)
		core_linear_set(&linear, VA + i * STRIDE * ARIL_PAGE_SIZE, first + (u32)i,
				ARIL_BIND_WRITE);
	cached.table = (struct core_table){core_linear_find, &linear};
	allowed("a cache", core_cached_make(&cached, VA, 4, 2, LOOK_VA));
	allowed("sealing", code_make(&counting, ARIL_POINT_FAULT, counts, counts_end));
	allowed("sealing", code_make(&guard, ARIL_POINT_GUARD, paged, paged_end));
	touch_all();
	allowed("attaching", code_use_at(&counting, ARIL_POINT_FAULT, CORE_DOMAIN->env, 2, &guard));
	u64 hits = cached.seen->hits;
	upcalls = 0;
	for (u32 i = 0; i < 4; i++)
		touch_all();
	hits = cached.seen->hits - hits;
	expect("served", 1, hits >= PAGES);
	expect("asked", upcalls, counting.data[0]);
	core_cached_forget(&cached, VA);
	*(volatile u64 *)VA = 1;
	expect("asked", upcalls, counting.data[0]);
	expect("upcalls", 1, upcalls != 0);
	__asm__ volatile("int3"); /* by the short way: the guard says no */
	expect("asked", upcalls, counting.data[0]);
	core_log("code_cached: %lu served, %lu asked", hits, counting.data[0]);
	return done();
}
