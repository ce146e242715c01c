// SPDX-License-Identifier: MIT
// Calls that return to their caller: the way in and out, bindings, frames, envs.
#include "bench.h"

#define PAGES 100
#define LOOPS 64

static u64 va; /* PAGES of our own, bound writable */
static u32 first;
static u32 spare; /* frames of our own that are bound nowhere */

static s64 null_call(u64 n)
{
	return bench_net(BENCH_LOOP(n, aril_null()), n);
}

static s64 update(const struct aril_space_op *op)
{
	return aril_space_update(core_auth, core_self.root, op, 1);
}

static struct aril_space_op op_of(u32 kind, u32 flags, u32 count)
{
	return (struct aril_space_op){.va = va,
				      .frame = first,
				      .count = count,
				      .kind = (u16)kind,
				      .flags = (u16)flags,
				      .auth = core_auth};
}

static s64 bind(void)
{
	return aril_page_bind(core_auth, core_self.root, va, first, ARIL_BIND_WRITE, core_auth);
}

static s64 unbind(void)
{
	return aril_page_unbind(core_auth, core_self.root, va);
}

static s64 bind_1(u64 n)
{
	unbind();
	s64 took = BENCH_HALF(n, bind(), unbind());
	bind();
	return took;
}

static s64 unbind_1(u64 n)
{
	return BENCH_HALF(n, unbind(), bind());
}

static s64 may_write(u32 write)
{
	return aril_page_protect(core_auth, core_self.root, va, write | ARIL_PAGE_MAY_WRITE);
}

/* The page's binding says that it may be written, and it is as `back` leaves it. */
static void half_page(u32 back)
{
	update(&(struct aril_space_op){.va = va,
				       .count = 1,
				       .kind = ARIL_PROTECT,
				       .flags = ARIL_BIND_WRITE | ARIL_BIND_MAY_WRITE,
				       .auth = core_auth});
	may_write(back);
}

static s64 protect_1(u64 n)
{
	half_page(ARIL_PAGE_WRITE);
	s64 took = BENCH_HALF(n, may_write(0), may_write(ARIL_PAGE_WRITE));
	may_write(ARIL_PAGE_WRITE);
	return took;
}

static s64 unprotect_1(u64 n)
{
	half_page(0);
	s64 took = BENCH_HALF(n, may_write(ARIL_PAGE_WRITE), may_write(0));
	may_write(ARIL_PAGE_WRITE);
	return took;
}

static s64 protect_100(u64 n)
{
	struct aril_space_op narrow = op_of(ARIL_PROTECT, 0, PAGES),
			     wide = op_of(ARIL_PROTECT, ARIL_BIND_WRITE, PAGES);

	return BENCH_HALF(n, update(&narrow), update(&wide));
}

static s64 unprotect_100(u64 n)
{
	struct aril_space_op narrow = op_of(ARIL_PROTECT, 0, PAGES),
			     wide = op_of(ARIL_PROTECT, ARIL_BIND_WRITE, PAGES);

	update(&narrow);
	s64 took = BENCH_HALF(n, update(&wide), update(&narrow));
	update(&wide);
	return took;
}

static s64 bind_100(u64 n)
{
	struct aril_space_op all = op_of(ARIL_BIND, ARIL_BIND_WRITE, PAGES),
			     none = op_of(ARIL_UNBIND, 0, PAGES);

	update(&none);
	s64 took = BENCH_HALF(n, update(&all), update(&none));
	update(&all);
	return took;
}

/* Whether a page was written, from the exposed table. */
static s64 dirty(u64 n)
{
	u64 sum = 0;
	u64 at = va;
	u64 took = BENCH_LOOP(n, {
		__asm__ volatile("" : "+r"(at));
		sum += *(const volatile u64 *)(ARIL_SELF_VA + (at >> ARIL_PAGE_SHIFT) * 8) &
		       ARIL_PTE_DIRTY;
	});
	__asm__ volatile("" ::"r"(sum));
	return bench_net(took, n);
}

static s64 frame_alloc(u64 n, int count_alloc)
{
	const volatile struct aril_env_info *self =
		(const volatile struct aril_env_info *)ARIL_INFO->envs_va +
		(CORE_DOMAIN->env & 0xffff);
	struct aril_guard guard = {.rights = ARIL_ALL, .generation = CORE_DOMAIN->cap.generation};
	s64 took = 0;

	memcpy(guard.name, CORE_DOMAIN->cap.name, sizeof(guard.name));
	guard.len = CORE_DOMAIN->cap.len;
	for (u64 i = 0; i < n; i++) {
		u64 began = count_alloc ? 0 : bench_now();
		s64 freed = aril_frame_free(core_auth, spare, 1);
		u64 ended = count_alloc ? 0 : bench_now();
		if (count_alloc)
			began = bench_now();
		s64 taken = aril_frame_alloc(core_auth, self->account, spare, 1, &guard);
		if (count_alloc)
			ended = bench_now();
		if (freed < 0 || taken < 0)
			return freed < 0 ? freed : taken;
		took += (s64)(ended - began - bench_read);
	}
	return took;
}

static s64 frame_take(u64 n)
{
	return frame_alloc(n, 1);
}

static s64 frame_give(u64 n)
{
	return frame_alloc(n, 0);
}

/* The frame's other guard, in and out again: of a frame bound nowhere. */
static s64 guard_set(u64 n)
{
	struct aril_frame_op op = {.first = spare, .count = 1, .kind = ARIL_FRAME_GUARD, .slot = 1};
	s64 took = 0;

	memcpy(op.guard.name, CORE_DOMAIN->cap.name, sizeof(op.guard.name));
	op.guard.len = CORE_DOMAIN->cap.len;
	op.guard.generation = CORE_DOMAIN->cap.generation;
	for (u64 i = 0; i < n; i++) {
		op.guard.rights = ARIL_READ;
		u64 began = bench_now();
		s64 done = aril_frame_update(core_auth, &op, 1);
		u64 ended = bench_now();
		op.guard.rights = 0;
		s64 undone = aril_frame_update(core_auth, &op, 1);
		if (done != 1 || undone != 1)
			return done < 0 ? done : undone < 0 ? undone : -ARIL_E_AGAIN;
		took += (s64)(ended - began - bench_read);
	}
	return took;
}

/* Takes a guard away under which the frame is bound once: what revocation by guard costs. */
static s64 guard_break(u64 n)
{
	struct aril_frame_op op = {.first = spare, .count = 1, .kind = ARIL_FRAME_GUARD, .slot = 0};
	struct aril_frame_op second = {
		.first = spare, .count = 1, .kind = ARIL_FRAME_GUARD, .slot = 1};
	struct aril_space_op bind = op_of(ARIL_BIND, ARIL_BIND_WRITE, 1);
	struct aril_guard guard = {.rights = ARIL_ALL, .generation = CORE_DOMAIN->cap.generation};
	s64 took = 0;

	memcpy(guard.name, CORE_DOMAIN->cap.name, sizeof(guard.name));
	guard.len = CORE_DOMAIN->cap.len;
	second.guard = guard;
	bind.va = va + PAGES * ARIL_PAGE_SIZE;
	bind.frame = spare;
	if (aril_frame_update(core_auth, &second, 1) != 1)
		return -ARIL_E_STATE;
	for (u64 i = 0; i < n; i++) {
		op.guard = guard;
		s64 error = aril_frame_update(core_auth, &op, 1);
		if (error == 1)
			error = update(&bind);
		op.guard.rights = 0;
		u64 began = bench_now();
		s64 done = aril_frame_update(core_auth, &op, 1);
		u64 ended = bench_now();
		if (error != 1 || done != 1)
			return error < 0 ? error : done < 0 ? done : -ARIL_E_AGAIN;
		took += (s64)(ended - began - bench_read);
	}
	op.guard = guard;
	aril_frame_update(core_auth, &op, 1);
	second.guard.rights = 0;
	aril_frame_update(core_auth, &second, 1);
	return took;
}

static s64 env_make(u64 n, int count_create)
{
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space, .entry = (u64)core_upcall};
	s64 took = 0;

	for (u64 i = 0; i < n; i++) {
		u64 began = count_create ? bench_now() : 0;
		s64 env = aril_env_create(core_auth, spare, &desc);
		u64 ended = count_create ? bench_now() : 0;
		if (!count_create)
			began = bench_now();
		s64 error = aril_frame_reset(core_auth, spare);
		if (!count_create)
			ended = bench_now();
		if (env < 0 || error < 0)
			return env < 0 ? env : error;
		took += (s64)(ended - began - bench_read);
	}
	return took;
}

static s64 env_create(u64 n)
{
	return env_make(n, 1);
}

static s64 env_destroy(u64 n)
{
	return env_make(n, 0);
}

static s64 cap_open_close(u64 n)
{
	return bench_net(BENCH_LOOP(n,
				    {
					    s64 auth = aril_cap_open(&CORE_DOMAIN->cap);
					    if (auth < 0)
						    return auth;
					    aril_cap_close((u32)auth);
				    }),
			 n);
}

static s64 wake_none(u64 n)
{
	return bench_net(BENCH_LOOP(n, aril_wake(core_auth, spare, 0, 1)), n);
}

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	va = (u64)core_pages(PAGES + 1, &first);
	spare = core_pool_take(&core_pool, 1);
	update(&(struct aril_space_op){
		.va = va + PAGES * ARIL_PAGE_SIZE, .kind = ARIL_UNBIND, .count = 1});
	bench_start(argc, argv);
	bench_run("null", null_call, LOOPS);
	bench_run("bind_1", bind_1, LOOPS);
	bench_run("unbind_1", unbind_1, LOOPS);
	bench_run("protect_1", protect_1, LOOPS);
	bench_run("unprotect_1", unprotect_1, LOOPS);
	bench_run("protect_100", protect_100, LOOPS / 16);
	bench_run("unprotect_100", unprotect_100, LOOPS / 16);
	bench_run("bind_100", bind_100, LOOPS / 16);
	bench_run("dirty", dirty, LOOPS);
	bench_run("frame_alloc", frame_take, LOOPS / 4);
	bench_run("frame_free", frame_give, LOOPS / 4);
	bench_run("guard_set", guard_set, LOOPS);
	bench_run("guard_break", guard_break, LOOPS);
	bench_run("env_create", env_create, LOOPS / 4);
	bench_run("env_destroy", env_destroy, LOOPS / 4);
	bench_run("cap_open_close", cap_open_close, LOOPS / 4);
	bench_run("wake_none", wake_none, LOOPS);
	return 0;
}
