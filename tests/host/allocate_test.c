/* SPDX-License-Identifier: MIT
 * Allocation by number, giving back, charging and keeping, frames of 2 MiB.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/allocate.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fake.h"

#include "account.h"
#include "large.h"

#define VA 0x40000000ul
#define LARGE_VA 0x80000000ul
#define FIRST 512 /* of the frames that can be one of 2 MiB; 1024 is the next */

static u32 root, dom, account, slot;

static void start(void)
{
	struct aril_account_desc desc = {.guard = fake_guard("dom", ARIL_ALL, 0), .reserve = 2};

	fake_reset();
	root = fake_open("", ARIL_ALL, ~0ul);
	dom = fake_open("dom", ARIL_ALL, 10);
	for (u32 q = 0; q < ARIL_QUOTAS; q++)
		desc.limit[q] = 1;
	desc.limit[ARIL_QUOTA_FRAMES] = 1100;
	desc.limit[ARIL_QUOTA_WORK] = desc.limit[ARIL_QUOTA_FLUSHES] = ~0u;
	account = call_account_create(root, ARIL_ACCOUNT_ROOT, &desc);
	slot = account & 0xffff;
}

static s64 alloc(u32 auth, u32 first, u32 count)
{
	struct aril_guard guard = fake_guard("dom", ARIL_ALL, 0);

	return call_frame_alloc(auth, account, first, count, &guard);
}

static s64 frame_op(u32 auth, u32 kind, u32 first, u32 count, u64 tag)
{
	struct aril_frame_op op = {first, count, kind, 0, 0, tag, {.rights = 0}};

	return call_frame_update(auth, &op, 1);
}

static u32 used(void)
{
	return accounts[slot].used[ARIL_QUOTA_FRAMES];
}

static void allocating(void)
{
	struct aril_guard guard = fake_guard("dom", ARIL_ALL, 0), bad;
	u32 f = 200;

	start();
	SAME(alloc(dom ^ 16, f, 1), -ARIL_E_CAP);
	SAME(call_frame_alloc(dom, account + 0x10000, f, 1, &guard), -ARIL_E_RANGE);
	SAME(call_frame_alloc(dom, ARIL_ACCOUNT_ROOT, f, 1, &guard), -ARIL_E_RIGHTS);
	SAME(alloc(dom, f, 0), -ARIL_E_RANGE);
	SAME(alloc(dom, 1, ARIL_BATCH_PAGES + 1), -ARIL_E_RANGE);
	SAME(alloc(dom, nframes - 1, 2), -ARIL_E_FRAME);
	SAME(alloc(dom, ~0u, 1), -ARIL_E_FRAME);
	SAME(call_frame_alloc(dom, account, f, 1, BAD_ADDRESS), -ARIL_E_ADDR);
	bad = guard;
	bad.zero[0] = 1;
	SAME(call_frame_alloc(dom, account, f, 1, &bad), -ARIL_E_RANGE);
	bad = fake_guard("dom", ARIL_READ, 0);
	SAME(call_frame_alloc(dom, account, f, 1, &bad), -ARIL_E_RANGE);
	bad = fake_guard("other", ARIL_ALL, 0);
	SAME(call_frame_alloc(dom, account, f, 1, &bad), -ARIL_E_RIGHTS);
	bad = fake_guard("dom", ARIL_ALL, 11);
	SAME(call_frame_alloc(dom, account, f, 1, &bad), -ARIL_E_RIGHTS);
	SAME(alloc(dom, FAKE_KERNEL, 1), -ARIL_E_STATE);
	SAME(alloc(dom, FAKE_ABSENT, 1), -ARIL_E_STATE);
	SAME(used(), 0);
	SAME(alloc(dom, f, 3), 3);
	SAME(used(), 3);
	SAME(frames[f].guard[0].rights, ARIL_ALL);
	SAME(frames[f].account, slot);
	SAME(((u8 *)frame_memory(f))[9], 0xaa); /* nobody's before: not cleared */
	SAME(alloc(root, f, 1), -ARIL_E_STATE); /* not even by who dominates */
	SAME(alloc(dom, f + 2, 2), -ARIL_E_STATE);
	SAME(alloc(dom, f - 1, 3), 1);
	/* one that the kernel still has is not free */
	frame_pin(f + 6);
	SAME(alloc(dom, f + 4, 4), 2);
	SAME(alloc(dom, f + 6, 1), -ARIL_E_STATE);
	/* the limit, and the slice's work */
	accounts[slot].limit[ARIL_QUOTA_FRAMES] = used() + 2;
	SAME(alloc(dom, FIRST, 10), 2);
	SAME(alloc(dom, FIRST + 2, 1), -ARIL_E_QUOTA);
	accounts[slot].limit[ARIL_QUOTA_FRAMES] = 1000;
	fake_cpu.env->account = slot;
	accounts[slot].limit[ARIL_QUOTA_WORK] = 0;
	SAME(alloc(dom, FIRST + 2, 1), -ARIL_E_QUOTA);
}

/* Nobody has rights to a free frame: root too takes it first, and is charged. */
static void free_frames(void)
{
	struct aril_guard guard = fake_guard("", ARIL_ALL, 0);
	u32 f = 200, leaf;

	start();
	u32 space = fake_space(root, VA, &leaf);
	SAME(fake_op(root, space, ARIL_BIND, VA, f, 1, 0, root), -ARIL_E_RIGHTS);
	SAME(fake_set_guard(root, f, 0, guard), -ARIL_E_RIGHTS);
	SAME(frame_op(root, ARIL_FRAME_TAG, f, 1, 7), -ARIL_E_RIGHTS);
	SAME(frame_op(root, ARIL_FRAME_CHARGE, f, 1, account), -ARIL_E_RIGHTS);
	SAME(call_space_create(root, f, f + 1), -ARIL_E_RIGHTS);
	SAME(call_frame_reset(root, f), -ARIL_E_RIGHTS);
	SAME(call_frame_free(root, f, 1), -ARIL_E_RIGHTS);
	SAME(frames[f].refs | frames[f].pins | frames[f].guard[0].rights | frames[f].tag, 0);
	SAME(call_frame_alloc(root, ARIL_ACCOUNT_ROOT, f, 1, &guard), 1);
	SAME(fake_op(root, space, ARIL_BIND, VA, f, 1, 0, root), 1);
	BOOKS();
	SAME(call_frame_free(root, f, 1), 1);
	SAME(call_frame_free(root, f, 1), -ARIL_E_RIGHTS);
	SAME(fake_op(root, space, ARIL_BIND, VA, f, 1, 0, root), -ARIL_E_RIGHTS);
}

static void freeing(void)
{
	u32 f, leaf, space;

	start();
	f = FIRST;
	SAME(alloc(dom, f, 16), 16);
	space = fake_space(root, VA, &leaf);
	SAME(fake_op(root, space, ARIL_BIND, VA, f, 3, ARIL_BIND_WRITE, dom), 1);
	SAME(call_frame_free(dom ^ 16, f, 1), -ARIL_E_CAP);
	SAME(call_frame_free(dom, f, 0), -ARIL_E_RANGE);
	SAME(call_frame_free(dom, f, ARIL_BATCH_PAGES + 1), -ARIL_E_RANGE);
	SAME(call_frame_free(dom, nframes - 1, 2), -ARIL_E_FRAME);
	SAME(call_frame_free(fake_open("other", ARIL_ALL, 10), f, 1), -ARIL_E_RIGHTS);
	SAME(call_frame_free(root, FAKE_KERNEL, 1), -ARIL_E_STATE);
	u32 flushes = fake_flushes;
	frames[f].tag = 7;
	SAME(frame_op(dom, ARIL_FRAME_MARK_KEEP, f, 1, 1), 1);
	SAME(call_frame_free(dom, f, 3), 3);
	SAME(fake_flushes, flushes + 1);
	SAME(fake_entry(space, VA), 0);
	SAME(frames[f].guard[0].rights, 0);
	SAME(frames[f].account, 0);
	SAME(frames[f].tag, 0);
	SAME(accounts[slot].kept, 0);
	SAME(used(), 13);
	SAME(call_frame_free(dom, f, 1), -ARIL_E_RIGHTS); /* nobody's now */
	SAME(alloc(dom, f, 1), 1);
	SAME(((u8 *)frame_memory(f))[9], 0); /* bound before: cleared */
	/* a stop in the middle; a table goes with what is below it, its shadow is a frame again */
	SAME(call_frame_free(dom, f - 1, 2), -ARIL_E_RIGHTS);
	SAME(call_frame_free(dom, f + 14, 4), 2);
	SAME(call_space_create(dom, f + 4, f + 5), 0);
	SAME(call_frame_free(dom, f + 5, 1), 1);
	SAME(frames[f + 4].state, ARIL_FRAME_NORMAL);
	SAME(frames[f + 4].account, slot);
	SAME(frames[f + 5].account, 0);
	/* an env's */
	struct env *env = fake_env(1, 0);
	account_move_frame(env->frame, slot);
	u32 frame = env->frame;
	SAME(call_frame_free(root, frame, 1), 1);
	SAME(frames[frame].account, 0);
	SAME(frames[frame].state, ARIL_FRAME_NORMAL);
	BOOKS();
}

static void quarantine(void)
{
	u32 f;

	start();
	f = FIRST;
	SAME(alloc(dom, f, 1), 1);
	frame_pin(f); /* a device's */
	frame_pin(f);
	SAME(call_frame_free(dom, f, 1), 1);
	SAME(frames[f].flags & ARIL_FRAME_FREED, ARIL_FRAME_FREED);
	SAME(frames[f].account, slot); /* paid for until the device is through */
	SAME(alloc(dom, f, 1), -ARIL_E_STATE);
	SAME(fake_set_guard(root, f, 0, fake_guard("dom", ARIL_ALL, 0)), -ARIL_E_STATE);
	SAME(frame_op(root, ARIL_FRAME_TAG, f, 1, 3), -ARIL_E_STATE);
	frame_unpin(f);
	SAME(used(), 1);
	frame_unpin(f);
	SAME(used(), 0);
	SAME(frames[f].flags & FRAME_GOING, 0);
	SAME(alloc(dom, f, 1), 1);
	SAME(((u8 *)frame_memory(f))[9], 0);
}

/* Frames full of what takes long to undo: a call does a part, and says so. */
static void bounded(void)
{
	u32 space, leaf;
	s64 done;

	start();
	SAME(alloc(dom, FIRST, 200), 200);
	for (u32 i = 0; i < 100; i++)
		frame_pin(FIRST + i); /* whose context page is it? */
	done = call_frame_free(dom, FIRST, 200);
	CHECK(done > 10 && done < 100);
	while (done < 200) {
		s64 more = call_frame_free(dom, FIRST + done, 200 - done);

		CHECK(more > 0);
		if (more <= 0)
			return;
		done += more;
	}
	start();
	space = fake_space(root, VA, &leaf);
	SAME(alloc(dom, FIRST, 2), 2);
	for (u32 i = 0; i < 5; i++) {
		u32 table = fake_frame();
		u64 va = VA + 0x200000 * (i + 1);

		SAME(call_space_table(root, space, va, 1, table, fake_frame()), 0);
		for (u32 page = 0; page < 512; page++)
			SAME(fake_op(root, space, ARIL_BIND, va + page * 4096, FIRST, 1, 0, dom),
			     1);
	}
	SAME(call_frame_free(dom, FIRST, 1), -ARIL_E_AGAIN);
	SAME(frames[FIRST].refs, 5 * 512 - ARIL_BATCH_PAGES);
	SAME(call_frame_free(dom, FIRST, 2), 2);
	BOOKS();
}

static void charging(void)
{
	start();
	SAME(alloc(dom, FIRST, 4), 4);
	SAME(frame_op(dom, ARIL_FRAME_CHARGE, FIRST, 1, ARIL_ACCOUNT_ROOT), -ARIL_E_RIGHTS);
	SAME(frame_op(root, ARIL_FRAME_CHARGE, FIRST, 1, ARIL_ACCOUNT_ROOT | 1ul << 32),
	     -ARIL_E_RANGE);
	SAME(frame_op(root, ARIL_FRAME_CHARGE, FIRST, 1, account + 0x10000), -ARIL_E_RANGE);
	SAME(frame_op(root, ARIL_FRAME_CHARGE, FAKE_KERNEL, 1, account), -ARIL_E_STATE);
	SAME(frame_op(root, ARIL_FRAME_CHARGE, FAKE_ABSENT, 1, account), -ARIL_E_STATE);
	SAME(frame_op(dom, ARIL_FRAME_CHARGE, FIRST + 4, 1, account), -ARIL_E_RIGHTS);
	SAME(frame_op(root, ARIL_FRAME_CHARGE, FIRST, 2, ARIL_ACCOUNT_ROOT), 1);
	SAME(used(), 2);
	SAME(accounts[1].used[ARIL_QUOTA_FRAMES], 3); /* and the caller's own frame */
	accounts[slot].limit[ARIL_QUOTA_FRAMES] = 3;
	SAME(frame_op(root, ARIL_FRAME_CHARGE, FIRST, 4, account), -ARIL_E_QUOTA);
	SAME(frame_op(root, ARIL_FRAME_CHARGE, FIRST + 1, 3, account),
	     1); /* two are there already */
	SAME(used(), 3);
	/* keeping: within the reserve of 2 */
	SAME(frame_op(dom, ARIL_FRAME_MARK_KEEP, FIRST + 1, 1, 2), -ARIL_E_RANGE);
	SAME(frame_op(root, ARIL_FRAME_MARK_KEEP, FIRST, 2, 1), -ARIL_E_RANGE); /* two accounts' */
	SAME(frame_op(root, ARIL_FRAME_MARK_KEEP, FAKE_KERNEL, 1, 1), -ARIL_E_RANGE); /* nobody's */
	SAME(frame_op(dom, ARIL_FRAME_MARK_KEEP, FIRST + 1, 3, 1), -ARIL_E_QUOTA);
	SAME(frame_op(dom, ARIL_FRAME_MARK_KEEP, FIRST + 1, 2, 1), 1);
	SAME(frame_op(dom, ARIL_FRAME_MARK_KEEP, FIRST + 1, 2, 1), 1);
	SAME(accounts[slot].kept, 2);
	SAME(frame_op(dom, ARIL_FRAME_MARK_KEEP, FIRST + 3, 1, 1), -ARIL_E_QUOTA);
	SAME(frame_op(dom, ARIL_FRAME_MARK_KEEP, FIRST + 1, 3, 0), 1);
	SAME(accounts[slot].kept, 0);
}

static s64 join(u32 first)
{
	return frame_op(dom, ARIL_FRAME_JOIN, first, LARGE_FRAMES, 0);
}

static s64 split(u32 first)
{
	return frame_op(dom, ARIL_FRAME_SPLIT, first, LARGE_FRAMES, 0);
}

static void joining(void)
{
	u32 space, leaf;

	start();
	space = fake_space(root, VA, &leaf);
	SAME(alloc(dom, FIRST, 512), 512);
	SAME(frame_op(dom, ARIL_FRAME_JOIN, FIRST + 1, 511, 0), -ARIL_E_RANGE);
	SAME(frame_op(dom, ARIL_FRAME_JOIN, FIRST, 511, 0), -ARIL_E_RANGE);
	fake_own(FIRST - 1, 1);
	SAME(frame_op(root, ARIL_FRAME_JOIN, FIRST - 1, 512, 0), -ARIL_E_RANGE);
	SAME(frame_op(dom, ARIL_FRAME_SPLIT + 1, FIRST, 512, 0), -ARIL_E_RANGE);
	SAME(alloc(dom, FIRST + 512, 1), 1);
	SAME(join(FIRST + 1), -ARIL_E_RANGE);
	SAME(frame_op(root, ARIL_FRAME_CHARGE, FIRST + 512, 1, ARIL_ACCOUNT_ROOT), 1);
	SAME(fake_set_guard(root, FIRST + 512, 0, fake_guard("", 0, 0)), 1);
	SAME(split(FIRST), -ARIL_E_STATE);
	frames[FIRST].state = ARIL_FRAME_TABLE, frames[FIRST].level = 2; /* a table of tables */
	SAME(split(FIRST), -ARIL_E_STATE);
	frames[FIRST].state = ARIL_FRAME_NORMAL, frames[FIRST].level = 0;
	frame_pin(FIRST + 511);
	SAME(join(FIRST), -ARIL_E_STATE);
	frame_unpin(FIRST + 511);
	SAME(fake_op(root, space, ARIL_BIND, VA, FIRST + 3, 1, 0, dom), 1);
	SAME(join(FIRST), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_UNBIND, VA, 0, 1, 0, dom), 1);
	frames[FIRST + 9].flags |= ARIL_FRAME_LOST;
	SAME(join(FIRST), -ARIL_E_STATE);
	frames[FIRST + 9].flags &= ~ARIL_FRAME_LOST;
	account_move_frame(FIRST + 5, 1);
	SAME(join(FIRST), -ARIL_E_RANGE);
	account_move_frame(FIRST + 5, slot);
	SAME(fake_set_guard(dom, FIRST + 6, 1, fake_guard("domx", ARIL_READ, 0)), 1);
	SAME(join(FIRST), -ARIL_E_RANGE);
	SAME(fake_set_guard(dom, FIRST + 6, 1, fake_guard("", 0, 0)), 1);
	SAME(join(FIRST), 1);
	SAME(join(FIRST), -ARIL_E_STATE);
	SAME(frames[FIRST].level, 2);
	SAME(frames[FIRST + 511].state, ARIL_FRAME_PART);
	SAME(frames[FIRST + 511].partner, FIRST);
	/* what a part answers to is the first's guards; it can be nothing else meanwhile */
	SAME(fake_set_guard(dom, FIRST + 1, 1, fake_guard("domx", ARIL_READ, 0)), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, VA, FIRST, 1, 0, dom), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, VA, FIRST + 1, 1, 0, dom), -ARIL_E_STATE);
	SAME(call_space_create(dom, FIRST, FIRST + 1), -ARIL_E_STATE);
	SAME(frame_idle(FIRST), -ARIL_E_STATE);
	SAME(call_space_create(dom, FIRST + 1, FIRST + 2), -ARIL_E_STATE);
	SAME(frame_op(dom, ARIL_FRAME_TAG, FIRST + 1, 1, 3), -ARIL_E_STATE);
	SAME(frame_op(dom, ARIL_FRAME_TAG, FIRST, 1, 3), 1);
	SAME(frame_check(FIRST + 8, &auth_root, ARIL_READ), 0);
	SAME(call_frame_reset(fake_open("domx", ARIL_ALL, 10), FIRST + 8), -ARIL_E_RIGHTS);
	SAME(frame_has_words(FIRST + 8), 1);
	frames[FIRST].flags |= ARIL_FRAME_LOST;
	SAME(frame_has_words(FIRST + 8), 0);
	frames[FIRST].flags &= ~ARIL_FRAME_LOST;
	SAME(fake_set_guard(dom, FIRST, 1, fake_guard("domx", ARIL_READ, 0)), 1);
	SAME(split(FIRST), 1);
	SAME(frames[FIRST + 511].state, ARIL_FRAME_NORMAL);
	SAME(frames[FIRST + 511].guard[1].rights, ARIL_READ);
	SAME(frames[FIRST].level, 0);
	SAME(used(), 512);
	SAME(call_space_create(dom, FIRST + 4, FIRST + 5), 0);
	SAME(split(FIRST + 512), -ARIL_E_RIGHTS);
	SAME(frame_op(dom, ARIL_FRAME_SPLIT, FIRST, 1, 0), -ARIL_E_RANGE);
}

static s64 large(u32 space, u32 kind, u64 va, u32 frame, u32 count, u32 flags)
{
	return fake_op(root, space, kind, va, frame, count, flags | ARIL_BIND_LARGE, dom);
}

static u64 large_entry(u32 space, u64 va)
{
	return *space_entry(space, va, 2);
}

static void binding(void)
{
	u32 space, leaf, other;

	start();
	space = fake_space(root, VA, &leaf);
	other = fake_space(root, VA, NULL);
	SAME(alloc(dom, FIRST, 1024), 1024);
	SAME(large(space, ARIL_BIND, VA + 0x200000, FIRST, 1, 0), -ARIL_E_STATE);
	SAME(join(FIRST), 1);
	SAME(join(FIRST + 512), 1);
	SAME(large(space, ARIL_BIND, VA + 0x201000, FIRST, 1, 0), -ARIL_E_RANGE);
	SAME(large(space, ARIL_BIND, VA + 0x200000, FIRST, ARIL_OP_LARGE + 1, 0), -ARIL_E_RANGE);
	SAME(large(space, ARIL_BIND, 0x00007fffffe00000, FIRST, 1, 0), -ARIL_E_RANGE);
	SAME(large(space, ARIL_BIND, VA + 0x200000, FIRST + 1, 1, 0), -ARIL_E_STATE);
	SAME(large(space, ARIL_BIND, VA + 0x200000, FAKE_DEVICE, 1, 0), -ARIL_E_FRAME);
	fake_grant_env = fake_cpu.env->id;
	SAME(large(space, ARIL_BIND, VA + 0x200000, FAKE_DEVICE, 1, 0), -ARIL_E_FRAME);
	SAME(large(space, ARIL_BIND, VA + 0x200000, FIRST, 1, ARIL_BIND_UNCACHED), -ARIL_E_RANGE);
	SAME(large(space, ARIL_BIND, VA, FIRST, 1, 0), -ARIL_E_TABLE); /* a table is there */
	SAME(large(space, ARIL_PROTECT, VA, 0, 1, 0), 1);	       /* which is no binding */
	SAME(large(space, ARIL_UNBIND, VA, 0, 1, 0), 1);
	CHECK(large_entry(space, VA) & PTE_P);
	SAME(large(space, ARIL_BIND, VA + (1ul << 39), FIRST, 1, 0), -ARIL_E_TABLE);
	SAME(large(space, ARIL_BIND, VA + 0x200000, FIRST, 2, ARIL_BIND_WRITE), 1);
	SAME(large_entry(space, VA + 0x200000),
	     (u64)FIRST << 12 | PTE_P | PTE_U | PTE_W | PTE_PS | PTE_NX);
	SAME(frames[FIRST + 512].refs, 1);
	BOOKS();
	/* the place is taken: no table goes there, no page, and walks end there */
	u32 table = fake_frame(), shadow = fake_frame();
	SAME(call_space_table(root, space, VA + 0x200000, 1, table, shadow), -ARIL_E_TABLE);
	SAME(call_space_link(root, space, VA + 0x200000, 1, leaf), -ARIL_E_TABLE);
	SAME(call_space_unlink(root, space, VA + 0x200000, 1), -ARIL_E_TABLE);
	SAME(fake_op(root, space, ARIL_BIND, VA + 0x200000, table, 1, 0, root), -ARIL_E_TABLE);
	SAME(fake_op(root, space, ARIL_UNBIND, VA + 0x200000, 0, 512, 0, root), 1);
	CHECK(large_entry(space, VA + 0x200000) & PTE_P);
	u32 flushes = fake_flushes;
	SAME(large(space, ARIL_PROTECT, VA + 0x200000, 0, 1, 0), 1);
	SAME(fake_flushes, flushes + 1);
	SAME(large_entry(space, VA + 0x200000), (u64)FIRST << 12 | PTE_P | PTE_U | PTE_PS | PTE_NX);
	/* unbound, replaced, broken with its guard, with its table, by a split */
	SAME(large(space, ARIL_UNBIND, VA + 0x200000, 0, 1, 0), 1);
	SAME(large_entry(space, VA + 0x200000), 0);
	SAME(large(space, ARIL_BIND, VA + 0x400000, FIRST, 1, 0), 1);
	SAME(frames[FIRST + 512].refs, 0);
	SAME(large(other, ARIL_BIND, VA + 0x400000, FIRST, 1, 0), 1);
	BOOKS();
	flushes = fake_flushes;
	SAME(fake_set_guard(dom, FIRST, 0, fake_guard("domx", ARIL_ALL, 0)), 1);
	SAME(fake_flushes, flushes + 1);
	SAME(frames[FIRST].refs, 0);
	SAME(large_entry(space, VA + 0x400000), 0);
	SAME(large(space, ARIL_BIND, VA + 0x400000, FIRST, 1, ARIL_BIND_WRITE), 1);
	flushes = fake_flushes;
	SAME(split(FIRST), 1);
	SAME(fake_flushes, flushes + 1);
	SAME(large_entry(space, VA + 0x400000), 0);
	CHECK(frames[FIRST + 300].flags & ARIL_FRAME_USED); /* it was written to */
	SAME(large(space, ARIL_BIND, VA + 0x600000, FIRST + 512, 1, 0), 1);
	while (call_frame_reset(root, space) == -ARIL_E_AGAIN)
		;
	BOOKS();
	u32 part = FIRST + 512 + 77;
	SAME(large(other, ARIL_BIND, VA + 0x600000, FIRST + 512, 1, 0), 1);
	SAME(call_frame_reset(dom, part), 0); /* a part's reset is the whole's */
	SAME(frames[part].state, ARIL_FRAME_NORMAL);
	SAME(frames[FIRST + 512].refs, 0);
	SAME(join(FIRST + 512), 1);
	SAME(call_frame_free(dom, FIRST + 512, 512), 512);
	SAME(used(), 512);
	SAME(frames[part].state, ARIL_FRAME_NORMAL);
	SAME(frames[part].account, 0);
	BOOKS();
}

/* Breaking the many bindings of a large frame takes several calls. */
static void splitting_bounded(void)
{
	u32 space;
	s64 result;

	start();
	SAME(alloc(dom, FIRST, 512), 512);
	SAME(join(FIRST), 1);
	u32 n = 0;
	for (u32 i = 0; i < 5; i++) {
		space = fake_space(root, VA, NULL);
		for (u64 va = VA + 0x200000; va < VA + 0x40000000; va += 0x200000, n++)
			SAME(large(space, ARIL_BIND, va, FIRST, 1, 0), 1);
	}
	SAME(split(FIRST), -ARIL_E_AGAIN);
	SAME(frames[FIRST].refs, n - ARIL_BATCH_PAGES);
	SAME(call_frame_reset(dom, FIRST), 0);
	SAME(frames[FIRST].level, 0);
	SAME(frames[FIRST].refs, 0);
	SAME(join(FIRST), 1);
	for (u64 va = VA + 0x200000, i = 0; va < VA + 0x40000000; va += 0x200000, i++)
		SAME(large(space, ARIL_BIND, va, FIRST, 1, 0), 1);
	do
		result = call_frame_free(dom, FIRST, 512);
	while (result == -ARIL_E_AGAIN);
	SAME(result, 512);
	BOOKS();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(allocating), TEST(free_frames), TEST(freeing),
		TEST(quarantine), TEST(bounded),     TEST(charging),
		TEST(joining),	  TEST(binding),     TEST(splitting_bounded),
	};

	return test_main(tests, array_count(tests));
}
