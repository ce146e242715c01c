/* SPDX-License-Identifier: MIT
 * The audit of downloaded code: how the kernel sees each frame of memory, the books of code, and both ends of each use. */
#include "account.h"
#include "arch.h"
#include "check.h"
#include "code.h"
#include "lock.h"
#include "util.h"

#define STEP_FRAMES 8192
#define STEP_BOOKS 16

/* How a frame in this state is seen at PHYS_VA. */
static u32 alias_should(u32 f)
{
	switch (frames[f].state) {
	case ARIL_FRAME_TEXT:
		return ARCH_ALIAS_TEXT;
	case ARIL_FRAME_CONSTANT:
		return ARCH_ALIAS_CONSTANT;
	default:
		return ARCH_ALIAS_DATA;
	}
}

/* The kernel's own image is in KERNEL frames, partly constant; ABSENT ones may not be mapped at all. */
static const char *alias_wrong(u32 f)
{
	u32 is = arch_alias_get(f);

	if (frames[f].state == ARIL_FRAME_ABSENT)
		return is == ARCH_ALIAS_TEXT ? "the kernel may execute what is no memory" : NULL;
	if (frames[f].state == ARIL_FRAME_KERNEL)
		return is == ARCH_ALIAS_TEXT
			       ? "the kernel may execute its own memory by a second address"
			       : NULL;
	if (is == alias_should(f))
		return NULL;
	if (frames[f].state == ARIL_FRAME_TEXT || frames[f].state == ARIL_FRAME_CONSTANT)
		return "sealed memory may be written, or its instructions not be run";
	return is == ARCH_ALIAS_TEXT ? "the kernel may execute memory that is not sealed"
				     : "the kernel cannot write a frame of memory";
}

/* A slot of a book that is a use of this env's exceptions; where the address is nowhere nothing is read. */
static int node_right(const struct aril_code_slot *s, const struct env *env)
{
	u64 at = (u64)s - (u64)phys(0);

	return at < (u64)nframes << ARIL_PAGE_SHIFT && !(at % sizeof(*s)) &&
	       frames[at >> ARIL_PAGE_SHIFT].state == ARIL_FRAME_CODE && s->target == env->id &&
	       (s->point == ARIL_POINT_GUARD || s->point == ARIL_POINT_FAULT);
}

/* An entry, from its first node: a handler that names it, perhaps behind a guard. */
static int entry_right(const struct aril_code_slot *node, const struct env *env)
{
	const struct aril_code_slot *handler = node;

	if (!node_right(node, env))
		return 0;
	if (node->point == ARIL_POINT_GUARD)
		handler = (const struct aril_code_slot *)node->next[1];
	return node_right(handler, env) && handler->point == ARIL_POINT_FAULT &&
	       handler->cpu == node->cpu && handler->next[1] == (u64)node;
}

/* The list of an event: entries of rising order, and the end. *orders: those that were met. */
static int event_right(const struct env *env, u32 *orders)
{
	const struct aril_code_slot *s = env->fault;
	u32 least = 0;

	*orders = 0;
	while (s && s != &code_event_end) {
		if (!entry_right(s, env) || s->cpu < least || s->cpu >= ARIL_CODE_ENTRIES)
			return 0;
		least = s->cpu + 1;
		*orders |= 1u << s->cpu;
		s = (const struct aril_code_slot *)s->next[0];
	}
	return !s == !*orders;
}

/* The entry of an event that has this slot. */
static const char *entry_wrong(struct env *env, const struct aril_code_slot *s)
{
	u32 orders;
	struct aril_code_slot *node =
		event_right(env, &orders) ? code_event_at(&env->fault, s->cpu) : NULL;

	if (!node || (s != node && s != code_event_handler(node)))
		return "an env does not name its code";
	const struct aril_code *c = code_book_of(s);
	const u8 *enter = s->point == ARIL_POINT_FAULT ? arch_event_handler
			  : c->keeps		       ? arch_event_guard_kept
						       : arch_event_guard;
	if (s->run != c->run || s->enter != (u64)enter)
		return "a use of code does not lead there";
	return NULL;
}

/* The env's event or account's word names the slot, or the context waits by it. */
static const char *use_wrong(u32 ref, const struct aril_code_slot *s)
{
	struct env *env = s->point == ARIL_POINT_VICTIM ? NULL : env_get(s->target);
	const struct aril_account *account =
		s->point == ARIL_POINT_VICTIM ? account_get(s->target) : NULL;

	if (s->point != code_book(code_first(ref))->point)
		return "a use of code at another point than it is for";
	if (!env && !account)
		return "a use of code by who is gone";
	if (account)
		return account->victim == ref ? NULL : "an account does not name its code";
	if (s->point != ARIL_POINT_PREDICATE)
		return entry_wrong(env, s);
	if (s->cpu >= ncpus || env->ctx[s->cpu].gate_to != WAIT_CODE ||
	    env->ctx[s->cpu].wait_auth != ref)
		return "a predicate without its context";
	return NULL;
}

static int run_whole(u32 first, u32 n)
{
	for (u32 f = first + 1; f < first + n; f++)
		if (f >= nframes || frames[f].partner != first ||
		    frames[f].state < ARIL_FRAME_TEXT || frames[f].state > ARIL_FRAME_DATA ||
		    frames[f].state < frames[f - 1].state)
			return 0;
	return 1;
}

static const char *book_wrong(u32 first)
{
	const struct aril_code *c = code_book(first);
	u32 uses = 0;

	if (!c->text || code_frames(c) > ARIL_CODE_FRAMES || !run_whole(first, code_frames(c)))
		return "the frames of code are not those of its book";
	if (!c->point || c->point >= ARIL_POINTS || c->entry >= c->text * ARIL_PAGE_SIZE)
		return "the book of code";
	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++) {
		const char *why;

		if (!c->slot[i].point)
			continue;
		uses++;
		why = use_wrong(code_ref(first, i), &c->slot[i]);
		if (why)
			return why;
	}
	return uses == c->uses ? NULL : "the number of uses of code";
}

/* A word that names a use names one that is there. */
static int ref_right(u32 ref, u32 point, u32 target)
{
	u32 first = code_first(ref);

	if (!ref)
		return 1;
	return first < nframes && frames[first].state == ARIL_FRAME_CODE &&
	       ref >= code_ref(first, 0) && code_slot(ref)->point == point &&
	       code_slot(ref)->target == target;
}

static void env_names_audit(const struct env *env, struct aril_check *out)
{
	u32 orders;

	if (!event_right(env, &orders))
		audit_wrong(out, env->id, "an env names code that does not name it", 0,
			    (u64)env->fault);
	else if (env->info->faults != orders ||
		 env->info->fault !=
			 (env->fault ? code_frame_of(code_book_of(code_event_handler(env->fault)))
				     : 0))
		audit_wrong(out, env->id, "an env's code is not what is shown", orders,
			    env->info->faults);
}

static void names_audit(struct aril_check *out)
{
	for (u32 i = 1; i < ARIL_MAX_ENVS; i++) {
		const struct env *env = env_get(env_infos[i].id);

		if (env)
			env_names_audit(env, out);
	}
	for (u32 i = 1; i < ARIL_MAX_ACCOUNTS; i++)
		if (accounts[i].id &&
		    !ref_right(accounts[i].victim, ARIL_POINT_VICTIM, accounts[i].id))
			audit_wrong(out, accounts[i].id,
				    "an account names code that does not name it", 0,
				    accounts[i].victim);
}

static void frame_look(u32 f, struct aril_check *out)
{
	const char *why = alias_wrong(f);

	if (!why && frames[f].state == ARIL_FRAME_CODE) {
		why = book_wrong(f);
		out->checked++;
	}
	if (why)
		audit_wrong(out, f, why, alias_should(f), arch_alias_get(f));
}

u64 code_audit(u64 from, struct aril_check *out)
{
	u64 f = from, end = min(from + STEP_FRAMES, (u64)nframes);

	if (from >= nframes)
		return 0;
	lock_take(&wait_lock);
	if (!from)
		names_audit(out);
	for (; f < end && out->checked < STEP_BOOKS; f++)
		frame_look((u32)f, out);
	lock_drop(&wait_lock);
	return f < nframes ? f : 0;
}
