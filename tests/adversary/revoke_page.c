/* SPDX-License-Identifier: MIT
 * Writes nonsense into its repossession page while the kernel writes there, binds the frames that are being taken as
 * fast as they go, and has its own handler's page and context revoked: what is asked is taken all the same. */
// expect: revoke_page: all was taken, [0-9]+ of [0-9]+
// expect: revoke_page: done
// forbid: revoke_page: WRONG
// smp: 2
#include "adversary.h"
#include <aril/ops.h>

#define FRAMES 64
#define ROUNDS 6

static volatile u32 stop;
static u32 victim; /* first of the frames */
static struct aril_repossession *page;

/* The other CPU: scribbles, and binds whatever it still may. */
void core_secondary(u32 cpu)
{
	u64 va = (u64)CORE_DOMAIN_VA + 0x80000;
	u32 *words = (u32 *)page;

	(void)cpu;
	while (!page)
		core_sleep(1000000);
	words = (u32 *)page;
	for (u32 i = 0; !stop; i++) {
		struct aril_space_op op = {.va = va,
					   .frame = victim + i % FRAMES,
					   .count = 1,
					   .kind = ARIL_BIND,
					   .flags = ARIL_BIND_WRITE,
					   .auth = core_auth};

		for (u32 w = 0; w < 40; w++)
			words[w] = i * 0x01000193u + w;
		aril_space_update(core_auth, CORE_DOMAIN->space, &op, 1);
	}
	stop = 2;
	for (;;)
		core_sleep(1000000000);
}

int main(int argc, char **argv, char **envp)
{
	struct aril_guard mine = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};
	struct aril_account_desc desc = {.limit = {FRAMES, 0, 0, 0, 0, 0, ~0u, ~0u}};
	u32 frame, asked = 0;

	(void)argc, (void)argv, (void)envp;
	memcpy(mine.name, CORE_DOMAIN->cap.name, sizeof(mine.name));
	desc.guard = mine;
	victim = core_pool_take(&core_pool, FRAMES);
	void *memory = core_pages(1, &frame);
	allowed("freeing", aril_frame_free(core_auth, victim, FRAMES));
	s64 account = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	allowed("account", account);
	allowed("handler", aril_account_handler(core_auth, (u32)account, CORE_DOMAIN->env,
						core_context()->cpu, frame));
	__atomic_store_n(&page, memory, __ATOMIC_SEQ_CST);
	const volatile struct aril_account *books =
		(const volatile struct aril_account *)ARIL_INFO->accounts_va + (account & 0xffff);
	for (u32 round = 0; round < ROUNDS; round++) {
		struct aril_revocation want = {.kind = ARIL_REVOKE_FRAMES,
					       .count = FRAMES,
					       .last = ARIL_INFO->nframes - 1};
		u64 limit = core_now() + 20000000000;

		s64 got = aril_frame_alloc(core_auth, (u32)account, victim, FRAMES, &mine);
		if (got != FRAMES)
			wrong("taking them again", got);
		asked += FRAMES;
		allowed("revoking", aril_revoke(core_auth, (u32)account, &want));
		while (books->wanted[0] && core_now() < limit)
			core_sleep(200000);
		if (books->used[0])
			wrong("frames that stayed", books->used[0]);
	}
	if (books->taken != asked)
		wrong("taken", (s64)books->taken);
	core_log("%s: all was taken, %lu of %u", NAME, books->taken, asked);
	stop = 1;
	while (stop != 2)
		core_sleep(1000000);
	/* its own handler's page goes: nobody is told, and that is all */
	allowed("destroying the account", aril_account_destroy(core_auth, (u32)account));
	if (frame_info(frame)->pins)
		wrong("a pin that stayed", frame_info(frame)->pins);
	return done();
}
