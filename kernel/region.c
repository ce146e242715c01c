/* SPDX-License-Identifier: MIT
 * Software regions: see region.h.
 *
 * The book is a frame of the kernel's own use, bound nowhere: which bytes of the region are whose. Invariants, under
 * object_lock. (1) A REGION and its BOOK name each other as partners. (2) No binding of a REGION is writable or
 * executable, and none of a BOOK is there at all: so what is in a region was written by region_write or region_swap,
 * by who opened the guard of the field at that time. (3) Fields ascend and do not overlap; each has a guard in use that
 * grants WRITE. */
#include "region.h"
#include "arch.h"
#include "check.h"
#include "env.h"
#include "space.h"
#include "util.h"

#define STEP_FRAMES 65536

struct book {
	u32 nfields;
	u32 zero;
	struct aril_region_field field[ARIL_REGION_FIELDS];
};
_Static_assert(sizeof(struct book) <= ARIL_PAGE_SIZE, "a book fits its frame");

/* May a give this frame? */
static s64 donation_check(u32 frame, const struct auth *a)
{
	s64 error = frame_check(frame, a, ARIL_OWN);

	return error ? error : frame_idle(frame);
}

/* One field, which must not begin before `from`. */
static s64 field_check(const struct aril_region_field *f, const struct auth *a, u32 from)
{
	if (!f->bytes || f->bytes > ARIL_PAGE_SIZE)
		return -ARIL_E_RANGE;
	if (f->offset < from)
		return -ARIL_E_RANGE;
	if (f->offset > ARIL_PAGE_SIZE - f->bytes)
		return -ARIL_E_RANGE;
	return guard_give(&f->guard, a, ARIL_WRITE);
}

s64 call_region_create(u32 auth, u32 frame, u32 book, const struct aril_region_field *fields, u64 n)
{
	static struct aril_region_field field[ARIL_REGION_FIELDS]; /* object_lock is held */
	const struct auth *a = auth_get(this_cpu()->env, auth);
	u32 from = 0;

	if (!a)
		return -ARIL_E_CAP;
	if (frame == book)
		return -ARIL_E_RANGE;
	s64 error = donation_check(frame, a);
	if (error)
		return error;
	error = donation_check(book, a);
	if (error)
		return error;
	if (!n || n > ARIL_REGION_FIELDS)
		return -ARIL_E_RANGE;
	if (copy_from_user(field, fields, n * sizeof(field[0])))
		return -ARIL_E_ADDR;
	for (u32 i = 0; i < n; i++) {
		error = field_check(&field[i], a, from);
		if (error)
			return error;
		from = field[i].offset + field[i].bytes;
	}
	frame_retype(frame, ARIL_FRAME_REGION, 0, book, 1);
	frame_retype(book, ARIL_FRAME_BOOK, 0, frame, 1);
	struct book *b = frame_memory(book);
	b->nfields = (u32)n;
	memcpy(b->field, field, n * sizeof(field[0]));
	return 0;
}

/* The field of a region in which the byte at offset is, or NULL. */
static struct aril_region_field *field_at(u32 region, u32 offset)
{
	struct book *b = frame_memory(frames[region].partner);

	for (u32 i = 0; i < b->nfields; i++)
		if (offset >= b->field[i].offset && offset - b->field[i].offset < b->field[i].bytes)
			return &b->field[i];
	return NULL;
}

/* The whole range lies in one field of the region, and a opens it. */
static s64 range_check(u32 frame, const struct auth *a, u32 offset, u64 bytes)
{
	if (frame >= nframes)
		return -ARIL_E_FRAME;
	if (frames[frame].state != ARIL_FRAME_REGION)
		return -ARIL_E_STATE;
	const struct aril_region_field *f = field_at(frame, offset);
	if (!f)
		return -ARIL_E_RANGE;
	if (bytes > f->bytes - (offset - f->offset))
		return -ARIL_E_RANGE;
	if (!guard_opens(&f->guard, a, ARIL_WRITE))
		return -ARIL_E_RIGHTS;
	return 0;
}

s64 call_region_write(u32 auth, u32 frame, u32 offset, const u8 *data, u64 bytes)
{
	static u8 copy
		[ARIL_PAGE_SIZE]; /* object_lock is held; a fault in the middle must change nothing */
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	if (!bytes)
		return -ARIL_E_RANGE;
	s64 error = range_check(frame, a, offset, bytes);
	if (error)
		return error;
	if (copy_from_user(copy, data, bytes))
		return -ARIL_E_ADDR;
	memcpy((u8 *)frame_memory(frame) + offset, copy, bytes);
	return 0;
}

s64 call_region_swap(u32 auth, u32 frame, u32 offset, u64 expected, u64 value)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	if (offset & 7)
		return -ARIL_E_RANGE;
	s64 error = range_check(frame, a, offset, 8);
	if (error)
		return error;
	u64 *word = (u64 *)((u8 *)frame_memory(frame) + offset);
	if (read_once(*word) != expected)
		return -ARIL_E_VALUE;
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
	return 0;
}

s64 call_region_guard(u32 auth, u32 frame, u32 offset, const struct aril_guard *user)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_guard guard;

	if (!a)
		return -ARIL_E_CAP;
	s64 error = frame_check(frame, a, ARIL_OWN);
	if (error)
		return error;
	if (frames[frame].state != ARIL_FRAME_REGION)
		return -ARIL_E_STATE;
	struct aril_region_field *f = field_at(frame, offset);
	if (!f)
		return -ARIL_E_RANGE;
	if (copy_from_user(&guard, user, sizeof(guard)))
		return -ARIL_E_ADDR;
	error = guard_give(&guard, a, ARIL_WRITE);
	if (error)
		return error;
	f->guard = guard;
	return 0;
}

int region_destroy(u32 frame, u32 *budget, int *stale)
{
	u32 book = frames[frame].partner;

	if (frames[frame].state == ARIL_FRAME_BOOK)
		return region_destroy(book, budget, stale);
	if (!space_break_all(frame, budget, stale))
		return 0;
	frame_release(frame);
	frame_release(book);
	return 1;
}

/* --- the audit; partners' states and bindings' rights are frame_audit's and space_audit's */

static const char *book_wrong(const struct book *b)
{
	u32 from = 0;

	if (!b->nfields || b->nfields > ARIL_REGION_FIELDS)
		return "a region's number of fields";
	for (u32 i = 0; i < b->nfields; i++) {
		const struct aril_region_field *f = &b->field[i];

		if (!f->bytes || f->bytes > ARIL_PAGE_SIZE || f->offset < from ||
		    f->offset > ARIL_PAGE_SIZE - f->bytes)
			return "a region's fields overlap";
		if (guard_check(&f->guard) || !(f->guard.rights & ARIL_WRITE))
			return "a guard of a region's field";
		from = f->offset + f->bytes;
	}
	return NULL;
}

u64 region_audit(u64 from, struct aril_check *out)
{
	u64 f = from, end = min(from + STEP_FRAMES, (u64)nframes);

	if (from >= nframes)
		return 0;
	for (; f < end; f++) {
		if (frames[f].state != ARIL_FRAME_REGION)
			continue;
		const char *why = "a region's book is none";
		u32 book = frames[f].partner;

		if (book < nframes && frames[book].state == ARIL_FRAME_BOOK &&
		    frames[book].partner == f)
			why = frames[book].refs ? "a region's book is bound"
						: book_wrong(frame_memory(book));
		if (why)
			audit_wrong(out, (u32)f, why, 0, book);
		out->checked++;
	}
	return f < nframes ? f : 0;
}
