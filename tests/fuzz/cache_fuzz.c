/* SPDX-License-Identifier: MIT
 * A cached part of a space: updates, faults, guards and resets against a model of the translations it must hold.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/cache.c kernel/cache_make.c kernel/audit_cache.c kernel/check.c kernel/audit_space.c */
#include "fuzz.h"

#include "audit_stubs.h"
#include "cache.h"
#include "grant.h"

#define VA 0x40000000ul
#define INDEXES 8 /* of the STLB's 512; pages that meet there are 512 apart */
#define TAGS 4
#define PAGES 6
#define WRITES 2 /* bits of a fault's code */
#define FETCHES 16

static struct aril_grant grant_books_here[GRANTS];
struct aril_grant *grant_books = grant_books_here;

static u32 space, pages[PAGES];
static struct aril_cache_desc desc;
static struct {
	int used;
	u32 tag, frame, flags;
	int guard;
} model[INDEXES];

static u64 stlb(u32 index)
{
	return ((u64 *)frame_memory(desc.stlb_first))[index];
}

static void look(void)
{
	for (u32 i = 0; i < INDEXES; i++) {
		u64 entry = stlb(i);

		SAME(!!(entry & PTE_P), model[i].used);
		if (!model[i].used)
			continue;
		SAME(ARIL_STLB_FRAME(entry), model[i].frame);
		SAME(ARIL_STLB_TAG(entry), model[i].tag);
		SAME(!!(entry & PTE_W), !!(model[i].flags & ARIL_BIND_WRITE));
		SAME(!(entry & PTE_NX), !!(model[i].flags & ARIL_BIND_EXEC));
		SAME(!!(entry & PTE_GUARD1), model[i].guard);
	}
	SAME(books_check(), 0);
	audited(cache_audit);
	audited(space_audit);
}

static void create(void)
{
	memset(model, 0, sizeof(model));
	SAME(call_cache_create(ROOT_AUTH, space, &desc), 0);
}

static void update(const u8 *d)
{
	static const u8 kinds[4] = {ARIL_BIND, ARIL_BIND, ARIL_PROTECT, ARIL_UNBIND};
	const struct who *w = &whos[d[1] % WHOS];
	u32 kind = kinds[d[0] >> 4 & 3], frame = pages[d[2] % PAGES], index = d[3] % INDEXES,
	    flags = d[5] & 3;
	u32 tag = d[4] % TAGS, need = ARIL_READ;
	struct aril_space_op op = {
		VA + (tag * 512ul + index) * 4096, frame, 1, kind, flags, w->auth};
	int held = model[index].used && model[index].tag == tag, guard = 0;

	need |= (flags & ARIL_BIND_WRITE ? ARIL_WRITE : 0) |
		(flags & ARIL_BIND_EXEC ? ARIL_EXEC : 0);
	if (kind == ARIL_PROTECT)
		frame = model[index].frame;
	if (kind == ARIL_BIND || (kind == ARIL_PROTECT && held))
		guard = opens_frame(w, &frames[frame], need);
	SAME(call_cache_update(ROOT_AUTH, space, &op, 1), guard < 0 ? -ARIL_E_RIGHTS : 1);
	if (guard < 0 || (kind != ARIL_BIND && !held))
		return;
	model[index].used = kind != ARIL_UNBIND;
	model[index].tag = tag;
	model[index].frame = frame;
	model[index].flags = flags;
	model[index].guard = guard;
}

/* The page-table entry, which lies in a table that the cache fills: no space's other walks go there. */
static u64 pool_entry(u64 va)
{
	u64 above = *space_entry(space, va, 2);

	return above & PTE_P ? ((u64 *)frame_memory(ARIL_PTE_FRAME(above)))[va >> 12 & 511] : 0;
}

/* Served if the model has it, and then the page table has it too. */
static void fault(const u8 *d)
{
	u32 index = d[3] % INDEXES, tag = d[4] % TAGS, code = 4 | (d[5] & (WRITES | FETCHES));
	u64 va = VA + (tag * 512ul + index) * 4096;
	int has = model[index].used && model[index].tag == tag;

	has &= !(code & WRITES) || model[index].flags & ARIL_BIND_WRITE;
	has &= !(code & FETCHES) || model[index].flags & ARIL_BIND_EXEC;
	SAME(cache_fault(va, code), has);
	if (has)
		SAME(ARIL_PTE_FRAME(pool_entry(va)), model[index].frame);
}

static void forget(u32 frame, int guard)
{
	for (u32 i = 0; i < INDEXES; i++)
		if (model[i].used && model[i].frame == frame &&
		    (guard < 0 || model[i].guard == guard))
			model[i].used = 0;
}

static void guard(const u8 *d)
{
	u32 frame = pages[d[2] % PAGES], slot = d[5] & 1;
	struct aril_guard g = guard_from(d[3], d[4]), was = frames[frame].guard[slot];

	if (fake_set_guard(whos[d[1] % WHOS].auth, frame, slot, g) == 1 &&
	    memcmp(&g, &was, sizeof(g)))
		forget(frame, slot);
}

static void step(const u8 *d)
{
	switch (d[0] % 16) {
	case 0:
		SAME(call_frame_reset(ROOT_AUTH, d[5] & 1 ? desc.frame : desc.stlb_first), 0);
		create();
		break;
	case 1:
		if (!call_frame_reset(whos[d[1] % WHOS].auth, pages[d[2] % PAGES]))
			forget(pages[d[2] % PAGES], -1);
		break;
	case 2:
	case 3:
		guard(d);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		fault(d);
		break;
	default:
		update(d);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, usize bytes)
{
	fake_reset();
	whos_open();
	space = fake_frame();
	SAME(call_space_create(ROOT_AUTH, space, fake_frame()), 0);
	for (u32 level = 3; level > 1; level--)
		SAME(call_space_table(ROOT_AUTH, space, VA, level, fake_frame(), fake_frame()), 0);
	fake_become(fake_env(1, space));
	fake_cpu.env->root = &frames[space];
	whos_open();
	desc = (struct aril_cache_desc){.va = VA, .ntables = 2, .nstlb = 1};
	desc.frame = fake_frame();
	desc.table_first = fake_frame();
	fake_frame();
	desc.stlb_first = fake_frame();
	fake_frame();
	for (u32 i = 0; i < PAGES; i++)
		pages[i] = fake_frame();
	create();
	for (; bytes >= 6; bytes -= 6, data += 6) {
		step(data);
		look();
	}
	return 0;
}
