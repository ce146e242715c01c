/* SPDX-License-Identifier: MIT
 * What the adversaries share: saying what was refused, victims to aim at, and children that die in their stead.
 *
 * An adversary logs `NAME: refused WHAT` for what the kernel turned down and `NAME: WRONG WHAT` where it did
 * not, and `NAME: done` at its end. */
#ifndef ADVERSARY_H
#define ADVERSARY_H

#include <aril/info.h>
#include <aril/upcall.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define NAME (CORE_DOMAIN->name)

/* The books, where info says. */
static inline const volatile struct aril_frame *frame_info(u32 frame)
{
	return (const volatile struct aril_frame *)ARIL_INFO->frames_va + frame;
}

static inline const volatile struct aril_env_info *env_info(u32 env)
{
	return (const volatile struct aril_env_info *)ARIL_INFO->envs_va + (env & 0xffff);
}

static inline void wrong(const char *what, s64 result)
{
	core_log("%s: WRONG %s gave %ld", NAME, what, result);
}

/* result must be the refusal -error; error 0: any refusal. */
static inline void refused(const char *what, s64 result, int error)
{
	if (result >= 0 || (error && result != -error))
		wrong(what, result);
	else
		core_log("%s: refused %s (%ld)", NAME, what, -result);
}

/* As refused, but silent when it was: for loops. Returns 1 when it was refused as it should. */
static inline int turned_down(const char *what, s64 result, int error)
{
	if (result >= 0 || (error && result != -error)) {
		wrong(what, result);
		return 0;
	}
	return 1;
}

static inline void allowed(const char *what, s64 result)
{
	if (result < 0)
		wrong(what, result);
}

static inline int done(void)
{
	core_log("%s: done", NAME);
	return 0;
}

/* The first domain's env: the neighbour. */
static inline u32 victim_env(void)
{
	const volatile struct aril_env_info *envs =
		(const volatile struct aril_env_info *)ARIL_INFO->envs_va;
	u32 parent = env_info(CORE_DOMAIN->env)->parent;

	for (u32 i = 0; i < ARIL_INFO->nenvs; i++)
		if (envs[i].id && envs[i].id != CORE_DOMAIN->env && envs[i].parent == parent &&
		    envs[i].id != parent && envs[i].state == ARIL_ENV_ALIVE)
			return envs[i].id;
	return 0;
}

/* A frame in that state whose first guard's name is {1, domain} (domain < 0: whoever's). 0: none. */
static inline u32 find_frame(u32 state, int domain, int bound)
{
	for (u32 f = 1; f < ARIL_INFO->nframes; f++) {
		const volatile struct aril_frame *i = frame_info(f);

		if (i->state == state && (!bound || i->refs) &&
		    (domain < 0 || (i->guard[0].len == 2 && i->guard[0].name[1] == domain)))
			return f;
	}
	return 0;
}

/* A child: an env of our own in our own space, which enters at `entry` with all masked. */
struct child {
	u32 env, frame, context_frame;
	struct aril_context *context;
};

static inline s64 child_make(struct child *c, void (*entry)(void), void (*gate)(void))
{
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space,
				     .flags = ARIL_ENV_LOG,
				     .entry = (u64)entry,
				     .gate = (u64)gate};
	u32 cpu = core_context()->cpu;

	if (!c->context)
		c->context = core_pages(1, &c->context_frame);
	if (!c->frame)
		c->frame = core_pool_take(&core_pool, 1);
	if (!c->context || !c->frame)
		return -ARIL_E_QUOTA;
	memset(c->context, 0, sizeof(*c->context));
	s64 env = aril_env_create(core_auth, c->frame, &desc);
	if (env < 0)
		return env;
	c->env = (u32)env;
	return aril_env_context(core_auth, c->env, cpu, c->context_frame, (u64)c->context);
}

/* Gives it our slices until it is no more, at most twenty seconds. How it ended. */
static inline const volatile struct aril_env_info *child_run(struct child *c)
{
	const volatile struct aril_env_info *e = env_info(c->env);
	u64 until = core_now() + 20000000000;

	while (e->id == c->env && e->state != ARIL_ENV_DEAD && core_now() < until)
		core_yield(core_auth, c->env);
	return e;
}

/* Gives it our slices until it blocks, at most twenty seconds: who sleeps is not to be yielded to. It may be stopped by
 * force on its way there. */
static inline int falls_asleep(u32 auth, u32 env)
{
	u64 until = core_now() + 20000000000;
	s64 result;

	while ((result = core_yield(auth, env)) >= 0 && core_now() < until)
		;
	if (result != -ARIL_E_STATE)
		wrong("a context that should sleep", result);
	return result == -ARIL_E_STATE;
}

/* Runs `entry` in a child, which must end by exception `vector` (-1: 13 or 6; -2: any exception). Frames are
 * used again. */
static inline void dies(const char *what, void (*entry)(void), int vector)
{
	static struct child c;
	s64 error = child_make(&c, entry, 0);

	if (error < 0) {
		wrong(what, error);
		return;
	}
	const volatile struct aril_env_info *e = child_run(&c);
	u32 got = e->end_vector;
	if (e->state != ARIL_ENV_DEAD || e->end != ARIL_END_FAULT)
		core_log("%s: WRONG %s: state %u, end %u, status %ld", NAME, what, e->state, e->end,
			 e->status);
	else if (vector == -1 ? got != 13 && got != 6 : vector >= 0 && got != (u32)vector)
		core_log("%s: WRONG %s: exception %u", NAME, what, got);
	else
		core_log("%s: refused %s (exception %u)", NAME, what, got);
	aril_frame_reset(core_auth, c.frame);
}

/* Runs `entry` in a child, which must call env_exit(status). */
static inline void exits(const char *what, void (*entry)(void), s64 status)
{
	static struct child c;
	s64 error = child_make(&c, entry, 0);

	if (error < 0) {
		wrong(what, error);
		return;
	}
	const volatile struct aril_env_info *e = child_run(&c);
	if (e->state != ARIL_ENV_DEAD || e->end != ARIL_END_EXIT || e->status != status)
		core_log("%s: WRONG %s: state %u, end %u, status %ld, exception %u", NAME, what,
			 e->state, e->end, e->status, e->end_vector);
	else
		core_log("%s: survived %s", NAME, what);
	aril_frame_reset(core_auth, c.frame);
}

/* A child's code: entered as an upcall, so it is not a C function. */
#define CHILD(name, code)                                                                         \
	void name(void);                                                                          \
	__asm__(".text\n\t.globl " #name "\n\t.hidden " #name "\n" #name ":\n\t" code "\n\tud2\n" \
		"\t")
/* env_exit(status) */
#define EXIT(status) "movl $0x80000020, %eax\n\tmovq $" #status ", %rdi\n\tsyscall\n\t"

#endif
