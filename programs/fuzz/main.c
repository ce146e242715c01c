/* SPDX-License-Identifier: MIT
 * The supervisor of the kernel-call fuzzer: see fuzz.h and docs/52-fuzzing.md. Its arguments: seconds, seed.
 *
 * What it holds is out of the fuzzers' reach: its name is a prefix of theirs, so they open nothing of it but what it
 * guards with their names. It must hold at any time: the audit finds nothing wrong (audit), the canaries are as they
 * were written (canaries), a frame that is allocated reads as zeros (take_back). */
#include "fuzz.h"

#define WINDOW_VA 0x500000000000ul
#define CHECK_VA 0x500080000000ul
#define STUCK 40 /* turns in which a fuzzer did nothing */

struct side sides[SIDES];
struct fuzzer fuzzers[FUZZERS], leaves[LEAVES];
u32 shared_first, big_first;
u64 made[ARIL_CALLS], worked[ARIL_CALLS], refused[ARIL_CALLS][ERRORS];
volatile u32 stopping;

static struct fuzzer self[ARIL_MAX_CPUS]; /* the supervisor's own random numbers, per CPU */
static volatile u32 stage, findings;
u32 root;
static u32 turns_idle[FUZZERS], killed, stuck, cleared, refused_build;
static u64 until, steps_before[FUZZERS], seed;
static s64 last_refusal, grants_last;

/* Fuzzers may not log: the supervisor says it for them. */
static struct said {
	const char *what;
	u64 a, b;
} said[8];
static u32 told;

void fuzz_finding(const char *what, u64 a, u64 b)
{
	u32 n = __atomic_fetch_add(&findings, 1, __ATOMIC_SEQ_CST);

	if (n < 8)
		said[n] = (struct said){what, a, b};
}

static void findings_tell(void)
{
	for (; told < 8 && said[told].what; told++)
		core_log("fuzz: FINDING %s: %lu %lu (seed %lu)", said[told].what, said[told].a,
			 said[told].b, seed);
}

/* What the supervisor needs to be able to do; without it there is nothing to fuzz. */
s64 must(const char *what, s64 result)
{
	if (result < 0)
		fuzz_finding(what, (u64)-result, 0);
	return result;
}

/* A fault of a fuzzer, whose pages go and come, is its end. */
static int on_exception(struct core_frame *frame)
{
	u64 cookie = core_context()->cookie;

	if (cookie >= (u64)fuzzers && cookie < (u64)(fuzzers + FUZZERS))
		aril_env_exit(-1);
	core_log("fuzz: FINDING the supervisor faulted: vector %lu at %lx (seed %lu)",
		 (u64)frame->save.vector, frame->save.rip, seed);
	return 0;
}

/* The entry of our root for va: the recursive map, four times. */
static u64 root_entry(u64 va)
{
	for (u32 i = 0; i < 4; i++)
		va = ARIL_SELF_VA + ((va & 0xffffffffffff) >> 12) * 8;
	return *(const volatile u64 *)va;
}

static s64 reset(u32 frame)
{
	s64 error;

	do
		error = aril_frame_reset(root, frame);
	while (error == -ARIL_E_AGAIN);
	return error;
}

/* Frames of our pool become free, so that a side's account can have as many; tend gives them to it. */
static u32 pool_free(u32 first, u32 count)
{
	for (u32 done = 0; done < count;) {
		s64 n = aril_frame_free(root, first + done, count - done);

		if (n < 0 && n != -ARIL_E_AGAIN) {
			must("to free frames", n);
			break;
		}
		done += n > 0 ? (u32)n : 0;
	}
	return first;
}

/* What the account has left of a quota, at most so many. */
static u32 left_of(u32 account, u32 quota, u32 most)
{
	u32 left = account_info(account)->limit[quota];

	if (quota < ARIL_QUOTA_HELD)
		left -= account_info(account)->used[quota];
	return left < most ? left : most;
}

static void side_make(struct side *s, u32 number)
{
	static const u8 more[1] = {7};
	static const u32 most[ARIL_QUOTAS] = {
		POOL + SHARED + BIG + 64, 24, 16, 6, 0, 8, 1u << 20, 1u << 16};
	u32 own_account = env_info(CORE_DOMAIN->env)->account;
	struct aril_account_desc desc = {0};
	u8 name[1] = {(u8)(0x40 + number)};

	must("a name", aril_cap_derive(&CORE_DOMAIN->cap, name, 1, ARIL_ALL, 0, &s->cap));
	must("a longer name", aril_cap_derive(&s->cap, more, 1, ARIL_ALL, 0, &s->weak));
	memcpy(s->guard.name, s->cap.name, sizeof(s->guard.name));
	s->guard.len = s->cap.len;
	s->guard.rights = ARIL_ALL;
	desc.guard = s->guard;
	for (u32 q = 0; q < ARIL_QUOTAS; q++)
		desc.limit[q] = left_of(own_account, q, most[q]);
	desc.reserve = 8;
	s->account = (u32)must("an account", aril_account_create(root, own_account, &desc));
	s->window = (u8 *)WINDOW_VA + number * 0x100000ul;
}

/* A root with all our tables in it, in which envs of the side may run, and which they may not change. */
static void side_space(struct side *s)
{
	struct aril_guard guard = s->guard;

	s->space = core_pool_take(&core_pool, 2);
	must("a space", aril_space_create(core_auth, s->space, s->space + 1));
	for (u64 va = 0; va < ARIL_USER_TOP; va += 1ul << 39)
		if (root_entry(va) & ARIL_PTE_PRESENT)
			must("a link", aril_space_link(core_auth, s->space, va, 3,
						       ARIL_PTE_FRAME(root_entry(va))));
	guard.rights = ARIL_RUN;
	must("a guard of a space", core_set_guard(root, (struct core_run){s->space, 1}, 1, &guard));
}

static s64 fuzzer_build(struct fuzzer *f)
{
	struct aril_env_desc desc = {.space = sides[f->side].space,
				     .entry = (u64)fuzz_entry,
				     .gate = (u64)fuzz_gate_entry,
				     .account = sides[f->side].account};
	u64 *top = (u64 *)(f->stack + STACK) - 11; /* as core_switch leaves a stack */

	if (!frame_info(f->context_frame)->refs)
		must("to bind a context", core_map(&core_self, (u64)f->context, f->context_frame, 1,
						   ARIL_BIND_WRITE, core_auth));
	memset(f->context, 0, sizeof(*f->context));
	memset(top, 0, 88);
	top[0] = 0x1f80;
	top[1] = 0x37f;
	top[9] = (u64)fuzz_run;
	memset(&f->cpu, 0, sizeof(f->cpu));
	f->cpu = (struct core_cpu){.rsp = (u64)top, .mask = ARIL_MASK_ASYNC, .context = f->context};
	reset(f->frame);
	s64 env = aril_env_create(root, f->frame, &desc);
	if (env < 0)
		return env;
	f->env = (u32)env;
	f->lives++;
	f->context->cookie = (u64)&f->cpu;
	return aril_env_context(root, f->env, f->on_cpu, f->context_frame, (u64)f->context);
}

static void fuzzer_make(u32 i)
{
	struct fuzzer *f = &fuzzers[i];

	f->number = i;
	f->side = i % SIDES;
	f->on_cpu = i / SIDES % ARIL_INFO->ncpus;
	f->random = seed * 0x9e3779b97f4a7c15ul + i * 0xda942042e4dd58b5ul;
	f->context = core_pages(1, &f->context_frame);
	f->stack = core_pages(STACK / ARIL_PAGE_SIZE, NULL);
	f->scratch = core_pages(SCRATCH / ARIL_PAGE_SIZE, NULL);
	f->frame = core_pool_take(&core_pool, 1);
	must("a guard of an env",
	     core_set_guard(root, (struct core_run){f->frame, 1}, 1, &sides[f->side].guard));
}

/* Some of our positions are the sides', in turn. */
static void slices_free(void)
{
	const volatile struct aril_slice *slices =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va;
	u32 n = 0;

	for (u32 i = 0; i < ARIL_INFO->ncpus * ARIL_SLICES; i++)
		if (slices[i].env == CORE_DOMAIN->env && n++ % 4 == 3)
			must("to free a slice",
			     aril_slice_free(root, i / ARIL_SLICES, i % ARIL_SLICES));
}

/* Lines and ports that the sides may use and pass on, but not make. */
static void grants_give(void)
{
	const volatile struct aril_grant *grants =
		(const volatile struct aril_grant *)ARIL_INFO->grants_va;

	for (u32 i = 0; i < SIDES * GRANTS; i++) {
		struct side *s = &sides[i / GRANTS];
		u32 kind = i % GRANTS ? ARIL_GRANT_PORTS : ARIL_GRANT_LINE;
		const volatile struct aril_grant *g = &grants[s->grant[i % GRANTS]];
		struct aril_grant_desc desc = {.kind = kind,
					       .env = fuzzers[i / GRANTS].env,
					       .first = i % GRANTS ? 0x2000 + i * 16
								   : 3 + i / GRANTS * 2,
					       .count = i % GRANTS ? 8 : 1,
					       .cpu = fuzzers[i / GRANTS].on_cpu,
					       .flags = i % GRANTS ? 0 : ARIL_LINE_ISA,
					       .guard = s->guard};

		if (g->env && g->kind == kind &&
		    g->guard.name[s->guard.len - 1] == s->guard.name[s->guard.len - 1])
			continue;
		s64 made_one = aril_grant_create(root, &desc);
		if (made_one >= 0)
			s->grant[i % GRANTS] = (u32)made_one;
		grants_last = made_one < 0 ? made_one : grants_last;
	}
}

static void slices_give(void)
{
	const volatile struct aril_slice *slices =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va;

	for (u32 i = 0; i < ARIL_INFO->ncpus * ARIL_SLICES; i++) {
		const struct side *s = &sides[i / 4 % SIDES];

		if (!slices[i].account && aril_slice_alloc(root, s->account, i / ARIL_SLICES,
							   i % ARIL_SLICES, &s->guard) >= 0)
			aril_slice_set(root, i / ARIL_SLICES, i % ARIL_SLICES, CORE_DOMAIN->env, 0);
	}
}

/* What a frame's first guard is to be: of shared frames some let A read only, so that it matters by which guard B is let
 * in. */
static struct aril_guard guard_of(const struct side *a, u32 frame)
{
	struct aril_guard guard = a->guard;

	if (frame - shared_first < SHARED && frame & 1)
		guard.rights = ARIL_READ | ARIL_OWN;
	return guard;
}

/* A frame that a fuzzer freed: allocated again, it must be clear; and it is the side's again. */
static void take_back(const struct side *a, const struct side *b, u32 frame)
{
	struct aril_guard ours = a->guard; /* nobody else may open it before it was looked at */

	ours.name[--ours.len] = 0;
	if (aril_frame_alloc(root, a->account, frame, 1, &ours) != 1)
		return; /* another took it, or the account is full */
	if (core_map(&core_self, CHECK_VA, frame, 1, ARIL_BIND_WRITE, core_auth))
		return;
	for (u32 i = 0; i < 512; i++)
		if (((volatile u64 *)CHECK_VA)[i]) {
			fuzz_finding("a frame allocated has something in it", frame,
				     ((volatile u64 *)CHECK_VA)[i]);
			break;
		}
	cleared++;
	for (u32 i = 0; i < 512; i++)
		((volatile u64 *)CHECK_VA)[i] = PATTERN;
	core_unmap(&core_self, CHECK_VA, 1);
	struct aril_guard first = guard_of(a, frame);
	core_set_guard(core_auth, (struct core_run){frame, 1}, 0, &first);
	if (b)
		core_set_guard(core_auth, (struct core_run){frame, 1}, 1, &b->guard);
}

static void tend_frames(u32 first, u32 count, const struct side *a, const struct side *b)
{
	for (u32 frame = first; frame < first + count; frame++) {
		const volatile struct aril_frame *i = frame_info(frame);
		struct aril_guard guard = guard_of(a, frame);

		if (i->state == ARIL_FRAME_NORMAL && !i->account && !i->pins && !i->refs)
			take_back(a, b, frame);
		else if (one_in(&self[0], 4) &&
			 (i->guard[0].len != a->guard.len || i->guard[0].rights != guard.rights) &&
			 i->state < ARIL_FRAME_KERNEL)
			core_set_guard(core_auth, (struct core_run){frame, 1}, 0, &guard);
		else if (i->state && one_in(&self[0], 24) && i->state != ARIL_FRAME_PART)
			reset(frame);
		if (i->account != (a->account & 0xffff) && i->account && one_in(&self[0], 8)) {
			struct aril_frame_op op = {.first = frame,
						   .count = 1,
						   .kind = ARIL_FRAME_CHARGE,
						   .tag = a->account};

			aril_frame_update(core_auth, &op, 1);
		}
	}
}

/* What fuzzers lost is given to them again. */
static void tend(void)
{
	for (u32 n = 0; n < SIDES; n++) {
		struct side *s = &sides[n];

		tend_frames(s->first, POOL, s, 0);
		for (u32 i = 0; i < PAGES; i++)
			if (!frame_info(s->first + i)->refs && !frame_info(s->first + i)->state)
				core_map(&core_self, (u64)s->window + i * ARIL_PAGE_SIZE,
					 s->first + i, 1, ARIL_BIND_WRITE, core_auth);
		if (frame_info(s->space)->state != ARIL_FRAME_SPACE)
			fuzz_finding("a space that a side may only run in is gone", s->space,
				     frame_info(s->space)->state);
		if (account_info(s->account)->guard.rights != ARIL_ALL)
			must("an account's guard", aril_account_guard(root, s->account, &s->guard));
		for (u32 i = 0; i < ARIL_MAX_ACCOUNTS; i++)
			if (account_info(i)->id && account_info(i)->parent == s->account &&
			    one_in(&self[0], 4))
				aril_account_destroy(root, account_info(i)->id);
	}
	tend_frames(shared_first, SHARED, &sides[0], &sides[1]);
	if (one_in(&self[0], 4))
		slices_give();
	if (one_in(&self[0], 8))
		grants_give();
	probe_guard();
	if (one_in(&self[0], 4))
		tend_frames(big_first, BIG, &sides[0], &sides[1]);
}

static void turn(struct fuzzer *f, struct fuzzer *random)
{
	u32 i = f->number;
	const volatile struct aril_env_info *e = env_info(f->env);

	if (!f->env || e->id != f->env || e->state != ARIL_ENV_ALIVE) {
		s64 error = fuzzer_build(f);

		if (error < 0) {
			refused_build++;
			last_refusal = error;
			return;
		}
	}
	turns_idle[i] = f->steps == steps_before[i] ? turns_idle[i] + 1 : 0;
	steps_before[i] = f->steps;
	if (turns_idle[i] > STUCK || one_in(random, 200)) {
		stuck += turns_idle[i] > STUCK;
		killed++;
		turns_idle[i] = 0;
		reset(below(random, 3) ? f->frame : f->context_frame);
		return;
	}
	core_yield(core_auth, f->env);
}

static void supervise(u32 cpu)
{
	u64 next = core_now() + 100000000;

	while (core_now() < until && findings < 8) {
		for (u32 i = 0; i < FUZZERS; i++)
			if (fuzzers[i].on_cpu == cpu)
				turn(&fuzzers[i], &self[cpu]);
		if (cpu != (u32)__builtin_ctz(CORE_DOMAIN->cpus)) {
			probe_read(&self[cpu], cpu);
			continue;
		}
		findings_tell();
		for (u64 end = core_now() + 1500000; core_now() < end;)
			probe_change();
		code_disturb(&self[cpu]);
		tend();
		if (core_now() >= next) {
			audit();
			canaries();
			code_again(below(&self[cpu], 64));
			next = core_now() + 200000000;
		}
	}
}

void core_secondary(u32 cpu)
{
	while (!stage)
		core_sleep(1000000);
	supervise(cpu);
	stage = 2;
	for (;;)
		core_sleep(1000000000);
}

static void report(void)
{
	u64 all = 0, good = 0, lives = 0;

	u32 reached = 0;

	findings_tell();

	for (u32 i = 0; i < ARIL_CALLS; i++) {
		u32 most = 1;

		for (u32 e = 1; e < ERRORS; e++)
			if (refused[i][e] > refused[i][most])
				most = e;
		core_log("fuzz: %18s %8lu made %8lu succeeded, error %u %lu times",
			 aril_call_desc[i].name, made[i], worked[i], most, refused[i][most]);
		all += made[i];
		good += worked[i];
		reached += worked[i] != 0;
	}
	for (u32 i = 0; i < FUZZERS; i++)
		lives += fuzzers[i].lives;
	core_log("fuzz: %u calls of %u succeeded at times; %lu envs, %u ended by the supervisor "
		 "(%u stuck), %u "
		 "not built (last error %ld)",
		 reached, ARIL_CALLS, lives, killed, stuck, refused_build, -last_refusal);
	if (grants_last)
		core_log("fuzz: grants refused, last by error %ld", -grants_last);
	core_log("fuzz: %u audits of %u objects, %u frames allocated again and looked at", audits,
		 audited, cleared);
	core_log("fuzz: seed %lu: %lu calls, %lu %% succeeded, %u findings", seed, all,
		 all ? good * 100 / all : 0, findings);
}

static u64 number(const char *text)
{
	u64 n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (u64)(*text - '0');
	return n;
}

static void start(void)
{
	must("root", root = (u32)aril_cap_open(&CORE_DOMAIN->root_cap));
	core_handlers.exception = on_exception;
	core_handlers.gate = fuzz_gate;
	for (u32 i = 0; i < SIDES; i++)
		sides[i].first = pool_free(core_pool_take(&core_pool, POOL), POOL);
	shared_first = pool_free(core_pool_take(&core_pool, SHARED), SHARED);
	big_first = (core_pool_take(&core_pool, 2 * BIG - 1) + BIG - 1) & ~(BIG - 1);
	pool_free(big_first, BIG);
	slices_free();
	for (u32 i = 0; i < SIDES; i++)
		side_make(&sides[i], i);
	checks_start();
	must("tables", core_add_tables(&core_self, CHECK_VA));
	must("tables", core_add_tables(&core_self, WINDOW_VA));
	for (u32 i = 0; i < FUZZERS; i++)
		fuzzer_make(i);
	for (u32 i = 0; i < LEAVES; i++) {
		leaves[i] =
			(struct fuzzer){.leaf = 1, .side = i % SIDES, .random = seed + 1000 * i};
		leaves[i].scratch = core_pages(SCRATCH / ARIL_PAGE_SIZE, NULL);
	}
	for (u32 i = 0; i < ARIL_MAX_CPUS; i++)
		self[i].random = seed + 77 * i;
	for (u32 i = 0; i < SIDES; i++)
		side_space(&sides[i]);
	code_start();
	tend();
	tend_frames(big_first, BIG, &sides[0], &sides[1]);
	slices_give();
}

int main(int argc, char **argv, char **envp)
{
	u64 seconds = argc > 1 ? number(argv[1]) : 5;

	(void)envp;
	seed = argc > 2 ? number(argv[2]) : 1;
	core_log("fuzz: seed %lu, %lu s, %u CPUs", seed, seconds, ARIL_INFO->ncpus);
	start();
	findings_tell();
	if (findings)
		return 1;
	audit();
	until = core_now() + seconds * 1000000000;
	stage = 1;
	supervise(core_context()->cpu);
	stopping = 1;
	for (u32 i = 0; i < 3000 && stage != 2 && ARIL_INFO->ncpus > 1; i++)
		core_sleep(1000000);
	for (u32 i = 0; i < FUZZERS; i++)
		reset(fuzzers[i].frame);
	tend();
	audit();
	canaries();
	report();
	return findings != 0;
}
