// SPDX-License-Identifier: MIT
// A child in an account that may do little in a slice: kernel work, and shoot-downs of another CPU. Beyond that it is
// refused, with QUOTA and counted, until its next slice; then it goes on.
// expect: quota_work: work refused after [0-9]+, then allowed
// expect: quota_work: pages refused after [0-9]+, then allowed
// expect: quota_work: shoot-downs refused after [0-9]+, then allowed
// expect: quota_work: moves refused after [0-9]+, then allowed
// expect: quota_work: ends refused after [0-9]+, then allowed
// expect: quota_work: done
// forbid: quota_work: WRONG
// smp: 2
#include "adversary.h"
#include <aril/ops.h>

#define WORK 20
#define FLUSHES 1 /* on a busy host one may take as long as a slice */
#define TRIES 20000000

u8 child_stack[16384] __attribute__((aligned(16)));
static volatile u32 stop;
static u32 page, spare;
static u64 va;
static volatile u32 allowed_calls, again;
static volatile s64 last;

void child_work(void);
void child_pages(void);
void child_flushes(void);
void child_moves(void);
void child_ends(void);
CHILD(x_work, "leaq child_stack+16384(%rip), %rsp\n\tcall child_work");
CHILD(x_pages, "leaq child_stack+16384(%rip), %rsp\n\tcall child_pages");
CHILD(x_flushes, "leaq child_stack+16384(%rip), %rsp\n\tcall child_flushes");
CHILD(x_moves, "leaq child_stack+16384(%rip), %rsp\n\tcall child_moves");
CHILD(x_ends, "leaq child_stack+16384(%rip), %rsp\n\tcall child_ends");

/* Calls until it is refused, then until it is not. */
static void press(s64 (*call)(u32 auth))
{
	u32 auth = (u32)aril_cap_open(&CORE_DOMAIN->cap);
	s64 result;

	while ((result = call(auth)) >= 0 && allowed_calls < TRIES)
		allowed_calls++;
	last = result;
	for (u32 i = 0; i < TRIES && result == -ARIL_E_QUOTA; i++)
		result = call(auth);
	again = result >= 0;
	aril_env_exit(0);
}

static s64 wake(u32 auth)
{
	return aril_wake(auth, page, 0, 1);
}

/* Takes a translation away that the other CPU may have. */
static s64 unbind(u32 auth)
{
	struct aril_space_op ops[2] = {
		{.va = va, .frame = page, .count = 1, .kind = ARIL_BIND, .auth = auth},
		{.va = va, .count = 1, .kind = ARIL_UNBIND}};
	s64 done = aril_space_update(auth, CORE_DOMAIN->space, ops, 2);

	return done;
}

/* To the space in which it is: all others are waited for. */
static s64 move(u32 auth)
{
	return aril_env_space(auth, CORE_DOMAIN->space);
}

void child_moves(void)
{
	press(move);
}

/* An env of its own, which is made first: all others are waited for. */
static s64 end(u32 auth)
{
	const struct aril_env_desc desc = {.space = CORE_DOMAIN->space, .entry = (u64)x_ends};
	static s64 env;

	if (env <= 0)
		env = aril_env_create(auth, spare, &desc);
	s64 error = env < 0 ? env : aril_env_destroy(auth, (u32)env);
	if (!error)
		env = 0;
	return error;
}

void child_ends(void)
{
	press(end);
}

void child_work(void)
{
	press(wake);
}

/* By the short way, whose work is given ahead. */
static s64 protect(u32 auth)
{
	return aril_page_protect(auth, CORE_DOMAIN->space, va,
				 ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE);
}

void child_pages(void)
{
	press(protect);
}

void child_flushes(void)
{
	press(unbind);
}

/* The other CPU is in this space all the time. */
void core_secondary(u32 cpu)
{
	(void)cpu;
	while (!stop)
		;
	for (;;)
		core_sleep(1000000000);
}

static void run(const char *what, u32 quota, u32 limit, void (*entry)(void))
{
	struct aril_account_desc desc = {.guard = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL},
					 .limit = {0, 2, 0, 0, 0, 0, ~0u, ~0u}};
	struct aril_env_desc env = {.space = CORE_DOMAIN->space, .entry = (u64)entry};
	struct child c = {.context = core_pages(1, &c.context_frame),
			  .frame = core_pool_take(&core_pool, 1)};

	memcpy(desc.guard.name, CORE_DOMAIN->cap.name, sizeof(desc.guard.name));
	desc.limit[quota] = limit;
	allowed_calls = again = 0;
	last = 0;
	env.account = (u32)aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	const volatile struct aril_account *books =
		(const volatile struct aril_account *)ARIL_INFO->accounts_va +
		(env.account & 0xffff);
	c.env = (u32)aril_env_create(core_auth, c.frame, &env);
	allowed("a context", aril_env_context(core_auth, c.env, core_context()->cpu,
					      c.context_frame, (u64)c.context));
	const volatile struct aril_env_info *e = child_run(&c);
	if (e->state != ARIL_ENV_DEAD || e->end != ARIL_END_EXIT)
		wrong(what, e->end);
	if (last != -ARIL_E_QUOTA || !books->refused)
		wrong("the refusal", last);
	if (quota == ARIL_QUOTA_WORK && (allowed_calls < limit || allowed_calls > 3 * limit))
		wrong("what was allowed", allowed_calls);
	if (allowed_calls < limit)
		wrong("what was allowed before", allowed_calls);
	core_log("%s: %s refused after %u, then %s", NAME, what, allowed_calls,
		 again ? "allowed" : "not");
	allowed("ending the account", aril_account_destroy(core_auth, env.account));
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	va = (u64)core_pages(1, &page);
	run("work", ARIL_QUOTA_WORK, WORK, x_work);
	allowed("a page that may", aril_page_bind(core_auth, CORE_DOMAIN->space, va, page,
						  ARIL_BIND_MAY_WRITE, core_auth));
	run("pages", ARIL_QUOTA_WORK, WORK, x_pages);
	run("shoot-downs", ARIL_QUOTA_FLUSHES, FLUSHES, x_flushes);
	run("moves", ARIL_QUOTA_FLUSHES, FLUSHES, x_moves);
	spare = core_pool_take(&core_pool, 1);
	run("ends", ARIL_QUOTA_FLUSHES, FLUSHES, x_ends);
	stop = 1;
	return done();
}
