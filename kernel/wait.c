/* SPDX-License-Identifier: MIT
 * Blocking on a word of memory: the only way to block.
 *
 * A waiter is queued in a bucket by the word's physical address, and in its CPU's list of deadlines; one that waits by a
 * predicate in buckets of another kind (code_wait.h). Under wait_lock: a context is CTX_BLOCKED exactly while it is queued. The word is compared under wait_lock, and
 * wake takes it too, so a change of the word followed by a wake is never lost. */
#include "account.h"
#include "arch.h"
#include "boot.h"
#include "check.h"
#include "code_wait.h"
#include "frame.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

struct lock wait_lock = LOCK("wait");
struct wait_bucket wait_buckets[WAIT_BUCKETS];

static void queue_add(struct context *ctx)
{
	struct wait_bucket *b = wait_bucket(ctx->wait_key);

	ctx->wait_next = NULL;
	ctx->wait_prev = b->last;
	if (b->last)
		b->last->wait_next = ctx;
	else
		b->first = ctx;
	b->last = ctx;
}

static void queue_remove(struct context *ctx)
{
	struct wait_bucket *b = wait_bucket(ctx->wait_key);

	if (ctx->gate_to == WAIT_CODE) {
		code_wait_left(ctx);
		ctx->gate_to = 0;
		return;
	}
	if (ctx->wait_next)
		ctx->wait_next->wait_prev = ctx->wait_prev;
	else
		b->last = ctx->wait_prev;
	if (ctx->wait_prev)
		ctx->wait_prev->wait_next = ctx->wait_next;
	else
		b->first = ctx->wait_next;
	ctx->wait_key = 0;
	ctx->gate_to = 0;
}

/* Sorted by deadline; linear in this CPU's blocked contexts with one. */
static void timer_add(struct cpu *cpu, struct context *ctx)
{
	struct context *before = NULL, *next = cpu->timers;

	while (next && next->deadline <= ctx->deadline) {
		before = next;
		next = next->time_next;
	}
	ctx->time_prev = before;
	ctx->time_next = next;
	if (next)
		next->time_prev = ctx;
	if (before)
		before->time_next = ctx;
	else
		write_once(cpu->timers, ctx);
}

static void timer_remove(struct context *ctx)
{
	if (!ctx->deadline)
		return;
	if (ctx->time_next)
		ctx->time_next->time_prev = ctx->time_prev;
	if (ctx->time_prev)
		ctx->time_prev->time_next = ctx->time_next;
	else
		write_once(cpus[ctx->cpu]->timers, ctx->time_next);
	write_once(ctx->deadline, 0); /* in this order: slice_timer_set looks again */
}

void wait_unblock(struct context *ctx, u32 cause)
{
	queue_remove(ctx);
	timer_remove(ctx);
	ctx->start_cause = cause;
	ctx->start_from = 0;
	__atomic_store_n(&ctx->state, CTX_READY, __ATOMIC_RELEASE);
	if (ctx->cpu == this_cpu()->id)
		write_once(this_cpu()->kicked, 1);
	else
		smp_kick(ctx->cpu);
}

int wait_forget(struct context *ctx)
{
	int timed = 0;

	lock_take(&wait_lock);
	if (ctx->state == CTX_BLOCKED) {
		timed = ctx->deadline != 0;
		queue_remove(ctx);
		timer_remove(ctx);
		ctx->state = CTX_READY;
	}
	lock_drop(&wait_lock);
	return timed;
}

/* Frames of the exposed env table: everyone may read them, so everyone may wait on them. */
static int frame_is_exposed(u32 frame)
{
	return frame - info->envs_frame <
	       ARIL_MAX_ENVS * sizeof(struct aril_env_info) / ARIL_PAGE_SIZE;
}

/* Whether the word's frame is still open to who waits on it. object_lock held. */
static int waiter_may(const struct context *ctx)
{
	u32 frame = ctx->wait_key >> ARIL_PAGE_SHIFT;
	const struct auth *a = auth_get(ctx->env, ctx->wait_auth);

	return frame_is_exposed(frame) || (a && !frame_check(frame, a, ARIL_READ));
}

/* Those who wait for the word alone. Who may not hear of it any more is let go when its turn comes, but takes nobody's
 * place. */
static __attribute__((noinline)) u32 words_wake(struct wait_bucket *b, u64 key, u32 n)
{
	u32 woken = 0;

	struct context *next, *ctx = b->first;
	for (; ctx && woken < n; ctx = next) {
		next = ctx->wait_next;
		if (ctx->wait_key != key)
			continue;
		woken += waiter_may(ctx);
		wait_unblock(ctx, ARIL_START_WAKE);
	}
	return woken;
}

u32 wait_wake(u64 key, u32 n)
{
	struct wait_bucket *b = wait_bucket(key);
	u32 left = n;

	lock_take(&wait_lock);
	if (b->first)
		left -= words_wake(b, key, n);
	if (b->code_first && likely(left))
		left = code_wake(b->code_first, (u64)phys(key), left);
	lock_drop(&wait_lock);
	return n - left;
}

/* What callers of an env's gate on a CPU wait on: a word of the env's own frame, on which nobody can call wait or
 * wake, as the frame is not NORMAL. */
static u64 gate_key(const struct env *env, u32 cpu)
{
	return ((u64)env->frame << ARIL_PAGE_SHIFT) + cpu * 4;
}

void wait_for_gate(struct context *ctx, const struct env *callee, u32 cpu)
{
	ctx->strikes = 0;
	ctx->gate_to = callee->id;
	ctx->wait_key = gate_key(callee, cpu);
	queue_add(ctx);
	this_cpu()->ctx = NULL;
	this_cpu()->env = NULL;
	ctx->state = CTX_BLOCKED;
}

void wait_gate_gone(const struct env *callee, u32 cpu)
{
	u64 key = gate_key(callee, cpu);

	lock_take(&wait_lock);
	struct context *next, *ctx = wait_bucket(key)->first;
	for (; ctx; ctx = next) {
		next = ctx->wait_next;
		if (ctx->wait_key != key)
			continue;
		/* else it waits on a word that was in this frame before */
		if (ctx->gate_to != callee->id)
			continue;
		wait_unblock(ctx, ARIL_START_CLOSED);
		ctx->start_from = callee->id;
	}
	lock_drop(&wait_lock);
}

void wait_expire(u64 now)
{
	struct cpu *cpu = this_cpu();

	if (!read_once(cpu->timers))
		return;
	lock_take(&wait_lock);
	while (cpu->timers && cpu->timers->deadline <= now)
		wait_unblock(cpu->timers, ARIL_START_TIME);
	lock_drop(&wait_lock);
}

u64 env_info_key(const struct aril_env_info *i)
{
	return ((u64)info->envs_frame << ARIL_PAGE_SHIFT) +
	       (u64)((const u8 *)i - (const u8 *)env_infos) +
	       __builtin_offsetof(struct aril_env_info, state);
}

/* What wait and wake ask of their word. */
static s64 word_check(u32 auth, u32 frame, u32 offset)
{
	if (offset & 3 || offset >= ARIL_PAGE_SIZE)
		return -ARIL_E_RANGE;
	if (frame_is_exposed(frame))
		return 0;
	const struct auth *a = auth_get(this_cpu()->env, auth);
	if (!a)
		return -ARIL_E_CAP;
	s64 error = frame_check(frame, a, ARIL_READ);
	if (error)
		return error;
	if (!frame_has_words(frame))
		return -ARIL_E_STATE;
	return 0;
}

/* Whether ctx has to block for its word, under wait_lock. */
static s64 wait_decode(const struct context *ctx, const void *word, u32 expected)
{
	if (__atomic_load_n((const u32 *)word, __ATOMIC_SEQ_CST) != expected)
		return -ARIL_E_VALUE;
	if (read_once(ctx->page->pending) & (ARIL_PEND_EVENT | ARIL_PEND_REVOKE))
		return -ARIL_E_AGAIN;
	return 0;
}

/* ctx, which runs here, is queued: it has left the CPU. Under wait_lock. */
static void wait_blocked(struct context *ctx, u64 deadline)
{
	struct cpu *cpu = this_cpu();

	ctx->strikes = 0;
	ctx->deadline = deadline;
	if (deadline)
		timer_add(cpu, ctx);
	cpu->ctx = NULL;
	cpu->env = NULL;
	ctx->state = CTX_BLOCKED;
}

void wait_block_code(struct context *ctx, u32 ref, u64 deadline)
{
	ctx->gate_to = WAIT_CODE;
	ctx->wait_auth = ref;
	code_wait_queue(ref);
	wait_blocked(ctx, deadline);
}

/* object_lock: until the word was read its frame is what it was, and open to whom it was. */
s64 call_wait(u32 auth, u32 frame, u32 offset, u32 expected, u64 deadline)
{
	lock_take(&object_lock);
	struct context *ctx = this_cpu()->ctx;
	if (!ctx) { /* ended by another CPU while this one waited for the lock */
		lock_drop(&object_lock);
		slice_next();
	}
	s64 error = word_check(auth, frame, offset);
	if (!error) {
		lock_take(&wait_lock);
		error = wait_decode(ctx, (u8 *)frame_memory(frame) + offset, expected);
		if (!error) {
			ctx->wait_key = ((u64)frame << ARIL_PAGE_SHIFT) + offset;
			ctx->wait_auth = auth;
			queue_add(ctx);
			wait_blocked(ctx, deadline);
		}
		lock_drop(&wait_lock);
	}
	lock_drop(&object_lock);
	if (error)
		return error;
	slice_next();
}

s64 call_wake(u32 auth, u32 frame, u32 offset, u32 n)
{
	s64 error = word_check(auth, frame, offset);

	if (error)
		return error;
	if (frame_is_exposed(frame))
		return -ARIL_E_RIGHTS; /* only the kernel changes those words */
	error = account_work(1);
	if (error)
		return error;
	return wait_wake(((u64)frame << ARIL_PAGE_SHIFT) + offset, n);
}

/* Why a queued context breaks an invariant, or NULL. before: the one ahead of it in the bucket. */
static const char *waiter_wrong(const struct context *ctx, const struct context *before,
				const struct wait_bucket *b)
{
	if (ctx->state != CTX_BLOCKED)
		return "queued, but not blocked";
	if (wait_bucket(ctx->wait_key) != b)
		return "queued in another word's bucket";
	if (ctx->wait_prev != before)
		return "its queue's links disagree";
	if (ctx->env->info->state != ARIL_ENV_ALIVE)
		return "queued, but its env is gone";
	return NULL;
}

static void bucket_audit(const struct wait_bucket *b, struct aril_check *out)
{
	const struct context *before = NULL;

	for (const struct context *ctx = b->first; ctx; before = ctx, ctx = ctx->wait_next) {
		const char *why = waiter_wrong(ctx, before, b);

		out->checked++;
		if (!why)
			continue;
		check_found(out, ctx->env->id, why);
		return; /* what follows cannot be believed */
	}
	if (b->last != before)
		check_found(out, before ? before->env->id : 0, "a queue ends elsewhere");
}

static void timers_audit(const struct cpu *cpu, struct aril_check *out)
{
	const struct context *before = NULL;

	for (const struct context *ctx = cpu->timers; ctx; before = ctx, ctx = ctx->time_next) {
		out->checked++;
		if (ctx->state == CTX_BLOCKED && ctx->cpu == cpu->id && ctx->deadline &&
		    ctx->time_prev == before && (!before || before->deadline <= ctx->deadline))
			continue;
		check_found(out, ctx->env->id, "the list of deadlines is out of order");
		return;
	}
}

static int context_queued(const struct context *ctx)
{
	if (ctx->gate_to == WAIT_CODE)
		return code_wait_queued(ctx);
	return ctx->wait_key && (ctx->wait_prev ? ctx->wait_prev->wait_next == ctx
						: wait_bucket(ctx->wait_key)->first == ctx);
}

/* Every context of an env: queued by its key if it is blocked, in no queue else. */
static void contexts_audit(const struct env *env, struct aril_check *out)
{
	for (u32 i = 0; i < ncpus; i++) {
		const struct context *ctx = &env->ctx[i];

		out->checked++;
		if (context_queued(ctx) != (ctx->state == CTX_BLOCKED))
			check_found(out, env->id, "blocked in no queue, or queued and not blocked");
		else if (ctx->gate_to && ctx->gate_to != WAIT_CODE && !env_get(ctx->gate_to))
			check_found(out, env->id, "waits for the answer of an env that is gone");
	}
}

/* Steps: the buckets, one by one; each CPU's deadlines; the envs, 64 slots at a time. */
u64 wait_audit(u64 from, struct aril_check *out)
{
	u64 envs_from = WAIT_BUCKETS + ncpus;

	lock_take(&wait_lock);
	if (from < WAIT_BUCKETS) {
		bucket_audit(&wait_buckets[from], out);
		code_bucket_audit((u32)from, out);
	} else if (from < envs_from) {
		timers_audit(cpus[from - WAIT_BUCKETS], out);
	} else {
		for (u64 i = 0; i < 64 && from - envs_from + i < ARIL_MAX_ENVS; i++) {
			struct env *env = env_get(env_infos[from - envs_from + i].id);

			if (env)
				contexts_audit(env, out);
		}
	}
	lock_drop(&wait_lock);
	u64 next = from < envs_from ? from + 1 : from + 64;
	return next < envs_from + ARIL_MAX_ENVS ? next : 0;
}
