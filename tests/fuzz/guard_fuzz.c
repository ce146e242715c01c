/* SPDX-License-Identifier: MIT
 * Guards that change amid bindings: a binding is made if the plain rule allows it, and none is left whose guard is not
 * the one under which it was made, or does not grant what the binding allows.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fuzz.h"

#define PAGES 8
#define VAS 32
#define VA 0x40000000ul

static u32 pages[PAGES], space;
static struct {
	u64 entry;
	struct aril_guard guard; /* under which it was made */
} made[VAS];

static u32 entry_rights(u64 entry)
{
	return ARIL_READ | (entry & PTE_W ? ARIL_WRITE : 0) | (entry & PTE_NX ? 0 : ARIL_EXEC);
}

/* Looks at every binding; `bound`: those that are new were made by a call just now. */
static void look(int bound)
{
	for (u32 i = 0; i < VAS; i++) {
		u64 entry = fake_entry(space, VA + i * 4096ul) & ~(u64)(PTE_A | PTE_D);
		const struct aril_frame *f = &frames[ARIL_PTE_FRAME(entry)];
		const struct aril_guard *guard = &f->guard[!!(entry & PTE_GUARD1)];

		if (!(entry & PTE_P)) {
			made[i].entry = 0;
			continue;
		}
		if (entry != made[i].entry) {
			MUST(bound);
			made[i].entry = entry;
			made[i].guard = *guard;
		}
		MUST(!memcmp(guard, &made[i].guard, sizeof(*guard)));
		if (guard->rights)
			SAME(entry_rights(entry) & ~guard->rights, 0);
	}
}

static void bind(const u8 *d)
{
	const struct who *w = &whos[d[1] % WHOS];
	u32 frame = pages[d[2] % PAGES], flags = d[3] & 3, need = ARIL_READ;

	need |= (flags & ARIL_BIND_WRITE ? ARIL_WRITE : 0) |
		(flags & ARIL_BIND_EXEC ? ARIL_EXEC : 0);
	int may = opens_frame(w, &frames[frame], need);
	s64 got = fake_op(ROOT_AUTH, space, ARIL_BIND, VA + d[4] % VAS * 4096ul, frame, 1, flags,
			  w->auth);
	SAME(got, may < 0 ? -ARIL_E_RIGHTS : 1);
	if (got == 1)
		SAME(!!(fake_entry(space, VA + d[4] % VAS * 4096ul) & PTE_GUARD1), may);
}

/* What the rules say of a new guard. */
static int guard_may(const struct who *w, const struct aril_frame *f, u32 slot,
		     const struct aril_guard *g)
{
	u32 left = g->rights | f->guard[!slot].rights;

	if (g->rights && (!dominates(w, g) || g->generation > w->generation))
		return 0;
	if (!memcmp(g, &f->guard[slot], sizeof(*g)))
		return 1;
	if (opens_frame(w, f, ARIL_OWN) < 0 || (left && !(left & ARIL_OWN)))
		return 0;
	return left || !w->name[0];
}

static void guard(const u8 *d)
{
	const struct who *w = &whos[d[1] % WHOS];
	struct aril_guard g = guard_from(d[3], d[4]);
	u32 frame = pages[d[2] % PAGES], slot = d[5] & 1;
	int may = guard_may(w, &frames[frame], slot, &g);
	s64 got = fake_set_guard(w->auth, frame, slot, g);

	SAME(got == 1, may);
	if (may)
		MUST(!memcmp(&frames[frame].guard[slot], &g, sizeof(g)));
}

int LLVMFuzzerTestOneInput(const u8 *data, usize bytes)
{
	u32 leaf;

	fake_reset();
	whos_open();
	memset(made, 0, sizeof(made));
	space = fake_space(ROOT_AUTH, VA, &leaf);
	for (u32 i = 0; i < PAGES; i++)
		pages[i] = fake_frame();
	for (; bytes >= 6; bytes -= 6, data += 6) {
		u64 va = VA + data[4] % VAS * 4096ul;
		int bound = 1;

		switch (data[0] % 8) {
		case 0:
			fake_op(ROOT_AUTH, space, ARIL_PROTECT, va, 0, 1 + data[3] % 3,
				data[3] >> 4 & 3, whos[data[1] % WHOS].auth);
			break;
		case 1:
			fake_op(ROOT_AUTH, space, ARIL_UNBIND, va, 0, 1 + data[3] % 3, 0, 0);
			bound = 0;
			break;
		case 2:
		case 3:
		case 4:
			guard(data);
			bound = 0;
			break;
		case 5:
			if (!call_frame_reset(whos[data[1] % WHOS].auth, pages[data[2] % PAGES]))
				SAME(frames[pages[data[2] % PAGES]].refs, 0);
			bound = 0;
			break;
		default:
			bind(data);
		}
		look(bound);
		SAME(books_check(), 0);
	}
	return 0;
}
