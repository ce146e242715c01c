/* SPDX-License-Identifier: MIT
 * Loading code: see core/ext.h. */
#include <aril/error.h>
#include <aril/info.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/ext.h>
#include <core/native.h>
#include <core/print.h>
#include <core/rpc.h>
#include <core/string.h>
#include <core/upcall.h>

#define ROOM 16u
#define MEMORY 1024u
#define MEMORY_MOST 16384u

/* One step of the authority's; waits while it serves others. Its answer, enum core_ext_state, or a refusal. */
static s64 call(u32 auth, struct core_message *m)
{
	struct core_message asked = *m;

	for (;;) {
		struct core_server server = {.env = core_ext_authority(), .auth = auth};

		if (!server.env)
			return -ARIL_E_CLOSED;
		*m = asked;
		s64 error = core_rpc(&server, m);
		if (error == -ARIL_E_CLOSED && core_env_alive(server.env)) {
			core_yield(0, 0); /* another call is in it */
			continue;
		}
		if (error)
			return error;
		if (m->word[0] == CORE_EXT_REFUSED)
			return -(s64)m->word[1];
		if (m->word[0] != CORE_EXT_BUSY)
			return (s64)m->word[0];
		core_yield(0, 0);
	}
}

static s64 end(u32 auth, u32 first)
{
	s64 state;

	do {
		struct core_message m = {{CORE_EXT_END, first, 0}};

		state = call(auth, &m);
	} while (state == CORE_EXT_BUILDING);
	return state < 0 ? state : 0;
}

/* Lends the CPU to the instance until it has answered. */
static s64 wait_for(u32 auth, u32 env, struct core_ext_request *request)
{
	while (!__atomic_load_n(&request->done, __ATOMIC_ACQUIRE)) {
		if (!core_env_alive(env))
			return -ARIL_E_CLOSED;
		if (core_yield(auth, env) < 0 && core_env_alive(env))
			core_yield(0, 0);
	}
	return request->done == 1 ? 0 : -ARIL_E_RANGE;
}

s64 core_ext_ask(u32 auth, struct core_ext_request *request, u32 request_frame, struct core_run run,
		 u32 room)
{
	s64 gate = aril_cap_open(&CORE_DOMAIN->code_cap), state, result;
	struct core_message m;

	if (gate < 0)
		return gate;
	do {
		m = (struct core_message){{CORE_EXT_BEGIN | (u64)room << 32,
					   run.first | (u64)run.count << 32, request_frame}};
		state = call((u32)gate, &m);
	} while (state == CORE_EXT_BUILDING);
	result = state == CORE_EXT_BUILT ? wait_for(auth, (u32)m.word[1], request) : state;
	state = end((u32)gate, run.first);
	aril_cap_close((u32)gate);
	return result ? result : state;
}

/* --- from a native program's pool */

/* A copy of the object behind a page for the request, in consecutive frames. */
static struct core_ext_request *request_make(const struct core_ext *e, const void *object,
					     u64 bytes, u32 *frame)
{
	u32 pages = (u32)((bytes + ARIL_PAGE_SIZE - 1) >> ARIL_PAGE_SHIFT);
	struct core_ext_request *r = core_pages(1 + pages, frame);

	if (!r)
		return NULL;
	memcpy((u8 *)r + ARIL_PAGE_SIZE, object, bytes);
	r->cap = e->cap;
	r->bytes = bytes;
	r->steps = e->steps;
	r->guard[0] = e->guard[0];
	r->guard[1] = e->guard[1];
	if (!r->guard[0].rights) {
		r->guard[0] = (struct aril_guard){.len = e->cap.len, .rights = ARIL_ALL};
		memcpy(r->guard[0].name, e->cap.name, sizeof(r->guard[0].name));
	}
	core_copy_string(r->entry, e->entry ? e->entry : "", sizeof(r->entry));
	core_copy_string(r->name, e->name ? e->name : "", sizeof(r->name));
	return r;
}

/* Frames that were given back are taken again, and lie in the pool as before. */
static void run_return(const struct core_ext *e, struct core_run run)
{
	struct aril_guard guard = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};
	u32 taken = 0;

	memcpy(guard.name, CORE_DOMAIN->cap.name, sizeof(guard.name));
	while (taken < run.count) {
		s64 done = aril_frame_alloc(e->auth, CORE_DOMAIN->account, run.first + taken,
					    run.count - taken, &guard);

		if (done < 0)
			return; /* somebody else was faster: they are not ours any more */
		taken += (u32)done;
	}
	core_pool_return(&core_pool, run.first, run.count);
}

/* Gives frames back to the machine, where the authority finds them. */
static s64 run_give(const struct core_ext *e, struct core_run run)
{
	while (run.count) {
		u32 n = run.count < ARIL_BATCH_PAGES ? run.count : ARIL_BATCH_PAGES;
		s64 done = aril_frame_free(e->auth, run.first, n);

		if (done < 0 && done != -ARIL_E_AGAIN)
			return done;
		if (done > 0) {
			run.first += (u32)done;
			run.count -= (u32)done;
		}
	}
	return 0;
}

static void tell(struct core_ext *e, const struct core_ext_request *r)
{
	e->code = r->code;
	e->text = r->text;
	e->constants = r->constants;
	e->data = r->data;
	e->point = r->point;
	e->insns = r->insns;
	e->bytes = r->room;
	e->worst = r->worst;
	e->verified = r->verified;
}

/* Once. *more: it may succeed with more frames, which e asks for now. The request's frames are taken last and returned
 * first, so that the pool has all in a row again but the code's. */
static s64 ask(struct core_ext *e, const void *object, u64 bytes, int *more)
{
	u32 pages = 1 + (u32)((bytes + ARIL_PAGE_SIZE - 1) >> ARIL_PAGE_SHIFT), frame = 0;
	struct core_run run = {.count = e->frames + e->memory};

	*more = 0;
	run.first = core_pool_take(&core_pool, run.count);
	if (!run.first)
		return -ARIL_E_QUOTA;
	struct core_ext_request *r = request_make(e, object, bytes, &frame);
	if (!r) {
		core_pool_return(&core_pool, run.first, run.count);
		return -ARIL_E_QUOTA;
	}
	s64 error = run_give(e, run);
	if (!error)
		error = core_ext_ask(e->auth, r, frame, run, e->frames);
	u32 sealed = error ? 0 : 1 + r->text + r->constants + r->data;
	if (!error)
		tell(e, r);
	if (error == -ARIL_E_RANGE)
		core_copy_string(e->refusal, r->refusal, sizeof(e->refusal));
	if (error == -ARIL_E_RANGE && r->more > e->frames) {
		e->frames = r->more;
		*more = 1;
	} else if (error == -ARIL_E_RANGE && r->missing && e->memory < MEMORY_MOST) {
		e->memory *= 4;
		*more = 1;
	}
	core_unmap(&core_self, (u64)r, pages);
	core_pool_return(&core_pool, frame, pages);
	run_return(e, (struct core_run){run.first + sealed, run.count - sealed});
	return error;
}

s64 core_ext_load(struct core_ext *e, const void *object, u64 bytes)
{
	s64 error = aril_env_entry((u64)core_upcall, (u64)core_gate); /* where answers come in */
	int more = 1;

	e->frames = e->frames ? e->frames : ROOM;
	e->memory = e->memory ? e->memory : MEMORY;
	while (!error && more) {
		e->refusal[0] = 0;
		error = ask(e, object, bytes, &more);
		if (more)
			error = 0;
	}
	return error;
}

s64 core_ext_attach(const struct core_ext *e, u32 target, u32 space, u32 frames)
{
	return core_ext_attach_at(e, target, space, frames, 0, NULL);
}

s64 core_ext_attach_at(const struct core_ext *e, u32 target, u32 space, u32 frames, u32 order,
		       const struct core_ext *guard)
{
	struct aril_code_attach d = {.code = e->code,
				     .point = e->point,
				     .target = target,
				     .space = space,
				     .frames = frames,
				     .order = order,
				     .guard = guard ? guard->code : 0};

	return aril_code_attach(e->auth, &d);
}

s64 core_ext_detach(const struct core_ext *e, u32 target)
{
	return core_ext_detach_at(e, target, 0);
}

s64 core_ext_detach_at(const struct core_ext *e, u32 target, u32 order)
{
	return aril_code_detach(e->auth, e->point, target, order);
}

s64 core_ext_unload(const struct core_ext *e)
{
	s64 done;

	do
		done = aril_frame_reset(e->auth, e->code);
	while (done == -ARIL_E_AGAIN);
	return done;
}
