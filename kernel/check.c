/* SPDX-License-Identifier: MIT
 * The audit: the call, and what the nouns' audits share. */
#include "check.h"
#include "arch.h"
#include "cache.h"
#include "env.h"
#include "space.h"
#include "util.h"

static u64 (*const audits[ARIL_NOUNS])(u64 from, struct aril_check *out) = {
	[ARIL_NOUN_FRAME] = frame_audit, [ARIL_NOUN_SPACE] = space_audit,
	[ARIL_NOUN_ENV] = env_audit,	 [ARIL_NOUN_SLICE] = slice_audit,
	[ARIL_NOUN_GRANT] = grant_audit, [ARIL_NOUN_ACCOUNT] = account_audit,
	[ARIL_NOUN_RING] = ring_audit,	 [ARIL_NOUN_WAIT] = wait_audit,
	[ARIL_NOUN_CACHE] = cache_audit, [ARIL_NOUN_REGION] = region_audit,
	[ARIL_NOUN_CODE] = code_audit,
};

struct text {
	char *to;
	u32 room;
};

static void put(struct text *t, const char *from)
{
	for (; *from && t->room > 1; t->room--)
		*t->to++ = *from++;
	*t->to = 0;
}

static void put_number(struct text *t, u64 value)
{
	char digits[24];
	u32 at = sizeof(digits) - 1;

	digits[at] = 0;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	put(t, &digits[at]);
}

void audit_wrong(struct aril_check *out, u32 which, const char *what, u64 should, u64 is)
{
	struct text t = {out->what, sizeof(out->what)};

	if (out->wrong++)
		return;
	out->which = which;
	put(&t, what);
	put(&t, ": should be ");
	put_number(&t, should);
	put(&t, ", is ");
	put_number(&t, is);
}

int audit_readable(u32 id)
{
	u32 table = id / 512, shadow;

	if (table >= nframes)
		return 0;
	if (frames[table].state != ARIL_FRAME_TABLE && frames[table].state != ARIL_FRAME_SPACE &&
	    frames[table].state != ARIL_FRAME_STLB)
		return 0;
	shadow = frames[table].partner;
	return shadow < nframes && frames[shadow].state == ARIL_FRAME_SHADOW &&
	       frames[shadow].partner == table;
}

u64 audit_entry(u32 id)
{
	return read_once(((u64 *)frame_memory(id / 512))[id % 512]);
}

u64 audit_shadow(u32 id)
{
	return ((u64 *)frame_memory(frames[id / 512].partner))[id % 512];
}

int audit_binding(u32 id, u32 frame)
{
	if (!id || !audit_readable(id))
		return 0;
	u64 entry = audit_entry(id);
	if (!(entry & PTE_P) || !audit_shadow(id))
		return 0;
	if (frames[id / 512].state == ARIL_FRAME_STLB)
		return cache_entry_frame(entry) == frame;
	return (entry & PTE_ADDR) >> ARIL_PAGE_SHIFT == frame;
}

s64 call_check(u32 auth, u32 noun, u64 from, struct aril_check *out)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_check found;

	if (!a)
		return -ARIL_E_CAP;
	if (a->len)
		return -ARIL_E_RIGHTS;
	if (!(a->rights & ARIL_OWN))
		return -ARIL_E_RIGHTS;
	if (!noun)
		return -ARIL_E_RANGE;
	if (noun >= ARIL_NOUNS)
		return -ARIL_E_RANGE;
	memset(&found, 0, sizeof(found));
	u64 next = audits[noun](from, &found);
	if (copy_to_user(out, &found, sizeof(found)))
		return -ARIL_E_ADDR;
	return (s64)next;
}
