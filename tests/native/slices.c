// SPDX-License-Identifier: MIT
// Time: a context given late starts at once on an idle CPU; who is stopped by force starts a new slice without an
// old END; who is given the rest of a slice that is over is told; a START's cause is told once.
// with:
// smp: 2
// expect: slices: late context ok
// expect: slices: after force ok
// expect: slices: in the grace ok
// expect: slices: cause ok
// expect: slices: done
// forbid: slices: WRONG
#include "../adversary/adversary.h"

void child_entry(void);
void child_start(struct aril_context *context, const struct aril_save *save);
__asm__(".text\nchild_entry:\n\tmov %rsp, %rsi\n\tmov %rsp, %rdi\n\tand $-4096, %rdi\n\tcall "
	"child_start\n\tud2\n");

static u32 word_frame;
static volatile u32 *word;
static volatile u32 starts, cause[4];

static u64 slices_of_time(u64 n)
{
	return core_now() + ARIL_INFO->slice_ns * n;
}

/* Never gives up the CPU: sees its END, is stopped, and must then see it gone. */
static void overrun(struct aril_context *context)
{
	const volatile u32 *pending = &context->pending;
	u64 until = slices_of_time(2000);

	while (!(*pending & ARIL_PEND_END))
		if (core_now() > until)
			aril_env_exit(2);
	while (*pending & ARIL_PEND_END)
		if (core_now() > until)
			aril_env_exit(3);
	aril_env_exit(1);
}

/* Waits once, then says by which causes it was started. */
static void causes(const struct aril_save *save)
{
	u32 n = starts++;

	if (n && n < 4)
		cause[n] = (u32)save->error;
	s64 auth = aril_cap_open(&CORE_DOMAIN->cap);
	if (!n)
		aril_wait((u32)auth, word_frame, 0, 0, 0);
	aril_cap_close((u32)auth);
	if (n == 2)
		aril_env_exit(1);
	aril_yield(0, 0);
}

void child_start(struct aril_context *context, const struct aril_save *save)
{
	switch (context->cookie) {
	case 0:
		aril_env_exit(1);
		break;
	case 1:
		overrun(context);
		break;
	case 2:
		aril_env_exit(*(volatile u32 *)&context->pending & ARIL_PEND_END ? 1 : 2);
		break;
	default:
		causes(save);
	}
}

static s64 ended(u32 env)
{
	return env_info(env)->state == ARIL_ENV_DEAD ? env_info(env)->status : -1;
}

/* A position of ours in that CPU's vector. */
static u32 position_of(u32 cpu)
{
	const volatile struct aril_slice *slice =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va + cpu * ARIL_SLICES;

	for (u32 i = 0; i < ARIL_SLICES; i++)
		if (slice[i].env == CORE_DOMAIN->env)
			return i;
	return 0;
}

static void say(const char *what, s64 status)
{
	core_log("slices: %s %s (%ld)", what, status == 1 ? "ok" : "WRONG", status);
}

static s64 late(void)
{
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space, .entry = (u64)child_entry};
	u32 frame, env_frame = core_pool_take(&core_pool, 1), position = position_of(1);
	struct aril_context *context = core_pages(1, &frame);
	u64 until = core_now() + 20000000000;

	s64 env = aril_env_create(core_auth, env_frame, &desc);
	allowed("a slice", aril_slice_set(core_auth, 1, position, (u32)env, 0));
	core_sleep(30000000); /* the other CPU looks, and sleeps */
	allowed("a context", aril_env_context(core_auth, (u32)env, 1, frame, (u64)context));
	while (ended((u32)env) < 0 && core_now() < until)
		core_sleep(5000000);
	aril_slice_set(core_auth, 1, position, CORE_DOMAIN->env, 0);
	return ended((u32)env);
}

/* Given a slice that is over, it sees so. Again, where we were stopped by force before it was given. */
static s64 in_grace(struct child *c)
{
	for (u32 tries = 0; tries < 100; tries++) {
		u64 stopped = env_info(CORE_DOMAIN->env)->overruns;

		core_async_off();
		core_yield(core_auth, 0); /* a fresh slice */
		while (!(*(volatile u32 *)&core_context()->pending & ARIL_PEND_END))
			;
		core_yield(core_auth, c->env);
		core_async_on();
		child_run(c);
		if (ended(c->env) == 1 || env_info(CORE_DOMAIN->env)->overruns == stopped)
			break;
		allowed("a child", child_make(c, child_entry, 0));
		c->context->cookie = 2;
	}
	return ended(c->env);
}

int main(int argc, char **argv, char **envp)
{
	static struct child c[4];
	u32 cpu = core_context()->cpu, position = position_of(cpu);

	(void)argc;
	(void)argv;
	(void)envp;
	say("late context", late());
	word = core_pages(1, &word_frame);
	for (u32 i = 1; i < 4; i++) {
		allowed("a child", child_make(&c[i], child_entry, 0));
		c[i].context->cookie = i;
	}
	child_run(&c[1]);
	say("after force", ended(c[1].env));

	say("in the grace", in_grace(&c[2]));

	falls_asleep(core_auth, c[3].env);
	if (aril_wake(core_auth, word_frame, 0, 1) != 1)
		wrong("waking", 0);
	core_yield(core_auth, c[3].env);
	allowed("a slice", aril_slice_set(core_auth, cpu, position, c[3].env, 0));
	u64 until = slices_of_time(2000);
	while (ended(c[3].env) < 0 && core_now() < until)
		core_sleep(5000000);
	aril_slice_set(core_auth, cpu, position, CORE_DOMAIN->env, 0);
	say("cause", cause[1] == ARIL_START_YIELD && cause[2] == ARIL_START_SLICE
			     ? ended(c[3].env)
			     : cause[1] * 10 + cause[2]);
	core_log("slices: done");
	return 0;
}
