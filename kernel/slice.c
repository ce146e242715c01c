/* SPDX-License-Identifier: MIT
 * Processor time. Each CPU walks its vector of slices; a position's env gets START, near its end END, and
 * has a grace in which to leave. Who does not leave is stopped by force, its state kept in its own context
 * page, and pays: the slice's owner forfeits as many slices as the grace is long, and an env of which one context
 * overruns CTX_STRIKES times in a row is ended (Engler, Kaashoek, O'Toole 1995: excess time).
 *
 * All of this is the CPU's own state, so no lock: another CPU changes it only by making a context READY
 * (wait.c) or by a quiesce. */
#include "slice.h"
#include "arch.h"
#include "boot.h"
#include "code_wait.h"
#include "frame.h"
#include "lock.h"
#include "revoke.h"
#include "space.h"
#include "util.h"

#define SLICE_US 10000ul /* unless the command line says aril.slice_us=; within these: */
#define SLICE_US_MIN 1000ul
#define SLICE_US_MAX 100000ul
#define GRACE_NS 5000000ul
#define CTX_STRIKES 100

struct aril_slice *slices;
static u64 slice_ns = SLICE_US * 1000;

void slice_expose(struct aril_info *i)
{
	u64 us = option_number(boot.cmdline, "aril.slice_us=", SLICE_US);

	slice_ns = min(max(us, SLICE_US_MIN), SLICE_US_MAX) * 1000;
	i->slice_ns = slice_ns;
	i->grace_ns = GRACE_NS;
}

/* READY -> RUNNING, if nobody took the context away meanwhile. */
int ctx_claim(struct context *ctx)
{
	u32 ready = CTX_READY;

	return __atomic_compare_exchange_n(&ctx->state, &ready, CTX_RUNNING, 0, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

void slice_timer_set(void)
{
	struct cpu *cpu = this_cpu();
	u64 at = 0;

	if (cpu->ctx)
		at = cpu->grace_end ? cpu->grace_end : cpu->slice_end;
	u64 deadline = 0;
	struct context *first;
	while ((first = read_once(cpu->timers)) && !(deadline = read_once(first->deadline)))
		; /* another CPU is taking it out of the list: what follows it is next */
	if (deadline && (!at || deadline < at))
		at = deadline;
	deadline = read_once(revoke_deadline);
	if (unlikely(deadline != ~0ul) && (!at || deadline < at))
		at = max(deadline, 1ul);
	timer_set(at);
}

void slice_install(struct context *ctx)
{
	struct cpu *cpu = this_cpu();
	struct env *env = ctx->env;

	cpu->ctx = ctx;
	cpu->env = env;
	/* An END of an earlier slice says nothing of this one; who gets the rest of a slice that is over must
	 * leave within the same grace, and hears of it. */
	if (cpu->grace_end)
		__atomic_or_fetch(&ctx->page->pending, ARIL_PEND_END, __ATOMIC_RELAXED);
	else if (read_once(ctx->page->pending) & ARIL_PEND_END)
		__atomic_and_fetch(&ctx->page->pending, ~(u32)ARIL_PEND_END, __ATOMIC_RELAXED);
	arch_load_space(env->cr3);
	if (env->nports || cpu->ports_of)
		arch_load_ports(env);
	info->cpu[cpu->id].env = env->id;
	info->cpu[cpu->id].switches++;
}

void slice_leave(void)
{
	struct cpu *cpu = this_cpu();
	struct context *ctx = cpu->ctx;

	ctx->strikes = 0; /* it left by itself */
	cpu->ctx = NULL;
	cpu->env = NULL;
	__atomic_store_n(&ctx->state, CTX_READY, __ATOMIC_RELEASE);
}

/* Where in ctx's page its next save area ends: at the stack's top, or below rsp when rsp is in it; 0: no room. */
static u64 save_top(const struct context *ctx, u64 rsp)
{
	u64 top = rsp - ctx->va;

	if (top < ARIL_CTX_STACK_LOW || top > ARIL_CTX_STACK_TOP)
		top = ARIL_CTX_STACK_TOP;
	top &= ~15ul;
	return top < ARIL_CTX_STACK_LOW + ARIL_SAVE_BYTES ? 0 : top;
}

/* Puts a save area there. Returns the library's address of it, or 0 when there is no room. */
static u64 save_push(struct context *ctx, const struct aril_save *save, u64 rsp)
{
	u64 top = save_top(ctx, rsp);

	if (!top)
		return 0;
	top -= ARIL_SAVE_BYTES;
	struct aril_context *page = ctx->page;
	u64 seq = page->seq | 1;

	write_once(page->seq, seq);
	struct aril_save *to = (struct aril_save *)((u8 *)page + top);
	*to = *save;
	to->seq = seq + 1;
	to->keys = unlikely(space_keys) ? arch_keys_open() : 0;
	write_once(page->mask, ARIL_MASK_ALL);
	__atomic_store_n(&page->seq, seq + 1, __ATOMIC_RELEASE);
	ctx->env->info->upcalls++;
	return ctx->va + top;
}

_Noreturn void slice_enter(struct context *ctx, u32 cause, u64 from)
{
	slice_install(ctx);
	slice_timer_set();
	arch_clear_registers();
	if (read_once(ctx->page->forced)) {
		struct trap_frame frame;

		write_once(ctx->page->forced, 0);
		if (arch_load_forced(&ctx->page->state, &frame))
			env_end_current(ARIL_END_FAULT, 0);
		upcall_deliver_pending(&frame);
		arch_return_frame(&frame);
	}
	ctx->start_cause = 0; /* told now, or overtaken by this one */
	struct aril_save save = {.vector = ARIL_VECTOR_START, .error = cause, .addr = from};

	arch_enter_user(ctx->env->entry, save_push(ctx, &save, 0));
}

/* Who runs in the owner's slice: it, or whom it is waiting for behind a synchronous gate. */
static struct context *slice_candidate(struct cpu *cpu, struct env *owner)
{
	struct context *ctx = &owner->ctx[cpu->id];

	for (u32 hops = 0; ctx->donee && hops < 8; hops++) {
		struct env *donee = env_get(ctx->donee);

		/* the callee is dead, or gone from this CPU: its caller goes on, and finds out */
		if (!donee || read_once(donee->ctx[cpu->id].state) == CTX_NONE) {
			ctx->donee = 0;
			break;
		}
		ctx = &donee->ctx[cpu->id];
	}
	return read_once(ctx->state) == CTX_READY ? ctx : NULL;
}

/* Whether the owner has a slice to forfeit: this one then. Other CPUs may be at the same count. */
static int excess_pay(struct env *owner)
{
	u64 excess = read_once(owner->info->excess);

	while (excess && !__atomic_compare_exchange_n(&owner->info->excess, &excess, excess - 1, 0,
						      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return excess != 0;
}

/* One walk of the vector from the position after the last. Enters the first that can run; returns whether
 * there was one that could but forfeited its slice. */
static int slice_scan(struct cpu *cpu)
{
	int forfeited = 0;
	struct aril_slice *vector = &slices[cpu->id * ARIL_SLICES];

	for (u32 i = 1; i <= ARIL_SLICES; i++) {
		u32 position = (cpu->position + i) % ARIL_SLICES;
		struct aril_slice *slice = &vector[position];

		u32 id = read_once(slice->env); /* once: another CPU may give it away meanwhile */
		struct env *owner = id ? env_get(id) : NULL;
		if (!owner)
			continue;
		struct context *ctx = slice_candidate(cpu, owner);
		if (!ctx)
			continue;
		if (excess_pay(owner)) {
			forfeited = 1;
			continue;
		}
		if (!ctx_claim(ctx))
			continue;
		cpu->position = position;
		cpu->owner = id;
		cpu->slice_end = time_now() + slice_ns;
		cpu->grace_end = 0;
		info->cpu[cpu->id].position = position;
		slice->runs++;
		if (ctx->start_cause)
			slice_enter(ctx, ctx->start_cause, ctx->start_from);
		slice_enter(ctx, ARIL_START_SLICE, 0);
	}
	return forfeited;
}

_Noreturn void slice_next(void)
{
	struct cpu *cpu = this_cpu();

	cpu->interrupted = NULL;
	cpu->ctx = NULL;
	cpu->env = NULL;
	for (;;) {
		write_once(cpu->kicked, 0);
		wait_expire(time_now());
		if (unlikely(time_now() >= read_once(revoke_deadline)))
			revoke_expire(time_now());
		if (slice_scan(cpu))
			continue;
		arch_load_space(arch_kernel_cr3());
		info->cpu[cpu->id].env = 0;
		slice_timer_set();
		if (read_once(cpu->kicked))
			continue;
		u64 since = time_now();
		arch_idle();
		info->cpu[cpu->id].idle_ns += time_now() - since;
	}
}

/* Takes the CPU from a context that did not leave within its grace. */
static _Noreturn void slice_force(struct cpu *cpu, struct context *ctx,
				  const struct trap_frame *frame)
{
	struct env *env = ctx->env;
	struct env *owner = env_get(cpu->owner);

	arch_save_forced(&ctx->page->state, frame);
	write_once(ctx->page->forced, 1);
	__atomic_add_fetch(&env->info->overruns, 1, __ATOMIC_RELAXED);
	if (owner)
		__atomic_add_fetch(&owner->info->excess, (GRACE_NS + slice_ns - 1) / slice_ns,
				   __ATOMIC_RELAXED);
	/* Who was given the CPU when the slice was over already had less than the grace: no strike. */
	if (cpu->warned == env->id && ++ctx->strikes >= CTX_STRIKES)
		env_end_current(ARIL_END_EXCESS, 0);
	cpu->ctx = NULL;
	cpu->env = NULL;
	__atomic_store_n(&ctx->state, CTX_READY, __ATOMIC_RELEASE);
	slice_next();
}

void slice_timer(struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();
	u64 now = time_now();

	wait_expire(now);
	if (unlikely(now >= read_once(revoke_deadline)))
		revoke_expire(now);
	struct context *ctx = cpu->ctx;
	if (!frame || !ctx) {
		slice_timer_set();
		return;
	}
	if (cpu->grace_end && now >= cpu->grace_end) {
		slice_force(cpu, ctx, frame);
	} else if (!cpu->grace_end && now >= cpu->slice_end) {
		cpu->grace_end = now + GRACE_NS;
		cpu->warned = ctx->env->id;
		__atomic_or_fetch(&ctx->page->pending, ARIL_PEND_END, __ATOMIC_RELAXED);
	}
	slice_timer_set();
}

/* An answer to come is not given up; who waits until a predicate holds hears of a revocation at once, and of an event
 * when it holds. */
static int wakes(struct context *ctx, u32 pend)
{
	s32 budget = CODE_WAKE_BUDGET;

	if (ctx->gate_to != WAIT_CODE)
		return !ctx->gate_to;
	return pend & ARIL_PEND_REVOKE || code_wait_over(ctx, &budget) != CODE_SLEEPS;
}

void upcall_post(struct context *ctx, u32 pend)
{
	struct cpu *cpu = this_cpu();

	__atomic_or_fetch(&ctx->page->pending, pend, __ATOMIC_SEQ_CST);
	lock_take(&wait_lock);
	if (ctx->state == CTX_BLOCKED && wakes(ctx, pend))
		wait_unblock(ctx, ARIL_START_EVENT);
	lock_drop(&wait_lock);
	if (ctx->cpu != cpu->id)
		smp_kick(ctx->cpu);
}

/* END has the least time; what else pends is one kind. */
static u32 pending_first(u32 pending)
{
	if (pending & ARIL_PEND_END)
		return ARIL_PEND_END;
	return pending & ARIL_PEND_REVOKE ? ARIL_PEND_REVOKE : ARIL_PEND_EVENT;
}

void upcall_deliver_pending(struct trap_frame *frame)
{
	struct context *ctx = this_cpu()->ctx;

	if (!ctx) /* it was ended by another CPU */
		slice_next();
	struct aril_context *page = ctx->page;
	u32 pending = read_once(page->pending);
	if (likely(!pending) || read_once(page->mask) != ARIL_MASK_NONE)
		return;
	u32 bit = pending_first(pending);
	struct aril_save save = {
		.vector = bit == ARIL_PEND_END	    ? ARIL_VECTOR_END
			  : bit == ARIL_PEND_REVOKE ? ARIL_VECTOR_REVOKE
						    : ARIL_VECTOR_EVENT,
		.rip = frame->rip,
		.cs = frame->cs,
		.rflags = frame->rflags,
		.rsp = frame->rsp,
		.ss = frame->ss,
	};
	if (!save_top(ctx, frame->rsp))
		return; /* now: it stays pending */
	if (bit == ARIL_PEND_REVOKE)
		save.error = revoke_kinds(ctx, &save.addr);
	u64 at = save_push(ctx, &save, frame->rsp);
	__atomic_and_fetch(&page->pending, ~bit, __ATOMIC_RELAXED);
	frame->rip = ctx->env->entry;
	frame->rsp = at;
	frame->rflags = 0x202;
}

void upcall_exception(struct trap_frame *frame, u64 addr)
{
	struct context *ctx = this_cpu()->ctx;
	struct aril_save save = {
		.vector = frame->vector,
		.error = frame->error,
		.addr = addr,
		.rip = frame->rip,
		.cs = frame->cs,
		.rflags = frame->rflags,
		.rsp = frame->rsp,
		.ss = frame->ss,
	};
	u64 at = 0;

	if (read_once(ctx->page->mask) != ARIL_MASK_ALL)
		at = save_push(ctx, &save, frame->rsp);
	if (unlikely(!at)) {
		struct aril_env_info *i = ctx->env->info;

		i->end_vector = frame->vector;
		i->end_error = frame->error;
		i->end_addr = addr;
		i->end_rip = frame->rip;
		i->end_rsp = frame->rsp;
		env_end_current(ARIL_END_FAULT, 0);
	}
	frame->rip = ctx->env->entry;
	frame->rsp = at;
	frame->rflags = 0x202;
}
