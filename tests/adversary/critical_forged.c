/* SPDX-License-Identifier: MIT
 * Ends envs whose contexts name words that the kernel must not mark at the end: in tables, in the kernel's frames, in other
 * domains' frames, in frames by an index that opens too little or nothing, across a page's end, beyond it. */
// expect: critical_forged: marked its own word
// expect: critical_forged: left alone all others
// expect: critical_forged: done
// forbid: critical_forged: WRONG
// smp: 1
#include "../native/member.h"

#define MARK 0x5au		       /* not PRESENT */
#define UNUSED_VA 0x0000123456789000ul /* never bound */

static struct member member;
static struct {
	u32 frame, offset, auth; /* auth: 0 its own; 1 to read only; else an index that is none */
} target;

static void end(void)
{
	struct aril_context *context = core_context();

	member_begin();
	u32 auth = target.auth == 0 ? member_self()->auth : 0xabcd;
	if (target.auth == 1) {
		struct aril_cap weak;

		if (aril_cap_derive(&CORE_DOMAIN->cap, NULL, 0, ARIL_READ,
				    CORE_DOMAIN->cap.generation, &weak) < 0)
			core_log("%s: WRONG narrowing", NAME);
		auth = (u32)aril_cap_open(&weak);
	}
	context->critical_frame = target.frame;
	context->critical_offset = target.offset;
	context->critical_auth = auth;
	context->critical_mark = MARK;
	aril_env_exit(0);
}

static void names(u32 frame, u32 offset, u32 auth)
{
	const volatile struct aril_env_info *e;
	u64 until = core_now() + 20000000000;

	target.frame = frame, target.offset = offset, target.auth = auth;
	s64 error = member_make(&member, core_context()->cpu, 0, end, NULL);
	if (error < 0) {
		wrong("a member", error);
		return;
	}
	e = env_info(member.env);
	while (e->id == member.env && e->state != ARIL_ENV_DEAD && core_now() < until)
		core_yield(core_auth, member.env);
	if (e->end != ARIL_END_EXIT)
		wrong("a member's end", e->end);
	member_end(&member);
}

/* The top table's entry for UNUSED_VA, where the space's own tables can be read. */
static u64 top_entry(void)
{
	u64 at = UNUSED_VA;

	for (u32 level = 1; level <= 4; level++)
		at = ARIL_SELF_VA + ((at << 16 >> 16) >> 12) * 8;
	return *(const volatile u64 *)at;
}

static int clean(const volatile u32 *words)
{
	for (u32 i = 0; i < 2 * ARIL_PAGE_SIZE / 4; i++)
		if (words[i])
			return 0;
	return !top_entry();
}

int main(int argc, char **argv, char **envp)
{
	static const u32 offsets[] = {1, 2, 3, 4093, 4094, 4095, 4096, 4100, 0x80000000, ~3u};
	u32 frame;
	volatile u32 *words = core_pages(2, &frame);

	(void)argc, (void)argv, (void)envp;
	memset((void *)words, 0, 2 * ARIL_PAGE_SIZE);
	names(frame, 8, 0); /* as it is meant */
	if (words[2] == MARK)
		core_log("%s: marked its own word", NAME);
	else
		wrong("its own word", words[2]);
	words[2] = 0;
	for (u32 i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		names(frame, offsets[i], 0);
	names(frame, 8, 1);
	names(frame, 8, 2);
	names(CORE_DOMAIN->space, UNUSED_VA >> 39 << 3, 0);
	names(frame_info(CORE_DOMAIN->space)->partner, UNUSED_VA >> 39 << 3, 0);
	names(find_frame(ARIL_FRAME_KERNEL, -1, 0), 0, 0);
	u32 theirs = env_info(victim_env())->frame; /* and what follows: its owner would notice */
	names(theirs, 8, 0);
	for (u32 i = 0, f = 1; i < 8 && f < ARIL_INFO->nframes; f++) {
		const volatile struct aril_frame *info = frame_info(f);

		if (info->state != ARIL_FRAME_NORMAL || !info->refs ||
		    info->account != (env_info(victim_env())->account & 0xffff))
			continue;
		names(f, 64 * i++, 0);
	}
	names(ARIL_INFO->nframes, 8, 0);
	names(~0u, 8, 0);
	if (clean(words))
		core_log("%s: left alone all others", NAME);
	else
		wrong("a word of somebody else's", (s64)top_entry());
	return done();
}
