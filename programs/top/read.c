/* SPDX-License-Identifier: MIT
 * Reading the books. */
#include "top.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <x86intrin.h>

static u64 clock_now(void)
{
	const volatile struct aril_clock *c = &ARIL_INFO->clock;

	for (;;) {
		u32 seq = c->seq;
		u64 passed = __rdtsc() - c->tsc0;
		u64 ns = c->ns0 + (u64)((unsigned __int128)passed * c->mult >> c->shift);

		if (!(seq & 1) && c->seq == seq)
			return ns;
	}
}

static void count_frame(struct held *h, u32 state, u32 refs, u32 pins)
{
	h->frames[state]++;
	h->total++;
	h->refs += refs;
	h->bound += refs != 0;
	h->pinned += pins != 0;
}

static void count_frames(struct snapshot *s)
{
	const volatile struct aril_frame *frame =
		(const volatile struct aril_frame *)s->info.frames_va;

	for (u32 f = 0; f < s->nframes; f++) {
		u32 state = frame[f].state, account = frame[f].account;

		if (state >= STATES || account >= ARIL_MAX_ACCOUNTS)
			continue;
		count_frame(&s->held[account], state, frame[f].refs, frame[f].pins);
		count_frame(&s->all, state, frame[f].refs, frame[f].pins);
	}
	s->present = s->all.total - s->all.frames[ARIL_FRAME_ABSENT];
}

static sigjmp_buf not_readable;

static void on_fault(int signal)
{
	siglongjmp(not_readable, signal);
}

/* Whether memory at that address can be read: elsewhere than on Aril, there is none. */
static int readable(const volatile u64 *at)
{
	struct sigaction action = {.sa_handler = on_fault}, before;
	volatile int yes = 0;

	sigaction(SIGSEGV, &action, &before);
	if (!sigsetjmp(not_readable, 1)) {
		(void)*at;
		yes = 1;
	}
	sigaction(SIGSEGV, &before, NULL);
	return yes;
}

int snapshot_take(struct snapshot *s)
{
	const struct aril_info *info = (const struct aril_info *)ARIL_INFO_VA;

	if (!readable(&info->magic) || info->magic != ARIL_INFO_MAGIC ||
	    info->version != ARIL_INFO_VERSION)
		return -1;
	memset(s, 0, sizeof(*s));
	s->info = *info;
	s->ncpus = info->ncpus;
	s->nframes = info->nframes;
	s->now_ns = clock_now();
	memcpy(s->account, (const void *)info->accounts_va, sizeof(s->account));
	memcpy(s->env, (const void *)info->envs_va, sizeof(s->env));
	memcpy(s->grant, (const void *)info->grants_va, sizeof(s->grant));
	memcpy(s->slice, (const void *)info->slices_va, s->ncpus * sizeof(s->slice[0]));
	count_frames(s);
	for (u32 i = 1; i < ARIL_MAX_ENVS; i++)
		s->nenvs += s->env[i].state == ARIL_ENV_ALIVE;
	for (u32 i = 0; i < ARIL_MAX_GRANTS; i++)
		s->ngrants += s->grant[i].env != 0;
	return 0;
}

const char *state_name(u32 state)
{
	static const char *const names[STATES] = {
		"memory", "table", "space", "shadow", "env",	  "kernel",
		"absent", "queue", "part",  "cache",  "stlb",	  "pool",
		"region", "book",  "code",  "text",   "constant", "data",
	};

	return state < STATES ? names[state] : "?";
}

const char *env_state_name(u32 state)
{
	static const char *const names[] = {"none", "alive", "dying", "dead"};

	return state < 4 ? names[state] : "?";
}

const char *grant_kind_name(u32 kind)
{
	static const char *const names[] = {"none", "ports", "line", "memory"};

	return kind < 4 ? names[kind] : "?";
}

const char *guard_name(const struct aril_guard *guard)
{
	static char texts[4][ARIL_NAME_MAX * 4 + 2];
	static u32 turn;
	char *text = texts[turn++ % 4];
	int n = 0;

	text[0] = '-';
	text[1] = 0;
	for (u32 i = 0; i < guard->len && i < ARIL_NAME_MAX; i++)
		n += sprintf(text + n, "%s%u", i ? "." : "", guard->name[i]);
	return text;
}

char account_letter(u32 slot)
{
	return slot ? "abcdefghijklmnopqrstuvwxyz"[(slot - 1) % 26] : '.';
}

u64 account_owed(const struct aril_account *account)
{
	u64 owed = 0;

	for (u32 i = 0; i < 4; i++)
		owed += account->wanted[i];
	return owed;
}

u32 idle_permille(const struct snapshot *s, const struct snapshot *before, u32 cpu)
{
	u64 idle = s->info.cpu[cpu].idle_ns, passed = s->now_ns;

	if (before) {
		idle -= before->info.cpu[cpu].idle_ns;
		passed -= before->now_ns;
	}
	if (!passed)
		return 0;
	u64 permille = idle * 1000 / passed;
	return permille > 1000 ? 1000 : (u32)permille;
}
