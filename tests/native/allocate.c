// SPDX-License-Identifier: MIT
// Frames by number, by colour, by run; a frame of 2 MiB bound, shared, lent, taken back, split and retyped; accounts of
// one's own below the domain's.
// with:
// smp: 2
// expect: allocate: by number ok
// expect: allocate: by colour ok
// expect: allocate: by run ok
// expect: allocate: 2 MiB bound ok
// expect: allocate: shared and taken back ok
// expect: allocate: split and retyped ok
// expect: allocate: an account's limits ok
// expect: allocate: done
// forbid: allocate: WRONG
#include "../adversary/adversary.h"
#include <core/frames.h>

#define VA 0x500000000000ul
#define LENT_VA 0x500040000000ul
#define LARGE_FRAMES 512u
#define RUN 1300u /* contains an aligned run of 512 */

static struct aril_guard own; /* the domain's */

static const volatile struct aril_account *account_info(u32 id)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va + (id & 0xffff);
}

static u32 used(void)
{
	return account_info(CORE_DOMAIN->account)->used[ARIL_QUOTA_FRAMES];
}

static void say(const char *what)
{
	core_log("%s: %s ok", NAME, what);
}

static void by_number(void)
{
	u32 frame;
	volatile u64 *page = core_pages(1, &frame);
	u32 before = used();

	*page = 4711;
	allowed("giving back", core_frames_free(core_auth, frame, 1));
	if (frame_info(frame)->account || frame_info(frame)->refs ||
	    frame_info(frame)->guard[0].rights)
		wrong("the freed frame's account", frame_info(frame)->account);
	if (used() != before - 1)
		wrong("frames charged", used());
	refused("what is nobody's", aril_frame_free(core_auth, frame, 1), ARIL_E_RIGHTS);
	if (aril_frame_alloc(core_auth, CORE_DOMAIN->account, frame, 1, &own) != 1)
		wrong("taking it by number", frame);
	refused("taking it twice",
		aril_frame_alloc(core_auth, CORE_DOMAIN->account, frame, 1, &own), ARIL_E_STATE);
	allowed("binding", core_map(&core_self, (u64)page, frame, 1, ARIL_BIND_WRITE, core_auth));
	if (*page)
		wrong("what it held is still there", (s64)*page);
	say("by number");
}

static void by_colour(void)
{
	u32 pool = core_pool_take(&core_pool, 64);

	allowed("giving 64 back", core_frames_free(core_auth, pool, 64));
	for (u32 colour = 0; colour < 16; colour += 5) {
		struct core_want want = {.colour_mask = 15, .colour = colour, .from = pool};
		s64 frame = core_frames_take(core_auth, CORE_DOMAIN->account, &want, &own);

		if (frame < 0 || (frame & 15) != colour)
			wrong("a frame by its colour", frame);
	}
	struct core_want want = {.from = pool, .last = pool + 63};
	for (u32 i = 0; i < 60; i++)
		if (core_frames_take(core_auth, CORE_DOMAIN->account, &want, &own) < 0)
			wrong("the other frames", i);
	refused("one more of them", core_frames_take(core_auth, CORE_DOMAIN->account, &want, &own),
		ARIL_E_FRAME);
	say("by colour");
}

static void check_words(u64 va, u64 seed, const char *what)
{
	for (u64 i = 0; i < LARGE_FRAMES; i++)
		if (*(volatile u64 *)(va + i * 4096 + 8 * (i % 512)) != seed + i)
			wrong(what, (s64)i);
}

static u32 large(void)
{
	u32 pool = core_pool_take(&core_pool, RUN);
	struct core_want want = {.count = LARGE_FRAMES, .align = LARGE_FRAMES};

	if (!pool)
		wrong("a pool", 0);
	allowed("giving a run back", core_frames_free(core_auth, pool, RUN));
	s64 first = core_frames_take(core_auth, CORE_DOMAIN->account, &want, &own);
	if (first < 0 || first % LARGE_FRAMES)
		wrong("a run of 512", first);
	say("by run");
	refused("binding it before it is one",
		core_map_large(&core_self, VA, (u32)first, 1, ARIL_BIND_WRITE, core_auth),
		ARIL_E_STATE);
	allowed("joining", core_frames_join(core_auth, (u32)first));
	allowed("binding",
		core_map_large(&core_self, VA, (u32)first, 1, ARIL_BIND_WRITE, core_auth));
	for (u64 i = 0; i < LARGE_FRAMES; i++)
		*(volatile u64 *)(VA + i * 4096 + 8 * (i % 512)) = 1000 + i;
	check_words(VA, 1000, "a word of the large frame");
	if (frame_info((u32)first)->refs != 1 ||
	    frame_info((u32)first + 1)->state != ARIL_FRAME_PART)
		wrong("its books", frame_info((u32)first)->refs);
	refused("binding a part of it",
		core_map(&core_self, LENT_VA, (u32)first + 1, 1, 0, core_auth), ARIL_E_STATE);
	allowed("a wake in a part", aril_wake(core_auth, (u32)first + 7, 8, 1));
	say("2 MiB bound");
	return (u32)first;
}

/* The other's view: a weaker name that only reads. */
static void lend(u32 first)
{
	static const u8 suffix[1] = {9};
	struct aril_guard guard = own;
	struct aril_cap cap;

	aril_cap_derive(&CORE_DOMAIN->cap, suffix, 1, ARIL_READ, 0, &cap);
	u32 weak = (u32)aril_cap_open(&cap);
	guard.name[guard.len++] = 9;
	guard.rights = ARIL_READ;
	refused("binding before it is lent",
		core_map_large(&core_self, LENT_VA + 0x200000, first, 1, 0, weak), ARIL_E_RIGHTS);
	allowed("lending", core_set_guard(core_auth, (struct core_run){first, 1}, 1, &guard));
	refused("writing what is lent for reading",
		core_map_large(&core_self, LENT_VA + 0x200000, first, 1, ARIL_BIND_WRITE, weak),
		ARIL_E_RIGHTS);
	allowed("binding what is lent",
		core_map_large(&core_self, LENT_VA + 0x200000, first, 1, 0, weak));
	check_words(LENT_VA + 0x200000, 1000, "a word of the lent frame");
	*(volatile u64 *)VA = 7;
	if (*(volatile u64 *)(LENT_VA + 0x200000) != 7 || frame_info(first)->refs != 2)
		wrong("sharing", frame_info(first)->refs);
	*(volatile u64 *)VA = 1000;
	guard = (struct aril_guard){.rights = 0};
	allowed("taking it back",
		core_set_guard(core_auth, (struct core_run){first, 1}, 1, &guard));
	if (frame_info(first)->refs != 1)
		wrong("bindings after taking it back", frame_info(first)->refs);
	check_words(VA, 1000, "a word of one's own binding");
	aril_cap_close(weak);
	say("shared and taken back");
}

static void split(u32 first)
{
	allowed("splitting", core_frames_split(core_auth, first));
	if (frame_info(first)->refs || frame_info(first + 511)->state != ARIL_FRAME_NORMAL)
		wrong("its parts", frame_info(first)->refs);
	allowed("a page of it", core_map(&core_self, LENT_VA, first + 5, 1, 0, core_auth));
	if (*(volatile u64 *)(LENT_VA + 40) != 1005)
		wrong("what a page holds", *(volatile s64 *)(LENT_VA + 40));
	allowed("a space in two of its frames", aril_space_create(core_auth, first + 8, first + 9));
	if (frame_info(first + 8)->state != ARIL_FRAME_SPACE)
		wrong("retyping", frame_info(first + 8)->state);
	allowed("giving all back", core_frames_free(core_auth, first, LARGE_FRAMES));
	for (u32 i = 0; i < LARGE_FRAMES; i++)
		if (frame_info(first + i)->account || frame_info(first + i)->state)
			wrong("a frame given back", i);
	say("split and retyped");
}

static void accounts(void)
{
	struct aril_account_desc desc = {.guard = own};
	struct core_want want = {0};
	u32 frame[4];

	desc.limit[ARIL_QUOTA_FRAMES] = 3;
	desc.limit[ARIL_QUOTA_WORK] = desc.limit[ARIL_QUOTA_FLUSHES] = ~0u;
	s64 account = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	allowed("an account", account);
	for (u32 i = 0; i < 3; i++)
		frame[i] = (u32)core_frames_take(core_auth, (u32)account, &want, &own);
	refused("a frame too many", core_frames_take(core_auth, (u32)account, &want, &own),
		ARIL_E_QUOTA);
	refused("ending it while it has frames", aril_account_destroy(core_auth, (u32)account),
		ARIL_E_STATE);
	struct aril_frame_op op = {.first = frame[0],
				   .count = 1,
				   .kind = ARIL_FRAME_CHARGE,
				   .tag = CORE_DOMAIN->account};
	if (aril_frame_update(core_auth, &op, 1) != 1)
		wrong("charging it to the parent", frame[0]);
	frame[3] = (u32)core_frames_take(core_auth, (u32)account, &want, &own);
	for (u32 i = 0; i < 4; i++)
		allowed("giving back", core_frames_free(core_auth, frame[i], 1));
	allowed("more for it", aril_account_set(core_auth, (u32)account, ARIL_QUOTA_FRAMES, 5));
	allowed("ending it", aril_account_destroy(core_auth, (u32)account));
	say("an account's limits");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	own.rights = ARIL_ALL;
	own.len = CORE_DOMAIN->cap.len;
	memcpy(own.name, CORE_DOMAIN->cap.name, sizeof(own.name));
	by_number();
	by_colour();
	u32 first = large();
	lend(first);
	split(first);
	accounts();
	return done();
}
