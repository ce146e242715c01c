/* SPDX-License-Identifier: MIT
 * Giving the CPU to a named env: directed yield, which passes nothing but time, and gates, which pass the
 * registers too. Both take no lock, on one CPU (gate.c has the others): what env_get returns stays valid until this CPU polls. */
#include "arch.h"
#include "boot.h"
#include "frame.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

/* Lets the short way (short.S) do again what was just allowed; not where ports come and go with the env, nor where
 * spaces have context ids: that is more than it does. epoch: authority_epoch before anything was checked. */
static void permit_note(struct permit *p, u32 auth, struct env *env, u64 epoch)
{
	struct cpu *cpu = this_cpu();

	if (!(cpu->env->nports | env->nports) && arch_space_plain())
		*p = (struct permit){auth, env->id, epoch, &env->ctx[cpu->id]};
}

s64 call_yield(u32 auth, u32 id)
{
	struct cpu *cpu = this_cpu();
	struct env *self = cpu->env;

	if (!id) {
		slice_leave();
		slice_next();
	}
	u64 epoch = __atomic_load_n(&authority_epoch, __ATOMIC_ACQUIRE);
	struct env *env = env_get(id);
	if (!env)
		return -ARIL_E_ENV;
	const struct auth *a = auth_get(self, auth);
	if (!a)
		return -ARIL_E_CAP;
	if (frame_guard_for(env->frame, a, ARIL_RUN) < 0)
		return -ARIL_E_RIGHTS;
	struct context *to = &env->ctx[cpu->id];
	if (to == cpu->ctx) { /* to itself: a fresh START */
		slice_leave();
		if (!ctx_claim(to))
			slice_next();
		slice_enter(to, ARIL_START_YIELD, self->id);
	}
	if (read_once(to->state) == CTX_NONE)
		return -ARIL_E_CPU;
	if (!ctx_claim(to))
		return -ARIL_E_STATE;
	permit_note(&cpu->ctx->yield, auth, env, epoch);
	slice_leave();
	slice_enter(to, ARIL_START_YIELD, self->id);
}

/* Reached only if the entry code did not route the call: never. */
s64 call_gate(u32 auth, u32 env, u32 mode)
{
	panic("gate %u %u %u without its frame", auth, env, mode);
}

s64 call_gate_frame(struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();
	struct context *from = cpu->ctx;
	struct env *self = cpu->env;
	u32 mode = frame->rdx;

	if (unlikely(mode > ARIL_GATE_SYNC)) {
		u32 far = (mode >> 8) - 1;

		if (mode & ~0xff01u || far > 0xff)
			return -ARIL_E_RANGE;
		if (far >= ncpus)
			return -ARIL_E_CPU;
		if (far != cpu->id)
			return gate_far(frame, far);
		mode &= ARIL_GATE_SYNC;
	}
	u64 epoch = __atomic_load_n(&authority_epoch, __ATOMIC_ACQUIRE);
	struct env *env = env_get(frame->rsi);
	if (!env)
		return -ARIL_E_ENV;
	const struct auth *a = auth_get(self, frame->rdi);
	if (!a)
		return -ARIL_E_CAP;
	if (frame_guard_for(env->frame, a, ARIL_CALL) < 0)
		return -ARIL_E_RIGHTS;
	struct context *to = &env->ctx[cpu->id];
	if (read_once(to->state) == CTX_NONE)
		return -ARIL_E_CPU;
	if (!env_gate_open(env))
		return -ARIL_E_CLOSED;
	if (!ctx_claim(to)) {
		if (read_once(to->gate_to) == self->id) /* the answer that it is blocked for */
			return gate_far(frame, cpu->id);
		return -ARIL_E_CLOSED;
	}
	/* Only what is claimed has a page that stays: another CPU may take a READY context away. */
	if (!read_once(to->page->gate_open) || read_once(to->page->forced)) {
		__atomic_store_n(&to->state, CTX_READY, __ATOMIC_RELEASE);
		return -ARIL_E_CLOSED;
	}
	permit_note(&from->gate, frame->rdi, env, epoch);
	if (to->donee == self->id)
		to->donee =
			0; /* the answer to its synchronous call: its slices are its own again */
	else if (mode)
		from->donee = env->id;
	slice_leave(); /* after this `from` may be taken away */
	slice_install(to);
	write_once(to->page->mask, ARIL_MASK_ALL);
	write_once(to->page->gate_caller, self->id);
	frame->rip = env->gate;
	frame->rsp = to->top;
	frame->rflags = 0x202;
	frame->rcx = frame->r11 = 0;
	frame->rax = self->id;
	return 0;
}
