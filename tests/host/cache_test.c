/* SPDX-License-Identifier: MIT
 * Cached parts of a space: every check of the two calls, faults, displacement, eviction, guards, taking apart.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/cache.c kernel/cache_make.c kernel/audit_cache.c kernel/check.c kernel/audit_space.c */
#include "fake.h"

#include "account.h"
#include "audit_stubs.h"
#include "cache.h"
#include "grant.h"

#define VA 0x40000000ul
#define WRITE ARIL_BIND_WRITE
#define EXEC ARIL_BIND_EXEC
#define LARGE 0x200000ul
/* error codes of page faults from user mode */
#define READS 4
#define WRITES 6
#define FETCHES 0x14

#define OTHERS __attribute__((weak))
OTHERS struct aril_grant grant_books_here[GRANTS];
OTHERS struct aril_grant *grant_books = grant_books_here;

static u32 root, dom; /* auth indices of the caller */
static u32 space, level2;
static struct aril_cache_desc desc;
/* Sets a limit of the caller's account. */
static void limit(u32 quota, u32 value)
{
	accounts[fake_cpu.env->account].limit[quota] = value;
}

/* Nothing wrong in the books, by two ways. */
static int sound(void)
{
	struct aril_check found = {0};
	u64 next = 0;
	int line = books_check();

	if (line)
		return line;
	do
		found.checked = 0, next = cache_audit(next, &found);
	while (next);
	do
		found.checked = 0, next = space_audit(next, &found);
	while (next);
	if (found.wrong)
		printf("%u: %s\n", found.which, found.what);
	return found.wrong ? -1 : 0;
}
#define SOUND() SAME(sound(), 0)

static void start(u32 nstlb)
{
	u64 va = VA;

	fake_reset();
	root = fake_open("", ARIL_ALL, ~0ul);
	dom = fake_open("dom", ARIL_ALL, 10);
	space = fake_frame();
	SAME(call_space_create(root, space, fake_frame()), 0);
	for (u32 level = 3; level > 1; level--) {
		level2 = fake_frame();
		SAME(call_space_table(root, space, va, level, level2, fake_frame()), 0);
	}
	fake_env(0, space);
	fake_become(env_get(0x10001));
	fake_cpu.env->root = &frames[space];
	root = fake_open("", ARIL_ALL, ~0ul);
	dom = fake_open("dom", ARIL_ALL, 10);
	desc = (struct aril_cache_desc){.va = VA, .ntables = 2, .nstlb = nstlb};
	desc.frame = fake_frame();
	desc.table_first = fake_frame();
	fake_frame();
	desc.stlb_first = fake_frame();
	for (u32 i = 1; i < 2 * nstlb; i++)
		fake_frame();
}

static void made(u32 nstlb)
{
	start(nstlb);
	fake_own(100, 512);
	SAME(call_cache_create(root, space, &desc), 0);
	SOUND();
}

static s64 op(u32 kind, u64 va, u32 frame, u32 count, u32 flags, u32 auth)
{
	struct aril_space_op o = {va, frame, count, kind, flags, auth};

	return call_cache_update(root, space, &o, 1);
}

static struct aril_cache *seen(void)
{
	return frame_memory(desc.frame);
}

/* The page table's entry, whoever's table it is; 0: none. */
static u64 pte(u64 va)
{
	const u64 *l2 = frame_memory(level2), above = l2[va / LARGE % 512];
	const u64 *l1 = frame_memory(above >> 12 & 0xffffff);

	return above ? l1[va / 4096 % 512] : 0;
}

static u64 stlb(u32 index)
{
	return ((u64 *)frame_memory(desc.stlb_first))[index];
}

static u32 dom_frame(u32 rights)
{
	u32 frame = fake_frame();

	SAME(fake_set_guard(root, frame, 0, fake_guard("dom", rights, 0)), 1);
	return frame;
}

static s64 create(struct aril_cache_desc d)
{
	s64 error = call_cache_create(root, space, &d);

	SAME(frames[desc.frame].state, ARIL_FRAME_NORMAL);
	return error;
}
#define WITH(field, value)                        \
	create((__extension__({                   \
		struct aril_cache_desc d_ = desc; \
		d_.field = (value);               \
		d_;                               \
	})))

static void creating(void)
{
	u32 theirs, l1, weak, other;

	start(2);
	theirs = dom_frame(ARIL_ALL);
	weak = fake_open("", ARIL_ALL & ~ARIL_WRITE, ~0ul);
	SAME(call_cache_create(root ^ 16, space, &desc), -ARIL_E_CAP);
	SAME(call_cache_create(dom, space, &desc), -ARIL_E_RIGHTS);
	SAME(call_cache_create(weak, space, &desc), -ARIL_E_RIGHTS);
	SAME(call_cache_create(root, nframes, &desc), -ARIL_E_FRAME);
	SAME(call_cache_create(root, level2, &desc), -ARIL_E_STATE);
	SAME(call_cache_create(root, space, BAD_ADDRESS), -ARIL_E_ADDR);
	SAME(WITH(va, VA + LARGE), -ARIL_E_RANGE);
	SAME(WITH(va, 1ul << 47), -ARIL_E_RANGE);
	SAME(WITH(va, ARIL_SELF_VA), -ARIL_E_RANGE);
	SAME(WITH(ntables, 1), -ARIL_E_RANGE);
	struct aril_cache_desc wide = desc;
	wide.table_first = 400, wide.ntables = ARIL_CACHE_TABLES + 1;
	SAME(create(wide), -ARIL_E_RANGE);
	SAME(WITH(nstlb, 0), -ARIL_E_RANGE);
	SAME(WITH(nstlb, 3), -ARIL_E_RANGE);
	SAME(WITH(nstlb, 16), -ARIL_E_RANGE);
	SAME(WITH(zero, 1), -ARIL_E_RANGE);
	SAME(WITH(frame, nframes), -ARIL_E_FRAME);
	SAME(WITH(table_first, nframes - 1), -ARIL_E_FRAME);
	SAME(WITH(stlb_first, ~0u), -ARIL_E_FRAME);
	SAME(WITH(frame, space), -ARIL_E_STATE);
	SAME(WITH(table_first, FAKE_ABSENT), -ARIL_E_STATE);
	fake_own(FAKE_KERNEL - 3, 2);
	SAME(WITH(stlb_first, FAKE_KERNEL - 3), -ARIL_E_STATE);
	SAME(WITH(frame, desc.table_first + 1), -ARIL_E_RANGE);
	SAME(WITH(frame, desc.stlb_first + 3), -ARIL_E_RANGE);
	SAME(WITH(stlb_first, desc.table_first), -ARIL_E_RANGE);
	SAME(WITH(va, 2 * VA), -ARIL_E_TABLE);		 /* the level 2 table is missing */
	SAME(WITH(va, VA + (1ul << 39)), -ARIL_E_TABLE); /* and the one above */
	SAME(fake_set_guard(root, space, 0, fake_guard("dom", ARIL_ALL, 0)), 1);
	SAME(call_cache_create(dom, space, &desc), -ARIL_E_RIGHTS);
	desc.frame = theirs;
	SAME(call_cache_create(dom, space, &desc), -ARIL_E_RIGHTS);
	desc.frame = fake_frame();
	/* not empty, shared, shared above */
	l1 = fake_frame();
	SAME(call_space_table(root, space, VA, 1, l1, fake_frame()), 0);
	SAME(WITH(va, VA), -ARIL_E_STATE);
	SAME(call_space_unlink(root, space, VA, 1), 0);
	other = fake_frame();
	SAME(call_space_create(root, other, fake_frame()), 0);
	SAME(call_space_table(root, other, VA, 3, fake_frame(), fake_frame()), 0);
	SAME(call_space_link(root, other, VA, 2, level2), 0);
	SAME(WITH(va, VA), -ARIL_E_STATE);
	SAME(call_space_unlink(root, other, VA, 2), 0);
	SAME(call_space_unlink(root, other, VA, 3), 0);
	SAME(call_space_link(root, other, VA, 3, *space_entry(space, VA, 4) >> 12), 0);
	SAME(WITH(va, VA), -ARIL_E_STATE);
	SAME(call_space_unlink(root, other, VA, 3), 0);
	SAME(call_cache_create(root, space, &desc), 0);
	SAME(frames[desc.frame].state, ARIL_FRAME_CACHE);
	SAME(frames[desc.frame].partner, level2);
	SAME(frames[space].flags & ARIL_FRAME_CACHED, ARIL_FRAME_CACHED);
	SAME(seen()->va, VA);
	SAME(seen()->space, space);
	SOUND();
	struct aril_cache_desc again = desc;
	again.frame = fake_frame(), again.table_first = fake_frame(), fake_frame();
	again.stlb_first = fake_frame(), again.nstlb = 1, fake_frame();
	SAME(call_cache_create(root, space, &again), -ARIL_E_STATE);
	/* a table of the library's has no place there */
	SAME(call_space_table(root, space, VA, 1, fake_frame(), fake_frame()), -ARIL_E_TABLE);
	SAME(call_space_link(root, space, VA, 1, l1), -ARIL_E_TABLE);
	SAME(fake_op(root, space, ARIL_BIND, VA, fake_frame(), 1, 0, root), -ARIL_E_TABLE);
	SAME(fake_op(root, space, ARIL_BIND, VA, 512, 1, ARIL_BIND_LARGE, root), -ARIL_E_TABLE);
	SOUND();
}

/* Four caches for one space, not five. */
static void many(void)
{
	made(1);
	for (u32 i = 1; i < 5; i++) {
		struct aril_cache_desc d = desc;

		d.va = VA * (i + 1);
		SAME(call_space_table(root, space, d.va, 2, fake_frame(), fake_frame()), 0);
		d.frame = fake_frame();
		d.table_first = fake_frame(), fake_frame();
		d.stlb_first = fake_frame(), fake_frame();
		SAME(call_cache_create(root, space, &d), i < 4 ? 0 : -ARIL_E_QUOTA);
	}
	/* an op is about one of them */
	SAME(op(ARIL_BIND, 2 * VA - 4096, fake_frame(), 2, 0, root), -ARIL_E_RANGE);
	struct aril_space_op two[2] = {{VA, fake_frame(), 1, ARIL_BIND, WRITE, root},
				       {2 * VA, fake_frame(), 1, ARIL_BIND, WRITE, root}};
	SAME(call_cache_update(root, space, two, 2), 2);
	SAME(cache_fault(VA, WRITES), 1);
	SAME(cache_fault(2 * VA, WRITES), 1);
	fake_flushes = fake_flushed = 0;
	two[0].kind = two[1].kind = ARIL_UNBIND;
	SAME(call_cache_update(root, space, two, 2), 2);
	SAME(fake_flushes, 1);
	SAME(fake_flushed, 0); /* all */
	SOUND();
}

static void updating(void)
{
	u32 frame, mine, other;
	struct aril_space_op ops[2];

	made(1);
	frame = fake_frame();
	mine = dom_frame(ARIL_READ | ARIL_OWN);
	ops[0] = (struct aril_space_op){VA, frame, 1, ARIL_BIND, 0, root};
	ops[1] = (struct aril_space_op){VA, frame, 1, 7, 0, root};
	SAME(call_cache_update(root ^ 16, space, ops, 1), -ARIL_E_CAP);
	SAME(call_cache_update(dom, space, ops, 1), -ARIL_E_RIGHTS);
	SAME(call_cache_update(root, nframes, ops, 1), -ARIL_E_FRAME);
	SAME(call_cache_update(root, level2, ops, 1), -ARIL_E_STATE);
	SAME(call_cache_update(root, space, ops, 0), -ARIL_E_RANGE);
	SAME(call_cache_update(root, space, ops, 513), -ARIL_E_RANGE);
	SAME(call_cache_update(root, space, BAD_ADDRESS, 1), -ARIL_E_ADDR);
	SAME(op(0, VA, frame, 1, 0, root), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, VA, frame, 1, ARIL_BIND_UNCACHED, root), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, VA, frame, 1, ARIL_BIND_NOREAD, root), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, VA, frame, 1, ARIL_BIND_LARGE, root), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, VA, frame, 1, ARIL_BIND_SOFT(1), root), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, VA + 4096, frame, 0, 0, root), -ARIL_E_RANGE);
	SAME(op(ARIL_UNBIND, VA, frame, 513, 0, root), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, VA + 1, frame, 1, 0, root), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, 0, frame, 1, 0, root), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, 2 * VA, frame, 1, 0, root), -ARIL_E_RANGE);
	SAME(op(ARIL_UNBIND, 2 * VA - 4096, frame, 2, 0, root), -ARIL_E_RANGE);
	SAME(op(ARIL_UNBIND, VA + (1ul << 48), frame, 1, 0, root), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, VA, frame, 1, 0, root ^ 16), -ARIL_E_CAP);
	SAME(op(ARIL_BIND, VA, frame, 1, 0, dom), -ARIL_E_RIGHTS);
	SAME(op(ARIL_BIND, VA, mine, 1, WRITE, dom), -ARIL_E_RIGHTS);
	SAME(op(ARIL_BIND, VA, mine, 1, EXEC, dom), -ARIL_E_RIGHTS);
	SAME(op(ARIL_BIND, VA, space, 1, 0, root), -ARIL_E_STATE);
	fake_grant_env = fake_cpu.env->id; /* device memory that it may bind elsewhere */
	SAME(op(ARIL_BIND, VA, FAKE_DEVICE, 1, 0, root), -ARIL_E_FRAME);
	limit(ARIL_QUOTA_WORK, 0);
	SAME(op(ARIL_BIND, VA, frame, 1, 0, root), -ARIL_E_QUOTA);
	limit(ARIL_QUOTA_WORK, ~0u);
	limit(ARIL_QUOTA_FLUSHES, 0);
	SAME(op(ARIL_UNBIND, VA, frame, 1, 0, root), -ARIL_E_QUOTA);
	limit(ARIL_QUOTA_FLUSHES, ~0u);
	for (u32 i = 0; i < 512; i++)
		SAME(stlb(i), 0);
	SAME(call_cache_update(root, space, ops, 2), 1); /* the second is refused */
	SAME(frames[frame].refs, 1);
	SOUND();
	/* a space that shares the tables has no say in the cache */
	other = fake_frame();
	SAME(call_space_create(root, other, fake_frame()), 0);
	SAME(call_space_link(root, other, VA, 3, *space_entry(space, VA, 4) >> 12), 0);
	SAME(call_cache_update(root, other, ops, 1), -ARIL_E_RANGE);
	fake_cpu.env->space = other;
	SAME(cache_fault(VA, READS), 0);
	fake_cpu.env->space = space;
	SAME(cache_fault(VA, READS), 1);
	SAME(pte(VA) & PTE_P, PTE_P);
	fake_flushed = 0;
	SAME(op(ARIL_UNBIND, VA, 0, 1, 0, 0), 1);
	SAME(fake_flushed, 0); /* all: the other space may have walked it */
	SAME(call_space_unlink(root, other, VA, 3), 0);
	SOUND();
}

static void faults(void)
{
	u32 frame = 0, read = 0;

	made(1);
	frame = fake_frame();
	read = fake_frame();
	SAME(cache_fault(VA, READS), 0);
	SAME(cache_fault(0x1000, READS), 0);
	SAME(cache_fault(ARIL_SELF_VA + VA / 512, READS), 0);
	SAME(seen()->misses, 1); /* in the cached part */
	SAME(op(ARIL_BIND, VA, frame, 1, WRITE | EXEC, root), 1);
	SAME(op(ARIL_BIND, VA + 4096, read, 1, 0, root), 1);
	SAME(pte(VA), 0);
	SAME(cache_fault(VA, READS | 0x20), 0); /* a protection key's is the library's */
	SAME(pte(VA), 0);
	SAME(cache_fault(VA, WRITES), 1);
	SAME(pte(VA), (u64)frame << 12 | PTE_P | PTE_U | PTE_W);
	SAME(seen()->hits, 1);
	SAME(seen()->evictions, 0);
	SAME(cache_fault(VA + 4096, WRITES), 0);
	SAME(cache_fault(VA + 4096, FETCHES), 0);
	SAME(pte(VA + 4096), 0);
	SAME(cache_fault(VA + 4096, READS), 1);
	SAME(pte(VA + 4096), (u64)read << 12 | PTE_P | PTE_U | PTE_NX);
	SAME(cache_fault(VA + 4096, READS), 1); /* another CPU was first */
	SAME(seen()->hits, 2);
	SOUND();
	/* another CPU has the cache: the fault is repeated, nothing changes */
	SAME(op(ARIL_BIND, VA + 8192, frame, 1, 0, root), 1);
	SAME(pte(VA + 8192) & PTE_P, PTE_P); /* its table is there: bound at once */
	SAME(op(ARIL_BIND, VA + LARGE, frame, 1, 0, root), 1);
	u32 *taken = &((struct cache *)frame_memory(desc.frame))->taken;
	*taken = 1;
	SAME(cache_fault(VA + LARGE, READS), 1);
	SAME(pte(VA + LARGE), 0);
	*taken = 0;
	SOUND();
}

/* 512 entries: pages 2 MiB apart collide. */
static void displacing(void)
{
	u32 a, b;

	made(1);
	a = fake_frame(), b = fake_frame();
	SAME(op(ARIL_BIND, VA, a, 1, WRITE, root), 1);
	SAME(cache_fault(VA, WRITES), 1);
	fake_flushes = 0;
	SAME(op(ARIL_BIND, VA + LARGE, b, 1, 0, root), 1);
	SAME(fake_flushes, 1); /* a was in use */
	SAME(fake_flushed, space);
	SAME(seen()->conflicts, 1);
	SAME(frames[a].refs, 0);
	SAME(pte(VA), 0);
	SAME(cache_fault(VA, READS), 0);
	SAME(cache_fault(VA + LARGE, READS), 1);
	SOUND();
	/* what no page table has needs no flush; the page that is not there stays alone */
	SAME(op(ARIL_BIND, VA + 4096 + 5 * LARGE, a, 1, 0, root), 1);
	fake_flushes = 0;
	SAME(op(ARIL_UNBIND, VA + 4096, 0, 1, 0, 0), 1);
	SAME(op(ARIL_PROTECT, VA + 4096, 0, 1, 0, root), 1);
	SAME(frames[a].refs, 1);
	SAME(op(ARIL_BIND, VA + 4096 + 6 * LARGE, a, 1, 0, root), 1);
	SAME(op(ARIL_BIND, VA + 4096 + 6 * LARGE, b, 1, 0, root), 1);
	SAME(fake_flushes, 0);
	SAME(seen()->conflicts, 2); /* the last was the same page */
	SOUND();
	/* a run over two tables; twice the STLB displaces all of itself */
	made(2);
	SAME(op(ARIL_BIND, VA + 500 * 4096ul, 100, 512, 0, root), 1);
	SAME(op(ARIL_BIND, VA + 1012 * 4096ul, 100, 512, 0, root), 1);
	SAME(seen()->conflicts, 0);
	SOUND();
	SAME(op(ARIL_BIND, VA + 1524 * 4096ul, 100, 512, 0, root), 1);
	SAME(seen()->conflicts, 512);
	SOUND();
	SAME(op(ARIL_UNBIND, VA + 1524 * 4096ul, 0, 512, 0, 0), 1);
	SAME(frames[100].refs, 1);
	SOUND();
}

/* Two tables: the third 2 MiB takes the first's; what the CPU noted there is kept. */
static void evicting(void)
{
	u32 frame;
	u64 *l1;

	made(8);
	frame = fake_frame();
	for (u64 i = 0; i < 3; i++)
		SAME(op(ARIL_BIND, VA + i * LARGE, frame, 1, WRITE, root), 1);
	limit(ARIL_QUOTA_FLUSHES, 0); /* two tables are free: that needs none */
	SAME(cache_fault(VA, WRITES), 1);
	SAME(cache_fault(VA + LARGE, WRITES), 1);
	l1 = frame_memory(desc.table_first);
	l1[0] |= PTE_A | PTE_D;
	fake_flushes = 0;
	limit(ARIL_QUOTA_FLUSHES, 0); /* spent: the fault is the library's, and all stays */
	SAME(cache_fault(VA + 2 * LARGE, WRITES), 0);
	SAME(fake_flushes, 0);
	SAME(pte(VA) & PTE_P, PTE_P);
	limit(ARIL_QUOTA_FLUSHES, ~0u);
	SAME(cache_fault(VA + 2 * LARGE, WRITES), 1);
	SAME(fake_flushes, 1);
	SAME(seen()->evictions, 1);
	SAME(pte(VA), 0);
	SAME(pte(VA + 2 * LARGE) & PTE_P, PTE_P);
	SAME(stlb(0) & (PTE_A | PTE_D), PTE_A | PTE_D);
	SAME(stlb(512) & (PTE_A | PTE_D), 0);
	SOUND();
	SAME(op(ARIL_PROTECT, VA, 0, 1, 0, root), 1);
	SAME(stlb(0) & (PTE_A | PTE_D | PTE_W), PTE_A | PTE_D);
	SAME(cache_fault(VA, WRITES), 0);
	SAME(cache_fault(VA, READS), 1);
	SAME(seen()->evictions, 2);
	SAME(pte(VA + LARGE), 0);
	SOUND();
}

static void protecting(void)
{
	u32 frame, theirs;

	made(1);
	frame = fake_frame();
	SAME(op(ARIL_BIND, VA, frame, 1, WRITE, root), 1);
	SAME(cache_fault(VA, WRITES), 1);
	*(u64 *)frame_memory(desc.table_first) |= PTE_A | PTE_D;
	fake_flushes = 0;
	SAME(op(ARIL_PROTECT, VA, 0, 1, WRITE | EXEC, root), 1);
	SAME(fake_flushes, 0); /* wider */
	SAME(pte(VA), (u64)frame << 12 | PTE_P | PTE_U | PTE_W | PTE_A | PTE_D);
	SAME(op(ARIL_PROTECT, VA, 0, 1, EXEC, root), 1);
	SAME(fake_flushes, 1);
	SAME(pte(VA), (u64)frame << 12 | PTE_P | PTE_U | PTE_A | PTE_D);
	SAME(op(ARIL_PROTECT, VA, 0, 1, 0, root), 1);
	SAME(fake_flushes, 2);
	SOUND();
	/* under another guard: the lists follow */
	SAME(fake_set_guard(root, frame, 0, fake_guard("dom", ARIL_READ | ARIL_OWN, 0)), 1);
	SAME(pte(VA), 0);
	SAME(stlb(0), 0);
	theirs = fake_open("other", ARIL_ALL, 10);
	SAME(fake_set_guard(root, frame, 1, fake_guard("other", ARIL_READ | ARIL_WRITE, 0)), 1);
	SAME(op(ARIL_BIND, VA, frame, 1, 0, dom), 1);
	SAME(op(ARIL_BIND, VA + 4096, frame, 1, 0, dom), 1);
	SAME(op(ARIL_PROTECT, VA, 0, 1, WRITE, dom), -ARIL_E_RIGHTS);
	SAME(op(ARIL_PROTECT, VA, 0, 1, WRITE, theirs), 1);
	SAME(stlb(0) & PTE_GUARD1, PTE_GUARD1);
	SOUND();
	SAME(cache_fault(VA, WRITES), 1);
	SAME(fake_set_guard(root, frame, 1, fake_guard("x", ARIL_READ, 0)), 1);
	SAME(stlb(0), 0);
	SAME(pte(VA), 0);
	SAME(frames[frame].refs, 1);
	SOUND();
	SAME(call_frame_reset(root, frame), 0);
	SAME(stlb(1), 0);
	SOUND();
}

/* Its state and entries can be looked at, not written. */
static void looking(void)
{
	u64 at = VA * 4;

	made(1);
	SAME(call_space_table(root, space, at, 2, fake_frame(), fake_frame()), 0);
	SAME(call_space_table(root, space, at, 1, fake_frame(), fake_frame()), 0);
	SAME(fake_op(root, space, ARIL_BIND, at, desc.frame, 1, WRITE, root), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, at, desc.frame, 1, EXEC, root), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, at, desc.stlb_first, 1, WRITE, root), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, at, desc.stlb_first + 1, 1, 0, root), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, at, desc.table_first, 1, 0, root), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, at, desc.frame, 1, 0, root), 1);
	SAME(fake_op(root, space, ARIL_BIND, at + 4096, desc.stlb_first, 1, 0, root), 1);
	SAME(op(ARIL_BIND, VA, desc.stlb_first, 1, 0, root), 1); /* in itself, even */
	SOUND();
	SAME(call_frame_reset(root, desc.frame), 0);
	SAME(fake_entry(space, at), 0);
	SAME(fake_entry(space, at + 4096), 0);
	SOUND();
}

static void gone(u32 frame)
{
	fake_flushes = fake_quiesces = 0;
	SAME(call_frame_reset(root, frame), 0);
	CHECK(fake_flushes && fake_quiesces);
	SAME(cache_fault(VA, READS), 0);
	SAME(frames[desc.frame].state, ARIL_FRAME_NORMAL);
	for (u32 i = 0; i < 2; i++)
		SAME(frames[desc.table_first + i].state, ARIL_FRAME_NORMAL);
	for (u32 i = 0; i < 4; i++)
		SAME(frames[desc.stlb_first + i].state, ARIL_FRAME_NORMAL);
	SAME(frames[desc.stlb_first].tag, 0);
	for (u32 i = 0; i < 512; i++)
		SAME(((u64 *)frame_memory(desc.stlb_first))[i], 0);
	SOUND();
}

static void used(void)
{
	made(2);
	SAME(op(ARIL_BIND, VA + 5 * LARGE, 100, 512, WRITE, root), 1);
	SAME(cache_fault(VA + 5 * LARGE, WRITES), 1);
}

/* By each of its frames, by its table, by its space. */
static void taking_apart(void)
{
	used(), gone(desc.frame);
	SAME(op(ARIL_BIND, VA, 100, 1, WRITE, root), -ARIL_E_RANGE);
	SAME(frames[space].flags & ARIL_FRAME_CACHED, 0);
	SAME(call_cache_create(root, space, &desc), 0); /* and again */
	SOUND();
	used(), gone(desc.table_first + 1);
	used(), gone(desc.stlb_first + 1);
	used(), gone(desc.stlb_first + 3); /* a shadow */
	used(), gone(level2);
	SAME(frames[level2].state, ARIL_FRAME_NORMAL);
	used();
	fake_cpu.env->space = 0; /* nobody runs in it */
	frames[space].users = 0;
	SAME(call_frame_reset(root, space), 0);
	SAME(frames[desc.frame].state, ARIL_FRAME_NORMAL);
	SAME(frames[level2].state, ARIL_FRAME_TABLE);
	SAME(frames[level2].flags & ARIL_FRAME_CACHED, 0);
	SOUND();
}

/* More bindings than one call breaks. */
static void taking_apart_slowly(void)
{
	made(8);
	for (u64 i = 0; i < 8; i++)
		SAME(op(ARIL_BIND, VA + i * LARGE, 100, 512, WRITE, root), 1);
	SAME(cache_fault(VA, WRITES), 1);
	fake_quiesces = 0;
	SAME(call_frame_reset(root, desc.frame), -ARIL_E_AGAIN);
	SAME(pte(VA), 0);
	SAME(op(ARIL_BIND, VA, 100, 1, WRITE, root), -ARIL_E_RANGE);
	SAME(cache_fault(VA + 7 * LARGE, WRITES), 0);
	SAME(frames[desc.frame].state, ARIL_FRAME_CACHE);
	SAME(fake_set_guard(root, 611, 0, fake_guard("dom", ARIL_OWN, 0)), 1);
	SAME(call_space_table(root, space, VA, 1, fake_frame(), fake_frame()), -ARIL_E_TABLE);
	/* the bindings took all of the second budget: to wait for the others there is a third */
	SAME(call_frame_reset(root, desc.frame), -ARIL_E_AGAIN);
	SAME(fake_quiesces, 1);
	SAME(frames[desc.frame].state, ARIL_FRAME_CACHE);
	SAME(call_frame_reset(root, desc.frame), 0);
	SAME(fake_quiesces, 2); /* so that it is stopped, and that nobody looks */
	SAME(frames[100].refs, 0);
	SAME(frames[desc.frame].state, ARIL_FRAME_NORMAL);
	SOUND();
	made(8); /* with its table, which nothing else holds */
	for (u64 i = 0; i < 8; i++)
		SAME(op(ARIL_BIND, VA + i * LARGE, 100, 512, WRITE, root), 1);
	SAME(call_space_unlink(root, space, VA, 2), 0);
	SAME(call_frame_reset(root, level2), -ARIL_E_AGAIN);
}

/* Its level 2 table is out of the way: faults are the library's, until it is back. */
static void out_of_the_way(void)
{
	made(1);
	SAME(op(ARIL_BIND, VA, 100, 1, WRITE, root), 1);
	SAME(cache_fault(VA, WRITES), 1);
	SAME(call_space_unlink(root, space, VA, 2), 0);
	SAME(cache_fault(VA, WRITES), 0);
	SAME(op(ARIL_BIND, VA, 100, 1, WRITE, root), -ARIL_E_RANGE);
	SAME(fake_set_guard(root, 100, 0, fake_guard("dom", ARIL_ALL, 0)),
	     1); /* breaks all the same */
	SAME(stlb(0), 0);
	SAME(call_space_link(root, space, VA, 2, level2), 0);
	SAME(cache_fault(VA, WRITES), 0);
	SAME(seen()->misses, 1);
	SOUND();
}

static const struct test tests[] = {
	TEST(creating),	      TEST(many),
	TEST(updating),	      TEST(faults),
	TEST(displacing),     TEST(evicting),
	TEST(protecting),     TEST(looking),
	TEST(taking_apart),   TEST(taking_apart_slowly),
	TEST(out_of_the_way),
};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
