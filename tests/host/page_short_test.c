/* SPDX-License-Identifier: MIT
 * page_bind and page_unbind: the long way, and each comparison of the short one. After a warm-up everything is covered by the
 * permit; then one thing is otherwise, and what it comes to is what the long way says.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fake.h"
#include "account.h"
#include "lock.h"

#define VA 0x40000000ul
#define W ARIL_BIND_WRITE
#define LONG_NAME "dom4567890123456789012345678901."

static u32 root, space, leaf, own, dom, frame, other;

static s64 bind(u64 va, u32 f, u32 flags, u32 opener)
{
	return page_bind_short(own, space, va, f, flags, opener);
}

static s64 unbind(u64 va)
{
	return page_unbind_short(own, space, va);
}

/* Whether that went the short way: by the one unit of work that was given ahead. */
#define SHORT(call)                                   \
	({                                            \
		s32 spare_ = this_cpu()->ctx->spare;  \
		s64 error_ = (call);                  \
		SAME(error_, 0);                      \
		this_cpu()->ctx->spare == spare_ - 1; \
	})

static u32 guarded(const char *name, u32 rights, u64 generation)
{
	u32 f = fake_frame();

	SAME(fake_set_guard(root, f, 0, fake_guard(name, rights, generation)), 1);
	return f;
}

/* An env of its own in the space, which it may change; dom opens its frames. */
static void start(void)
{
	fake_reset();
	ncpus = 1;
	root = fake_open("", ARIL_ALL, ~0ul);
	space = fake_space(root, VA, &leaf);
	SAME(fake_set_guard(root, space, 0, fake_guard("own", ARIL_ALL, 0)), 1);
	frame = guarded(LONG_NAME, ARIL_ALL, 5);
	other = guarded(LONG_NAME, ARIL_ALL, 5);
	fake_cpu.env->space = space;
	own = fake_open("own", ARIL_ALL, 10);
	dom = fake_open(LONG_NAME, ARIL_ALL, 10);
}

static void warm(u32 flags)
{
	SAME(bind(VA, frame, flags, dom), 0);
	SAME(SHORT(unbind(VA)), 1);
	SAME(SHORT(bind(VA, frame, flags, dom)), 1);
	SAME(SHORT(unbind(VA)), 1);
	SAME(SHORT(bind(VA + 4096, other, flags, dom)), 1);
	SAME(SHORT(unbind(VA + 4096)), 1);
	BOOKS();
}

static void calls(void)
{
	start();
	fake_flushes = 0;
	SAME(call_page_bind(own, space, VA + 5, frame, W | ARIL_BIND_SOFT(3), dom), 0);
	SAME(fake_entry(space, VA) & ~PTE_ADDR, PTE_P | PTE_U | PTE_W | PTE_NX | 3ul << 52);
	SAME(fake_flushes, 0);
	SAME(call_page_bind(own, space, VA, other, ARIL_BIND_EXEC, dom), 0);
	SAME(fake_entry(space, VA), (u64)other << 12 | PTE_P | PTE_U);
	SAME(fake_flushes, 1);
	SAME(fake_flushed, space);
	SAME(call_page_unbind(own, space, VA + 4095), 0);
	SAME(fake_flushes, 2);
	SAME(call_page_unbind(own, space, VA), 0);
	SAME(fake_flushes, 2);
	SAME(frames[frame].refs + frames[other].refs, 0);
	SAME(call_page_bind(99, space, VA, frame, W, dom), -ARIL_E_CAP);
	SAME(call_page_bind(own, space, VA, frame, W, 99), -ARIL_E_CAP);
	SAME(call_page_bind(own, ~0u, VA, frame, W, dom), -ARIL_E_FRAME);
	SAME(call_page_bind(own, space, VA, frame, W, own), -ARIL_E_RIGHTS);
	SAME(call_page_bind(own, space, VA, frame, ARIL_BIND_LARGE, dom), -ARIL_E_RANGE);
	SAME(call_page_bind(own, space, VA, frame, 0x10000, dom), -ARIL_E_RANGE);
	SAME(call_page_bind(own, space, ARIL_USER_TOP, frame, W, dom), -ARIL_E_RANGE);
	SAME(call_page_bind(own, space, VA + (1ul << 30), frame, W, dom), -ARIL_E_TABLE);
	SAME(call_page_unbind(99, space, VA), -ARIL_E_CAP);
	SAME(call_page_unbind(own, space, ARIL_USER_TOP), -ARIL_E_RANGE);
	u32 *limit = accounts[this_cpu()->env->account].limit;
	limit[ARIL_QUOTA_FLUSHES] = 0;
	SAME(call_page_bind(own, space, VA, frame, W, dom), -ARIL_E_QUOTA);
	SAME(call_page_unbind(own, space, VA), -ARIL_E_QUOTA);
	BOOKS();
}

/* What both calls compare. */
static void who_and_where(void)
{
	start();
	warm(W);
	/* another index, closed; another that may not; another space */
	u32 weak = fake_open("own", ARIL_READ, 10);
	SAME(bind(VA, frame, W, dom), 0);
	SAME(page_unbind_short(weak, space, VA), -ARIL_E_RIGHTS);
	SAME(page_unbind_short(weak + 1, space, VA), -ARIL_E_CAP);
	SAME(page_unbind_short(own, frame, VA), -ARIL_E_RIGHTS);
	SAME(SHORT(unbind(VA)), 1);
	SAME(page_bind_short(weak, space, VA, frame, W, dom), -ARIL_E_RIGHTS);
	SAME(page_bind_short(own, frame, VA, frame, W, dom), -ARIL_E_RIGHTS);
	/* another place */
	SAME(bind(VA + (1ul << 21), frame, W, dom), -ARIL_E_TABLE);
	SAME(bind(VA + (1ul << 47), frame, W, dom), -ARIL_E_RANGE);
	SAME(SHORT(bind(VA, frame, W, dom)), 1);
	SAME(unbind(VA + (1ul << 47)), -ARIL_E_RANGE);
	SAME(frames[frame].refs, 1);
	/* the same index of another env in the space */
	struct env *caller = fake_cpu.env;
	u32 index = 0;
	fake_become(fake_env(1, space));
	while (index < dom)
		index = fake_open("else", ARIL_ALL, 10);
	this_cpu()->ctx->spare = 9;
	SAME(unbind(VA), -ARIL_E_RIGHTS);
	SAME(bind(VA + 4096, other, W, dom), -ARIL_E_RIGHTS);
	fake_become(caller);
	SAME(unbind(VA), 0);
	warm(W);
	/* the space's guard */
	SAME(fake_set_guard(root, space, 0, fake_guard("else", ARIL_ALL, 0)), 1);
	SAME(bind(VA, frame, W, dom), -ARIL_E_RIGHTS);
	SAME(unbind(VA), -ARIL_E_RIGHTS);
	BOOKS();
}

/* Work that was not given, and the lock in another's hands, who keeps it. */
static void work_and_lock(void)
{
	start();
	warm(W);
	u32 *limit = accounts[this_cpu()->env->account].limit;
	limit[ARIL_QUOTA_WORK] = 0;
	this_cpu()->ctx->spare = 1;
	SAME(bind(VA, frame, W, dom), 0);
	SAME(unbind(VA), -ARIL_E_QUOTA);
	SAME(bind(VA + 4096, other, W, dom), -ARIL_E_QUOTA);
	limit[ARIL_QUOTA_WORK] = ~0u;
	SAME(unbind(VA), 0);
	warm(W);
	object_lock.taken = 1;
	SAME(SHORT(bind(VA, frame, W, dom)), 0);
	SAME(object_lock.taken, 1);
	SAME(SHORT(unbind(VA)), 0);
	SAME(object_lock.taken, 1);
	object_lock.taken = 0;
	SAME(SHORT(bind(VA, frame, W, dom)), 1);
	SAME(object_lock.taken, 0);
	SAME(SHORT(unbind(VA)), 1);
	SAME(object_lock.taken, 0);
	SAME(bind(VA, frame, 0, dom), 0); /* a miss gives the lock back */
	SAME(object_lock.taken, 0);
	BOOKS();
}

/* Tables that come and go, and tables that are elsewhere too. */
static void ways(void)
{
	u64 there = VA + (1ul << 39);

	start();
	u32 second = fake_space(root, there, NULL);
	warm(W);
	SAME(call_space_unlink(root, second, there, 1), 0);
	SAME(call_space_link(root, second, there, 1, leaf), 0);
	SAME(SHORT(bind(VA, frame, W, dom)), 0);
	fake_flushes = 0;
	fake_flushed = 0;
	SAME(unbind(VA), 0);
	SAME(fake_flushes, 1);
	SAME(fake_flushed, 0); /* not one space's */
	SAME(SHORT(bind(VA, frame, W, dom)), 0);
	SAME(call_space_unlink(root, second, there, 1), 0);
	SAME(SHORT(unbind(VA)), 0);
	warm(W);
	SAME(call_space_unlink(root, space, VA, 1), 0);
	SAME(bind(VA, frame, W, dom), -ARIL_E_TABLE);
	SAME(SHORT(unbind(VA)), 0);
	SAME(call_space_link(root, space, VA, 1, leaf), 0);
	warm(W);
	SAME(unbind(VA + (1ul << 30)), 0); /* a way that is not there is not noted */
	SAME(bind(VA + (1ul << 30), frame, W, dom), -ARIL_E_TABLE);
	SAME(call_frame_reset(root, leaf), 0);
	SAME(bind(VA, frame, W, dom), -ARIL_E_TABLE);
	/* a space in which the caller is not */
	start();
	fake_cpu.env->space = 0;
	SAME(bind(VA, frame, W, dom), 0);
	SAME(SHORT(unbind(VA)), 0);
	BOOKS();
}

/* What a frame may be otherwise. */
static void states(void)
{
	start();
	warm(W);
	SAME(bind(VA, nframes, W, dom), -ARIL_E_FRAME);
	SAME(bind(VA, ~0u, W, dom), -ARIL_E_FRAME);
	SAME(bind(VA, frame, W, own), -ARIL_E_RIGHTS);
	u8 state = frames[other].state;
	frames[other].state = ARIL_FRAME_REGION;
	SAME(bind(VA, other, W, dom), -ARIL_E_STATE);
	frames[other].state = state;
	frames[other].level = 2;
	SAME(bind(VA, other, W, dom), -ARIL_E_STATE);
	frames[other].level = 0;
	frames[other].flags |= ARIL_FRAME_LOST;
	SAME(bind(VA, other, W, dom), -ARIL_E_STATE);
	frames[other].flags ^= ARIL_FRAME_LOST | ARIL_FRAME_BREAKING(0);
	SAME(bind(VA, other, W, dom), -ARIL_E_STATE);
	frames[other].flags ^= ARIL_FRAME_BREAKING(0);
	frames[other].flags &= ~ARIL_FRAME_USED;
	SAME(SHORT(bind(VA, other, W, dom)), 1);
	SAME(!!(frames[other].flags & ARIL_FRAME_USED), 1);
	/* where something is, and what is bound elsewhere too */
	fake_flushes = 0;
	SAME(bind(VA, frame, W, dom), 0);
	SAME(fake_flushes, 1);
	BOOKS();
	SAME(SHORT(bind(VA + 4096, frame, W, dom)), 1);
	BOOKS();
	SAME(SHORT(bind(VA + 8192, frame, W, dom)), 1);
	BOOKS();
	SAME(SHORT(unbind(VA)), 1);
	BOOKS();
	SAME(SHORT(unbind(VA + 8192)), 1);
	BOOKS();
	SAME(SHORT(unbind(VA + 4096)), 1);
	SAME(SHORT(unbind(VA + 4096)), 0);
	BOOKS();
	/* device memory, beyond the frames and in a hole */
	fake_grant_env = fake_cpu.env->id;
	SAME(bind(VA, FAKE_DEVICE, W, dom), 0);
	SAME(SHORT(unbind(VA)), 0);
	SAME(fake_entry(space, VA), 0);
	BOOKS();
}

/* Each word of a guard decides. */
static void guards(void)
{
	static const char *const name[] = {
		"xom4567890123456789012345678901.", "dom45678x0123456789012345678901.",
		"dom4567890123456x89012345678901.", "dom456789012345678901234x678901."};

	start();
	warm(W);
	for (u32 i = 0; i < 4; i++)
		SAME(bind(VA, guarded(name[i], ARIL_ALL, 5), W, dom), -ARIL_E_RIGHTS);
	SAME(bind(VA, guarded(LONG_NAME, ARIL_ALL, 11), W, dom), -ARIL_E_RIGHTS);
	SAME(bind(VA, guarded(LONG_NAME, ARIL_ALL & ~ARIL_WRITE, 5), W, dom), -ARIL_E_RIGHTS);
	u32 readable = guarded(LONG_NAME, ARIL_ALL & ~ARIL_WRITE, 5);
	warm(0);
	SAME(bind(VA, readable, 0, dom), 0);
	SAME(SHORT(unbind(VA)), 1);
	SAME(SHORT(bind(VA, readable, 0, dom)), 1);
	SAME(unbind(VA), 0);
	SAME(bind(VA, readable, W, dom), -ARIL_E_RIGHTS);
	/* under the second guard: last in the list, and never by the permit */
	u32 second = guarded("else", ARIL_ALL, 0);
	SAME(fake_set_guard(root, second, 1, fake_guard(LONG_NAME, ARIL_ALL, 5)), 1);
	SAME(SHORT(bind(VA, second, 0, dom)), 0);
	SAME(fake_entry(space, VA) & PTE_GUARD1, PTE_GUARD1);
	SAME(SHORT(unbind(VA)), 1);
	SAME(SHORT(bind(VA, second, 0, dom)), 0);
	SAME(unbind(VA), 0);
	/* nobody's guard: the root's, and no other's, whatever was noted last */
	u32 bare = fake_frame();
	SAME(bind(VA, bare, 0, root), 0);
	SAME(unbind(VA), 0);
	SAME(bind(VA, bare, 0, dom), -ARIL_E_RIGHTS);
	frames[bare].account = 0;
	SAME(bind(VA, bare, 0, root), -ARIL_E_RIGHTS);
	frames[bare].account = frames[frame].account;
	BOOKS();
}

/* With other CPUs to tell, unbinding tells them. */
static void several(void)
{
	start();
	warm(W);
	SAME(bind(VA, frame, W, dom), 0);
	fake_flushed_page = 0;
	SAME(SHORT(unbind(VA + 7)), 1);
	SAME(fake_flushed_page >> 12, VA >> 12);
	ncpus = 2;
	SAME(SHORT(bind(VA, frame, W, dom)), 1);
	fake_flushes = 0;
	SAME(SHORT(unbind(VA)), 0);
	SAME(fake_flushes, 1);
	BOOKS();
}

static const struct test tests[] = {
	TEST(calls),  TEST(who_and_where), TEST(work_and_lock), TEST(ways),
	TEST(states), TEST(guards),	   TEST(several),
};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
