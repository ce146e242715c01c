/* SPDX-License-Identifier: MIT
 * Waits on a word that it may read, and goes on waiting when that right is taken back: wakes meant for others
 * must pass it by. */
// expect: stolen_wake: done
// forbid: stolen_wake: WRONG
// with: neighbour
#include "adversary.h"

static struct aril_cap weak;
static u32 word_frame;
static volatile u32 *word;
static volatile u32 starts[2];

void waiter_entry(void);
void waiter_start(struct aril_context *context, const struct aril_save *save);
__asm__(".text\nwaiter_entry:\n\tmov %rsp, %rsi\n\tmov %rsp, %rdi\n\tand $-4096, %rdi\n\tcall "
	"waiter_start\n\tud2\n");

/* Cookie 0: waits by the weak capability; 1: by the domain's. Ends when it is started again. */
void waiter_start(struct aril_context *context, const struct aril_save *save)
{
	u32 who = (u32)context->cookie;

	if (starts[who]++)
		aril_env_exit((s64)save->error);
	s64 auth = aril_cap_open(who ? &CORE_DOMAIN->cap : &weak);
	aril_env_exit(-aril_wait((u32)auth, word_frame, 0, 0, 0));
}

int main(int argc, char **argv, char **envp)
{
	static struct child waiter[2];
	static const u8 suffix[1] = {7};
	struct aril_guard guard = {
		.name = {1, CORE_DOMAIN->index, 7}, .len = 3, .rights = ARIL_READ};
	struct aril_guard none = guard;

	(void)argc;
	(void)argv;
	(void)envp;
	none.name[2] = 8;
	word = core_pages(1, &word_frame);
	struct core_run run = {.first = word_frame, .count = 1};
	allowed("a child", aril_cap_derive(&CORE_DOMAIN->cap, suffix, 1, ARIL_READ, 0, &weak));
	allowed("a guard", core_set_guard(core_auth, run, 1, &guard));
	for (u32 i = 0; i < 2; i++) {
		allowed("a waiter", child_make(&waiter[i], waiter_entry, 0));
		waiter[i].context->cookie = i;
	}
	falls_asleep(core_auth, waiter[0].env);
	falls_asleep(core_auth, waiter[1].env);
	if (starts[0] != 1 || starts[1] != 1)
		wrong("waiting", starts[0] * 10 + starts[1]);
	allowed("taking the right back", core_set_guard(core_auth, run, 1, &none));
	s64 woken = aril_wake(core_auth, word_frame, 0, 1);
	if (woken != 1)
		wrong("the number woken", woken);
	child_run(&waiter[1]);
	if (env_info(waiter[1].env)->state != ARIL_ENV_DEAD ||
	    env_info(waiter[1].env)->status != ARIL_START_YIELD)
		wrong("who was woken", env_info(waiter[1].env)->status);
	woken = aril_wake(core_auth, word_frame, 0, 1);
	if (woken)
		wrong("a wake that nobody is there for", woken);
	allowed("taking the frame back", aril_frame_reset(core_auth, waiter[0].frame));
	return done();
}
