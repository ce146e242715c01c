/* SPDX-License-Identifier: MIT
 * Threads and the kernel envs of processes. Family lock throughout. */
#include "linux.h"
#include "mem.h"
#include "mm.h"
#include "proc.h"
#include "sched.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>
#include <core/string.h>

#define XSAVE_AT 1024ul /* struct thread and its vector state share a page */
_Static_assert(sizeof(struct thread) <= XSAVE_AT, "struct thread");

/* MXCSR: all exceptions masked, as a program finds it; the rest, marked absent, loads as initial. */
u8 vector_initial[PAGE] __attribute__((aligned(64))) = {[24] = 0x80, [25] = 0x1f};

s64 proc_env_create(struct proc *p)
{
	struct aril_env_desc desc = {
		.space = p->mm->space,
		.flags = family.domain->flags & CORE_DOMAIN_LOG ? ARIL_ENV_LOG : 0,
		.entry = (u64)exos_entry,
	};
	u32 frame = frame_take();

	if (!frame)
		return -ENOMEM;
	s64 env = aril_env_create(family.auth, frame, &desc);
	if (env < 0) {
		frame_give(frame);
		return env == -ARIL_E_QUOTA ? -EAGAIN : -ENOMEM;
	}
	p->env = env;
	p->env_frame = frame;
	p->auth_open = 0;
	return 0;
}

s64 proc_context(struct proc *p, u32 cpu)
{
	if (p->ctx[cpu])
		return 0;
	struct aril_context *ctx = page_zalloc(0);
	if (!ctx)
		return -ENOMEM;
	s64 error = aril_env_context(family.auth, p->env, cpu, page_frame(ctx), (u64)ctx);
	if (error < 0)
		exos_panic("exos: context of process %u: error %ld", p->pid, (long)-error);
	p->ctx[cpu] = ctx;
	return 0;
}

void proc_env_destroy(struct proc *p)
{
	if (!p->env)
		return;
	frame_unbuild(p->env_frame);
	frame_give(p->env_frame);
	for (u32 cpu = 0; cpu < ARIL_MAX_CPUS; cpu++) {
		if (p->ctx[cpu])
			page_put(p->ctx[cpu]);
		p->ctx[cpu] = NULL;
	}
	p->env = 0;
	p->env_frame = 0;
}

void proc_env_respace(struct proc *p)
{
	s64 error = aril_env_space(family.auth, p->mm->space);

	if (error < 0)
		exos_panic("exos: space of process %u: error %ld", p->pid, (long)-error);
}

/* What thread_switch would have left: six registers and where to return. */
struct first_frame {
	u64 registers[6];
	void (*go)(void);
};

/* What a thread finds at its next START: empty registers, then go. */
static void thread_set(struct thread *t, void (*go)(void))
{
	struct first_frame *first =
		(struct first_frame *)(t->stack_top - sizeof(struct user_regs)) - 1;

	memset(first, 0, sizeof(*first));
	first->go = go;
	t->switch_rsp = (u64)first;
}

s64 proc_env_revive(struct proc *p)
{
	proc_env_destroy(p);
	s64 error = proc_env_create(p);
	if (!error)
		thread_set(p->thread, thread_killed);
	return error;
}

struct thread *thread_create(struct proc *p, const struct user_regs *regs)
{
	struct thread *t = page_zalloc(0);
	u8 *stack = page_alloc(2);

	if (!t || !stack) {
		if (t)
			page_put(t);
		if (stack)
			page_put(stack);
		return NULL;
	}
	t->self = t;
	t->proc = p;
	t->tid = p->pid;
	t->state = THREAD_NEW;
	t->xsave = (u8 *)t + XSAVE_AT;
	t->stack_top = (u64)stack + EXOS_STACK - 8; /* so that user_regs end on a multiple of 16 */
	list_init(&t->run);
	list_init(&t->timer);
	struct user_regs *own = (struct user_regs *)(t->stack_top - sizeof(*own));
	memset(own, 0, sizeof(*own));
	thread_set(t, thread_first);
	if (regs) {
		*own = *regs;
		own->rax = 0;
		own->orig_rax = ~0ul;
		vector_save(t->xsave);
		__asm__ volatile("rdfsbase %0" : "=r"(t->fs_base));
	} else {
		memcpy(t->xsave, vector_initial, PAGE - XSAVE_AT);
	}
	t->regs = own;
	p->thread = t;
	return t;
}

void thread_free(struct thread *t)
{
	page_put((void *)(t->stack_top + 8 - EXOS_STACK));
	page_put(t);
}
