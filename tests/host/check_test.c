/* SPDX-License-Identifier: MIT
 * The audit can fail: each book is falsified in turn, and the audit of its noun must say what is wrong.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/check.c kernel/audit_frame.c kernel/audit_space.c kernel/audit_env.c kernel/audit_account.c */
#include "fake.h"

#include "account.h"
#include "cache.h"
#include "check.h"
#include "grant.h"
#include "slice.h"

#include <string.h>

#define VA 0x40000000ul
#define MINE 2 /* an account's slot */

/* What other files of the kernel have; theirs go before where they are linked. */
#define OTHERS __attribute__((weak))
OTHERS struct aril_grant *grant_books;
OTHERS struct aril_slice *slices;

OTHERS u32 cache_entry_frame(u64 entry)
{
	return (u32)(entry >> 12) & (ARIL_MAX_FRAMES - 1);
}

static u32 ring_frame; /* is pinned by a ring */

OTHERS u32 ring_pins(u32 frame)
{
	return frame == ring_frame;
}

OTHERS void ring_count(void (*count)(u32 slot, u32 quota))
{
	count(MINE, ARIL_QUOTA_RINGS);
}

#define NO_AUDIT(noun)                                            \
	OTHERS u64 noun##_audit(u64 from, struct aril_check *out) \
	{                                                         \
		(void)out;                                        \
		return from;                                      \
	}
NO_AUDIT(slice)
NO_AUDIT(grant)
NO_AUDIT(ring)
NO_AUDIT(wait)
NO_AUDIT(cache)
NO_AUDIT(region)
NO_AUDIT(code)

static u32 root, space, leaf, page, other, context, handler_page, weak;
static struct env *env;
static struct aril_account *mine, *top;

/* Charges what there is as accounts would. */
static void charge(void)
{
	static const u32 limits[ARIL_QUOTA_HELD] = {FAKE_FRAMES, 100, 100, 100, 100, 100};

	top->id = ARIL_ACCOUNT_ROOT;
	mine->id = 0x10000 | MINE;
	mine->parent = top->id;
	top->guard = fake_guard("", ARIL_ALL, 0);
	mine->guard = fake_guard("dom", ARIL_ALL, 0);
	for (u32 q = 0; q < ARIL_QUOTA_HELD; q++) {
		top->limit[q] = limits[q] / 2;
		mine->limit[q] = limits[q] - limits[q] / 2;
	}
	top->used[ARIL_QUOTA_FRAMES] = 0;
	for (u32 f = 1; f < nframes; f++) {
		frames[f].account = 0;
		if (frames[f].state == ARIL_FRAME_KERNEL || frames[f].state == ARIL_FRAME_ABSENT)
			continue;
		if (frames[f].state == ARIL_FRAME_NORMAL && !frames[f].refs && !frames[f].pins)
			continue;
		frames[f].account = MINE;
		mine->used[ARIL_QUOTA_FRAMES]++;
	}
	frames[page].flags |= ARIL_FRAME_KEEP;
	mine->kept = 1;
	for (u32 slot = 0; slot < ARIL_MAX_ENVS; slot++)
		if (env_infos[slot].id) {
			env_infos[slot].account = MINE;
			mine->used[ARIL_QUOTA_ENVS]++;
		}
	top->used[ARIL_QUOTA_ACCOUNTS] = 1;
	slices[3].account = mine->used[ARIL_QUOTA_SLICES] = 1;
	slices[3].account = MINE;
	grant_books[5].env = env->id;
	grant_books[5].kind = ARIL_GRANT_PORTS;
	grant_books[5].account = MINE;
	mine->used[ARIL_QUOTA_GRANTS] = 1;
	mine->used[ARIL_QUOTA_RINGS] = 1;
	env->nports = 1;
	env->port_count[3] = 8;
}

static void complete(struct env *e, u32 in)
{
	e->info->frame = e->frame;
	e->space = e->info->space = in;
	e->cr3 = (u64)in << ARIL_PAGE_SHIFT;
	for (u32 cpu = 0; cpu < ARIL_MAX_CPUS; cpu++) {
		e->ctx[cpu].env = e;
		e->ctx[cpu].cpu = cpu;
	}
}

/* A space with three bindings of one page, the last under its second guard; an env in it with a context. */
static void start(void)
{
	free(grant_books);
	free(slices);
	grant_books = calloc(ARIL_MAX_GRANTS, sizeof(*grant_books));
	slices = calloc(2 * ARIL_SLICES, sizeof(*slices));
	fake_reset();
	memset(accounts, 0, ARIL_MAX_ACCOUNTS * sizeof(*accounts));
	top = &accounts[ARIL_ACCOUNT_ROOT & 0xffff];
	top->limit[ARIL_QUOTA_WORK] = top->limit[ARIL_QUOTA_FLUSHES] = ~0u;
	mine = &accounts[MINE];
	root = fake_open("", ARIL_ALL, ~0ul);
	weak = fake_open("", ARIL_ALL & ~ARIL_OWN, ~0ul);
	u32 dom = fake_open("dom", ARIL_ALL, ~0ul), lend = fake_open("lend", ARIL_READ, ~0ul);
	space = fake_space(root, VA, &leaf);
	page = fake_frame();
	other = fake_frame();
	context = fake_frame();
	handler_page = fake_frame();
	ring_frame = fake_frame();
	SAME(fake_set_guard(root, page, 0, fake_guard("dom", ARIL_ALL, 0)), 1);
	SAME(fake_set_guard(root, page, 1, fake_guard("lend", ARIL_READ, 0)), 1);
	SAME(fake_op(root, space, ARIL_BIND, VA, page, 1, ARIL_BIND_WRITE, dom), 1);
	SAME(fake_op(root, space, ARIL_BIND, VA + 4096, page, 1, 0, dom), 1);
	SAME(fake_op(root, space, ARIL_BIND, VA + 8192, page, 1, 0, lend), 1);
	SAME(fake_op(root, space, ARIL_BIND, VA + 16384, FAKE_DEVICE, 1, 0, root),
	     -ARIL_E_FRAME); /* not granted */
	SAME(fake_op(root, space, ARIL_BIND, VA + 12288, other, 1, ARIL_BIND_WRITE, root), 1);
	complete(fake_cpu.env, space);
	frames[space].users++;
	env = fake_env(1, space);
	complete(env, space);
	fake_context(env, 0, context);
	env->ctx[0].page = frame_memory(context);
	env->info->contexts = 1;
	frame_pin(ring_frame);
	frame_pin(handler_page);
	top->handler = env->id;
	env->handles = 1;
	top->handler_frame = handler_page;
	fake_cpu.ctx = NULL;
	charge();
}

/* The whole audit of a noun. */
static struct aril_check audit(u32 noun)
{
	struct aril_check out, sum = {.checked = 0};
	s64 next = 0;

	for (int steps = 0; steps < 1000; steps++) {
		memset(&out, 0xee, sizeof(out));
		next = call_check(root, noun, (u64)next, &out);
		if (next < 0)
			abort();
		out.checked += sum.checked;
		if (!sum.wrong)
			sum = out;
		sum.checked = out.checked;
		if (!next)
			return sum;
	}
	abort();
}

/* The noun's audit says that, in these words, of that object. */
static int says(u32 noun, const char *what, u32 which)
{
	struct aril_check found = audit(noun);

	if (found.wrong && found.which == which && !strncmp(found.what, what, strlen(what)))
		return 1;
	printf("wanted %u: %s; got %u of %u: %s\n", which, what, found.wrong, found.which,
	       found.what);
	return 0;
}

/* Falsifies something in a machine that was right, and expects the words. */
#define FALSE(falsify, noun, what, which)       \
	do {                                    \
		start();                        \
		falsify;                        \
		CHECK(says(noun, what, which)); \
	} while (0)

static u64 *entry_at(u64 va)
{
	return space_entry(space, va, 1);
}

static u64 *shadow_at(u32 index)
{
	return (u64 *)frame_memory(frames[leaf].partner) + index;
}

static void clean(void)
{
	start();
	for (u32 noun = 1; noun < ARIL_NOUNS; noun++) {
		struct aril_check found = audit(noun);

		SAME(found.wrong, 0);
		SAME(found.what[0], 0);
	}
	SAME(audit(ARIL_NOUN_FRAME).checked, nframes);
	SAME(audit(ARIL_NOUN_SPACE).checked, 4);
	SAME(audit(ARIL_NOUN_ENV).checked, 2);
	SAME(audit(ARIL_NOUN_ACCOUNT).checked, 2);
	BOOKS();
}

static void call_arguments(void)
{
	struct aril_check out;

	start();
	u32 dom = fake_open("dom", ARIL_ALL, ~0ul);
	SAME(call_check(root ^ 16, ARIL_NOUN_FRAME, 0, &out), -ARIL_E_CAP);
	SAME(call_check(dom, ARIL_NOUN_FRAME, 0, &out), -ARIL_E_RIGHTS);
	SAME(call_check(weak, ARIL_NOUN_FRAME, 0, &out), -ARIL_E_RIGHTS);
	SAME(call_check(root, 0, 0, &out), -ARIL_E_RANGE);
	SAME(call_check(root, ARIL_NOUNS, 0, &out), -ARIL_E_RANGE);
	SAME(call_check(root, ARIL_NOUN_FRAME, 0, BAD_ADDRESS), -ARIL_E_ADDR);
	for (u32 noun = 1; noun <= ARIL_NOUN_ENV;
	     noun++) { /* beyond the end: nothing, and no harm */
		SAME(call_check(root, noun, nframes + 70000, &out), 0);
		SAME(call_check(root, noun, 1ul << 40, &out), 0);
		SAME(out.checked, 0);
	}
}

static void frame_lists(void)
{
	u32 id = 0;

#define F(falsify, what, which) FALSE(falsify, ARIL_NOUN_FRAME, what, which)
	F(frames[page].refs++, "refs", page);
	F(frames[page].refs--, "refs", page);
	F(frames[page].head = 0, "refs of a frame without", page);
	F(frames[other].head = frames[page].head, "its list names", other);
	F(frames[other].head = nframes * 512, "its list names", other);
	F(frames[other].head = page * 512, "its list names", other);
	F(*entry_at(VA) = 0, "its list names", page);
	F(*entry_at(VA) ^= 1ul << 14, "its list names", page);
	F(*shadow_at(0) ^= 1ul << 40, "a link back", page);
	F(*shadow_at(2) = 0, "its list names", page);
	start();
	id = frames[page].head;
	F(*entry_at(VA + ((id & 511) << 12)) |= PTE_GUARD1, "order of guards", page);
	F(*shadow_at(frames[page].head & 511) ^= 1ul << 33, "the list's last", page);
	start();
	id = leaf * 512 + 2;
	F(frames[page].head = id, "order of guards", page); /* begins with the one under guard 1 */
	F(frames[frames[leaf].partner].partner = 0, "partner", leaf);
	F(frames[leaf].partner = nframes, "partner", leaf);
}

static void frame_states(void)
{
	F(frames[other].state = 77, "state", other);
	F(frames[other].flags = 1 << 15, "flags", other);
	F(frames[other].level = 1, "level", other);
	F(frames[leaf].level = 4, "level", leaf);
	F(frames[space].level = 3, "level", space);
	F(frames[other].partner = 3, "partner", other);
	F(frames[env->frame].partner++, "partner", env->frame);
	F(env->info->frame++, "partner", env->frame);
	F(frames[space].users--; frames[context].pins = 0;
	  env->info->state = ARIL_ENV_DEAD, "partner", env->frame);
	F(frames[other].state = ARIL_FRAME_PART, "partner", other);
	F(frames[other].state = ARIL_FRAME_CACHE, "partner", other);
	F(frames[other].state = ARIL_FRAME_POOL, "partner", other);
	F(frames[other].state = ARIL_FRAME_STLB, "partner", other);
	F(frames[other].state = ARIL_FRAME_REGION, "partner", other);
	F(frames[other].state = ARIL_FRAME_BOOK, "partner", other);
	F(frames[other].state = ARIL_FRAME_SHADOW, "partner", other);
	F(frames[512].level = 2, "parts of a large frame", 512); /* beyond memory */
	F(frames[513].level = 2, "parts of a large frame", 513); /* not aligned */
	F(frames[0].level = 2; frames[0].state = ARIL_FRAME_NORMAL, "parts of a large frame", 0);
	F(frames[page].guard[0].rights = 1 << 30, "guards", page);
	F(frames[page].guard[0].len = 99, "guards", page);
	F(frames[page].guard[0].rights = ARIL_READ, "guards", page);
	F(frames[page].state = ARIL_FRAME_QUEUE, "bindings of a frame in kernel", page);
	F(frames[context].pins++, "pins", context);
	F(frames[context].pins = 0; frames[other].pins = 1, "pins", other);
	F(frames[ring_frame].pins++, "pins", ring_frame);
	F(frames[handler_page].pins++, "pins", handler_page);
	F(frames[handler_page].pins--;
	  frames[handler_page].flags |= ARIL_FRAME_LOST, "quarantined", handler_page);
	F(frames[context].state = ARIL_FRAME_QUEUE, "pins of a frame in kernel", context);
	F(frames[space].users++, "users of a space", space);
	F(frames[other].users++, "users of what is no space", other);
}

static void frame_charges(void)
{
	F(frames[other].account = 999, "account of a frame: no such", other);
	F(frames[other].account = 7, "account of a frame: nobody", other);
	F(frames[FAKE_KERNEL].account = 1, "account of a frame that is", FAKE_KERNEL);
	F(frames[leaf].account = 0, "a frame with kernel state is charged", leaf);
	F(frames[page].account = 0, "a free frame has a guard", page);
	F(frames[other].account = 0, "a free frame is bound", other);
	F(frames[context].account = 0, "a free frame is bound or pinned", context);
}

static void spaces(void)
{
#define S(falsify, what) FALSE(falsify, ARIL_NOUN_SPACE, what, leaf)
	S(*entry_at(VA) |= 1ul << 8, "bits in a leaf"); /* global */
	S(*entry_at(VA) |= PTE_PS, "bits in a leaf");
	S(*entry_at(VA) &= ~PTE_U, "a writable entry that is the supervisor's");
	S(*entry_at(VA) = 1ul << 61 | PTE_P, "bits in a leaf");
	S(*entry_at(VA + 4096) |= PTE_W;
	  frames[page].guard[0].rights = ARIL_READ | ARIL_OWN, "a binding allows more");
	S(*entry_at(VA + 4096) &= ~PTE_NX;
	  frames[page].guard[0].rights = ARIL_READ | ARIL_WRITE, "a binding allows more");
	S(frames[page].guard[0].rights = ARIL_OWN, "a binding allows more");
	S(frames[page].guard[1].rights = 0, "a binding under a guard that is not");
	S(frames[other].state = ARIL_FRAME_QUEUE, "a frame in kernel state");
	S(frames[other].state = ARIL_FRAME_REGION, "a writable binding");
	S(frames[other].level = 2, "an entry's size");
	S(*entry_at(VA + 20480) = (u64)FAKE_DEVICE << 12 | PTE_P | PTE_U | PTE_NX, "device memory");
	S(*entry_at(VA + 20480) = (u64)FAKE_ABSENT << 12 | PTE_P | PTE_U | PTE_NX, "device memory");
	S(*entry_at(VA + 20480) = (u64)other << 12 | PTE_P | PTE_U | PTE_NX,
	  "an entry without a shadow");
	S(*entry_at(VA + 20480) = PTE_W, "an entry that is not present");
	S(*shadow_at(9) = 1, "a shadow word without");
	S(*shadow_at(0) ^= 1, "an entry's ");
	S(*shadow_at(0) ^= 1ul << 32, "an entry's ");
	S(*shadow_at(0) = (u64)(leaf * 512) << 32 | (leaf * 512), "an entry's ");
	S(frames[page].head = leaf * 512 + 2, "an entry under guard 1");
	start();
	frames[page].guard[0].rights = ARIL_OWN; /* being broken: it may be so yet */
	frames[page].flags |= ARIL_FRAME_BREAKING(0);
	SAME(audit(ARIL_NOUN_SPACE).wrong, 0);
	start();
	grant_books[9] = (struct aril_grant){
		.env = env->id, .kind = ARIL_GRANT_MEMORY, .first = FAKE_DEVICE, .count = 2};
	*entry_at(VA + 20480) = (u64)FAKE_DEVICE << 12 | PTE_P | PTE_U | PTE_NX;
	CHECK(says(ARIL_NOUN_SPACE, "device memory bound without books", leaf));
	*shadow_at(5) = (u64)(leaf * 512 + 5) << 32 | (leaf * 512 + 5); /* the grant's list */
	SAME(audit(ARIL_NOUN_SPACE).wrong, 0);
}

static void tables(void)
{
	u32 level2, level3;

	start();
	level2 = (u32)(*space_entry(space, VA, 3) >> 12) & 0xffffff;
	level3 = (u32)(*space_entry(space, VA, 4) >> 12) & 0xffffff;
#define T(falsify, what, which) FALSE(falsify, ARIL_NOUN_SPACE, what, which)
	T(*space_entry(space, VA, 2) &= ~PTE_U, "bits in an entry that names", level2);
	T(*space_entry(space, VA, 2) |= PTE_NX, "bits in an entry that names", level2);
	T(*space_entry(space, VA, 2) |= PTE_ADDR, "an entry names a table beyond", level2);
	T(frames[leaf].level = 2, "an entry names what is no table", level2);
	T(*space_entry(space, VA, 3) = (u64)leaf << 12 | 7, "an entry names what is no table",
	  level3);
	T(frames[leaf].partner = nframes, "partner of a table", leaf);
	T(*space_entry(space, VA, 4) = 0, "a shadow word without", space);
	T(((u64 *)frame_memory(space))[ARIL_PML4_SELF] |= PTE_W, "an entry of a root's upper",
	  space);
	T(((u64 *)frame_memory(space))[300] = 7, "an entry of a root's upper", space);
	start();
	((u64 *)frame_memory(space))[ARIL_PML4_SELF] |= PTE_A; /* the CPU's doing */
	*space_entry(space, VA, 2) |= PTE_A;
	*entry_at(VA) |= PTE_A | PTE_D;
	SAME(audit(ARIL_NOUN_SPACE).wrong, 0);
}

static void envs(void)
{
	struct context ctx;

#define E(falsify, what) FALSE(falsify, ARIL_NOUN_ENV, what, 2)
	E(env->info->state = 9, "an env's state");
	E(env->info->id = 3, "an env's id");
	E(env->info->frame = other, "an env's frame is not");
	E(env->info->frame = fake_env(2, 0)->frame, "an env's frame is another's");
	E(frames[env->frame].partner++, "an env's frame is another's");
	E(env->frame++, "an env's frame does not say");
	E(env->info->space++, "an env's space");
	E(env->space = env->info->space = other, "an env's space");
	E(env->cr3 += 4096, "an env runs in another");
	E(env->ctx[0].state = 9, "a context's state");
	E(env->ctx[5].state = CTX_READY, "a context on a CPU");
	E(env->ctx[0].state = CTX_NONE, "a context that is not there");
	E(env->ctx[0].cpu = 1, "a context is another's");
	E(env->ctx[0].frame = leaf, "a context's page is not memory");
	E(frames[context].pins = 0, "a context's page is not pinned");
	E(env->ctx[0].page = frame_memory(other), "a context's page is seen");
	E(env->ctx[0].state = CTX_RUNNING, "a context's CPU");
	E(ctx = env->ctx[0]; fake_cpu.ctx = &env->ctx[0], "a context's CPU");
	E(env->info->gate = 1, "an env's gate");
	E(env->info->contexts = 3, "an env's contexts");
	E(env->nports = 2, "an env's list of ports has");
	E(grant_books[5].env = 0, "an env's list of ports is not");
	(void)ctx;
}

static void account_books(void)
{
#define A(falsify, what, which) FALSE(falsify, ARIL_NOUN_ACCOUNT, what, which)
	A(mine->id = 0x20003, "an account's id", MINE);
	A(mine->guard.len = 77, "an account's guard", MINE);
	A(mine->parent = 9; top->used[ARIL_QUOTA_ACCOUNTS] = 0, "an account's parent", MINE);
	A(top->handler = 0x70007, "an account's handler", 1);
	A(env->handles = 0, "its handler does not know", 1);
	A(mine->used[ARIL_QUOTA_FRAMES]++, "frames charged", MINE);
	A(frames[other].account = 1, "frames charged", 1);
	A(mine->used[ARIL_QUOTA_ENVS]--, "envs charged", MINE);
	A(env->info->account = 1, "envs charged", 1);
	A(slices[4].account = MINE, "slices charged", MINE);
	A(grant_books[5].account = 0, "grants charged", MINE);
	A(mine->used[ARIL_QUOTA_RINGS] = 0, "rings charged", MINE);
	A(top->used[ARIL_QUOTA_ACCOUNTS] = 0, "accounts charged", 1);
	A(mine->kept = 0, "frames kept", MINE);
	A(mine->limit[ARIL_QUOTA_FRAMES] = 3, "frames charged", MINE);
	start();
	SAME(audit(ARIL_NOUN_ACCOUNT).wrong, 0);
	mine->limit[ARIL_QUOTA_ENVS]++; /* from nowhere */
	CHECK(says(ARIL_NOUN_ACCOUNT, "sum of all limits", ARIL_QUOTA_ENVS));
	start();
	env->handles = 2;
	CHECK(says(ARIL_NOUN_ACCOUNT, "accounts that it answers for", env->id));
}

/* What is recounted already follows what changes meanwhile. */
static void recount(void)
{
	start();
	audit_counted = nframes / 2;
	audit_before(3);
	frames[3].account = MINE;
	frames[3].flags |= ARIL_FRAME_KEEP;
	audit_after(3);
	audit_before(3);
	frames[3].account = 0;
	frames[3].flags = 0;
	audit_after(3);
	audit_counted = 0;
	SAME(audit(ARIL_NOUN_ACCOUNT).wrong, 0);
}

static const struct test tests[] = {
	TEST(clean),	     TEST(call_arguments), TEST(frame_lists), TEST(frame_states),
	TEST(frame_charges), TEST(spaces),	   TEST(tables),      TEST(envs),
	TEST(account_books), TEST(recount),
};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}
