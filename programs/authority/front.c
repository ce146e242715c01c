/* SPDX-License-Identifier: MIT
 * The code authority: makes an instance for each request, and ends it. It parses nothing and verifies nothing; what it
 * believes of a request are the kernel's own books.
 *
 * A call through the gate does one bounded step, with the end of the slice held off, in the caller's time; between two
 * steps the authority is free for others. So nobody waits for a loader that stops, and what one began that died is
 * taken back by later steps of others. One step at a time, on whatever CPU: a second one is told BUSY. */
#include "job.h"
#include <aril/error.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/elf.h>
#include <core/frames.h>
#include <core/native.h>
#include <core/print.h>
#include <core/rpc.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define SLOTS 64u /* PER_DOMAIN of each of the domains that init can start */
#define PER_DOMAIN 4u
#define STEP 128u	 /* frames that one step takes or frees */
#define FRAMES_LEAST 96u /* of an instance, beside code and data */
#define FRAMES_MOST 65536u

enum stage { NONE, TAKING, MAKING, RUNNING, ENDING };

struct slot {
	enum stage stage;
	u32 caller, account, domain;
	u32 first, count, room, request;
	u32 done; /* TAKING, ENDING: frames */
	u32 env, env_frame;
};

extern const u8 worker_image[], worker_image_end[];
static struct slot slots[SLOTS];
static struct core_elf image;
static u32 auth; /* opened: the name above all domains' */
static u32 faults, busy;
static u8 *window; /* a page of ours, where frames of instances are filled */
static u32 window_frame;

static const volatile struct aril_frame *frame_of(u32 f)
{
	return (const volatile struct aril_frame *)ARIL_INFO->frames_va + f;
}

static const volatile struct aril_env_info *env_of(u32 env)
{
	return (const volatile struct aril_env_info *)ARIL_INFO->envs_va + (env & 0xffff);
}

static int alive(u32 env)
{
	return env_of(env)->id == env && env_of(env)->state == ARIL_ENV_ALIVE;
}

static struct aril_guard own_guard(void)
{
	struct aril_guard g = {.len = CORE_DOMAIN->code_cap.len, .rights = ARIL_ALL};

	memcpy(g.name, CORE_DOMAIN->code_cap.name, sizeof(g.name));
	return g;
}

/* --- making an instance */

/* The image's frame for a page of ours in which it lies. */
static u32 frame_at(const u8 *va)
{
	return ARIL_PTE_FRAME(
		*(const volatile u64 *)(ARIL_SELF_VA + ((u64)va >> ARIL_PAGE_SHIFT) * 8));
}

static s64 segment_bind(const struct core_space *space, const struct core_elf_segment *s)
{
	u32 pages = (u32)((s->bytes + ARIL_PAGE_SIZE - 1) >> ARIL_PAGE_SHIFT), first;

	if (!s->file_bytes) {
		first = core_pool_take(space->pool, pages);
		return first ? core_map(space, s->va, first, pages, ARIL_BIND_WRITE, auth)
			     : -ARIL_E_QUOTA;
	}
	first = frame_at(worker_image + s->offset);
	return core_map(space, s->va, first, pages, s->flags & CORE_ELF_EXEC ? ARIL_BIND_EXEC : 0,
			auth);
}

/* The rest of the run is the instance's own. */
static s64 job_write(const struct core_space *space, const struct slot *s)
{
	u32 frame = core_pool_take(space->pool, 1);
	struct job *job = (struct job *)window;

	if (!frame)
		return -ARIL_E_QUOTA;
	s64 error = core_map(space, JOB_VA, frame, 1, 0, auth);
	if (!error)
		error = core_map(&core_self, (u64)window, frame, 1, ARIL_BIND_WRITE, auth);
	if (error)
		return error;
	job->cap = CORE_DOMAIN->code_cap;
	job->loader = s->caller;
	job->account = s->account;
	job->request = s->request;
	job->root = space->root;
	job->first = s->first;
	job->room = s->room;
	job->free = space->pool->run->first;
	job->free_count = space->pool->run->count;
	job->faults = faults;
	return core_map(&core_self, (u64)window, window_frame, 1, ARIL_BIND_WRITE, core_auth);
}

/* The instance's env answers to us, and lets run who has what the caller is guarded by. */
static s64 env_make(struct slot *s, u32 root, u32 context)
{
	static struct aril_frame_op op;
	struct aril_env_desc desc = {.space = root,
				     .flags = faults ? ARIL_ENV_LOG : 0,
				     .entry = image.entry,
				     .account = s->account};
	const volatile struct aril_guard *caller = &frame_of(env_of(s->caller)->frame)->guard[0];

	s64 env = aril_env_create(auth, s->env_frame, &desc);
	if (env < 0)
		return env;
	s->env = (u32)env;
	op = (struct aril_frame_op){
		.first = s->env_frame, .count = 1, .kind = ARIL_FRAME_GUARD, .slot = 1};
	op.guard.len = caller->len;
	for (u32 i = 0; i < sizeof(op.guard.name); i++)
		op.guard.name[i] = caller->name[i];
	op.guard.rights = ARIL_RUN;
	s64 done = aril_frame_update(auth, &op, 1);
	if (done != 1)
		return done < 0 ? done : -ARIL_E_AGAIN;
	return aril_env_context(auth, s->env, core_context()->cpu, context, CONTEXT_VA);
}

static s64 make(struct slot *s)
{
	struct core_run rest = {s->first + s->room, s->count - s->room};
	struct core_pool pool = {.run = &rest, .nruns = 1};
	struct core_space space = {.auth = auth, .pool = &pool};
	u32 context;

	space.root = core_pool_take(&pool, 2);
	s->env_frame = core_pool_take(&pool, 1);
	context = core_pool_take(&pool, 1);
	s64 error = aril_space_create(auth, space.root, space.root + 1);
	for (u32 i = 0; i < image.nsegments && !error; i++)
		error = segment_bind(&space, &image.segment[i]);
	if (!error)
		error = core_map(&space, CONTEXT_VA, context, 1, ARIL_BIND_WRITE, auth);
	if (!error)
		error = job_write(&space, s);
	return error ? error : env_make(s, space.root, context);
}

/* --- steps */

/* Takes the next of the frames that the caller gave back: none but free ones can be taken. */
static s64 take(struct slot *s)
{
	static struct aril_guard guard;
	u32 n = s->count - s->done < STEP ? s->count - s->done : STEP;

	guard = own_guard();
	s64 done = aril_frame_alloc(auth, s->account, s->first + s->done, n, &guard);
	if (done > 0)
		s->done += (u32)done;
	if (s->done == s->count)
		s->stage = MAKING;
	return done < 0 ? done : 0;
}

static int is_sealed(u32 f)
{
	u32 state = frame_of(f)->state;

	return state >= ARIL_FRAME_CODE && state <= ARIL_FRAME_DATA;
}

/* Frees the next of its frames that are not sealed; the env first. */
static s64 end_some(struct slot *s)
{
	s64 done = 0;
	u32 n = 0;

	if (s->env) {
		done = aril_frame_reset(auth, s->env_frame);
		if (!done)
			s->env = 0;
		return done == -ARIL_E_AGAIN ? 0 : done;
	}
	/* taken, then given to the loader or to nobody: not ours any more */
	while (s->done && (is_sealed(s->first + s->done - 1) ||
			   frame_of(s->first + s->done - 1)->guard[0].len != own_guard().len))
		s->done--;
	while (n < STEP && n < s->done && !is_sealed(s->first + s->done - 1 - n) &&
	       frame_of(s->first + s->done - 1 - n)->guard[0].len == own_guard().len)
		n++;
	if (n)
		done = aril_frame_free(auth, s->first + s->done - n, n);
	if (done == (s64)n)
		s->done -= n;
	if (!s->done)
		s->stage = NONE;
	return done == -ARIL_E_AGAIN || done >= 0 ? 0 : done;
}

static struct slot *find(u32 caller, u32 first)
{
	for (u32 i = 0; i < SLOTS; i++)
		if (slots[i].stage && slots[i].caller == caller && slots[i].first == first)
			return &slots[i];
	return NULL;
}

/* One step of taking back what a caller left behind that is no more. */
static void tidy(void)
{
	for (u32 i = 0; i < SLOTS; i++) {
		struct slot *s = &slots[i];

		if (!s->stage || alive(s->caller))
			continue;
		s->stage = ENDING;
		if (end_some(s) < 0)
			s->stage = NONE; /* somebody above us has it */
		return;
	}
}

/* Whose it is: the name that init gave, of which all names in a domain are longer ones. */
static u32 domain_of(u32 caller)
{
	const volatile struct aril_guard *g = &frame_of(env_of(caller)->frame)->guard[0];

	return g->len < 2 ? 0 : (u32)g->name[0] << 8 | g->name[1];
}

static s64 begin(u32 caller, const struct core_message *m)
{
	u32 account = env_of(caller)->account, room = (u32)(m->word[0] >> 32);
	u32 first = (u32)m->word[1], count = (u32)(m->word[1] >> 32), request = (u32)m->word[2];
	u32 domain = domain_of(caller), busy_for_it = 0;
	struct slot *s = NULL;

	for (u32 i = 0; i < SLOTS; i++) {
		if (!slots[i].stage)
			s = &slots[i];
		else
			busy_for_it += slots[i].domain == domain;
	}
	if (!s || busy_for_it >= PER_DOMAIN)
		return -ARIL_E_QUOTA;
	if (count > FRAMES_MOST || room > ARIL_CODE_FRAMES || count < room + FRAMES_LEAST)
		return -ARIL_E_RANGE;
	if (first >= ARIL_INFO->nframes || count > ARIL_INFO->nframes - first)
		return -ARIL_E_RANGE;
	/* of the caller's own, as the kernel's books say: not another's, with another's capability in it */
	if (request >= ARIL_INFO->nframes || frame_of(request)->account != (account & 0xffff))
		return -ARIL_E_RIGHTS;
	*s = (struct slot){.stage = TAKING,
			   .caller = caller,
			   .account = account,
			   .domain = domain,
			   .first = first,
			   .count = count,
			   .room = room,
			   .request = request};
	return 0;
}

static s64 step(u32 caller, struct core_message *m)
{
	struct slot *s = find(caller, (u32)m->word[1]);
	u32 op = (u32)m->word[0];
	s64 error = 0;

	if (op == CORE_EXT_FAULT && faults)
		__builtin_trap();
	for (u64 end = core_now() + m->word[1]; op == CORE_EXT_SLOW && faults && core_now() < end;)
		;
	if (op == CORE_EXT_BEGIN && !s)
		error = begin(caller, m);
	else if (op == CORE_EXT_BEGIN && s->stage == TAKING)
		error = take(s);
	else if (op == CORE_EXT_BEGIN && s->stage == MAKING) {
		error = make(s);
		s->stage = RUNNING;
	} else if (op == CORE_EXT_END && s) {
		s->stage = ENDING;
		error = end_some(s);
	} else if (op != CORE_EXT_BEGIN && op != CORE_EXT_END)
		error = -ARIL_E_RANGE;
	if (error)
		return error;
	s = find(caller, (u32)m->word[1]);
	m->word[1] = s ? s->env : 0;
	if (op == CORE_EXT_END)
		return s ? CORE_EXT_BUILDING : CORE_EXT_ENDED;
	return s && s->stage == RUNNING ? CORE_EXT_BUILT : CORE_EXT_BUILDING;
}

static s64 on_gate(u32 caller, struct core_message *m)
{
	if (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE)) {
		m->word[0] = CORE_EXT_BUSY;
		return auth;
	}
	tidy();
	s64 result = alive(caller) ? step(caller, m) : -ARIL_E_ENV;
	m->word[0] = result < 0 ? CORE_EXT_REFUSED : (u64)result;
	if (result < 0)
		m->word[1] = (u64)-result;
	m->word[2] = 0;
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
	return auth;
}

/* What is under our name already was an authority's before us that ended: its instances, which nobody would end. */
static void former_end(void)
{
	const u32 len = CORE_DOMAIN->code_cap.len;

	for (u32 f = 0; f < ARIL_INFO->nframes; f++) {
		const volatile struct aril_guard *g = &frame_of(f)->guard[0];

		if (g->rights && g->len == len && g->name[0] == CORE_DOMAIN->code_cap.name[0] &&
		    frame_of(f)->account)
			core_frames_free(auth, f, 1);
	}
}

static void slices_give_up(u32 cpu)
{
	const volatile struct aril_slice *slice =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va;

	for (u32 i = 0; i < ARIL_SLICES; i++)
		if (slice[cpu * ARIL_SLICES + i].env == CORE_DOMAIN->env)
			aril_slice_set(core_auth, cpu, i, 0, 0);
}

/* What it was started in is not needed any more: from here on it runs in its callers' time. A step that was stopped by
 * force has slices from init again, as its caller may be no more: they are given up when that step is over. */
static _Noreturn void serve(void)
{
	u32 cpu = core_context()->cpu;

	core_context()->gate_open = 1;
	for (;;) {
		slices_give_up(cpu);
		core_yield(0, 0);
	}
}

int main(int argc, char **argv, char **envp)
{
	const char *why;

	(void)envp;
	for (int i = 1; i < argc; i++)
		faults |= !strcmp(argv[i], "faults");
	s64 index = aril_cap_open(&CORE_DOMAIN->code_cap);
	if (index < 0)
		return 1;
	auth = (u32)index;
	why = core_elf_read(&image, worker_image, (u64)(worker_image_end - worker_image),
			    (u64)(worker_image_end - worker_image));
	if (why) {
		core_log("authority: its instances' image: %s", why);
		return 1;
	}
	window = core_pages(1, &window_frame);
	if (!window || core_add_tables(&core_self, (u64)window) == -ARIL_E_QUOTA)
		return 1;
	former_end();
	core_handlers.gate = on_gate;
	if (aril_env_entry((u64)core_upcall, (u64)core_gate))
		return 1;
	serve();
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	while (!core_handlers.gate)
		core_sleep(1000000);
	serve();
}
