/* SPDX-License-Identifier: MIT
 * Software regions for programs that do not trust each other: a page that each of them reads where it is bound, and
 * writes by the kernel alone, in its own fields. See docs/22-regions.md. */
#ifndef CORE_REGION_H
#define CORE_REGION_H

#include <aril/error.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/map.h>

struct core_region {
	const volatile u8 *at; /* where it is bound, readable */
	u32 frame;
	u32 auth; /* opens the fields that are its user's */
};

/* Binds region `frame` readable at va in that space, by what `read` opens. 0 or -error. */
static inline s64 core_region_bind(struct core_region *r, struct core_space *space, u64 va,
				   u32 frame, u32 read, u32 auth)
{
	r->at = (const volatile u8 *)va;
	r->frame = frame;
	r->auth = auth;
	return core_map(space, va, frame, 1, 0, read);
}

/* Makes a region of frame and book, both idle and auth's, with n fields, and binds it. 0 or -error. */
static inline s64 core_region_make(struct core_region *r, struct core_space *space, u64 va,
				   u32 frame, u32 book, const struct aril_region_field *fields,
				   u64 n, u32 auth)
{
	s64 error = aril_region_create(auth, frame, book, fields, n);

	return error ? error : core_region_bind(r, space, va, frame, auth, auth);
}

/* A counter: the 8-byte word at offset, a multiple of 8. */
static inline u64 core_region_count(const struct core_region *r, u32 offset)
{
	return *(const volatile u64 *)(r->at + offset);
}

/* Adds n to it, however many do so at once; none is lost. 0 or -error. */
static inline s64 core_region_add(const struct core_region *r, u32 offset, u64 n)
{
	s64 error;

	do {
		u64 was = core_region_count(r, offset);

		error = aril_region_swap(r->auth, r->frame, offset, was, was + n);
	} while (error == -ARIL_E_VALUE);
	return error;
}

#endif
