/* SPDX-License-Identifier: MIT
 * space_update over runs of pages: which frames are asked, and what needs no frame's leave.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "space_dom.h"

#define OP(kind, va, frame, count, flags, auth) \
	fake_op(root, space, kind, va, frame, count, flags, auth)

/* Each frame of a run is asked, also behind one with a guard that was opened. */
static void runs(void)
{
	u32 space, leaf, first;

	start();
	space = fake_space(root, VA, &leaf);
	first = dom_frame(ARIL_ALL);
	for (u32 i = 1; i < 4; i++)
		SAME(dom_frame(ARIL_ALL), first + i);
	SAME(OP(ARIL_BIND, VA, first, 4, WRITE | EXEC, dom), 1);
	SAME(fake_entry(space, VA + 3 * 4096), (u64)(first + 3) << 12 | PTE_P | PTE_U | PTE_W);
	BOOKS();
	SAME(OP(ARIL_UNBIND, VA, 0, 4, 0, dom), 1);
	/* another name, fewer rights, a newer generation; being taken back; retyped; absent; of a run that began without a guard */
	for (u32 i = 1; i < 4; i++) {
		SAME(fake_set_guard(root, first + i, 0, fake_guard("dox", ARIL_ALL, 0)), 1);
		SAME(OP(ARIL_BIND, VA, first, 4, WRITE, dom), -ARIL_E_RIGHTS);
		SAME(fake_set_guard(root, first + i, 0, fake_guard("dom", ARIL_READ | ARIL_OWN, 0)),
		     1);
		SAME(OP(ARIL_BIND, VA, first, 4, WRITE, dom), -ARIL_E_RIGHTS);
		SAME(fake_set_guard(root, first + i, 0, fake_guard("dom", ARIL_ALL, 1000)), 1);
		SAME(OP(ARIL_BIND, VA, first, 4, WRITE, dom), -ARIL_E_RIGHTS);
		SAME(fake_set_guard(root, first + i, 0, fake_guard("dom", ARIL_ALL, 0)), 1);
		frames[first + i].flags |= ARIL_FRAME_LOST;
		SAME(OP(ARIL_BIND, VA, first, 4, WRITE, dom), -ARIL_E_STATE);
		frames[first + i].flags = ARIL_FRAME_BREAKING(0);
		SAME(OP(ARIL_BIND, VA, first, 4, WRITE, dom), -ARIL_E_STATE);
		frames[first + i].flags = 0;
		frames[first + i].state = ARIL_FRAME_REGION;
		SAME(OP(ARIL_BIND, VA, first, 4, WRITE, dom), -ARIL_E_STATE);
		SAME(OP(ARIL_BIND, VA, first, 4, 0, dom), 1);
		SAME(OP(ARIL_UNBIND, VA, 0, 4, 0, dom), 1);
		frames[first + i].state = ARIL_FRAME_NORMAL;
		SAME(fake_entry(space, VA), 0);
	}
	/* the second guard opens the middle one: it says so in the entry */
	SAME(fake_set_guard(root, first + 1, 1, fake_guard("dom", ARIL_ALL, 0)), 1);
	SAME(fake_set_guard(root, first + 1, 0, fake_guard("dox", ARIL_ALL, 0)), 1);
	SAME(OP(ARIL_BIND, VA, first, 3, WRITE, dom), 1);
	SAME(fake_entry(space, VA) & PTE_GUARD1, 0);
	SAME(fake_entry(space, VA + 4096) & PTE_GUARD1, PTE_GUARD1);
	SAME(fake_entry(space, VA + 8192) & PTE_GUARD1, 0);
	BOOKS();
}

/* PROTECT that gives writing back needs no right on the frame where each page was bound with leave for it. */
static void widening(void)
{
	const u32 may = ARIL_BIND_MAY_WRITE;
	u32 space, leaf, first, second, weak;

	start();
	space = fake_space(root, VA, &leaf);
	first = dom_frame(ARIL_ALL);
	second = dom_frame(ARIL_ALL);
	weak = fake_open("dom", ARIL_CALL, 10);
	SAME(OP(ARIL_BIND, VA, first, 1, may | ARIL_BIND_SOFT(3), dom), 1);
	SAME(OP(ARIL_BIND, VA + 8192, second, 1, may, dom), 1);
	*space_entry(space, VA, 1) |= PTE_A | PTE_D;
	fake_flushes = 0;
	SAME(OP(ARIL_PROTECT, VA, 0, 4, WRITE | may, weak), 1);
	SAME(fake_entry(space, VA) & ~PTE_ADDR,
	     PTE_P | PTE_U | PTE_W | PTE_MAY | PTE_NX | PTE_A | PTE_D);
	SAME(fake_entry(space, VA + 4096), 0);
	SAME(fake_entry(space, VA + 8192) & ~PTE_ADDR, PTE_P | PTE_U | PTE_W | PTE_MAY | PTE_NX);
	SAME(fake_flushes, 0);
	/* more than writing, or without keeping the leave: the frame is asked */
	SAME(OP(ARIL_PROTECT, VA, 0, 4, may, weak), 1);
	SAME(OP(ARIL_PROTECT, VA, 0, 4, WRITE, weak), -ARIL_E_RIGHTS);
	SAME(OP(ARIL_PROTECT, VA, 0, 4, WRITE | EXEC | may, weak), -ARIL_E_RIGHTS);
	SAME(OP(ARIL_PROTECT, VA, 0, 4, WRITE | may | ARIL_BIND_SOFT(1), weak), -ARIL_E_RIGHTS);
	/* one without leave among them */
	SAME(OP(ARIL_PROTECT, VA + 8192, 0, 1, 0, weak), 1);
	SAME(OP(ARIL_PROTECT, VA, 0, 4, WRITE | may, weak), -ARIL_E_RIGHTS);
	SAME(fake_entry(space, VA) & PTE_W, 0);
	SAME(OP(ARIL_PROTECT, VA, 0, 4, WRITE | may, dom), 1);
	SAME(fake_entry(space, VA + 8192) & (PTE_W | PTE_MAY), PTE_W | PTE_MAY);
	BOOKS();
}

static const struct test tests[] = {TEST(runs), TEST(widening)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
