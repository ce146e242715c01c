/* SPDX-License-Identifier: MIT
 * Undoing what a frame is, when the work that one call may do is spent: nothing is given back half undone.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fake.h"
#include "frame.h"

#define VA 0x40000000ul

static u32 root, none;
static int stale;

static void start(void)
{
	fake_reset();
	root = fake_open("", ARIL_ALL, ~0ul);
	none = 0;
	stale = 0;
}

static void table(void)
{
	u32 leaf, space, frame, some = 8;

	start();
	space = fake_space(root, VA, &leaf);
	frame = fake_frame();
	SAME(fake_op(root, space, ARIL_BIND, VA, frame, 1, 0, root), 1);
	SAME(call_space_unlink(root, space, VA, 1), 0);
	SAME(frame_undo(leaf, &none, &stale), -ARIL_E_AGAIN);
	SAME(frames[leaf].state, ARIL_FRAME_TABLE);
	SAME(frames[frame].refs, 1);
	BOOKS();
	SAME(frame_undo(leaf, &some, &stale), 0);
	SAME(frames[frame].refs, 0);
	BOOKS();
}

static void env(void)
{
	u32 frame;

	start();
	frame = fake_frame();
	frame_retype(frame, ARIL_FRAME_ENV, 0, 0, 1);
	SAME(frame_undo(frame, &none, &stale), -ARIL_E_AGAIN);
	SAME(frames[frame].state, ARIL_FRAME_ENV);
}

/* A frame of 2 MiB that is bound, without a budget and with enough. */
static void large(void)
{
	u32 space, first = 512, some = 8;

	start();
	space = fake_space(root, VA, NULL);
	SAME(call_space_unlink(root, space, VA, 1), 0);
	fake_own(first, 512);
	struct aril_frame_op op = {.first = first, .count = 512, .kind = ARIL_FRAME_JOIN};
	SAME(call_frame_update(root, &op, 1), 1);
	SAME(fake_op(root, space, ARIL_BIND, VA, first, 1, ARIL_BIND_LARGE, root), 1);
	SAME(frame_undo(first + 7, &none, &stale), -ARIL_E_AGAIN);
	SAME(frames[first].level, 2);
	SAME(frames[first].refs, 1);
	SAME(frame_undo(first + 7, &some, &stale), 0);
	SAME(frames[first].level, 0);
	SAME(frames[first + 511].state, ARIL_FRAME_NORMAL);
	SAME(frames[first].flags & FRAME_GOING, 0);
	BOOKS();
}

static const struct test tests[] = {
	TEST(table),
	TEST(env),
	TEST(large),
};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
