// SPDX-License-Identifier: MIT
// A capability reaches another env as plain bytes in memory; and for each kind of resource: once a call that changed the
// guard has returned, no call that an env on another CPU begins succeeds under the old one.
// with:
// smp: 2
// device: rtc
// expect: guards: passed by memory ok
// expect: guards: binding ok
// expect: guards: wake ok
// expect: guards: space ok
// expect: guards: env ok
// expect: guards: region ok
// expect: guards: slice ok
// expect: guards: account ok
// expect: guards: grant ok
// expect: guards: done
// forbid: guards: WRONG
#include <aril/error.h>
#include <aril/ops.h>

#include "member.h"

#define PROBE 0x500000000000ul
#define ROUNDS 12u
#define TRIES 40u    /* of each round: successes before the change, refusals after it */
#define POSITION 40u /* of CPU 0's vector */

enum kind { BINDING, WAKE, SPACE, ENV, REGION, SLICE, ACCOUNT, GRANT, KINDS };
static const char *const kind_name[KINDS] = {
	"binding", "wake", "space", "env", "region", "slice", "account", "grant",
};

static struct member user, peer;
static struct aril_cap passed, altered; /* how the user comes by its authority */
static struct aril_guard lent;		/* what it opens */
static u32 frame[KINDS], account;
static s64 grant;
static volatile u32 opened, alteration_refused;
/* odd: forbidden, from before it became odd until after it is even again */
static volatile u32 state, kind, succeeded, turned_away, late;

/* One call under the lent guard: what it gave. */
static s64 attempt(u32 auth)
{
	struct aril_space_op op = {.va = PROBE, .frame = frame[BINDING], .count = 1, .auth = auth};

	switch (kind) {
	case BINDING:
		op.kind = ARIL_UNBIND;
		aril_space_update(user.auth, CORE_DOMAIN->space, &op, 1);
		op.kind = ARIL_BIND;
		return aril_space_update(user.auth, CORE_DOMAIN->space, &op, 1);
	case WAKE:
		return aril_wake(auth, frame[WAKE], 0, 1);
	case SPACE: /* allowed, it finds nothing there */
		return aril_space_unlink(auth, frame[SPACE], 0, 3) == -ARIL_E_RIGHTS
			       ? -ARIL_E_RIGHTS
			       : 0;
	case ENV:
		return core_yield(auth, peer.env);
	case REGION:
		return aril_region_write(auth, frame[REGION], 8, (const u8 *)"x", 1);
	case SLICE:
		return aril_slice_set(auth, 0, POSITION, CORE_DOMAIN->env, 0);
	case ACCOUNT:
		return aril_account_guard(auth, account, &lent);
	default:
		return aril_grant_guard(auth, (u32)grant, &lent);
	}
}

static void user_run(void)
{
	member_begin();
	core_async_on();
	altered = passed;
	altered.rights ^= ARIL_CALL;
	alteration_refused = aril_cap_open(&altered) == -ARIL_E_CAP;
	s64 auth = aril_cap_open(&passed);
	if (auth < 0)
		aril_env_exit(auth);
	opened = 1;
	for (;;) {
		u32 before = state;
		s64 result = attempt((u32)auth);

		if (result >= 0) {
			late += before & 1 && state == before;
			succeeded += !(before & 1);
		} else if (result == -ARIL_E_RIGHTS) {
			turned_away += before & 1;
		} else {
			wrong(kind_name[kind], result);
			aril_env_exit(1);
		}
	}
}

/* Gives the CPU back to whoever gave it. */
static void peer_run(void)
{
	member_begin();
	core_async_on();
	for (;;)
		core_yield(member_self()->auth, user.env);
}

static s64 set(const struct aril_guard *guard)
{
	struct aril_frame_op op = {
		.first = frame[kind], .count = 1, .kind = ARIL_FRAME_GUARD, .guard = *guard};

	switch (kind) {
	case REGION:
		return aril_region_guard(core_auth, frame[REGION], 0, guard);
	case SLICE:
		return aril_slice_set(core_auth, 0, POSITION, CORE_DOMAIN->env, guard);
	case ACCOUNT:
		return aril_account_guard(core_auth, account, guard);
	case GRANT:
		return aril_grant_guard(core_auth, (u32)grant, guard);
	default:
		return aril_frame_update(core_auth, &op, 1) == 1 ? 0 : -1;
	}
}

static int reaches(volatile u32 *count, u32 n)
{
	u64 until = core_now() + 20000000000ul;

	while (*count < n && core_now() < until && member_alive(&user))
		core_sleep(200000);
	return *count >= n;
}

/* Lends and takes back, by another name and by a newer generation in turn. */
static void take_turns(const struct aril_guard *own)
{
	u32 bad = 0;

	for (u32 i = 0; i < ROUNDS && !bad; i++) {
		struct aril_guard none = i & 1 ? lent : *own;

		none.generation = i & 1 ? lent.generation + 1 : 0;
		succeeded = turned_away = 0;
		state++;
		allowed("lending", set(&lent));
		bad += !reaches(&succeeded, TRIES);
		allowed("taking back", set(&none));
		state++;
		bad += !reaches(&turned_away, TRIES);
	}
	core_log("guards: %s %s (%u late)", kind_name[kind], bad || late ? "WRONG" : "ok", late);
}

static void resources(void)
{
	struct aril_region_field field = {.bytes = 64, .guard = lent};
	struct aril_account_desc desc = {.guard = lent};
	u32 book = core_pool_take(&core_pool, 1);

	for (u32 i = BINDING; i <= REGION; i++)
		frame[i] = i == ENV ? peer.frame : core_pool_take(&core_pool, 1);
	allowed("tables", core_map(&core_self, PROBE, frame[BINDING], 1, 0, core_auth));
	allowed("a space",
		aril_space_create(core_auth, frame[SPACE], core_pool_take(&core_pool, 1)));
	allowed("a region", aril_region_create(core_auth, frame[REGION], book, &field, 1));
	s64 id = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	allowed("an account", id);
	account = (u32)id;
	grant = core_grant(ARIL_GRANT_PORTS, ~0u);
	allowed("a grant", grant);
}

int main(int argc, char **argv, char **envp)
{
	static const u8 suffix[1] = {7};
	struct aril_guard own = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};

	(void)argc, (void)argv, (void)envp;
	memcpy(own.name, CORE_DOMAIN->cap.name, sizeof(own.name));
	lent = own;
	lent.name[lent.len++] = suffix[0];
	lent.generation = 5;
	allowed("a child", aril_cap_derive(&CORE_DOMAIN->cap, suffix, 1, ARIL_ALL, 5, &passed));
	allowed("a peer", member_make(&peer, 1, 0, peer_run, 0));
	resources();
	state = 1;
	kind = WAKE;
	allowed("a user", member_make(&user, 1, 0, user_run, 0));
	member_slices(1, user.env, 0, 1);
	reaches(&opened, 1);
	core_log("guards: passed by memory %s", opened && alteration_refused ? "ok" : "WRONG");
	for (u32 i = 0; i < KINDS; i++) {
		kind = i; /* what was begun before is under `own` still, and is refused */
		take_turns(&own);
	}
	allowed("the user's end", member_end(&user));
	allowed("the peer's end", member_end(&peer));
	return done();
}
