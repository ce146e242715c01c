/* SPDX-License-Identifier: MIT
 * The audit of frames: what the frame table says of each against what names it.
 *
 * A frame's list of bindings is walked wholly where it has at most LIST_MAX members; of a longer one the first LIST_MAX
 * are, and the space audit, which looks at every entry there is, finds a broken link in the rest. */
#include "account.h"
#include "arch.h"
#include "check.h"
#include "env.h"
#include "space.h"
#include "util.h"

#define STEP_FRAMES 8192 /* of one call */
#define STEP_LINKS \
	8192 /* bindings and envs looked at, after which it ends with the frame it is at */
#define LIST_MAX 16384

#define FLAGS                                                                                  \
	(ARIL_FRAME_LOST | ARIL_FRAME_BREAKING(0) | ARIL_FRAME_BREAKING(1) | ARIL_FRAME_USED | \
	 ARIL_FRAME_FREED | ARIL_FRAME_KEEP | ARIL_FRAME_CACHED)

/* The ring of its bindings closes after refs members, each linked both ways, those under guard[0] first. */
static int list_look(u32 f, struct aril_check *out, u32 *links)
{
	const struct aril_frame *i = &frames[f];
	u32 id = i->head, before = 0, n = 0;
	u64 guard1 = 0;

	if (!id && i->refs) {
		audit_wrong(out, f, "refs of a frame without bindings", 0, i->refs);
		return 0;
	}
	while (id && n < LIST_MAX) {
		if (!audit_binding(id, f)) {
			audit_wrong(out, f, "its list names an entry that does not name it", f, id);
			return 0;
		}
		u64 word = audit_shadow(id);
		if (n && word >> 32 != before) {
			audit_wrong(out, f, "a link back in its list", before, word >> 32);
			return 0;
		}
		if (guard1 && !(audit_entry(id) & PTE_GUARD1)) {
			audit_wrong(out, f, "order of guards in its list", 1, 0);
			return 0;
		}
		guard1 |= audit_entry(id) & PTE_GUARD1;
		before = id;
		id = (u32)word;
		if (++n > i->refs || id == i->head)
			break;
	}
	*links += n;
	if (n == LIST_MAX && n < i->refs)
		return 1;
	if (n != i->refs) {
		audit_wrong(out, f, "refs", n, i->refs);
		return 0;
	}
	if (n && audit_shadow(i->head) >> 32 != before) {
		audit_wrong(out, f, "the list's last", before, audit_shadow(i->head) >> 32);
		return 0;
	}
	return 1;
}

/* Who needs the frame to stay: contexts, rings, devices, the handlers of accounts. */
static u32 pins_of(u32 f)
{
	u32 n = ring_pins(f);

	for (u32 slot = 1; slot < ARIL_MAX_ENVS; slot++) {
		const struct env *env = env_get(env_infos[slot].id);

		for (u32 cpu = 0; env && cpu < ncpus; cpu++)
			n += env->ctx[cpu].state != CTX_NONE && env->ctx[cpu].frame == f;
	}
	for (u32 slot = 1; accounts && slot < ARIL_MAX_ACCOUNTS; slot++)
		n += accounts[slot].id && accounts[slot].handler &&
		     accounts[slot].handler_frame == f;
	return n;
}

static u32 users_of(u32 root)
{
	u32 n = 0;

	for (u32 slot = 1; slot < ARIL_MAX_ENVS; slot++)
		n += env_infos[slot].state == ARIL_ENV_ALIVE && env_infos[slot].space == root;
	return n;
}

static int in_state(u32 f, u32 state, u32 partner)
{
	return f < nframes && frames[f].state == state && frames[f].partner == partner;
}

/* The frame that it goes together with says the same. */
static int partner_right(u32 f)
{
	const struct aril_frame *i = &frames[f];
	u32 p = i->partner;

	switch (i->state) {
	case ARIL_FRAME_TABLE:
	case ARIL_FRAME_SPACE:
	case ARIL_FRAME_STLB:
		return in_state(p, ARIL_FRAME_SHADOW, f);
	case ARIL_FRAME_SHADOW:
		return in_state(p, ARIL_FRAME_TABLE, f) || in_state(p, ARIL_FRAME_SPACE, f) ||
		       in_state(p, ARIL_FRAME_STLB, f);
	case ARIL_FRAME_ENV:
		return p % 65536 < ARIL_MAX_ENVS && env_infos[p % 65536].id == p &&
		       env_infos[p % 65536].frame == f &&
		       env_infos[p % 65536].state == ARIL_ENV_ALIVE;
	case ARIL_FRAME_PART:
		return in_state(p, ARIL_FRAME_NORMAL, 0) && frames[p].level == 2 && f - p < 512;
	case ARIL_FRAME_CACHE:
		return p < nframes && frames[p].state == ARIL_FRAME_TABLE && frames[p].level == 2;
	case ARIL_FRAME_POOL:
		return p < nframes && frames[p].state == ARIL_FRAME_CACHE;
	case ARIL_FRAME_REGION:
		return in_state(p, ARIL_FRAME_BOOK, f);
	case ARIL_FRAME_BOOK:
		return in_state(p, ARIL_FRAME_REGION, f);
	case ARIL_FRAME_TEXT:
	case ARIL_FRAME_CONSTANT:
	case ARIL_FRAME_DATA:
		return in_state(p, ARIL_FRAME_CODE, 0) && f > p && f - p < ARIL_CODE_FRAMES;
	case ARIL_FRAME_QUEUE: /* a device's number: see ring_audit */
		return 1;
	default:
		return p == 0;
	}
}

static int level_right(const struct aril_frame *i)
{
	switch (i->state) {
	case ARIL_FRAME_TABLE:
		return i->level >= 1 && i->level <= 3;
	case ARIL_FRAME_SPACE:
		return i->level == 4;
	case ARIL_FRAME_NORMAL:
		return !i->level || i->level == 2;
	default:
		return i->level == 0;
	}
}

/* A 2 MiB frame is aligned and has all its parts. */
static int large_whole(u32 f)
{
	if (f % 512 || f + 512 > nframes)
		return 0;
	for (u32 part = f + 1; part < f + 512; part++)
		if (!in_state(part, ARIL_FRAME_PART, f))
			return 0;
	return 1;
}

/* Guards in use are well-formed, and one of them grants OWN: frame.c, invariant 2. */
static int guards_right(const struct aril_frame *i)
{
	u32 rights = i->guard[0].rights | i->guard[1].rights;

	for (u32 slot = 0; slot < 2; slot++)
		if (i->guard[slot].rights && guard_check(&i->guard[slot]))
			return 0;
	return !rights || rights & ARIL_OWN;
}

/* May other page-table entries than a table's parents name it? */
static int may_be_bound(u32 state)
{
	return state == ARIL_FRAME_NORMAL || state == ARIL_FRAME_TABLE ||
	       state == ARIL_FRAME_CACHE || state == ARIL_FRAME_REGION ||
	       state == ARIL_FRAME_STLB || state == ARIL_FRAME_CODE ||
	       state == ARIL_FRAME_CONSTANT || state == ARIL_FRAME_DATA;
}

/* What is charged, and what is free: once there are accounts. */
static const char *charge_wrong(const struct aril_frame *i)
{
	int nobodys = i->state == ARIL_FRAME_KERNEL || i->state == ARIL_FRAME_ABSENT;

	if (!accounts || !accounts[ARIL_ACCOUNT_ROOT & 0xffff].id)
		return NULL;
	if (i->account >= ARIL_MAX_ACCOUNTS)
		return "account of a frame: no such slot";
	if (i->account && !accounts[i->account].id)
		return "account of a frame: nobody has that slot";
	if (nobodys)
		return i->account ? "account of a frame that is the kernel's or absent" : NULL;
	if (i->account)
		return NULL;
	if (i->state != ARIL_FRAME_NORMAL || i->level)
		return "a frame with kernel state is charged to nobody";
	if (i->guard[0].rights | i->guard[1].rights)
		return "a free frame has a guard";
	if (i->refs | i->pins)
		return "a free frame is bound or pinned";
	return NULL;
}

static void frame_look(u32 f, struct aril_check *out, u32 *links)
{
	const struct aril_frame *i = &frames[f];
	const char *why;

	if (i->state > ARIL_FRAME_DATA)
		return audit_wrong(out, f, "state", ARIL_FRAME_DATA, i->state);
	if (i->flags & ~FLAGS)
		return audit_wrong(out, f, "flags", i->flags & FLAGS, i->flags);
	if (!level_right(i))
		return audit_wrong(out, f, "level of a frame in this state", 0, i->level);
	if (!partner_right(f))
		return audit_wrong(out, f, "partner of a frame in this state", i->state,
				   i->partner);
	if (i->level == 2 && i->state == ARIL_FRAME_NORMAL && !large_whole(f))
		return audit_wrong(out, f, "parts of a large frame", 512, 0);
	if (!guards_right(i))
		return audit_wrong(out, f, "guards", ARIL_OWN,
				   i->guard[0].rights | i->guard[1].rights);
	if (i->refs && !may_be_bound(i->state))
		return audit_wrong(out, f, "bindings of a frame in kernel state", 0, i->refs);
	if (!list_look(f, out, links))
		return;
	if (i->pins) {
		u32 pins = pins_of(f);

		*links += ARIL_MAX_ENVS;
		if (pins != i->pins)
			return audit_wrong(out, f, "pins", pins, i->pins);
		if (i->state != ARIL_FRAME_NORMAL)
			return audit_wrong(out, f, "pins of a frame in kernel state", 0, i->pins);
	}
	if (i->flags & ARIL_FRAME_LOST && !i->pins)
		return audit_wrong(out, f, "quarantined, but not pinned", 0, ARIL_FRAME_LOST);
	if (i->state == ARIL_FRAME_SPACE) {
		*links += ARIL_MAX_ENVS;
		if (users_of(f) != i->users)
			return audit_wrong(out, f, "users of a space", users_of(f), i->users);
	} else if (i->users) {
		return audit_wrong(out, f, "users of what is no space", 0, i->users);
	}
	why = charge_wrong(i);
	if (why)
		audit_wrong(out, f, why, 0, i->account);
}

u64 frame_audit(u64 from, struct aril_check *out)
{
	u64 f = from, end = min(from + STEP_FRAMES, (u64)nframes);
	u32 links = 0;

	if (from >= nframes)
		return 0;
	for (; f < end && links < STEP_LINKS; f++) {
		frame_look((u32)f, out, &links);
		out->checked++;
	}
	return f < nframes ? f : 0;
}
