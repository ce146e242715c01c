// SPDX-License-Identifier: MIT
// Cached parts of a space on two CPUs, behind a linear and behind an inverted page table: every byte, evictions, conflicts,
// dirty bits, a guard's change on another CPU, and the end of a cache.
// with:
// smp: 2
// expect: cached: linear: every byte ok
// expect: cached: linear: [0-9]+ hits, [0-9]+ misses, [0-9]+ evictions, [0-9]+ conflicts
// expect: cached: linear: dirty bits ok
// expect: cached: linear: other CPU faults ok
// expect: cached: linear: ended ok
// expect: cached: inverted: every byte ok
// expect: cached: inverted: dirty bits ok
// expect: cached: inverted: other CPU faults ok
// expect: cached: inverted: ended ok
// expect: cached: done
// forbid: cached: .*WRONG
#include <aril/error.h>
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/inverted.h>
#include <core/linear.h>
#include <core/native.h>
#include <core/print.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define LINEAR_VA 0x100000000000ul
#define INVERTED_VA 0x200000000000ul
#define LOOK_VA 0x300000000000ul
#define PAGES 600ul
#define STRIDE 37ul /* pages: so each few lie under another page table */
#define WORDS (ARIL_PAGE_SIZE / 8)

static struct core_linear linear;
static struct core_inverted inverted;
static struct core_cached cached;
static volatile u64 *volatile victim; /* what the other CPU reads */
static volatile u32 stage, reads, lost, bad[2];

static u64 va_of(u64 i)
{
	return cached.desc.va + i * STRIDE * ARIL_PAGE_SIZE;
}

static int on_exception(struct core_frame *frame)
{
	if (frame->save.vector != 14)
		return 0;
	if (core_cached_fault(&cached, frame->save.addr, frame->save.error))
		return 1;
	if (frame->save.addr != (u64)victim)
		return 0;
	lost++;
	frame->save.rip += 3; /* the load below */
	return 1;
}

static void load(volatile u64 *from)
{
	__asm__ volatile("movq (%%rax), %%rcx" : : "a"(from) : "ecx", "memory");
}

static u64 word_of(u64 i, u64 w)
{
	return (i << 32 | w) * 0x9e3779b97f4a7c15ul + 1;
}

/* Counts words that are not as written; the order differs between the CPUs. */
static u32 verify(u32 cpu)
{
	u32 wrong = 0;

	for (u64 n = 0; n < PAGES; n++) {
		u64 i = cpu ? PAGES - 1 - n : n;
		const volatile u64 *page = (const volatile u64 *)va_of(i);

		for (u64 w = 0; w < WORDS; w++)
			wrong += page[w] != word_of(i, w);
	}
	return wrong;
}

/* Stages: 1 verify, 2 verified, 3 read the victim, 4 wait; and again. */
void core_secondary(u32 cpu)
{
	for (;;) {
		while (stage != 1)
			core_sleep(500000);
		bad[1] = verify(cpu);
		stage = 2;
		while (stage != 3)
			core_sleep(500000);
		while (stage == 3) {
			load(victim);
			reads++;
		}
	}
}

static int until(volatile u32 *word, u32 least)
{
	u64 limit = core_now() + 20000000000ul;

	while (*word < least && core_now() < limit)
		core_sleep(500000);
	return *word >= least;
}

/* The frames' contents by another way than the cached part. */
static u32 verify_behind(u32 first)
{
	volatile u64 *page = (volatile u64 *)(LOOK_VA + 0x10000000);
	u32 wrong = 0;

	for (u64 i = 0; i < PAGES; i++) {
		wrong += core_map(&core_self, (u64)page, first + (u32)i, 1, 0, core_auth) != 0;
		for (u64 w = 0; w < WORDS; w++)
			wrong += page[w] != word_of(i, w);
	}
	core_unmap(&core_self, (u64)page, 1);
	return wrong;
}

static void bytes(const char *name, u32 first)
{
	for (u64 i = 0; i < PAGES; i++)
		for (u64 w = 0; w < WORDS; w++)
			((volatile u64 *)va_of(i))[w] = word_of(i, w);
	stage = 1;
	bad[0] = verify(0);
	until(&stage, 2);
	bad[0] += verify_behind(first);
	core_log("cached: %s: every byte %s", name,
		 !bad[0] && !bad[1] && stage == 2 ? "ok" : "WRONG");
	core_log("cached: %s: %lu hits, %lu misses, %lu evictions, %lu conflicts", name,
		 cached.seen->hits, cached.seen->misses, cached.seen->evictions,
		 cached.seen->conflicts);
	int conflicts = cached.seen->conflicts != 0;
	if (cached.seen->hits < PAGES || cached.seen->misses < PAGES ||
	    cached.seen->evictions < 40 || conflicts != (cached.desc.nstlb == 1))
		core_log("cached: %s: WRONG counters", name);
}

/* Fresh bindings of two pages, one of them written; then their page table is taken for others. */
static void dirty(const char *name)
{
	u64 a = va_of(1), b = va_of(2);

	core_cached_forget(&cached, a);
	core_cached_forget(&cached, b);
	*(volatile u64 *)a = word_of(1, 0);
	(void)*(volatile u64 *)b;
	int here = core_cached_dirty(&cached, a) == 1 && core_cached_dirty(&cached, b) == 0;
	u64 evictions = cached.seen->evictions;
	for (u64 i = 300; cached.seen->evictions < evictions + 4 && i < 400; i += 14)
		(void)*(volatile u64 *)va_of(i);
	int later = core_cached_dirty(&cached, a) == 1 && core_cached_dirty(&cached, b) == 0;
	core_log("cached: %s: dirty bits %s", name,
		 here && later && cached.seen->evictions >= evictions + 4 ? "ok" : "WRONG");
}

/* The owner changes a frame's guard while the other CPU reads it through the cache. */
static void guard(const char *name, u32 first, int (*clear)(u64 va))
{
	struct aril_guard mine = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};

	memcpy(mine.name, CORE_DOMAIN->cap.name, sizeof(mine.name));
	mine.name[mine.len++] = 9;
	victim = (volatile u64 *)va_of(7);
	lost = reads = 0;
	stage = 3;
	int ok = until(&reads, 1000) && !lost;
	clear((u64)victim);
	ok &= !core_set_guard(core_auth, (struct core_run){first + 7, 1}, 0, &mine);
	u32 at = lost;
	ok &= until(&lost, at + 2);
	const struct aril_frame *frames = (const struct aril_frame *)ARIL_INFO->frames_va;
	ok &= !frames[first + 7].refs;
	stage = 4;
	core_log("cached: %s: other CPU faults %s", name, ok ? "ok" : "WRONG");
}

static void end(const char *name)
{
	const struct aril_frame *frames = (const struct aril_frame *)ARIL_INFO->frames_va;
	s64 error = aril_frame_reset(core_auth, cached.desc.stlb_first);
	int ok = !error && frames[cached.desc.frame].state == ARIL_FRAME_NORMAL &&
		 !frames[cached.desc.frame].refs &&
		 frames[cached.desc.table_first].state == ARIL_FRAME_NORMAL;

	core_log("cached: %s: ended %s", name, ok ? "ok" : "WRONG");
}

static int linear_clear(u64 va)
{
	return core_linear_clear(&linear, va);
}

static int inverted_clear(u64 va)
{
	return core_inverted_clear(&inverted, va);
}

static void part(const char *name, u64 va, u32 nstlb, u32 first, int (*clear)(u64 va))
{
	s64 error = core_cached_make(&cached, va, 4, nstlb, LOOK_VA + (va >> 12));

	if (error)
		core_log("cached: %s: WRONG make %ld", name, error);
	bytes(name, first);
	dirty(name);
	guard(name, first, clear);
	end(name);
}

int main(int argc, char **argv, char **envp)
{
	u32 first = core_pool_take(&core_pool, PAGES), second = core_pool_take(&core_pool, PAGES);

	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	cached.space = &core_self;
	cached.auth = core_auth;
	linear.va = LINEAR_VA;
	linear.npages = PAGES * STRIDE;
	linear.word = core_pages(linear.npages * 8 / ARIL_PAGE_SIZE + 1, NULL);
	inverted.buckets = 512;
	inverted.nentries = 1024;
	inverted.first = core_pages(1, NULL);
	inverted.entry = core_pages(1024 * sizeof(*inverted.entry) / ARIL_PAGE_SIZE, NULL);
	for (u64 i = 0; i < PAGES; i++) {
		u64 at = i * STRIDE * ARIL_PAGE_SIZE;

		core_linear_set(&linear, LINEAR_VA + at, first + (u32)i, ARIL_BIND_WRITE);
		core_inverted_set(&inverted, INVERTED_VA + at, second + (u32)i, ARIL_BIND_WRITE);
	}
	cached.table = (struct core_table){core_linear_find, &linear};
	part("linear", LINEAR_VA, 1, first, linear_clear);
	cached.table = (struct core_table){core_inverted_find, &inverted};
	part("inverted", INVERTED_VA, 2, second, inverted_clear);
	core_log("cached: done");
	return 0;
}
