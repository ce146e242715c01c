/* SPDX-License-Identifier: MIT
 * Upcalls of programs on core: what each vector means to them. */
#include <aril_stubs.h>
#include <aril/info.h>
#include <core/print.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define RED_ZONE 128
#define XSAVE_BYTES 832 /* of x87, SSE and AVX state: as much as struct aril_forced keeps */
#define XSAVE_PARTS 7

struct core_handlers core_handlers;
static struct core_cpu cpus[ARIL_MAX_CPUS];

s64 core_switch_wait(u32 auth, u32 frame, u32 offset, u32 expected, u64 deadline);
s64 core_switch_yield(u32 auth, u32 env);
s64 core_switch_code_wait(const struct aril_code_wait *desc);
_Noreturn void core_on_stack(u64 top, void (*f)(struct core_frame *), struct core_frame *argument);
void core_handle(struct core_frame *frame);
void core_handle_pending(struct core_frame *frame);
u64 core_first(struct aril_context *context);

static struct core_cpu *this_cpu(void)
{
	return (struct core_cpu *)core_context()->cookie;
}

/* A CPU's first START. Returns the stack for core_run. */
u64 core_first(struct aril_context *context)
{
	struct core_cpu *cpu = &cpus[context->cpu % ARIL_MAX_CPUS];

	cpu->mask = ARIL_MASK_ALL;
	cpu->context = context;
	context->cookie = (u64)cpu;
	return core_stack(context->cpu);
}

static void take_event(void)
{
	struct aril_context *context = core_context();

	__atomic_and_fetch(&context->pending, ~(u32)ARIL_PEND_EVENT, __ATOMIC_SEQ_CST);
	if (core_handlers.event)
		core_handlers.event(context);
}

static void take_revoke(void)
{
	struct aril_context *context = core_context();

	__atomic_and_fetch(&context->pending, ~(u32)ARIL_PEND_REVOKE, __ATOMIC_SEQ_CST);
	if (core_handlers.revoke)
		core_handlers.revoke(context);
}

/* On the interrupted thread's stack: gives up the CPU and goes on when it comes back. */
static void preempted_wait(struct core_frame *frame)
{
	u8 area[XSAVE_BYTES + 64];
	u8 *xsave = (u8 *)(((u64)area + 63) & ~63ul);
	struct core_cpu *cpu = this_cpu();
	u32 mask = cpu->mask;

	memset(xsave + 512, 0, 64); /* the XSAVE header */
	__asm__ volatile("xsave64 (%0)" : : "r"(xsave), "a"(XSAVE_PARTS), "d"(0) : "memory");
	cpu->mask = ARIL_MASK_ALL;
	core_switch_yield(0, 0);
	cpu->mask = mask;
	__asm__ volatile("xrstor64 (%0)" : : "r"(xsave), "a"(XSAVE_PARTS), "d"(0) : "memory");
	core_resume(frame);
}

/* The slice is over: moves the frame below the interrupted stack's red zone, since the next START is written
 * where it lies now. In the last instructions of core_resume that stack is the context's own: then the CPU
 * is kept, and the kernel takes it when the grace is over, keeping all. */
static void preempt(const struct core_frame *frame)
{
	if (frame->save.rsp - (u64)core_context() <= ARIL_PAGE_SIZE)
		return;
	u64 to = ((frame->save.rsp - RED_ZONE - sizeof(*frame)) & ~63ul);

	memcpy((void *)to, frame, sizeof(*frame));
	core_on_stack(to, preempted_wait, (struct core_frame *)to);
}

/* Lets the interrupted code fault again with all masked, so that the kernel ends the env and keeps the
 * cause. A trap, which would not come again, is turned back to its instruction. */
static void end_by(struct core_frame *frame)
{
	core_log("exception %lu at %#lx, address %#lx, error %#lx, stack %#lx", frame->save.vector,
		 frame->save.rip, frame->save.addr, frame->save.error, frame->save.rsp);
	this_cpu()->mask = ARIL_MASK_ALL;
	if (frame->save.vector == ARIL_VECTOR_SYSCALL)
		frame->save.rip -= 2;
	else if (frame->save.vector == 3)
		frame->save.rip -= 1;
	else if (frame->save.vector == 1 || frame->save.vector == 4)
		aril_env_exit(-(s64)frame->save.vector);
}

/* Every upcall but START, on the context's stack with all masked. Returns to go on with the frame. */
void core_handle(struct core_frame *frame)
{
	switch (frame->save.vector) {
	case ARIL_VECTOR_END:
		preempt(frame);
		break;
	case ARIL_VECTOR_EVENT:
		take_event();
		break;
	case ARIL_VECTOR_REVOKE:
		take_revoke();
		break;
	default:
		if (!core_handlers.exception || !core_handlers.exception(frame))
			end_by(frame);
	}
}

/* What came between the upcall and its end. */
void core_handle_pending(struct core_frame *frame)
{
	u32 pending = __atomic_load_n(&core_context()->pending, __ATOMIC_SEQ_CST);

	if (pending & ARIL_PEND_REVOKE)
		take_revoke();
	if (pending & ARIL_PEND_EVENT)
		take_event();
	if (pending & ARIL_PEND_END)
		preempt(frame);
}

void core_poll(void)
{
	struct aril_context *context = core_context();
	struct core_cpu *cpu = this_cpu();

	while (cpu->mask == ARIL_MASK_NONE) {
		u32 pending = __atomic_load_n(&context->pending, __ATOMIC_SEQ_CST);

		if (!pending)
			return;
		if (pending & ARIL_PEND_REVOKE) {
			context->mask = ARIL_MASK_ALL;
			/* an upcall may have come before that, and have taken it */
			if (__atomic_load_n(&context->pending, __ATOMIC_SEQ_CST) & ARIL_PEND_REVOKE)
				take_revoke();
			context->mask = ARIL_MASK_NONE;
		}
		if (pending & ARIL_PEND_EVENT) {
			context->mask = ARIL_MASK_ASYNC;
			if (__atomic_load_n(&context->pending, __ATOMIC_SEQ_CST) & ARIL_PEND_EVENT)
				take_event();
			context->mask = ARIL_MASK_NONE;
		}
		if (pending & ARIL_PEND_END)
			core_switch_yield(0, 0);
	}
}

static void set_mask(u32 mask)
{
	struct core_cpu *cpu = this_cpu();

	cpu->mask = mask;
	__atomic_store_n(&cpu->context->mask, mask, __ATOMIC_SEQ_CST);
}

void core_async_off(void)
{
	set_mask(ARIL_MASK_ASYNC);
}

void core_async_on(void)
{
	set_mask(ARIL_MASK_NONE);
	core_poll();
}

s64 core_wait(u32 auth, u32 frame, u32 offset, u32 expected, u64 deadline)
{
	s64 result = core_switch_wait(auth, frame, offset, expected, deadline);

	core_poll();
	return result;
}

s64 core_code_wait(const struct aril_code_wait *desc)
{
	s64 result = core_switch_code_wait(desc);

	core_poll();
	return result;
}

s64 core_yield(u32 auth, u32 env)
{
	s64 result = core_switch_yield(auth, env);

	core_poll();
	return result;
}

void core_sleep(u64 ns)
{
	const volatile struct aril_info *info = ARIL_INFO;
	u32 slot = core_context()->env & 0xffff;
	const volatile struct aril_env_info *self =
		(const volatile struct aril_env_info *)info->envs_va + slot;
	u64 at = slot * sizeof(*self) + __builtin_offsetof(struct aril_env_info, state);

	core_wait(0, info->envs_frame + (u32)(at >> ARIL_PAGE_SHIFT), at & (ARIL_PAGE_SIZE - 1),
		  self->state, core_now() + ns);
}
