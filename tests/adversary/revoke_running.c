/* SPDX-License-Identifier: MIT
 * Children that compute for ever, all masked, until the frame of their env is taken at a revocation's deadline: by the timer that
 * interrupts them. What they had is in their context's page then, as that of who is stopped by force, and another env goes on with it. */
// expect: revoke_running: [1-9][0-9]* taken while they ran, with all that they had
// expect: revoke_running: another went on
// expect: revoke_running: done
// forbid: revoke_running: WRONG
#include "adversary.h"
#include <aril/ops.h>

#define ROUNDS 20
#define SOON 1000000ul /* ns: they run for so long */
#define MARK 0x5eed5eedul

extern u64 turns;
extern const u8 spin_end[];
u64 turns;
CHILD(spin, "movl $0x5eed5eed, %ebx\n1:\tincq turns(%rip)\n\tcmpl $0x5eed5eed, %ebx\n\tje 1b\n\t"
	    ".globl spin_end\n\t.hidden spin_end\nspin_end:");

static struct aril_guard mine = {.rights = ARIL_ALL};
static u32 account, frame;
static struct child c;

/* One is made, entered, and taken. Whether it ran until then, and was not stopped before. */
static int round_run(void)
{
	struct aril_revocation want = {
		.kind = ARIL_REVOKE_FRAMES, .count = 1, .first = frame, .last = frame};
	u64 before = turns;

	if (aril_frame_alloc(core_auth, account, frame, 1, &mine) != 1)
		wrong("its frame again", frame);
	c.frame = frame;
	allowed("a child", child_make(&c, spin, 0));
	core_sleep(1); /* a slice of its own to begin with, mostly */
	want.deadline = core_now() + SOON;
	allowed("revoking", aril_revoke(core_auth, account, &want));
	const volatile struct aril_env_info *e = child_run(&c);
	if (e->id != c.env || e->state != ARIL_ENV_DEAD || e->end != ARIL_END_DESTROYED)
		wrong("its end", e->end);
	return e->overruns == 0 && turns != before;
}

static int kept(void)
{
	return c.context->forced == 1 && c.context->state.rbx == MARK &&
	       c.context->state.rip >= (u64)spin && c.context->state.rip < (u64)spin_end;
}

int main(int argc, char **argv, char **envp)
{
	struct aril_account_desc desc = {.limit = {1, 0, 0, 0, 0, 0, ~0u, ~0u}};
	u32 ran = 0;

	(void)argc, (void)argv, (void)envp;
	mine.len = CORE_DOMAIN->cap.len;
	memcpy(mine.name, CORE_DOMAIN->cap.name, sizeof(mine.name));
	desc.guard = mine;
	frame = core_pool_take(&core_pool, 1);
	allowed("freeing", aril_frame_free(core_auth, frame, 1));
	s64 made = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	allowed("account", made);
	account = (u32)made;
	for (u32 i = 0; i < ROUNDS; i++) {
		if (!round_run())
			continue;
		ran++;
		if (!kept())
			core_log("%s: WRONG what was kept: forced %u, rip %lx", NAME,
				 c.context->forced, c.context->state.rip);
	}
	core_log("%s: %u taken while they ran, with all that they had", NAME, ran);
	/* another, with the same page */
	struct aril_env_desc env = {.space = CORE_DOMAIN->space, .entry = (u64)spin};
	struct aril_context *page = c.context;
	u64 before = turns;
	c.frame = core_pool_take(&core_pool, 1);
	made = aril_env_create(core_auth, c.frame, &env);
	allowed("another", made);
	allowed("its page", aril_env_context(core_auth, (u32)made, core_context()->cpu,
					     c.context_frame, (u64)page));
	page->state.rbx = 0;
	page->state.rip = (u64)spin_end;
	page->forced = 1;
	c.env = (u32)made;
	const volatile struct aril_env_info *e = child_run(&c);
	if (e->end != ARIL_END_FAULT || e->end_rip != (u64)spin_end || turns != before)
		wrong("where it went on", (s64)e->end_rip);
	core_log("%s: another went on", NAME);
	aril_frame_reset(core_auth, c.frame);
	allowed("destroying the account", aril_account_destroy(core_auth, account));
	return done();
}
