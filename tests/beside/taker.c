/* SPDX-License-Identifier: MIT
 * Asks a Linux family, with the root capability (ARIL_ROOT=taker), for positions of its slice vectors: those of the second processor
 * but one, that one, then all of the first, of which it may keep the last; for its swap space, in which nothing lies; and for its
 * gate, once it has one. */
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/time.h>
#include <core/upcall.h>

#define ENVS ((const volatile struct aril_env_info *)ARIL_INFO->envs_va)
#define SLICES ((const volatile struct aril_slice *)ARIL_INFO->slices_va)
#define MEMBERS 3	       /* of the family, when it is ready (tests/families/fewer.c) */
#define WHILE 300000000ul      /* for an answer that does not come */
#define DEADLINE 60000000000ul /* nothing is taken by force */
#define PATIENCE 20000000000ul /* for what is to happen */
#define SIGN 1024	       /* frames */

static s64 root;
static u32 family; /* its first env */

static const volatile struct aril_account *account(void)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va +
	       (ENVS[family & 0xffff].account & 0xffff);
}

static u32 members(void)
{
	u32 n = 0;

	for (u32 i = 1; i < ARIL_INFO->nenvs; i++)
		n += ENVS[i].state == ARIL_ENV_ALIVE &&
		     ENVS[i].account == ENVS[family & 0xffff].account;
	return n ? n - 1 : 0;
}

static u32 positions(u32 cpu)
{
	u32 n = 0;

	for (u32 i = 0; i < ARIL_SLICES; i++)
		n += SLICES[cpu * ARIL_SLICES + i].account ==
		     (ENVS[family & 0xffff].account & 0xffff);
	return n;
}

/* Asks for so many of a range, of which some are to stay: these are waited for a little longer, and the request is withdrawn. How
 * many were given. */
static u32 ask(u32 kind, u32 count, u32 first, u32 last, u32 stay)
{
	const volatile struct aril_account *a = account();
	struct aril_revocation want = {.kind = kind,
				       .count = count,
				       .first = first,
				       .last = last,
				       .lower = kind == ARIL_REVOKE_FRAMES,
				       .deadline = core_now() + DEADLINE};
	s64 error = aril_revoke((u32)root, ENVS[family & 0xffff].account, &want);
	u64 until = core_now() + PATIENCE;

	/* at once: the next request comes while the family is still at the end of this one */
	while (!error && a->wanted[kind] > stay && core_now() < until)
		;
	if (stay)
		core_sleep(WHILE);
	u32 open = a->wanted[kind];
	want.count = 0;
	if (open)
		error = aril_revoke((u32)root, ENVS[family & 0xffff].account, &want);
	if (error)
		core_log("taker: WRONG: error %ld", -error);
	return count - open;
}

struct asked {
	u32 count, given, left;
};

static struct asked ask_positions(u32 cpu, u32 count, u32 stay)
{
	struct aril_revocation none = {.kind = ARIL_REVOKE_SLICES, .last = cpu * ARIL_SLICES};
	struct asked a = {.count = count};

	a.given = ask(ARIL_REVOKE_SLICES, count, cpu * ARIL_SLICES,
		      cpu * ARIL_SLICES + ARIL_SLICES - 1, stay);
	/* the last was counted before it went, under the lock that this takes, too */
	aril_revoke((u32)root, ENVS[family & 0xffff].account, &none);
	a.left = positions(cpu);
	return a;
}

static void say(const char *what, struct asked a)
{
	core_log("taker: %s: %s, %u left", what,
		 a.given == a.count	  ? "all was given"
		 : a.given == a.count - 1 ? "all but one was given"
					  : "WRONG",
		 a.left);
}

int main(int argc, char **argv, char **envp)
{
	u32 parent = ENVS[CORE_DOMAIN->env & 0xffff].parent;

	(void)argc, (void)argv, (void)envp;
	root = aril_cap_open(&CORE_DOMAIN->root_cap);
	for (u32 i = 1; i < ARIL_INFO->nenvs && !family; i++)
		if (ENVS[i].id != CORE_DOMAIN->env && ENVS[i].parent == parent &&
		    ENVS[i].state == ARIL_ENV_ALIVE)
			family = ENVS[i].id;
	if (root < 0 || !family) {
		core_log("taker: WRONG: no root capability, or nobody to ask");
		return 1;
	}
	while (members() < MEMBERS)
		core_sleep(2000000);
	struct asked but_one = ask_positions(1, positions(1) - 1, 0), last = ask_positions(1, 1, 0),
		     first = ask_positions(0, positions(0), 1);
	say("the second processor but one", but_one);
	say("its last", last);
	say("the first processor", first);
	core_log("taker: the swap space's grant: %s",
		 ask(ARIL_REVOKE_GRANTS, 1, 0, ARIL_MAX_GRANTS - 1, 0) ? "given"
								       : "WRONG: it stays");
	for (u64 until = core_now() + PATIENCE; !ENVS[family & 0xffff].gate && core_now() < until;)
		core_sleep(1000000);
	core_log("taker: the gate: %s", !ENVS[family & 0xffff].gate ? "WRONG: there is none"
					: ask(ARIL_REVOKE_GATES, 1, family, family, 0)
						? "closed"
						: "WRONG: it stays");
	/* all is said: the family sees that it has less memory, and ends */
	if (ask(ARIL_REVOKE_FRAMES, SIGN, 0, ARIL_INFO->nframes - 1, 0) != SIGN)
		core_log("taker: WRONG: no sign");
	return 0;
}
