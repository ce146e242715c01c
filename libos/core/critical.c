/* SPDX-License-Identifier: MIT
 * Robust critical sections: see core/critical.h. */
#include <aril/error.h>
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/critical.h>
#include <core/upcall.h>

#define FLAGS (CORE_CRITICAL_WAITERS | CORE_CRITICAL_LOOK)
#define CPU_BITS CORE_CRITICAL_CPU(15u)

_Static_assert(ARIL_MAX_ENVS <= 1024 && ARIL_MAX_CPUS <= 16, "the word has room");

static u32 env_of(u32 word)
{
	return word & ~(FLAGS | CPU_BITS);
}

static int alive(u32 env)
{
	const volatile struct aril_env_info *i =
		(const volatile struct aril_env_info *)ARIL_INFO->envs_va + (env & 0xffff);

	return i->id == env && i->state == ARIL_ENV_ALIVE;
}

static int replace(u32 *word, u32 old, u32 new)
{
	return __atomic_compare_exchange_n(word, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void count(u64 *what)
{
	__atomic_add_fetch(what, 1, __ATOMIC_RELAXED);
}

/* Tries to take a word that names nobody alive. Who has waited cannot know whether others do, so it says so. */
static int take(struct core_critical *lock, u32 old, u32 self, int waited)
{
	u32 waiters = waited ? CORE_CRITICAL_WAITERS : old & CORE_CRITICAL_WAITERS;

	return replace(&lock->word, old, self | waiters);
}

/* Lets the holder get on, by giving it this CPU or by sleeping until the word changes. */
static s64 give_way(const struct core_critical_view *v, u32 old, int *waited)
{
	struct core_critical *lock = v->lock;
	u32 cpu = core_context()->cpu;

	if ((old & CPU_BITS) == CORE_CRITICAL_CPU(cpu) &&
	    core_yield(v->run_auth, env_of(old)) >= 0) {
		count(&lock->yields);
		return 0;
	}
	u32 expected = old | CORE_CRITICAL_WAITERS;
	if (old != expected && !replace(&lock->word, old, expected))
		return 0;
	*waited = 1;
	s64 result = core_wait(v->auth, v->frame, v->offset, expected, 0);
	if (result == -ARIL_E_AGAIN) { /* an event is to be taken first; we are not inside yet */
		core_async_on();
		core_async_off();
	}
	if (result > 0)
		count(&lock->waits);
	return result < 0 && result != -ARIL_E_VALUE && result != -ARIL_E_AGAIN ? result : 0;
}

static s64 enter(const struct core_critical_view *v, u32 self)
{
	struct core_critical *lock = v->lock;
	int waited = 0;

	for (;;) {
		u32 old = __atomic_load_n(&lock->word, __ATOMIC_SEQ_CST), holder = env_of(old);

		if (holder && alive(holder)) {
			if (old & CORE_CRITICAL_LOOK) { /* it was another that ended */
				replace(&lock->word, old, old & ~CORE_CRITICAL_LOOK);
				continue;
			}
			s64 error = give_way(v, old, &waited);
			if (error)
				return error;
			continue;
		}
		if (!take(lock, old, self, waited))
			continue;
		count(&lock->entries);
		if (!holder)
			return 0;
		lock->deaths++;
		return CORE_CRITICAL_DIED;
	}
}

s64 core_critical_enter(const struct core_critical_view *v)
{
	struct aril_context *context = core_context();

	if (context->critical_frame)
		return -ARIL_E_STATE;
	core_async_off();
	context->critical_offset = v->offset;
	context->critical_auth = v->auth;
	context->critical_mark = CORE_CRITICAL_LOOK;
	__atomic_store_n(&context->critical_frame, v->frame, __ATOMIC_SEQ_CST);
	s64 result = enter(v, context->env | CORE_CRITICAL_CPU(context->cpu));
	if (result < 0) {
		context->critical_frame = 0;
		core_async_on();
	}
	return result;
}

s64 core_critical_enter_repaired(const struct core_critical_view *v, void (*repair)(void *),
				 void *argument)
{
	s64 result = core_critical_enter(v);

	if (result == CORE_CRITICAL_DIED)
		repair(argument);
	return result < 0 ? result : 0;
}

/* The context names the word until the wake is done: who dies in between is made up for by the kernel. */
void core_critical_leave(const struct core_critical_view *v)
{
	u32 old = __atomic_exchange_n(&v->lock->word, 0, __ATOMIC_SEQ_CST);

	if (old & CORE_CRITICAL_WAITERS) {
		count(&v->lock->wakes);
		aril_wake(v->auth, v->frame, v->offset, 1);
	}
	core_context()->critical_frame = 0;
	core_async_on();
}
