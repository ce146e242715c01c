/* SPDX-License-Identifier: MIT
 * Spaces: every check of their calls, flags of bindings, batches, shared sub-trees, fork's pattern.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "space_dom.h"

static void create(void)
{
	u32 a, b, c, weak;
	const u64 *entry;

	start();
	a = fake_frame();
	b = fake_frame();
	c = dom_frame(ARIL_ALL);
	weak = fake_open("", ARIL_ALL & ~ARIL_OWN, ~0ul);
	SAME(call_space_create(root ^ 16, a, b), -ARIL_E_CAP);
	SAME(call_space_create(root, a, a), -ARIL_E_RANGE);
	SAME(call_space_create(dom, a, c), -ARIL_E_RIGHTS);
	SAME(call_space_create(dom, c, a), -ARIL_E_RIGHTS);
	SAME(call_space_create(weak, a, b), -ARIL_E_RIGHTS);
	SAME(call_space_create(root, nframes, b), -ARIL_E_FRAME);
	SAME(call_space_create(root, a, nframes), -ARIL_E_FRAME);
	SAME(call_space_create(root, FAKE_KERNEL, b), -ARIL_E_STATE);
	SAME(call_space_create(root, a, FAKE_KERNEL), -ARIL_E_STATE);
	SAME(frames[a].state, ARIL_FRAME_NORMAL);
	SAME(call_space_create(root, a, b), 0);
	SAME(fake_new_space, a);
	SAME(call_space_create(root, a, fake_frame()), -ARIL_E_STATE);
	SAME(call_space_create(root, fake_frame(), b), -ARIL_E_STATE);
	entry = frame_memory(a);
	for (u32 i = 0; i < 256; i++)
		SAME(entry[i], 0);
	SAME(entry[456], 0x123003); /* the kernel's */
	SAME(entry[510], (u64)a << 12 | PTE_P | PTE_U | PTE_NX);
	SAME(frames[a].state, ARIL_FRAME_SPACE);
	SAME(frames[a].level, 4);
	SAME(frames[b].partner, a);
	BOOKS();
}

static void tables(void)
{
	u32 space, other, t, s, mine;

	start();
	space = fake_frame();
	SAME(call_space_create(root, space, fake_frame()), 0);
	t = fake_frame();
	s = fake_frame();
	mine = dom_frame(ARIL_ALL);
	SAME(call_space_table(root ^ 16, space, VA, 3, t, s), -ARIL_E_CAP);
	SAME(call_space_table(dom, space, VA, 3, t, s), -ARIL_E_RIGHTS);
	SAME(call_space_table(root, nframes, VA, 3, t, s), -ARIL_E_FRAME);
	SAME(call_space_table(root, t, VA, 3, t, s), -ARIL_E_STATE);
	SAME(call_space_table(root, space, VA, 0, t, s), -ARIL_E_RANGE);
	SAME(call_space_table(root, space, VA, 4, t, s), -ARIL_E_RANGE);
	SAME(call_space_table(root, space, ARIL_USER_TOP, 3, t, s), -ARIL_E_RANGE);
	SAME(call_space_table(root, space, ARIL_SELF_VA, 3, t, s), -ARIL_E_RANGE);
	SAME(call_space_table(root, space, 1ul << 47, 3, t, s), -ARIL_E_RANGE);
	SAME(call_space_table(root, space, VA, 3, t, t), -ARIL_E_RANGE);
	SAME(call_space_table(root, space, VA, 2, t, s), -ARIL_E_TABLE);
	SAME(call_space_table(root, space, VA, 3, nframes, s), -ARIL_E_FRAME);
	SAME(call_space_table(root, space, VA, 3, t, nframes), -ARIL_E_FRAME);
	SAME(call_space_table(root, space, VA, 3, space, s), -ARIL_E_STATE);
	SAME(call_space_table(root, space, VA, 3, t, space), -ARIL_E_STATE);
	SAME(frames[t].state, ARIL_FRAME_NORMAL);
	SAME(fake_set_guard(root, space, 0, fake_guard("dom", ARIL_ALL, 0)), 1);
	SAME(call_space_table(dom, space, VA, 3, mine, s), -ARIL_E_RIGHTS);
	SAME(call_space_table(dom, space, VA, 3, t, mine), -ARIL_E_RIGHTS);
	SAME(call_space_table(root, space, VA, 3, t, s), 0);
	SAME(frames[t].level, 3);
	SAME(frames[t].refs, 1);
	SAME(call_space_table(root, space, VA, 3, fake_frame(), fake_frame()), -ARIL_E_TABLE);
	SAME(call_space_table(root, space, VA, 1, fake_frame(), fake_frame()), -ARIL_E_TABLE);
	SAME(call_space_table(root, space, VA, 2, mine, fake_frame()), 0);
	/* the last page of user space */
	other = fake_space(root, ARIL_USER_TOP - 4096, NULL);
	SAME(fake_op(root, other, ARIL_BIND, ARIL_USER_TOP - 4096, fake_frame(), 1, 0, root), 1);
	SAME(fake_op(root, other, ARIL_BIND, ARIL_USER_TOP, fake_frame(), 1, 0, root),
	     -ARIL_E_RANGE);
	SAME(fake_op(root, other, ARIL_BIND, ARIL_USER_TOP - 4096, fake_frame(), 2, 0, root),
	     -ARIL_E_RANGE);
	BOOKS();
}

static void linking(void)
{
	u32 space, other, leaf, leaf2, frame, flushes;

	start();
	frame = fake_frame();
	space = fake_space(root, VA, &leaf);
	other = fake_space(root, VA + (1ul << 21), &leaf2);
	SAME(call_space_link(root ^ 16, other, VA, 1, leaf), -ARIL_E_CAP);
	SAME(call_space_link(dom, other, VA, 1, leaf), -ARIL_E_RIGHTS);
	SAME(call_space_link(root, nframes, VA, 1, leaf), -ARIL_E_FRAME);
	SAME(call_space_link(root, frame, VA, 1, leaf), -ARIL_E_STATE);
	SAME(call_space_link(root, other, VA, 0, leaf), -ARIL_E_RANGE);
	SAME(call_space_link(root, other, VA, 4, space), -ARIL_E_RANGE);
	SAME(call_space_link(root, other, ARIL_USER_TOP, 1, leaf), -ARIL_E_RANGE);
	SAME(call_space_link(root, other, VA, 1, nframes), -ARIL_E_FRAME);
	SAME(call_space_link(root, other, VA, 1, frame), -ARIL_E_STATE);
	SAME(call_space_link(root, other, VA, 1, space), -ARIL_E_STATE);
	SAME(call_space_link(root, other, VA, 2, leaf), -ARIL_E_STATE);
	SAME(call_space_link(root, other, VA + (1ul << 30), 2, leaf),
	     -ARIL_E_STATE); /* a free place */
	SAME(call_space_link(root, other, VA + (1ul << 21), 1, leaf), -ARIL_E_TABLE);
	SAME(call_space_link(root, other, VA + (1ul << 30), 1, leaf), -ARIL_E_TABLE);
	SAME(fake_set_guard(root, other, 0, fake_guard("dom", ARIL_ALL, 0)), 1);
	SAME(call_space_link(dom, other, VA, 1, leaf), -ARIL_E_RIGHTS); /* the table is not dom's */
	BOOKS();
	flushes = fake_flushes;
	SAME(call_space_link(root, other, VA, 1, leaf), 0);
	SAME(fake_flushes, flushes);
	/* bound through one is bound in both */
	SAME(fake_op(root, space, ARIL_BIND, VA + 0x5000, frame, 1, WRITE, root), 1);
	CHECK(fake_entry(other, VA + 0x5000) == fake_entry(space, VA + 0x5000) &&
	      fake_entry(other, VA + 0x5000));
	SAME(frames[frame].refs, 1);
	SAME(frames[leaf].refs, 2);
	BOOKS();
	SAME(call_space_unlink(root ^ 16, space, VA, 1), -ARIL_E_CAP);
	SAME(call_space_unlink(dom, space, VA, 1), -ARIL_E_RIGHTS);
	SAME(call_space_unlink(root, space, VA, 4), -ARIL_E_RANGE);
	SAME(call_space_unlink(root, frame, VA, 1), -ARIL_E_STATE);
	SAME(call_space_unlink(root, space, VA + (1ul << 21), 1), -ARIL_E_TABLE);
	SAME(call_space_unlink(root, space, VA + (1ul << 30), 1), -ARIL_E_TABLE);
	SAME(call_space_unlink(root, space, VA, 1), 0);
	SAME(fake_flushes, flushes + 1);
	CHECK(!space_entry(space, VA, 1));
	CHECK(fake_entry(other, VA + 0x5000));
	SAME(call_space_unlink(root, other, VA, 1), 0);
	SAME(frames[leaf].refs, 0);
	SAME(frames[frame].refs, 1); /* an orphan keeps what is bound in it */
	BOOKS();
	SAME(call_space_link(root, space, VA, 1, leaf), 0);
	CHECK(fake_entry(space, VA + 0x5000));
	SAME(call_frame_reset(root, frame), 0);
	CHECK(!fake_entry(space, VA + 0x5000));
	BOOKS();
}

static void update_arguments(void)
{
	u32 space, frame, weak;
	struct aril_space_op op;

	start();
	frame = fake_frame();
	space = fake_space(root, VA, NULL);
	weak = fake_open("", ARIL_ALL & ~ARIL_WRITE, ~0ul);
	op = (struct aril_space_op){VA, frame, 1, ARIL_BIND, 0, root};
	SAME(call_space_update(root ^ 16, space, &op, 1), -ARIL_E_CAP);
	SAME(call_space_update(weak, space, &op, 1), -ARIL_E_RIGHTS);
	SAME(call_space_update(root, nframes, &op, 1), -ARIL_E_FRAME);
	SAME(call_space_update(root, frame, &op, 1), -ARIL_E_STATE);
	SAME(call_space_update(root, space, &op, 0), -ARIL_E_RANGE);
	SAME(call_space_update(root, space, &op, 513), -ARIL_E_RANGE);
	SAME(call_space_update(root, space, BAD_ADDRESS, 1), -ARIL_E_ADDR);
#define OP(kind, va, frame, count, flags, auth) \
	fake_op(root, space, kind, va, frame, count, flags, auth)
	SAME(OP(0, VA, frame, 1, 0, root), -ARIL_E_RANGE);
	SAME(OP(4, VA, frame, 1, 0, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_BIND, VA, frame, 1, 64, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_BIND, VA, frame, 1, ARIL_BIND_SOFT(64), root), -ARIL_E_RANGE);
	SAME(OP(ARIL_BIND, VA, frame, 0, 0, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_UNBIND, VA, frame, 0, 0, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_UNBIND, VA, frame, 513, 0, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_UNBIND, VA, frame, ~0u, 0, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_BIND, VA + 1, frame, 1, 0, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_BIND, VA + 2048, frame, 1, 0, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_UNBIND, ARIL_SELF_VA, frame, 1, 0, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_UNBIND, -4096ul, frame, 2, 0, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_BIND, VA, frame, 1, 0, root ^ 16), -ARIL_E_CAP);
	SAME(OP(ARIL_PROTECT, VA, frame, 1, 0, root ^ 16), -ARIL_E_CAP);
	SAME(OP(ARIL_UNBIND, VA, frame, 1, 0, root ^ 16), 1);
	SAME(OP(ARIL_BIND, VA + (1ul << 21), frame, 1, 0, root), -ARIL_E_TABLE);
	SAME(OP(ARIL_BIND, VA + 511 * 4096, frame, 2, 0, root), -ARIL_E_TABLE);
	SAME(OP(ARIL_BIND, VA + (1ul << 30), frame, 1, 0, root), -ARIL_E_TABLE);
	SAME(OP(ARIL_UNBIND, VA + (1ul << 30), frame, 1, 0, root), 1);
	SAME(OP(ARIL_PROTECT, VA + (1ul << 30), frame, 1, 0, root), 1);
	SAME(fake_flushes, 0);
	SAME(OP(ARIL_BIND, VA, FAKE_KERNEL, 1, 0, root), -ARIL_E_STATE);
	SAME(OP(ARIL_BIND, VA, 0, 1, 0, root), -ARIL_E_STATE);
	SAME(OP(ARIL_BIND, VA, space, 1, 0, root), -ARIL_E_STATE);
	SAME(OP(ARIL_BIND, VA, frames[space].partner, 1, 0, root), -ARIL_E_STATE);
	SAME(OP(ARIL_BIND, VA, fake_cpu.env->frame, 1, 0, root), -ARIL_E_STATE);
	SAME(OP(ARIL_BIND, VA, frame, 1, ARIL_BIND_UNCACHED, root), -ARIL_E_RANGE);
	SAME(OP(ARIL_BIND, VA, frame, 1, 0, dom), -ARIL_E_RIGHTS);
	SAME(OP(ARIL_BIND, VA, nframes, 1, 0, root), -ARIL_E_FRAME);
	SAME(OP(ARIL_BIND, VA, FAKE_ABSENT, 1, 0, root), -ARIL_E_FRAME);
	SAME(fake_entry(space, VA), 0);
	BOOKS();
}

/* Rights of the guard and of the authority decide, each alone, for each flag; checked whole before done. */
static void update_rights(void)
{
	static const struct {
		u32 rights, flags;
	} need[] = {{ARIL_READ, 0},
		    {ARIL_WRITE, WRITE},
		    {ARIL_EXEC, EXEC},
		    {ARIL_READ, ARIL_BIND_NOREAD},
		    {ARIL_WRITE, ARIL_BIND_NOREAD | WRITE}};
	u32 space, ours, theirs;

	start();
	space = fake_space(root, VA, NULL);
	for (u32 i = 0; i < array_count(need); i++) {
		u32 all = dom_frame(ARIL_ALL), less = dom_frame(ARIL_ALL & ~need[i].rights);
		u32 weak = fake_open("dom", ARIL_ALL & ~need[i].rights, 10);

		SAME(OP(ARIL_BIND, VA, all, 1, need[i].flags, dom), 1);
		SAME(OP(ARIL_BIND, VA, less, 1, need[i].flags, dom), -ARIL_E_RIGHTS);
		SAME(OP(ARIL_BIND, VA, all, 1, need[i].flags, weak), -ARIL_E_RIGHTS);
		SAME(OP(ARIL_BIND, VA, all, 1, ARIL_BIND_NOREAD, dom), 1);
		SAME(OP(ARIL_PROTECT, VA, 0, 1, need[i].flags, weak), -ARIL_E_RIGHTS);
		SAME(OP(ARIL_PROTECT, VA, 0, 1, need[i].flags, dom), 1);
		SAME(call_cap_close(weak), 0);
	}
	ours = dom_frame(ARIL_ALL);
	theirs = fake_frame();
	SAME(theirs, ours + 1);
	SAME(OP(ARIL_UNBIND, VA, 0, 2, 0, dom), 1);
	SAME(OP(ARIL_BIND, VA, ours, 2, 0, dom), -ARIL_E_RIGHTS);
	SAME(fake_entry(space, VA), 0);
	BOOKS();
}

static u64 bits(u32 space, u64 va)
{
	return fake_entry(space, va) & ~PTE_ADDR;
}

static void flags(void)
{
	u32 space, frame, flushes;
	u64 *entry;

	start();
	frame = fake_frame();
	space = fake_space(root, VA, NULL);
	fake_grant_env = fake_cpu.env->id;
	SAME(OP(ARIL_BIND, VA, frame, 1, 0, root), 1);
	SAME(fake_entry(space, VA), (u64)frame << 12 | PTE_P | PTE_U | PTE_NX);
	SAME(OP(ARIL_BIND, VA, frame, 1, WRITE, root), 1);
	SAME(bits(space, VA), PTE_P | PTE_U | PTE_W | PTE_NX);
	SAME(OP(ARIL_BIND, VA, frame, 1, EXEC, root), 1);
	SAME(bits(space, VA), PTE_P | PTE_U);
	SAME(OP(ARIL_BIND, VA, frame, 1, EXEC | WRITE | ARIL_BIND_SOFT(0x2a), root), 1);
	SAME(bits(space, VA), PTE_P | PTE_U | PTE_W | 0x2aul << 52);
	SAME(OP(ARIL_BIND, VA, frame, 1, EXEC | WRITE | ARIL_BIND_NOREAD | ARIL_BIND_SOFT(63),
		root),
	     1);
	SAME(bits(space, VA), PTE_P | PTE_NX | PTE_SOFT);
	/* device memory: only by a grant, and without books */
	SAME(OP(ARIL_BIND, VA + 4096, FAKE_DEVICE, 2, ARIL_BIND_UNCACHED | WRITE, root), 1);
	SAME(fake_entry(space, VA + 4096),
	     FAKE_DEVICE * 4096ul | PTE_P | PTE_U | PTE_W | PTE_NX | PTE_PCD | PTE_PWT);
	BOOKS();
	SAME(OP(ARIL_PROTECT, VA, 0, 3, 0, root), 1);
	SAME(bits(space, VA + 4096), PTE_P | PTE_U | PTE_NX);
	fake_grant_env = 0;
	SAME(OP(ARIL_PROTECT, VA + 4096, 0, 1, WRITE, root), -ARIL_E_FRAME);
	SAME(OP(ARIL_PROTECT, VA + 4096, 0, 1, 0, root), 1); /* takes nothing that is not there */
	SAME(OP(ARIL_BIND, VA, FAKE_DEVICE, 1, 0, root), -ARIL_E_FRAME);
	SAME(OP(ARIL_UNBIND, VA + 4096, 0, 1, 0, root), 1);
	SAME(fake_entry(space, VA + 4096), 0);
	BOOKS();
	/* the CPUs' bits survive a change of flags */
	entry = space_entry(space, VA, 1);
	*entry |= PTE_A | PTE_D;
	flushes = fake_flushes;
	SAME(OP(ARIL_PROTECT, VA, 0, 1, WRITE | EXEC, root), 1);
	SAME(bits(space, VA), PTE_P | PTE_U | PTE_W | PTE_A | PTE_D);
	SAME(fake_flushes, flushes); /* widened: nothing stale */
	SAME(OP(ARIL_PROTECT, VA, 0, 1, WRITE, root), 1);
	SAME(fake_flushes, flushes + 1);
	SAME(OP(ARIL_PROTECT, VA, 0, 1, 0, root), 1);
	SAME(fake_flushes, flushes + 2);
	SAME(OP(ARIL_PROTECT, VA, 0, 1, ARIL_BIND_NOREAD, root), 1);
	SAME(fake_flushes, flushes + 3);
	SAME(OP(ARIL_PROTECT, VA, 0, 1, 0, root), 1);
	SAME(fake_flushes, flushes + 3);
	SAME(bits(space, VA), PTE_P | PTE_U | PTE_NX | PTE_A | PTE_D);
	SAME(OP(ARIL_BIND, VA + 8192, frame, 1, 0, root), 1); /* replaces a device page */
	SAME(fake_flushes, flushes + 4);
	SAME(OP(ARIL_BIND, VA + 4096, frame, 1, 0, root), 1); /* nothing was there */
	SAME(fake_flushes, flushes + 4);
	SAME(OP(ARIL_UNBIND, VA + 4096, 0, 1, 0, root), 1);
	SAME(fake_flushes, flushes + 5);
	SAME(OP(ARIL_UNBIND, VA + 4096, 0, 1, 0, root), 1);
	SAME(fake_flushes, flushes + 5);
	BOOKS();
}

/* Which guard opened a binding is kept, and follows a change of flags. */
static void guard_kept(void)
{
	u32 space, frame, a, b;

	start();
	space = fake_space(root, VA, NULL);
	frame = fake_frame();
	SAME(fake_set_guard(root, frame, 1, fake_guard("dom/b", ARIL_ALL, 0)), 1);
	SAME(fake_set_guard(root, frame, 0, fake_guard("dom/a", ARIL_READ, 0)), 1);
	a = fake_open("dom/a", ARIL_ALL, 10);
	b = fake_open("dom/b", ARIL_ALL, 10);
	SAME(OP(ARIL_BIND, VA, frame, 1, 0, a), 1);
	SAME(OP(ARIL_BIND, VA + 4096, frame, 1, 0, b), 1);
	SAME(OP(ARIL_BIND, VA + 8192, frame, 1, 0, dom), 1);
	SAME(OP(ARIL_BIND, VA + 12288, frame, 1, WRITE, dom), 1);
	CHECK(!(fake_entry(space, VA) & PTE_GUARD1));
	CHECK(fake_entry(space, VA + 4096) & PTE_GUARD1);
	CHECK(!(fake_entry(space, VA + 8192) & PTE_GUARD1));
	CHECK(fake_entry(space, VA + 12288) & PTE_GUARD1);
	SAME(OP(ARIL_PROTECT, VA, 0, 1, WRITE, a), -ARIL_E_RIGHTS);
	BOOKS();
	SAME(OP(ARIL_PROTECT, VA, 0, 1, WRITE, b), 1);
	CHECK(fake_entry(space, VA) & PTE_GUARD1);
	SAME(OP(ARIL_PROTECT, VA + 12288, 0, 1, 0, a), 1);
	CHECK(fake_entry(space, VA + 12288) &
	      PTE_GUARD1); /* what is only narrowed stays where it is */
	BOOKS();
	SAME(fake_set_guard(root, frame, 1, fake_guard("dom", ARIL_ALL, 0)), 1);
	CHECK(!fake_entry(space, VA) && !fake_entry(space, VA + 4096));
	CHECK(fake_entry(space, VA + 8192) && !fake_entry(space, VA + 12288));
	BOOKS();
}

static void batches(void)
{
	static struct aril_space_op ops[512];
	u32 space, first, leaf, copies, flushes;

	start();
	space = fake_space(root, VA, &leaf);
	SAME(call_space_table(root, space, VA + (1ul << 21), 1, fake_frame(), fake_frame()), 0);
	first = fake_frame();
	for (u32 i = 0; i < 512; i++) {
		ops[i] = (struct aril_space_op){VA + i * 4096, first, 1, ARIL_BIND, WRITE, root};
		if (i % 100 == 99)
			fake_frame();
	}
	fake_own(first, 100);
	SAME(call_space_update(root, space, ops, 512), 512);
	SAME(frames[first].refs, 512);
	BOOKS();
	/* each op is read once: what is checked is what is done */
	copies = fake_copies;
	flushes = fake_flushes;
	SAME(call_space_update(root, space, ops, 40), 40);
	SAME(fake_copies - copies, 3);
	SAME(fake_flushes, flushes + 1);
	/* ends at the first bad one; the rest learns why */
	ops[37].va = 1;
	SAME(call_space_update(root, space, ops, 40), 37);
	SAME(call_space_update(root, space, ops + 37, 3), -ARIL_E_RANGE);
	/* in order: the second undoes the first */
	ops[0] = (struct aril_space_op){VA, first, 100, ARIL_BIND, 0, root};
	ops[1] = (struct aril_space_op){VA, 0, 512, ARIL_UNBIND, 0, 0};
	SAME(call_space_update(root, space, ops, 2), 2);
	SAME(frames[first].refs, 0);
	/* bounded: 2048 pages */
	for (u32 i = 0; i < 6; i++)
		ops[i] = (struct aril_space_op){VA, 0, 511, ARIL_UNBIND, 0, 0};
	SAME(call_space_update(root, space, ops, 6), 4);
	/* over the edge of a table */
	SAME(OP(ARIL_BIND, VA + 500 * 4096, first, 30, 0, root), 1);
	for (u32 i = 0; i < 30; i++)
		SAME(ARIL_PTE_FRAME(fake_entry(space, VA + (500 + i) * 4096)), first + i);
	SAME(frames[first + 12].head >> 9 == leaf, 0);
	SAME(OP(ARIL_PROTECT, VA + 490 * 4096, 0, 512, WRITE, root), 1);
	CHECK(fake_entry(space, VA + 529 * 4096) & PTE_W);
	CHECK(fake_entry(space, VA + 500 * 4096) & PTE_W);
	SAME(OP(ARIL_UNBIND, VA + 490 * 4096, 0, 512, 0, root), 1);
	for (u32 i = 0; i < 30; i++)
		SAME(frames[first + i].refs, 0);
	BOOKS();
}

/* fork: parent's pages narrowed and bound in the child's space; a write copies; exit unbinds. */
static void fork_pattern(void)
{
	u32 parent, child, page[40], copy;

	start();
	parent = fake_space(root, VA, NULL);
	child = fake_space(root, VA, NULL);
	for (u32 i = 0; i < 40; i++) {
		page[i] = fake_frame();
		SAME(fake_op(root, parent, ARIL_BIND, VA + i * 4096, page[i], 1,
			     WRITE | ARIL_BIND_SOFT(1), root),
		     1);
	}
	SAME(fake_op(root, parent, ARIL_PROTECT, VA, 0, 512, ARIL_BIND_SOFT(3), root), 1);
	for (u32 i = 0; i < 40; i++)
		SAME(fake_op(root, child, ARIL_BIND, VA + i * 4096, page[i], 1, ARIL_BIND_SOFT(3),
			     root),
		     1);
	for (u32 i = 0; i < 40; i++) {
		SAME(frames[page[i]].refs, 2);
		SAME(fake_entry(parent, VA + i * 4096) & PTE_W, 0);
		SAME(ARIL_PTE_SOFT(fake_entry(child, VA + i * 4096)), 3);
	}
	BOOKS();
	for (u32 i = 0; i < 40; i += 2) { /* the child writes: a page of its own */
		copy = fake_frame();
		SAME(fake_op(root, child, ARIL_BIND, VA + i * 4096, copy, 1, WRITE, root), 1);
		SAME(frames[page[i]].refs, 1);
		SAME(fake_op(root, parent, ARIL_PROTECT, VA + i * 4096, 0, 1, WRITE, root), 1);
	}
	BOOKS();
	while (call_frame_reset(root, child) == -ARIL_E_AGAIN)
		;
	SAME(frames[page[1]].refs, 2); /* the child's tables are orphans, which keep theirs */
	BOOKS();
}

static u32 raw_space;

static void raw_bind_astray(void)
{
	space_bind_raw(raw_space, VA + (1ul << 21), FAKE_FREE, PTE_P);
}

static void raw_table_astray(void)
{
	space_table_raw(raw_space, VA + (1ul << 30), 1, FAKE_FREE);
}

/* What the boot uses: no checks but that the tables are there. */
static void raw(void)
{
	u32 frame;

	start();
	raw_space = fake_space(root, VA, NULL);
	frame = fake_frame();
	space_bind_raw(raw_space, VA + 4096, frame, PTE_P | PTE_U);
	SAME(fake_entry(raw_space, VA + 4096), (u64)frame << 12 | PTE_P | PTE_U);
	SAME(frames[frame].refs, 1);
	BOOKS();
	CHECK(test_dies(raw_bind_astray));
	CHECK(test_dies(raw_table_astray));
}

/* PROTECT that only takes away needs no right on the frame; every bit of an entry that it would add does. */
static void narrowing(void)
{
	u32 space, leaf, other, all, weak;

	start();
	space = fake_space(root, VA, &leaf);
	all = dom_frame(ARIL_ALL);
	weak = fake_open("dom", ARIL_CALL, 10);
	SAME(OP(ARIL_BIND, VA, all, 1, WRITE | ARIL_BIND_SOFT(5), dom), 1);
	*space_entry(space, VA, 1) |= PTE_A | PTE_D;
	fake_flushes = fake_flushed = 0;
	SAME(OP(ARIL_PROTECT, VA, 0, 1, WRITE | ARIL_BIND_SOFT(1), weak),
	     1); /* one soft bit less */
	SAME(fake_entry(space, VA) & ~PTE_ADDR,
	     PTE_P | PTE_U | PTE_W | PTE_NX | PTE_A | PTE_D | 1ul << 52);
	SAME(fake_flushes, 0);
	SAME(OP(ARIL_PROTECT, VA, 0, 1, WRITE | ARIL_BIND_SOFT(2), weak), -ARIL_E_RIGHTS);
	SAME(OP(ARIL_PROTECT, VA, 0, 512, 0, weak), 1);
	SAME(fake_entry(space, VA) & ~PTE_ADDR, PTE_P | PTE_U | PTE_NX | PTE_A | PTE_D);
	SAME(fake_entry(space, VA + 4096), 0);
	SAME(fake_flushes, 1);
	SAME(fake_flushed, space);
	SAME(OP(ARIL_PROTECT, VA, 0, 1, WRITE, weak), -ARIL_E_RIGHTS);
	SAME(OP(ARIL_PROTECT, VA, 0, 1, EXEC, weak), -ARIL_E_RIGHTS);
	SAME(OP(ARIL_PROTECT, VA, 0, 1, ARIL_BIND_NOREAD, weak), -ARIL_E_RIGHTS);
	SAME(OP(ARIL_PROTECT, VA, 0, 1, ARIL_BIND_UNCACHED, weak), -ARIL_E_RIGHTS);
	/* an op of two tables goes the long way; there is no second one here, so nothing of it is bound */
	SAME(OP(ARIL_BIND, VA + 511 * 4096ul, all, 1, WRITE, dom), 1);
	SAME(OP(ARIL_PROTECT, VA + 511 * 4096ul, 0, 2, 0, weak), -ARIL_E_RIGHTS);
	SAME(OP(ARIL_PROTECT, VA + (1ul << 40), 0, 1, 0, weak), 1);
	/* unreadable memory becomes readable: that is more */
	SAME(OP(ARIL_BIND, VA, all, 1, ARIL_BIND_NOREAD, dom), 1);
	SAME(OP(ARIL_PROTECT, VA, 0, 1, 0, weak), -ARIL_E_RIGHTS);
	/* a table that is elsewhere too: everybody's translations */
	other = fake_space(root, VA + (1ul << 39), NULL);
	SAME(OP(ARIL_BIND, VA, all, 1, WRITE, dom), 1);
	SAME(call_space_unlink(root, other, VA + (1ul << 39), 1), 0);
	SAME(call_space_link(root, other, VA + (1ul << 39), 1, leaf), 0);
	fake_flushed = 0;
	SAME(OP(ARIL_PROTECT, VA, 0, 1, 0, weak), 1);
	SAME(fake_flushed, 0);
	BOOKS();
}

/* What was allowed once is not allowed for ever: the space's guard, the index, the space itself. */
static void permits(void)
{
	u32 space, frame, own;

	start();
	space = fake_space(root, VA, NULL);
	frame = dom_frame(ARIL_ALL);
	SAME(fake_set_guard(root, space, 0, fake_guard("dom", ARIL_ALL, 0)), 1);
	own = fake_open("dom", ARIL_ALL, 10);
	SAME(fake_op(own, space, ARIL_BIND, VA, frame, 1, 0, own), 1);
	SAME(fake_op(own, space, ARIL_UNBIND, VA, 0, 1, 0, own), 1);
	SAME(fake_op(own, space + 1, ARIL_UNBIND, VA, 0, 1, 0, own), -ARIL_E_RIGHTS);
	SAME(fake_op(own + 1, space, ARIL_UNBIND, VA, 0, 1, 0, own), -ARIL_E_CAP);
	/* another's index of that number is another's */
	struct env *caller = fake_cpu.env;
	u32 index = 0;
	fake_become(fake_env(1, 0));
	while (index < own)
		index = fake_open("else", ARIL_ALL, 10);
	SAME(index, own);
	SAME(fake_op(own, space, ARIL_UNBIND, VA, 0, 1, 0, own), -ARIL_E_RIGHTS);
	fake_become(caller);
	SAME(fake_op(own, space, ARIL_UNBIND, VA, 0, 1, 0, own), 1);
	SAME(fake_set_guard(root, space, 0, fake_guard("else", ARIL_ALL, 0)), 1);
	SAME(fake_op(own, space, ARIL_UNBIND, VA, 0, 1, 0, own), -ARIL_E_RIGHTS);
	SAME(fake_set_guard(root, space, 0, fake_guard("dom", ARIL_ALL, 0)), 1);
	SAME(fake_op(own, space, ARIL_UNBIND, VA, 0, 1, 0, own), 1);
	SAME(call_cap_close(own), 0);
	SAME(fake_op(own, space, ARIL_UNBIND, VA, 0, 1, 0, own), -ARIL_E_CAP);
	own = fake_open("dom", ARIL_ALL, 10);
	SAME(fake_op(own, space, ARIL_UNBIND, VA, 0, 1, 0, own), 1);
	SAME(call_frame_reset(root, space), 0);
	SAME(fake_op(own, space, ARIL_UNBIND, VA, 0, 1, 0, own), -ARIL_E_STATE);
	BOOKS();
}

static const struct test tests[] = {
	TEST(narrowing),  TEST(permits),	  TEST(create),	       TEST(tables),
	TEST(linking),	  TEST(update_arguments), TEST(update_rights), TEST(flags),
	TEST(guard_kept), TEST(batches),	  TEST(fork_pattern),  TEST(raw),
};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
