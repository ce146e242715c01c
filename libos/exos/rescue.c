/* SPDX-License-Identifier: MIT
 * The kernel can end a process's env at any instant: by force after too many overruns, for a page of its own that was
 * taken, by a capability that somebody above the family holds. If it was in ExOS it may hold the family lock, with half of
 * something done. Nothing is undone then, and nothing guessed: it is brought to its end. The kernel leaves the registers
 * that it had in its context's page (upcall.h); what else it had is ExOS's memory, which is all there. So another env is made in
 * the same space, gets the page as its context, and goes on with the very next instruction. The thread finds SIGKILL
 * pending when it comes to leave ExOS; its process ends as any other, and all that it had is let go in the usual ways.
 *
 * Per processor: REST -> BEGUN -> OPENING (an env, on a page of ours, opens the family's capability: an index is an
 * env's own) -> OPENED -> RUNNING (on the dead one's page) -> REST, when nothing that runs here is of that space any more.
 * An env of ours can be ended, too: then it is BEGUN again.
 * Invariants. (1) All is done by the scheduler of the processor where the dead one was, before anything else runs there: what it
 * holds cannot be waited for here. (2) Nothing is allocated. (3) A page that is needed here is not given back by its
 * process, but here (rescue_keeps, rescue_sweep). */
#include "rescue.h"
#include "guard.h"
#include "linux.h"
#include "mem.h"
#include "mm.h"
#include "proc.h"
#include "proc_internal.h"
#include "switch.h"
#include "usermem.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>

enum { REST = 0, BEGUN, OPENING, OPENED, RUNNING };
#define SLOT_EXOS 254
#define ORPHANS \
	4 /* two are needed at most: what a rescue runs on, and what was stopped here last */

static struct rescue {
	u32 state;
	u32 env, frame; /* the env's frame, which stays */
	u32 space;
	u32 forced; /* the page has registers to go on with; else `current` begins there, as after a sleep */
	struct aril_context *own;	       /* a page to open the capability on */
	struct aril_context *page;	       /* the dead one's */
	struct aril_context *orphans[ORPHANS]; /* their processes have given them up meanwhile */
} rescues[ARIL_MAX_CPUS];

void rescue_boot(void)
{
	for (u32 cpu = 0; cpu < family.ncpus; cpu++) {
		if (!(family.domain->cpus >> cpu & 1))
			continue;
		rescues[cpu].frame = frame_take();
		rescues[cpu].own = page_zalloc(0);
		if (!rescues[cpu].frame || !rescues[cpu].own)
			exos_panic("exos: no memory for rescues");
	}
}

static struct rescue *rescue_of(const struct cpu *c)
{
	return &rescues[c - cpus];
}

/* The page of who ran here last, if it was stopped in ExOS; NULL: it has nothing to bring to an end. */
static struct aril_context *page_left(const struct cpu *c)
{
	struct aril_context *page = frame_page((u32)c->last);
	struct {
		u32 forced;
		u64 cookie, rip;
	} seen;

	/* Its page may be gone. */
	if (!c->last || user_copy(&seen.forced, &page->forced, sizeof(seen.forced)) ||
	    user_copy(&seen.cookie, &page->cookie, sizeof(seen.cookie)) ||
	    user_copy(&seen.rip, &page->state.rip, sizeof(seen.rip)))
		return NULL;
	return seen.forced == 1 && seen.cookie == c->last && seen.rip >> 39 == SLOT_EXOS ? page
											 : NULL;
}

/* The space in which it ran, if the kernel's table still says so; else the scheduler's, where ExOS is, too. */
static u32 space_of(u32 env)
{
	const struct aril_env_info *info =
		(const struct aril_env_info *)ARIL_INFO->envs_va + (env & 0xffff);

	return info->id == env ? info->space : family.domain->space;
}

/* An env in that space, or where the kernel does not allow that any more, in the scheduler's. 0, or its refusal. */
static s64 env_make(struct rescue *r)
{
	struct aril_env_desc desc = {
		.space = r->space,
		.flags = family.domain->flags & CORE_DOMAIN_LOG ? ARIL_ENV_LOG : 0,
		.entry = (u64)ways->upcall,
	};

	frame_unbuild(r->frame);
	s64 env = aril_env_create(family.auth, r->frame, &desc);
	if (env < 0 && env != -ARIL_E_QUOTA) {
		desc.space = r->space = family.domain->space;
		env = aril_env_create(family.auth, r->frame, &desc);
	}
	if (env ==
	    -ARIL_E_QUOTA) /* others have all envs for now: with the next slice it is tried again */
		for (;;)
			aril_yield(0, 0);
	if (env < 0)
		exos_panic("exos: rescue: no env: error %ld", (long)-env);
	r->env = (u32)env;
	return env;
}

static s64 context_set(struct rescue *r, u32 cpu, struct aril_context *page)
{
	return aril_env_context(family.auth, r->env, cpu, page ? page_frame(page) : 0, (u64)page);
}

/* The dead one's page in place of ours. 0, or -E_ENV. */
static s64 page_set(struct cpu *c, struct rescue *r)
{
	u32 cpu = (u32)(c - cpus);
	s64 error = context_set(r, cpu, NULL);

	if (!error)
		error = context_set(r, cpu, r->page);
	if (error)
		return error;
	r->page->cookie = (u64)r->env << 32 | page_frame(r->page);
	c->last = r->page->cookie;
	r->page->forced = r->forced;
	return 0;
}

/* The next step. Each env of ours can be ended as any other: then all begins again. */
static _Noreturn void step(struct cpu *c, struct rescue *r)
{
	u32 cpu = (u32)(c - cpus);
	s64 error;

	for (;;) {
		if (r->state == RUNNING) { /* entered again below, and it is no more */
			r->forced = r->page->forced;
			r->state = BEGUN;
		}
		if (r->state == OPENED) {
			error = page_set(c, r);
			r->state = error ? BEGUN : RUNNING;
		} else {
			env_make(r);
			r->state = OPENING;
			error = context_set(r, cpu, r->own);
		}
		c->expects = NULL;
		if (!error)
			error = aril_yield(family.auth, r->env);
		if (error != -ARIL_E_ENV)
			exos_panic("exos: rescue: cannot go on: error %ld", (long)-error);
	}
}

/* Enters the env that runs, or, if it was ended, another. */
static _Noreturn void enter(struct cpu *c, struct rescue *r)
{
	c->expects = NULL;
	s64 error = aril_yield(family.auth, r->env);

	if (error != -ARIL_E_ENV)
		exos_panic("exos: rescue: cannot be entered: error %ld", (long)-error);
	step(c, r);
}

static _Noreturn void begin(struct cpu *c, struct aril_context *page, u32 forced, u32 space)
{
	struct rescue *r = rescue_of(c);
	struct thread *t = c->current;

	r->page = page;
	r->forced = forced;
	r->space = space;
	/* else it was leaving: `current` is who comes next */
	if (t && (!forced || !t->switch_rsp))
		__atomic_or_fetch(&t->pending.set, SIG_BIT(SIGKILL), __ATOMIC_SEQ_CST);
	r->state = BEGUN;
	step(c, r);
}

void rescue_begin(struct cpu *c)
{
	struct aril_context *page = page_left(c);

	if (page)
		begin(c, page, 1, space_of((u32)(c->last >> 32)));
}

void rescue_current(struct cpu *c)
{
	struct proc *p = c->current->proc;
	struct aril_context *page = p->ctx[c - cpus];

	if (!c->current->switch_rsp || !page)
		exos_panic("exos: process %u was ended in the middle of ExOS", p->pid);
	begin(c, page, 0, p->mm->space);
}

int rescue_start(const struct aril_context *ctx)
{
	struct rescue *r = &rescues[ctx->cpu];

	if (!r->state || ctx->env != r->env)
		return 0;
	if (r->state == RUNNING)
		return 1;
	s64 auth = aril_cap_open(&CORE_DOMAIN->cap);
	if (auth != (s64)family.auth)
		exos_panic("exos: rescue: capability: %ld", (long)auth);
	r->state = OPENED;
	aril_yield(family.auth, family.domain->env);
	for (;;) /* its slice is the scheduler's in any case */
		aril_yield(0, 0);
}

u32 rescue_env(const struct cpu *c, const struct thread *t)
{
	const struct rescue *r = rescue_of(c);

	return r->state == RUNNING && lock_state.owner == t && t->proc->mm->space == r->space
		       ? r->env
		       : 0;
}

int rescue_moves(const struct aril_context *ctx, u32 space)
{
	struct rescue *r = &rescues[ctx->cpu];

	if (r->state != RUNNING || ctx->env != r->env)
		return 0;
	r->space = space;
	return 1;
}

void rescue_continue(struct cpu *c)
{
	struct rescue *r = rescue_of(c);

	if (!r->state)
		return;
	if (r->state != RUNNING)
		step(c, r);
	if (r->page->forced)
		enter(c, r);
	if (c->current && rescue_env(c, c->current))
		return;
	frame_unbuild(r->frame);
	if (c->last == r->page->cookie)
		c->last = 0; /* else somebody has run since */
	r->state = REST;
	r->page = NULL;
}

void rescue_enter(struct cpu *c)
{
	enter(c, rescue_of(c));
}

/* Whether somebody goes on, or may go on, on a page. */
static int page_needed(const struct rescue *r, const struct aril_context *page)
{
	return (r->state && r->page == page) ||
	       (page->forced && cpus[r - rescues].last == page->cookie);
}

/* Gives back what is not needed any more. Returns a free place; NULL: there is none. */
static struct aril_context **orphans_sweep(struct rescue *r)
{
	struct aril_context **place = NULL;

	for (u32 i = 0; i < ORPHANS; i++) {
		if (r->orphans[i] && !page_needed(r, r->orphans[i])) {
			page_put(r->orphans[i]);
			r->orphans[i] = NULL;
		}
		if (!r->orphans[i])
			place = &r->orphans[i];
	}
	return place;
}

int rescue_keeps(u32 cpu, struct aril_context *page)
{
	struct rescue *r = &rescues[cpu];

	if (!page_needed(r, page))
		return 0;
	struct aril_context **place = orphans_sweep(r);
	if (!place)
		exos_panic("exos: rescue: more pages to go on with than a processor can");
	*place = page;
	return 1;
}

void rescue_sweep(const struct cpu *c)
{
	orphans_sweep(rescue_of(c));
}
