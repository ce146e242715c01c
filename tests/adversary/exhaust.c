/* SPDX-License-Identifier: MIT
 * Uses up what it can: slots for capabilities, the env table, page tables; then gives it back and goes on. */
// expect: exhaust: refused one capability too many
// expect: exhaust: done
// forbid: exhaust: WRONG
// timeout: 120
#include "adversary.h"

static u32 env_frame[ARIL_MAX_ENVS];
CHILD(x_exit, EXIT(0));

static u32 make_envs(void)
{
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space, .entry = (u64)x_exit};
	u32 n = 0;

	for (; n < ARIL_MAX_ENVS; n++) {
		u32 frame = core_pool_take(&core_pool, 1);
		s64 env = frame ? aril_env_create(core_auth, frame, &desc) : -ARIL_E_QUOTA;

		if (env < 0) {
			refused("one env too many", env, ARIL_E_QUOTA);
			break;
		}
		env_frame[n] = frame;
	}
	return n;
}

int main(int argc, char **argv, char **envp)
{
	u32 auth[ARIL_AUTHS], opened = 0;
	s64 last;

	(void)argc;
	(void)argv;
	(void)envp;
	while ((last = aril_cap_open(&CORE_DOMAIN->cap)) >= 0 && opened < ARIL_AUTHS)
		auth[opened++] = (u32)last;
	refused("one capability too many", last, ARIL_E_QUOTA);
	if (opened != ARIL_AUTHS - 1)
		wrong("slots for capabilities", opened);
	while (opened)
		allowed("closing", aril_cap_close(auth[--opened]));
	for (u32 i = 0; i < 1000; i++) /* slots come back, under new indices */
		allowed("closing again", aril_cap_close((u32)aril_cap_open(&CORE_DOMAIN->cap)));
	const volatile struct aril_account *account =
		(const volatile struct aril_account *)ARIL_INFO->accounts_va +
		(CORE_DOMAIN->account & 0xffff);
	u32 may = account->limit[ARIL_QUOTA_ENVS] - account->used[ARIL_QUOTA_ENVS], n = make_envs();
	core_log("%s: made %u envs", NAME, n);
	if (n != may || n < 100)
		wrong("envs", n);
	for (u32 i = 0; i < n; i++)
		while ((last = aril_frame_reset(core_auth, env_frame[i])) == -ARIL_E_AGAIN)
			;
	allowed("destroying the last env", last);
	dies("a child after all that", (void (*)(void))0x1000, 14);
	/* a chain of tables: one page every 512 GiB, until the pool is empty or user space ends */
	u64 va = 0x8000000000;
	u32 tables = 0, page = core_pool_take(&core_pool, 1);
	for (; va < 0x600000000000 && !core_map(&core_self, va, page, 1, 0, core_auth);
	     va += 0x8000000000)
		tables++;
	core_log("%s: bound one frame in %u places", NAME, tables);
	while ((last = aril_frame_reset(core_auth, page)) == -ARIL_E_AGAIN)
		;
	allowed("resetting it", last);
	if (frame_info(page)->refs)
		wrong("bindings left", frame_info(page)->refs);
	return done();
}
