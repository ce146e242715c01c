/* SPDX-License-Identifier: MIT
 * aril_bind's short way: after a warm-up everything is covered by the permit; then one thing is otherwise.
 * links: tests/host/fake.c tests/host/sealed.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/allocate.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/code.c kernel/code_attach.c kernel/code_event.c kernel/code_run.c kernel/code_functions.c kernel/code_wait.c kernel/wait.c kernel/check.c kernel/audit_code.c ext/map.c */
#include "handled.h"

/* Whether that went the short way: one unit of work that was given ahead, and no permit noted anew. */
static int short_bind(u64 va, u32 frame, u64 flags, s64 says)
{
	fake_cpu.permit.bits |= PTE_SOFT; /* the short way binds so, the long way does not */
	SAME(calls(ARIL_FUNCTION_BIND, va, frame, flags, 0), says);
	SAME(object_lock.taken, 0);
	return !says && fake_entry(space, va) & PTE_SOFT &&
	       (fake_entry(space, va) & PTE_ADDR) >> 12 == frame;
}

#define W ARIL_BIND_WRITE
static void warm(void)
{
	handle(ARIL_POINT_FAULT);
	SAME(fake_set_guard(root, page, 0, fake_guard("load.page", ARIL_ALL, 0)), 1);
	SAME(fake_set_guard(root, page2, 0, fake_guard("load.page", ARIL_ALL, 0)), 1);
	SAME(calls(ARIL_FUNCTION_BIND, VA, page, W, 0), 0);
	SAME(call_page_unbind(root, space, VA), 0);
	SAME(calls(ARIL_FUNCTION_BIND, VA, page, W, 0), 0);
	SAME(call_page_unbind(root, space, VA), 0);
	SAME(short_bind(VA + 7, page, W, 0), 1);
	SAME(frames[page].refs, 1);
	SAME(!!(frames[page].flags & ARIL_FRAME_USED), 1);
	BOOKS();
}

static void short_binding(void)
{
	warm();
	SAME(short_bind(VA + 4096, page2, W, 0), 1);
	BOOKS();
	/* what is there, a frame that is bound elsewhere, other flags, another place */
	SAME(short_bind(VA + 4096, page2, W, 0), 0);
	SAME(short_bind(VA + 8192, page2, W, 0), 1); /* by page_bind's */
	BOOKS();
	warm();
	SAME(short_bind(VA + 4096, page2, 0, 0), 0);
	warm();
	SAME(short_bind(VA + (1ul << 21), page2, W, -ARIL_E_TABLE), 0);
	SAME(short_bind(VA + (1ul << 40), page2, W, -ARIL_E_TABLE), 0);
	SAME(short_bind(VA + 4096, page2, 1ul << 32 | W, -ARIL_E_RANGE), 0);
	SAME(short_bind(VA + 4096, nframes, W, -ARIL_E_FRAME), 0);
	/* what is no memory in order, or another's */
	frames[page2].state = ARIL_FRAME_REGION;
	SAME(short_bind(VA + 4096, page2, W, -ARIL_E_STATE), 0);
	frames[page2].state = 0;
	frames[page2].flags |= ARIL_FRAME_BREAKING(0);
	SAME(short_bind(VA + 4096, page2, W, -ARIL_E_STATE), 0);
	frames[page2].flags &= ~ARIL_FRAME_BREAKING(0);
	for (u32 i = 0; i < 6; i++) { /* each word of the guard decides */
		warm();
		((u64 *)&frames[page2].guard[0])[i] ^= 1ul << 40;
		SAME(short_bind(VA + 4096, page2, W, 0), 0);
	}
	/* time passed: something changed; another use of the same code; work that was not given; the lock */
	warm();
	authority_changed();
	SAME(short_bind(VA + 4096, page2, W, 0), 0);
	warm();
	fake_cpu.permit.use += 1;
	SAME(short_bind(VA + 4096, page2, W, 0), 1); /* by page_bind's */
	SAME(fake_cpu.permit.use, (u64)env->fault);
	warm();
	ctx->spare = 0;
	SAME(short_bind(VA + 4096, page2, W, 0), 0);
	warm();
	object_lock.taken = 1;
	SAME(calls(ARIL_FUNCTION_BIND, VA + 4096, page2, W, 0), -ARIL_E_AGAIN);
	SAME(object_lock.taken, 1);
	object_lock.taken = 0;
	/* another call by other indices: the permit is not the use's any more */
	warm();
	u32 second = fake_open("", ARIL_ALL, ~0ul);
	SAME(call_page_bind(root, space, VA + 4096, page2, W, second), 0);
	SAME(fake_cpu.permit.use, 0);
	SAME(call_page_unbind(root, space, VA + 4096), 0);
	SAME(short_bind(VA + 4096, page2, W, 0), 0);
	warm();
	second = fake_open("", ARIL_ALL, ~0ul);
	SAME(call_page_bind(second, space, VA + 4096, page2, W, root), 0);
	SAME(fake_cpu.permit.use, 0);
	/* nobody's but its own is noted */
	SAME(call_page_unbind(second, space, VA + 4096), 0);
	SAME(call_page_bind(second, space, VA + 4096, page2, W, second), 0);
	SAME(calls(ARIL_FUNCTION_UNPROTECT, VA + 4096, 0, 0, 0), -ARIL_E_RIGHTS);
	BOOKS();
}

int main(void)
{
	static const struct test tests[] = {TEST(short_binding)};

	return test_main(tests, 1);
}
