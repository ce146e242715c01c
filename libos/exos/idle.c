/* SPDX-License-Identifier: MIT
 * Sleeping while there is nothing to run.
 *
 * A processor waits on its word in the family's page, and hears of the console's rings. Most of what it hears there is
 * nothing: output has gone out, which nobody waits for. So a family that has been woken in vain for a while has a predicate
 * loaded (programs/ext/idle.bpf.c) where there is a code authority, and its processors wait by that: the kernel looks,
 * and lets them sleep on.
 *
 * Loading is done by one processor while it has nothing else to do, a step each time: the scheduler keeps nothing between
 * STARTs, so a step that gives the processor away (to the authority, through its gate; to the instance that compiles, by a
 * yield) is followed by the scheduler's beginning. What is given to the authority are frames that were never bound. */
#include "idle.h"
#include "mem.h"
#include "procfs.h"
#include <aril/code.h>
#include <aril/error.h>
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>
#include <core/ext.h>
#include <core/string.h>

#define VAIN 16u     /* wakes in vain that make it worth while: a short run never pays for it */
#define FRAMES 1024u /* for the work, and the code in the first of them */
#define ROOM 8u
#define TRIES 64u /* of what another hinders */

extern const u8 idle_object[], idle_object_end[];

enum stage { NONE, GIVING, BUILDING, RUNNING, ENDING, TAKING, USED, OFF };
static const char *const stage_names[] = {"none",    "loading", "loading", "loading",
					  "loading", "loading", "used",	   "off"};

static struct {
	enum stage stage;
	u32 by;	     /* the processor that loads it, + 1 */
	u32 gate;    /* index: opens the authority for CALL */
	u32 server;  /* the authority */
	u32 asked;   /* a call through its gate is out */
	u32 answers; /* ... and was answered */
	u64 word[2]; /* by this */
	u32 instance, tries, first, done;
	struct core_ext_request *request;
	u32 code;
	const struct aril_code *book;
} load;

static struct {
	u64 look_at; /* so many in vain make it worth while to look for the authority */
	u64 waits;   /* by the predicate */
	u64 kept;    /* ... with an event there already that was nothing */
	u64 vain;    /* wakes for nothing, and the cycles that they took */
	u64 cycles;
	u64 woken
		[ARIL_MAX_CPUS]; /* when it was, by the cycle counter; 0: it has run something since */
} stats = {.look_at = VAIN};

/* The line behind the processors' has words of the family. */
static u32 *held_word(void)
{
	return &cpus[ARIL_MAX_CPUS].idle;
}
static u32 *zero_word(void)
{
	return &cpus[ARIL_MAX_CPUS].breathing;
}

static u64 offset_of(const void *word)
{
	return (u64)word & (PAGE - 1);
}

static u64 cycles(void)
{
	u32 low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

void idle_output_held(u32 held)
{
	if (cpus && *held_word() != held)
		__atomic_store_n(held_word(), held, __ATOMIC_SEQ_CST);
}

void idle_begun(u32 cpu)
{
	if (stats.woken[cpu])
		stats.woken[cpu] = cycles();
}

void idle_over(u32 cpu)
{
	stats.woken[cpu] = 0;
}

int idle_loads(u32 cpu)
{
	return load.by == cpu + 1 && load.stage != NONE && load.stage < USED;
}

int idle_gate_close(void)
{
	if (load.stage != NONE && load.stage < USED)
		return 0;
	if (load.stage == NONE)
		load.stage = OFF;
	return !aril_env_entry(CORE_DOMAIN->entry, 0);
}

/* --- loading */

/* Calls the authority. Returns only where it is refused: what the scheduler does next, it does from its beginning. */
static void ask(u64 op, u64 run, u64 request)
{
	register u64 w0 __asm__("r8") = op;
	register u64 w1 __asm__("r9") = run;
	register u64 w2 __asm__("r10") = request;
	u64 result = ARIL_CALL_GATE, a = load.gate, b = load.server, mode = ARIL_GATE_SYNC;

	load.asked = 1;
	load.answers = 0;
	this_context()->gate_open = 1;
	__asm__ volatile("syscall"
			 : "+a"(result), "+D"(a), "+S"(b), "+d"(mode), "+r"(w0), "+r"(w1), "+r"(w2)
			 :
			 : "rcx", "r11", "memory");
	this_context()->gate_open = 0;
	load.asked = 0;
}

_Noreturn void idle_answered(u64 who, u64 word0, u64 word1, u64 word2, struct aril_context *ctx)
{
	(void)word2;
	ctx->gate_open = 0;
	if (load.asked && load.by == ctx->cpu + 1 && (u32)who == load.server) {
		load.asked = 0;
		load.answers = 1;
		load.word[0] = word0;
		load.word[1] = word1;
	}
	family_boot(ctx);
}

static void give_up(const char *why, s64 error)
{
	exos_log("exos: no predicate for idle processors: %s: error %ld", why, (long)-error);
	load.stage = OFF;
}

static struct core_ext_request *request_make(void)
{
	u64 bytes = (u64)(idle_object_end - idle_object);
	u32 order = 0;

	while (PAGE << order < PAGE + bytes)
		order++;
	struct core_ext_request *r = page_zalloc(order);
	if (!r)
		return NULL;
	memcpy((u8 *)r + PAGE, idle_object, bytes);
	r->cap = CORE_DOMAIN->cap;
	r->bytes = bytes;
	r->guard[0] = (struct aril_guard){.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};
	memcpy(r->guard[0].name, CORE_DOMAIN->cap.name, sizeof(r->guard[0].name));
	return r;
}

static void begin(u32 cpu)
{
	u32 none = 0;

	if (!__atomic_compare_exchange_n(&load.by, &none, cpu + 1, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST) &&
	    none != cpu + 1)
		return;
	load.server = core_ext_authority();
	if (!load.server || !core_env_serves(load.server)) { /* it may come yet */
		stats.look_at = stats.vain + VAIN;
		return;
	}
	family_lock();
	if (!load.request)
		load.request = request_make();
	if (load.request && !load.first)
		load.first = run_take(FRAMES);
	if (load.stage == NONE) { /* else the gate was asked back meanwhile */
		s64 gate = aril_cap_open(&CORE_DOMAIN->code_cap);
		s64 error = gate < 0 ? gate : aril_env_entry(CORE_DOMAIN->entry, (u64)exos_gate);

		if (!load.request || !load.first)
			error = -ARIL_E_QUOTA;
		load.gate = (u32)gate;
		load.stage = GIVING;
		if (error)
			give_up("its beginning", error);
	}
	family_unlock();
}

/* The frames go back to the machine, where the authority finds them. */
static int give(void)
{
	s64 n = aril_frame_free(family.auth, load.first + load.done, FRAMES - load.done);

	if (n > 0)
		load.done += (u32)n;
	else if (n != -ARIL_E_AGAIN && n != -ARIL_E_QUOTA)
		give_up("its frames", n);
	if (load.done == FRAMES)
		load.stage = BUILDING;
	return load.tries++ < TRIES;
}

/* A step of the authority's, again and again. */
static int build(void)
{
	u64 state = load.word[0];

	if (load.asked) { /* it began anew without an answer: the authority is no more */
		load.asked = 0;
		load.stage = TAKING;
		load.done = load.tries = 0;
		return 1;
	}
	if (load.answers && state == CORE_EXT_BUILT && load.stage == BUILDING) {
		load.instance = (u32)load.word[1];
		load.stage = RUNNING;
		load.tries = 0;
		return 1;
	}
	if (load.answers && state == CORE_EXT_REFUSED && load.stage == BUILDING) {
		load.stage = ENDING;
		load.answers = 0;
		return 1;
	}
	if (load.answers && state != CORE_EXT_BUSY && state != CORE_EXT_BUILDING) {
		load.stage = TAKING;
		load.done = load.tries = 0;
		return 1;
	}
	if (load.stage == BUILDING)
		ask(CORE_EXT_BEGIN | (u64)ROOM << 32, load.first | (u64)FRAMES << 32,
		    page_frame(load.request));
	else
		ask(CORE_EXT_END, load.first, 0);
	return load.tries++ < TRIES;
}

static int run(void)
{
	if (__atomic_load_n(&load.request->done, __ATOMIC_ACQUIRE) ||
	    !core_env_alive(load.instance)) {
		load.stage = ENDING;
		load.answers = load.tries = 0;
		return 1;
	}
	aril_yield(family.auth, load.instance);
	return load.tries++ < TRIES;
}

static void loaded(u32 sealed)
{
	void *page = page_alloc(0);

	if (!page)
		return give_up("no memory", -ARIL_E_QUOTA);
	page_show(page, load.first);
	load.book = page;
	load.code = load.first;
	run_give(load.first + sealed, FRAMES - sealed);
	__atomic_store_n(&load.stage, USED, __ATOMIC_RELEASE);
}

/* What was not sealed is the family's again. */
static int take(void)
{
	const struct core_ext_request *r = load.request;
	u32 sealed = r->done == 1 ? 1 + r->text + r->constants + r->data : 0;
	struct aril_guard guard = r->guard[0];
	u32 at = load.done > sealed ? load.done : sealed;
	s64 n = aril_frame_alloc(family.auth, CORE_DOMAIN->account, load.first + at, FRAMES - at,
				 &guard);

	load.done = n > 0 ? at + (u32)n : at;
	if (load.done < FRAMES)
		return load.tries++ < TRIES;
	family_lock();
	if (r->done == 1)
		loaded(sealed);
	else
		run_give(load.first, FRAMES);
	page_put(load.request);
	family_unlock();
	aril_cap_close(load.gate);
	if (load.stage != USED)
		give_up(r->refusal, -ARIL_E_RANGE);
	return 1;
}

/* One step. 0: there is nothing to do, or it can not be done now. */
static int load_step(u32 cpu)
{
	if (load.stage == NONE && stats.vain >= stats.look_at && CORE_DOMAIN->code_cap.len)
		begin(cpu);
	if (load.by != cpu + 1)
		return 0;
	switch (load.stage) {
	case GIVING:
		return give();
	case BUILDING:
	case ENDING:
		return build();
	case RUNNING:
		return run();
	case TAKING:
		return take();
	default:
		return 0;
	}
}

/* --- sleeping */

static s64 wait_by_predicate(const struct cpu *c, u32 word, u64 deadline)
{
	u32 ring[2], hears, cpu = (u32)(c - cpus);

	if (!console_ring_frames(ring, &hears))
		return -ARIL_E_STATE;
	const u32 *other = hears == cpu ? zero_word() : &cpus[hears].idle;
	struct aril_code_wait w = {
		.code = load.code,
		.auth = family.auth,
		.page = {page_frame(cpus), ring[0], ring[1]},
		/* its own processor hears of the rings anyhow */
		.word = {(u16)offset_of(&c->word), hears == cpu ? ARIL_CODE_NO_WORD : 0,
			 hears == cpu ? ARIL_CODE_NO_WORD : 0},
		.value = {offset_of(&c->word) | (u64)word << 32,
			  offset_of(held_word()) | offset_of(other) << 16},
		.deadline = deadline,
	};
	/* which would have had the scheduler begin anew */
	u64 pended =
		!!(__atomic_load_n(&this_context()->pending, __ATOMIC_RELAXED) & ARIL_PEND_EVENT);
	__atomic_add_fetch(&stats.waits, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&stats.kept, pended, __ATOMIC_RELAXED);
	s64 error = aril_code_wait(&w);
	__atomic_sub_fetch(&stats.kept, pended, __ATOMIC_RELAXED); /* there was something */
	return error;
}

static void count_vain(u32 cpu)
{
	u64 since = stats.woken[cpu];

	if (since > 1) {
		__atomic_add_fetch(&stats.vain, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&stats.cycles, cycles() - since, __ATOMIC_RELAXED);
	}
	stats.woken[cpu] = 1;
}

void idle(struct cpu *c, u32 word, u64 deadline)
{
	u32 cpu = (u32)(c - cpus);

	if (load_step(cpu))
		return;
	count_vain(cpu);
	if (__atomic_load_n(&load.stage, __ATOMIC_ACQUIRE) == USED) {
		s64 error = wait_by_predicate(c, word, deadline);

		if (error == -ARIL_E_VALUE || error == -ARIL_E_AGAIN)
			return;
	}
	aril_wait(family.auth, page_frame(cpus), (u32)offset_of(&c->word), word, deadline);
	idle_begun(cpu); /* an event was there already */
}

/* /proc/exos_idle */
void proc_text_idle(struct proc_text *t, struct proc *p)
{
	u64 runs = load.book ? core_ext_runs(load.book) : 0, kept = stats.kept;

	(void)p;
	/* a wait runs it once, and once more where it ends by it */
	if (runs > 2 * stats.waits)
		kept += runs - 2 * stats.waits;
	text_add(t, "predicate %s\nwaits %lu\nruns %lu\nkept %lu\nvain %lu\ncycles %lu\n",
		 stage_names[load.stage], stats.waits, runs, kept, stats.vain, stats.cycles);
}
