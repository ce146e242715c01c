/* SPDX-License-Identifier: MIT
 * Making calls: the fuzzers' threads, and the envs that they make. */
#include "fuzz.h"

s64 core_switch_gate(u32 auth, u32 env, u32 mode, const struct core_message *message);

/* Calls that end or derange the caller are made seldom. */
static u32 seldom(const char *name)
{
	return !strcmp(name, "env_exit")						  ? 80
	       : !strcmp(name, "env_space")						  ? 6
	       : !strcmp(name, "env_destroy")						  ? 3
	       : !strcmp(name, "env_entry") || !strcmp(name, "null")			  ? 8
	       : !strcmp(name, "frame_reset") || !strcmp(name, "frame_free")		  ? 2
	       : !strcmp(name, "gate") || !strcmp(name, "wait") || !strcmp(name, "yield") ? 4
	       : !strcmp(name, "log") || !strcmp(name, "check") || !strcmp(name, "machine_end") ||
			       !strncmp(name, "grant", 5) || !strncmp(name, "device", 6) ||
			       !strncmp(name, "ring", 4) || !strcmp(name, "line_unmask")
		       ? 12
		       : 1;
}

static u32 choose(struct fuzzer *f)
{
	for (;;) {
		u32 call = below(f, ARIL_CALLS);
		const struct aril_call_desc *d = &aril_call_desc[call];

		if (!below(f, seldom(d->name)) && (!f->leaf || d->kind != 2))
			return call;
	}
}

static s64 make_call(struct fuzzer *f, const struct past *c)
{
	const struct aril_call_desc *d = &aril_call_desc[c->call];
	const u64 *a = c->arg;
	struct core_message message = {{1, 2, 3}};

	if (d->number == ARIL_CALL_WAIT_INDEX)
		return core_wait((u32)a[0], (u32)a[1], (u32)a[2], (u32)a[3],
				 a[4] ? a[4] : core_now() + 100000);
	if (d->number == ARIL_CALL_CODE_WAIT_INDEX)
		return core_code_wait((const struct aril_code_wait *)a[0]);
	if (d->number == ARIL_CALL_YIELD_INDEX)
		return core_yield((u32)a[0], (u32)a[1]);
	if (d->number == ARIL_CALL_GATE_INDEX) {
		struct core_server server = {
			.env = (u32)a[1], .auth = (u32)a[0], .mode = (u32)a[2]};

		if (a[2] & ARIL_GATE_SYNC)
			return core_rpc(&server, &message);
		s64 result = core_switch_gate((u32)a[0], (u32)a[1], (u32)a[2], &message);
		core_poll();
		return result;
	}
	(void)f;
	return aril_call6(ARIL_CALL_BASE + d->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* A word is another value for a moment. */
static void flip(u32 *word, u32 value, u32 wait)
{
	if (!word)
		return;
	u32 was = __atomic_load_n(word, __ATOMIC_RELAXED);
	if (was == value) /* another does the same */
		return;
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
	for (u32 n = 0; n < wait; n++)
		__asm__ volatile("");
	__atomic_store_n(word, was, __ATOMIC_RELAXED);
	for (u32 n = 0; n < wait; n++)
		__asm__ volatile("");
}

/* Another fuzzer's latest arguments, while the kernel may be reading them: a word of them is this and that in turn. */
static void disturb(struct fuzzer *f)
{
	struct fuzzer *other = &fuzzers[below(f, FUZZERS)];
	u32 times = one_in(f, 4) ? 400 : 1;
	u32 value = below(f, 4) ? canary_first + below(f, CANARIES)
				: (u32)(below(f, 2) ? below(f, 64) : below(f, ~0u));

	for (u32 i = 0; i < times && other->on_cpu != f->on_cpu; i++)
		flip(other->hot, value, i & 31);
}

void disturb_others(struct fuzzer *random, u32 cpu)
{
	static u64 before[FUZZERS];
	u32 value = canary_first + below(random, CANARIES);

	for (u32 i = 0; i < FUZZERS; i++) {
		struct fuzzer *f = &fuzzers[i];
		u64 steps = f->steps;

		for (u32 n = 0; n < 64 && f->on_cpu != cpu && steps != before[i]; n++)
			flip(f->hot, value, n & 31);
		before[i] = steps;
	}
}

static void open_auths(struct fuzzer *f)
{
	s64 auth = aril_cap_open(&sides[f->side].cap), weak = aril_cap_open(&sides[f->side].weak);

	if (auth >= 0)
		f->auth = (u32)auth;
	if (weak >= 0)
		f->weak = (u32)weak;
}

/* Whether it names what no fuzzer may touch: an env that is gone for good (its slot has a later generation), or a frame
 * that no name of theirs opens. */
static const char *out_of_reach(const struct past *c)
{
	const struct aril_call_desc *d = &aril_call_desc[c->call];

	if (d->number == ARIL_CALL_ACCOUNT_HANDLER_INDEX && !(u32)c->arg[2])
		return 0; /* no handler: no frame either */
	for (u32 i = 0; i < d->nargs; i++) {
		u32 id = (u32)c->arg[i], slot = id & 0xffff;

		if (d->arg[i] == ARIL_ARG_ENV && id && slot && slot < ARIL_INFO->nenvs &&
		    env_info(slot)->id > id)
			return "a call took an env that was no more";
		if ((d->arg[i] == ARIL_ARG_FRAME || d->arg[i] == ARIL_ARG_FIRST ||
		     d->arg[i] == ARIL_ARG_TABLE || d->arg[i] == ARIL_ARG_ROOT ||
		     d->arg[i] == ARIL_ARG_SHADOW || d->arg[i] == ARIL_ARG_BOOK) &&
		    id - canary_first < CANARIES)
			return "a call took a frame that it may not";
	}
	return 0;
}

/* A new call: of the sequence, one that succeeded before, changed, or any. 0: none. */
static int next_call(struct fuzzer *f, struct past *to, int *planned)
{
	*planned = 0;
	if (below(f, 2)) {
		*planned = plan_next(f, to);
		if (*planned && one_in(f, 24))
			call_mutate(f, to);
		return *planned;
	}
	if (f->npast && one_in(f, 3)) {
		*to = f->past[below(f, f->npast)];
		if (below(f, 4))
			call_mutate(f, to);
		return !f->leaf || aril_call_desc[to->call].kind != 2;
	}
	call_make(f, choose(f), to);
	return 1;
}

void fuzz_step(struct fuzzer *f)
{
	struct past *call = &f->past[f->npast < PAST ? f->npast : below(f, PAST)], copy;
	int planned;

	memset(&copy, 0, sizeof(copy));
	if (one_in(f, 16))
		disturb(f);
	if (!next_call(f, &copy, &planned))
		return;
	u32 number = aril_call_desc[copy.call].number;
	const char *never = out_of_reach(&copy);
	f->steps++;
	__atomic_fetch_add(&made[copy.call], 1, __ATOMIC_RELAXED);
	if (number == ARIL_CALL_ENV_EXIT_INDEX) /* does not return */
		__atomic_fetch_add(&worked[copy.call], 1, __ATOMIC_RELAXED);
	s64 result = make_call(f, &copy);
	if (never && result >= 0)
		fuzz_finding(never, copy.call, (u64)result);
	for (u32 i = 0; i < CANARIES; i++) /* at once: what was bound is soon unbound */
		if (frame_info(canary_first + i)->refs > 1)
			fuzz_finding("a frame is bound that nobody may bind", copy.call,
				     canary_first + i);
	if (planned)
		plan_made(f, &copy, result);
	if (number == ARIL_CALL_CAP_CLOSE_INDEX && !result) {
		f->closed = (u32)copy.arg[0];
		if (!aril_cap_close(f->closed))
			fuzz_finding("a closed index closes again", f->closed, 0);
		if (f->closed == f->auth || f->closed == f->weak || f->auth == f->weak)
			open_auths(f);
	}
	if (number == ARIL_CALL_CAP_OPEN_INDEX && result >= 0 && below(f, 8))
		aril_cap_close((u32)result);
	if (result < 0 && -result < ERRORS)
		__atomic_fetch_add(&refused[copy.call][-result], 1, __ATOMIC_RELAXED);
	if (result < 0)
		return;
	__atomic_fetch_add(&worked[copy.call], 1, __ATOMIC_RELAXED);
	if (aril_call_desc[copy.call].nargs && one_in(f, 4)) {
		*call = copy;
		if (f->npast < PAST)
			f->npast++;
	}
}

void fuzz_run(void)
{
	struct fuzzer *f = (struct fuzzer *)core_context()->cookie;

	core_context()->gate_open = 1;
	open_auths(f);
	core_async_on();
	while (!stopping) {
		fuzz_step(f);
		if (one_in(f, 64)) /* all 16 are open, sooner or later */
			for (u32 i = 0; i < 4; i++)
				aril_cap_close(below(f, 256));
		if (one_in(f, 128))
			open_auths(f);
	}
	aril_env_exit(0);
}

/* Who called is answered in most cases. */
s64 fuzz_gate(u32 caller, struct core_message *message)
{
	struct fuzzer *f = (struct fuzzer *)core_context()->cookie;

	(void)caller;
	message->word[0]++;
	return f->auth;
}

/* Each upcall of an env that a fuzzer made: some calls, and the CPU is given back. */
void fuzz_leaf(struct aril_context *context);

/* A fuzzer's context may also be a window's page, which another fuzzer gave it: then its cookie is none of ours, and core
 * would take it for the supervisor's. */
#define ENTRY(name, ours, others)                                                               \
	__asm__(".text\n\t.globl " #name "\n\t.hidden " #name "\n" #name ":\n\t"                \
		"push %rax\n\tpush %rcx\n\tlea 15(%rsp), %rax\n\tand $-4096, %rax\n\t"          \
		"mov 40(%rax), %rax\n\tlea fuzzers(%rip), %rcx\n\tsub %rcx, %rax\n\t"           \
		"cmp fuzzers_bytes(%rip), %rax\n\tpop %rcx\n\tpop %rax\n\tjae 1f\n\tjmp " #ours \
		"\n1:\tjmp " #others "\n")
const u64 fuzzers_bytes = sizeof(fuzzers);
ENTRY(fuzz_entry, core_upcall, fuzz_leaf_entry);
ENTRY(fuzz_gate_entry, core_gate, fuzz_leaf_gate);
__asm__(".text\n\t.globl fuzz_leaf_entry, fuzz_leaf_gate\n\t.hidden fuzz_leaf_entry, "
	"fuzz_leaf_gate\n"
	"fuzz_leaf_entry:\n\tmov %rsp, %rdi\n\tand $-4096, %rdi\n\tand $-16, %rsp\n\tcall "
	"fuzz_leaf\n\tud2\n"
	"fuzz_leaf_gate:\n\txor %edi, %edi\n\txor %esi, %esi\n\tmov $0x80000029, "
	"%eax\n\tsyscall\n\tud2\n");

void fuzz_leaf(struct aril_context *context)
{
	struct fuzzer *f = &leaves[context->env % LEAVES];

	context->gate_open = f->random & 1;
	f->env = context->env;
	f->on_cpu = context->cpu;
	open_auths(f);
	for (u32 i = 0; i < 12 && !stopping; i++)
		fuzz_step(f);
	aril_cap_close(f->auth);
	aril_cap_close(f->weak);
	switch (below(f, 6)) {
	case 0:
		open_auths(f);
		aril_wait(f->auth, sides[f->side].first + below(f, POOL), 4 * below(f, 2), 0,
			  core_now() + below(f, 3000000));
		break;
	case 1:
		aril_env_exit(0);
		break;
	case 2:
		open_auths(f);
		aril_gate(f->auth, pick_env(f), below(f, 2));
	}
	aril_yield(0, 0);
}
