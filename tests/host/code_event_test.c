/* SPDX-License-Identifier: MIT
 * Events: who is asked in which order, behind which guards; what is seen of it while it changes; and each end.
 * links: tests/host/fake.c tests/host/sealed.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/allocate.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/code.c kernel/code_attach.c kernel/code_event.c kernel/code_run.c kernel/code_functions.c kernel/code_wait.c kernel/wait.c kernel/check.c kernel/audit_code.c ext/map.c */
#include "sealed.h"

/* Writes data[0] + 1 into the event's list of who was asked (its address, the second argument), and says data[1]. */
#define SAYS(name)                                                                   \
	BLOB(name, "movq (%rsi), %rax\n\t"                                           \
		   "incq (%rsi)\n\t"                                                 \
		   "movq " DATA(name, 0) ", %rcx\n\t"                                \
					 "movq %rcx, 8(%rsi, %rax, 8)\n\t"           \
					 "movq " DATA(name, 8) ", %rax\n\t"          \
							       "xorl %edi, %edi\n\t" \
							       "xorl %esi, %esi\n\t" \
							       "ret")
SAYS(says);
/* Yes for vector 14. Leaves nothing in the registers that are its to change. */
BLOB(paged, "xorl %eax, %eax\n\t"
	    "cmpq $14, (%rdi)\n\t"
	    "sete %al\n\t"
	    "xorl %edi, %edi\n\t"
	    "xorl %esi, %esi\n\t"
	    "ret");

static struct env *env;
static u32 handler[ARIL_CODE_ENTRIES], guard;
static u64 asked[1 + ARIL_CODE_ENTRIES]; /* how many, who */

static void start(void)
{
	code_start();
	env = fake_cpu.env;
	code_sealed(ARIL_POINT_FAULT, says, says_end);
	for (u32 i = 0; i < ARIL_CODE_ENTRIES; i++) {
		handler[i] = i ? code_more(ARIL_POINT_FAULT, says, says_end) : first;
		code_data(handler[i])[0] = i + 1;
	}
	guard = code_more(ARIL_POINT_GUARD, paged, paged_end);
}

static s64 attach(u32 n, u32 order, u32 with)
{
	struct aril_code_attach a = {.code = handler[n],
				     .point = ARIL_POINT_FAULT,
				     .target = env->id,
				     .order = order,
				     .guard = with};

	return call_code_attach(loader, &a);
}

static s64 detach(u32 order)
{
	return call_code_detach(loader, ARIL_POINT_FAULT, env->id, order);
}

/* Who was asked about an exception, a digit each; 9 behind them: it was dealt with. */
static u64 fault(u64 vector)
{
	const struct trap_frame frame = {.vector = vector};
	u64 who = 0;

	memset(asked, 0, sizeof(asked));
	int done = code_fault(&frame, (u64)asked);
	for (u32 i = 0; i < asked[0]; i++)
		who = who * 10 + asked[1 + i];
	return done ? who * 10 + 9 : who;
}

static void mine(void)
{
	SAME(fake_set_guard(root, env->frame, 0, fake_guard("load", ARIL_OWN, 0)), 1);
}

static void orders(void)
{
	start();
	mine();
	SAME(fault(3), 0);
	SAME(attach(2, 4, 0), 0);
	SAME(attach(0, 1, 0), 0);
	SAME(attach(4, 7, 0), 0);
	SAME(attach(1, 2, 0), 0);
	SAME(fault(3), 1235);
	SAME(env->info->fault, handler[0]);
	SAME(env->info->faults, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 7);
	audit_says(ARIL_NOUN_CODE, NULL);
	code_data(handler[1])[1] = ARIL_FAULT_RESUME;
	SAME(fault(3), 129);
	code_data(handler[1])[1] = 7;
	SAME(fault(3), 1235);
	SAME(attach(3, 4, 0), 0); /* replaced */
	SAME(fault(3), 1245);
	SAME(code_book(handler[2])->uses, 0);
	SAME(attach(5, 0, 0), 0);
	SAME(env->info->fault, handler[5]);
	SAME(fault(3), 61245);
	SAME(detach(2), 0);
	SAME(fault(3), 6145);
	SAME(detach(2), 0);
	SAME(detach(7), 0);
	SAME(detach(0), 0);
	SAME(fault(3), 14);
	audit_says(ARIL_NOUN_CODE, NULL);
	SAME(detach(1), 0);
	SAME(detach(4), 0);
	SAME(env->fault == NULL, 1);
	SAME(env->info->faults, 0);
	SAME(fault(3), 0);
	for (u32 i = 0; i < ARIL_CODE_ENTRIES; i++) {
		SAME(code_book(handler[i])->uses, 0);
		SAME(attach(i, i, 0), 0);
	}
	SAME(fault(3), 12345678);
	SAME(code_book(handler[7])->cpu[0].runs, 1);
}

static void guards(void)
{
	const struct aril_code_slot *s;

	start();
	mine();
	SAME(attach(0, 0, guard), 0);
	SAME(attach(1, 1, 0), 0);
	SAME(attach(2, 2, guard), 0);
	SAME(fault(14), 123);
	SAME(fault(3), 2);
	SAME(fault(6), 2);
	s = code_slot(code_ref(guard, 0));
	SAME(s->point, ARIL_POINT_GUARD);
	SAME(s->count[0], 2);
	SAME(s->count[1], 1);
	SAME(code_book(guard)->uses, 2);
	audit_says(ARIL_NOUN_CODE, NULL);
	/* what it said is not lost */
	SAME(attach(0, 0, 0), 0);
	SAME(code_book(guard)->uses, 1);
	SAME(code_book(guard)->cpu[0].runs, 3);
	SAME(code_book(guard)->cpu[0].stops, 2);
	SAME(fault(3), 12);
	SAME(fault(14), 123);
	/* behind a guard that says no, and behind one whose handler declines */
	SAME(attach(3, 3, 0), 0);
	SAME(fault(3), 124);
	SAME(fault(14), 1234);
	audit_says(ARIL_NOUN_CODE, NULL);
	/* a guard's code, and its handler, seen by the audit */
	code_slot(code_ref(guard, 1))->next[1] = (u64)code_slot(code_ref(handler[3], 0));
	audit_says(ARIL_NOUN_CODE, "an env names code");
}

static void rights(void)
{
	start();
	mine();
	SAME(attach(0, 0, handler[1]), -ARIL_E_RANGE);
	SAME(attach(0, 0, code_more(ARIL_POINT_PREDICATE, paged, paged_end)), -ARIL_E_RANGE);
	SAME(attach(0, 0, guard + 1), -ARIL_E_STATE);
	frames[guard].flags |= ARIL_FRAME_BREAKING(1);
	SAME(attach(0, 0, guard), -ARIL_E_STATE);
	frames[guard].flags &= ~ARIL_FRAME_BREAKING(1);
	struct aril_guard none = fake_guard("load", ARIL_ALL & ~ARIL_EXEC, 0);
	frames[guard].guard[0] = frames[guard].guard[1] = none;
	SAME(attach(0, 0, guard), -ARIL_E_RIGHTS);
	frames[guard].guard[0] = frames[handler[0]].guard[0];
	SAME(env->fault == NULL, 1);
	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++)
		code_slot_take(code_slot_find(guard),
			       &(struct aril_code_slot){.point = ARIL_POINT_GUARD});
	SAME(attach(0, 0, guard), -ARIL_E_QUOTA);
	SAME(code_book(handler[0])->uses, 0);
	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++)
		code_slot_free(code_ref(guard, i));
	/* a wait for all CPUs is paid for, where one is needed */
	accounts[1].limit[ARIL_QUOTA_FLUSHES] = 0;
	fake_quiesces = 0;
	SAME(attach(0, 0, guard), 0);
	SAME(fake_quiesces, 0);
	SAME(attach(1, 0, 0), -ARIL_E_QUOTA);
	SAME(detach(0), -ARIL_E_QUOTA);
	SAME(detach(1), 0);
	SAME(fault(14), 1);
	accounts[1].limit[ARIL_QUOTA_FLUSHES] = ~0u;
	SAME(detach(0), 0);
	SAME(fake_quiesces, 1);
}

/* What another CPU that walks sees when all CPUs are waited for: the new list; and from the old entry it gets on. */
static struct aril_code_slot *old;
static u64 seen;
static u32 uses_then;
static void walks(void)
{
	u64 way = 0;

	for (const struct aril_code_slot *s = old; s != &code_event_end; s = code_event_next(s))
		way = way * 10 + code_data(code_frame_of(code_book_of(s)))[0];
	seen = fault(3) * 1000 + way;
	uses_then = code_book(code_frame_of(code_book_of(old)))->uses;
}

static void changes(void)
{
	start();
	mine();
	for (u32 i = 0; i < 3; i++)
		SAME(attach(i, i, 0), 0);
	fake_on_quiesce = walks;
	old = code_event_at(&env->fault, 1);
	SAME(attach(4, 1, 0), 0);
	SAME(seen, 153023);
	SAME(uses_then, 1);
	SAME(code_book(handler[1])->uses, 0);
	old = code_event_at(&env->fault, 0);
	SAME(detach(0), 0);
	SAME(seen, 53153);
	SAME(uses_then, 1);
	old = code_event_at(&env->fault, 1);
	SAME(call_frame_reset(loader, handler[4] + 1), 0);
	SAME(seen, 3053);
	SAME(uses_then, 1);
	old = code_event_at(&env->fault, 2);
	SAME(detach(2), 0);
	SAME(seen, 3);
	fake_on_quiesce = NULL;
	SAME(env->fault == NULL, 1);
}

/* An entry ends with its guard's code, with its handler's, with its env; nothing of it is left in the other's book. */
static void ends(void)
{
	start();
	mine();
	SAME(attach(0, 0, guard), 0);
	SAME(attach(1, 1, 0), 0);
	SAME(attach(0, 2, guard), 0);
	SAME(fault(14), 121);
	SAME(call_frame_reset(loader, guard), 0);
	SAME(fault(14), 2);
	SAME(code_book(handler[0])->uses, 0);
	SAME(env->info->fault, handler[1]);
	SAME(frames[guard].state, ARIL_FRAME_NORMAL);
	audit_says(ARIL_NOUN_CODE, NULL);
	start();
	mine();
	SAME(attach(0, 0, guard), 0);
	SAME(attach(0, 3, guard), 0);
	SAME(attach(1, 1, 0), 0);
	u64 epoch = authority_epoch;
	SAME(call_frame_reset(loader, handler[0]), 0);
	SAME(authority_epoch != epoch, 1);
	SAME(code_book(guard)->uses, 0);
	SAME(fault(14), 2);
	audit_says(ARIL_NOUN_CODE, NULL);
	SAME(attach(2, 2, guard), 0);
	fake_quiesces = 0;
	code_env_gone(env);
	SAME(fake_quiesces, 0); /* nobody is in it */
	SAME(code_book(guard)->uses + code_book(handler[1])->uses + code_book(handler[2])->uses, 0);
	SAME(env->info->faults + env->info->fault, 0);
	SAME(fault(14), 0);
	audit_says(ARIL_NOUN_CODE, NULL);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(orders), TEST(guards), TEST(rights), TEST(changes), TEST(ends),
	};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
