/* SPDX-License-Identifier: MIT
 * Frames taken, given back, charged, kept, joined, split and pinned: after each call every account has what the frames
 * say, and the kernel's own audit finds nothing.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/allocate.c kernel/space.c kernel/narrow.c kernel/table.c kernel/audit_frame.c kernel/check.c */
#include "fuzz.h"

#include "audit_stubs.h"

#define ACCOUNTS 3
#define LOOSE 400  /* a few frames in play */
#define LARGE 512  /* those that may be one of 2 MiB */
#define PINNED 404 /* which a device may have */

static u32 account[ACCOUNTS], space;
static const u8 owner[ACCOUNTS] = {0, 1, 4};
static u32 device_pins;

u32 ring_pins(u32 frame)
{
	return frame == PINNED ? device_pins : 0;
}

static void look(void)
{
	u32 used[ARIL_MAX_ACCOUNTS] = {0}, kept[ARIL_MAX_ACCOUNTS] = {0};

	for (u32 f = 0; f < nframes; f++) {
		used[frames[f].account]++;
		kept[frames[f].account] += !!(frames[f].flags & ARIL_FRAME_KEEP);
	}
	SAME(kept[0], 0);
	for (u32 i = 0; i < ACCOUNTS; i++) {
		const struct aril_account *a = &accounts[account[i] & 0xffff];

		SAME(a->used[ARIL_QUOTA_FRAMES], used[account[i] & 0xffff]);
		SAME(a->kept, kept[account[i] & 0xffff]);
		MUST(a->used[ARIL_QUOTA_FRAMES] <= a->limit[ARIL_QUOTA_FRAMES]);
		MUST(a->kept <= a->reserve);
	}
}

static void look_closely(void)
{
	SAME(books_check(), 0);
	audited(frame_audit);
}

/* Takes frames: as many as are free and the account has room for, and no others change. */
static void alloc(const struct who *w, u32 n, u32 first, u32 count, struct aril_guard g)
{
	u32 slot = account[n] & 0xffff, room = account_left(slot, ARIL_QUOTA_FRAMES), should = 0;

	while (should < count && should < room && first + should < nframes) {
		const struct aril_frame *f = &frames[first + should];

		if (f->account || f->state || f->pins)
			break;
		should++;
	}
	if (n ? !opens(w, &accounts[slot].guard, ARIL_WRITE) : !!w->name[0])
		should = 0;
	if (!(g.rights & ARIL_OWN) || !dominates(w, &g) || g.generation > w->generation)
		should = 0;
	s64 got = call_frame_alloc(w->auth, account[n], first, count, &g);
	SAME(got < 0 ? 0 : got, should);
	for (u32 i = 0; i < should; i++)
		MUST(frames[first + i].account == slot &&
		     !memcmp(&frames[first + i].guard[0], &g, sizeof(g)));
}

static void update(const struct who *w, u32 kind, u32 first, u32 count, const u8 *d)
{
	struct aril_frame_op op = {first, count, kind, d[5] & 1, 0, 0, {.rights = 0}};

	if (kind == ARIL_FRAME_GUARD)
		op.guard = guard_from(d[4], d[5] | (d[5] & 64 ? ARIL_OWN : 0));
	if (kind == ARIL_FRAME_MARK_KEEP)
		op.tag = d[4] & 1;
	if (kind == ARIL_FRAME_CHARGE)
		op.tag = account[d[4] % ACCOUNTS];
	call_frame_update(w->auth, &op, 1);
}

static void step(const u8 *d)
{
	const struct who *w = &whos[d[1] % WHOS];
	int large = d[2] & 128, whole = large && d[3] & 128;
	u32 first = large ? LARGE + (whole ? 0 : d[2] % 16) : LOOSE + d[2] % 8;
	u32 count = whole ? 512 : 1 + d[3] % 6;

	switch (d[0] % 12) {
	case 0:
	case 1:
	case 2:
		alloc(w, d[4] % ACCOUNTS, first, count, guard_from(d[4], d[5] | ARIL_OWN));
		break;
	case 3:
		call_frame_free(w->auth, first, count);
		break;
	case 4:
		call_frame_reset(w->auth, first);
		break;
	case 5:
		fake_op(ROOT_AUTH, space, ARIL_BIND, 0x40000000 + (d[4] & 31) * 4096ul, first, 1,
			d[5] & 3, w->auth);
		break;
	case 6: /* a device takes and lets go */
		if (device_pins)
			device_pins--, frame_unpin(PINNED);
		else if (frames[PINNED].account && frame_has_words(PINNED) && !frames[PINNED].level)
			device_pins++, frame_pin(PINNED);
		break;
	default:
		update(w, 1 + d[0] / 12 % 6, first, count, d);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, usize bytes)
{
	u32 leaf;

	fake_reset();
	whos_open();
	device_pins = 0;
	fake_cpu.env->info->frame = fake_cpu.env->frame;
	account[0] = ARIL_ACCOUNT_ROOT;
	for (u32 i = 1; i < ACCOUNTS; i++) {
		struct aril_account_desc desc = {
			.guard = fake_guard(whos[owner[i]].name, ARIL_ALL, 1)};

		desc.limit[ARIL_QUOTA_FRAMES] = i == 1 ? 540 : 5;
		desc.reserve = 3;
		account[i] = call_account_create(ROOT_AUTH, ARIL_ACCOUNT_ROOT, &desc);
	}
	space = fake_space(ROOT_AUTH, 0x40000000, &leaf);
	alloc(&whos[1], 1, LARGE, 512, fake_guard("a", ARIL_ALL, 0));
	for (u32 n = 1; bytes >= 6; bytes -= 6, data += 6, n++) {
		step(data);
		look();
		if (n % 16 == 0)
			look_closely();
	}
	look_closely();
	return 0;
}
