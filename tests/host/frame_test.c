/* SPDX-License-Identifier: MIT
 * Frames: guards and tags, breaking within any budget, reset of every kind of frame, pins.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "space_dom.h"

static struct aril_frame_op guard_op(u32 first, u32 count, u32 slot, const char *name, u32 rights,
				     u64 generation)
{
	struct aril_frame_op op = {
		first, count, ARIL_FRAME_GUARD, slot, 0, 0, fake_guard(name, rights, generation)};

	return op;
}

static s64 update(u32 auth, struct aril_frame_op op)
{
	return call_frame_update(auth, &op, 1);
}

static void update_arguments(void)
{
	struct aril_frame_op good, op, many[65];
	u32 frame;

	start();
	frame = fake_frame();
	good = guard_op(frame, 1, 0, "dom", ARIL_ALL, 0);
	SAME(call_frame_update(root, &good, 0), -ARIL_E_RANGE);
	for (u32 i = 0; i < 65; i++)
		many[i] = good;
	SAME(call_frame_update(root, many, 65), -ARIL_E_RANGE);
	SAME(call_frame_update(root, many, 64), 64);
	SAME(call_frame_update(root ^ 16, &good, 1), -ARIL_E_CAP);
	SAME(call_frame_update(root, BAD_ADDRESS, 1), -ARIL_E_ADDR);
#define REFUSED(field, value, why)              \
	do {                                    \
		op = good;                      \
		op.field = value;               \
		SAME(update(root, op), -(why)); \
	} while (0)
	REFUSED(kind, 0, ARIL_E_RANGE);
	REFUSED(kind, 3, ARIL_E_RANGE);
	REFUSED(slot, 2, ARIL_E_RANGE);
	REFUSED(zero, 1, ARIL_E_RANGE);
	REFUSED(count, 0, ARIL_E_RANGE);
	REFUSED(count, 513, ARIL_E_RANGE);
	REFUSED(first, nframes, ARIL_E_FRAME);
	REFUSED(first, ~0u, ARIL_E_FRAME);
	REFUSED(guard.len, 33, ARIL_E_RANGE);
	REFUSED(guard.zero[2], 1, ARIL_E_RANGE);
	REFUSED(guard.rights, 64, ARIL_E_RANGE);
	op = guard_op(nframes - 2, 3, 0, "dom", ARIL_ALL, 0);
	SAME(update(root, op), -ARIL_E_FRAME);
	for (u32 i = 0; i < 6; i++) {
		many[i].first = fake_frame();
		many[i].count = 500;
		fake_own(many[i].first, 500);
	}
	SAME(call_frame_update(root, many, 6), 4); /* 2048 frames a call */
	many[0] = many[1] = good;
	many[1].zero = 1; /* the second is refused: the first is done */
	SAME(call_frame_update(root, many, 2), 1);
	SAME(call_frame_update(root, many + 1, 1), -ARIL_E_RANGE);
	BOOKS();
}

static void update_rights(void)
{
	u32 frame, weak;

	start();
	frame = fake_frame();
	weak = fake_open("dom", ARIL_ALL & ~ARIL_OWN, 10);
	SAME(update(dom, guard_op(frame, 1, 0, "dom", ARIL_ALL, 0)), -ARIL_E_RIGHTS); /* root's */
	SAME(update(root, guard_op(frame, 1, 0, "dom", ARIL_ALL, 0)), 1);
	SAME(update(weak, guard_op(frame, 1, 1, "dom/x", ARIL_READ, 0)), -ARIL_E_RIGHTS);
	SAME(update(dom, guard_op(frame, 1, 1, "do", ARIL_READ, 0)), -ARIL_E_RIGHTS); /* upwards */
	SAME(update(dom, guard_op(frame, 1, 1, "other", ARIL_READ, 0)), -ARIL_E_RIGHTS);
	SAME(update(dom, guard_op(frame, 1, 1, "dom/x", ARIL_READ, 11)),
	     -ARIL_E_RIGHTS); /* newer */
	SAME(update(dom, guard_op(frame, 1, 1, "dom/x", ARIL_READ, 10)), 1);
	/* a frame in use has an owner */
	SAME(update(dom, guard_op(frame, 1, 0, "dom", ARIL_READ, 0)), -ARIL_E_RANGE);
	SAME(update(dom, guard_op(frame, 1, 0, "", 0, 0)), -ARIL_E_RANGE);
	SAME(update(dom, guard_op(frame, 1, 1, "dom/x", ARIL_OWN, 10)), 1);
	SAME(update(dom, guard_op(frame, 1, 0, "", 0, 0)), 1);
	SAME(update(dom, guard_op(frame, 1, 1, "", 0, 0)),
	     -ARIL_E_RIGHTS); /* to root: not dom's to say */
	SAME(update(root, guard_op(frame, 1, 1, "", 0, 0)), 1);
	SAME(frame_guard_for(frame, auth_get(fake_cpu.env, dom), ARIL_READ), -ARIL_E_RIGHTS);
	/* a count with one frame that is not ours changes none */
	SAME(update(root, guard_op(frame, 1, 0, "dom", ARIL_ALL, 0)), 1);
	SAME(update(dom, guard_op(frame, 2, 0, "dom/y", ARIL_ALL, 0)), -ARIL_E_RIGHTS);
	SAME(frames[frame].guard[0].len, 3);
}

static void tags(void)
{
	struct aril_frame_op op = {.count = 2, .kind = ARIL_FRAME_TAG, .tag = 77};
	u32 shadow;

	start();
	op.first = fake_frame();
	shadow = fake_frame();
	frames[op.first].guard[0] = fake_guard("", ARIL_ALL, 0);
	SAME(update(root, op), 1);
	SAME(frames[op.first].guard[0].rights, ARIL_ALL);
	SAME(frames[op.first].tag, 77);
	SAME(frames[shadow].tag, 77);
	SAME(update(dom, op), -ARIL_E_RIGHTS);
	SAME(call_space_create(root, op.first, shadow), 0);
	op.count = 1;
	SAME(update(root, op), -ARIL_E_STATE);
	op.first = FAKE_KERNEL;
	SAME(update(root, op), -ARIL_E_STATE);
}

static void update_states(void)
{
	u32 space, leaf;

	start();
	space = fake_space(root, VA, &leaf);
	SAME(update(root, guard_op(space, 1, 0, "dom", ARIL_ALL, 0)), 1);
	SAME(update(root, guard_op(leaf, 1, 0, "dom", ARIL_ALL, 0)), -ARIL_E_STATE);
	SAME(update(root, guard_op(frames[leaf].partner, 1, 0, "dom", ARIL_ALL, 0)), -ARIL_E_STATE);
	SAME(update(root, guard_op(FAKE_KERNEL, 1, 0, "dom", ARIL_ALL, 0)), -ARIL_E_STATE);
	SAME(update(root, guard_op(FAKE_ABSENT, 1, 0, "dom", ARIL_ALL, 0)), -ARIL_E_STATE);
	SAME(update(root, guard_op(fake_env(1, 0)->frame, 1, 0, "dom", ARIL_ALL, 0)), 1);
}

/* Binds frame n times under each guard, alternating, from VA on. */
static u32 bind_both(u32 frame, u32 n)
{
	u32 leaf, space = fake_space(root, VA, &leaf);
	u32 b = fake_open("dom/b", ARIL_ALL, 10), a = fake_open("dom/a", ARIL_ALL, 10);

	SAME(fake_set_guard(root, frame, 0, fake_guard("dom/a", ARIL_ALL, 0)), 1);
	SAME(fake_set_guard(root, frame, 1, fake_guard("dom/b", ARIL_ALL, 0)), 1);
	for (u32 i = 0; i < 2 * n; i++)
		SAME(fake_op(root, space, ARIL_BIND, VA + i * 4096, frame, 1, 0, i & 1 ? b : a), 1);
	SAME(call_cap_close(a), 0);
	SAME(call_cap_close(b), 0);
	return space;
}

static u32 bound(u32 space, u32 n, u32 parity)
{
	u32 sum = 0;

	for (u32 i = parity; i < 2 * n; i += 2)
		sum += !!fake_entry(space, VA + i * 4096);
	return sum;
}

/* A guard's change breaks exactly what was bound under it. */
static void breaks(void)
{
	for (u32 slot = 0; slot < 2; slot++)
		for (u32 kind = 0; kind < 3; kind++) { /* removed, replaced, weakened */
			u32 frame, space, flushes;

			start();
			frame = fake_frame();
			space = bind_both(frame, 5);
			SAME(frames[frame].refs, 10);
			BOOKS();
			flushes = fake_flushes;
			SAME(fake_set_guard(root, frame, slot,
					    kind == 0	? fake_guard("", 0, 0)
					    : kind == 1 ? fake_guard("dom/c", ARIL_ALL, 0)
							: fake_guard(slot ? "dom/b" : "dom/a",
								     ARIL_READ, 0)),
			     1);
			SAME(bound(space, 5, slot), 0);
			SAME(bound(space, 5, !slot), 5);
			SAME(frames[frame].refs, 5);
			SAME(frames[frame].flags & FRAME_GOING, 0);
			SAME(fake_flushes, flushes + 1);
			BOOKS();
			/* the same again changes nothing */
			SAME(fake_set_guard(root, frame, !slot, frames[frame].guard[!slot]), 1);
			SAME(bound(space, 5, !slot), 5);
			SAME(fake_flushes, flushes + 1);
		}
}

/* More bindings than one call may break: it says so, binds none meanwhile, and goes on when called again. */
static void breaks_bounded(void)
{
	u32 frame, leaf, space, calls = 0, tables = 10;
	struct aril_frame_op ops[2];

	start();
	frame = fake_frame();
	space = fake_space(root, VA, &leaf);
	for (u32 i = 1; i < tables; i++)
		SAME(call_space_table(root, space, VA + i * 0x200000ul, 1, fake_frame(),
				      fake_frame()),
		     0);
	for (u32 i = 0; i < tables * 512; i++)
		SAME(fake_op(root, space, ARIL_BIND, VA + i * 4096ul, frame, 1, 0, root), 1);
	SAME(fake_set_guard(root, frame, 1, fake_guard("dom", ARIL_ALL, 0)), 1);
	SAME(frames[frame].refs, tables * 512);
	ops[0] = guard_op(frame - 1, 1, 0, "dom", ARIL_ALL, 0); /* done before: counted */
	ops[1] = guard_op(frame, 1, 0, "dom/x", ARIL_READ, 0);
	ops[0].first = fake_frame();
	SAME(call_frame_update(root, ops, 2), 1);
	for (;;) {
		s64 result = call_frame_update(root, &ops[1], 1);

		BOOKS();
		calls++;
		if (result == 1)
			break;
		SAME(result, -ARIL_E_AGAIN);
		if (result != -ARIL_E_AGAIN)
			break;
		CHECK(frames[frame].flags & ARIL_FRAME_BREAKING(0));
		/* root opens guard[0] first: not now */
		SAME(fake_op(root, space, ARIL_BIND, VA, frame, 1, 0, root), -ARIL_E_STATE);
		SAME(fake_op(root, space, ARIL_PROTECT, VA, 0, 512, ARIL_BIND_NOREAD, root),
		     -ARIL_E_STATE);
		/* but under the other guard */
		SAME(fake_op(root, space, ARIL_BIND, VA + 4096, frame, 1, ARIL_BIND_WRITE, dom), 1);
	}
	SAME(calls, 2);
	SAME(frames[frame].flags & FRAME_GOING, 0);
	SAME(frames[frame].refs, 1);
	SAME(fake_op(root, space, ARIL_BIND, VA, frame, 1, 0, root), 1);
}

/* Guards of envs: for each all others are waited for, so a call changes a few. */
static void waits_bounded(void)
{
	struct aril_frame_op op;
	u32 first, n = 20, calls = 0;

	start();
	first = fake_frame();
	for (u32 i = 1; i < n; i++)
		fake_frame();
	for (u32 i = 0; i < n; i++)
		frame_retype(first + i, ARIL_FRAME_ENV, 0, 77, 1);
	op = guard_op(first, n, 0, "dom", ARIL_ALL, 0);
	for (s64 result = -ARIL_E_AGAIN; result == -ARIL_E_AGAIN && calls < 9; calls++) {
		fake_quiesces = 0;
		result = call_frame_update(root, &op, 1);
		CHECK(fake_quiesces && fake_quiesces <= ARIL_BATCH_PAGES / WAIT_COST);
		CHECK(result == 1 || result == -ARIL_E_AGAIN);
	}
	SAME(calls, (n + ARIL_BATCH_PAGES / WAIT_COST - 1) / (ARIL_BATCH_PAGES / WAIT_COST));
	for (u32 i = 0; i < n; i++)
		SAME(frames[first + i].guard[0].len, 3);
}

/* At every size of the budget the work is the same, in pieces. */
static void budgets(void)
{
	for (u32 size = 1; size < 14; size++)
		for (int which = -1; which < 2; which++) {
			u32 frame, rounds = 0, total = which < 0 ? 12 : 6, budget;
			int stale = 0, done = 0;

			start();
			frame = fake_frame();
			bind_both(frame, 6);
			while (!done) {
				u32 before = frames[frame].refs;

				budget = size;
				done = space_break(frame, which, &budget, &stale);
				SAME(before - frames[frame].refs, size - budget);
				BOOKS();
				if (++rounds > 20)
					break;
			}
			CHECK(stale);
			SAME(rounds, (total + size - 1) / size);
			SAME(frames[frame].refs, 12 - total);
		}
}

static void empties(void)
{
	for (u32 size = 1; size < 14; size++) {
		u32 frame, leaf, space, budget, rounds = 0;
		int stale = 0, done = 0;

		start();
		frame = fake_frame();
		space = fake_space(root, VA, &leaf);
		for (u32 i = 0; i < 12; i++)
			SAME(fake_op(root, space, ARIL_BIND, VA + i * 40960ul, frame, 1, 0, root),
			     1);
		do {
			budget = size;
			done = space_empty(leaf, &budget, &stale);
			BOOKS();
		} while (!done && ++rounds < 20);
		SAME(frames[frame].refs, 0);
		CHECK(stale);
		SAME(rounds, (12 + size - 1) / size - 1);
	}
}

static s64 reset_all(u32 auth, u32 frame)
{
	s64 result;
	u32 n = 0;

	while ((result = call_frame_reset(auth, frame)) == -ARIL_E_AGAIN && ++n < 100)
		BOOKS();
	return result;
}

static void reset_normal(void)
{
	u32 frame, space, flushes;
	struct env *env;

	start();
	frame = fake_frame();
	SAME(call_frame_reset(root ^ 16, frame), -ARIL_E_CAP);
	SAME(call_frame_reset(dom, frame), -ARIL_E_RIGHTS);
	SAME(call_frame_reset(root, nframes), -ARIL_E_FRAME);
	SAME(call_frame_reset(root, FAKE_KERNEL), -ARIL_E_STATE);
	SAME(call_frame_reset(root, FAKE_ABSENT), -ARIL_E_STATE);
	space = bind_both(frame, 5);
	flushes = fake_flushes;
	frames[frame].flags = ARIL_FRAME_BREAKING(0) | ARIL_FRAME_BREAKING(1);
	SAME(call_frame_reset(root, frame), 0);
	SAME(fake_flushes, flushes + 1);
	SAME(frames[frame].refs, 0);
	SAME(frames[frame].flags & FRAME_GOING, 0);
	SAME(frames[frame].guard[0].rights, ARIL_ALL); /* stay */
	SAME(bound(space, 5, 0) + bound(space, 5, 1), 0);
	/* a context's page: its env ends */
	env = fake_env(1, 0);
	fake_context(env, 1, frame);
	fake_context(fake_env(2, 0), 0, fake_frame());
	SAME(call_frame_reset(root, frame), 0);
	SAME(env->id, 0); /* its frame is cleared */
	SAME(env_infos[2].end, ARIL_END_DESTROYED);
	SAME(env_infos[3].state, ARIL_ENV_ALIVE);
	SAME(frames[frame].pins, 0);
	SAME(frames[frame].flags & FRAME_GOING, 0);
	/* a device's: quarantined until it lets go */
	frame_pin(frame);
	frame_pin(frame);
	SAME(call_frame_reset(root, frame), 0);
	SAME(frames[frame].flags & FRAME_GOING, ARIL_FRAME_LOST);
	SAME(fake_op(root, space, ARIL_BIND, VA, frame, 1, 0, root), -ARIL_E_STATE);
	SAME(call_space_create(root, frame, fake_frame()), -ARIL_E_STATE);
	frame_unpin(frame);
	SAME(frames[frame].flags & FRAME_GOING, ARIL_FRAME_LOST);
	frame_unpin(frame);
	SAME(frames[frame].flags & FRAME_GOING, 0);
	SAME(fake_op(root, space, ARIL_BIND, VA, frame, 1, 0, root), 1);
	BOOKS();
}

/* More bindings than one call may break. */
static void reset_bounded(void)
{
	u32 frame, leaf, space, tables = 5;

	start();
	frame = fake_frame();
	space = fake_space(root, VA, &leaf);
	for (u32 i = 1; i < tables; i++)
		SAME(call_space_table(root, space, VA + i * 0x200000ul, 1, fake_frame(),
				      fake_frame()),
		     0);
	for (u32 i = 0; i < tables * 512; i++)
		SAME(fake_op(root, space, ARIL_BIND, VA + i * 4096ul, frame, 1, 0, root), 1);
	SAME(call_frame_reset(root, frame), -ARIL_E_AGAIN);
	SAME(frames[frame].refs, 512);
	SAME(call_frame_reset(root, frame), 0);
	SAME(frames[frame].refs, 0);
	BOOKS();
}

/* One page that is the context of many envs: bounded work per call. */
static void reset_contexts(void)
{
	u32 frame;

	start();
	frame = fake_frame();
	for (u32 i = 1; i < 20; i++)
		fake_context(fake_env(i, 0), i % 2, frame);
	SAME(call_frame_reset(root, frame), -ARIL_E_AGAIN);
	SAME(frames[frame].pins, 11);
	SAME(reset_all(root, frame), 0);
	SAME(frames[frame].pins, 0);
	SAME(frames[frame].flags & FRAME_GOING, 0);
}

static void reset_table(void)
{
	u32 space, other, leaf, frame, shadow, table2, flushes;

	start();
	frame = fake_frame();
	space = fake_space(root, VA, &leaf);
	other = fake_space(root, VA + (2ul << 21), &table2);
	SAME(call_space_link(root, other, VA, 1, leaf), 0);
	shadow = frames[leaf].partner;
	for (u32 i = 0; i < 512; i++)
		SAME(fake_op(root, space, ARIL_BIND, VA + i * 4096, frame, 1, 0, root), 1);
	CHECK(fake_entry(other, VA + 4096));
	SAME(frames[leaf].refs, 2);
	flushes = fake_flushes;
	SAME(call_frame_reset(root, shadow), 0); /* by its shadow: the pair goes */
	SAME(fake_flushes, flushes + 1);
	SAME(frames[leaf].state, ARIL_FRAME_NORMAL);
	SAME(frames[shadow].state, ARIL_FRAME_NORMAL);
	SAME(frames[frame].refs, 0);
	CHECK(!space_entry(space, VA, 1) && !space_entry(other, VA, 1));
	for (u32 i = 0; i < 512; i++) /* nothing of the kernel's is left to read */
		CHECK(!((u64 *)frame_memory(leaf))[i] && !((u64 *)frame_memory(shadow))[i]);
	BOOKS();
	SAME(call_frame_reset(root, table2), 0);
	BOOKS();
}

/* A table with more parents than one call may break. */
static void reset_shared_table(void)
{
	u32 space, leaf, n = 0;

	start();
	space = fake_space(root, VA, &leaf);
	for (u32 l2 = 0; l2 < 6; l2++) {
		if (l2)
			SAME(call_space_table(root, space, VA + ((u64)l2 << 30), 2, fake_frame(),
					      fake_frame()),
			     0);
		for (u32 i = !l2; i < 512; i++)
			SAME(call_space_link(root, space, VA + ((u64)l2 << 30) + ((u64)i << 21), 1,
					     leaf),
			     0);
	}
	SAME(frames[leaf].refs, 6 * 512);
	BOOKS();
	SAME(call_frame_reset(root, leaf), -ARIL_E_AGAIN);
	SAME(frames[leaf].state, ARIL_FRAME_TABLE);
	BOOKS();
	SAME(reset_all(root, leaf), 0);
	SAME(frames[leaf].state, ARIL_FRAME_NORMAL);
	SAME(frames[leaf].refs, 0);
	for (u32 l2 = 0; l2 < 6; l2++)
		for (u32 i = 0; i < 512; i++)
			n += !!space_entry(space, VA + ((u64)l2 << 30) + ((u64)i << 21), 1);
	SAME(n, 0);
}

static void reset_space(void)
{
	u32 space, leaf, shadow;
	struct env *env;

	start();
	space = fake_space(root, VA, &leaf);
	shadow = frames[space].partner;
	for (u32 i = 1; i < 12; i++)
		fake_env(i, space);
	env = fake_env(20, leaf); /* in another */
	SAME(call_frame_reset(root, space), -ARIL_E_AGAIN);
	SAME(frames[space].users, 3);
	SAME(frames[space].state, ARIL_FRAME_SPACE);
	SAME(reset_all(root, space), 0);
	for (u32 i = 1; i < 12; i++)
		SAME(env_infos[i + 1].state, ARIL_ENV_DEAD);
	SAME(env->info->state, ARIL_ENV_ALIVE);
	SAME(frames[space].state, ARIL_FRAME_NORMAL);
	SAME(frames[shadow].state, ARIL_FRAME_NORMAL);
	SAME(((u64 *)frame_memory(space))[510], 0);
	BOOKS();
	SAME(call_frame_reset(root, env->frame), 0);
	SAME(env_infos[21].end, ARIL_END_DESTROYED);
}

static void idle(void)
{
	u32 frame, pinned, used, space;

	start();
	frame = fake_frame();
	used = fake_frame();
	pinned = fake_frame();
	space = fake_space(root, VA, NULL);
	frame_pin(pinned);
	SAME(fake_op(root, space, ARIL_BIND, VA, used, 1, 0, root), 1);
	SAME(frame_idle(frame), 0);
	SAME(frame_idle(pinned), -ARIL_E_STATE);
	SAME(frame_idle(used), -ARIL_E_STATE);
	SAME(frame_idle(space), -ARIL_E_STATE);
	SAME(frame_idle(FAKE_KERNEL), -ARIL_E_STATE);
}

static void unpin_twice(void)
{
	frame_unpin(FAKE_FREE + 1);
}

static void pins(void)
{
	start();
	frame_pin(FAKE_FREE + 1);
	CHECK(!test_dies(unpin_twice));
	frame_unpin(FAKE_FREE + 1);
	CHECK(test_dies(unpin_twice));
}

static const struct test tests[] = {
	TEST(update_arguments),
	TEST(update_rights),
	TEST(tags),
	TEST(update_states),
	TEST(breaks),
	TEST(breaks_bounded),
	TEST(waits_bounded),
	TEST(budgets),
	TEST(empties),
	TEST(reset_normal),
	TEST(reset_bounded),
	TEST(reset_contexts),
	TEST(reset_table),
	TEST(reset_shared_table),
	TEST(reset_space),
	TEST(idle),
	TEST(pins),
};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
