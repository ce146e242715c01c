/* SPDX-License-Identifier: MIT
 * The first env: divides the machine among the domains that the boot archive names, and ends it with the
 * primary. All policy of the start is here; after it, init sleeps. */
#include "init.h"
#include <aril_stubs.h>
#include <core/print.h>
#include <core/time.h>
#include <core/upcall.h>

#define LOOK_NS \
	20000000ul /* how often the ends of the others are looked for, while there are others */
#define STACK_BYTES 32768

struct init init;
static u32 wrong; /* an audit while the domains ran found something */
static u8 stack[STACK_BYTES] __attribute__((aligned(16)));

u64 core_stack(u32 cpu)
{
	(void)cpu;
	return (u64)stack + STACK_BYTES;
}

static _Noreturn void machine_end(u32 status)
{
	aril_machine_end(init.root, status);
	for (;;)
		core_sleep(1000000000);
}

void fail(const char *format, ...)
{
	char line[220];
	__builtin_va_list args;

	__builtin_va_start(args, format);
	core_vformat(line, sizeof(line), format, args);
	__builtin_va_end(args);
	core_log("init: %s", line);
	machine_end(END_INIT);
}

s64 must(s64 result, const char *what, const char *name)
{
	if (result < 0)
		fail("%s%s%s: the kernel refused (error %ld)", name, *name ? ": " : "", what,
		     -result);
	return result;
}

/* A fault of init itself: without it nothing goes on. */
static int on_exception(struct core_frame *frame)
{
	core_log("init: exception %lu at %#lx, address %#lx, error %#lx", frame->save.vector,
		 frame->save.rip, frame->save.addr, frame->save.error);
	aril_machine_end(init.root, END_INIT);
	return 0;
}

/* Its name {1, index}, and the guard of all that it gets. */
static void name_domain(struct domain *d)
{
	u8 name[2] = {1, (u8)d->index};

	must(aril_cap_derive(FIRST_CAP, name, sizeof(name), ARIL_ALL, ~0ul, &d->cap),
	     "a capability", d->plan.name);
	memcpy(d->guard.name, name, sizeof(name));
	d->guard.len = sizeof(name);
	d->guard.rights = ARIL_ALL;
}

static const volatile struct aril_env_info *env_info(u32 env)
{
	return env_of(env & 0xffff);
}

/* Whether the env is no more; says how it ended unless it did so itself. */
static int has_ended(struct domain *d)
{
	const volatile struct aril_env_info *e = env_info(d->env);

	if (d->ended)
		return 1;
	if (e->id == d->env && e->state != ARIL_ENV_DEAD)
		return 0;
	d->ended = 1;
	if (e->end == ARIL_END_FAULT)
		core_log("init: domain %s ended: fault vector %u at %#lx, address %#lx, error %#x, "
			 "stack %#lx",
			 d->plan.name, e->end_vector, e->end_rip, e->end_addr, e->end_error,
			 e->end_rsp);
	else if (e->end == ARIL_END_EXCESS)
		core_log("init: domain %s ended: overran its slices", d->plan.name);
	else if (e->end == ARIL_END_DESTROYED)
		core_log("init: domain %s ended: destroyed", d->plan.name);
	else if (e->status)
		core_log("init: domain %s ended: status %ld", d->plan.name, e->status);
	return 1;
}

/* Whom the machine's end waits for: the primary, then those whose line says so. NULL: all have ended. */
static const struct domain *awaited(void)
{
	for (u32 i = 0; i < init.ndomains; i++)
		if ((!i || init.domain[i].plan.wait) && !init.domain[i].ended)
			return &init.domain[i];
	return NULL;
}

/* Sleeps until the domain's state changes, or it is time to look at the others, or at the books. */
static void sleep_until_change(const struct domain *domain, u32 others)
{
	const volatile struct aril_env_info *e = env_info(domain->env);
	u64 at = (u64)&e->state - ARIL_INFO->envs_va, until = others ? core_now() + LOOK_NS : 0;
	static u64 audit_at;
	u32 state = e->state;

	if (state == ARIL_ENV_DEAD)
		return;
	if (init.audit_every && core_now() >= audit_at) {
		wrong |= !audit_books(1);
		audit_at = core_now() + init.audit_every;
	}
	if (init.audit_every && (!until || until > audit_at))
		until = audit_at;
	core_wait(0, ARIL_INFO->envs_frame + (u32)(at >> ARIL_PAGE_SHIFT),
		  at & (ARIL_PAGE_SIZE - 1), state, until);
}

static void start(void)
{
	init.root = (u32)must(aril_cap_open(FIRST_CAP), "opening the root capability", "");
	init.env = core_context()->env;
	init.space = (struct core_space){
		.root = env_info(init.env)->space, .auth = init.root, .pool = &init.pool};
	frames_find();
	init.pool = (struct core_pool){.run = &init.reserve, .nruns = 1};
	init.realtime_offset = realtime_read();
	archive_claim();
	boot_read();
	for (u32 i = 0; i < init.ndomains; i++)
		name_domain(&init.domain[i]);
	if (init.authority)
		authority_rule();
	if (init.audit)
		audit_before();
	frames_divide();
	for (u32 i = 0; i < init.ndomains; i++)
		domain_build(&init.domain[i]);
}

/* The primary is no more: the machine ends as it did, unless the audit was asked for and finds something. */
static _Noreturn void end(void)
{
	int exited = env_info(init.domain[0].env)->end == ARIL_END_EXIT, right = 1;

	if (init.audit) {
		right = audit_books(0) && !wrong;
		right &= audit_leaks();
		right &= audit_books(0);
	}
	machine_end(!right ? END_WRONG : exited ? END_CLEAN : END_FAULT);
}

/* One of the others. */
static void look_at(struct domain *d, u32 *others)
{
	int authority = d->index && d->index == init.authority;

	if (!has_ended(d)) {
		++*others;
		if (authority)
			authority_help(d, (u32)env_info(d->env)->overruns);
	} else if (authority) {
		authority_again(d);
	} else if (d->index && d->archive && !d->cleared) {
		d->cleared = 1;
		domain_clear(d);
	}
}

void core_run(struct aril_context *context)
{
	(void)context;
	core_handlers.exception = on_exception;
	core_async_on();
	start();
	domains_start();
	for (;;) {
		u32 others = 0;

		for (u32 i = 1; i < init.ndomains; i++)
			look_at(&init.domain[i], &others);
		has_ended(&init.domain[0]);
		const struct domain *domain = awaited();
		if (!domain)
			end();
		sleep_until_change(domain, others);
	}
}
