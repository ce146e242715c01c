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
	return (entry_function *)c->run;
}

/* Runs a handler; 0 where it was stopped. For faults arch/x86_64/handler.S does the same. */
static u64 handler_run(u32 ref, const void *event, u64 second)
{
	struct aril_code *c = code_book(code_first(ref));
	u32 cpu = this_cpu()->id;
	struct ext_run *run = &code_runs[cpu].run;

	run->budget = (s64)c->allowance;
	run->stopped = 0;
	run->cpu = cpu;
	run->env[RUN_USE] = ref;
	u64 result = entry_of(c)((u64)event, second, 0, 0, 0, run);
	c->cpu[cpu].runs++;
	c->cpu[cpu].spent += c->budget - (u64)run->budget;
	if (likely(!run->stopped))
		return result;
	c->cpu[cpu].stops++;
	return 0;
}

/* --- the points */

_Static_assert(sizeof(struct aril_fault) ==
		       sizeof(struct trap_frame) - __builtin_offsetof(struct trap_frame, vector),
	       "what a handler of faults sees is the end of the trap frame");

int code_fault(const struct trap_frame *frame, u64 address)
{
	int served = 0;

	call_enter();
	const struct env *env = this_cpu()->env;
	if (env->fault)
		served = handler_run(env->fault, &frame->vector, address) == ARIL_FAULT_RESUME;
	lock_drop(&object_lock);
	return served;
}

u32 code_victim(u32 slot, u32 first, u32 last, u32 wanted)
{
	struct aril_victim event = {.first = first, .last = last, .wanted = wanted};
	u32 ref = accounts[slot].victim;

	return ref ? (u32)handler_run(ref, &event, 0) : 0;
}

u32 code_victim_cost(u32 slot)
{
	u32 ref = accounts[slot].victim;

	return ref ? code_book(code_first(ref))->budget : 0;
}

const char *code_name_at(u64 rip)
{
	u64 frame = (rip - ARIL_PHYS_VA) >> ARIL_PAGE_SHIFT;

	if (frame >= nframes || frames[frame].state != ARIL_FRAME_TEXT)
		return NULL;
	return code_book(frames[frame].partner)->name;
}
