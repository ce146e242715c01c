/* SPDX-License-Identifier: MIT
 * Who may seal what; what sealed frames are; who may attach it to what; and the end of it from every side.
 * links: tests/host/fake.c tests/host/sealed.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/allocate.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/code.c kernel/code_attach.c kernel/code_event.c kernel/code_run.c kernel/code_functions.c kernel/code_wait.c kernel/wait.c kernel/check.c kernel/audit_code.c ext/map.c */
#include "sealed.h"

#define VA 0x40000000ul

BLOB(nothing, "xorl %eax, %eax\n\tret");

static struct aril_code_desc d;
static struct env *env;

static void start(u32 point)
{
	code_start();
	env = fake_cpu.env;
	d = code_blob(point, nothing, nothing_end);
}

static void guards(void)
{
	struct aril_guard g = fake_guard("auth", ARIL_ALL, 0);

	start(ARIL_POINT_FAULT);
	u32 weak = fake_open("", ARIL_ALL & ~ARIL_OWN, ~0ul),
	    seals = fake_open("auth", ARIL_ALL, 1);
	SAME(call_code_guard(77, &g), -ARIL_E_CAP);
	SAME(call_code_guard(loader, &g), -ARIL_E_RIGHTS);
	SAME(call_code_guard(weak, &g), -ARIL_E_RIGHTS);
	SAME(call_code_guard(root, BAD_ADDRESS), -ARIL_E_ADDR);
	g.rights = ARIL_WRITE;
	SAME(call_code_guard(root, &g), -ARIL_E_RANGE);
	g.rights = 1 << 30 | ARIL_OWN;
	SAME(call_code_guard(root, &g), -ARIL_E_RANGE);
	g = fake_guard("auth", ARIL_ALL, 0);
	SAME(call_code_guard(root, &g), 0);
	/* from here on it is auth's and root's */
	g = fake_guard("other", ARIL_ALL, 0);
	SAME(call_code_guard(seals, &g), -ARIL_E_RIGHTS);
	g = fake_guard("auth", ARIL_ALL, 2);
	SAME(call_code_guard(seals, &g), -ARIL_E_RIGHTS);
	SAME(call_code_guard(loader, &g), -ARIL_E_RIGHTS);
	g.generation = 1;
	SAME(call_code_guard(seals, &g), 0);
	SAME(call_code_seal(seals, &d), -ARIL_E_RIGHTS); /* not its frames */
	for (u32 i = 0; i < 3; i++)
		SAME(fake_set_guard(root, first + i, 0, fake_guard("auth", ARIL_OWN, 0)), 1);
	weak = fake_open("auth", ARIL_ALL & ~ARIL_WRITE, 1);
	SAME(call_code_seal(weak, &d), -ARIL_E_RIGHTS);
	SAME(call_code_seal(loader, &d), -ARIL_E_RIGHTS);
	SAME(call_code_seal(seals, &d), 0);
	SAME(frames[first].guard[0].len, 4);
	SAME(call_code_guard(root, &(struct aril_guard){.rights = ARIL_ALL}), 0); /* root's again */
}

/* Everything that desc says wrong, one thing at a time. */
static void descriptions(void)
{
#define BAD(change, error)                                \
	start(ARIL_POINT_FAULT);                          \
	change;                                           \
	SAME(call_code_seal(root, &d), -(error));         \
	SAME(frames[first].state, ARIL_FRAME_NORMAL);     \
	SAME(frames[first + 1].state, ARIL_FRAME_NORMAL); \
	SAME(fake_alias[first + 1], ARCH_ALIAS_DATA)
	start(ARIL_POINT_FAULT);
	SAME(call_code_seal(77, &d), -ARIL_E_CAP);
	SAME(call_code_seal(loader, &d), -ARIL_E_RIGHTS);
	SAME(call_code_seal(root, BAD_ADDRESS), -ARIL_E_ADDR);
	BAD(d.text = 0, ARIL_E_RANGE);
	BAD(d.text = ~0u; d.data = 3, ARIL_E_RANGE);
	BAD(d.constants = ~0u; d.data = 2, ARIL_E_RANGE);
	BAD(d.data = ~0u, ARIL_E_RANGE);
	BAD(d.data = ARIL_CODE_FRAMES - 1, ARIL_E_RANGE);
	BAD(d.entry = 4096, ARIL_E_RANGE);
	BAD(d.point = 0, ARIL_E_RANGE);
	BAD(d.point = ARIL_POINTS, ARIL_E_RANGE);
	BAD(d.budget = 0; d.entry_cost = 0, ARIL_E_RANGE);
	BAD(d.budget = ARIL_CODE_BUDGET + 1, ARIL_E_RANGE);
	BAD(d.entry_cost = d.budget + 1, ARIL_E_RANGE);
	BAD(d.point = ARIL_POINT_PREDICATE, ARIL_E_RANGE);
	BAD(d.point = ARIL_POINT_GUARD, ARIL_E_RANGE);
	BAD(d.point = ARIL_POINT_PREDICATE; d.worst = ARIL_CODE_WORST + 1, ARIL_E_RANGE);
	BAD(d.stack = ARIL_CODE_STACK + 1, ARIL_E_RANGE);
	BAD(d.keeps = 2, ARIL_E_RANGE);
	BAD(d.zero = 1, ARIL_E_RANGE);
	BAD(d.name[31] = 'x', ARIL_E_RANGE);
	BAD(d.loader = 77, ARIL_E_CAP);
	BAD(d.guard[0].rights = ARIL_READ, ARIL_E_RANGE);
	BAD(d.guard[0].name[31] = 1, ARIL_E_RANGE);
	BAD(d.guard[0] = fake_guard("other", ARIL_ALL, 0), ARIL_E_RIGHTS);
	BAD(d.guard[0].generation = 6, ARIL_E_RIGHTS);
	BAD(d.guard[1] = fake_guard("other", ARIL_EXEC, 0), ARIL_E_RIGHTS);
	BAD(d.guard[1].rights = 1 << 30, ARIL_E_RANGE);
	BAD(d.guard[1].rights = 0; d.guard[1].name[31] = 1, ARIL_E_RANGE);
	BAD(d.account = 99, ARIL_E_RANGE);
	BAD(accounts[1].guard.rights = ARIL_OWN, ARIL_E_RIGHTS);
	BAD(d.first = nframes - 2, ARIL_E_FRAME);
	BAD(d.first = ~0u - 1, ARIL_E_FRAME);
	BAD(frame_pin(first + 2), ARIL_E_STATE);
	BAD(account_move_frame(first + 2, 0);
	    accounts[1].limit[0] = accounts[1].used[0], ARIL_E_QUOTA);
	BAD(accounts[1].limit[ARIL_QUOTA_FLUSHES] = 0, ARIL_E_QUOTA);
	BAD(accounts[1].limit[ARIL_QUOTA_WORK] = 0, ARIL_E_QUOTA);
	/* one that is bound, somewhere */
	start(ARIL_POINT_FAULT);
	u32 space = fake_space(root, VA, NULL);
	SAME(fake_op(root, space, ARIL_BIND, VA, first + 1, 1, 0, root), 1);
	SAME(call_code_seal(root, &d), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_UNBIND, VA, 0, 1, 0, root), 1);
	SAME(call_code_seal(root, &d), 0);
	SAME(call_code_seal(root, &d), -ARIL_E_STATE); /* sealed already */
}

static void sealed(void)
{
	start(ARIL_POINT_FAULT);
	account_move_frame(first + 1, 0);
	u32 used = accounts[1].used[0];
	SAME(call_code_seal(root, &d), 0);
	SAME(accounts[1].used[0], used + 1);
	SAME(fake_kernel_flushes, 1);
	SAME(frames[first].state, ARIL_FRAME_CODE);
	SAME(frames[first + 1].state, ARIL_FRAME_TEXT);
	SAME(frames[first + 2].state, ARIL_FRAME_DATA);
	SAME(fake_alias[first], ARCH_ALIAS_DATA);
	SAME(fake_alias[first + 1], ARCH_ALIAS_TEXT);
	SAME(fake_alias[first + 2], ARCH_ALIAS_DATA);
	for (u32 i = 0; i < 3; i++)
		SAME(frames[first + i].guard[1].rights, ARIL_EXEC);
	audit_says(ARIL_NOUN_CODE, NULL);
	/* the book and the data are readable, data writable; nothing executable, instructions not at all */
	u32 space = fake_space(root, VA, NULL);
#define BIND(n, flags) fake_op(root, space, ARIL_BIND, VA, first + (n), 1, flags, root)
	SAME(BIND(0, 0), 1);
	SAME(BIND(0, ARIL_BIND_WRITE), -ARIL_E_STATE);
	SAME(BIND(0, ARIL_BIND_EXEC), -ARIL_E_STATE);
	SAME(BIND(1, 0), -ARIL_E_STATE);
	SAME(BIND(1, ARIL_BIND_EXEC), -ARIL_E_STATE);
	SAME(BIND(2, 0), 1);
	SAME(BIND(2, ARIL_BIND_WRITE), 1);
	SAME(BIND(2, ARIL_BIND_EXEC), -ARIL_E_STATE);
	SAME(frame_has_words(first + 2), 1);
	SAME(frame_has_words(first + 1), 0);
	SAME(fake_set_guard(root, first + 1, 0, fake_guard("x", ARIL_ALL, 0)), -ARIL_E_STATE);
	BOOKS();
	/* the end, by any of its frames */
	SAME(call_frame_reset(root, first + 1), 0);
	for (u32 i = 0; i < 3; i++) {
		SAME(frames[first + i].state, ARIL_FRAME_NORMAL);
		SAME(frames[first + i].partner, 0);
		SAME(frames[first + i].refs, 0);
		SAME(*(u64 *)frame_memory(first + i), 0);
	}
	SAME(fake_alias[first + 1], ARCH_ALIAS_DATA);
	SAME(fake_kernel_flushes, 2);
	BOOKS();
	/* with constants */
	start(ARIL_POINT_FAULT);
	d.data = 0;
	d.constants = 1;
	SAME(call_code_seal(root, &d), 0);
	SAME(frames[first + 2].state, ARIL_FRAME_CONSTANT);
	SAME(fake_alias[first + 2], ARCH_ALIAS_CONSTANT);
	space = fake_space(root, VA, NULL);
	SAME(BIND(2, 0), 1);
	SAME(BIND(2, ARIL_BIND_WRITE), -ARIL_E_STATE);
	SAME(call_frame_free(root, first + 2, 1), 1);
	SAME(frames[first].state, ARIL_FRAME_NORMAL);
}

static s64 attach(u32 auth, u32 point, u32 target)
{
	struct aril_code_attach a = {
		.code = first, .point = point, .target = target, .space = root, .frames = loader};

	return call_code_attach(auth, &a);
}

static void attached(void)
{
	struct aril_code_attach bad = {.point = ARIL_POINT_FAULT};

	start(ARIL_POINT_FAULT);
	SAME(attach(root, ARIL_POINT_FAULT, env->id), -ARIL_E_STATE); /* not sealed yet */
	SAME(call_code_seal(root, &d), 0);
	SAME(call_code_attach(77, &bad), -ARIL_E_CAP);
	SAME(call_code_attach(root, BAD_ADDRESS), -ARIL_E_ADDR);
	bad.zero = 1;
	bad.code = first;
	bad.target = env->id;
	SAME(call_code_attach(root, &bad), -ARIL_E_RANGE);
	bad.zero = 0;
	bad.order = ARIL_CODE_ENTRIES;
	SAME(call_code_attach(root, &bad), -ARIL_E_RANGE);
	SAME(call_code_detach(root, ARIL_POINT_FAULT, env->id, ARIL_CODE_ENTRIES), -ARIL_E_RANGE);
	bad.order = 0;
	bad.guard = first; /* a handler as a guard */
	SAME(call_code_attach(root, &bad), -ARIL_E_RANGE);
	bad.guard = nframes;
	SAME(call_code_attach(root, &bad), -ARIL_E_FRAME);
	bad.guard = 0;
	bad.code = nframes;
	SAME(call_code_attach(root, &bad), -ARIL_E_FRAME);
	SAME(attach(root, ARIL_POINT_FAULT, 99), -ARIL_E_ENV);
	SAME(attach(root, ARIL_POINT_VICTIM, 99), -ARIL_E_RANGE);
	SAME(attach(root, ARIL_POINT_VICTIM, ARIL_ACCOUNT_ROOT), -ARIL_E_RANGE); /* for faults */
	SAME(attach(root, ARIL_POINT_PREDICATE, env->id), -ARIL_E_RANGE);
	SAME(attach(loader, ARIL_POINT_FAULT, env->id), -ARIL_E_RIGHTS); /* not its env */
	SAME(fake_set_guard(root, env->frame, 0, fake_guard("load.user", ARIL_OWN, 0)), 1);
	u32 weak = fake_open("load", ARIL_ALL & ~ARIL_EXEC, 5);
	SAME(attach(weak, ARIL_POINT_FAULT, env->id), -ARIL_E_RIGHTS);
	SAME(attach(user, ARIL_POINT_FAULT, env->id), -ARIL_E_RIGHTS); /* EXEC alone */
	SAME(env->fault == NULL, 1);
	SAME(attach(loader, ARIL_POINT_FAULT, env->id), 0);
	SAME(env->fault == code_slot(code_ref(first, 0)), 1);
	SAME(env->info->fault, first);
	SAME(code_book(first)->uses, 1);
	SAME(attach(loader, ARIL_POINT_FAULT, env->id), 0); /* replaces itself */
	SAME(code_book(first)->uses, 1);
	audit_says(ARIL_NOUN_CODE, NULL);
	SAME(call_code_detach(77, ARIL_POINT_FAULT, env->id, 0), -ARIL_E_CAP);
	SAME(call_code_detach(user, ARIL_POINT_FAULT, env->id, 0), -ARIL_E_RIGHTS);
	SAME(call_code_detach(loader, ARIL_POINT_PREDICATE, env->id, 0), -ARIL_E_RANGE);
	SAME(call_code_detach(loader, ARIL_POINT_FAULT, env->id, 0), 0);
	SAME(env->fault == NULL, 1);
	SAME(env->info->fault, 0);
	SAME(code_book(first)->uses, 0);
	/* while it is being taken back nobody begins to use it */
	frames[first].flags |= ARIL_FRAME_BREAKING(0);
	SAME(attach(loader, ARIL_POINT_FAULT, env->id), -ARIL_E_STATE);
	frames[first].flags &= ~ARIL_FRAME_BREAKING(0);
	/* its slots are as many as they are */
	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++)
		code_slot_take(code_slot_find(first),
			       &(struct aril_code_slot){.point = ARIL_POINT_FAULT});
	SAME(attach(loader, ARIL_POINT_FAULT, env->id), -ARIL_E_QUOTA);
	memset(code_book(first)->slot, 0, sizeof(code_book(first)->slot));
	code_book(first)->uses = 0;
	/* its ends: the env's, the code's */
	SAME(attach(loader, ARIL_POINT_FAULT, env->id), 0);
	code_env_gone(env);
	SAME(code_book(first)->uses, 0);
	SAME(env->info->fault, 0);
	SAME(attach(loader, ARIL_POINT_FAULT, env->id), 0);
	SAME(call_frame_reset(loader, first), 0);
	SAME(env->fault == NULL, 1);
	SAME(env->info->fault, 0);
}

static void victims(void)
{
	struct aril_account *account = &accounts[1];

	start(ARIL_POINT_VICTIM);
	SAME(call_code_seal(root, &d), 0);
	SAME(attach(user, ARIL_POINT_VICTIM, ARIL_ACCOUNT_ROOT), -ARIL_E_RIGHTS);
	struct aril_code_attach a = {
		.code = first, .point = ARIL_POINT_VICTIM, .target = ARIL_ACCOUNT_ROOT, .order = 1};
	SAME(call_code_attach(loader, &a), -ARIL_E_RANGE);
	SAME(call_code_detach(loader, ARIL_POINT_VICTIM, ARIL_ACCOUNT_ROOT, 1), -ARIL_E_RANGE);
	a.order = 0;
	a.guard = code_more(ARIL_POINT_GUARD, nothing, nothing_end);
	SAME(call_code_attach(loader, &a), -ARIL_E_RANGE);
	SAME(attach(loader, ARIL_POINT_VICTIM, ARIL_ACCOUNT_ROOT), 0);
	SAME(code_first(account->victim), first);
	audit_says(ARIL_NOUN_CODE, NULL);
	SAME(code_victim_cost(1), d.budget);
	SAME(code_victim(1, 1, 2, 3), 0);
	SAME(code_book(first)->cpu[0].runs, 1);
	SAME(call_code_detach(loader, ARIL_POINT_VICTIM, ARIL_ACCOUNT_ROOT, 0), 0);
	SAME(account->victim, 0);
	SAME(code_victim_cost(1), 0);
	SAME(code_victim(1, 1, 2, 3), 0);
	SAME(attach(loader, ARIL_POINT_VICTIM, ARIL_ACCOUNT_ROOT), 0);
	code_account_gone(1);
	SAME(account->victim, 0);
	SAME(attach(loader, ARIL_POINT_VICTIM, ARIL_ACCOUNT_ROOT), 0);
	SAME(call_frame_reset(loader, first), 0);
	SAME(account->victim, 0);
}

/* Taking it back is done in bounded steps, and none of them leaves it half usable. */
static void steps(void)
{
	u32 budget = 239, space;
	int stale = 0;

	start(ARIL_POINT_FAULT);
	SAME(call_code_seal(root, &d), 0);
	space = fake_space(root, VA, NULL);
	SAME(BIND(2, ARIL_BIND_WRITE), 1);
	SAME(fake_op(root, space, ARIL_BIND, VA + 4096, first, 1, 0, root), 1);
	SAME(code_destroy(first + 2, &budget, &stale), 0);
	SAME(frames[first].state, ARIL_FRAME_CODE);
	SAME(attach(root, ARIL_POINT_FAULT, env->id), -ARIL_E_STATE);
	SAME(BIND(0, 0), -ARIL_E_STATE);
	budget = 241;
	SAME(code_destroy(first + 2, &budget, &stale), 0);
	SAME(frames[first].refs, 0);
	SAME(frames[first + 2].refs, 1);
	SAME(stale, 1);
	SAME(fake_alias[first + 1], ARCH_ALIAS_TEXT);
	budget = 241;
	SAME(code_destroy(first + 2, &budget, &stale), 1);
	SAME(frames[first + 2].state, ARIL_FRAME_NORMAL);
	BOOKS();
}

static void audits(void)
{
#define WRONG(change, words)                              \
	start(ARIL_POINT_FAULT);                          \
	SAME(call_code_seal(root, &d), 0);                \
	SAME(attach(root, ARIL_POINT_FAULT, env->id), 0); \
	change;                                           \
	audit_says(ARIL_NOUN_CODE, words)
	WRONG((void)0, NULL);
	WRONG(fake_alias[first + 1] = ARCH_ALIAS_DATA, "sealed memory may be written");
	WRONG(fake_alias[first + 1] = ARCH_ALIAS_NONE, "sealed memory may be written");
	WRONG(fake_alias[900] = ARCH_ALIAS_TEXT, "the kernel may execute memory that is not");
	WRONG(fake_alias[900] = ARCH_ALIAS_CONSTANT, "the kernel cannot write");
	WRONG(fake_alias[first + 2] = ARCH_ALIAS_TEXT, "the kernel may execute memory that is not");
	WRONG(fake_alias[FAKE_KERNEL] = ARCH_ALIAS_TEXT, "the kernel may execute its own");
	WRONG(fake_alias[FAKE_ABSENT] = ARCH_ALIAS_TEXT, "the kernel may execute what is no");
	WRONG(code_book(first)->text = 2, "the frames of code");
	WRONG(code_book(first)->text = 0, "the frames of code");
	WRONG(code_book(first)->data = 600, "the frames of code");
	WRONG(frames[first + 2].partner = first + 1, "the frames of code");
	WRONG(frames[first + 2].state = ARIL_FRAME_NORMAL, "the frames of code");
	WRONG(code_book(first)->entry = 4096, "the book of code");
	WRONG(code_book(first)->point = 9, "the book of code");
	WRONG(code_book(first)->uses = 2, "the number of uses");
	WRONG(code_book(first)->slot[5] = ((struct aril_code_slot){.point = ARIL_POINT_VICTIM,
								   .target = ARIL_ACCOUNT_ROOT}),
	      "a use of code at another");
	WRONG(code_book(first)->slot[5] =
		      ((struct aril_code_slot){.point = ARIL_POINT_FAULT, .target = 77}),
	      "a use of code by who");
	WRONG(env->fault->target = 77, "an env names code");
	WRONG(env->fault->cpu = ARIL_CODE_ENTRIES, "an env names code");
	WRONG(env->fault->next[1] = 0, "an env names code");
	WRONG(env->fault->next[0] = 0, "an env names code");
	WRONG(env->fault->point = ARIL_POINT_GUARD, "an env names code");
	WRONG(env->fault->point = ARIL_POINT_VICTIM, "an env names code");
	WRONG(env->fault = (struct aril_code_slot *)&code_event_end, "an env names code");
	WRONG(env->fault->next[0] = (u64)env->fault, "an env names code");
	WRONG(env->fault = code_slot(code_ref(first, 1)), "an env names code");
	WRONG(env->fault = (void *)((u64)env->fault + 4), "an env names code");
	WRONG(env->fault = (void *)8, "an env names code");
	WRONG(env->fault = frame_memory(first + 1), "an env names code");
	WRONG(code_book(first)->slot[3] = code_book(first)->slot[0], "an env does not name");
	WRONG(code_book(first)->slot[3] = code_book(first)->slot[0];
	      code_book(first)->slot[3].cpu = 7, "an env does not name");
	WRONG(env->fault->run++, "a use of code does not lead");
	WRONG(env->fault->enter = (u64)arch_event_guard, "a use of code does not lead");
	WRONG(env->info->fault = 0, "an env's code is not what");
	WRONG(env->info->faults = 2, "an env's code is not what");
	WRONG(accounts[1].victim = code_ref(first, 0), "an account names code");
	WRONG(code_book(first)->slot[0].point = 0; code_book(first)->uses = 0, "an env names code");
}

int main(void)
{
	static const struct test tests[] = {
		TEST(guards),  TEST(descriptions), TEST(sealed), TEST(attached),
		TEST(victims), TEST(steps),	   TEST(audits),
	};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
