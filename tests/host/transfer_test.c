/* SPDX-License-Identifier: MIT
 * Giving the CPU away: yield, gates on one CPU and between two, waiting and waking, and the audit of who is blocked.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/transfer.c kernel/gate.c kernel/wait.c */
#include "fake.h"

#include "account.h"

#include "boot.h"
#include "check.h"
#include "lock.h"
#include "slice.h"

#include <setjmp.h>

#define BUSY 77 /* what a call that gave up the CPU comes back with here */

struct cpu *cpus[ARIL_MAX_CPUS];
struct aril_info *info;
static struct aril_info the_info;
static struct cpu other_cpu;
static struct aril_context *page[4];
static struct env *self, *peer;
static jmp_buf left;
static u32 kicked, entered_cause, all, none;
static struct context *entered;
static u64 entered_from;

void smp_kick(u32 cpu)
{
	kicked = cpu + 1;
}

void arch_pass_registers(struct aril_forced *to, const struct trap_frame *frame)
{
	memset(to, 0, sizeof(*to));
	to->rbx = frame->rbx;
	to->rdi = frame->rdi;
}

int ctx_claim(struct context *ctx)
{
	if (ctx->state != CTX_READY)
		return 0;
	ctx->state = CTX_RUNNING;
	return 1;
}

void slice_install(struct context *ctx)
{
	fake_cpu.ctx = ctx;
	fake_cpu.env = ctx->env;
}

void slice_leave(void)
{
	fake_cpu.ctx->state = CTX_READY;
	fake_cpu.ctx = NULL;
	fake_cpu.env = NULL;
}

_Noreturn void slice_enter(struct context *ctx, u32 cause, u64 from)
{
	entered = ctx;
	entered_cause = cause;
	entered_from = from;
	slice_install(ctx);
	longjmp(left, 1);
}

_Noreturn void slice_next(void)
{
	entered = NULL;
	longjmp(left, 1);
}

/* The caller runs on CPU 0; peer has contexts on both, its gate open on both. */
static void start(void)
{
	for (u32 i = 0; env_infos && i < 32; i++) { /* queues outlive a test */
		struct env *env = env_get(env_infos[i].id);

		for (u32 cpu = 0; env && cpu < 2; cpu++)
			wait_forget(&env->ctx[cpu]);
	}
	fake_reset();
	info = &the_info;
	info->envs_frame = 0xfffffff0;
	for (u32 i = 0; i < 2; i++)
		cpus[i] = i ? &other_cpu : &fake_cpu;
	other_cpu = (struct cpu){.id = 1};
	fake_cpu.timers = NULL;
	self = fake_cpu.env;
	peer = fake_env(1, 0);
	for (u32 i = 0; i < 4; i++) {
		struct env *env = i < 2 ? self : peer;
		struct context *ctx = &env->ctx[i & 1];
		u32 frame = fake_frame();

		fake_context(env, i & 1, frame);
		page[i] = frame_memory(frame);
		memset(page[i], 0, 4096);
		page[i]->gate_open = 1;
		*ctx = (struct context){.page = page[i],
					.va = 0x10000 * (i + 1),
					.top = 0x10000 * (i + 1) + 4096,
					.env = env,
					.frame = frame,
					.cpu = i & 1,
					.state = CTX_READY};
	}
	env_gate_set(self, 0x111000);
	env_gate_set(peer, 0x222000);
	all = fake_open("", ARIL_ALL, ~0ul);
	none = fake_open("nobody", ARIL_ALL, ~0ul);
	for (u32 i = 1; i < FAKE_FRAMES; i++)
		if (frames[i].state == ARIL_FRAME_ENV)
			frames[i].guard[0] = fake_guard("", ARIL_ALL, 0);
	fake_cpu.ctx = &self->ctx[0];
	self->ctx[0].state = CTX_RUNNING;
	kicked = 0;
	entered = NULL;
}

static void become(struct env *env, u32 cpu)
{
	fake_cpu.id = cpu;
	fake_cpu.env = env;
	fake_cpu.ctx = &env->ctx[cpu];
	fake_cpu.ctx->state = CTX_RUNNING;
}

static s64 yield_to(u32 auth, u32 env)
{
	if (setjmp(left))
		return BUSY;
	return call_yield(auth, env);
}

static struct trap_frame frame;

static s64 gate(u32 auth, u32 env, u32 mode)
{
	frame = (struct trap_frame){
		.rdi = auth, .rsi = env, .rdx = mode, .rbx = 0xb, .r8 = 8, .rip = 0x333000};
	if (setjmp(left))
		return BUSY;
	return call_gate_frame(&frame);
}

static void yielding(void)
{
	start();
	SAME(yield_to(all, 0xffffff), -ARIL_E_ENV);
	SAME(yield_to(0xabcd, peer->id), -ARIL_E_CAP);
	SAME(yield_to(none, peer->id), -ARIL_E_RIGHTS);
	peer->ctx[0].state = CTX_NONE;
	SAME(yield_to(all, peer->id), -ARIL_E_CPU);
	peer->ctx[0].state = CTX_BLOCKED;
	SAME(yield_to(all, peer->id), -ARIL_E_STATE);
	SAME(self->ctx[0].state, CTX_RUNNING);
	peer->ctx[0].state = CTX_READY;
	SAME(yield_to(all, peer->id), BUSY);
	CHECK(entered == &peer->ctx[0] && self->ctx[0].state == CTX_READY);
	SAME(entered_cause, ARIL_START_YIELD);
	SAME(entered_from, self->id);
	start();
	SAME(yield_to(all, self->id), BUSY);
	CHECK(entered == &self->ctx[0]);
	start();
	SAME(yield_to(0, 0), BUSY);
	CHECK(!entered && self->ctx[0].state == CTX_READY);
}

static void gating(void)
{
	start();
	SAME(gate(all, peer->id, 2), -ARIL_E_RANGE);
	SAME(gate(all, peer->id, 0x1000000), -ARIL_E_RANGE);
	SAME(gate(all, peer->id, ARIL_GATE_CPU(2)), -ARIL_E_CPU);
	SAME(gate(all, peer->id, ARIL_GATE_CPU(150)), -ARIL_E_CPU);
	SAME(gate(all, 0xffffff, 0), -ARIL_E_ENV);
	SAME(gate(0xabcd, peer->id, 0), -ARIL_E_CAP);
	SAME(gate(none, peer->id, 0), -ARIL_E_RIGHTS);
	peer->ctx[0].state = CTX_NONE;
	SAME(gate(all, peer->id, 0), -ARIL_E_CPU);
	for (u32 state = CTX_RUNNING; state <= CTX_BLOCKED; state++) {
		peer->ctx[0].state = state;
		SAME(gate(all, peer->id, 0), -ARIL_E_CLOSED);
		SAME(peer->ctx[0].state, state);
	}
	peer->ctx[0].state = CTX_READY;
	page[2]->gate_open = 0;
	SAME(gate(all, peer->id, 0), -ARIL_E_CLOSED);
	page[2]->gate_open = 1;
	page[2]->forced = 1;
	SAME(gate(all, peer->id, 0), -ARIL_E_CLOSED);
	page[2]->forced = 0;
	/* what was allowed ends with closing, and with nothing else */
	u64 epoch = authority_epoch;
	env_gate_set(peer, 0x333000);
	SAME(authority_epoch, epoch);
	env_gate_set(peer, 0);
	SAME(authority_epoch, epoch + 1);
	SAME(gate(all, peer->id, 0), -ARIL_E_CLOSED);
	SAME(peer->ctx[0].state, CTX_READY);
	env_gate_set(peer, 0);
	env_gate_set(peer, 0x222000);
	SAME(authority_epoch, epoch + 1);
	SAME(gate(all, peer->id, ARIL_GATE_SYNC), 0);
	CHECK(fake_cpu.ctx == &peer->ctx[0] && frame.rip == 0x222000 && frame.rbx == 0xb &&
	      frame.r8 == 8);
	SAME(frame.rax, self->id);
	SAME(frame.rsp, peer->ctx[0].va + 4096);
	SAME(page[2]->mask, ARIL_MASK_ALL);
	SAME(self->ctx[0].donee, peer->id);
	u32 by_peer = fake_open("", ARIL_ALL, ~0ul);
	SAME(gate(by_peer, self->id, ARIL_GATE_CPU(0)), 0); /* this CPU named: the same */
	CHECK(fake_cpu.ctx == &self->ctx[0] && frame.rip == 0x111000);
	SAME(self->ctx[0].donee, 0);
	SAME(peer->ctx[0].donee, 0);
}

static struct aril_check audit(void)
{
	struct aril_check out = {.wrong = 0};

	for (u64 from = 0; (from = wait_audit(from, &out));)
		;
	return out;
}

static void far_refused(void)
{
	u32 far = ARIL_GATE_CPU(1);

	start();
	SAME(gate(all, 0xffffff, far), -ARIL_E_ENV);
	SAME(gate(0xabcd, peer->id, far), -ARIL_E_CAP);
	SAME(gate(none, peer->id, far), -ARIL_E_RIGHTS);
	peer->ctx[1].state = CTX_NONE;
	SAME(gate(all, peer->id, far), -ARIL_E_CPU);
	for (u32 state = CTX_RUNNING; state <= CTX_BLOCKED; state++)
		for (u32 sync = 0; sync < 2; sync++) {
			peer->ctx[1].state = state;
			SAME(gate(all, peer->id, far | sync), -ARIL_E_CLOSED);
			SAME(peer->ctx[1].state, state);
		}
	peer->ctx[1].state = CTX_READY;
	env_gate_set(peer, 0);
	SAME(gate(all, peer->id, far), -ARIL_E_CLOSED);
	env_gate_set(peer, 0x222000);
	page[3]->gate_open = 0;
	SAME(gate(all, peer->id, far | 1), -ARIL_E_CLOSED);
	page[3]->gate_open = 1;
	page[3]->forced = 1;
	SAME(gate(all, peer->id, far | 1), -ARIL_E_CLOSED);
	SAME(peer->ctx[1].state, CTX_READY);
	SAME(self->ctx[0].state, CTX_RUNNING);
	SAME(wait_lock.taken, 0);
	SAME(kicked, 0);
	fake_cpu.ctx = NULL; /* ended while it waited for the lock */
	SAME(gate(all, peer->id, far), BUSY);
	SAME(wait_lock.taken, 0);
	SAME(audit().wrong, 0);
}

static void far_asynchronous(void)
{
	start();
	SAME(gate(all, peer->id, ARIL_GATE_CPU(1)), 0);
	CHECK(fake_cpu.ctx == &self->ctx[0] && self->ctx[0].state == CTX_RUNNING);
	SAME(frame.rip, 0x333000);
	SAME(frame.rax | frame.rdi | frame.rsi | frame.rdx | frame.r8, 0);
	SAME(frame.rbx, 0xb);
	SAME(peer->ctx[1].state, CTX_READY);
	SAME(kicked, 2);
	SAME(page[3]->forced, 1);
	SAME(page[3]->mask, ARIL_MASK_ALL);
	SAME(page[3]->state.rip, 0x222000);
	SAME(page[3]->state.rsp, peer->ctx[1].va + 4096);
	SAME(page[3]->state.rax, (u64)ARIL_GATE_CPU(0) << 32 | self->id);
	SAME(page[3]->gate_caller, page[3]->state.rax);
	SAME(page[3]->state.rbx, 0xb);
	SAME(gate(all, peer->id, ARIL_GATE_CPU(1)), -ARIL_E_CLOSED); /* one arrival at a time */
}

/* A caller blocked on peer's context on CPU 1, which runs. */
static void block(void)
{
	start();
	SAME(gate(all, peer->id, ARIL_GATE_CPU(1) | ARIL_GATE_SYNC), BUSY);
	SAME(self->ctx[0].state, CTX_BLOCKED);
	SAME(self->ctx[0].gate_to, peer->id);
	CHECK(!fake_cpu.ctx && !fake_cpu.env && !wait_lock.taken);
	SAME(audit().wrong, 0);
	page[3]->forced = 0;
	become(peer, 1);
}

static void far_synchronous(void)
{
	/* answered from the other CPU, also by a synchronous gate: an answer waits for nothing */
	block();
	u32 by_peer = fake_open("", ARIL_ALL, ~0ul);
	SAME(gate(by_peer, self->id, ARIL_GATE_CPU(0) | ARIL_GATE_SYNC), 0);
	SAME(self->ctx[0].state, CTX_READY);
	SAME(self->ctx[0].gate_to, 0);
	SAME(self->ctx[0].start_cause, 0);
	SAME(page[0]->forced, 1);
	SAME(page[0]->state.rip, 0x111000);
	SAME(page[0]->state.rax, (u64)ARIL_GATE_CPU(1) << 32 | peer->id);
	CHECK(fake_cpu.ctx == &peer->ctx[1]);
	SAME(audit().wrong, 0);

	/* from the caller's own CPU */
	block();
	become(peer, 0);
	by_peer = fake_open("", ARIL_ALL, ~0ul);
	SAME(gate(by_peer, self->id, 0), 0);
	SAME(self->ctx[0].state, CTX_READY);
	SAME(page[0]->state.rax, peer->id);

	/* its gate is closed: it stays blocked */
	block();
	by_peer = fake_open("", ARIL_ALL, ~0ul);
	page[0]->gate_open = 0;
	SAME(gate(by_peer, self->id, ARIL_GATE_CPU(0)), -ARIL_E_CLOSED);
	SAME(self->ctx[0].state, CTX_BLOCKED);
	SAME(audit().wrong, 0);

	/* somebody else's answer is none */
	block();
	struct env *third = fake_env(2, 0);
	third->ctx[1] = peer->ctx[1];
	third->ctx[1].env = third;
	become(third, 1);
	u32 by_third = fake_open("", ARIL_ALL, ~0ul);
	SAME(gate(by_third, self->id, ARIL_GATE_CPU(0)), -ARIL_E_CLOSED);
	SAME(self->ctx[0].state, CTX_BLOCKED);
}

static void far_gone(void)
{
	/* the other context of peer is no matter */
	block();
	wait_gate_gone(peer, 0);
	SAME(self->ctx[0].state, CTX_BLOCKED);
	wait_gate_gone(peer, 1);
	SAME(self->ctx[0].state, CTX_READY);
	SAME(self->ctx[0].start_cause, ARIL_START_CLOSED);
	SAME(self->ctx[0].start_from, peer->id);
	SAME(self->ctx[0].gate_to, 0);
	block();
	gate_close(peer);
	SAME(self->ctx[0].state, CTX_READY);
	SAME(self->ctx[0].start_cause, ARIL_START_CLOSED);
	block(); /* the caller itself ends */
	SAME(wait_forget(&self->ctx[0]), 0);
	SAME(self->ctx[0].gate_to, 0);
	wait_gate_gone(peer, 1);
	SAME(self->ctx[0].start_cause, 0);
	SAME(audit().wrong, 0);
}

/* What befalls while this CPU waits for a lock, whose holder drops it then. */
static void (*meanwhile)(void);

void smp_poll(void)
{
	if (meanwhile)
		meanwhile();
	meanwhile = NULL;
	wait_lock.taken = object_lock.taken = 0;
}

static s64 waiting(u32 auth, u32 f, u32 offset, u32 expected, u64 deadline)
{
	if (setjmp(left))
		return BUSY;
	return call_wait(auth, f, offset, expected, deadline);
}

static void words(void)
{
	start();
	u32 f = fake_frame(), *word = frame_memory(f);
	frames[f].guard[0] = fake_guard("", ARIL_ALL, 0);
	word[1] = 5;
	SAME(waiting(all, f, 2, 0, 0), -ARIL_E_RANGE);
	SAME(waiting(all, f, 4096, 0, 0), -ARIL_E_RANGE);
	SAME(waiting(0xabcd, f, 4, 5, 0), -ARIL_E_CAP);
	SAME(waiting(none, f, 4, 5, 0), -ARIL_E_RIGHTS);
	SAME(waiting(all, FAKE_FRAMES, 4, 5, 0), -ARIL_E_FRAME);
	SAME(waiting(all, peer->frame, 4, 5, 0), -ARIL_E_STATE);
	SAME(waiting(all, f, 4, 6, 0), -ARIL_E_VALUE);
	page[0]->pending = ARIL_PEND_EVENT;
	SAME(waiting(all, f, 4, 5, 0), -ARIL_E_AGAIN);
	page[0]->pending = 0;
	SAME(wait_lock.taken, 0);
	SAME(waiting(all, f, 4, 5, 0), BUSY);
	SAME(self->ctx[0].state, CTX_BLOCKED);
	SAME(audit().wrong, 0);
	become(peer, 1);
	u32 by_peer = fake_open("", ARIL_ALL, ~0ul);
	SAME(call_wake(by_peer, f, 2, 1), -ARIL_E_RANGE);
	SAME(call_wake(0xabcd, f, 4, 1), -ARIL_E_CAP);
	SAME(call_wake(by_peer, f, 8, 1), 0);
	SAME(call_wake(by_peer, f, 4, 0), 0);
	u32 *limit = &accounts[peer->account].limit[ARIL_QUOTA_WORK], most = *limit;
	*limit = 2; /* of which both are spent */
	SAME(call_wake(by_peer, f, 4, 7), -ARIL_E_QUOTA);
	*limit = most;
	SAME(self->ctx[0].state, CTX_BLOCKED);
	SAME(call_wake(by_peer, f, 4, 7), 1);
	SAME(self->ctx[0].state, CTX_READY);
	SAME(self->ctx[0].start_cause, ARIL_START_WAKE);
	SAME(kicked, 1);
	info->envs_frame = f;
	SAME(call_wake(by_peer, f, 4, 1), -ARIL_E_RIGHTS);
}

static u32 lost;

static void lose(void)
{
	frames[lost].guard[0] = fake_guard("another", ARIL_ALL, 0);
}

static void die(void)
{
	fake_cpu.ctx = NULL;
	fake_cpu.env = NULL;
}

/* The right to a word goes while its caller waits for a lock: it must hear nothing of the word. */
static void lost_while_waiting(void)
{
	for (u32 i = 0; i < 2; i++) {
		start();
		lost = fake_frame();
		frames[lost].guard[0] = fake_guard("self", ARIL_ALL, 0);
		u32 own = fake_open("self", ARIL_ALL, 0), *word = frame_memory(lost);
		word[0] = 5;
		meanwhile = lose;
		object_lock.taken = 1;
		SAME(waiting(own, lost, 0, i ? 5 : 6, 0), -ARIL_E_RIGHTS);
		CHECK(!meanwhile);
		SAME(self->ctx[0].state, CTX_RUNNING);
		SAME(object_lock.taken | wait_lock.taken, 0);
	}
	meanwhile = die;
	object_lock.taken = 1;
	SAME(waiting(all, lost, 0, 5, 0), BUSY); /* something else runs */
	SAME(self->ctx[0].wait_key, 0);
	SAME(object_lock.taken, 0);
}

/* A frame that is waited on becomes an env, whose gate is closed: who waits on the word is no caller. */
static void stale_waiter(void)
{
	start();
	u32 f = fake_frame();
	frames[f].guard[0] = fake_guard("", ARIL_ALL, 0);
	*(u32 *)frame_memory(f) = 5;
	SAME(waiting(all, f, 0, 5, 0), BUSY);
	u32 before = peer->frame;
	peer->frame = f;
	wait_gate_gone(peer, 0);
	peer->frame = before;
	SAME(self->ctx[0].state, CTX_BLOCKED);
	SAME(audit().wrong, 0);
}

/* wake(n) lets n go, oldest first; deadlines end in their order. */
static void order(void)
{
	struct env *env[8];
	u32 f, *word;

	start();
	f = fake_frame();
	word = frame_memory(f);
	frames[f].guard[0] = fake_guard("", ARIL_ALL, 0);
	word[0] = 0;
	for (u32 i = 0; i < 8; i++) {
		env[i] = fake_env(10 + i, 0);
		env[i]->ctx[0] =
			(struct context){.page = page[0], .env = env[i], .state = CTX_READY};
		become(env[i], 0);
		u32 auth = fake_open("", ARIL_ALL, ~0ul);
		SAME(waiting(auth, f, 0, 0, 1000 + i * 5 % 8), BUSY);
	}
	SAME(audit().wrong, 0);
	become(peer, 0);
	u32 auth = fake_open("", ARIL_ALL, ~0ul);
	wait_expire(999);
	wait_expire(1001); /* 0 and 5: deadlines 1000, 1001 */
	for (u32 i = 0; i < 8; i++)
		SAME(env[i]->ctx[0].state, i == 0 || i == 5 ? CTX_READY : CTX_BLOCKED);
	SAME(env[5]->ctx[0].start_cause, ARIL_START_TIME);
	SAME(audit().wrong, 0);
	SAME(call_wake(auth, f, 0, 3), 3);
	for (u32 i = 0; i < 8; i++)
		SAME(env[i]->ctx[0].state, i < 4 || i == 5 ? CTX_READY : CTX_BLOCKED);
	SAME(call_wake(auth, f, 0, ~0u), 3);
	SAME(audit().wrong, 0);
	CHECK(!fake_cpu.timers);
}

/* What the audit finds when a book is falsified. */
static void audited(void)
{
	struct context *ctx, saved;

	block();
	ctx = &self->ctx[0];
	CHECK(audit().checked > 0);
	saved = *ctx;
	ctx->state = CTX_READY;
	CHECK(audit().wrong);
	*ctx = saved;
	ctx->wait_key += 4;
	CHECK(audit().wrong);
	*ctx = saved;
	ctx->wait_prev = &peer->ctx[0];
	CHECK(audit().wrong);
	*ctx = saved;
	ctx->gate_to = 0xffffff;
	CHECK(audit().wrong);
	*ctx = saved;
	self->info->state = ARIL_ENV_DYING;
	CHECK(audit().wrong);
	self->info->state = ARIL_ENV_ALIVE;
	peer->ctx[0].state = CTX_BLOCKED; /* in no queue */
	CHECK(audit().wrong);
	peer->ctx[0].state = CTX_READY;
	other_cpu.timers = ctx; /* without a deadline */
	CHECK(audit().wrong);
	other_cpu.timers = NULL;
	SAME(audit().wrong, 0);
	wait_forget(ctx);
}

int main(void)
{
	static const struct test tests[] = {TEST(yielding),	   TEST(gating),
					    TEST(far_refused),	   TEST(far_asynchronous),
					    TEST(far_synchronous), TEST(far_gone),
					    TEST(words),	   TEST(order),
					    TEST(audited),	   TEST(lost_while_waiting),
					    TEST(stale_waiter)};

	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
