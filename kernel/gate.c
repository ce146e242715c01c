/* SPDX-License-Identifier: MIT
 * Gates between CPUs. The callee's context on the other CPU must be idle there (READY) and open; it is not run from
 * here: the registers are left in its context page as forced state, and its own time resumes from there, at the
 * gate's entry. A synchronous caller is blocked, queued by the callee's context, until that env gates back to it,
 * which leaves the answer the same way; or until the callee or that context is gone.
 *
 * Invariants. (1) gate_to is an env's id exactly while a context is CTX_BLOCKED for an answer, queued by gate_key (wait.c);
 * changed under wait_lock. (2) A blocked caller's events pend: only the answer or the callee's end lets it go. */
#include "arch.h"
#include "frame.h"
#include "lock.h"
#include "revoke.h"
#include "slice.h"
#include "util.h"

/* Decodes: whose context is entered. What is returned is claimed: BLOCKED, so that its page stays. */
static s64 far_claim(const struct env *self, const struct trap_frame *frame, u32 cpu,
		     struct context **claimed)
{
	struct env *env = env_get(frame->rsi);

	if (!env)
		return -ARIL_E_ENV;
	const struct auth *a = auth_get(self, frame->rdi);
	if (!a)
		return -ARIL_E_CAP;
	if (frame_guard_for(env->frame, a, ARIL_CALL) < 0)
		return -ARIL_E_RIGHTS;
	struct context *to = &env->ctx[cpu];
	u32 ready = CTX_READY;
	if (read_once(to->state) == CTX_NONE)
		return -ARIL_E_CPU;
	if (!env_gate_open(env))
		return -ARIL_E_CLOSED;
	if (to->gate_to != self->id &&
	    !__atomic_compare_exchange_n(&to->state, &ready, CTX_BLOCKED, 0, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return -ARIL_E_CLOSED;
	*claimed = to;
	if (read_once(to->page->gate_open) && !read_once(to->page->forced))
		return 0;
	if (!to->gate_to)
		__atomic_store_n(&to->state, CTX_READY, __ATOMIC_RELEASE);
	return -ARIL_E_CLOSED;
}

/* Leaves the caller's registers in the callee's page, and lets it go. */
static void far_arrive(struct context *to, const struct env *self, const struct trap_frame *frame)
{
	struct aril_context *page = to->page;
	u64 from = (u64)ARIL_GATE_CPU(this_cpu()->id) << 32 | self->id;

	if (to->cpu == this_cpu()->id)
		from = self->id;
	arch_pass_registers(&page->state, frame);
	page->state.rip = to->env->gate;
	page->state.rsp = to->top;
	page->state.rax = from;
	write_once(page->gate_caller, from);
	write_once(page->mask, ARIL_MASK_ALL);
	write_once(page->forced, 1);
	if (to->gate_to) {
		wait_unblock(to, 0);
		return;
	}
	__atomic_store_n(&to->state, CTX_READY, __ATOMIC_RELEASE);
	smp_kick(to->cpu);
}

s64 gate_far(struct trap_frame *frame, u32 cpu)
{
	struct context *to;

	lock_take(&wait_lock); /* first: while it waits for it, envs may go */
	struct context *from = this_cpu()->ctx;
	if (!from) {
		lock_drop(&wait_lock);
		slice_next();
	}
	s64 error = far_claim(from->env, frame, cpu, &to);
	if (error) {
		lock_drop(&wait_lock);
		return error;
	}
	int waits = frame->rdx & ARIL_GATE_SYNC && !to->gate_to;
	far_arrive(to, from->env, frame);
	if (waits)
		wait_for_gate(from, to->env, cpu);
	lock_drop(&wait_lock);
	if (waits)
		slice_next();
	frame->rdi = frame->rsi = frame->rdx = frame->r8 = frame->r9 = frame->r10 = 0;
	frame->rax = 0;
	return 0;
}

void gate_close(struct env *env)
{
	env_gate_set(env, 0);
	for (u32 cpu = 0; cpu < ncpus; cpu++)
		wait_gate_gone(env, cpu);
	revoke_given(env->account, ARIL_REVOKE_GATES, env->id);
}

void gate_abort(struct env *env)
{
	gate_close(env);
	smp_quiesce(); /* calls that found it open are through */
	for (u32 slot = 0; slot < ARIL_MAX_ENVS; slot++) {
		struct env *caller = env_get(env_infos[slot].id);

		for (u32 cpu = 0; caller && cpu < ncpus; cpu++)
			if (read_once(caller->ctx[cpu].donee) == env->id)
				write_once(caller->ctx[cpu].donee, 0);
	}
}
