/* SPDX-License-Identifier: MIT
 * Code that runs: waiting until a predicate holds, faults that a handler serves, what its functions refuse.
 * links: tests/host/fake.c tests/host/sealed.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/allocate.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/code.c kernel/code_attach.c kernel/code_event.c kernel/code_run.c kernel/code_functions.c kernel/code_wait.c kernel/wait.c kernel/check.c kernel/audit_code.c ext/map.c */
#include "handled.h"

#include <map.h>
#include <setjmp.h>

/* Holds when the byte of page 0 at value 0 is value 1, and the others' last and first are 0. */
BLOB(equal, "movzbl (%rdi, %rcx), %eax\n\t"
	    "cmpq %r8, %rax\n\t"
	    "sete %al\n\t"
	    "movzbl %al, %eax\n\t"
	    "movzbl 4095(%rsi), %ecx\n\t"
	    "orb (%rdx), %cl\n\t"
	    "jz 1f\n\t"
	    "xorl %eax, %eax\n"
	    "1:\tret");
/* Stops: the budget is spent. */
BLOB(stopping, "subq $20000, (%r9)\n\tmovq $1, 8(%r9)\n\tmovl $1, %eax\n\tret");

static struct env *other;
static jmp_buf left;

_Noreturn void slice_next(void)
{
	longjmp(left, 1);
}

#define BLOCKED 4711
static s64 wait_for(const struct aril_code_wait *desc)
{
	if (setjmp(left))
		return BLOCKED;
	return call_code_wait(desc);
}

static void begin(void)
{
	start(ARIL_POINT_PREDICATE, equal, equal_end);
}

/* The context runs again, as slice_enter would make it. */
static void again(void)
{
	ctx->state = CTX_RUNNING;
	fake_cpu.ctx = ctx;
	fake_cpu.env = env;
}

/* Another env's, by which others wake it. */
static void by_other(void)
{
	other = fake_env(3, 0);
	fake_become(other);
	other->ctx[0].page = &the_page;
	root = fake_open("", ARIL_ALL, ~0ul);
}

static void arguments(void)
{
#define BAD(change, error)             \
	begin();                       \
	change;                        \
	SAME(wait_for(&w), -(error));  \
	SAME(ctx->state, CTX_RUNNING); \
	SAME(code_book(first)->uses, 0)
	begin();
	SAME(wait_for(BAD_ADDRESS), -ARIL_E_ADDR);
	BAD(w.auth = 77, ARIL_E_CAP);
	BAD(w.zero[0] = 1, ARIL_E_RANGE);
	BAD(w.zero[2] = 1, ARIL_E_RANGE);
	BAD(w.word[1] = 12, ARIL_E_FRAME); /* of no page */
	BAD(w.word[2] = 12, ARIL_E_FRAME);
	BAD(w.page[0] = 0, ARIL_E_FRAME);
	BAD(w.word[0] = ARIL_CODE_NO_WORD, ARIL_E_RANGE);
	BAD(w.word[0] = 6, ARIL_E_RANGE);
	BAD(w.word[0] = 4096, ARIL_E_RANGE);
	BAD(w.page[2] = page2; w.word[2] = 6, ARIL_E_RANGE);
	BAD(w.page[2] = page2; w.word[2] = 4096, ARIL_E_RANGE);
	BAD(w.page[1] = page; w.word[1] = 8, ARIL_E_RANGE); /* the first again */
	BAD(w.page[1] = w.page[2] = page2; w.word[1] = w.word[2] = 8, ARIL_E_RANGE);
	BAD(w.code = nframes, ARIL_E_FRAME);
	BAD(w.code = first + 1, ARIL_E_STATE);
	BAD(w.auth = user, ARIL_E_RIGHTS); /* EXEC on the code, nothing on the page */
	BAD(w.auth = fake_open("", ARIL_READ, ~0ul), ARIL_E_RIGHTS);
	BAD(w.page[0] = nframes, ARIL_E_FRAME);
	BAD(w.page[1] = first + 1, ARIL_E_STATE);
	BAD(w.page[2] = FAKE_KERNEL, ARIL_E_STATE);
	BAD(the_page.pending = ARIL_PEND_REVOKE, ARIL_E_AGAIN);
	BAD(accounts[1].limit[ARIL_QUOTA_WORK] = 0, ARIL_E_QUOTA);
	SAME(code_book(first)->cpu[0].runs, 0);
	BAD(((u8 *)frame_memory(page))[5] = 9, ARIL_E_VALUE);
	SAME(code_book(first)->cpu[0].runs, 1);
	u64 work = env->info->work;
	SAME(wait_for(&w), -ARIL_E_VALUE);
	SAME(env->info->work, work + 1);
	start(ARIL_POINT_FAULT, equal, equal_end);
	SAME(wait_for(&w), -ARIL_E_RANGE); /* for faults */
	begin();
	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++)
		code_slot_take(code_slot_find(first), &(struct aril_code_slot){.point = 1});
	SAME(wait_for(&w), -ARIL_E_QUOTA);
}

/* Runs of the predicate, those not counted yet included. */
static u64 runs(void)
{
	const struct aril_code *c = code_book(first);
	u64 n = c->cpu[0].runs;

	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++)
		n += (u64)(c->slot[i].given - c->slot[i].left);
	return n;
}

static void waking(void)
{
	begin();
	w.page[1] = page2;
	u64 work = env->info->work;
	the_page.pending = ARIL_PEND_EVENT; /* of which the code knows as much before as behind */
	SAME(wait_for(&w), BLOCKED);
	SAME(ctx->state, CTX_BLOCKED);
	SAME(ctx->gate_to, WAIT_CODE);
	SAME(code_book(first)->uses, 1);
	by_other();
	audit_says(ARIL_NOUN_CODE, NULL);
	u64 before = runs();
	SAME(call_wake(root, page, 12, 9), 0); /* another word */
	SAME(runs(), before);
	SAME(call_wake(root, page, 8, 9), 0);
	SAME(runs(), before + 1);
	SAME(ctx->state, CTX_BLOCKED);
	SAME(call_wake(root, page2, 8, 9), 0); /* a page, but no word of it */
	SAME(runs(), before + 1);
	((u8 *)frame_memory(page))[5] = 9;
	((u8 *)frame_memory(page2))[4095] = 1;
	SAME(call_wake(root, page, 8, 9), 0);
	((u8 *)frame_memory(page2))[4095] = 0;
	SAME(call_wake(root, page, 8, 0), 0);
	SAME(call_wake(root, page, 8, 9), 1);
	SAME(ctx->state, CTX_READY);
	SAME(ctx->start_cause, ARIL_START_WAKE);
	SAME(ctx->gate_to, 0);
	SAME(code_book(first)->uses, 0);
	SAME(code_book(first)->cpu[0].runs, before + 3);
	SAME(code_book(first)->cpu[0].runs, runs());
	/* what it was charged shows when it does something again */
	fake_become(env);
	fake_cpu.slice_end++;
	SAME(account_work(1), 0);
	SAME(env->info->work, work + 1 + 3 + 1);
	audit_says(ARIL_NOUN_CODE, NULL);
}

/* What the audit of waits finds. */
static u32 waits_wrong(void)
{
	struct aril_check out = {0};

	for (u64 from = 0, n = 0; n < 2 * WAIT_BUCKETS && (from = wait_audit(from, &out)); n++)
		;
	return out.wrong;
}

/* A wake on any of three words runs it, once; when it goes it is in no queue. */
static void words(void)
{
	u32 page3;

	begin();
	page3 = fake_frame();
	memset(frame_memory(page3), 0, 4096);
	w.page[1] = page2;
	w.page[2] = page3;
	w.word[1] = 16;
	w.word[2] = 4092;
	for (u32 i = 0; i < 3; i++) {
		u32 at[3] = {page, page2, page3};

		again();
		fake_become(env);
		((u8 *)frame_memory(page))[5] = 0;
		SAME(wait_for(&w), BLOCKED);
		by_other();
		u64 before = runs();
		for (u32 k = 0; k < 3; k++)
			SAME(call_wake(root, at[k], w.word[k], 9), 0);
		SAME(runs(), before + 3);
		SAME(waits_wrong(), 0);
		struct aril_code_slot *slot = code_slot(ctx->wait_auth);
		slot->word[i].prev ^= 2;
		SAME(waits_wrong() > 0, 1);
		slot->word[i].prev ^= 2;
		slot->point = ARIL_POINT_VICTIM;
		SAME(waits_wrong() > 0, 1);
		slot->point = ARIL_POINT_PREDICATE;
		slot->word[i].at += 4;
		SAME(waits_wrong() > 0, 1);
		slot->word[i].at -= 4;
		SAME(waits_wrong(), 0);
		((u8 *)frame_memory(page))[5] = 9;
		SAME(call_wake(root, at[i], w.word[i], 9), 1);
		SAME(ctx->state, CTX_READY);
		for (u32 k = 0; k < 3; k++)
			SAME(call_wake(root, at[k], w.word[k], 9), 0);
		for (u32 k = 0; k < WAIT_BUCKETS; k++)
			SAME(wait_buckets[k].code_first || wait_buckets[k].code_last, 0);
	}
	/* two words of one page, in one bucket: the wake goes on behind both */
	again();
	fake_become(env);
	((u8 *)frame_memory(page))[5] = 0;
	w.page[2] = page2;
	w.word[2] = 16 + 4 * WAIT_BUCKETS;
	SAME(wait_for(&w), BLOCKED);
	other = fake_env(7, 0);
	fake_become(other);
	other->ctx[0].page = &the_page;
	w.auth = fake_open("", ARIL_ALL, ~0ul);
	SAME(wait_for(&w), BLOCKED);
	by_other();
	((u8 *)frame_memory(page))[5] = 9;
	SAME(call_wake(root, page2, 16, 9), 2);
	for (u32 k = 0; k < WAIT_BUCKETS; k++)
		SAME(wait_buckets[k].code_first || wait_buckets[k].code_last, 0);
}

/* Who may not read what its predicate would is let go, and takes nobody's place; so is who has spent its work. */
static void letting_go(void)
{
	begin();
	SAME(fake_set_guard(root, page, 0, fake_guard("page", ARIL_ALL, 0)), 1);
	SAME(fake_set_guard(root, first + 0, 0, fake_guard("page", ARIL_ALL, 0)), -ARIL_E_STATE);
	w.auth = fake_open("", ARIL_READ | ARIL_EXEC, ~0ul);
	SAME(wait_for(&w), BLOCKED);
	again();
	SAME(call_cap_close(w.auth), 0);
	ctx->state = CTX_BLOCKED;
	by_other();
	u64 before = runs();
	SAME(call_wake(root, page, 8, 9), 0);
	SAME(ctx->state, CTX_READY);
	SAME(runs(), before);
	/* a page that is no memory any more */
	begin();
	w.page[1] = page2;
	SAME(wait_for(&w), BLOCKED);
	by_other();
	frames[page2].flags |= ARIL_FRAME_LOST;
	frame_epoch++;
	SAME(call_wake(root, page, 8, 9), 0);
	SAME(ctx->state, CTX_READY);
	/* something changed, but it still may */
	begin();
	SAME(wait_for(&w), BLOCKED);
	by_other();
	frame_epoch++;
	SAME(call_wake(root, page, 8, 9), 0);
	SAME(ctx->state, CTX_BLOCKED);
	/* work */
	begin();
	SAME(wait_for(&w), BLOCKED);
	by_other();
	before = runs();
	s32 budget = 5000;
	ctx->work = 5;
	u64 work = env->info->work;
	accounts[1].limit[ARIL_QUOTA_WORK] = 5;
	SAME(code_wait_over(ctx, &budget), CODE_WAKES);
	SAME(budget, 4000);
	SAME(runs(), before);
	accounts[1].limit[ARIL_QUOTA_WORK] = 7;
	SAME(code_wait_over(ctx, &budget), CODE_SLEEPS);
	SAME(code_wait_over(ctx, &budget), CODE_SLEEPS);
	SAME(code_wait_over(ctx, &budget), CODE_WAKES);
	SAME(runs(), before + 2);
	SAME(ctx->work, 7);
	SAME(env->info->work, work + 2);
	budget = 999;
	accounts[1].limit[ARIL_QUOTA_WORK] = ~0u;
	SAME(code_wait_over(ctx, &budget), CODE_WAKES);
	SAME(code_book(first)->cpu[0].stops, 1);
	SAME(runs(), before + 2);
}

/* One wake runs so many predicates and no more: the rest is woken. */
static void bounded(void)
{
	struct env *e[10];

	begin();
	for (u32 i = 0; i < 10; i++) {
		e[i] = fake_env(10 + i, 0);
		fake_become(e[i]);
		e[i]->ctx[0].page = &the_page;
		w.auth = fake_open("", ARIL_ALL, ~0ul);
		SAME(wait_for(&w), BLOCKED);
	}
	by_other();
	SAME(code_book(first)->uses, 10);
	SAME(call_wake(root, page, 8, 99), 2); /* 8 ran, 1000 each at most */
	for (u32 i = 0; i < 10; i++)
		SAME(e[i]->ctx[0].state, i < 8 ? CTX_BLOCKED : CTX_READY);
	u32 ends = 8;
	code_uses_end(first);
	for (u32 i = 0; i < ends; i++)
		SAME(e[i]->ctx[0].state, CTX_READY);
	SAME(code_book(first)->uses, 0);
}

static void ending(void)
{
	begin();
	w.deadline = 500; /* the fake clock says 1000 */
	SAME(wait_for(&w), BLOCKED);
	wait_expire(400);
	SAME(ctx->state, CTX_BLOCKED);
	wait_expire(500);
	SAME(ctx->state, CTX_READY);
	SAME(ctx->start_cause, ARIL_START_TIME);
	SAME(code_book(first)->uses, 0);
	again();
	w.deadline = 0;
	SAME(wait_for(&w), BLOCKED);
	SAME(wait_forget(ctx), 0);
	SAME(code_book(first)->uses, 0);
	again();
	SAME(wait_for(&w), BLOCKED);
	by_other();
	SAME(call_frame_reset(root, first), 0);
	SAME(ctx->state, CTX_READY);
	SAME(frames[first].state, ARIL_FRAME_NORMAL);
	/* ended while it waited for the lock */
	begin();
	fake_cpu.ctx = NULL;
	SAME(wait_for(&w), BLOCKED);
	SAME(code_book(first)->uses, 0);
}

/* --- handlers */

static void faults(void)
{
	const struct trap_frame frame = {.vector = 14};

	handle(ARIL_POINT_FAULT);
	data[0] = ARIL_FUNCTION_BEGIN;
	data[8] = ARIL_FAULT_RESUME;
	SAME(code_fault(&frame, 0x1234), 1);
	SAME(data[7], 0x1234);
	data[8] = ARIL_FAULT_UPCALL;
	SAME(code_fault(&frame, 0x1234), 0);
	data[8] = 77;
	SAME(code_fault(&frame, 0x1234), 0);
	SAME(code_book(first)->cpu[0].runs, 3);
	SAME(code_book(first)->cpu[0].left, 0);
	SAME(object_lock.taken, 0);
	SAME(call_code_detach(root, ARIL_POINT_FAULT, env->id, 0), 0);
	SAME(code_fault(&frame, 0x1234), 0);
	SAME(code_book(first)->cpu[0].runs, 3);
	/* one that is stopped has no result */
	start(ARIL_POINT_FAULT, stopping, stopping_end);
	struct aril_code_attach a = {.code = first, .point = ARIL_POINT_FAULT, .target = env->id};
	SAME(call_code_attach(root, &a), 0);
	SAME(code_fault(&frame, 0x1234), 0);
	SAME(code_book(first)->cpu[0].stops, 1);
	SAME(code_book(first)->cpu[0].left, (u64)-20000);
}

static void binding(void)
{
	handle(ARIL_POINT_FAULT);
	SAME(calls(ARIL_FUNCTION_BIND, VA + 8, page, ARIL_BIND_WRITE | ARIL_BIND_MAY_WRITE, 0), 0);
	SAME(frames[page].refs, 1);
	SAME(calls(ARIL_FUNCTION_BIND, VA, 1ul << 32 | page, 0, 0), -ARIL_E_RANGE);
	SAME(calls(ARIL_FUNCTION_BIND, VA, page, 1ul << 32, 0), -ARIL_E_RANGE);
	SAME(calls(ARIL_FUNCTION_BIND, VA, page, ARIL_BIND_LARGE, 0), -ARIL_E_RANGE);
	SAME(calls(ARIL_FUNCTION_BIND, 1ul << 47, page, 0, 0), -ARIL_E_RANGE);
	SAME(calls(ARIL_FUNCTION_BIND, VA + (1ul << 40), page, 0, 0), -ARIL_E_TABLE);
	SAME(calls(ARIL_FUNCTION_BIND, VA, first + 1, 0, 0), -ARIL_E_STATE);
	SAME(calls(ARIL_FUNCTION_BIND, VA, nframes, 0, 0), -ARIL_E_FRAME);
	SAME(call_page_protect(root, space, VA, ARIL_PAGE_MAY_WRITE), 0);
	SAME(fake_entry(space, VA) & PTE_W, 0);
	SAME(calls(ARIL_FUNCTION_UNPROTECT, VA, 0, 0, 0), 0);
	SAME(fake_entry(space, VA) & PTE_W, PTE_W);
	SAME(calls(ARIL_FUNCTION_UNPROTECT, VA + 4096, 0, 0, 0), -ARIL_E_STATE);
	/* while somebody quiesces, who waits for this handler */
	object_lock.taken = 1;
	SAME(calls(ARIL_FUNCTION_BIND, VA, page2, 0, 0), -ARIL_E_AGAIN);
	SAME(calls(ARIL_FUNCTION_UNPROTECT, VA, 0, 0, 0), -ARIL_E_AGAIN);
	SAME(calls(ARIL_FUNCTION_ACCESSED, page, 0, 0, 0), -ARIL_E_AGAIN);
	SAME(object_lock.taken, 1);
	object_lock.taken = 0;
	SAME(frames[page].refs, 1);
	SAME(calls(ARIL_FUNCTION_ACCESSED, page, 0, 0, 0), 0);
	SAME(object_lock.taken, 0);
	/* by what the env has open now */
	SAME(call_cap_close(root), 0);
	SAME(calls(ARIL_FUNCTION_BIND, VA, page2, 0, 0), -ARIL_E_CAP);
	SAME(calls(ARIL_FUNCTION_UNPROTECT, VA, 0, 0, 0), -ARIL_E_CAP);
	BOOKS();
	/* elsewhere the current env is another */
	handle(ARIL_POINT_VICTIM);
	SAME(calls(ARIL_FUNCTION_BIND, VA, page, 0, 0), -ARIL_E_STATE);
	SAME(calls(ARIL_FUNCTION_UNPROTECT, VA, 0, 0, 0), -ARIL_E_STATE);
}

static void looking(void)
{
	handle(ARIL_POINT_VICTIM);
	SAME(fake_op(root, space, ARIL_BIND, VA, page, 1, ARIL_BIND_WRITE, root), 1);
	SAME(fake_op(root, space, ARIL_BIND, VA + 4096, page, 1, 0, root), 1);
	SAME(calls(ARIL_FUNCTION_ACCESSED, page, 0, 0, 0), 0);
	*space_entry(space, VA, 1) |= PTE_A | PTE_D;
	SAME(calls(ARIL_FUNCTION_ACCESSED, page, 0, 0, 0), ARIL_PAGE_ACCESSED | ARIL_PAGE_DIRTY);
	SAME(calls(ARIL_FUNCTION_ACCESSED, page, 0, 0, 0), ARIL_PAGE_DIRTY);
	*space_entry(space, VA + 4096, 1) |= PTE_A;
	SAME(calls(ARIL_FUNCTION_ACCESSED, page, 0, 0, 0), ARIL_PAGE_ACCESSED | ARIL_PAGE_DIRTY);
	object_lock.taken = 1; /* its own */
	SAME(calls(ARIL_FUNCTION_ACCESSED, page2, 0, 0, 0), 0);
	SAME(object_lock.taken, 1);
	object_lock.taken = 0;
	SAME(calls(ARIL_FUNCTION_ACCESSED, nframes, 0, 0, 0), -ARIL_E_FRAME);
	frames[page].tag = 99;
	SAME(calls(ARIL_FUNCTION_FRAME_TAG, page, 0, 0, 0), 99);
	SAME(calls(ARIL_FUNCTION_FRAME_TAG, nframes, 0, 0, 0), 0);
	account_move_frame(page, 0);
	SAME(calls(ARIL_FUNCTION_ACCESSED, page, 0, 0, 0), -ARIL_E_RIGHTS);
	SAME(calls(ARIL_FUNCTION_FRAME_TAG, page, 0, 0, 0), 0);
}

static void maps(void)
{
	u32 key = 1, value = 42;
	struct ext_map *m;

	handle(ARIL_POINT_FAULT);
	m = (struct ext_map *)((u8 *)data + 1024);
	*m = (struct ext_map){.kind = EXT_ARRAY,
			      .key = 4,
			      .value = 4,
			      .entries = 4,
			      .stride = 8,
			      .distance = 256,
			      .bytes = 32};
	SAME(calls(ARIL_FUNCTION_MAP_UPDATE, (u64)m, (u64)&key, (u64)&value, 0), 0);
	u32 *found = (u32 *)calls(ARIL_FUNCTION_MAP_LOOKUP, (u64)m, (u64)&key, 0, 0);
	SAME(found == (u32 *)((u8 *)m + 256 + 8), 1);
	SAME(*found, 42);
	key = 4;
	SAME(calls(ARIL_FUNCTION_MAP_LOOKUP, (u64)m, (u64)&key, 0, 0), 0);
	SAME(calls(ARIL_FUNCTION_MAP_DELETE, (u64)m, (u64)&key, 0, 0) < 0, 1);
	SAME(calls(ARIL_FUNCTION_MAP_UPDATE, (u64)m, (u64)&key, (u64)&value, 0) < 0, 1);
	SAME(calls(ARIL_FUNCTION_BEGIN, 0, 0, 0, 0) != 0, 1);
	SAME(calls(ARIL_FUNCTION_END, 0, 0, 0, 0), 0);
}

static void names(void)
{
	start(ARIL_POINT_FAULT, caller, caller_end);
	SAME(strcmp(code_name_at(ARIL_PHYS_VA + (first + 1) * 4096ul + 7), "blob"), 0);
	SAME(code_name_at(ARIL_PHYS_VA + first * 4096ul) == NULL, 1);
	SAME(code_name_at(0xffffffff80200000) == NULL, 1);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(arguments), TEST(waking), TEST(words),  TEST(letting_go),
		TEST(bounded),	 TEST(ending), TEST(faults), TEST(binding),
		TEST(looking),	 TEST(maps),   TEST(names),
	};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
