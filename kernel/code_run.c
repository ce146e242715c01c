/* SPDX-License-Identifier: MIT
 * Running code.
 *
 * Compiled code is a function of the C calling convention (ext/ext.h), proved to stay within its memory, its stack and its
 * bound; it lies at its place in the kernel's map of memory. A handler's budget is counted down by its own checkpoints; when
 * it is spent the run ends there, and its result is that of a handler that does nothing. */
#include "account.h"
#include "arch.h"
#include "call.h"
#include "code.h"
#include "code_functions.h"
#include "util.h"
#include <aril/points.h>

typedef u64 entry_function(u64, u64, u64, u64, u64, struct ext_run *);

static inline entry_function *entry_of(const struct aril_code *c)
{
	return (entry_function *)((u64)c + ARIL_PAGE_SIZE + c->entry);
}

/* Runs a handler on one argument; 0 where it was stopped. */
static u64 handler_run(u32 ref, u32 account, const void *event)
{
	struct aril_code *c = code_book(code_first(ref));
	u32 cpu = this_cpu()->id;
	struct ext_run *run = &code_runs[cpu].run;

	run->budget = (s64)c->budget - c->entry_cost;
	run->stopped = 0;
	run->cpu = cpu;
	run->env[RUN_SLOT] = (u64)code_slot(ref);
	run->env[RUN_ACCOUNT] = account;
	u64 result = entry_of(c)((u64)event, 0, 0, 0, 0, run);
	c->cpu[cpu].runs++;
	c->cpu[cpu].spent += c->budget - (u64)run->budget;
	if (likely(!run->stopped))
		return result;
	c->cpu[cpu].stops++;
	return 0;
}

/* --- the points */

int code_fault(const struct trap_frame *frame, u64 address)
{
	struct aril_fault event = {
		.address = address,
		.error = frame->error,
		.vector = frame->vector,
		.rip = frame->rip,
		.rsp = frame->rsp,
	};
	int served = 0;

	call_enter();
	const struct env *env = this_cpu()->env;
	if (env->fault)
		served = handler_run(env->fault, env->account, &event) == ARIL_FAULT_RESUME;
	lock_drop(&object_lock);
	return served;
}

u32 code_victim(u32 slot, u32 first, u32 last, u32 wanted)
{
	struct aril_victim event = {.first = first, .last = last, .wanted = wanted};
	u32 ref = accounts[slot].victim;

	return ref ? (u32)handler_run(ref, slot, &event) : 0;
}

u32 code_victim_cost(u32 slot)
{
	u32 ref = accounts[slot].victim;

	return ref ? code_book(code_first(ref))->budget : 0;
}

/* What a predicate sees of a page that is not given. */
static const u8 nothing[ARIL_PAGE_SIZE];

static inline u64 page_of(u32 frame)
{
	return frame ? (u64)frame_memory(frame) : (u64)nothing;
}

int code_holds(u32 ref)
{
	struct aril_code *c = code_book(code_first(ref));
	const struct aril_code_slot *s = code_slot(ref);
	u32 cpu = this_cpu()->id;

	c->cpu[cpu].runs++;
	return entry_of(c)(page_of(s->page[0]), page_of(s->page[1]), page_of(s->page[2]),
			   s->value[0], s->value[1], &code_runs[cpu].run) != 0;
}

const char *code_name_at(u64 rip)
{
	u64 frame = (rip - ARIL_PHYS_VA) >> ARIL_PAGE_SHIFT;

	if (frame >= nframes || frames[frame].state != ARIL_FRAME_TEXT)
		return NULL;
	return code_book(frames[frame].partner)->name;
}
