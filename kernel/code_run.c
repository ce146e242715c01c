/* SPDX-License-Identifier: MIT
 * Running code.
 *
 * Compiled code is a function of the C calling convention (ext/ext.h), proved to stay within its memory, its stack and its
 * bound; it lies at its place in the kernel's map of memory. A handler's budget is counted down by its own checkpoints; when
 * it is spent the run ends there, and its result is that of a handler that does nothing. An exception takes at most
 * ARIL_CODE_ENTRIES budgets, and as many guards. */
#include "account.h"
#include "arch.h"
#include "code.h"
#include "code_functions.h"
#include "util.h"
#include <aril/points.h>

typedef u64 entry_function(u64, u64, u64, u64, u64, struct ext_run *);

static inline entry_function *entry_of(u64 run)
{
	return (entry_function *)run;
}

/* Runs a handler; 0 where it was stopped: so compiled code returns then. For faults arch/x86_64/handler.S does the same. */
static u64 handler_run(const struct aril_code_slot *s, u64 run, u64 allowance, const void *event,
		       u64 second)
{
	struct aril_code_counts *counts = &code_book_of(s)->cpu[this_cpu()->id];
	struct ext_run *r = &code_runs[this_cpu()->id].run;

	r->budget = (s64)allowance;
	r->env[RUN_USE] = (u64)s;
	u64 result = entry_of(run)((u64)event, second, 0, 0, 0, r);
	counts->runs++;
	counts->left += (u64)r->budget;
	if (likely(!r->stopped))
		return result;
	r->stopped = 0;
	counts->stops++;
	return 0;
}

/* --- the points */

_Static_assert(sizeof(struct aril_fault) ==
		       sizeof(struct trap_frame) - __builtin_offsetof(struct trap_frame, vector),
	       "what a handler of faults sees is the end of the trap frame");

/* Whether its handler is asked: yes leads there, no behind it. */
static const struct aril_code_slot *guard_ask(const struct aril_code_slot *s, const void *event,
					      u64 address)
{
	struct aril_code_slot *own = (struct aril_code_slot *)s;
	u64 yes = entry_of(s->run)((u64)event, address, 0, 0, 0, &code_runs[this_cpu()->id].run);

	__atomic_add_fetch(&own->count[yes], 1, __ATOMIC_RELAXED);
	return (const struct aril_code_slot *)read_once(s->next[yes]);
}

/* Without a lock: what is met on the way stays until this CPU acknowledges a quiesce. */
int code_fault(const struct trap_frame *frame, u64 address)
{
	const struct aril_code_slot *s = read_once(this_cpu()->env->fault);

	while (s && s != &code_event_end) {
		if (s->point == ARIL_POINT_GUARD)
			s = guard_ask(s, &frame->vector, address);
		else if (handler_run(s, s->run, s->allowance, &frame->vector, address) ==
			 ARIL_FAULT_RESUME)
			return 1;
		else
			s = code_event_next(s);
	}
	return 0;
}

u32 code_victim(u32 slot, u32 first, u32 last, u32 wanted)
{
	struct aril_victim event = {.first = first, .last = last, .wanted = wanted};
	u32 ref = accounts[slot].victim;

	if (!ref)
		return 0;
	const struct aril_code *c = code_book(code_first(ref));
	return (u32)handler_run(code_slot(ref), c->run, c->allowance, &event, 0);
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
